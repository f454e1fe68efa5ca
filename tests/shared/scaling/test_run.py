"""The sweep: every point once, the budget shared, Ctrl-C harmless, and what is known not measured again."""

from dataclasses import replace
from functools import partial

import jsonschema
import pytest
import toys
from referencing import Registry, Resource

from exp_core.refusal import Refused
from exp_core.report import export, scaling, scaling_export
from exp_core.results import Result
from exp_core.row import Row
from exp_core.scaling import Memory, Sweep, key, measure_here, sweep
from exp_core.scaling.result import Point
from exp_core.scaling.run import grid, shares

SIZES = (64, 128, 256, 512, 1024)


def pretend(request, progress, machine="here", stop_at=None):
    """A ladder whose times are known: doubled takes n ns, the library 300 ns."""
    n = request.sizes["n"]
    if n == 13:
        raise Refused("n must not be 13")
    seconds = {"doubled": 1e-9 * n, "library": 3e-7}
    rows = tuple(
        Row(name, "library" if name == "library" else "vectorised", status="ok", median_s=t, ci95=(0.99 * t, 1.01 * t))
        for name, t in seconds.items()
    )
    return Result("toy", "toys", "Toy", "vector", dict(request.sizes), "float64", 0, rows, 0.01,
                  {"fingerprint": machine}, interrupted=n == stop_at)  # fmt: skip


def measured(sizes=SIZES, shelf=None, **changes):
    measure = partial(measure_here, climb=partial(pretend, **changes))
    return sweep(toys.request("doubled", "library"), {"n": sizes}, shelf=shelf, measure=measure)


def test_every_point_is_measured_and_its_growth_found():
    done = measured()
    (part,) = done.slices
    laws = {curve.name: curve.growth.last for curve in part.curves}
    assert [point.sizes["n"] for point in done.points] == list(SIZES)
    assert laws["doubled"].laws == ("n",)
    assert laws["library"].constant
    (crossing,) = part.crossovers
    assert (crossing.faster, crossing.slower) == ("library", "doubled")
    assert crossing.at == pytest.approx(300)
    assert done.exit_code == 0


def test_larger_points_get_more_and_all_get_some():
    parts = shares([1, 4, 16, 64, 4096])
    assert parts == sorted(parts)
    assert parts[0] >= 0.1 * parts[-1]
    budgets = []

    def spy(request, progress):
        budgets.append(request.budget_s)
        return pretend(request, progress)

    sweep(toys.request("doubled"), {"n": SIZES}, measure=partial(measure_here, climb=spy))
    assert budgets == sorted(budgets)  # what a small one leaves, the later ones get: no time passes here
    assert budgets[-1] == pytest.approx(0.5, rel=0.05)


def test_what_is_finished_is_kept_at_ctrl_c_and_not_measured_again():
    shelf = Memory()
    first = measured(shelf=shelf, stop_at=256)
    assert first.interrupted
    assert first.exit_code == 130
    assert [point.sizes["n"] for point in first.points] == [64, 128]
    again = measured(shelf=shelf)
    assert [point.reused for point in again.points] == [True, True, False, False, False]
    assert len(shelf.results) == 5
    assert "2 of 5 points had been measured before, and were not again" in scaling.remarks(again)


def test_a_key_changes_with_all_that_determines_a_point_and_with_nothing_else(tmp_path):
    from exp_core.machine import describe

    machine = describe()
    base = toys.request("doubled", "library")
    changed = [
        toys.request("doubled"),
        toys.request("doubled", "library", n=65),
        toys.request("doubled", "library", problem="hard"),
        replace(base, seed=1),
        replace(base, dtype="float32"),
        replace(base, threads=2),
        replace(base, entry=replace(base.entry, path=tmp_path / "other.py")),
    ]
    keys = {key(request, machine, 1.0) for request in (base, *changed)}
    keys.add(key(base, replace(machine, fingerprint="other"), 1.0))
    keys.add(key(base, replace(machine, versions={"numpy": "0"}), 1.0))
    assert len(keys) == len(changed) + 3
    assert key(base, machine, 1.0) == key(replace(base, budget_s=9.0), replace(machine, warnings=("hot",)), 1.0)


def test_a_refused_point_is_a_remark_and_only_refused_points_are_a_refusal():
    done = measured((13, *SIZES))
    assert done.points[0].result is None
    assert "n = 13: n must not be 13" in scaling.remarks(done)
    with pytest.raises(Refused, match="must not be 13"):
        measured((13,))


def test_two_axes_make_their_product_and_a_slice_for_each_value_of_the_other():
    requests = grid(toys.request("doubled"), {"n": (2, 3), "m": (5, 1)})
    assert [(r.sizes["n"], r.sizes["m"]) for r in requests] == [(2, 1), (3, 1), (2, 5), (3, 5)]
    points = [Point(dict(r.sizes), pretend(r, None)) for r in requests]
    done = Sweep("toy", "toys", "Toy", "vector", {"n": (2, 3), "m": (1, 5)}, {}, "float64", 0, 1, tuple(points))
    assert [part.title for part in done.slices] == ["n at m = 1", "n at m = 5", "m at n = 2", "m at n = 3"]


def test_points_of_two_kinds_of_machine_are_not_fitted_together_silently():
    done = measured()
    points = [*done.points, *(replace(p, result=replace(p.result, machine={"fingerprint": "there"}),
                                      sizes={"n": 8 * p.sizes["n"] + 1}) for p in done.points[:2])]  # fmt: skip
    mixed = replace(done, points=tuple(points), axes={"n": tuple(p.sizes["n"] for p in points)})
    (part,) = mixed.slices
    assert part.curves[0].sizes == SIZES
    assert "2 kinds of machine: the fits use the 5 points of here" in part.note


def test_the_json_obeys_its_schema_and_the_csv_has_a_line_a_row(tmp_path):
    done = measured((13, *SIZES))
    registry = Registry().with_resource("exp-core/result", Resource.from_contents(export.schema()))
    validator = jsonschema.Draft202012Validator(scaling_export.schema(), registry=registry)
    validator.validate(scaling_export.to_dict(done))
    assert scaling_export.to_json(done).endswith("}\n")
    broken = scaling_export.to_dict(done)
    broken["slices"][0]["curves"][0]["fits"][0]["best"] = "n!"
    assert not validator.is_valid(broken)
    lines = scaling_export.to_csv(done).splitlines()
    assert len(lines) == 1 + 2 * len(SIZES)
    assert ",n," in lines[0]
    text = scaling_export.to_markdown(done)
    assert "library overtakes doubled at n = 300" in text
    assert "| `doubled` | 64 ns |" in text


@pytest.mark.parametrize("sizes", [SIZES, (64, 128), (13, 64)])
def test_the_picture_is_drawn_whatever_there_is(sizes, tmp_path):
    pytest.importorskip("matplotlib")
    from exp_core.report.scaling_figure import draw

    draw(measured(sizes), tmp_path / "sweep.svg")
    assert "<svg" in (tmp_path / "sweep.svg").read_text(encoding="utf-8")
