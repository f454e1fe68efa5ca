"""``python -m dl_exp``, and the console script ``dl_exp``."""

from typing import NoReturn

from exp_core.cli import main as run


def main() -> NoReturn:
    """Run the command line and end the process."""
    run("dl_exp", devices=("metal", "cuda", "cpu"), emulator="dl_exp.emulator")


if __name__ == "__main__":
    main()
