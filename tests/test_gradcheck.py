"""The checker is checked: it accuses no right gradient, and it accepts no wrong one.

The right gradients are drawn where checks go astray: confident rows, equal vectors,
norms from 1e-300 to 1e290, angles on the knots of psi, logits up to 1e8. Others stand
in the table of gradient_cases.py.
"""

import doctest
import functools
import importlib.resources
import math
import re
import sys
from typing import NamedTuple

import hypothesis.strategies as st
import numpy as np
import pytest
from gradient_cases import (
    CASES,
    EXP,
    RIGHT,
    UNSEEN,
    WRONG,
    d_row_softmax,
    function,
    named,
    row_softmax,
    sloped,
    times,
    wrong,
)
from hypothesis import example, given, settings

import npsoftmax.gradcheck
from npsoftmax.gradcheck import (
    METHODS,
    central_difference,
    check_gradients,
    complex_step,
    five_point,
    taylor_rate,
)

ALL = [None, *METHODS]
DIFFERENCES = ["five-point", "central"]
THOROUGH = settings.get_current_profile_name() == "thorough"
seeds = st.integers(0, 2**32 - 1)


def examples(default, thorough):
    return settings(max_examples=thorough if THOROUGH else default)


# Layers, and some beside those of the package

SOFTMAX, CROSS_ENTROPY = named("softmax"), named("cross_entropy")
RELU, PSI, LSOFTMAX = named("relu"), named("psi"), named("lsoftmax")
TANH = sloped(np.tanh, lambda x: 1 - np.tanh(x) ** 2)()


def textbook_forward(z, y):
    """Return the summed cross-entropy as it stands in textbooks."""
    shifted = z - z.real.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    p = e / e.sum(axis=1, keepdims=True)
    log_p = shifted - np.log(e.sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(y)), y].sum(), (p, y)


def textbook_backward(dloss, cache):
    p, y = cache
    return dloss * (p - np.eye(p.shape[1])[y])


TEXTBOOK = textbook_forward, textbook_backward


def margin_loss_forward(x, W, y, m, lam):
    z, of_logits = LSOFTMAX[0](x, W, y, m, lam)
    loss, of_loss = CROSS_ENTROPY[0](z, y)
    return loss, (of_logits, of_loss)


def margin_loss_backward(dloss, cache):
    of_logits, of_loss = cache
    return LSOFTMAX[1](CROSS_ENTROPY[1](dloss, of_loss), of_logits)


# What is drawn


class Problem(NamedTuple):
    """A right gradient, where to check it, and the seed of the check."""

    pair: tuple
    inputs: tuple
    seed: int

    def check(self, method=None, spoil=None, which=-1):
        """Return the report, of a gradient spoiled if spoil is given."""
        pair = wrong(lambda: self.pair, spoil, which)() if spoil else self.pair
        return check_gradients(*pair, self.inputs, method=method, rng=self.seed)


def draw_logits(rng, N, C):
    z = rng.normal(size=(N, C)) * rng.choice([1, 1, 10, 100, 700, 1e4, 1e6, 1e8])
    ahead, labels = rng.choice([20, 40, 300, 700, 720]), rng.integers(C, size=N)
    kinds = {
        "free": z,
        "integers": np.round(z),
        "equal": z[:, :1] + np.zeros(C),
        "zero": 0 * z,
        "confident": z + ahead * np.eye(C)[labels],
        "two sizes": np.r_[1e-3 * z[:1], z[1:]],
    }
    return kinds[rng.choice([*kinds])]


def draw_features(rng, N, D, C, m):
    x, W, y = rng.normal(size=(N, D)), rng.normal(size=(D, C)), rng.integers(C, size=N)
    size = rng.choice(10.0 ** np.array([-300, -100, -8, 8, 100, 290]))
    theta = rng.integers(0, m + 1, size=(N, 1)) * np.pi / m
    knots = np.hstack([np.cos(theta), np.sin(theta), np.zeros((N, D))])[:, :D]
    kinds = {
        "free": (x, W),
        "integers": (np.round(x), np.round(W)),
        "equal": (x[:1] + np.zeros((N, 1)), W[:, :1] + np.zeros(C)),
        "x size": (x * size, W),
        "W size": (x, W * size),
        "sizes": (x * 10.0 ** rng.integers(-8, 8, size=(N, 1)), W),
        "zero": (x * (np.arange(N) > 0)[:, None], W),
        "parallel": (W.T[y] * rng.choice([-1, 1, 2], size=(N, 1)), W),
        "knots": (knots, np.eye(D)[:, :1] + np.zeros(C)),
    }
    return *kinds[rng.choice([*kinds])], y


LAYERS = {
    "softmax": (*SOFTMAX, "z"),
    "plain softmax": (*function(row_softmax, d_row_softmax)(), "z"),
    "log-softmax": (*named("log_softmax"), "z"),
    "cross-entropy": (*CROSS_ENTROPY, "z y"),
    "textbook": (*TEXTBOOK, "z y"),
    "linear": (*named("linear"), "x W b"),
    "relu": (*RELU, "x"),
    "tanh": (*TANH, "x"),
    "psi": (*PSI, "cos m"),
    "l-softmax": (*LSOFTMAX, "x W y m lam"),
    "margin loss": (margin_loss_forward, margin_loss_backward, "x W y m lam"),
}


def draw_problem(layer, seed):
    """Draw the inputs of a layer by a seed, for odd ones with zeros among them."""
    rng = np.random.default_rng(seed)
    N, D, C = rng.integers(1, 5, size=3)
    m, lam = int(rng.choice([1, 2, 3, 4, 7])), float(rng.choice([0, 2.5, 1000]))
    z, b = draw_logits(rng, N, C), rng.normal(size=C)
    x, W, y = draw_features(rng, N, D, C, m)
    if seed % 2:
        z, x, W = (np.where(rng.random(a.shape) < 0.3, 0, a) for a in (z, x, W))
    parts = int(rng.choice([m, 12, 2**20]))  # of the straight angle: knots, or anywhere
    cos = np.cos(np.pi * rng.integers(0, parts + 1, size=(N, C)) / parts)
    drawn = {"z": z, "x": x, "W": W, "y": y, "b": b, "cos": cos, "m": m, "lam": lam}
    *pair, letters = LAYERS[layer]
    return Problem(pair, tuple(drawn[letter] for letter in letters.split()), seed)


problems = st.builds(draw_problem, st.sampled_from(sorted(LAYERS)), seeds)


# Right gradients


@examples(default=40, thorough=20_000)
@given(problems, st.sampled_from(ALL))
def test_no_method_accuses_a_right_gradient(problem, method):
    report = problem.check(method)
    assert report.verdict != "wrong", report


@pytest.mark.parametrize("layer", LAYERS)
def test_the_complex_step_is_seldom_inconclusive(layer):
    """It is where all rows are saturated, for then f may as well be flat."""
    drawn = [draw_problem(layer, seed) for seed in range(1000 if THOROUGH else 10)]
    verdicts = [problem.check("complex step").verdict for problem in drawn]
    assert verdicts.count("right") >= 0.7 * len(verdicts) - 1


# Wrong gradients


@pytest.mark.parametrize("spoil", [np.negative, np.zeros_like])
@examples(default=14, thorough=10_000)
@given(problem=problems, method=st.sampled_from(ALL), which=st.integers(0, 2))
@example(problem=draw_problem("linear", 1015), method=None, which=0)  # 1e-300
def test_neither_minus_g_nor_0_is_right(spoil, problem, method, which):
    report = problem.check(method, spoil, which)
    if report.verdict == "right":  # the right one is 0 too
        g = problem.check(method).inputs[which % len(report.inputs)]
        assert not np.any(g.slope if method == "Taylor rate" else g.numeric), report


@examples(default=8, thorough=4_000)
@given(problems)
def test_the_complex_step_accepts_no_entry_scaled_by_one_millionth(problem):
    gradients = [part.analytic for part in problem.check("complex step").inputs]
    large = [
        (i, tuple(j))
        for i, g in enumerate(gradients)
        for j in np.argwhere(np.abs(g) > 1e-6 * np.max(np.abs(g), initial=0))
    ]
    if large:
        i, j = large[problem.seed % len(large)]
        report = problem.check("complex step", times(1 + 1e-6, j), i)
        assert report.verdict != "right", report


@examples(default=10, thorough=2_000)
@given(st.sampled_from([n / 8 for n in range(-40, 41) if n]), seeds)
def test_a_constant_factor_is_named(factor, seed):
    x = np.random.default_rng(seed).normal(size=3) + 4
    report = check_gradients(*wrong(lambda: TANH, times(factor))(), x)
    named = f"every entry is {factor:.6g} times what it should be" in str(report)
    assert named == (report.verdict == "wrong") == (factor != 1)


def test_a_gradient_that_is_nan_is_wrong():
    report = check_gradients(*wrong(lambda: TANH, times(np.nan))(), np.array([0.5]))
    assert report.verdict == "wrong"


# The table


@functools.cache
def reports(method):
    """Return (case, report) for every case."""
    return [(case, case.report(method)) for case in CASES]


def test_there_are_60_right_and_60_wrong_cases_at_least():
    assert min(len(RIGHT), len(WRONG)) >= 60
    assert len({str(case) for case in CASES}) == len(CASES)


# All methods take half a minute
@pytest.mark.parametrize("method", ALL if THOROUGH else [None])
def test_no_right_case_is_wrong_and_no_wrong_one_right(method):
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


TOLD = ["right", "wrong"]


@pytest.mark.parametrize(
    ("name", "method", "verdicts"),
    [
        *(("an array of integers", method, TOLD) for method in METHODS),  # 0 is moved
        ("x^2 + |y + 3| at y = 0", None, TOLD),  # and so is it by differences
        ("a counter in the cache", None, TOLD),  # it is no piece
        ("log of a negative number", None, ["right", "inconclusive"]),
        ("1e15 + sin x", "five-point", ["inconclusive"] * 2),  # the noise is larger
        ("1e15 + sin x", "central", ["inconclusive"] * 2),
        ("relu at 0, slope 0", "five-point", ["inconclusive", "wrong"]),
    ],
)
def test_the_right_and_the_wrong_are_told_apart_where_they_can_be(
    name, method, verdicts
):
    assert [c.report(method).verdict for c in CASES if c.name == name] == verdicts


def test_a_report_fits_into_80_columns_of_ascii():
    others = [case.report(method) for method in METHODS for case in CASES[::20]]
    for report in [report for _, report in reports(None)] + others:
        lines = str(report).splitlines()
        assert all(len(line) <= 80 and line.isascii() for line in lines), lines
        assert re.match(r"\w+: (the gradient is|it cannot be told)", lines[0])
        assert lines[-1].startswith("  how")


def test_an_entry_below_1e_15_of_the_largest_is_not_seen():
    assert UNSEEN.report().verdict == "right"
    documented = importlib.resources.files(npsoftmax.gradcheck) / "TOLERANCE.md"
    assert "An entry below 1e-15 of the largest" in documented.read_text("utf-8")


# The methods


def wave(x):
    """Return three smooth functions of x (2,)."""
    return np.array([np.exp(x[0]) * x[1], np.sin(x[0] * x[1]), x[0] ** 3])


def wave_jacobian(x):
    a, b = x
    cos = np.cos(a * b)
    return np.array([[np.exp(a) * b, np.exp(a)], [b * cos, a * cos], [3 * a**2, 0]])


points = st.lists(st.floats(0.5, 2), min_size=2, max_size=2).map(np.array)
ORDERS = [(central_difference, 2), (five_point, 4)]


@pytest.mark.parametrize(("method", "order"), ORDERS)
@given(x=points)
def test_the_error_of_a_difference_falls_with_its_order(method, order, x):
    coarse, fine = (abs(method(wave, x, h) - wave_jacobian(x)) for h in (2**-4, 2**-5))
    assert np.all(fine.max() <= coarse.max() / 2**order * 1.5)


@given(points)
def test_the_complex_step_is_right_to_rounding(x):
    error = abs(complex_step(wave, x) - wave_jacobian(x))
    assert np.all(error <= 8 * 2.0**-52 * np.max(abs(wave_jacobian(x))))


@given(points)
def test_the_five_points_are_those_of_the_textbook(x):
    h = 2.0**-8

    def f(n):
        return wave(x + np.array([n * h, 0]))

    textbook = (8 * (f(1) - f(-1)) - (f(2) - f(-2))) / (12 * h)
    np.testing.assert_allclose(five_point(wave, x, h)[:, 0], textbook, rtol=1e-12)


def test_a_power_of_two_as_step_is_exact_far_from_0():
    x = np.array([1e6, 3.0])
    exact, near = (abs(central_difference(np.sum, x, h) - 1) for h in (2**-17, 1e-5))
    assert np.all(exact == 0)
    assert np.all(near <= 2**-52 * 1e6 / 1e-5)


def test_a_step_that_is_lost_beside_x_is_an_error():
    with pytest.raises(ValueError, match=r"which is lost beside x = 1e\+300"):
        central_difference(np.sum, np.array([1e300]), 2.0**-17)


@given(points | points.map(lambda x: x * [1, 0]))
def test_the_taylor_rate_is_2_for_the_gradient_and_1_for_any_other(x):
    def f(x):
        return wave(x).sum()

    gradient = wave_jacobian(x).sum(axis=0)
    assert taylor_rate(f, x, gradient) > 1.9
    for other in (-gradient, 0 * gradient, 1.001 * gradient, gradient * [1, 0.9]):
        assert abs(taylor_rate(f, x, other) - 1) < 0.1


def test_a_linear_function_has_no_remainder():
    assert taylor_rate(np.sum, np.array([1.0, 2.0]), np.ones(2)) == math.inf


@pytest.mark.parametrize("function", [check_gradients, complex_step, taylor_rate])
def test_the_examples_in_the_docstrings_are_true(function):
    result = doctest.testmod(sys.modules[function.__module__])
    assert result.failed == 0 < result.attempted


# Forwards that are not analytic


def square_of_reals(x):
    a = np.empty(len(x))
    a[:] = x**2
    return a


NOT_ANALYTIC = [
    sloped(np.linalg.norm, lambda x: x / np.linalg.norm(x))(),
    sloped(square_of_reals, lambda x: 2 * x)(),
]


@pytest.mark.parametrize("layer", NOT_ANALYTIC)
@given(x=points)
def test_a_forward_that_is_not_analytic_is_differenced(layer, x):
    report = check_gradients(*layer, x)
    assert (report.verdict, report.method) == ("right", "five-point")
    assert "not by the complex step" in str(report)


@pytest.mark.parametrize("layer", NOT_ANALYTIC)
def test_the_complex_step_admits_that_it_cannot_tell(layer):
    report = check_gradients(*layer, np.array([1.0, 2.0]), method="complex step")
    assert report.verdict == "inconclusive"
    assert "complex" in str(report)


def test_a_mistake_the_complex_step_shares_is_found():
    """The norm has no slope for the complex step, and none for this backward."""
    layer = sloped(lambda x: np.linalg.norm(x) * x, np.linalg.norm)()
    assert check_gradients(*layer, np.array([3.0, 4.0])).verdict == "wrong"


# Kinks


@pytest.mark.parametrize("method", DIFFERENCES)
def test_the_kink_of_relu_is_named_and_no_error(method):
    h = np.array([[1.0, -2.0], [0.0, 3.0]])
    report = check_gradients(*RELU, h, method=method)
    (kink,) = report.kinks
    assert (report.verdict, kink.label) == ("inconclusive", "h[1, 0]")
    assert "cache.active[1, 0] is False here and True just above" in kink.what
    assert kink.what in " ".join(str(report).split())


@pytest.mark.parametrize("method", DIFFERENCES)
def test_a_kink_that_no_cache_tells_of_is_named_by_its_slopes(method):
    layer = sloped(lambda x: np.maximum(x, 0), lambda x: x > 0)()
    x, ones = np.array([0.0, 2.0]), np.ones(2)
    report = check_gradients(*layer, x, cotangent=ones, method=method)
    assert report.verdict == "inconclusive"
    assert report.kinks[0].what == "the slope is 0 to the left and 1 to the right"


@pytest.mark.parametrize("loss", [False, True])
def test_a_point_that_is_a_piece_of_its_own_is_a_kink(loss):
    """Of max(x, 0) and max(-x, 0) neither is active at 0, one on either side."""

    def forward(x):
        active = np.array([x > 0, x < 0])
        a = np.where(active, [x, -x], 0)
        return a @ [2.0, 3.0] if loss else a, active

    def backward(da, active):
        da = da * np.array([2.0, 3.0]) if loss else da
        return np.where(active[0], da[0], 0) - np.where(active[1], da[1], 0)

    report = check_gradients(forward, backward, np.array(0.0), method="central")
    assert report.verdict == "inconclusive"
    below, above = report.kinks[0].what.split("; ")
    assert below == "cache[1] is False here and True just below"
    assert above == "cache[0] is False here and True just above"


@pytest.mark.parametrize("method", ALL)
@examples(default=8, thorough=300)
@given(exponent=st.integers(-300, -10))
def test_a_kink_too_near_to_be_seen_past_the_rounding_is_no_error(method, exponent):
    """Of 1 + |x| at 1e-16 only steps across the kink are seen: their slope is 0."""
    layer = sloped(lambda x: 1 + np.abs(x), np.sign)()
    report = check_gradients(*layer, np.array([10.0**exponent]), method=method)
    assert report.verdict != "wrong", report


@pytest.mark.parametrize("method", ["complex step", *DIFFERENCES])
@examples(default=12, thorough=2_000)
@given(m=st.integers(2, 8), knot=st.integers(1, 7), ulps=st.integers(-2, 2))
def test_psi_is_right_on_its_knots_and_beside_them(method, m, knot, ulps):
    cos = np.array(np.cos(min(knot, m - 1) * np.pi / m) + 1e-5 * ulps)
    report = check_gradients(*PSI, (cos, m), method=method)
    assert report.verdict != "wrong", report
    assert report.verdict == "right" or ulps == 0


def test_no_difference_is_taken_across_a_knot():
    """Five points with h = 1e-4 across a knot are 1.9e-4 off."""
    cos, m = np.array(np.cos(3 * np.pi / 4 - 8.7e-5)), 4
    careless = five_point(lambda cos: PSI[0](cos, m)[0], cos, 2.0**-13)
    slope = PSI[1](np.array(1.0), PSI[0](cos, m)[1])
    report = check_gradients(*PSI, (cos, m), method="five-point")
    assert abs(careless - slope) > 1e-5
    assert report.verdict == "right"
    assert abs(report.worst.error) < 1e-6


def test_the_taylor_rate_does_not_accuse_on_the_tip_of_a_cone():
    x, W, y = np.zeros((1, 3)), np.ones((3, 2)), np.array([1])
    layer = LSOFTMAX
    report = check_gradients(*layer, (x, W, y, 2), method="Taylor rate")
    assert report.verdict == "inconclusive"
    assert report.kinks[0].label == "x"


# Where differences go astray


@pytest.mark.parametrize("method", DIFFERENCES)
def test_a_step_so_large_that_it_sees_straight_arms_is_not_trusted(method):
    """The loss of two logits bends where they are equal; steps of 1e8 miss it."""
    z, y = np.array([[1e9, 1e9 - 0.5]]), np.array([0])
    assert Problem(TEXTBOOK, (z, y), 0).check(method).verdict == "right"


@pytest.mark.parametrize("seed", range(5))
def test_a_rate_read_from_steps_that_saturate_is_not_trusted(seed):
    """Of a loss of 1 + 1e-8 x, only a few large steps stand clear of the rounding."""
    layer = sloped(
        lambda x: 1 + np.tanh(1e-8 * x).sum(), lambda x: 1e-8 / np.cosh(1e-8 * x) ** 2
    )()
    for size in (1e6, 1e7, 1e8, 1e9, 1e10):
        x = size * np.random.default_rng(seed).normal(size=2)
        report = check_gradients(*layer, x, method="Taylor rate", rng=seed)
        assert report.verdict != "wrong", report


@pytest.mark.parametrize("method", DIFFERENCES)
@examples(default=8, thorough=2_000)
@given(z=st.floats(-50, 0), seed=seeds)
@example(z=-25.0, seed=0)
@example(z=-15.881719714994297, seed=0)
@example(z=-9.180808050841108, seed=249)
@example(z=-7.165573323634888, seed=246555)
def test_noise_that_moving_the_input_does_not_show_is_seen(method, z, seed):
    """log(1 + e^z) is rounded like 1 + e^z, though it is no larger than e^z."""
    problem = Problem(TEXTBOOK, (np.array([[0.0, z]]), np.array([0])), seed)
    report = problem.check(method)
    assert report.verdict != "wrong", report


@pytest.mark.parametrize("method", ["complex step", "five-point"])
def test_a_tiny_slope_of_a_tiny_output_is_seen_beside_large_ones(method):
    """Outputs are differenced one by one: a sum of them would round 2e-9 away."""
    layer, x = wrong(EXP, times(1 + 1e-6, 0))(), np.array([-20.0, 20.0])
    report = check_gradients(*layer, x, cotangent=[1e10, 1.0], method=method)
    assert (report.verdict, report.worst.label) == ("wrong", "x[0]")


def test_a_slope_too_small_for_the_complex_step_is_not_taken_for_0():
    z = np.array([[0.0, 725.0]])
    problem = Problem(SOFTMAX, (z,), 0)
    assert problem.check().verdict != "wrong"
    assert problem.check(spoil=np.zeros_like).verdict != "right"


@pytest.mark.parametrize("size", [1e-300, 1e200, 1e300])
def test_norms_at_the_ends_of_the_range_can_be_told(size):
    rng = np.random.default_rng(0)
    x, W, y = size * rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), np.array([0, 3])
    layer = LSOFTMAX
    problem = Problem(layer, (x, W, y, 4, 1.0), 0)
    right, minus_g = problem.check(), problem.check(spoil=np.negative)
    assert right.verdict == ("right" if size < 1e270 else "inconclusive"), right
    assert minus_g.verdict == "wrong", minus_g
    assert right.method == minus_g.method == "complex step"


def test_a_difference_may_not_leave_the_domain():
    def root(x):
        if x.real.min() < 0:
            raise ValueError("x is negative")
        return np.sqrt(x)

    layer = sloped(root, lambda x: 1 / (2 * np.sqrt(x)))()
    for x in ([1e-9, 4.0], [0.01]):
        report = check_gradients(*layer, np.array(x), method="five-point")
        assert report.verdict == "right", report
