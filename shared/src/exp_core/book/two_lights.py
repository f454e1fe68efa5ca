"""A colour that was chosen on white paper, for dark paper: greys are turned over, colours keep their hue.

Source: B. Ottosson, A perceptual color space for image processing (2020): OKLab.
"""

from __future__ import annotations

import functools
import math
import re

HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
DARK_PAPER = 0.21  # OKLab's lightness of the page's dark background, and of the ink on it
DARK_INK = 0.92
LEAST = 0.62  # a colour that means something is at least as light as this on dark paper
GREY, COLOURED = 0.03, 0.10  # chroma up to which a colour is a grey, and from which it is none
TO_LMS = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
FROM_LAB = (
    (1.0, 0.3963377774, 0.2158037573),
    (1.0, -0.1055613458, -0.0638541728),
    (1.0, -0.0894841775, -1.2914855480),
)
FROM_LMS = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)
Triple = tuple[float, float, float]


@functools.cache
def in_both_lights(colour: str) -> str:
    """``#1f77b4`` as CSS for light and for dark paper; anything else is left as it is."""
    if not HEX.match(colour):
        return colour
    dark = on_dark(colour)
    return colour if dark == colour.lower() else f"light-dark({colour},{dark})"


def on_dark(colour: str) -> str:
    """The colour for dark paper: white becomes the paper, black the ink, and blue stays blue."""
    lightness, a, b = _lab(colour)
    chroma = math.hypot(a, b)
    t = min(max((chroma - GREY) / (COLOURED - GREY), 0.0), 1.0)
    turned = DARK_INK + (DARK_PAPER - DARK_INK) * lightness
    return _hex(((1 - t) * turned + t * max(lightness, LEAST), a, b))


def _lab(colour: str) -> Triple:
    linear = [_linear(int(colour[k : k + 2], 16) / 255) for k in (1, 3, 5)]
    return _times(TO_LAB, [math.cbrt(x) for x in _times(TO_LMS, linear)])


def _hex(lab: Triple) -> str:
    linear = _times(FROM_LMS, [x**3 for x in _times(FROM_LAB, lab)])
    return "#" + "".join(f"{round(255 * _encoded(min(max(x, 0.0), 1.0))):02x}" for x in linear)


def _linear(x: float) -> float:
    return x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4


def _encoded(x: float) -> float:
    return 12.92 * x if x <= 0.0031308 else 1.055 * x ** (1 / 2.4) - 0.055


def _times(matrix: tuple[Triple, Triple, Triple], vector: list[float] | Triple) -> Triple:
    x, y, z = (sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z
