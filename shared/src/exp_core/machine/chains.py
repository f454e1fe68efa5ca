"""Chains of multiply-adds, and of single cycles: the loops that find what a core can compute and how fast its clock is.

A multiply-add takes some cycles (latency L), and a core may begin P of them in every cycle.  Little's law: to be always
busy it needs L P of them under way that do not wait for each other.  A chain $x \\leftarrow m x + b$ waits for itself,
so that the number of chains, and the width of the vectors that they are made of, decide the rate.

Source    J. D. C. Little, A proof for the queuing formula L = λW, Operations Research 9 (1961), 383-387.
          A. Fog, Instruction tables (2022): 4 to 5 cycles and 2 pipes on x86.  D. Johnson, Apple M1 Firestorm
          microarchitecture (2021): 4 cycles and 4 pipes.
"""

from __future__ import annotations

import functools

from exp_core.compiled import intrinsic, njit

CYCLES = 8  # of one step of single_cycles


@functools.cache
def vector_registers() -> tuple[int, int]:
    """Bytes of a vector register of the processor that Numba compiles for, and how many registers there are."""
    from numba.core.registry import cpu_target

    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    if "+avx512f" in features.split(","):
        return 64, 32
    if "+avx" in features.split(","):
        return 32, 16
    return 16, 32 if triple.startswith(("aarch64", "arm64")) else 16


@functools.cache
def most_chains() -> int:
    """As many as stay in registers beside m and b, and no more than any processor needs (4 cycles x 4 pipes, and some).

    Twice as many 128-bit halves where the processor splits its 256-bit vectors, as AMD's first Zen does.
    """
    return min(vector_registers()[1] - 2, 20)


@intrinsic
def lanes(typing, x):
    """How many elements of an array make a vector."""
    from numba.core import types

    count = 8 * vector_registers()[0] // x.dtype.bitwidth

    def generate(context, builder, signature, arguments):
        return context.get_constant(types.int64, count)

    return types.int64(x), generate


@intrinsic
def vectors_together(typing, x, first, chains, m, b, steps):
    """Advance so many whole vectors of x, from an element on: all of them take a step before any takes the next."""
    return _together(8 * vector_registers()[0] // x.dtype.bitwidth, x, first, chains, m, b, steps)


@intrinsic
def scalars_together(typing, x, first, chains, m, b, steps):
    """The same with single elements."""
    return _together(1, x, first, chains, m, b, steps)


def _together(width, x, first, chains, m, b, steps):
    """A loop for every number of chains, chosen by a switch; chains from 1 to most_chains(), steps at least 1.

    Written in LLVM's own language, since it is the compiler's decision whether a loop over an array stays in registers.
    """
    from llvmlite import ir
    from numba.core import types

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        first, chains, m, b, steps = arguments[1:]
        vector = ir.VectorType(m.type, width)
        address = builder.bitcast(builder.gep(array.data, [first]), vector.as_pointer())
        m, b = (_spread(builder, value, vector) for value in (m, b))
        end = builder.append_basic_block("end")
        choice = builder.switch(chains, end)
        for k in range(1, most_chains() + 1):
            start, loop, done = (builder.append_basic_block(f"{name}{k}") for name in ("start", "loop", "done"))
            choice.add_case(ir.Constant(chains.type, k), start)

            builder.position_at_end(start)
            places = [builder.gep(address, [ir.Constant(ir.IntType(64), chain)]) for chain in range(k)]
            x0 = [builder.load(place, typ=vector) for place in places]
            for loaded in x0:
                loaded.align = m.type.element.get_abi_size(context.target_data)  # arrays are aligned to their elements
            builder.branch(loop)

            builder.position_at_end(loop)
            left = builder.phi(steps.type)
            x = [builder.phi(vector) for _ in range(k)]
            new = [_multiply_add(builder, v, m, b) for v in x]
            less = builder.sub(left, ir.Constant(steps.type, 1))
            for phi, entering, staying in [(left, steps, less), *zip(x, x0, new, strict=True)]:
                phi.add_incoming(entering, start)
                phi.add_incoming(staying, loop)
            builder.cbranch(builder.icmp_signed(">", less, ir.Constant(steps.type, 0)), loop, done)

            builder.position_at_end(done)
            for value, place in zip(new, places, strict=True):
                builder.store(value, place).align = m.type.element.get_abi_size(context.target_data)
            builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    signature = types.void(x, types.int64, types.int64, x.dtype, x.dtype, types.int64)
    return signature, generate


def _spread(builder, value, vector):
    """One number in every lane."""
    from llvmlite import ir

    zero, nothing = ir.IntType(32)(0), vector(ir.Undefined)
    one = builder.insert_element(nothing, value, zero)
    return builder.shuffle_vector(one, nothing, ir.VectorType(ir.IntType(32), vector.count)(None))


def _multiply_add(builder, x, m, b):
    """m x + b, fused where the processor can; llvm.fma would call a slow function where it cannot."""
    from llvmlite import ir

    name = f"llvm.fmuladd.v{x.type.count}f{32 if isinstance(x.type.element, ir.FloatType) else 64}"
    module, kind = builder.module, ir.FunctionType(x.type, 3 * [x.type])
    return builder.call(module.globals.get(name) or ir.Function(module, kind, name), [m, x, b])


@njit
def advance_scalars(x, m, b, steps, chains):
    """x <- m x + b so many times, in place: so many elements together, one lane of a vector each."""
    if steps > 0:
        for i in range(0, x.size, chains):
            scalars_together(x, i, min(chains, x.size - i), m, b, steps)


@njit
def advance(x, m, b, steps, chains):
    """The same with vectors: so many together, and at the end what is left over."""
    width = lanes(x)
    whole = x.size // width
    for v in range(0, whole if steps > 0 else 0, chains):
        vectors_together(x, v * width, min(chains, whole - v), m, b, steps)
    advance_scalars(x[whole * width :], m, b, steps, width)


@njit
def single_cycles(x, y, z, steps):
    """x <- (x + y) xor z on whole numbers, four times a step: instructions that take one cycle each on any processor.

    No compiler has a closed form for it, and none can begin before the last has ended: steps times CYCLES is the number
    of cycles, and the time that they take is the clock.
    """
    for _ in range(steps):
        x = (x + y) ^ z
        x = (x + y) ^ z
        x = (x + y) ^ z
        x = (x + y) ^ z
    return x
