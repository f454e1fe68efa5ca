"""What an experiment says about training is refused where it contradicts itself."""

import dataclasses
from pathlib import Path
from typing import Annotated

import pytest
import training_toy as toy

from exp_core.experiment import ContractError
from exp_core.training import Target


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"engines": ()}, "at least one"),
        ({"targets": ()}, "at least one"),
        ({"steps": 0}, "at least one step"),
        ({"every": 0}, "at least one step"),
        ({"engines": toy.TRAINING.engines * 2}, "two engines are called"),
        ({"data": toy.TRAINING.data * 2}, "two data sets are called normal"),
    ],
)
def test_a_contradiction_is_named(changes, words):
    with pytest.raises(ContractError, match=words):
        dataclasses.replace(toy.TRAINING, **changes)


def test_the_model_s_sizes_are_its_signature_s():
    def model(data, *, width: Annotated[int, "units"] = 3):
        return width

    def bare(data, width=3):
        return width

    (size,) = dataclasses.replace(toy.TRAINING, model=model).sizes
    assert (size.name, size.type, size.default, size.help) == ("width", int, 3, "units")
    with pytest.raises(ContractError, match="width needs Annotated"):
        assert dataclasses.replace(toy.TRAINING, model=bare).sizes


def test_a_target_that_is_no_number_is_never_reached():
    for better in ("more", "less"):
        assert not Target("x", 1.0, better, "here").reached(float("nan"))
    assert Target("x", 1.0, "more", "here").reached(1.0)
    assert not Target("x", 1.0, "less", "here").reached(1.1)


def test_targets_belong_to_data():
    targets = (Target("a", 1, "more", "x", data=("normal",)), Target("b", 1, "more", "x", data=("other",)))
    job = toy.job(Path("nowhere"), training=dataclasses.replace(toy.TRAINING, targets=targets))
    assert [target.figure for target in job.targets] == ["a"]
