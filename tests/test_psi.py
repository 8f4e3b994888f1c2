"""psi, by the angle and by its cosine: values, slopes, and what makes it psi."""

from decimal import Decimal

import exact
import numpy as np
import pytest
from draws import angles, margins
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from search import worst

from npsoftmax import psi, psi_backward, psi_forward, psi_prime
from npsoftmax.gradcheck import complex_step

# Of the type that is computed in; float16 is rounded once, from float32.
EPS = {np.float64: 2.0**-52, np.float32: 2.0**-23, np.float16: 2.0**-23}
LAST_ROUNDING = {np.float64: 0, np.float32: 0, np.float16: 2.0**-11}


def beside(a, low, high):
    """Return a and its neighbours 1 ulp below and above, within [low, high]."""
    a = np.asarray(a)
    a = np.concatenate([np.nextafter(a, a.dtype.type(t)) for t in (-9, 9)] + [a])
    return np.clip(a, low, high)


def some_knots(m):
    """Return the numbers of all knots, 0 and m included; of more than 9 a few."""
    return np.unique(np.linspace(0, m, min(m + 1, 9)).astype(int))


def hard_angles(m, dtype):
    """Return 0, pi, the knots, each with the floats beside it, and random angles."""
    knots = (some_knots(m) * np.pi / m).astype(dtype)
    random = np.random.default_rng(m).uniform(0, np.pi, 15).astype(dtype)
    return np.concatenate([beside(knots, dtype(0), dtype(np.pi)), random])


def hard_cosines(m, dtype):
    """Return 1, -1, the knots, each with the floats beside it, and random cosines."""
    knots = np.cos(some_knots(m) * np.pi / m).astype(dtype)
    return np.concatenate([beside(knots, -1, 1), np.cos(hard_angles(m, dtype))])


def slope_of_cos(cos, m):
    psi, cache = psi_forward(cos, m)
    return psi_backward(np.ones_like(psi), cache)


def largest_error(computed, true, scale=None):
    """Return the largest |computed - true|, each over max(1, |true|) or over scale."""
    pairs = zip(exact.decimals(computed), true, strict=True)
    return max(float(abs(a - b) / (scale or max(1, abs(b)))) for a, b in pairs)


# Values


# psi: each of the m steps of (7a) has an error of eps or two of U (1 - |c|), which is
# small wherever U, up to m, is large: all in all 6.7 eps was found at m = 100, in
# 600,000 angles; by the angle, m theta is rounded, and so psi by eps or two of its
# size. The slope by the cosine, m |U|, has 7 eps m^2 at m = 100; by the angle, eps m^2
# pi/2 from the rounding of m theta and, beside a knot, itself rounded, as much again.
PSI_EPS, COS_SLOPE_EPS, ANGLE_SLOPE_EPS = 16, 8, 4


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize("m", [*range(1, 11), 16, 33, 64, 100])
def test_psi_and_its_slopes_are_right_up_to_the_largest_margin(m, dtype):
    theta, cos = hard_angles(m, dtype), hard_cosines(m, dtype)
    for function, of_what, true, bound, scale in (
        (psi, theta, exact.psi, PSI_EPS, None),
        (lambda cos, m: psi_forward(cos, m)[0], cos, exact.psi_of_cos, PSI_EPS, None),
        (psi_prime, theta, exact.psi_prime, ANGLE_SLOPE_EPS, m**2),
        (slope_of_cos, cos, exact.slope_of_cos, COS_SLOPE_EPS, m**2),
    ):
        value = function(of_what, m)
        assert value.dtype == dtype
        error = largest_error(value, [true(t, m) for t in of_what], scale)
        assert error <= bound * EPS[dtype] + LAST_ROUNDING[dtype]


@pytest.mark.parametrize("m", [2, 3, 8, 100])
def test_a_search_for_the_worst_cosine_finds_none_beyond_the_bound(m):
    def error(theta):
        cos = np.cos([theta, np.pi - theta])
        return largest_error(
            psi_forward(cos, m)[0], [exact.psi_of_cos(c, m) for c in cos]
        )

    def near_zero(rng):
        return np.pi / 2 * 10 ** rng.uniform(-9, 0)

    def beside(rng, theta):
        return abs(theta * (1 + rng.normal() * 10 ** rng.uniform(-12, -1)))

    assert worst(error, near_zero, beside)[0] <= PSI_EPS * EPS[np.float64]


@pytest.mark.parametrize("m", range(1, 9))
def test_a_cosine_rounded_beyond_one_is_no_nan(m):
    for cos, limit in ((1 + 2 * EPS[np.float64], 1), (-1 - EPS[np.float64], 1 - 2 * m)):
        value, cache = psi_forward(np.array(cos), m)
        assert abs(value - limit) <= 4 * EPS[np.float64] * m**2
        assert abs(psi_backward(1.0, cache) - m**2) <= 4 * EPS[np.float64] * m**4
        assert 0 <= cache.k <= m - 1


@pytest.mark.parametrize(
    "function", [psi, psi_prime, lambda theta, m: slope_of_cos(np.cos(theta), m)]
)
def test_angles_and_cosines_may_have_any_shape(function):
    theta = np.linspace(0, np.pi, 24).reshape(2, 3, 4)
    assert_array_equal(function(theta, 3).ravel(), function(theta.ravel(), 3))
    assert np.ndim(function(0.5, 3)) == 0


# What makes it psi


ROUNDING = PSI_EPS * EPS[np.float64]  # of psi, over max(1, |psi|) <= 2m


@pytest.mark.parametrize("m", [*range(1, 11), 30])
def test_psi_goes_from_one_to_one_minus_two_m_by_two_a_piece(m):
    assert psi(0.0, m) == psi_forward(1.0, m)[0] == 1
    assert psi(np.pi, m) == psi_forward(-1.0, m)[0] == 1 - 2 * m
    knots = psi(np.arange(m + 1) * np.pi / m, m)
    assert_allclose(np.diff(knots), -2, rtol=m * ROUNDING)


@given(angles, margins)
def test_psi_by_the_angle_is_psi_by_its_cosine(theta, m):
    # The cosine, rounded to eps/2, moves psi by its slope, which is at most m^2.
    by_cos = psi_forward(np.cos(theta), m)[0]
    assert abs(psi(theta, m) - by_cos) <= 2 * m * ROUNDING + m**2 * EPS[np.float64]


@given(angles, angles, margins)
def test_psi_never_rises(one, other, m):
    near, far = np.sort([one, other])
    slack = 2 * m * ROUNDING
    assert psi(near, m) >= psi(far, m) - slack
    by_cos, _ = psi_forward(np.cos([near, far]), m)
    assert by_cos[0] >= by_cos[1] - slack


@pytest.mark.parametrize("m", range(2, 9))
def test_psi_and_its_slope_do_not_jump_at_a_knot(m):
    for theta in np.arange(1, m) * np.pi / m:
        sides = np.nextafter(theta, [0, 4])
        assert abs(np.diff(psi(sides, m))) <= 2 * m * ROUNDING
        assert abs(np.diff(psi_prime(sides, m))) <= m**2 * ROUNDING
        sides = np.nextafter(np.cos(theta), [1, -1])
        assert abs(np.diff(psi_forward(sides, m)[0])) <= 2 * m * ROUNDING
        assert abs(np.diff(slope_of_cos(sides, m))) <= m**2 * ROUNDING


@given(angles, margins)
def test_a_larger_margin_asks_for_more(theta, m):
    assert psi(theta, m + 1) <= psi(theta, m) + 2 * m * ROUNDING


@given(angles)
def test_margin_one_is_the_cosine(theta):
    assert psi(theta, 1) == np.cos(theta)
    assert psi_prime(theta, 1) == -np.sin(theta)
    assert psi_forward(theta / np.pi, 1)[0] == theta / np.pi
    assert slope_of_cos(theta / np.pi, 1) == 1


@given(angles, st.sampled_from([2, 4, 6, 8]))
def test_the_piece_is_the_number_of_knots_below_the_angle(theta, m):
    cos = np.cos(theta)
    k = psi_forward(cos, m)[1].k
    knots = [exact.cos(j * exact.PI / m) for j in range(m + 1)]
    slack = Decimal(2.0**-52)  # a knot itself is rounded, and belongs to both pieces
    assert knots[k] + slack >= Decimal(float(cos)) >= knots[k + 1] - slack


@given(angles, margins)
def test_psi_prime_is_the_slope_of_psi(theta, m):
    # Both have m roundings of an angle up to m pi behind them, and slopes up to m^2.
    slope = complex_step(lambda t: psi(t, m), theta)
    assert abs(psi_prime(theta, m) - slope) <= 8 * EPS[np.float64] * m**2
