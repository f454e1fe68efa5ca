"""The command that installs what is missing: the package's own extras where it has some."""

import importlib.metadata

import pytest

from exp_core.installed import install_target, listed, missing_modules

REQUIRES = [
    "numpy>=2.0",
    "mlx[cpu]>=0.30; sys_platform == 'linux'",
    "mlx[cuda13]>=0.30; (sys_platform == 'linux') and extra == 'cuda'",
    "numba>=0.61; extra == 'compiled'",
    "dask[array]>=2024.8; extra == 'distributed'",
    "distributed>=2024.8; extra == 'distributed'",
    "numba>=0.61; extra == 'all'",
    "dask[array]>=2024.8; extra == 'all'",
    "distributed>=2024.8; extra == 'all'",
    "scikit-learn>=1.5; extra == 'data'",
]


@pytest.fixture
def acme(monkeypatch):
    """A package with extras, named otherwise than its distribution."""
    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: {"acme": ["acme-exp"]})
    monkeypatch.setattr(importlib.metadata, "requires", {"acme-exp": REQUIRES}.__getitem__)


@pytest.mark.parametrize(
    ("modules", "target"),
    [
        (["numba"], "'acme-exp[compiled]'"),
        (["distributed"], "'acme-exp[distributed]'"),
        (["dask", "distributed"], "'acme-exp[distributed]'"),
        (["sklearn"], "'acme-exp[data]'"),
        (["mlx"], "acme-exp"),  # its own dependency; never the extra for a GPU that brings it as well
        (["mlx", "numba"], "'acme-exp[compiled]'"),
        (["torch"], "torch"),
        (["numba", "torch"], "'acme-exp[compiled]' torch"),
        (["PIL"], "pillow"),
    ],
)
def test_what_pip_is_given(acme, modules, target):
    assert install_target("acme", modules) == target


def test_a_package_that_nobody_installed_has_no_extras():
    assert install_target("nowhere_at_all", ["sklearn"]) == "scikit-learn"


def test_what_is_there_is_not_missing(acme):
    assert missing_modules("acme", ("json", "numpy")) is None
    absent = missing_modules("acme", ("json", "no_such_one", "nor_this"))
    assert str(absent) == "needs no_such_one and nor_this; pip install no_such_one nor_this"


@pytest.mark.parametrize(("names", "said"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_a_list_in_words(names, said):
    assert listed(names) == said
