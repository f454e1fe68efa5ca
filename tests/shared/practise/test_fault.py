"""What is said of a wrong answer: the sentence, the laws, and what it looks like beside a right one."""

import numpy as np
import pytest

from exp_core.case import Case
from exp_core.catalogue import read_catalogue
from exp_core.practise.fault import Given, judge, written
from exp_core.practise.likeness import likenesses
from exp_core.practise.question import Answer, ask

RIGHT = np.array([3.0, -1.0, 4.0, 1.5, 5.0, 9.0])
SQUARE = np.arange(9.0).reshape(3, 3)


def like(result, right=RIGHT, other=None):
    others = [Answer("other", right if other is None else other, False)]
    return likenesses(result, Answer("ours", right, False), iter(others))


def changed(index, value, right=RIGHT):
    copy = right.copy()
    copy[index] = value
    return copy


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (-RIGHT, "it has the opposite sign of ours's"),
        (2.5 * RIGHT, "it is 2.5 times ours's"),
        (RIGHT + 1, "it is 1 more than ours's"),
        (RIGHT[::-1], "it is the reverse of ours's"),
        (np.roll(RIGHT, 1), "it is shifted by one place down from ours's"),
        (np.roll(RIGHT, -1), "it is shifted by one place up from ours's"),
        (np.sort(RIGHT), "it has the same numbers in another order than ours's"),
        (changed(2, np.nan), "1 of 6 entries is NaN, not a number, the first at [2]"),
        (changed(slice(1, 4), np.inf), "3 of 6 entries are infinite, the first at [1]"),
        (changed(2, 7), "1 of 6 entries is wrong, the first at [2]"),
        (changed(-1, 7), "1 of 6 entries is wrong, the first at [5]: the last entry; does a loop or a block stop too"),
        (changed(slice(-2, None), 0), "2 of 6 entries are wrong, the first at [4]: the 2 last entries; does a loop"),
        (changed(0, 7), "1 of 6 entries is wrong, the first at [0]: the first entry; does a loop begin too late?"),
        (RIGHT.astype(np.float32) * np.float64(1 + 1e-7), "it agrees to 7 digits, as many as float32 has"),
        (RIGHT * (1 + 1e-10), "it agrees to 10 digits"),
    ],
)
def test_a_vector_beside_the_right_one(result, sentence):
    (said,) = like(result)
    assert said.startswith(sentence)


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (SQUARE.T, "it is the transpose of ours's"),
        (changed(2, 0.0, SQUARE), "3 of 9 entries are wrong, the first at [2, 0]: the last row; does"),
        (changed((slice(None), 2), 0.0, SQUARE), "3 of 9 entries are wrong, the first at [0, 2]: the last column"),
        (changed((1, 1), 0.0, SQUARE), "1 of 9 entries is wrong, the first at [1, 1]"),
    ],
)
def test_a_matrix_beside_the_right_one(result, sentence):
    (said,) = like(result, SQUARE)
    assert said.startswith(sentence)


def test_where_two_right_answers_differ_an_entry_says_nothing():
    assert like(3 * RIGHT, other=-RIGHT) == []
    assert like(changed(1, np.nan), other=-RIGHT) == ["1 of 6 entries is NaN, not a number, the first at [1]"]


def test_parts_of_a_tuple_are_numbered():
    right = (RIGHT, 7)
    assert like((RIGHT, 14), right, right) == ["part 2 of the result: it is 2 times ours's"]


def test_one_number_is_a_multiple_of_another_only_where_that_is_plain():
    assert like(np.float64(6), np.float64(3), np.float64(3)) == ["it is 2 times ours's"]
    assert like(np.float64(3.7), np.float64(3), np.float64(3)) == []


@pytest.fixture(scope="module")
def qr():
    experiment = read_catalogue("maths_exp").entries["qr"].load()
    case = Case("gaussian", {"rows": 5, "cols": 3}, "float64")
    return experiment, lambda: ask(experiment, case, "maths_exp")


def judged(qr, result, **more):
    return judge(qr[0], qr[1](), Given(result, **more), ("A",))


def test_a_right_answer_has_no_fault_and_its_signs_are_free(qr):
    Q, R = np.linalg.qr(qr[1]().inputs[0])
    assert judged(qr, (Q, R)) is None
    assert judged(qr, (-Q, -R)) is None


def test_laws_that_leave_the_signs_free_still_find_a_wrong_one(qr):
    Q, R = np.linalg.qr(qr[1]().inputs[0])
    fault = judged(qr, (-Q, R))
    assert fault.sentence == "it breaks factorisation"
    assert [check.law for check in fault.broken] == ["factorisation"]
    assert "with the opposite sign in part 1 of the result it would be right" in fault.likenesses
    fault = judged(qr, (Q, R.T))
    assert "with its rows and columns exchanged in part 2 of the result it would be right" in fault.likenesses


def test_float32_in_the_place_of_float64_is_named(qr):
    Q, R = (part.astype(np.float64) for part in np.linalg.qr(qr[1]().inputs[0].astype(np.float32)))
    assert judged(qr, (Q, R)).likenesses == (
        "the error is as large as float32's rounding: is something computed, or stored, in float32?",
    )


def test_forms_come_before_laws(qr):
    A = qr[1]().inputs[0]
    Q, R = np.linalg.qr(A)
    assert judged(qr, np.linalg.qr(A, mode="complete")).sentence == "the result's part 1 has shape (5, 5), not (5, 3)"
    assert judged(qr, (Q.astype(np.float32), R)).sentence == "the result's part 1 has dtype float32, not float64"
    assert judged(qr, R).sentence.startswith("it returned float64 array of shape (3, 3), not a tuple of 2")
    assert judged(qr, (Q, R), is_view=True).sentence.startswith("it returned a view of its input")


def test_what_is_shown_is_what_can_be_read(qr):
    Q, R = np.linalg.qr(qr[1]().inputs[0])
    shown = dict(judged(qr, (-Q, R)).shown)
    assert set(shown) == {"A", "yours", "modified_gram_schmidt_rows"}
    assert written(np.zeros((20, 20))) == "float64 array of shape (20, 20)"
    assert written((np.arange(3), 1.5)) == "([0, 1, 2], 1.5)"


def test_a_question_needs_somebody_of_ours_who_can_answer(qr):
    experiment, _ = qr
    assert ask(experiment, Case("gaussian", {"rows": 2, "cols": 5}, "float64"), "maths_exp") is None, "wide"
    hard = ask(experiment, Case("hilbert", {"rows": 40, "cols": 14}, "float64"), "maths_exp")
    assert "classical_gram_schmidt" in hard.excuse
    assert hard.answer.name == "blocked_householder", "nobody whom theory does not trust here"
