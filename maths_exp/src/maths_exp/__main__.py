"""``python -m maths_exp``, and the console script ``maths_exp``."""

from typing import NoReturn

from exp_core.cli import main as run


def main() -> NoReturn:
    """Run the command line and end the process."""
    run("maths_exp")


if __name__ == "__main__":
    main()
