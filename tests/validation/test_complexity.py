"""Right, undecided or wrong about synthetic laws, against google/benchmark's method without intercept.

pytest -m validation tests/validation/test_complexity.py -s
"""

import pytest
from complexity import contest
from scipy.stats import binom

TRIALS = 100


@pytest.mark.validation
def test_the_law_is_right_or_undecided(capsys):
    scores = contest(TRIALS, seed=0)
    with capsys.disabled():
        print(f"\n{'law':>9} {'right':>6} {'undecided':>10} {'wrong':>6} {'google right':>13}   of {TRIALS}")
        for law, score in scores.items():
            print(f"{law:>9} {score['right']:>6} {score['undecided']:>10} {score['wrong']:>6} {score['google']:>13}")
    wrong = sum(score["wrong"] for score in scores.values())
    total = TRIALS * len(scores)
    assert wrong <= binom.ppf(0.999, total, 0.01)  # the level that is claimed
    google = sum(score["google"] for law, score in scores.items() if law != "n² log n")  # which it does not know
    known = TRIALS * (len(scores) - 1)
    ours = sum(score["right"] + score["undecided"] for law, score in scores.items() if law != "n² log n")
    assert ours / known > google / known
    assert sum(score["right"] for score in scores.values()) > 0.7 * total
