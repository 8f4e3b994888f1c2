"""The cases on which checks go astray, by every method: no right gradient is called
wrong, and no wrong one right.
"""

import functools
import importlib.resources
import re

import numpy as np
import pytest
from gradient_cases import CASES, RIGHT, UNSEEN, WRONG, function, noisy, wrong
from hypothesis import settings

import npsoftmax.gradcheck
from npsoftmax.gradcheck import METHODS, check_gradients, taylor_rate

THOROUGH = settings.get_current_profile_name() == "thorough"
TRIED = [None, *METHODS] if THOROUGH else [None]  # the others take half a minute


@functools.cache
def reports(method):
    """Return (case, report) for every case."""
    return [(case, case.report(method)) for case in CASES]


def test_there_are_60_right_and_60_wrong_cases_at_least():
    assert min(len(RIGHT), len(WRONG)) >= 60
    assert len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("method", TRIED)
def test_no_right_gradient_is_wrong_and_no_wrong_one_right(method):
    erred = [str(c) for c, r in reports(method) if r.verdict not in c.allowed]
    assert erred == []


def test_the_default_method_decides_85_of_100_cases_that_are_functions():
    decided = [r.verdict != "inconclusive" for c, r in reports(None) if c.is_function]
    assert sum(decided) >= 0.85 * len(decided)


def test_what_is_no_function_of_its_inputs_is_named():
    found = [report for case, report in reports(None) if not case.is_function]
    doubts = [r.doubts[0] for r in found if r.verdict == "inconclusive"]
    assert all("called twice with the same inputs" in doubt for doubt in doubts)
    assert len(doubts) >= 20


def test_an_entry_below_1e_15_of_the_largest_is_not_seen():
    assert UNSEEN.report().verdict == "right"
    documented = importlib.resources.files(npsoftmax.gradcheck) / "TOLERANCE.md"
    assert "An entry below 1e-15 of the largest" in documented.read_text("utf-8")


# Zeros


def square_and_distance(x):
    return x[0] ** 2 + np.abs(x[1] + 3), x


@pytest.mark.parametrize(("slope", "verdict"), [(0, "wrong"), (1, "right")])
def test_a_zero_entry_is_moved(slope, verdict):
    def backward(d, x):
        return d * np.array([2 * x[0], slope])

    report = check_gradients(square_and_distance, backward, np.array([1.0, 0.0]))
    assert report.verdict == verdict, report


def test_the_taylor_rate_moves_zeros():
    def f(x):
        return x[0] ** 2 + 5 * x[1]

    x = np.array([1.0, 0.0])
    assert taylor_rate(f, x, np.array([2.0, 5.0])) > 1.9
    assert abs(taylor_rate(f, x, np.array([2.0, 0.0])) - 1) < 0.1


# Backward's own rounding


def test_a_gradient_does_not_excuse_itself():
    """It is 5e-9 off, and rounds about as much: that may not be called right."""

    def backward(d, x):
        return (d * np.cos(x) * (1 + 5e-9) + 1e7) - 1e7

    x = np.random.default_rng(0).normal(size=20)
    report = check_gradients(lambda x: (np.sin(x), x), backward, x)
    assert report.verdict == "inconclusive", report


def test_a_counter_in_the_cache_hides_no_error_of_one_tenth():
    (case,) = [c for c in WRONG if c.name == "a counter in the cache"]
    assert case.report().verdict == "wrong"


# What is given


def test_a_nan_input_is_named():
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"x\[1\] is (nan|inf), but a gradient"):
            check_gradients(square_and_distance, lambda d, x: x, np.array([1, value]))


def test_where_both_are_nan_is_said():
    (case,) = [c for c in RIGHT if c.name == "log of a negative number"]
    report = case.report()
    assert report.verdict == "right"
    assert "nan or inf both times, so not compared: x[0]" in str(report)


@pytest.mark.parametrize("x", [3, 3.0, [1, 2], np.array([1, 2])])
def test_numbers_and_integers_are_differentiated_as_floats(x):
    report = check_gradients(lambda x: (x * x, x), lambda d, x: 2 * d * x, x)
    assert report.verdict == "right", report
    integers = "integers, differentiated as floats: x" in report.notes
    assert integers == (np.asarray(x).dtype.kind == "i")


def test_inputs_that_are_right_or_held_are_named():
    def forward(x, W, y, scale):
        return scale * (x @ W)[:, y], (x, W, y, scale)

    def backward(dz, cache):
        x, W, y, scale = cache
        return scale * dz @ W[:, y].T, 2 * scale * x.T @ dz

    inputs = np.ones((2, 3)), np.ones((3, 2)), np.array([1, 0]), 2.5
    report = check_gradients(forward, lambda d, c: backward(d, c), inputs)
    lines = [re.sub(" +", " ", line).strip() for line in str(report).splitlines()]
    assert lines[0] == "backward: the gradient is WRONG"
    assert "right gradient by x" in lines
    assert "held y, scale" in lines


def test_a_lambda_has_the_name_of_its_role():
    with pytest.raises(TypeError, match="forward gave a float"):
        check_gradients(lambda x: 1.0, lambda d, x: d, np.ones(2))


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("cotangent is 0", {"cotangent": [0, 0]}),
        ("cotangent is 'one', but it must be an array", {"cotangent": "one"}),
        ("cotangent holds nan", {"cotangent": [1, np.nan]}),
        ("rng is -1, but it must be a seed", {"rng": -1}),
        ("rng is 'seed', but it must be a seed", {"rng": "seed"}),
        ("wrt is 2.5, but the inputs are x, or 0 to 0", {"wrt": 2.5}),
        ("wrt is True, but the inputs are x", {"wrt": True}),
        ("wrt is 7, but the inputs are x", {"wrt": [0, 7]}),
    ],
)
def test_a_wrong_option_is_answered_in_our_words(message, options):
    forward, backward = function(np.sin, lambda d, x: d * np.cos(x))()
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        check_gradients(forward, backward, np.array([1.0, 2.0]), **options)


# Directions


def test_large_arrays_are_checked_along_a_few_directions():
    calls, rng = [], np.random.default_rng(0)

    def forward(x, W):
        calls.append(0)
        return x @ W, (x, W)

    def forgetful(dz, cache):
        dx, dW = dz @ cache[1].T, cache[0].T @ dz
        dW[7, 11] *= 1.001
        return dx, dW

    inputs = rng.normal(size=(5, 100)), rng.normal(size=(100, 40))
    right = check_gradients(
        forward, lambda dz, c: (dz @ c[1].T, c[0].T @ dz), inputs, directions=3
    )
    assert right.verdict == "right", right
    assert len(calls) < 100
    assert "of 4000 entries of W: an error of one entry below" in " ".join(right.notes)
    report = check_gradients(forward, forgetful, inputs, directions=3)
    assert report.verdict == "wrong", report
    assert [c.name for c in report.inputs if c.wrong.any()] == ["W along v"]
    with pytest.raises(ValueError, match="directions is 0, but it must be an integer"):
        check_gradients(forward, forgetful, inputs, directions=0)


def test_the_cases_are_spoiled_by_what_they_say():
    x, make = np.array([0.5]), function(np.sin, lambda d, x: d * np.cos(x))
    for spoil in (noisy(5e-6), lambda g: 0 * g):
        _, backward = wrong(make, spoil)()
        assert backward(np.ones(1), x) != np.cos(x)
