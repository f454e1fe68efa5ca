"""A row against the limit: by the machine's record, and in turns with what can be had at best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import toys

from exp_core import Cost, racing
from exp_core.experiment import ContractError
from exp_core.ladder import climb
from exp_core.limits import TOLERANCE, Work, held_against, in_turns
from exp_core.machine import Bandwidth, Limits, Peaks, Rate
from exp_core.results import Result
from exp_core.row import Row
from exp_core.timing import Comparison, Ratio, Timing

MIB = 2.0**20


def peaks(flops=1e9, read=1e9, copy=2e9):
    return Peaks(2, {"float64": flops}, (Bandwidth(1.0, read, copy, copy, "DRAM", copy),), "compiled")


def row(median_s=0.5, **changes):
    return Row("f", "compiled", status="ok", median_s=median_s, **changes)


@pytest.mark.parametrize(
    ("cost", "device", "cause"),
    [
        (Cost(flops=1e9, bytes=1.0), "cpu", "operations that it does not do"),
        (Cost(flops=1.0, bytes=1e9, written=0), "cpu", "did not all come from where"),
        (Cost(flops=1e9, bytes=1.0), "metal", "not evaluated"),
    ],
)
def test_faster_than_the_record_is_an_error_with_its_likely_cause(cost, device, cause):
    work = Work(cost, 1.0)
    changes = held_against(row(device=device), peaks(), "float64", work)
    assert changes["status"] == "impossible"
    assert cause in changes["reason"] and "also when measured anew" in changes["reason"]
    assert changes["reason"].startswith("2.00 times")
    assert held_against(row(1.0), peaks(), "float64", work) == {"limit_s": 1.0, "fraction_ci95": None}


def test_who_writes_is_held_against_what_memory_delivers_to_those_who_write():
    def limit(**written):
        return held_against(row(), peaks(), "float64", Work(Cost(bytes=2e8, **written), 1.0))["limit_s"]

    assert limit(written=0) == pytest.approx(0.2)
    assert limit(written=1e8) == limit() == pytest.approx(0.1), "and who does not tell, against whatever is fastest"


def test_a_cost_knows_what_is_written():
    read, copied, silent = Cost(bytes=8, written=0), Cost(bytes=16, written=8), Cost(bytes=8)
    assert (read.writes, copied.writes, silent.writes) == (False, True, None)
    assert (read + copied).written == 8 and (read + silent).written is None
    assert (Cost(flops=1) + copied).written == 8, "what moves nothing has nothing to tell"
    assert (3 * copied).written == 24 and (3 * silent).written is None
    for wrong in ({"written": 9}, {"written": -1}):
        with pytest.raises(ContractError):
            Cost(bytes=8, **wrong)


def test_the_working_set_is_what_is_there_and_not_what_moves():
    plate, result = np.zeros(1000), np.zeros(1000)
    twenty_sweeps = Cost(bytes=20 * 16_000, memory=16_000)
    assert Work.of(twenty_sweeps, (plate,), result).working_set == 24_000
    assert Work.of(Cost(bytes=8_000), (plate,), 1.0).working_set == 8_000
    assert Work.of(Cost(bytes=16_000), (plate,), result).working_set == 16_000, (
        "the result counts where memory does not"
    )
    assert Work.of(Cost(bytes=800), (plate,), 1.0).working_set == 800, "an algorithm that looks at a part of its input"
    assert Work.of(replace(twenty_sweeps, again=4_000), (plate,), result).working_set == 4_000, "and comes back to less"


def test_a_cost_knows_what_its_passes_come_back_to():
    small, large, silent = (Cost(bytes=8, again=again) for again in (2, 5, None))
    assert (small + large).again == 5 and (small + silent).again is None and (3 * small).again == 2
    assert (Cost(flops=1) + small).again == 2 and (Cost() + Cost()).again is None
    with pytest.raises(ContractError, match="negative"):
        Cost(again=-1)


def test_what_may_limit_a_row_is_raced_and_nothing_else():
    def wanted(**cost):
        return Work(Cost(**cost), 4 * MIB).demands(peaks(copy=1e9), "float64")

    memory = Rate("read", 4 * MIB)
    assert wanted(bytes=1e9, written=0) == {memory: 1e9}
    assert wanted(bytes=1e9, flops=1e8, written=0) == {memory: 1e9}
    assert wanted(bytes=1e8, flops=1e9, written=0) == {Rate("float64"): 1e9}
    assert wanted(bytes=1e9, flops=1e9, written=0) == {memory: 1e9, Rate("float64"): 1e9}, "nobody knows which"
    assert wanted() == {}
    no_peak = Work(Cost(bytes=1e9, flops=1e12), MIB).demands(peaks(), "int64")
    assert no_peak == {Rate("any", MIB): 1e9}


def race(row_s, unit_s, **changes):
    """A race of one row beside one rate, one sample of each a round."""
    timing = Timing.of("f@cpu", None, row_s, 1, "", 0)
    beside = replace(Timing.of(READ.name, None, unit_s, 1, "", 0), **changes)
    return Comparison.of([timing], 0, (), None, beside=[beside])


READ = Rate("read", MIB)


def test_the_fraction_is_the_median_of_rounds_and_the_weather_cancels():
    weather = [1, 2, 1, 4, 1, 2, 3, 1, 2, 1]
    found = in_turns(race([2e-3 * w for w in weather], [1e-3 * w for w in weather]), "f@cpu", {READ: MIB})
    assert found.value == pytest.approx(0.5) and found.ci95 == pytest.approx((0.5, 0.5))
    twice = in_turns(race([2e-3] * 8, [1e-3] * 8), "f@cpu", {READ: 2 * MIB})
    assert twice.value == pytest.approx(1.0), "it moves two working sets"


def test_what_a_row_needs_most_of_is_its_limit():
    busy = Timing.of(Rate("float64").name, None, [1e-3] * 8, 1, "", 0)
    both = replace(comparison := race([4e-3] * 8, [1e-3] * 8), beside=dict(comparison.beside) | {busy.name: busy})
    assert in_turns(both, "f@cpu", {READ: MIB, Rate("float64"): 2e6}).value == pytest.approx(0.5)
    assert in_turns(both, "f@cpu", {READ: 3 * MIB, Rate("float64"): 2e6}).value == pytest.approx(0.75)


def test_where_a_rate_was_not_raced_the_record_stands():
    comparison = race([2e-3] * 8, [1e-3] * 8)
    assert in_turns(comparison, "f@cpu", {READ: MIB, Rate("float64"): 2e6}) is None
    assert in_turns(comparison, "f@cpu", {}) is None
    assert in_turns(race([2e-3] * 8, [], failure="ValueError: no"), "f@cpu", {READ: MIB}) is None


@pytest.mark.parametrize(
    ("raced", "believed"),
    [
        (Ratio(0.8, (0.7, 0.9)), True),
        (Ratio(1.2, (0.95, 1.5)), True),  # who cannot be told from the limit is not beyond it
        (Ratio(1.2, (1.1, 1.3)), False),
        (Ratio(TOLERANCE, None), True),
        (Ratio(2.0, None), False),
    ],
)
def test_what_a_row_outran_is_no_limit_and_the_record_decides(raced, believed):
    possible, lying = (Work(Cost(bytes=moved), 1.0) for moved in (1e8, 1e10))  # of a record of 2 GB/s, in 0.5 s
    changes = held_against(row(), peaks(), "float64", possible, raced)
    assert changes["limit_s"] == pytest.approx(raced.value / 2 if believed else 0.05)
    assert changes["fraction_ci95"] == (raced.ci95 if believed else None)
    assert "status" not in changes
    changes = held_against(row(), peaks(), "float64", lying, raced)
    assert ("status" in changes) != believed, "an alarm for a cost that claims too much, by both"


def test_a_row_is_raced_beside_its_limit_and_says_so(monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    pytest.importorskip("numba", reason="the limit is compiled")
    result = climb(toys.request("doubled", "library", n=100_000))
    for found in result:
        low, high = found.fraction_ci95
        assert 0 < low <= found.fraction_of_limit <= high
        assert found.status == "ok"
    assert "of limit" in str(result) and "limit 95 %" in str(result)
    assert "of the limit" in repr(result["doubled"]) and "–" in repr(result["doubled"])
    assert Result.from_dict(result.to_dict()) == result
    assert not [note for note in result.notes if "after the race" in note], (
        "Numba brings a BLAS, which must not wake up"
    )


def test_in_fresh_processes_the_limit_is_raced_as_well():
    pytest.importorskip("numba", reason="the limit is compiled")
    result = climb(toys.request("doubled", "library", n=100_000, processes=2))
    assert all(found.fraction_ci95 for found in result)


def test_a_cost_that_claims_too_much_is_found_out():
    """The toy says that it moved a hundred times as much as it did."""
    pytest.importorskip("numba", reason="the limit is compiled")
    request = toys.request("doubled", n=4_000_000)
    lying = tuple(
        replace(implementation, cost=lambda x: Cost(bytes=100.0 * 2 * x.nbytes))
        for implementation in request.experiment.implementations
    )
    request = replace(
        request,
        contestants=tuple(
            replace(c, implementation=next(i for i in lying if i.name == c.name)) for c in request.contestants
        ),
    )
    found = climb(request)["doubled"]
    assert found.status == "impossible" and "its cost claims" in found.reason


def test_without_numba_the_record_stands_and_the_result_says_why(monkeypatch):
    from exp_core.machine import in_turns as machine

    monkeypatch.setattr(machine, "numba_is_there", lambda: False)
    monkeypatch.setattr(racing, "limits", lambda threads: Limits(peaks(1e12, 1e12, 1e12), {}))
    monkeypatch.setattr(racing, "NEAR_LIMIT", 0.0)
    result = climb(toys.request("doubled"))
    assert result["doubled"].fraction_of_limit > 0 and result["doubled"].fraction_ci95 is None
    assert any("not measured in turns" in note and "pip install numba" in note for note in result.notes)


def test_a_working_set_that_there_is_no_room_for_twice_is_held_against_the_record(monkeypatch):
    from exp_core.machine import in_turns as machine

    monkeypatch.setattr(machine, "numba_is_there", lambda: True)
    for free, size in ((1000, MIB), (machine.LOADING - 1, MIB), (2 * machine.LOADING, machine.LOADING)):
        monkeypatch.setattr(machine, "available_memory", lambda free=free: free)
        assert "too much of what is free" in str(machine.out_of_turn([Rate("read", size)]))
        with machine.pacemakers([Rate("read", size)], 1) as beside:
            assert beside == {}
    monkeypatch.setattr(machine, "available_memory", lambda: machine.LOADING)
    assert machine.out_of_turn([Rate("read", MIB)]) is None


def test_rows_that_were_stored_before_have_no_interval():
    plain = row(limit_s=0.1).to_dict()
    del plain["fraction_ci95"]
    old = Row.from_dict(plain)
    assert old.fraction_of_limit == pytest.approx(0.2) and old.fraction_ci95 is None
    assert Row.from_dict(row(limit_s=0.1, fraction_ci95=(0.1, 0.3)).to_dict()).fraction_ci95 == (0.1, 0.3)
