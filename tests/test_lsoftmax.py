"""The L-Softmax layer: logits, loss and gradients at every range, and invariants."""

from decimal import Decimal

import exact
import numpy as np
import pytest
from draws import at_angles, batches_of_any_size, eighths, inf, labels
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from npsoftmax import (
    cross_entropy_backward,
    cross_entropy_forward,
    linear_backward,
    linear_forward,
    lsoftmax_backward,
    lsoftmax_forward,
)

EPS = 2.0**-52


def loss_and_gradients(x, W, y, m, lam=0.0):
    """Return the logits, the loss, and its gradients by them, by x and by W."""
    z, cache = lsoftmax_forward(x, W, y, m, lam)
    loss, loss_cache = cross_entropy_forward(z, y)
    dz = cross_entropy_backward(1.0, loss_cache)
    return z, loss, dz, *lsoftmax_backward(dz, cache)


def hard_batch(m, seed=0, N=20, D=8, C=5, decades=300):
    """Return x, W, y with every special angle, and norms from 1e-300 to 1e300.

    A row in four has a knot for its angle, one in ten is parallel or antiparallel to
    its weight. Half of the products |x||W| are between 1e-3 and 30.
    """
    rng = np.random.default_rng((m, seed))
    y = rng.integers(0, C, N)
    W = rng.normal(size=(D, C))
    theta = rng.uniform(0, np.pi, N)
    theta[::4] = rng.integers(0, m + 1, len(theta[::4])) * np.pi / m
    x = at_angles(rng, theta, W, y)
    x[::10] = W.T[y[::10]] * rng.choice([-1, 1], (len(x[::10]), 1))
    W_decade = rng.uniform(-decades, decades)
    x_decade = rng.uniform(-3, 1.5, N) - W_decade
    free = rng.uniform(-decades, min(decades, decades - W_decade), N)
    x_decade[::2] = free[::2]
    return x * 10 ** x_decade.clip(-decades, decades)[:, None], W * 10**W_decade, y


# How far from exact a row may be, relative to the sum of the norms of its terms (for
# the row itself may cancel). In eps, to first order, with u = eps/2:
#
# cos   A norm has (D/2 + 1) u, a direction one division more, the product of two
#       directions D u:  delta = 2 (D/2 + 2) u + D u = (D + 2) eps.
# f_y   psi has 16 eps max(1, |psi|) at that cosine, and its slope is at most m^2;
#       |psi| <= 2m - 1 <= m^2; the two norms and the products have (D/2 + 3) eps:
#       |x||W| m^2 (1.5 D + 21) eps.
# p     Every p_j changes by up to twice the largest error of a logit, and has 6 ULP:
#       (|x||W| m^2 (3 D + 42) + 6) eps. So do the loss and 1 - p_y.
# sums  Of N or C products each: (N + C) u. All in all K (1 + |x||W| m^2) eps with
#       K = 3 D + 46 + (N + C)/2.
# df_y  Even for an exact dz, delta moves the tangential part by |m U'(c) sin| delta: by
#       |W| m^3/pi delta at the first knot, where df_y/dx has the norm |W|, and nowhere
#       more than m^3/2. And g' W_y and (g - g' c) x_hat, each up to m^2 |W|, cancel:
#       m^2 times their roundings. That is the worst case, if each rounding falls the
#       same way; K_df, a hundredth of it or so is seen, and for m up to 10 K covers it.
def allowed(sizes, m, N, D, C, eps):
    """Return what each row may be wrong by, for its |x||W| in sizes."""
    K = Decimal(3 * D + 46 + (N + C) / 2)
    return [K * (1 + size * m**2) * Decimal(eps) for size in sizes]


def assert_right(x, W, y, m, lam):
    """Assert that logits, loss, dx and dW are as near the exact ones as derived."""
    z, loss, dz, dx, dW = loss_and_gradients(x, W, y, m, lam)
    (N, D), C, limits = x.shape, W.shape[1], np.finfo(z.dtype)
    x_norm = [exact.norm(row) for row in exact.decimals(x)]
    W_norm = [exact.norm(w) for w in exact.columns(W)]
    eps = float(limits.eps)
    bounds = allowed([t * max(W_norm) for t in x_norm], m, N, D, C, eps)
    # Where a p or a product leaves the range it may be off by the smallest number.
    smallest = Decimal(float(limits.smallest_subnormal)) * 4 * m**2 * (N + C)
    floor = smallest * (1 + max(x_norm) + max(W_norm))

    true_z = exact.lsoftmax(x, W, y, m, lam)
    for i in range(N):
        error = exact.distance(z[i], true_z[i])
        assert error <= bounds[i] * x_norm[i] * max(W_norm) * m**2 + floor

    losses = [exact.cross_entropy([row], [c]) for row, c in zip(true_z, y, strict=True)]
    error = abs(exact.decimals(loss) - sum(losses) / N)
    assert error <= exact.dot(bounds, losses) / N + floor

    true_dz = exact.cross_entropy_gradient(true_z, y)
    assert_gradients_are_right(dx, dW, (x, W, y, m, lam, true_dz), bounds, floor)


def assert_gradients_are_right(dx, dW, arguments, bounds, floor):
    *inputs, dz = arguments
    true_dx, true_dW = exact.lsoftmax_gradient(*arguments)
    pairs = exact.logit_gradients(*inputs)
    for i, row in enumerate(pairs):
        terms = [abs(dz[i][j]) * exact.norm(df_dx) for j, (df_dx, _) in enumerate(row)]
        assert exact.distance(dx[i], true_dx[i]) <= bounds[i] * sum(terms) + floor
    for j, column in enumerate(zip(*true_dW, strict=True)):
        terms = [
            bounds[i] * abs(dz[i][j]) * exact.norm(row[j][1])
            for i, row in enumerate(pairs)
        ]
        assert exact.distance(dW[:, j], column) <= sum(terms) + floor


def assert_backward_is_right(x, W, y, m, lam, dz):
    """Assert that dx and dW are as near the exact ones, for this dz, as derived."""
    (N, D), C = x.shape, W.shape[1]
    K_df = m**3 / 2 * (D + 2) + m**2 * (8 + (N + C) / 2)
    dx, dW = lsoftmax_backward(dz, lsoftmax_forward(x, W, y, m, lam)[1])
    arguments = (x, W, y, m, lam, exact.decimals(dz))
    bounds, floor = [Decimal(K_df * EPS)] * N, Decimal("5e-324") * (N + D + C)
    assert_gradients_are_right(dx, dW, arguments, bounds, floor)


# Values


@pytest.mark.parametrize("lam", [0, 5, 1000])
@pytest.mark.parametrize("m", range(1, 11))
def test_logits_loss_and_gradients_are_right_from_1e_minus_300_to_1e300(m, lam):
    assert_right(*hard_batch(m, seed=lam), m, lam)


@pytest.mark.parametrize("m", [1, 2, 3, 4, 8])
def test_float32_is_right_to_its_own_last_digits(m):
    x, W, y = hard_batch(m, decades=30)
    x, W = x.astype(np.float32), W.astype(np.float32)
    assert all(a.dtype == np.float32 for a in loss_and_gradients(x, W, y, m))
    assert_right(x, W, y, m, 0)


@pytest.mark.parametrize("m", [1, 2, 3, 4, 10, 30])
def test_gradients_are_right_for_any_gradient_of_the_logits(m):
    x, W, y = hard_batch(m, decades=3)
    dz = np.random.default_rng(m).normal(size=(len(x), W.shape[1]))
    assert_backward_is_right(x, W, y, m, 0, dz)


ZERO, ONE = [0.0, 0.0], [3.0, 0.0]
EDGES = {
    "theta is 0": ([[2.0, 0.0]], [ONE, [1.0, 1.0]]),
    "theta is pi/2": ([[0.0, 2.0]], [ONE, [1.0, 1.0]]),
    "theta is pi": ([[-2.0, 0.0]], [ONE, [1.0, 1.0]]),
    "x is 0": ([ZERO, [1.0, 2.0]], [ONE, [1.0, 1.0]]),
    "W_y is 0": ([[1.0, 2.0], [2.0, 1.0]], [ZERO, [1.0, 1.0]]),
    "x and W_y are 0": ([ZERO], [ZERO, [1.0, 1.0]]),
    "the W of another class is 0": ([[1.0, 2.0]], [ONE, ZERO]),
    "all weights are 0": ([[1.0, 2.0]], [ZERO, ZERO, ZERO]),
    "one class": ([[1.0, 2.0], [-1.0, 0.5]], [ONE]),
    "a batch of one": ([[1.0, 2.0]], [ONE, [1.0, 1.0], [-1.0, 0.5]]),
}


@pytest.mark.parametrize("lam", [0, 5, 1000])
@pytest.mark.parametrize("m", [1, 2, 3, 4, 30])
@pytest.mark.parametrize("edge", EDGES)
def test_every_edge_case_is_right(edge, m, lam):
    x, W_rows = EDGES[edge]
    assert_right(np.array(x), np.array(W_rows).T, [0] * len(x), m, lam)


@pytest.mark.parametrize("m", [*range(1, 11), 30])
def test_psi_is_exact_at_zero_a_right_angle_and_pi(m):
    W = np.array([[3.0], [0.0]])
    x = np.array([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0]])
    z, _ = lsoftmax_forward(x, W, [0, 0, 0], m)
    assert_array_equal(z[:, 0], 6.0 * np.array([1, 1 - m, 1 - 2 * m]))


# The whole range


@st.composite
def batches_with_a_gradient(draw):
    """Draw x, W, y, m, lam and dz, each dz of its own size, as long as dx and dW fit.

    A dz is 0 or at least 2e-308: a smaller one has lost digits before it comes in.
    """
    x, W, y, m, lam = draw(batches_of_any_size())
    largest = max(np.frexp([abs(x).max(), abs(W).max()])[1])
    powers = st.integers(-1022, min(1023, 1005 - largest))
    sizes = st.sampled_from([0.0, 1.0, -1.0]) | st.floats(1, 2)
    dz = draw(arrays(np.float64, (len(y), W.shape[1]), elements=sizes))
    shared = draw(powers)
    scales = arrays(int, dz.shape, elements=st.just(shared) | powers)
    return x, W, y, m, lam, np.ldexp(dz, draw(scales))


@given(batches_with_a_gradient())
@example(([[1e138]], [[1e-136, -1e-136]], [0], 4, 0.0, [[-1e-87, 1e-87]]))
@example(([[1e-138, 0.0]], [[1e153], [1e153]], [0], 2, 0.0, [[1e20]]))
@example(([[1.0, 0.0]], [[5e-324], [0.0]], [0], 1, 0.0, [[1e300]]))
@example(([[0.0], [1e-208]], [[0.0]], [0, 0], 1, 0.0, [[1e88], [1e-28]]))
@example(([[1.0]], [[0.0, 2.5e-320]], [0], 1, 0.0, [[8.0, 8.0]]))
def test_gradients_are_right_for_a_gradient_of_any_size(batch):
    x, W, y, m, lam, dz = batch
    assert_backward_is_right(np.array(x), np.array(W), y, m, lam, np.array(dz))


@given(batches_of_any_size(), st.integers(-1074, 1023))
def test_what_fits_is_finite_and_nothing_is_nan_or_a_warning(batch, power):
    z, loss, dz, dx, dW = loss_and_gradients(*batch)
    assert all(np.isfinite(a).all() for a in (z, loss, dz))
    dz = np.ldexp(np.random.default_rng(0).integers(-1, 2, z.shape) + 0.0, power)
    gradients = lsoftmax_backward(dz, lsoftmax_forward(*batch)[1])
    assert not any(np.isnan(a).any() for a in (dx, dW, *gradients))


@pytest.mark.parametrize("x", [[[5e-324, 0.0]], [[0.0, 1e-310]]])
@pytest.mark.parametrize("W", [[[3e299], [1e300]], [[1e-10], [5e-324]]])
def test_the_smallest_numbers_have_the_product_of_the_linear_layer(x, W):
    z, _ = lsoftmax_forward(x, W, [0], 1)
    assert_allclose(z, np.array(x) @ W, rtol=4 * EPS, atol=5e-324)


@pytest.mark.parametrize("lam", [1e39, 1e300, np.finfo(float).max])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_lambda_of_any_size_leaves_the_plain_logits(lam, dtype):
    x, W = np.array([[3, 4], [4, -3]], dtype), np.array([[3, 1], [4, 2]], dtype)
    z, cache = lsoftmax_forward(x, W, [0, 1], 3, lam)
    assert_allclose(z, x @ W, rtol=4 * np.finfo(dtype).eps)
    dx, _ = lsoftmax_backward(np.ones_like(z), cache)
    assert_allclose(dx, np.tile(W.sum(1), (2, 1)), 4 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    ("x", "W", "dx"),
    [
        (1e-10, 1e307, 1e307),  # theta = 0: g' is 100, and g is 1
        (-1e-10, 1e308, inf),  # theta = pi: psi is -19
    ],
)
def test_parts_of_a_gradient_may_be_beyond_the_range_and_so_may_it(x, W, dx):
    z, cache = lsoftmax_forward([[x, 0.0]], W * np.eye(2), [0], 10)
    found, _ = lsoftmax_backward(np.array([[1.0, 0.0]]), cache)
    assert_allclose(found, [[dx, 0]], rtol=1e-13)


# Invariants


@st.composite
def batches(draw):
    """Draw x, W, y, m, lam one can solve on paper: small numbers, eighths at most."""
    N, D, C = (draw(st.integers(1, 4)) for _ in range(3))
    x = draw(arrays(np.float64, (N, D), elements=eighths))
    W = draw(arrays(np.float64, (D, C), elements=eighths))
    m, lam = draw(st.integers(1, 6)), draw(st.sampled_from([0.0, 2.5, 1000.0]))
    return x, W, draw(labels(N, C)), m, lam


def sizes(x, W):
    return np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(W, axis=0)  # (N, C)


@given(batches())
def test_the_exact_logits_are_met_for_drawn_batches_too(batch):
    assert_right(*batch)


@given(batches())
def test_only_the_column_of_the_label_knows_the_margin(batch):
    x, W, y, m, lam = batch
    z, _ = lsoftmax_forward(x, W, y, m, lam)
    others = np.arange(W.shape[1]) != np.array(y)[:, None]
    assert_array_equal(z[others], (x @ W)[others])


@given(batches())
def test_margin_one_is_the_linear_layer(batch):
    x, W, y, _, lam = batch
    z, cache = lsoftmax_forward(x, W, y, 1, lam)
    plain, plain_cache = linear_forward(x, W)
    assert np.all(abs(z - plain) <= 16 * EPS * sizes(x, W))
    dz = np.random.default_rng(0).normal(size=z.shape)
    dx, dW = lsoftmax_backward(dz, cache)
    plain_dx, plain_dW, _ = linear_backward(dz, plain_cache)
    assert_allclose(dx, plain_dx, rtol=0, atol=1e-13)
    assert_allclose(dW, plain_dW, rtol=0, atol=1e-13)


@given(batches())
def test_x_times_its_gradient_is_the_logit_and_so_for_the_weights(batch):
    x, W, y, m, lam = batch
    z, cache = lsoftmax_forward(x, W, y, m, lam)
    dz = np.random.default_rng(0).normal(size=z.shape)
    dx, dW = lsoftmax_backward(dz, cache)
    terms = sizes(x, W).sum() * 4 * m**2
    assert_allclose((x * dx).sum(1), (z * dz).sum(1), 0, 16 * EPS * terms)
    assert_allclose((W * dW).sum(0), (z * dz).sum(0), 0, 16 * EPS * terms)


@given(batches(), st.integers(-200, 200), st.integers(-200, 200))
def test_a_power_of_two_on_x_or_w_is_the_same_power_on_the_logits(batch, a, b):
    x, W, y, m, lam = batch
    z, _ = lsoftmax_forward(x, W, y, m, lam)
    scaled, _ = lsoftmax_forward(np.ldexp(x, a), np.ldexp(W, b), y, m, lam)
    assert_array_equal(scaled, np.ldexp(z, a + b))


def test_float16_goes_in_and_out_with_float32_inside():
    x, W, y = hard_batch(3, decades=1)
    x, W = x.astype(np.float16), W.astype(np.float16)
    inside = loss_and_gradients(x.astype(np.float32), W.astype(np.float32), y, 3)
    z, cache = lsoftmax_forward(x, W, y, 3)
    dx, dW = lsoftmax_backward(inside[2].astype(np.float16), cache)
    assert z.dtype == dx.dtype == dW.dtype == np.float16
    assert_array_equal(z, inside[0].astype(np.float16))
    assert_allclose(dx, inside[3], rtol=2e-2, atol=1e-2)
