"""Matrix products of one thread: forwards $Y = X W$, backwards $dX = dY W^T$ and $dW = X^T dY$.

Each of the three is C = A B or C += A B with A or B transposed.  B is copied, as many rows of it as stay in the
first-level cache, panel by panel into the order in which the tiles read it; A and C are used where they lie.
"""

from __future__ import annotations

from exp_core.compiled import njit
from dl_exp.engine.tile import copy_row, full_tile, low_tile, narrow_tile

ROWS = 6


@njit
def product(a, b, c, add, panel):
    """C = A B, or C += A B; a: (m, k), b: (k, n), c: (m, n).

    c has contiguous rows.  panel: (k block, columns of a tile), contiguous: the workspace, overwritten.
    """
    k, n = b.shape
    k_block, columns = panel.shape
    for j in range(0, n, columns):
        width = min(columns, n - j)
        for p in range(0, k, k_block):
            pack(b[p : p + k_block, j : j + width], panel)
            _panel(a[:, p : p + k_block], panel, c[:, j : j + width], add or p > 0)


@njit
def pack(b, panel):
    """Copy one panel of B; what is missing of its width is zero."""
    k, width = b.shape
    if b.strides[1] == b.itemsize and width == panel.shape[1]:
        for p in range(k):
            copy_row(b[p : p + 1], panel[p : p + 1])
    elif b.strides[1] == b.itemsize:
        for p in range(k):
            for j in range(width):
                panel[p, j] = b[p, j]
            for j in range(width, panel.shape[1]):
                panel[p, j] = 0
    else:
        for j in range(width):
            for p in range(k):
                panel[p, j] = b[p, j]
        for p in range(k):
            for j in range(width, panel.shape[1]):
                panel[p, j] = 0


@njit
def _panel(a, panel, c, add):
    """Every tile of one panel, from top to bottom."""
    m, width = c.shape
    whole = m // ROWS * ROWS
    lanes = panel.shape[1] // 4
    if width == panel.shape[1]:
        for i in range(0, whole, ROWS):
            full_tile(a[i : i + ROWS], panel, c[i : i + ROWS], add)
    else:
        for i in range(0, whole, ROWS):
            for j in range(0, width, lanes):
                narrow_tile(a[i : i + ROWS], panel[:, j:], c[i : i + ROWS, j:], add)
    for i in range(whole, m):
        low_tile(a[i : i + 1], panel, c[i : i + 1], add)
