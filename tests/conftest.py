"""What all tests share: hypothesis without surprises in CI, and the experiments of both packages."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from exp_core import beneath_mlx

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
beneath_mlx.prepare()  # as the programs do


def pytest_collection_modifyitems(items):
    """To one process whatever is about one experiment, or in one file: what that compiles and makes, it makes once."""
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        about = str(parameters.get("module", item.path.stem.removeprefix("test_"))).rpartition(".")[2]
        item.add_marker(pytest.mark.xdist_group(about))


@pytest.fixture(autouse=True, scope="session")
def own_history(tmp_path_factory):
    """No test writes into the user's history: those of one process share a folder that is thrown away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXP_CORE_DATA", str(tmp_path_factory.mktemp("history")))
        yield
