"""Mathematics, re-learnt by running it."""

__version__ = "0.1.0"
