"""Ctrl-C in the middle of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exp_core.results import Result
    from exp_core.scaling import Sweep
    from exp_core.training.trained import Trained


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or a notebook's stop button, in the middle of a run; ``partial`` holds what was known by then."""

    def __init__(self, partial: Result | Sweep | Trained) -> None:
        super().__init__("interrupted; .partial holds what was known by then")
        self.partial = partial
