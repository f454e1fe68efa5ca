"""Linear algebra: matrices, factorisations and systems."""
