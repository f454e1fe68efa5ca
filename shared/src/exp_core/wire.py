"""How a result travels from the user's process to ours: plain arrays, never pickles, whatever the function returned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, cast

import numpy as np

from exp_core.catalogue import printable
from exp_core.diagnosis import Diagnosis

Places = dict[str, object] | list["Places"]  # dtype and shape of each array, nested as the arrays were
LONGEST = 300  # characters of a message that anyone wants to read


class NoResult(TypeError):
    """A function returned what is neither a number nor an array nor a tuple of these; one sentence."""


def encode(result: object) -> bytes:
    """A result (an array, a number, or nested tuples of them): a line of JSON, then the arrays' bytes.

    Raises NoResult for anything else.
    """
    data: list[bytes] = []

    def place(value: object) -> Places:
        if isinstance(value, tuple) or (isinstance(value, list) and any(map(_is_nest, value))):
            return [place(item) for item in value]
        array = plain_array(value)
        data.append(array.tobytes())
        return {"dtype": array.dtype.name, "shape": array.shape}

    return json.dumps(place(result)).encode() + b"\n" + b"".join(data)


def decode(data: bytes | bytearray) -> object:
    """What ``encode`` was given; lists come back as tuples, numbers as NumPy's."""
    end = data.index(b"\n") + 1
    places: Places = json.loads(data[:end])
    left = memoryview(bytearray(data))[end:]  # arrays that can be written, as those of a function are

    def take(place: Places) -> object:
        nonlocal left
        if isinstance(place, list):
            return tuple(take(item) for item in place)
        dtype = named_dtype(str(place["dtype"]))
        shape = tuple(map(int, cast("list[int]", place["shape"])))
        size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(left[:size], np.uint8).view(dtype).reshape(shape)
        left = left[size:]
        return array[()] if array.ndim == 0 else array

    return take(places)


def plain_array(value: object) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """The value as an array of numbers.  Raises NoResult if it is none."""
    if value is None:
        raise NoResult("it returned None: is there a `return`?")
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
        raise NoResult(f"it returned a {_name(value)}, not a plain array: np.asarray(...) makes one of it")
    try:
        array = np.asarray(value)
    except ValueError:
        raise NoResult(f"it returned a {_name(value)} whose parts have different lengths, not an array") from None
    if array.dtype.kind not in "biufc" and array.dtype.name != "bfloat16":
        what = f"an array of {array.dtype}" if isinstance(value, np.ndarray) else f"a {_name(value)}"
        raise NoResult(f"it returned {what}, not a number, an array or a tuple of these")
    return array


def named_dtype(name: str) -> np.dtype[np.generic]:
    """NumPy's dtype of that name, bfloat16 included.  Raises TypeError for a name that is no number's."""
    if name == "bfloat16":
        import ml_dtypes

        found: np.dtype[np.generic] = np.dtype(ml_dtypes.bfloat16)
        return found
    return np.dtype(name)


def send(pipe: IO[bytes], reply: Mapping[str, object], data: bytes = b"") -> None:
    """The worker's answer: one line of JSON, then the bytes that it announces."""
    pipe.write(json.dumps(dict(reply)).encode() + b"\n" + data)
    pipe.flush()


def told(error: BaseException) -> str:
    """An exception in one printable line of bearable length, whatever its message is or does; a diagnosis in full."""
    if isinstance(error, Diagnosis):
        return printable(str(error).strip())
    try:
        message = str(error)[: 4 * LONGEST].strip().partition("\n")[0] or "no message"
    except Exception:  # its __str__ is the user's too, and may raise anything: what is told is that, and the type
        message = "its message cannot be read"
    line = printable(f"{type(error).__name__}: {message}")
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."


def first_sentence(error: BaseException) -> str:
    """The first line of an error's message."""
    return str(error).strip().partition("\n")[0] or "no message"


def _is_nest(value: object) -> bool:
    """Lists of lists of numbers are one array; of tuples or arrays they are several."""
    return isinstance(value, (tuple, np.ndarray))


def _name(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
