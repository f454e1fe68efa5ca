"""The loops that find the limits, compiled.  Import this module only where Numba is installed and about to be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from exp_core.compiled import REORDER, njit


def vector_registers() -> tuple[int, int]:
    """Bytes of a vector register of this processor, and how many chains of multiply-adds to keep in registers.

    To be always busy a core needs latency times pipes chains that do not depend on each other: 4 x 2 on x86, 4 x 4 on
    Apple's processors.  They must fit into the registers, 16 before AVX-512 and 32 with it and on arm64.
    Source: Fog, Instruction tables (2022); Johnson, Apple M1 Firestorm microarchitecture (2021).
    """
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 64, 12
    if features.get("avx"):
        return 32, 12
    return 16, 20 if features.get("neon") else 12


VECTOR_BYTES, CHAINS = vector_registers()


def multiply_add_flops(bits: int) -> int:
    """Operations in one step of the loop below."""
    return 2 * CHAINS * VECTOR_BYTES * 8 // bits


def _multiply_add_chains(bits: int) -> object:
    """An intrinsic ``chains(steps) -> float64``: x = x/2 + 1/4 in every lane of every chain, so many times over.

    Written in LLVM's own language, since it is the compiler's decision whether a loop over an array stays in registers.
    The sum of all lanes is returned, so that nothing can be left out.
    """
    scalar = ir.DoubleType() if bits == 64 else ir.FloatType()
    lanes = VECTOR_BYTES * 8 // bits
    vector = ir.VectorType(scalar, lanes)

    def constant(value: float) -> ir.Constant:  # type: ignore[no-any-unimported]
        return ir.Constant(vector, [value] * lanes)

    def generate(  # type: ignore[no-any-unimported]
        context: object, builder: ir.IRBuilder, signature: object, arguments: list[ir.Value]
    ) -> ir.Value:
        (steps,) = arguments
        before, loop, after = builder.block, builder.append_basic_block("loop"), builder.append_basic_block("after")
        builder.branch(loop)
        builder.position_at_end(loop)
        left = builder.phi(steps.type)
        x = [builder.phi(vector) for _ in range(CHAINS)]
        # "contract" lets LLVM fuse the two where the processor can, and nothing else
        y = [builder.fadd(builder.fmul(v, constant(0.5), ("contract",)), constant(0.25), ("contract",)) for v in x]
        less = builder.sub(left, ir.Constant(steps.type, 1))
        left.add_incoming(steps, before)
        left.add_incoming(less, loop)
        for chain in range(CHAINS):
            x[chain].add_incoming(constant(chain), before)
            x[chain].add_incoming(y[chain], loop)
        builder.cbranch(builder.icmp_signed(">", less, ir.Constant(steps.type, 0)), loop, after)
        builder.position_at_end(after)
        total = ir.Constant(scalar, 0.0)
        for v in y:
            for lane in range(lanes):
                total = builder.fadd(total, builder.extract_element(v, ir.Constant(ir.IntType(32), lane)))
        return total if bits == 64 else builder.fpext(total, ir.DoubleType())

    def chains(typing_context: object, steps: object) -> object:
        return types.float64(types.int64), generate

    return intrinsic(chains)


_chains64 = cast(Callable[[int], float], _multiply_add_chains(64))
_chains32 = cast(Callable[[int], float], _multiply_add_chains(32))


@njit
def multiply_add_float64(steps: int) -> float:
    """The best rate in float64."""
    return _chains64(steps)


@njit
def multiply_add_float32(steps: int) -> float:
    """The best rate in float32."""
    return _chains32(steps)


def _read(x: NDArray[np.float64], repeats: int) -> float:
    """Sum up everything."""
    total = 0.0
    for _ in range(repeats):
        s = 0.0
        for i in range(x.size):
            s += x[i]
        total += s
    return total


read = njit(_read, fastmath=REORDER)


@njit
def copy(x: NDArray[np.float64], repeats: int) -> None:
    """One half onto the other."""
    n = x.size // 2
    a, b = x[:n], x[n : 2 * n]
    for _ in range(repeats):
        for i in range(n):
            a[i] = b[i]


@njit
def triad(x: NDArray[np.float64], repeats: int) -> None:
    """a = b + s c on the three thirds."""
    n = x.size // 3
    a, b, c = x[:n], x[n : 2 * n], x[2 * n : 3 * n]
    for _ in range(repeats):
        for i in range(n):
            a[i] = b[i] + 0.5 * c[i]
