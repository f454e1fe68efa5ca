"""What the bad days share."""

from __future__ import annotations

import pytest
from bad_day.program import MADE_UP_PEAKS


@pytest.fixture(scope="session")
def swift(tmp_path_factory):
    """A folder that makes processes swift: their machine's peaks are made up, not measured."""
    folder = tmp_path_factory.mktemp("swift")
    (folder / "sitecustomize.py").write_text(MADE_UP_PEAKS)
    return folder
