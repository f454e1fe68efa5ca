"""Mathematics, re-learnt by running it."""

__version__ = "0.1.0"

TOPICS = ("basics", "linear_algebra", "calculus", "algorithms", "hardware")  # in teaching order
