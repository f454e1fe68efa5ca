"""``python -m maths_exp``, and the console script ``maths_exp``."""

from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and end the process."""
    try:
        from exp_core.cli import main as run
    except KeyboardInterrupt:  # before there is anybody to say so
        raise SystemExit(130) from None
    run("maths_exp")


if __name__ == "__main__":
    main()
