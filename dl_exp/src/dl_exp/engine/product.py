"""Matrix products of one thread: forwards $Y = X W$, backwards $dX = dY W^T$ and $dW = X^T dY$.

Each of the three is C = A B or C += A B, with A or B transposed.  B is copied, panel by panel, as many rows of it as
stay in the first-level cache, into the order in which the tiles read it; A and C are used where they lie.
"""

from __future__ import annotations

from dl_exp.engine.apart import apart
from dl_exp.engine.tile import ROWS, copy_row, full_tile, half_tile, lanes, low_tile, narrow_tile
from exp_core.compiled import njit

K_BLOCK = 128  # rows of a panel: 32 KiB with AVX-512


@njit(inline="always")
def product(a, b, c, add, panel):
    """C = A B, or C += A B if ``add``; a: (m, k) and b: (k, n) of any layout, c: (m, n) with contiguous rows.

    panel: (K_BLOCK, columns of a tile), the workspace.  k must be at least 1.
    """
    # A step of one makes NumPy's layouts one type, and bool() True and False: the product is compiled once.
    _product(a[::1, ::1], b[::1, ::1], c[::1, ::1], bool(add), panel)


@njit
def _product(a, b, c, add, panel):
    apart()
    k, n = b.shape
    k_block, columns = panel.shape
    for j in range(0, n, columns):
        for p in range(0, k, k_block):
            block = b[p : p + k_block, j : j + columns]
            pack(block, panel)
            tiles(a[:, p : p + k_block], panel, c[:, j : j + columns], add or p > 0)


@njit(inline="always")
def pack(b, panel):
    """Copy a block of B; what is missing of a panel's width is zero."""
    k, width = b.shape
    if width < panel.shape[1]:
        panel[:k, width:] = 0
    if b.strides[1] == b.itemsize and width == panel.shape[1]:
        for p in range(k):
            copy_row(b[p : p + 1], panel[p : p + 1])
    elif b.strides[1] == b.itemsize:
        for p in range(k):
            for j in range(width):
                panel[p, j] = b[p, j]
    else:
        for j in range(width):
            for p in range(k):
                panel[p, j] = b[p, j]


@njit(inline="always")
def tiles(a, panel, c, add):
    """All tiles of one panel, from top to bottom."""
    m, width = c.shape
    columns = panel.shape[1]
    whole = m - m % ROWS
    for i in range(0, whole, ROWS):
        if width == columns:
            full_tile(a[i : i + ROWS], panel, c[i : i + ROWS], add)
        else:
            _edge(a[i : i + ROWS], panel, c[i : i + ROWS], add)
    for i in range(whole, m):
        low_tile(a[i : i + 1], panel, c[i : i + 1], add)


@njit(inline="always")
def _edge(a, panel, c, add):
    """What is narrower than a tile: half of one, and single vectors."""
    width, j = c.shape[1], 0
    half = panel.shape[1] // 2
    if width >= half:
        half_tile(a, panel, c, add)
        j = half
    while j < width:
        narrow_tile(a, panel[:, j:], c[:, j:], add)
        j += lanes(panel)
