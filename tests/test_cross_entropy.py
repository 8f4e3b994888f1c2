"""Cross-entropy: its value and gradient, confident rows above all."""

import exact
import numpy as np
import pytest
from draws import CASES, INTEGERS, ULPS, finite_rows, hard_rows, inf, labelled_rows, nan
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from search import worst_row

from npsoftmax import cross_entropy_backward, cross_entropy_forward, softmax


def loss_and_gradient(z, y):
    loss, cache = cross_entropy_forward(z, y)
    return loss, cross_entropy_backward(1.0, cache)


def ulps(z, y):
    """Return the errors of the loss and of the worst entry of its gradient."""
    loss, dz = loss_and_gradient(z, y)
    assert loss.dtype == dz.dtype
    true_dz = exact.cross_entropy_gradient(z, y)
    return exact.ulps(loss, exact.cross_entropy(z, y)), exact.ulps(dz, true_dz)


# Values


@pytest.mark.parametrize(("size", "scale", "dtype"), CASES)
def test_loss_and_both_parts_of_its_gradient_are_right_to_the_last_digits(
    size, scale, dtype
):
    for row in hard_rows(size, scale, dtype):
        for y in {0, int(row.argmax())}:
            assert max(ulps(row[None], [y])) <= ULPS[dtype]


@pytest.mark.parametrize("dtype", ULPS)
@given(data=st.data())
def test_every_finite_batch_is_right_to_the_last_digits(dtype, data):
    z, y = data.draw(labelled_rows(finite_rows(dtype)))
    assert loss_and_gradient(z, y)[0].dtype == dtype
    assert max(ulps(z, y)) <= ULPS[dtype]


@pytest.mark.parametrize("C", [2, 3, 6])
def test_a_search_for_the_worst_row_finds_none_beyond_the_bounds(C):
    largest, _ = worst_row(lambda z: max(ulps(z[None], [0])), C)
    assert largest <= ULPS[np.float64]


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
        assert max(ulps(z[None], [y])) <= ULPS[np.float64]


@pytest.mark.parametrize("gap", [15, 36, 40, 100, 350, 700])
def test_a_confident_right_answer_keeps_all_digits_of_its_tiny_loss(gap):
    z, y = np.array([[gap, 0.0, -1.0], [0.3, gap + 0.3, 0.1]]), [0, 1]
    assert 0 < loss_and_gradient(z, y)[0] < 1e-5
    assert max(ulps(z, y)) <= ULPS[np.float64]


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
    assert_array_equal(loss_and_gradient([z], [y])[0], loss)
    assert_array_equal(loss_and_gradient([z], [y])[1], [dz])


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64, list])
def test_labels_may_be_integers_of_any_kind(kind):
    z = np.arange(6.0).reshape(2, 3)
    y = [2, 0] if kind is list else np.array([2, 0], kind)
    assert loss_and_gradient(z, y)[0] == loss_and_gradient(z, np.array([2, 0]))[0]


# Invariants


@given(labelled_rows())
def test_the_gradient_is_p_minus_one_hot_over_n(batch):
    z, y = batch
    p_minus_one_hot = softmax(z) - np.eye(z.shape[1])[y]
    dz = loss_and_gradient(z, y)[1]
    assert_allclose(dz, p_minus_one_hot / len(y), rtol=0, atol=1e-15)


@given(labelled_rows(), st.integers(-(2**40), 2**40))
def test_a_shift_of_all_logits_changes_nothing(batch, shift):
    z, y = batch
    shifted = loss_and_gradient(z + shift, y)
    for a, b in zip(shifted, loss_and_gradient(z, y), strict=True):
        assert_array_equal(a, b)


@given(labelled_rows(), st.floats(-9, 9))
def test_the_gradient_is_proportional_to_the_one_from_above(batch, dloss):
    _, cache = cross_entropy_forward(*batch)
    once, scaled = (cross_entropy_backward(t, cache) for t in (1.0, dloss))
    assert_allclose(scaled, dloss * once, rtol=1e-15, atol=1e-300)


def test_one_class_costs_nothing():
    loss, dz = loss_and_gradient([[3.0], [-1e300]], [0, 0])
    assert loss == 0
    assert_array_equal(dz, 0)
