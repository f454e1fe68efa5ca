"""The command line of both packages: ``python -m maths_exp`` and ``python -m dl_exp``."""

from exp_core.cli.program import main

__all__ = ["main"]
