"""The linear layer and the rectifier: values and pieces."""

import numpy as np
import pytest
from draws import hidden, linear_inputs, seeds
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from npsoftmax import linear_backward, linear_forward, relu_backward, relu_forward


def product(a, b):
    """Return a b by Python's own numbers, one term after another."""
    return a.astype(object) @ b.astype(object)


@given(linear_inputs(), seeds)
def test_every_entry_of_z_and_of_the_gradients_is_the_sum_it_stands_for(inputs, seed):
    x, W, b = inputs
    z, cache = linear_forward(x, W, b)
    assert_array_equal(z, product(x, W) + (0 if b is None else b))
    dz = np.random.default_rng(seed).integers(-9, 9, z.shape) / 4
    dx, dW, db = linear_backward(dz, cache)
    assert_array_equal(dx, product(dz, W.T))
    assert_array_equal(dW, product(x.T, dz))
    if b is None:
        assert db is None
    else:
        assert_array_equal(db, [sum(column) for column in dz.T])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_bias_of_a_long_batch_gets_the_sum_of_all_rows(dtype):
    x, W, b = (np.ones(shape, dtype) for shape in ((4096, 2), (2, 3), (3,)))
    dx, dW, db = linear_backward(np.ones((4096, 3), dtype), linear_forward(x, W, b)[1])
    assert_array_equal(db, 4096)
    assert_array_equal(dW, 4096)


@given(hidden(st.floats(allow_nan=False)), seeds)
def test_relu_is_the_larger_of_its_input_and_zero_with_slope_1_above(h, seed):
    a, cache = relu_forward(h)
    assert_array_equal(a, np.where(h > 0, h, 0))
    da = np.random.default_rng(seed).normal(size=h.shape)
    assert_array_equal(relu_backward(da, cache), np.where(h > 0, da, 0))


def test_at_the_kink_the_slope_is_zero():
    a, cache = relu_forward(np.array([0.0, -0.0, 5e-324, -5e-324]))
    assert_array_equal(a, [0, 0, 5e-324, 0])
    assert_array_equal(relu_backward(np.ones(4), cache), [0, 0, 1, 0])


def test_nan_goes_through_relu_and_so_does_its_gradient():
    a, cache = relu_forward([np.nan, 1.0])
    assert_array_equal(a, [np.nan, 1])
    assert_array_equal(relu_backward([2.0, 3.0], cache), [2, 3])
