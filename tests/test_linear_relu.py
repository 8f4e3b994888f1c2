"""The linear layer and the rectifier: values, pieces, gradients."""

import numpy as np
import pytest
from draws import VERDICTS, read_only, seeds, some
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from npsoftmax import linear_backward, linear_forward, relu_backward, relu_forward
from npsoftmax.gradcheck import check_gradients

eighths = st.integers(-24, 24).map(lambda n: n / 8)


@st.composite
def linear_inputs(draw):
    """Draw x, W and b (or None); in eighths, so that sums of products are exact."""
    N, D, C = (draw(st.integers(1, 4)) for _ in range(3))
    x, W, b = (
        draw(arrays(np.float64, s, elements=eighths)) for s in ((N, D), (D, C), (C,))
    )
    return x, W, draw(st.sampled_from([b, None]))


# Linear


@given(linear_inputs())
def test_every_entry_of_z_is_the_sum_it_stands_for(inputs):
    x, W, b = inputs
    z, _ = linear_forward(x, W, b)
    for i, c in np.ndindex(z.shape):
        terms = [x[i, d] * W[d, c] for d in range(len(W))]
        assert z[i, c] == sum(terms) + (0 if b is None else b[c])


@given(linear_inputs(), seeds)
def test_every_entry_of_the_gradients_is_the_sum_it_stands_for(inputs, seed):
    x, W, b = inputs
    z, cache = linear_forward(x, W, b)
    dz = np.random.default_rng(seed).integers(-9, 9, z.shape) / 4
    dx, dW, db = linear_backward(dz, cache)
    N, C = z.shape
    for i, d in np.ndindex(x.shape):
        assert dx[i, d] == sum(dz[i, c] * W[d, c] for c in range(C))
    for d, c in np.ndindex(W.shape):
        assert dW[d, c] == sum(x[i, d] * dz[i, c] for i in range(N))
    if b is None:
        assert db is None
    else:
        assert db.tolist() == [sum(dz[i, c] for i in range(N)) for c in range(C)]


@pytest.mark.parametrize("method", VERDICTS)
@some
@given(inputs=linear_inputs(), seed=seeds)
def test_linear_backward_is_the_gradient_of_linear_forward(method, inputs, seed):
    x, W, b = inputs
    x, W = x + 4, W - 4  # where no gradient is 0
    report = check_gradients(
        linear_forward, linear_backward, (x, W, b), method=method, rng=seed
    )
    assert report.verdict in VERDICTS[method], report


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_linear_keeps_the_type_of_its_inputs(dtype):
    x, W, b = (np.ones(shape, dtype) for shape in ((2, 3), (3, 4), (4,)))
    z, cache = linear_forward(x, W, b)
    assert [a.dtype for a in (z, *linear_backward(z, cache))] == [dtype] * 4


def test_linear_takes_lists_integers_views_and_read_only_arrays_alike():
    x, W, b = np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4), np.arange(4)
    expected = x @ W + b
    for inputs in (
        (x.tolist(), W.tolist(), b.tolist()),
        (x.astype(np.uint8), W.astype(np.int8), b),
        (np.asfortranarray(x), W[::-1][::-1], np.repeat(b, 2)[::2]),
        (read_only(x), read_only(W), read_only(b)),
    ):
        np.testing.assert_array_equal(linear_forward(*inputs)[0], expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_bias_of_a_long_batch_gets_the_sum_of_all_rows(dtype):
    x, W, b = (np.ones(shape, dtype) for shape in ((4096, 2), (2, 3), (3,)))
    dx, dW, db = linear_backward(np.ones((4096, 3), dtype), linear_forward(x, W, b)[1])
    assert db.dtype == dtype
    np.testing.assert_array_equal(db, 4096)
    np.testing.assert_array_equal(dW, 4096)


@given(linear_inputs(), seeds)
def test_what_comes_out_is_the_callers_to_change(inputs, seed):
    z, linear = linear_forward(*inputs)
    a, relu = relu_forward(inputs[0])
    dz, da = (np.random.default_rng(seed).normal(size=t.shape) for t in (z, a))

    def gradients():
        found = [*linear_backward(dz, linear), relu_backward(da, relu)]
        return [d for d in found if d is not None]

    expected = [d.copy() for d in gradients()]
    for d in (z, a, *gradients()):
        d.fill(7)
    assert all(map(np.array_equal, gradients(), expected))


# ReLU


def hidden(elements=eighths):
    return arrays(np.float64, array_shapes(max_dims=3, max_side=4), elements=elements)


@given(hidden(st.floats(allow_nan=False)))
def test_relu_is_the_larger_of_its_input_and_zero(h):
    a, _ = relu_forward(h)
    assert a.shape == h.shape
    assert a.ravel().tolist() == [max(t, 0) for t in h.ravel()]


@given(hidden(), seeds)
def test_relu_passes_the_gradient_where_its_input_is_above_zero(h, seed):
    da = np.random.default_rng(seed).normal(size=h.shape)
    dh = relu_backward(da, relu_forward(h)[1])
    assert dh.ravel().tolist() == [
        t if s > 0 else 0 for s, t in zip(h.ravel(), da.ravel(), strict=True)
    ]


@pytest.mark.parametrize("method", VERDICTS)
@some
@given(h=hidden(), seed=seeds)
def test_relu_backward_is_the_gradient_of_relu_forward(method, h, seed):
    h = np.where(h == 0, 1, h)  # at 0 there is none
    h.flat[0] = 2  # an active one: the gradient is not 0 everywhere
    report = check_gradients(relu_forward, relu_backward, h, method=method, rng=seed)
    assert report.verdict in VERDICTS[method], report


def test_at_the_kink_the_slope_is_zero():
    a, cache = relu_forward(np.array([0.0, -0.0, 5e-324, -5e-324]))
    np.testing.assert_array_equal(a, [0, 0, 5e-324, 0])
    np.testing.assert_array_equal(relu_backward(np.ones(4), cache), [0, 0, 1, 0])


def test_nan_goes_through_relu():
    np.testing.assert_array_equal(relu_forward([np.nan, 1.0])[0], [np.nan, 1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_relu_keeps_the_type_of_its_input(dtype):
    a, cache = relu_forward(np.array([-1, 1], dtype))
    assert a.dtype == relu_backward(a, cache).dtype == dtype


def test_relu_takes_lists_integers_views_and_read_only_arrays_alike():
    h = np.arange(-3, 3).reshape(2, 3)
    for other in (h.tolist(), h.astype(np.int8), np.asfortranarray(h), read_only(h)):
        np.testing.assert_array_equal(relu_forward(other)[0], [[0, 0, 0], [0, 1, 2]])
