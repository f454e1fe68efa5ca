"""The roofline figure: names that do not overlap, and a run with nothing to place."""

import numpy as np
import pytest

from exp_core.machine import Bandwidth, Peaks
from exp_core.report.roofline import APART, NothingToPlace, draw_roofline, spread
from exp_core.results import Result
from exp_core.row import Row

PEAKS = Peaks(2, {"float64": 4e10}, (Bandwidth(1.0, 1e11, 1e11, 1e11, "L1"), Bandwidth(2.0, 2e10, 0, 0)), "compiled")


def result(*rows):
    return Result("e", "p", "t: u", "o", {"n": 3}, "float64", 0, rows, machine={"limits": {"peaks": PEAKS.to_dict()}})


def row(name, **changes):
    known = {"status": "ok", "median_s": 1.0, "flops": 1e9, "bytes": 1e9, "limit_s": 0.1}
    return Row(name, "compiled", **known | changes)


def test_names_are_apart_in_order_and_inside():
    rng = np.random.default_rng(0)
    for _ in range(100):
        wanted = np.sort(rng.uniform(0, 1, 12) ** 3)
        places = spread(wanted, APART)
        assert np.all(np.diff(places) >= APART - 1e-12)
        assert max(places) <= 1
    assert spread(np.array([0.2, 0.6]), APART) == [0.2, 0.6], "those that are apart stay where they are"


def test_it_draws_every_row_that_counts_its_work(tmp_path):
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    draw_roofline(result(row("a"), row("b"), row("c", flops=0.0), row("d", median_s=None)), PEAKS, tmp_path / "r.svg")
    assert (tmp_path / "r.svg").stat().st_size > 5_000


@pytest.mark.parametrize("rows", [(), (row("copy", flops=0.0),), (row("skipped", median_s=None),)])
def test_nothing_to_place_is_said(tmp_path, rows):
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    with pytest.raises(NothingToPlace, match="nothing to place"):
        draw_roofline(result(*rows), PEAKS, tmp_path / "r.png")
