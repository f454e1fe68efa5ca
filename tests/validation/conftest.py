"""How the programme shows its numbers: how good a harness is is a matter of more or less."""

import pytest
from validation import peers

from exp_core.timing import Stopwatch
from exp_core.timing.clock import SYSTEM


@pytest.fixture
def tell(capsys):
    """Prints a table past pytest, who is missing in it, and how idle the machine was: a lock alone does not make it so.

    The neighbour is among the other processes, and so are those that pyperf and hyperfine start.
    """
    watch, before = Stopwatch(), SYSTEM.others()

    def printed(title, headings, rows):
        table = [headings, *rows]
        widths = [max(len(row[c]) for row in table) for c in range(len(headings))]
        lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in table]
        with capsys.disabled():
            print("\n" + "\n".join([title, *lines, *(f"{name} is not installed" for name in peers.absent())]))
            if before is not None and (after := SYSTEM.others()) is not None:
                print(f"other processes used {(after - before) / watch.elapsed():.2f} cores meanwhile")

    return printed
