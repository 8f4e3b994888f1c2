"""The L-Softmax layer: logits, loss and gradients at every range, and invariants."""

from decimal import Decimal

import exact
import numpy as np
import pytest
from draws import VERDICTS, inf, read_only, seeds, some
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from npsoftmax import (
    cross_entropy_backward,
    cross_entropy_forward,
    linear_backward,
    linear_forward,
    lsoftmax_backward,
    lsoftmax_forward,
)
from npsoftmax.gradcheck import check_gradients

EPS = 2.0**-52


def loss_and_gradients(x, W, y, m, lam=0.0):
    """Return the logits, the loss, and its gradients by them, by x and by W."""
    z, cache = lsoftmax_forward(x, W, y, m, lam)
    loss, loss_cache = cross_entropy_forward(z, y)
    dz = cross_entropy_backward(1.0, loss_cache)
    return z, loss, dz, *lsoftmax_backward(dz, cache)


def at_angles(rng, theta, W, y):
    """Return unit vectors x (N, D), each at its angle theta to its label's weight."""
    w = W.T[y] / np.linalg.norm(W.T[y], axis=1, keepdims=True)
    v = rng.normal(size=w.shape)
    v -= np.sum(v * w, axis=1, keepdims=True) * w
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    return np.cos(theta)[:, None] * w + np.sin(theta)[:, None] * v


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
    z, cache = lsoftmax_forward(x, W, y, m)
    dz = np.random.default_rng(m).normal(size=z.shape)
    (N, D), C = x.shape, W.shape[1]
    K_df = m**3 / 2 * (D + 2) + m**2 * (8 + (N + C) / 2)
    bounds = [Decimal(K_df * EPS)] * N
    dx, dW = lsoftmax_backward(dz, cache)
    inputs = (x, W, y, m, 0, exact.decimals(dz))
    assert_gradients_are_right(dx, dW, inputs, bounds, Decimal(0))


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
    np.testing.assert_array_equal(z[:, 0], 6.0 * np.array([1, 1 - m, 1 - 2 * m]))


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_without_an_angle_the_slope_is_that_of_the_plain_logit(m):
    x, W = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[3.0, 0.0], [4.0, 0.0]])
    z, cache = lsoftmax_forward(x, W, [0, 1], m)
    assert z[0, 0] == z[1, 1] == 0
    dx, dW = lsoftmax_backward(np.array([[1.0, 0.0], [0.0, 1.0]]), cache)
    np.testing.assert_array_equal(dx, [[3, 4], [0, 0]])
    np.testing.assert_array_equal(dW, [[0, 1], [0, 2]])


# The whole range


@st.composite
def batches_of_any_size(draw):
    """Draw x, W, y, m, lam with rows and columns of any size, as long as |x||W| m fits.

    Entries are up to 1 times a power of two, of each row of x and of each column of W.
    """
    N, D, C = (draw(st.integers(1, 4)) for _ in range(3))
    entries = st.sampled_from([0.0, 1.0, -1.0]) | st.floats(-1, 1)
    x = draw(arrays(np.float64, (N, D), elements=entries))
    W = draw(arrays(np.float64, (D, C), elements=entries))
    largest = draw(st.integers(-1074, 1023))
    x_powers = st.sampled_from([largest, largest - 40]) | st.integers(-1074, largest)
    W_powers = st.integers(-1074, min(1023, 1010 - largest))
    x = np.ldexp(x, [[draw(x_powers)] for _ in range(N)])
    W = np.ldexp(W, [draw(W_powers) for _ in range(C)])
    y = draw(st.lists(st.integers(0, C - 1), min_size=N, max_size=N))
    m, lam = (
        draw(st.integers(1, 10)),
        draw(st.sampled_from([0.0, 0.5, 5.0, 1e3, 1e300])),
    )
    return x, W, y, m, lam


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
    x, W, y, m, lam, dz = (np.array(a) for a in batch)
    m, lam = int(m), float(lam)
    (N, D), C = x.shape, W.shape[1]
    dx, dW = lsoftmax_backward(dz, lsoftmax_forward(x, W, y, m, lam)[1])
    bounds = [Decimal((m**3 / 2 * (D + 2) + m**2 * (8 + (N + C) / 2)) * EPS)] * N
    inputs = (x, W, y, m, lam, exact.decimals(dz))
    assert_gradients_are_right(dx, dW, inputs, bounds, Decimal("5e-324") * (N + D + C))


@given(batches_of_any_size(), st.integers(-1074, 1023))
def test_no_finite_input_gives_a_nan_or_a_warning(batch, power):
    for a in loss_and_gradients(*batch):
        assert not np.isnan(a).any()
    x, W, y, m, lam = batch
    z, cache = lsoftmax_forward(*batch)
    dz = np.ldexp(np.random.default_rng(0).integers(-1, 2, z.shape) + 0.0, power)
    for a in lsoftmax_backward(dz, cache):
        assert not np.isnan(a).any()


@pytest.mark.parametrize("x", [[[5e-324, 0.0]], [[0.0, 1e-310]]])
@pytest.mark.parametrize("W", [[[3e299], [1e300]], [[1e-10], [5e-324]]])
def test_the_smallest_numbers_have_the_product_of_the_linear_layer(x, W):
    z, _ = lsoftmax_forward(x, W, [0], 1)
    np.testing.assert_allclose(z, np.array(x) @ W, rtol=4 * EPS, atol=5e-324)


@pytest.mark.parametrize("lam", [1e39, 1e300, np.finfo(float).max])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_lambda_of_any_size_leaves_the_plain_logits(lam, dtype):
    x, W = np.array([[3, 4], [4, -3]], dtype), np.array([[3, 1], [4, 2]], dtype)
    z, cache = lsoftmax_forward(x, W, [0, 1], 3, lam)
    np.testing.assert_allclose(z, x @ W, rtol=4 * np.finfo(dtype).eps)
    dx, _ = lsoftmax_backward(np.ones_like(z), cache)
    np.testing.assert_allclose(dx, np.tile(W.sum(1), (2, 1)), 4 * np.finfo(dtype).eps)


@given(batches_of_any_size())
def test_logits_and_loss_are_finite_wherever_they_fit(batch):
    z, loss, dz, _, _ = loss_and_gradients(*batch)
    assert np.isfinite(z).all()
    assert np.isfinite(loss)
    assert np.isfinite(dz).all()


def test_a_part_of_the_gradient_may_be_beyond_the_range_where_the_gradient_is_not():
    x, W = np.array([[1e-10, 0.0]]), np.array([[1e307, 0.0], [0.0, 1e307]])
    z, cache = lsoftmax_forward(x, W, [0], 10)  # theta = 0: g' is 100, and g is 1
    dx, _ = lsoftmax_backward(np.array([[1.0, 0.0]]), cache)
    np.testing.assert_allclose(dx, [[1e307, 0]], rtol=1e-13)


def test_a_gradient_beyond_the_range_is_infinite_without_a_warning():
    x, W = np.array([[-1e-10, 0.0]]), np.array([[1e308, 0.0], [0.0, 1e308]])
    z, cache = lsoftmax_forward(x, W, [0], 10)  # theta = pi: psi is -19
    dx, _ = lsoftmax_backward(np.array([[1.0, 0.0]]), cache)
    np.testing.assert_array_equal(dx, [[inf, 0]])


# Invariants


@st.composite
def batches(draw, smallest=1):
    """Draw x, W, y, m, lam one can solve on paper: small numbers, eighths at most."""
    N, D, C = (draw(st.integers(smallest, 4)) for _ in range(3))
    entries = st.integers(-16, 16).map(lambda n: n / 8)
    x = draw(arrays(np.float64, (N, D), elements=entries))
    W = draw(arrays(np.float64, (D, C), elements=entries))
    y = draw(st.lists(st.integers(0, C - 1), min_size=N, max_size=N))
    return x, W, y, draw(st.integers(1, 6)), draw(st.sampled_from([0.0, 2.5, 1000.0]))


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
    np.testing.assert_array_equal(z[others], (x @ W)[others])


@given(batches())
def test_a_margin_never_raises_a_logit(batch):
    x, W, y, m, lam = batch
    z, _ = lsoftmax_forward(x, W, y, m, lam)
    assert np.all(z <= x @ W + 64 * EPS * sizes(x, W))


@given(batches())
def test_margin_one_is_the_linear_layer(batch):
    x, W, y, _, lam = batch
    z, cache = lsoftmax_forward(x, W, y, 1, lam)
    plain, plain_cache = linear_forward(x, W)
    assert np.all(abs(z - plain) <= 16 * EPS * sizes(x, W))
    dz = np.random.default_rng(0).normal(size=z.shape)
    dx, dW = lsoftmax_backward(dz, cache)
    plain_dx, plain_dW, _ = linear_backward(dz, plain_cache)
    np.testing.assert_allclose(dx, plain_dx, rtol=0, atol=1e-13)
    np.testing.assert_allclose(dW, plain_dW, rtol=0, atol=1e-13)


@given(batches())
def test_x_times_its_gradient_is_the_logit_and_so_for_the_weights(batch):
    x, W, y, m, lam = batch
    z, cache = lsoftmax_forward(x, W, y, m, lam)
    dz = np.random.default_rng(0).normal(size=z.shape)
    dx, dW = lsoftmax_backward(dz, cache)
    terms = sizes(x, W).sum() * 4 * m**2
    np.testing.assert_allclose((x * dx).sum(1), (z * dz).sum(1), 0, 16 * EPS * terms)
    np.testing.assert_allclose((W * dW).sum(0), (z * dz).sum(0), 0, 16 * EPS * terms)


@given(batches(), st.integers(-200, 200), st.integers(-200, 200))
def test_a_power_of_two_on_x_or_w_is_the_same_power_on_the_logits(batch, a, b):
    x, W, y, m, lam = batch
    z, _ = lsoftmax_forward(x, W, y, m, lam)
    scaled, _ = lsoftmax_forward(np.ldexp(x, a), np.ldexp(W, b), y, m, lam)
    np.testing.assert_array_equal(scaled, np.ldexp(z, a + b))


@given(batches())
def test_a_batch_is_the_sum_of_its_rows_however_often_a_label_is_repeated(batch):
    x, W, y, m, lam = batch
    z, cache = lsoftmax_forward(x, W, y, m, lam)
    dz = np.random.default_rng(0).normal(size=z.shape)
    dx, dW = lsoftmax_backward(dz, cache)
    dW_of_rows = np.zeros_like(W)
    for i in range(len(x)):
        z_i, cache = lsoftmax_forward(x[i : i + 1], W, y[i : i + 1], m, lam)
        dx_i, dW_i = lsoftmax_backward(dz[i : i + 1], cache)
        np.testing.assert_allclose(z_i[0], z[i], rtol=0, atol=1e-12)
        np.testing.assert_allclose(dx_i[0], dx[i], rtol=0, atol=1e-11)
        dW_of_rows += dW_i
    np.testing.assert_allclose(dW_of_rows, dW, rtol=0, atol=1e-11)


@given(batches())
def test_lambda_mixes_the_plain_logit_in(batch):
    x, W, y, m, lam = batch
    rows = np.arange(len(y))
    z, _ = lsoftmax_forward(x, W, y, m, lam)
    margin, _ = lsoftmax_forward(x, W, y, m)
    mixed = (lam * (x @ W)[rows, y] + margin[rows, y]) / (1 + lam)
    np.testing.assert_allclose(z[rows, y], mixed, rtol=0, atol=1e-12)


# The caller's arrays


@given(batches_with_a_gradient())
def test_nothing_that_goes_in_is_changed_and_what_comes_out_is_the_callers(batch):
    x, W, y, m, lam, dz = batch
    inputs = x, W, dz
    before = [a.copy() for a in inputs]
    z, cache = lsoftmax_forward(x, W, y, m, lam)
    gradients = lsoftmax_backward(dz, cache)
    expected = [a.copy() for a in gradients]
    for a in (z, *gradients):
        a.fill(7)
    for again, a in zip(lsoftmax_backward(dz, cache), expected, strict=True):
        np.testing.assert_array_equal(again, a)
    assert all(map(np.array_equal, inputs, before))


# Kinds of arrays


def test_lists_views_and_read_only_arrays_are_all_the_same_input():
    x, W, y = hard_batch(3, decades=2)
    expected = loss_and_gradients(x, W, y, 3)
    wide = np.repeat(x, 2, axis=1)[:, ::2]
    for a, b, c in (
        (x.tolist(), W.tolist(), y.tolist()),
        (wide, np.asfortranarray(W), y[::-1][::-1]),
        (read_only(x), read_only(W), read_only(y)),
        (x, W, y.astype(np.uint8)),
    ):
        for value, true in zip(loss_and_gradients(a, b, c, 3), expected, strict=True):
            np.testing.assert_allclose(value, true, rtol=1e-12, atol=1e-300)


def test_integer_features_are_taken_as_float64():
    x, W = np.array([[1, 2], [3, 4]], np.uint8), np.array([[1, -1], [0, 2]])
    floats = lsoftmax_forward(x.astype(float), W.astype(float), [0, 1], 2)[0]
    np.testing.assert_array_equal(lsoftmax_forward(x, W, [0, 1], 2)[0], floats)


def test_float16_goes_in_and_out_with_float32_inside():
    x, W, y = hard_batch(3, decades=1)
    x, W = x.astype(np.float16), W.astype(np.float16)
    inside = loss_and_gradients(x.astype(np.float32), W.astype(np.float32), y, 3)
    z, cache = lsoftmax_forward(x, W, y, 3)
    dx, dW = lsoftmax_backward(inside[2].astype(np.float16), cache)
    assert z.dtype == dx.dtype == dW.dtype == np.float16
    np.testing.assert_array_equal(z, inside[0].astype(np.float16))
    np.testing.assert_allclose(dx, inside[3], rtol=2e-2, atol=1e-2)


# Gradients


@st.composite
def angled_batches(draw):
    """Draw batches by the angle, in steps of 15 degrees, and by the norms of x."""
    N, D, C = draw(st.integers(1, 3)), draw(st.integers(2, 3)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(seeds))
    theta = np.array(draw(st.lists(st.integers(0, 12), min_size=N, max_size=N)))
    y = draw(st.lists(st.integers(0, C - 1), min_size=N, max_size=N))
    W = np.eye(D)[:, rng.integers(0, D, C)] + rng.integers(0, 2, (D, C))
    norms = st.sampled_from([1.0, 2.0, 1e-3, 30.0])
    size = draw(st.lists(norms, min_size=N, max_size=N))
    x = at_angles(rng, theta * np.pi / 12, W, y) * np.array(size)[:, None]
    return x, W, y, draw(st.integers(1, 6)), draw(st.sampled_from([0.0, 2.5, 1000.0]))


@pytest.mark.parametrize("method", VERDICTS)
@some
@given(batch=angled_batches(), seed=seeds)
def test_the_backward_is_the_gradient_of_the_forward(method, batch, seed):
    x, W, y, m, lam = batch
    report = check_gradients(
        lsoftmax_forward, lsoftmax_backward, (x, W, y, m, lam), method=method, rng=seed
    )
    assert report.verdict in VERDICTS[method], report
