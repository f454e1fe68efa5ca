"""What a wrong result looks like beside a right one: the sign, a factor, the last entries, the digits of float32."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from exp_core.practise.question import Answer
from exp_core.tensor import UNIT_ROUNDOFF

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.generic]]
Wide = npt.NDArray[np.float64]  # or complex128
Mask = npt.NDArray[np.bool_]
SINGLE = UNIT_ROUNDOFF["float32"]


def likenesses(result: object, answer: Answer, others: Iterator[Answer]) -> list[str]:
    """What stands out about a wrong result of the right form, one sentence each.

    Where another right answer differs there is more than one, and an entry says nothing.
    """
    parts, right = leaves(result), leaves(answer.result)
    other = next(others, answer)
    said: list[str] = []
    for number, (own, model, again) in enumerate(zip(parts, right, leaves(other.result), strict=True), 1):
        name = f"part {number} of the result: " if len(parts) > 1 else ""
        if strange := not_finite(own, model):
            said.append(name + strange)
        elif _alike(model, again):
            said += [name + sentence for sentence in compared(own, model, answer.name)]
    return said


def not_finite(own: Numbers, right: Numbers) -> str:
    """How many entries are not numbers, where a right answer has numbers; empty if none."""
    if own.dtype.kind not in "fc":
        return ""
    for what, test in (("NaN", np.isnan), ("infinite", np.isinf)):
        bad = test(own) & np.isfinite(right)
        if bad.any():
            return _counted(bad, f"is {what}" if what == "infinite" else f"is {what}, not a number")
    return ""


def compared(own: Numbers, right: Numbers, name: str) -> Iterator[str]:
    """How one array differs from the right one."""
    if not own.size:
        return
    theirs, ours = _wide(own), _wide(right)
    bad = ~_close(theirs, ours)
    if not bad.any():
        yield from digits(theirs, ours, is_double=own.dtype.name in ("float64", "complex128"))
    elif whole := as_a_whole(theirs, ours):
        yield f"{whole} {name}'s"
    elif bad.size > 1:
        yield f"{_counted(bad, 'is wrong')}{_where(bad)}"


def as_a_whole(own: Wide, right: Wide) -> str:
    """What was done to a right answer to get this one; empty if it is none of a few things."""
    if right.any() and _all_close(own, -right):
        return "it has the opposite sign of"
    if right.any() and (factor := _factor(own, right)):
        return f"it is {factor:.4g} times"
    if own.ndim == 2 and own.shape[0] == own.shape[1] > 1 and _all_close(own, right.T):
        return "it is the transpose of"
    if own.size > 1 and (shift := own.reshape(-1)[0] - right.reshape(-1)[0]) and _all_close(own, right + shift):
        return f"it is {shift:.4g} more than" if np.isrealobj(shift) else ""
    if own.ndim == 1 and own.size > 2:
        if _all_close(own, right[::-1]):
            return "it is the reverse of"
        for step in (1, -1):
            if _all_close(own, np.roll(right, step)):
                return f"it is shifted by one place {'down' if step > 0 else 'up'} from"
        if _all_close(np.sort(own), np.sort(right)):
            return "it has the same numbers in another order than"
    return ""


def digits(own: Wide, right: Wide, *, is_double: bool) -> Iterator[str]:
    """To how many digits they agree, where that tells of a smaller precision."""
    scale = float(np.abs(right).max(initial=0.0))
    error = float(np.abs(own - right).max(initial=0.0)) / scale if scale else 0.0
    if not 0 < error < 1:
        return
    said = f"it agrees to {-math.log10(error):.0f} digits"
    single = is_double and SINGLE / 16 < error < 8 * SINGLE
    yield f"{said}, as many as float32 has: is something computed, or stored, in float32?" if single else said


def leaves(result: object) -> list[Numbers]:
    """The arrays and numbers of a result, in order, as arrays."""
    if isinstance(result, (tuple, list)):
        return [leaf for item in result for leaf in leaves(item)]
    return [np.asarray(result)]


def _wide(array: Numbers) -> Wide:
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _close(own: Wide, right: Wide) -> Mask:
    """Entry by entry: the same but for rounding, in whatever precision."""
    scale = float(np.abs(right[np.isfinite(right)]).max(initial=0.0))
    return np.isclose(own, right, rtol=1e-4, atol=1e-5 * scale, equal_nan=True)


def _all_close(own: Wide, right: Wide) -> bool:
    return bool(_close(own, right).all())


def _alike(one: Numbers, other: Numbers) -> bool:
    return one.shape == other.shape and _all_close(_wide(one), _wide(other))


def _factor(own: Wide, right: Wide) -> float:
    """The number by which all entries differ; 0 if there is none."""
    place = int(np.abs(right).argmax())
    ratio = own.reshape(-1)[place] / right.reshape(-1)[place]
    if not np.isfinite(ratio) or not ratio or np.iscomplexobj(ratio):
        return 0.0
    if own.size == 1 and not any(math.isclose(x, round(x), rel_tol=1e-6) for x in (ratio, 1 / ratio)):
        return 0.0  # one number is some multiple of any other: only a plain one tells
    return float(ratio) if _all_close(own, ratio * right) else 0.0


def _counted(bad: Mask, verdict: str) -> str:
    """``3 of 64 entries are wrong``, and where the first one is."""
    count = int(np.count_nonzero(bad))
    if bad.size == 1:
        return f"it {verdict}"
    several = verdict.replace("is ", "are ", 1)
    first = [int(index) for index in np.argwhere(bad)[0]]
    if count == bad.size:
        return f"every entry {verdict}"
    return f"{count} of {bad.size} entries {verdict if count == 1 else several}, the first at {first}"


def _where(bad: Mask) -> str:
    """Whether the wrong entries are the first or the last ones along some axis."""
    for axis, name in zip(range(bad.ndim), ("row", "column") if bad.ndim == 2 else ("entry",), strict=False):
        across = tuple(other for other in range(bad.ndim) if other != axis)
        lines = np.asarray(bad.any(axis=across))
        places = np.flatnonzero(lines)
        if len(places) == len(lines) or not len(places):
            continue
        plural = {"entry": "entries"}.get(name, f"{name}s")
        many = f"the {len(places)} " if len(places) > 1 else "the "
        if places[0] == len(lines) - len(places):
            return f": {many}last {name if len(places) == 1 else plural}; does a loop or a block stop too early?"
        if places[-1] == len(places) - 1:
            return f": {many}first {name if len(places) == 1 else plural}; does a loop begin too late?"
    return ""
