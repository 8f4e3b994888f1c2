"""Cross-entropy: its value and gradient, confident rows above all."""

import exact
import numpy as np
import pytest
from draws import (
    CASES,
    INTEGERS,
    ULPS,
    VERDICTS,
    finite_rows,
    hard_rows,
    inf,
    nan,
    read_only,
    seeds,
    some,
    spread_rows,
)
from hypothesis import given
from hypothesis import strategies as st
from search import worst_row

from npsoftmax import (
    cross_entropy_backward,
    cross_entropy_forward,
    log_softmax,
    softmax,
)
from npsoftmax.gradcheck import check_gradients


def loss_and_gradient(z, y):
    loss, cache = cross_entropy_forward(z, y)
    return loss, cross_entropy_backward(1.0, cache)


# Values


@pytest.mark.parametrize(("size", "scale", "dtype"), CASES)
def test_loss_and_both_parts_of_its_gradient_are_right_to_the_last_digits(
    size, scale, dtype
):
    for row in hard_rows(size, scale, dtype):
        for y in {0, int(row.argmax())}:
            loss, dz = loss_and_gradient(row[None], [y])
            assert loss.dtype == dz.dtype == dtype
            assert exact.ulps(loss, exact.cross_entropy([row], [y])) <= ULPS[dtype]
            true = exact.cross_entropy_gradient([row], [y])
            assert exact.ulps(dz, true) <= ULPS[dtype]


@given(finite_rows(), st.data())
def test_every_finite_batch_is_right_to_six_ulps(z, data):
    N, C = z.shape
    y = data.draw(st.lists(st.integers(0, C - 1), min_size=N, max_size=N))
    loss, dz = loss_and_gradient(z, y)
    assert exact.ulps(loss, exact.cross_entropy(z, y)) <= 6
    assert exact.ulps(dz, exact.cross_entropy_gradient(z, y)) <= 6


@pytest.mark.parametrize("C", [2, 3, 6])
def test_a_search_for_the_worst_row_finds_none_beyond_the_bounds(C):
    def ulps(z):
        loss, dz = loss_and_gradient([z], [0])
        true = exact.cross_entropy_gradient([z], [0])
        return max(
            exact.ulps(loss, exact.cross_entropy([z], [0])), exact.ulps(dz, true)
        )

    assert worst_row(ulps, C)[0] <= ULPS[np.float64]


@pytest.mark.parametrize("dtype", ULPS)
@pytest.mark.parametrize("N", [1, 3, 7, 127, 1000])
def test_the_mean_and_the_share_of_n_losses_are_as_right_as_one(N, dtype):
    row = np.array([0.3, -1.2, 2.1], dtype)
    loss, dz = loss_and_gradient(np.tile(row, (N, 1)), [1] * N)
    assert exact.ulps(loss, exact.cross_entropy([row], [1])) <= ULPS[dtype]
    true = [t / N for t in exact.cross_entropy_gradient([row], [1])[0]]
    assert exact.ulps(dz[-1], true) <= ULPS[dtype]


@pytest.mark.parametrize("z", INTEGERS, ids=lambda z: f"{z.dtype}-{z.max()}")
def test_integer_logits_of_any_kind_are_taken_as_they_are(z):
    for y in range(len(z)):
        loss, dz = loss_and_gradient(z[None], [y])
        assert loss.dtype == dz.dtype == np.float64
        assert exact.ulps(loss, exact.cross_entropy([z], [y])) <= 6
        assert exact.ulps(dz, exact.cross_entropy_gradient([z], [y])) <= 6


@pytest.mark.parametrize("gap", [15, 36, 40, 100, 350, 700])
def test_a_confident_right_answer_keeps_all_digits_of_its_tiny_loss(gap):
    z = np.array([[gap, 0.0, -1.0], [0.3, gap + 0.3, 0.1]])
    loss, dz = loss_and_gradient(z, [0, 1])
    assert 0 < loss < 1e-5
    assert exact.ulps(loss, exact.cross_entropy(z, [0, 1])) <= 6
    assert exact.ulps(dz, exact.cross_entropy_gradient(z, [0, 1])) <= 6


@given(finite_rows(np.float16), st.data())
def test_float16_is_computed_in_float64_and_rounded_once(z, data):
    y = data.draw(st.lists(st.integers(0, z.shape[1] - 1), min_size=1, max_size=1))
    loss, dz = loss_and_gradient(z[:1], y)
    assert loss.dtype == dz.dtype == np.float16
    assert exact.ulps(loss, exact.cross_entropy(z[:1], y)) <= 0.51
    assert exact.ulps(dz, exact.cross_entropy_gradient(z[:1], y)) <= 0.51


def test_the_mean_of_losses_near_the_largest_float_is_finite():
    z = np.array([[0.0, 1.7e308], [0.0, 1.6e308], [0.0, 1.5e308]])
    assert cross_entropy_forward(z, [0, 0, 0])[0] == pytest.approx(1.6e308)


@pytest.mark.parametrize(
    ("z", "y", "loss", "dz"),
    [
        ([0, -inf], 0, 0, [0, 0]),
        ([0, -inf], 1, inf, [1, -1]),
        ([0, inf, 1], 1, 0, [0, 0, 0]),
        ([0, inf, 1], 0, inf, [-1, 1, 0]),
        ([-inf, -inf], 0, nan, [nan, nan]),
        ([inf, inf], 0, nan, [nan, nan]),
        ([nan, 0], 1, nan, [nan, nan]),
    ],
)
def test_infinite_logits_give_the_limit_and_nan_where_there_is_none(z, y, loss, dz):
    np.testing.assert_array_equal(loss_and_gradient([z], [y])[0], loss)
    np.testing.assert_array_equal(loss_and_gradient([z], [y])[1], [dz])


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64, list])
def test_labels_may_be_integers_of_any_kind(kind):
    z = np.arange(6.0).reshape(2, 3)
    y = [2, 0] if kind is list else np.array([2, 0], kind)
    assert loss_and_gradient(z, y)[0] == loss_and_gradient(z, np.array([2, 0]))[0]


def test_lists_views_and_read_only_arrays_are_all_the_same_input():
    z, y = np.random.default_rng(0).normal(size=(4, 6)), np.array([5, 0, 0, 2])
    loss, dz = loss_and_gradient(z, y)
    wide = np.repeat(z, 2, axis=1)[:, ::2]
    for logits in (z.tolist(), np.asfortranarray(z), wide, read_only(z)):
        for labels in (y.tolist(), y[::-1][::-1], read_only(y)):
            assert loss_and_gradient(logits, labels)[0] == loss
            np.testing.assert_array_equal(loss_and_gradient(logits, labels)[1], dz)


# Invariants


@st.composite
def labelled_rows(draw, classes=1):
    z = draw(spread_rows(classes))
    N, C = z.shape
    return z, draw(st.lists(st.integers(0, C - 1), min_size=N, max_size=N))


@given(labelled_rows())
def test_the_loss_is_the_mean_of_what_log_softmax_gives_the_labels(batch):
    z, y = batch
    mean = -log_softmax(z)[np.arange(len(y)), y].mean()
    np.testing.assert_allclose(cross_entropy_forward(z, y)[0], mean, rtol=1e-14)


@given(labelled_rows())
def test_the_gradient_is_p_minus_one_hot_over_n(batch):
    z, y = batch
    p_minus_one_hot = softmax(z) - np.eye(z.shape[1])[y]
    dz = loss_and_gradient(z, y)[1]
    np.testing.assert_allclose(dz, p_minus_one_hot / len(y), rtol=0, atol=1e-15)


@given(labelled_rows())
def test_the_gradient_of_every_row_sums_to_zero(batch):
    dz = loss_and_gradient(*batch)[1]
    np.testing.assert_allclose(dz.sum(axis=1), 0, rtol=0, atol=1e-15)


@given(labelled_rows(), st.integers(-(2**40), 2**40))
def test_a_shift_of_all_logits_changes_nothing(batch, shift):
    z, y = batch
    for a, b in zip(
        loss_and_gradient(z + shift, y), loss_and_gradient(z, y), strict=True
    ):
        np.testing.assert_array_equal(a, b)


@given(labelled_rows(), st.floats(-9, 9))
def test_the_gradient_is_proportional_to_the_one_from_above(batch, dloss):
    _, cache = cross_entropy_forward(*batch)
    once, scaled = (cross_entropy_backward(t, cache) for t in (1.0, dloss))
    np.testing.assert_allclose(scaled, dloss * once, rtol=1e-15, atol=1e-300)


def test_what_comes_out_is_the_callers_to_change():
    _, cache = cross_entropy_forward([[0.5, -1.0, 2.0]], [1])
    dz = cross_entropy_backward(1.0, cache)
    expected = dz.copy()
    dz *= 2
    np.testing.assert_array_equal(cross_entropy_backward(1.0, cache), expected)


def test_one_class_costs_nothing():
    loss, dz = loss_and_gradient([[3.0], [-1e300]], [0, 0])
    assert loss == 0
    np.testing.assert_array_equal(dz, 0)


# Gradients


@pytest.mark.parametrize("method", VERDICTS)
@some
@given(batch=labelled_rows(classes=2), seed=seeds)
def test_the_backward_is_the_gradient_of_the_forward(method, batch, seed):
    report = check_gradients(
        cross_entropy_forward, cross_entropy_backward, batch, method=method, rng=seed
    )
    assert report.verdict in VERDICTS[method], report
