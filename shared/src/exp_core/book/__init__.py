"""The Book: a web site of all experiments that needs no network and no server; ``python -m maths_exp book`` writes it.

contents  which experiments, in which order, and where their pages are
measured  what the history knows of them
page      one experiment's page, from its words, code, drawing, commands, certified figures and card
front     contents; scoreboard, stored (the history) and machines have a file each, and write tables
site      writes what has changed
"""

from exp_core.book.contents import read_contents
from exp_core.book.measured import read_measured
from exp_core.book.site import BookError, Written, write_book

__all__ = ["BookError", "Written", "read_contents", "read_measured", "write_book"]
