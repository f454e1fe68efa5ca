"""How the programme shows its numbers: how good a harness is is a matter of more or less."""

import pytest
from validation import peers


@pytest.fixture
def tell(capsys):
    """Prints a table past pytest, and who is missing in it."""

    def printed(title, headings, rows):
        table = [headings, *rows]
        widths = [max(len(row[c]) for row in table) for c in range(len(headings))]
        lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in table]
        with capsys.disabled():
            print("\n" + "\n".join([title, *lines, *(f"{name} is not installed" for name in peers.absent())]))

    return printed
