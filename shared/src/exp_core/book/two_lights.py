"""A colour that was chosen on white paper, for dark paper: greys turn over, colours keep their hue, words are read.

Sources: B. Ottosson, A perceptual color space for image processing (2020): OKLab.
W3C, Web Content Accessibility Guidelines 2.2 (2023), 1.4.3: the contrast of words.
"""

from __future__ import annotations

import functools
import math
import re

HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
DARK_PAPER = 0.21  # OKLab's lightness of the page's dark background, and of the ink on it
DARK_INK = 0.92
BEND = 2  # of the way from ink to paper: a mid grey stays a mark, and a faint line stays faint
PAPERS = ("#ffffff", "#14171b")  # of the page, as its style sheet has them
WORDS = 4.5  # the least contrast of small letters with their paper
HALVINGS = 12  # of the way to the ink: finer than a step of eight bits
LUMINANCE = (0.2126, 0.7152, 0.0722)  # of red, green and blue, in the guidelines
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
    """``#1f77b4`` as CSS for light and for dark paper, white as the paper itself; anything else is left as it is."""
    if not HEX.match(colour):
        return colour
    return _pair(*PAPERS) if colour.lower() == PAPERS[0] else _pair(colour, on_dark(colour))


@functools.cache
def words_in_both_lights(colour: str) -> str:
    """The same for letters: as near to their colour as they can be read on either paper."""
    if not HEX.match(colour):
        return colour
    return _pair(_read(colour, PAPERS[0], 0.0), _read(on_dark(colour), PAPERS[1], DARK_INK))


def on_dark(colour: str) -> str:
    """The colour for dark paper: white becomes the paper, black the ink, and blue stays blue."""
    lightness, a, b = _lab(colour)
    chroma = math.hypot(a, b)
    t = min(max((chroma - GREY) / (COLOURED - GREY), 0.0), 1.0)
    turned = DARK_INK + (DARK_PAPER - DARK_INK) * lightness**BEND
    return _hex(((1 - t) * turned + t * max(lightness, LEAST), a, b))


def contrast(one: str, other: str) -> float:
    """The guidelines' contrast of two colours, from 1 to 21."""
    low, high = sorted(sum(w * x for w, x in zip(LUMINANCE, _light(c), strict=True)) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def _pair(light: str, dark: str) -> str:
    return light if light.lower() == dark.lower() else f"light-dark({light},{dark})"


def _read(colour: str, paper: str, ink: float) -> str:
    """The colour, moved towards the ink's lightness until it stands out from the paper."""
    if contrast(colour, paper) >= WORDS:
        return colour
    lightness, a, b = _lab(colour)
    near, far = 0.0, 1.0  # too faint; dark enough
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        shifted = _hex((lightness + middle * (ink - lightness), a, b))
        near, far = (near, middle) if contrast(shifted, paper) >= WORDS else (middle, far)
    return _hex((lightness + far * (ink - lightness), a, b))


def _light(colour: str) -> list[float]:
    return [_linear(int(colour[k : k + 2], 16) / 255) for k in (1, 3, 5)]


def _lab(colour: str) -> Triple:
    return _times(TO_LAB, [math.cbrt(x) for x in _times(TO_LMS, _light(colour))])


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
