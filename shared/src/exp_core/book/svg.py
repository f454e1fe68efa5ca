"""A matplotlib figure as a piece of a page: small, without style attributes, and right on light and dark paper."""

from __future__ import annotations

import base64
import io
import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from exp_core.book.two_lights import in_both_lights, words_in_both_lights

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BYTES = 60_000  # of a figure; above it, what is drawn becomes an image, and only the words stay sharp
AS_IT_IS = "as-it-is-"  # the beginning of the id of what keeps its colours
# What is tried in this order: what has more points than that becomes an image, of so many pixels an inch.
COARSER = ((300, 144), (0, 144), (0, 96), (0, 64))
WEBP_QUALITY = 82
LINK = "{http://www.w3.org/1999/xlink}href"
KEPT_WHOLE = ("scale", "matrix", "rotate")  # transformations whose numbers are not lengths
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
NO_ROTATION = re.compile(r"rotate\(-?0 [^)]*\)\Z")
FONT = re.compile(r"[\d.]+px")
REFERENCE = re.compile(r"url\(#([^)]+)\)")
STYLE = {
    "svg.fonttype": "none",  # words stay words, in the page's own letters
    "font.size": 10.0,
    "axes.titlesize": 10.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.facecolor": "#ffffff",  # the paper: a legend is read although lines pass beneath it
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "savefig.transparent": True,
}


@contextmanager
def style() -> Iterator[None]:
    """matplotlib's settings while the Book's figures are made."""
    from matplotlib import rc_context

    with rc_context(STYLE):  # type: ignore[arg-type]  # newer matplotlibs list every name
        yield


def to_svg(figure: Figure, alt: str, prefix: str) -> str:
    """The figure as an ``<svg>`` element.

    prefix: before every id, so that several figures share a page.
    """
    _lay_paper_under_legends(figure)
    _note_what_lies_on_images(figure)
    text = _rewritten(figure, alt, prefix, 72)
    for many, dots in COARSER:
        if len(text) <= MOST_BYTES:
            break
        _draw_as_image(figure, many)
        text = _rewritten(figure, alt, prefix, dots)
    return text


def _rewritten(figure: Figure, alt: str, prefix: str, dots: int) -> str:
    file = io.BytesIO()
    figure.savefig(file, format="svg", dpi=dots, metadata={"Date": None})
    root = ET.fromstring(file.getvalue())
    names = _referenced(root)
    identifier = {name: f"{prefix}-{place}" for place, name in enumerate(sorted(names))}
    _, _, width, height = (float(x) for x in root.attrib["viewBox"].split())
    ink = in_both_lights("#000000")
    head = (
        f'<svg class="figure" role="img" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" fill="{ink}" stroke-linejoin="round" stroke-linecap="butt" '
        f"aria-label={quoteattr(alt)}>"
    )
    return head + "".join(_element(child, identifier) for child in root) + "</svg>"


def _referenced(root: ET.Element) -> set[str]:
    names: set[str] = set()
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == LINK and value.startswith("#"):
                names.add(value[1:])
            names |= set(REFERENCE.findall(value))
    return names


def _element(element: ET.Element, identifier: dict[str, str], colour: Callable[[str], str] = in_both_lights) -> str:
    """The element without namespaces; style becomes attributes, since the page allows no inline style."""
    tag = element.tag.rpartition("}")[2]
    if element.get("id", "").startswith(AS_IT_IS):
        colour = str
    if tag in ("metadata", "style", "title"):
        return ""
    own = words_in_both_lights if tag == "text" and colour is in_both_lights else colour
    attributes: dict[str, str] = {}
    for name, value in element.attrib.items():
        if name == "style":
            pairs = (part.partition(":") for part in value.split(";") if ":" in part)
            attributes |= {key.strip(): own(word.strip()) for key, _, word in pairs}
            attributes |= _font(attributes.pop("font", ""))
        elif name == "id":
            attributes |= {"id": identifier[value]} if value in identifier else {}
        elif name == LINK:
            attributes["href"] = f"#{identifier[value[1:]]}" if value.startswith("#") else _smaller(value)
        elif name == "transform" and NO_ROTATION.match(value):
            continue
        elif ":" not in name and "}" not in name:
            attributes[name] = own(value)
    attributes = {k: REFERENCE.sub(lambda m: f"url(#{identifier[m[1]]})", v) for k, v in attributes.items()}
    attributes = {k: _short(k, v) for k, v in attributes.items() if not (k == "font-family" and "Mono" not in v)}
    if colour is str and tag == "text":  # black is what a text is where nothing is said
        attributes.setdefault("fill", "#000000")
    inside = "".join(_element(child, identifier, colour) for child in element)
    if element.text and element.text.strip():
        inside = escape(element.text.strip()) + inside
    if tag in ("g", "defs") and not inside:
        return ""
    if tag == "g" and not attributes:
        return inside
    words = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f"<{tag}{words}>{inside}</{tag}>" if inside else f"<{tag}{words}/>"


def _font(shorthand: str) -> dict[str, str]:
    """CSS's ``font: bold 12px 'DejaVu Sans'`` as attributes; the family is the page's."""
    match = FONT.search(shorthand)
    if match is None:
        return {}
    before = shorthand[: match.start()]
    styles = {"font-weight": "bold" if "bold" in before else "", "font-style": "italic" if "italic" in before else ""}
    family = {"font-family": "monospace"} if "Mono" in shorthand else {}
    return {"font-size": match[0], **{name: value for name, value in styles.items() if value}, **family}


def _short(name: str, value: str) -> str:
    """Hundredths of a point are enough for lengths; a path's line feeds are blanks."""
    if name == "transform" and any(word in value for word in KEPT_WHOLE):
        return " ".join(value.split())
    if name in ("d", "points", "transform", "x", "y", "width", "height", "x1", "x2", "y1", "y2", "cx", "cy", "r"):
        return NUMBER.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), " ".join(value.split()))
    return value


def _smaller(address: str) -> str:
    """An embedded image as WebP where that is smaller."""
    from PIL import Image

    head, _, data = address.partition("base64,")
    if not head.startswith("data:image/png"):
        return address
    file = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(data))).save(file, "WEBP", quality=WEBP_QUALITY)
    packed = base64.b64encode(file.getvalue()).decode()
    return f"data:image/webp;base64,{packed}" if len(packed) < len("".join(data.split())) else address


def _draw_as_image(figure: Figure, many: int) -> None:
    """What has more points becomes an image; lines with fewer, axes, titles and legends stay as they are."""
    for axes in figure.axes:
        for line in axes.lines:
            line.set_rasterized(np.size(line.get_xdata(orig=False)) > many)
        for collection in axes.collections:
            corners = sum(np.shape(path.vertices)[0] for path in collection.get_paths())
            collection.set_rasterized(max(corners, np.shape(collection.get_offsets())[0]) > many)
        for patch in axes.patches if len(axes.patches) > many else ():
            patch.set_rasterized(True)


def _lay_paper_under_legends(figure: Figure) -> None:
    """On a page, those too that a picture leaves without a frame."""
    for axes in figure.axes:
        if legend := axes.get_legend():
            legend.set_frame_on(True)


def _note_what_lies_on_images(figure: Figure) -> None:
    """What is drawn upon an image, and the marks that explain its colours, keep theirs on dark paper too."""
    count = itertools.count()
    for axes in (axes for axes in figure.axes if axes.images):
        legend = axes.get_legend()
        explained = [handle for handle in legend.legend_handles if handle] if legend else []
        upon = [*axes.texts, *axes.lines, *axes.collections, *axes.patches, *explained]
        for artist in upon:
            artist.set_gid(f"{AS_IT_IS}{next(count)}")
