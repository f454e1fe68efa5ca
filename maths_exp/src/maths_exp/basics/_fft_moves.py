"""Eight complex numbers between memory and registers, and between lanes: each function *is* a few LLVM instructions.

An array of complex numbers holds re, im, re, im, ...; an array of reals is read in rows of 16: eight re, then eight im.
Source: LLVM Language Reference Manual, "shufflevector", "load", "store" and its "!nontemporal".
"""

from __future__ import annotations

from exp_core.compiled import intrinsic
from maths_exp.basics._fft_lanes import FUSED, LANES, ROW, lanes_of, parts, whole


def _shuffle(b, x, y, places):
    """The elements of x and y (numbered on) at these places."""
    from llvmlite import ir

    number = ir.IntType(32)
    return b.shuffle_vector(x, y, ir.Constant(ir.VectorType(number, len(places)), [number(k) for k in places]))


def _pointer(context, b, array, value, i, count):
    """(pointer to ``count`` reals at array[i], bytes of a real)."""
    from llvmlite import ir
    from numba.core import types

    is_complex = isinstance(array.dtype, types.Complex)
    real = context.get_value_type(array.dtype.underlying_float if is_complex else array.dtype)
    data = b.bitcast(context.make_array(array)(context, b, value).data, real.as_pointer())
    place = b.gep(data, [b.add(i, i) if is_complex else i])
    kind = ir.VectorType(real, count) if count > 1 else real
    return b.bitcast(place, kind.as_pointer()), context.get_abi_sizeof(real)


def _next(b, pointer):
    """The place right after what the pointer points to."""
    from llvmlite import ir

    return b.gep(pointer, [ir.IntType(64)(1)])


def _is_paired(array):
    """Whether re and im alternate in memory, or stand in two halves of a row."""
    from numba.core import types

    return isinstance(array.dtype, types.Complex)


def _lanes_of(array):
    from numba.core import types

    return lanes_of(array.dtype.underlying_float if isinstance(array.dtype, types.Complex) else array.dtype)


@intrinsic
def load(typing, array, i):
    """Eight complex numbers from array[i] on."""

    def generate(context, b, sig, args):
        pointer, align = _pointer(context, b, array, *args, LANES)
        one, two = (b.load(place, align=align) for place in (pointer, _next(b, pointer)))
        if _is_paired(array):
            one, two = (_shuffle(b, one, two, range(first, ROW, 2)) for first in (0, 1))
        return whole(b, one, two)

    return _lanes_of(array)(array, i), generate


@intrinsic
def splat(typing, array, i):
    """The complex number array[i] in all lanes."""

    def generate(context, b, sig, args):
        from llvmlite import ir

        pointer, align = _pointer(context, b, array, *args, 1)
        number = ir.IntType(32)
        empty = ir.Constant(ir.VectorType(pointer.type.pointee, LANES), ir.Undefined)
        reals = (b.load(place, align=align) for place in (pointer, _next(b, pointer)))
        both = (b.insert_element(empty, real, number(0)) for real in reals)
        return whole(b, *(_shuffle(b, one, one, [0] * LANES) for one in both))

    return _lanes_of(array)(array, i), generate


def _store(past_caches):
    def store(typing, array, i, z):
        from numba.core import types

        def generate(context, b, sig, args):
            from llvmlite import ir

            pointer, align = _pointer(context, b, array, *args[:2], LANES)
            one, two = parts(b, args[2])
            if _is_paired(array):
                mixed = [k // 2 + LANES * (k % 2) for k in range(ROW)]  # re[0], im[0], re[1], ...
                one, two = _shuffle(b, one, two, mixed[:LANES]), _shuffle(b, one, two, mixed[LANES:])
            for half, place in ((one, pointer), (two, _next(b, pointer))):
                written = b.store(half, place, align=LANES * align if past_caches else align)
                if past_caches:
                    written.set_metadata("nontemporal", b.module.add_metadata([ir.IntType(32)(1)]))
            return context.get_dummy_value()

        return types.void(array, i, z), generate

    return store


store = intrinsic(_store(past_caches=False))  # array[i:i+8] = z
stream = intrinsic(_store(past_caches=True))  # the same, past the caches; the place must be a multiple of 64 bytes


@intrinsic
def quarter(typing, z):
    """-i z: a quarter turn, two names and a sign."""

    def generate(context, b, sig, args):
        re, im = parts(b, args[0])
        return whole(b, im, b.fneg(re))

    return z(z), generate


@intrinsic
def eighth(typing, z):
    """$e^{-i \\pi/4} z$: an eighth of a turn, two additions and two multiplications."""

    def generate(context, b, sig, args):
        from llvmlite import ir

        re, im = parts(b, args[0])
        half_root = ir.Constant(re.type, [re.type.element(0.5**0.5)] * LANES)
        turned = b.fadd(re, im, flags=FUSED), b.fsub(im, re, flags=FUSED)
        return whole(b, *(b.fmul(half_root, part, flags=FUSED) for part in turned))

    return z(z), generate


@intrinsic
def transposed(typing, rows):
    """Lane k of row l becomes lane l of row k: swap blocks of 1, of 2, of 4 across the diagonal."""

    def generate(context, b, sig, args):
        rows_in = [parts(b, b.extract_value(args[0], k)) for k in range(LANES)]
        sides = [[row[side] for row in rows_in] for side in (0, 1)]  # all real parts, all imaginary parts
        for d in (1, 2, 4):
            low = [lane + LANES - d if lane & d else lane for lane in range(LANES)]
            high = [lane + LANES if lane & d else lane + d for lane in range(LANES)]
            for side in sides:
                for k in (k for k in range(LANES) if not k & d):
                    x, y = side[k], side[k + d]
                    side[k], side[k + d] = _shuffle(b, x, y, low), _shuffle(b, x, y, high)
        result = args[0]
        for k, (re, im) in enumerate(zip(*sides, strict=True)):
            result = b.insert_value(result, whole(b, re, im), k)
        return result

    return rows(rows), generate
