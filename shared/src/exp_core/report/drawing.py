"""A matplotlib figure that a notebook shows by itself; its own module, since matplotlib is imported with it."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

DPI = 110


class Drawing(Figure):
    """A figure that belongs to no window and to no global state: a notebook asks it for its picture."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=DPI, metadata={"Software": None})
        return picture.getvalue()
