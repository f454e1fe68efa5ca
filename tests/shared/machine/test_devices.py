"""Devices as MLX reports them, on machines that are made up."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from exp_core.machine import DeviceMissing, devices, require

MODULE = importlib.import_module("exp_core.machine.devices")  # in the package the name stands for the function


def fake_mlx(metal=False, cuda=False, facts=None, old=False):
    mlx = ModuleType("mlx.core")
    mlx.gpu = "gpu"
    for name, present in (("metal", metal), ("cuda", cuda)):
        backend = ModuleType(name)
        backend.is_available = lambda present=present: present
        backend.device_info = lambda: facts
        setattr(mlx, name, backend)
    if not old:
        mlx.device_info = lambda device: facts
    return mlx


@pytest.fixture
def with_mlx(monkeypatch):
    return lambda mlx: monkeypatch.setattr(MODULE, "_mlx", lambda: mlx)


@pytest.mark.parametrize("old", [False, True])
def test_a_mac_has_metal_and_its_processor(with_mlx, old):
    with_mlx(fake_mlx(metal=True, facts={"device_name": "Apple M4", "memory_size": 2**34}, old=old))
    gpu, cpu = devices()
    assert (gpu.name, gpu.title, gpu.memory_bytes) == ("metal", "Apple M4", 2**34)
    assert cpu.name == "cpu"
    assert require("metal") == gpu


def test_a_machine_with_an_nvidia_card_has_cuda(with_mlx):
    with_mlx(fake_mlx(cuda=True, facts={"device_name": "H100", "total_memory": 80 * 2**30}))
    assert require("cuda").title == "H100"
    assert require("cuda").memory_bytes == 80 * 2**30


def test_a_gpu_that_says_nothing_of_itself_is_still_there(with_mlx):
    mlx = fake_mlx(metal=True)
    mlx.device_info = lambda device: 1 / 0 if device is None else (_ for _ in ()).throw(RuntimeError)
    with_mlx(mlx)
    assert (require("metal").title, require("metal").memory_bytes) == ("metal", None)


@pytest.mark.parametrize(("name", "remedy"), [("metal", "Apple silicon"), ("cuda", "pip install 'dl-exp[cuda]'")])
@pytest.mark.parametrize("mlx", [None, fake_mlx()])
def test_a_missing_device_is_one_sentence_with_the_remedy(with_mlx, name, remedy, mlx):
    with_mlx(mlx)
    with pytest.raises(DeviceMissing) as caught:
        require(name)
    message = str(caught.value)
    assert message.startswith(f"no {name} device: ")
    assert remedy in message
    assert "\n" not in message
    assert ("not installed" in message) == (mlx is None)


def test_the_processor_needs_no_mlx(with_mlx):
    with_mlx(None)
    assert [device.name for device in devices()] == ["cpu"]
    assert require("cpu").name == "cpu"
