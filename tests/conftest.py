"""What all tests share: hypothesis without surprises in CI, and the experiments of both packages."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(autouse=True, scope="session")
def own_history(tmp_path_factory):
    """No test writes into the user's history: those of one process share a folder that is thrown away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXP_CORE_DATA", str(tmp_path_factory.mktemp("history")))
        yield
