"""The checker is checked: it accuses no right gradient, it accepts no wrong one, and
what it says can be read.

The right gradients are drawn where checks go astray: confident rows, equal vectors,
norms from 1e-300 to 1e290, angles on the knots of psi, logits up to 1e8.
"""

import dataclasses
import doctest
import functools
import math
import sys
from typing import NamedTuple

import hypothesis.strategies as st
import numpy as np
import pytest
from gradient_cases import CASES, d_row_softmax, function, norm, row_softmax
from hypothesis import example, given, settings

from npsoftmax import (
    cross_entropy_backward,
    cross_entropy_forward,
    init_params,
    linear_backward,
    linear_forward,
    log_softmax_backward,
    log_softmax_forward,
    lsoftmax_backward,
    lsoftmax_forward,
    mlp_backward,
    mlp_forward,
    psi_backward,
    psi_forward,
    relu_backward,
    relu_forward,
    softmax_backward,
    softmax_forward,
)
from npsoftmax.gradcheck import (
    METHODS,
    central_difference,
    check_gradients,
    complex_step,
    five_point,
    taylor_rate,
    taylor_remainders,
)

DIFFERENCES = ["five-point", "central"]
THOROUGH = settings.get_current_profile_name() == "thorough"
seeds = st.integers(0, 2**32 - 1)


def examples(default, thorough):
    return settings(max_examples=thorough if THOROUGH else default)


# Layers beside those of the package


def tanh_forward(x):
    a = np.tanh(x)
    return a, a


def tanh_backward(da, a):
    return da * (1 - a**2)


def textbook_forward(z, y):
    """Return the summed cross-entropy as it stands in textbooks."""
    shifted = z - z.real.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    p = e / e.sum(axis=1, keepdims=True)
    log_p = shifted - np.log(e.sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(y)), y].sum(), (p, y)


def textbook_backward(dloss, cache):
    p, y = cache
    dz = p.copy()
    dz[np.arange(len(y)), y] -= 1
    return dloss * dz


def margin_loss_forward(x, W, y, m, lam):
    z, lsoftmax = lsoftmax_forward(x, W, y, m, lam)
    loss, cross_entropy = cross_entropy_forward(z, y)
    return loss, (lsoftmax, cross_entropy)


def margin_loss_backward(dloss, cache):
    lsoftmax, cross_entropy = cache
    return lsoftmax_backward(cross_entropy_backward(dloss, cross_entropy), lsoftmax)


# What is drawn


class Problem(NamedTuple):
    """A right gradient, where to check it, and the seed of the check."""

    forward: object
    backward: object
    inputs: tuple
    seed: int


def draw_logits(rng, N, C):
    z = rng.normal(size=(N, C)) * rng.choice([1, 1, 10, 100, 700, 1e4, 1e6, 1e8])
    kind = rng.choice(["free", "integers", "equal", "zero", "confident", "two sizes"])
    if kind == "integers":
        z = np.round(z)
    elif kind == "equal":
        z[:] = z[:, :1]
    elif kind == "zero":
        z[:] = 0
    elif kind == "confident":
        ahead = rng.choice([20, 40, 300, 700, 720])
        z[np.arange(N), rng.integers(C, size=N)] += ahead
    elif kind == "two sizes":
        z[0] *= 1e-3
    return z


FEATURES = ["free", "integers", "equal", "x size", "W size", "sizes", "zero"]
FEATURES += ["parallel", "knot"]


def draw_features(rng, N, D, C, m):
    x, W = rng.normal(size=(N, D)), rng.normal(size=(D, C))
    y, sizes = rng.integers(C, size=N), 10.0 ** np.array([-300, -100, -8, 8, 100, 290])
    kind = rng.choice(FEATURES)
    if kind == "integers":
        x, W = np.round(x), np.round(W)
    elif kind == "equal":
        x[:], W[:] = x[0], W[:, :1]
    elif kind == "x size":
        x *= rng.choice(sizes)
    elif kind == "W size":
        W *= rng.choice(sizes)
    elif kind == "sizes":
        x *= 10.0 ** rng.integers(-8, 8, size=(N, 1))
    elif kind == "zero":
        x[rng.integers(N)] = 0
    elif kind == "parallel":
        x = W.T[y] * rng.choice([-1, 1, 2], size=(N, 1))
    elif kind == "knot" and D > 1:
        theta = rng.integers(0, m + 1, size=N) * np.pi / m
        x[:], W[:] = 0, 0
        x[:, 0], x[:, 1], W[0] = np.cos(theta), np.sin(theta), 1
    return x, W, y


LAYERS = {
    "softmax": (softmax_forward, softmax_backward),
    "plain softmax": function(row_softmax, d_row_softmax)(),
    "log-softmax": (log_softmax_forward, log_softmax_backward),
    "cross-entropy": (cross_entropy_forward, cross_entropy_backward),
    "textbook": (textbook_forward, textbook_backward),
    "linear": (linear_forward, linear_backward),
    "relu": (relu_forward, relu_backward),
    "tanh": (tanh_forward, tanh_backward),
    "psi": (psi_forward, psi_backward),
    "l-softmax": (lsoftmax_forward, lsoftmax_backward),
    "margin loss": (margin_loss_forward, margin_loss_backward),
}


def draw_problem(layer, seed):
    """Draw the inputs of a layer by a seed, for odd ones with zeros among them."""
    rng = np.random.default_rng(seed)
    N, D, C = rng.integers(1, 5, size=3)
    m, lam = int(rng.choice([1, 2, 3, 4, 7])), float(rng.choice([0, 2.5, 1000]))
    z = draw_logits(rng, N, C)
    x, W, y = draw_features(rng, N, D, C, m)
    if seed % 2:
        z, x, W = (np.where(rng.random(a.shape) < 0.3, 0, a) for a in (z, x, W))
    angles = [
        rng.integers(0, m + 1, size=(N, C)) / m,  # on the knots
        rng.integers(0, 13, size=(N, C)) / 12,
        rng.random(size=(N, C)),
    ]
    cos = np.cos(np.pi * angles[seed % 3])
    inputs = {
        "softmax": (z,),
        "plain softmax": (z,),
        "log-softmax": (z,),
        "cross-entropy": (z, y),
        "textbook": (z, y),
        "linear": (x, W, rng.normal(size=C)),
        "relu": (np.where(rng.random(x.shape) < 0.1, 0, x),),
        "tanh": (x,),
        "psi": (cos, m),
        "l-softmax": (x, W, y, m, lam),
        "margin loss": (x, W, y, m, lam),
    }
    return Problem(*LAYERS[layer], inputs[layer], seed)


problems = st.builds(draw_problem, st.sampled_from(sorted(LAYERS)), seeds)


def check(problem, method=None, backward=None):
    forward, right_backward, inputs, seed = problem
    backward = backward or right_backward
    return check_gradients(forward, backward, inputs, method=method, rng=seed)


# Right gradients


@examples(default=25, thorough=10_000)
@given(problems)
def test_the_complex_step_accuses_no_right_gradient(problem):
    report = check(problem, "complex step")
    assert report.verdict != "wrong", report


@pytest.mark.parametrize("method", [*DIFFERENCES, "Taylor rate", None])
@examples(default=3, thorough=2_000)
@given(problem=problems)
def test_no_other_method_accuses_a_right_gradient(method, problem):
    report = check(problem, method)
    assert report.verdict != "wrong", report


@pytest.mark.parametrize("layer", LAYERS)
def test_the_complex_step_is_seldom_inconclusive(layer):
    """It is where all rows are saturated, for then f may as well be flat."""
    seeds = range(1000 if THOROUGH else 10)
    reports = [check(draw_problem(layer, seed), "complex step") for seed in seeds]
    assert sum(report.verdict == "right" for report in reports) >= 0.7 * len(reports)


# Wrong gradients


def spoiled(backward, spoil):
    """Return a backward whose gradients (a list of arrays) are changed by `spoil`."""

    def wrong_backward(d_output, cache):
        gradients = backward(d_output, cache)
        single = not isinstance(gradients, tuple)
        return tuple(spoil([np.array(g) for g in [gradients] * single or gradients]))

    return wrong_backward


def negated(gradients):
    return [-g for g in gradients]


def zeroed(gradients):
    return [0 * g for g in gradients]


def nudge(which, index):
    """Return a spoiler that scales one entry of one gradient by 1 + 1e-6."""

    def nudged(gradients):
        gradients[which][index] *= 1 + 1e-6
        return gradients

    return nudged


def is_zero(report):
    return not any(np.any(part.numeric) for part in report.inputs)


@pytest.mark.parametrize("spoil", [negated, zeroed])
@examples(default=8, thorough=4_000)
@given(problem=problems)
def test_the_complex_step_accepts_neither_minus_g_nor_0(spoil, problem):
    report = check(problem, "complex step", spoiled(problem.backward, spoil))
    assert report.verdict != "right" or is_zero(report), report


@examples(default=8, thorough=4_000)
@given(problems)
def test_the_complex_step_accepts_no_entry_scaled_by_one_millionth(problem):
    gradients = [part.analytic for part in check(problem, "complex step").inputs]
    large = [
        (i, tuple(j))
        for i, g in enumerate(gradients)
        for j in np.argwhere(np.abs(g) > 1e-6 * np.max(np.abs(g), initial=0))
    ]
    if large:
        place = large[problem.seed % len(large)]
        wrong_backward = spoiled(problem.backward, nudge(*place))
        report = check(problem, "complex step", wrong_backward)
        assert report.verdict != "right", report


@pytest.mark.parametrize("method", DIFFERENCES)
@pytest.mark.parametrize("spoil", [negated, zeroed])
@examples(default=3, thorough=1_000)
@given(problem=problems)
def test_differences_accept_neither_minus_g_nor_0(method, spoil, problem):
    report = check(problem, method, spoiled(problem.backward, spoil))
    assert report.verdict != "right" or is_zero(report), report


@examples(default=10, thorough=2_000)
@given(st.sampled_from([n / 8 for n in range(-40, 41) if n]), seeds)
def test_a_constant_factor_is_named(factor, seed):
    x = np.random.default_rng(seed).normal(size=3) + 4
    wrong_backward = spoiled(tanh_backward, lambda gradients: [factor * gradients[0]])
    report = check_gradients(tanh_forward, wrong_backward, x)
    named = f"every entry is {factor:.6g} times what it should be" in str(report)
    assert named == (report.verdict == "wrong") == (factor != 1)


def test_a_gradient_that_is_nan_is_wrong():
    report = check_gradients(tanh_forward, lambda da, a: a * np.nan, np.array([0.5]))
    assert report.verdict == "wrong"


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


@given(points)
def test_the_taylor_rate_is_2_for_the_gradient_and_1_for_any_other(x):
    def f(x):
        return wave(x).sum()

    gradient = wave_jacobian(x).sum(axis=0)
    assert taylor_rate(f, x, gradient) > 1.9
    for wrong in (-gradient, 0 * gradient, 1.001 * gradient, gradient[::-1] + 0.1):
        assert abs(taylor_rate(f, x, wrong) - 1) < 0.1


@given(points)
def test_the_remainder_of_a_square_is_the_square_of_the_step(x):
    steps = 2.0 ** -np.arange(5)
    remainders = taylor_remainders(lambda x: x @ x, x, 2 * x, np.ones(2), steps)
    np.testing.assert_allclose(remainders, 2 * steps**2, rtol=1e-12)


def test_a_linear_function_has_no_remainder():
    assert taylor_rate(np.sum, np.array([1.0, 2.0]), np.ones(2)) == math.inf


@pytest.mark.parametrize("method", METHODS)
def test_each_method_tells_right_from_wrong(method):
    x, y = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]), np.array([1, 0])
    wrong_backward = spoiled(textbook_backward, lambda g: [1.01 * g[0]])
    right = check_gradients(textbook_forward, textbook_backward, (x, y), method=method)
    wrong = check_gradients(textbook_forward, wrong_backward, (x, y), method=method)
    assert (right.verdict, wrong.verdict) == ("right", "wrong")


# Forwards that are not analytic


def square_of_reals(x):
    a = np.empty(len(x))
    a[:] = x**2
    return a


NOT_ANALYTIC = [
    function(norm, lambda d, x: d * x / norm(x))(),
    function(square_of_reals, lambda d, x: 2 * d * x)(),
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

    layer = function(lambda x: norm(x) * x, lambda d, x: d * norm(x))()
    assert check_gradients(*layer, np.array([3.0, 4.0])).verdict == "wrong"


# Kinks


@pytest.mark.parametrize("method", DIFFERENCES)
def test_the_kink_of_relu_is_named_and_no_error(method):
    h = np.array([[1.0, -2.0], [0.0, 3.0]])
    report = check_gradients(relu_forward, relu_backward, h, method=method)
    (kink,) = report.kinks
    assert (report.verdict, kink.label) == ("inconclusive", "h[1, 0]")
    assert "cache.active[1, 0] is False here and True just above" in kink.what
    assert kink.what in " ".join(str(report).split())


@pytest.mark.parametrize("method", DIFFERENCES)
def test_a_kink_that_no_cache_tells_of_is_named_by_its_slopes(method):
    layer = function(lambda x: np.maximum(x, 0), lambda d, x: d * (x > 0))()
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


@pytest.mark.parametrize("method", [None, *METHODS])
@examples(default=8, thorough=300)
@given(exponent=st.integers(-300, -10))
def test_a_kink_too_near_to_be_seen_past_the_rounding_is_no_error(method, exponent):
    """Of 1 + |x| at 1e-16 only steps across the kink are seen: their slope is 0."""
    layer = function(lambda x: 1 + np.abs(x), lambda d, x: d * np.sign(x))()
    x = np.array([10.0**exponent])
    report = check_gradients(*layer, x, method=method)
    assert report.verdict != "wrong", report


def test_no_slope_beyond_those_of_a_kink_is_excused():
    wrong_backward = spoiled(relu_backward, lambda g: [g[0] - 2])
    h = np.array([0.0])
    report = check_gradients(relu_forward, wrong_backward, h, method="five-point")
    assert report.verdict == "wrong"


@pytest.mark.parametrize("method", ["complex step", *DIFFERENCES])
@examples(default=12, thorough=2_000)
@given(m=st.integers(2, 8), knot=st.integers(1, 7), ulps=st.integers(-2, 2))
def test_psi_is_right_on_its_knots_and_beside_them(method, m, knot, ulps):
    cos = np.cos(min(knot, m - 1) * np.pi / m) + 1e-5 * ulps
    cos = np.array(cos)
    report = check_gradients(psi_forward, psi_backward, (cos, m), method=method)
    assert report.verdict != "wrong", report
    assert report.verdict == "right" or ulps == 0


def test_no_difference_is_taken_across_a_knot():
    """Five points with h = 1e-4 across a knot are 1.9e-4 off."""
    cos, m = np.array(np.cos(3 * np.pi / 4 - 8.7e-5)), 4
    careless = five_point(lambda cos: psi_forward(cos, m)[0], cos, 2.0**-13)
    slope = psi_backward(np.array(1.0), psi_forward(cos, m)[1])
    report = check_gradients(psi_forward, psi_backward, (cos, m), method="five-point")
    assert abs(careless - slope) > 1e-5
    assert report.verdict == "right"
    assert abs(report.worst.error) < 1e-6


# Where differences go astray


@pytest.mark.parametrize("method", DIFFERENCES)
def test_a_step_so_large_that_it_sees_straight_arms_is_not_trusted(method):
    """The loss of two logits bends where they are equal; steps of 1e8 miss it."""
    z, y = np.array([[1e9, 1e9 - 0.5]]), np.array([0])
    report = check_gradients(textbook_forward, textbook_backward, (z, y), method=method)
    assert report.verdict == "right", report


@pytest.mark.parametrize("seed", range(5))
def test_a_rate_read_from_steps_that_saturate_is_not_trusted(seed):
    """Of a loss of 1 + 1e-8 x, only a few large steps stand clear of the rounding."""

    layer = function(
        lambda x: 1 + np.tanh(1e-8 * x).sum(),
        lambda dloss, x: dloss * 1e-8 / np.cosh(1e-8 * x) ** 2,
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
    z, y = np.array([[0.0, z]]), np.array([0])
    layer = textbook_forward, textbook_backward
    report = check_gradients(*layer, (z, y), method=method, rng=seed)
    assert report.verdict != "wrong", report


@pytest.mark.parametrize("method", DIFFERENCES)
def test_a_slope_below_the_noise_of_the_function_is_inconclusive(method):
    cases = [case for case in CASES if case.name == "1e15 + sin x"]
    verdicts = [case.report(method).verdict for case in cases]
    assert verdicts == ["inconclusive", "inconclusive"]


@pytest.mark.parametrize("method", ["complex step", "five-point"])
def test_a_tiny_slope_of_a_tiny_output_is_seen_beside_large_ones(method):
    """Outputs are differenced one by one: a sum of them would round 2e-9 away."""

    forward, backward = function(np.exp, lambda d, x: d * np.exp(x))()
    x, cotangent = np.array([-20.0, 20.0]), np.array([1e10, 1.0])
    wrong_backward = spoiled(backward, nudge(0, (0,)))
    options = {"cotangent": cotangent, "method": method}
    report = check_gradients(forward, wrong_backward, x, **options)
    assert report.verdict == "wrong"
    assert report.worst.label == "x[0]"


def test_a_slope_too_small_for_the_complex_step_is_not_taken_for_0():
    z = np.array([[0.0, 725.0]])
    zero_backward = spoiled(softmax_backward, zeroed)
    assert check_gradients(softmax_forward, softmax_backward, z).verdict != "wrong"
    assert check_gradients(softmax_forward, zero_backward, z).verdict != "right"


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e200, 1e300])
def test_norms_at_the_ends_of_the_range_can_be_told(size):
    rng = np.random.default_rng(0)
    x, W, y = size * rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), np.array([0, 3])
    minus_g = spoiled(lsoftmax_backward, negated)
    right = check_gradients(lsoftmax_forward, lsoftmax_backward, (x, W, y, 4, 1.0))
    wrong = check_gradients(lsoftmax_forward, minus_g, (x, W, y, 4, 1.0))
    assert right.verdict == ("right" if size < 1e270 else "inconclusive"), right
    assert wrong.verdict == "wrong", wrong
    assert right.method == wrong.method == "complex step"


def test_the_taylor_rate_does_not_accuse_on_the_tip_of_a_cone():
    x, W, y = np.zeros((1, 3)), np.ones((3, 2)), np.array([1])
    layer = lsoftmax_forward, lsoftmax_backward
    report = check_gradients(*layer, (x, W, y, 2), method="Taylor rate")
    assert report.verdict == "inconclusive"
    assert report.kinks[0].label == "x"


# What is given


def test_an_edit_of_the_input_is_wrong_and_named():
    def forward(z, y):
        z -= z.max(axis=1, keepdims=True)
        return cross_entropy_forward(z, y)

    z = np.array([[1.0, 2.0], [0.0, -3.0]])
    before = z.copy()
    report = check_gradients(forward, cross_entropy_backward, (z, np.array([0, 1])))
    assert report.verdict == "wrong"
    assert "forward edits an array" in report.problems[0]
    assert "z -= z.max" in report.problems[0]
    np.testing.assert_array_equal(z, before)


def test_an_edit_of_labels_cotangent_or_cache_is_wrong_and_named():
    def sorting_forward(z, y):
        y.sort()
        return cross_entropy_forward(z, y)

    def greedy_backward(dp, cache):
        dp *= 2
        return softmax_backward(dp / 2, cache)

    def hasty_backward(dloss, cache):
        p, y = cache
        p[np.arange(len(y)), y] -= 1
        return dloss * p

    z, y = np.array([[1.0, 2.0], [0.0, -3.0]]), np.array([1, 0])
    for forward, backward, inputs, role in [
        (sorting_forward, cross_entropy_backward, (z, y), "forward"),
        (softmax_forward, greedy_backward, (z,), "backward"),
        (textbook_forward, hasty_backward, (z, y), "backward"),
    ]:
        report = check_gradients(forward, backward, inputs)
        assert report.verdict == "wrong"
        assert report.problems[0].startswith(f"{role} edits an array it was given")


def test_every_array_of_params_is_checked_by_its_name():
    rng = np.random.default_rng(0)
    params = init_params(rng, D=3, H=(4, 3), F=2, C=3)
    batch = rng.normal(size=(4, 3)), np.array([0, 1, 2, 1]), 3, 1.0
    report = check_gradients(mlp_forward, mlp_backward, (params, *batch), wrt="params")
    assert report.verdict == "right", report
    assert list(report.errors) == [f"params.{name}" for name in params._fields]
    assert [e.shape for e in report.errors.values()] == [p.shape for p in params]


def test_float32_is_lifted_to_float64_and_the_report_says_so():
    x = np.array([0.3, -1.2], dtype=np.float32)
    report = check_gradients(tanh_forward, tanh_backward, x)
    assert report.verdict == "right"
    assert "lifted to float64 for this check: x" in str(report)


def test_a_forward_that_gives_float32_for_float64_is_noted():
    def forward(x):
        return tanh_forward(x.astype(np.float32))

    report = check_gradients(forward, tanh_backward, np.array([0.3, -1.2]))
    assert "of float64 inputs forward makes float32" in str(report)


def test_none_stands_for_a_gradient_without_an_input():
    x, W = np.eye(2), np.ones((2, 3))
    for inputs in [(x, W), (x, W, None)]:
        report = check_gradients(linear_forward, linear_backward, inputs)
        assert (report.verdict, [*report.errors]) == ("right", ["x", "W"])


def test_none_or_another_shape_for_an_input_is_wrong():
    x, W, b = np.eye(2), np.ones((2, 3)), np.ones(3)

    def backward(dz, cache):
        dx, dW, db = linear_backward(dz, cache)
        return None, dW.T, db

    report = check_gradients(linear_forward, backward, (x, W, b))
    assert report.verdict == "wrong"
    assert report.problems == (
        "the gradient by x is None",
        "the gradient by W has shape (3, 2), but W has (2, 3)",
    )


def test_options_are_held_and_wrt_chooses():
    def forward(x, scale, power=2):
        return scale * x**power, (x, scale, power)

    def backward(d_output, cache):
        x, scale, power = cache
        return np.sum(d_output * x**power)

    x, cubic = np.array([1.0, 2.0]), functools.partial(forward, power=3)
    for wrt in ("scale", 1, ["scale"]):
        report = check_gradients(cubic, backward, (x, 2.5), wrt=wrt)
        assert (report.verdict, [*report.errors]) == ("right", ["scale"])


def test_a_cache_may_be_a_dataclass_or_a_dict():
    @dataclasses.dataclass
    class Cache:
        p: np.ndarray
        y: np.ndarray

    def forward(z, y):
        loss, (p, y) = textbook_forward(z, y)
        return loss, {"cache": Cache(p, y), "unused": [None, "text"]}

    def backward(dloss, cache):
        return textbook_backward(dloss, dataclasses.astuple(cache["cache"]))

    z, y = np.array([[1.0, 2.0]]), np.array([1])
    assert check_gradients(forward, backward, (z, y)).verdict == "right"


def test_what_cannot_be_checked_is_an_error_that_helps():
    x = np.array([1.0, 2.0])
    for error, message, inputs, options in [
        (ValueError, "method is 'magic', but it is one of", x, {"method": "magic"}),
        (ValueError, "wrt is 'w', but the inputs are x", x, {"wrt": "w"}),
        (TypeError, "no input is an array of floating", (1, np.array([1])), {}),
        (ValueError, r"cotangent has shape \(3,\)", x, {"cotangent": [1, 2, 3]}),
    ]:
        with pytest.raises(error, match=message):
            check_gradients(tanh_forward, tanh_backward, inputs, **options)
    with pytest.raises(TypeError, match=r"a forward gives \(output, cache\)"):
        check_gradients(np.tanh, tanh_backward, x)
    with pytest.raises(ValueError, match="gave 1 gradients, but 2 are wanted, by x, W"):
        check_gradients(linear_forward, lambda dz, c: dz, (np.eye(2), np.eye(2)))


def test_a_difference_may_not_leave_the_domain():
    def forward(x):
        if x.real.min() < 0:
            raise ValueError("x is negative")
        return np.sqrt(x), x

    def backward(d_output, x):
        return d_output / (2 * np.sqrt(x))

    for x in ([1e-9, 4.0], [0.01]):
        report = check_gradients(forward, backward, np.array(x), method="five-point")
        assert report.verdict == "right", report


def test_the_same_seed_gives_the_same_report():
    problem = draw_problem("cross-entropy", 3)
    assert str(check(problem, "central")) == str(check(problem, "central"))


# The report


def test_a_report_is_true_only_if_the_gradient_is_right():
    x = np.array([1.0, 2.0])
    assert check_gradients(tanh_forward, tanh_backward, x)
    assert not check_gradients(tanh_forward, spoiled(tanh_backward, negated), x)
    assert not check_gradients(relu_forward, relu_backward, 0 * x, method="central")


def test_the_worst_entry_is_the_wrong_one():
    x, W = np.eye(3), np.arange(12.0).reshape(3, 4)
    wrong_backward = spoiled(linear_backward, nudge(1, (2, 3)))
    forward, ones = linear_forward, np.ones((3, 4))
    report = check_gradients(forward, wrong_backward, (x, W, W[0]), cotangent=ones)
    name, index, analytic, numeric, tolerance, step = report.worst
    assert (name, index, report.worst.label) == ("W", (2, 3), "W[2, 3]")
    assert analytic == numeric * (1 + 1e-6)
    assert abs(report.worst.error) > tolerance > 0
    assert report.errors["W"][2, 3] == report.worst.error
    assert step == 2.0 ** round(math.log2(step))
    assert str(report).splitlines()[2].split()[:4] == ["W[2,", "3]", "1.000001", "1"]


@examples(default=4, thorough=1_000)
@given(problems, st.sampled_from([None, *METHODS]), st.booleans())
def test_a_report_fits_into_80_columns_of_ascii(problem, method, right):
    backward = problem.backward if right else spoiled(problem.backward, negated)
    lines = str(check(problem, method, backward)).splitlines()
    assert all(len(line) <= 80 and line.isascii() for line in lines), lines
    assert lines[0].split(": ")[1] in {
        "the gradient is right",
        "the gradient is WRONG",
        "it cannot be told whether the gradient is right",
    }
    assert any(line.startswith("  how") for line in lines)


def test_a_wide_table_has_its_names_on_lines_of_their_own():
    def forward(a_name_as_long_as_any_name_in_a_program_may_be):
        return tanh_forward(a_name_as_long_as_any_name_in_a_program_may_be)

    wrong_backward = spoiled(tanh_backward, lambda g: [g[0] * (1 + 1e-10)])
    text = str(check_gradients(forward, wrong_backward, np.array([[0.3]])))
    assert "\n  a_name_as_long_as_any_name_in_a_program_may_be[0, 0]\n" in text
    assert max(map(len, text.splitlines())) <= 80


def test_at_most_six_entries_are_listed_and_the_rest_counted():
    x = np.arange(1.0, 11)
    text = str(check_gradients(tanh_forward, spoiled(tanh_backward, negated), x / 10))
    assert text.count("  x[") == 6
    assert "and 4 more of 10 entries are wrong" in text


def test_the_digits_shown_tell_the_two_apart():
    x = np.array([0.3, 0.5])
    wrong_backward = spoiled(tanh_backward, lambda g: [g[0] * (1 + 1e-10)])
    row = str(check_gradients(tanh_forward, wrong_backward, x)).splitlines()[2].split()
    assert row[1] != row[2]


@pytest.mark.parametrize("module", [check_gradients, complex_step, taylor_rate])
def test_the_examples_in_the_docstrings_are_true(module):
    module = sys.modules[module.__module__]
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted > 0
