"""The command line of both packages: ``python -m maths_exp`` and ``python -m dl_exp``."""

from exp_core.cli.main import main

__all__ = ["main"]
