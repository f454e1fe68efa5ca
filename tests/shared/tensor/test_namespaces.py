"""Which library an array belongs to; and that nothing is imported which is not used."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import exp_core.tensor as tensor
from exp_core.tensor import namespace
from exp_core.tensor.namespaces import checked_axis


def test_each_array_has_its_library():
    assert namespace(np.zeros(2), np.float32(1)) is np
    mx = pytest.importorskip("mlx.core")
    assert namespace(mx.zeros(2), mx.array(1)) is mx


@pytest.mark.parametrize("arrays", [(), ([1.0],), (1.0,), (np.zeros(2), [1.0]), (None,)])
def test_what_is_no_array_is_refused(arrays):
    with pytest.raises(TypeError, match="need arrays that are all"):
        namespace(*arrays)


def test_a_mixture_is_refused():
    mx = pytest.importorskip("mlx.core")
    with pytest.raises(TypeError, match=r"mlx\.core\.array, numpy\.ndarray"):
        namespace(np.zeros(2), mx.zeros(2))


def test_an_axis_that_is_not_there():
    x = np.zeros((2, 3))
    assert [checked_axis(x, axis) for axis in (-2, -1, 0, 1)] == [0, 1, 0, 1]
    for axis in (2, -3):
        with pytest.raises(IndexError, match="axis"):
            checked_axis(x, axis)


def run(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_importing_the_package_imports_no_library():
    heavy = "('numpy', 'mlx', 'mlx.core', 'scipy', 'ml_dtypes', 'numba', 'matplotlib')"
    assert run(f"import sys, exp_core.tensor; print([m for m in {heavy} if m in sys.modules])").strip() == "[]"


def test_numpy_arrays_never_import_mlx():
    code = """
import sys, numpy as np
from exp_core.tensor import *
x = np.ones((2, 3), "float32")
softmax(x), gelu(x), top_k(x, 1), select(x, x > 0), layer_norm(x), ulp(x, x), qr(x), to_numpy(x)
print([m for m in ("mlx", "mlx.core", "scipy", "ml_dtypes") if m in sys.modules])
"""
    assert run(code).strip() == "[]"


def test_public_names_agree_and_are_documented():
    tree = ast.parse(Path(tensor.__file__).read_text(encoding="utf-8"))
    typed = {
        (node.module.rpartition(".")[2], name.name)
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        for name in node.names
    }
    assert typed == {(file, name) for name, file in tensor.FILE_OF.items()}
    assert set(tensor.__all__) == set(tensor.FILE_OF)
    assert set(tensor.__all__) <= set(dir(tensor))
    for name, file in tensor.FILE_OF.items():
        value = getattr(tensor, name)
        assert value is getattr(importlib.import_module(f"exp_core.tensor.{file}"), name)
        assert not callable(value) or value.__doc__, name
    with pytest.raises(AttributeError, match="nonsense"):
        _ = tensor.nonsense
