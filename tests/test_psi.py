"""psi, by the angle and by its cosine: values, slopes, and what makes it psi."""

from decimal import Decimal
from math import comb

import exact
import numpy as np
import pytest
from draws import VERDICTS, seeds, some
from hypothesis import given
from hypothesis import strategies as st
from search import worst

from npsoftmax import psi, psi_backward, psi_forward, psi_prime
from npsoftmax.gradcheck import check_gradients, complex_step

EPS = {np.float64: 2.0**-52, np.float32: 2.0**-23}
DTYPES = sorted(EPS, key=str)
margins = st.integers(1, 8)
angles = st.integers(0, 12).map(lambda n: np.pi * n / 12) | st.floats(0, np.pi)


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


MARGINS = [*range(1, 11), 16, 33, 64, 100]
# psi: each of the m steps of (7a) has an error of eps or two of U (1 - |c|), which is
# small wherever U, up to m, is large: all in all 6.7 eps was found at m = 100, in
# 600,000 angles; by the angle, m theta is rounded, and so psi by eps or two of its
# size. The slope by the cosine, m |U|, has 7 eps m^2 at m = 100; by the angle, eps m^2
# pi/2 from the rounding of m theta and, beside a knot, itself rounded, as much again.
PSI_EPS, COS_SLOPE_EPS, ANGLE_SLOPE_EPS = 16, 8, 4


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", MARGINS)
def test_psi_is_right_to_16_eps_up_to_the_largest_margin(m, dtype):
    theta, cos = hard_angles(m, dtype), hard_cosines(m, dtype)
    by_angle, by_cos = psi(theta, m), psi_forward(cos, m)[0]
    assert by_angle.dtype == by_cos.dtype == dtype
    true = [exact.psi(t, m) for t in theta]
    assert largest_error(by_angle, true) <= PSI_EPS * EPS[dtype]
    true = [exact.psi_of_cos(c, m) for c in cos]
    assert largest_error(by_cos, true) <= PSI_EPS * EPS[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", MARGINS)
def test_slopes_are_right_to_the_last_digits_of_their_size(m, dtype):
    theta, cos = hard_angles(m, dtype), hard_cosines(m, dtype)
    by_angle, by_cos = psi_prime(theta, m), slope_of_cos(cos, m)
    assert by_angle.dtype == by_cos.dtype == dtype
    true = [exact.psi_prime(t, m) for t in theta]
    assert largest_error(by_angle, true, m**2) <= ANGLE_SLOPE_EPS * EPS[dtype]
    true = [exact.slope_of_cos(c, m) for c in cos]
    assert largest_error(by_cos, true, m**2) <= COS_SLOPE_EPS * EPS[dtype]


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


@given(st.floats(-1, 1, width=16), margins)
def test_float16_is_computed_in_float32_and_rounded_once(cos, m):
    value, cache = psi_forward(np.array([cos], np.float16), m)
    slope = psi_backward(np.ones(1, np.float16), cache)
    assert value.dtype == slope.dtype == np.float16
    rounding = 2.0**-11 + 16 * EPS[np.float32]
    assert largest_error(value, [exact.psi_of_cos(cos, m)]) <= rounding
    assert largest_error(slope, [exact.slope_of_cos(cos, m)], m**2) <= rounding


def test_angles_and_cosines_may_have_any_shape():
    theta = np.linspace(0, np.pi, 24).reshape(2, 3, 4)
    assert psi(theta, 3).shape == psi_prime(theta, 3).shape == theta.shape
    assert psi_forward(np.cos(theta), 3)[0].shape == theta.shape
    assert slope_of_cos(np.cos(theta), 3).shape == theta.shape
    assert np.ndim(psi(0.5, 3)) == np.ndim(psi_prime(0.5, 3)) == 0
    np.testing.assert_array_equal(psi(theta.tolist(), 3), psi(theta, 3))
    np.testing.assert_array_equal(
        psi(theta[:, ::2, ::-1], 3), psi(theta, 3)[:, ::2, ::-1]
    )


# The forms of psi


def plain_pieces(theta, m):
    """(5) as it is written, piece after piece; at a knot both pieces are equal."""
    for k in range(m):
        if theta <= (k + 1) * np.pi / m or k == m - 1:
            return (-1) ** k * np.cos(m * theta) - 2 * k


def paper_sum(theta, m):
    """The binomial sum of the paper in place of cos(m theta)."""
    c, k = np.cos(theta), min(m - 1, int(m * theta / np.pi))
    terms = [
        (-1) ** n * comb(m, 2 * n) * c ** (m - 2 * n) * (1 - c * c) ** n
        for n in range(m // 2 + 1)
    ]
    return (-1) ** k * sum(terms) - 2 * k


@given(angles, margins)
def test_pieces_chebyshev_and_the_sum_of_the_paper_are_one_function(theta, m):
    # The sum cancels: its terms reach 2^m, and each has m roundings or so. The cosine,
    # rounded to eps/2, moves psi by its slope, which is at most m^2.
    tolerance = EPS[np.float64] * (2**m * m + m**2)
    assert abs(psi(theta, m) - plain_pieces(theta, m)) <= tolerance
    assert abs(psi(theta, m) - psi_forward(np.cos(theta), m)[0]) <= tolerance
    assert abs(psi(theta, m) - paper_sum(theta, m)) <= tolerance


# What makes it psi

ROUNDING = 16 * EPS[np.float64]  # of psi, over max(1, |psi|) <= 2m


@pytest.mark.parametrize("m", [*range(1, 11), 30])
def test_psi_goes_from_one_to_one_minus_two_m(m):
    assert psi(0.0, m) == psi_forward(1.0, m)[0] == 1
    assert psi(np.pi, m) == psi_forward(-1.0, m)[0] == 1 - 2 * m


@given(angles, angles, margins)
def test_psi_never_rises(one, other, m):
    near, far = min(one, other), max(one, other)
    assert psi(near, m) >= psi(far, m) - 2 * m * ROUNDING
    assert (
        psi_forward(np.cos(near), m)[0]
        >= psi_forward(np.cos(far), m)[0] - 2 * m * ROUNDING
    )


@pytest.mark.parametrize("m", range(2, 9))
def test_psi_and_its_slope_do_not_jump_at_a_knot(m):
    for theta in np.arange(1, m) * np.pi / m:
        left, right = np.nextafter(theta, 0), np.nextafter(theta, 4)
        assert abs(psi(left, m) - psi(right, m)) <= 2 * m * ROUNDING
        assert abs(psi_prime(left, m) - psi_prime(right, m)) <= m**2 * ROUNDING
        left, right = np.nextafter(np.cos(theta), [1, -1])
        assert (
            abs(psi_forward(left, m)[0] - psi_forward(right, m)[0]) <= 2 * m * ROUNDING
        )
        assert abs(slope_of_cos(left, m) - slope_of_cos(right, m)) <= m**2 * ROUNDING


@pytest.mark.parametrize("m", range(1, 9))
def test_every_piece_falls_by_two(m):
    knots = psi(np.arange(m + 1) * np.pi / m, m)
    np.testing.assert_allclose(np.diff(knots), -2, rtol=m * ROUNDING)


@given(angles, margins)
def test_psi_is_at_most_the_cosine(theta, m):
    assert psi(theta, m) <= np.cos(theta) + ROUNDING
    assert psi_forward(np.cos(theta), m)[0] <= np.cos(theta) + ROUNDING


@given(angles, margins)
def test_a_larger_margin_asks_for_more(theta, m):
    assert psi(theta, m + 1) <= psi(theta, m) + 2 * m * ROUNDING


@given(angles, margins)
def test_slopes_never_change_sign(theta, m):
    rounding = 4 * EPS[np.float64] * m**2  # at a knot the slope by the angle is 0
    assert psi_prime(theta, m) <= rounding
    assert slope_of_cos(np.cos(theta), m) >= -rounding


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


# Gradients


@pytest.mark.parametrize("method", VERDICTS)
@some
@given(theta=st.lists(angles, min_size=1, max_size=4), m=margins, seed=seeds)
def test_the_backward_is_the_gradient_of_the_forward(method, theta, m, seed):
    cos = np.cos([0.0, *theta])  # the slope at 0 is m^2; at a knot it is 0
    cos = cos if method == "complex step" else 0.99 * cos  # room for the difference
    report = check_gradients(
        psi_forward, psi_backward, (cos, m), method=method, rng=seed
    )
    assert report.verdict in VERDICTS[method], report


@given(angles, margins)
def test_psi_prime_is_the_slope_of_psi(theta, m):
    # Both have m roundings of an angle up to m pi behind them, and slopes up to m^2.
    slope = complex_step(lambda t: psi(t, m), theta)
    assert abs(psi_prime(theta, m) - slope) <= 8 * EPS[np.float64] * m**2


@given(angles, margins)
def test_the_slope_by_the_angle_is_minus_sin_times_the_slope_by_the_cosine(theta, m):
    chain = -np.sin(theta) * slope_of_cos(np.cos(theta), m)
    # The cosine is rounded to eps/2; sin times the slope's own slope is up to m^3/2.
    tolerance = EPS[np.float64] * (m**3 / 2 + 16 * m**2)
    assert abs(psi_prime(theta, m) - chain) <= tolerance
