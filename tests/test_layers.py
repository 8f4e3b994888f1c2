"""What all layers have in common, whatever they compute."""

import numpy as np
import pytest
from draws import (
    LAYERS,
    VERDICTS,
    batches_of_any_size,
    read_only,
    seeds,
    some,
)
from hypothesis import given
from hypothesis import strategies as st

import npsoftmax as nps
from npsoftmax.gradcheck import check_gradients

each_layer = pytest.mark.parametrize("name", LAYERS)


def forward_and_backward(name):
    return getattr(nps, f"{name}_forward"), getattr(nps, f"{name}_backward")


def gradients_of(name, d, cache):
    """Return the gradients that a backward gives, in a list."""
    found = getattr(nps, f"{name}_backward")(d, cache)
    found = found if isinstance(found, tuple) else (found,)
    return [gradient for gradient in found if gradient is not None]


@pytest.mark.parametrize("method", VERDICTS)
@each_layer
@some
@given(data=st.data(), seed=seeds)
def test_the_backward_is_the_gradient_of_the_forward(name, method, data, seed):
    inputs = data.draw(LAYERS[name])
    report = check_gradients(
        *forward_and_backward(name), inputs, method=method, rng=seed
    )
    assert report.verdict in VERDICTS[method], report


@each_layer
@given(data=st.data(), seed=seeds, size=st.sampled_from([1.0, 1e200]))
def test_nothing_that_goes_in_is_changed_and_what_comes_out_is_the_callers(
    name, data, seed, size
):
    drawn = data.draw((LAYERS | {"lsoftmax": batches_of_any_size()})[name])
    inputs = [read_only(a) if isinstance(a, np.ndarray) else a for a in drawn]
    output, cache = getattr(nps, f"{name}_forward")(*inputs)
    d = size * np.random.default_rng(seed).normal(size=np.shape(output))
    gradients = gradients_of(name, read_only(np.asarray(d)), cache)
    expected = [a.copy() for a in gradients]
    for a in (output, *gradients):
        a.fill(7)
    for again, a in zip(gradients_of(name, d, cache), expected, strict=True):
        np.testing.assert_array_equal(again, a)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@each_layer
@some
@given(data=st.data())
def test_output_and_gradients_are_of_the_type_of_the_inputs(name, dtype, data):
    inputs = [
        a.astype(dtype) if getattr(a, "dtype", None) == np.float64 else a
        for a in data.draw(LAYERS[name])
    ]
    output, cache = getattr(nps, f"{name}_forward")(*inputs)
    ones = np.ones_like(output)
    assert {a.dtype for a in (output, *gradients_of(name, ones, cache))} == {
        np.dtype(dtype)
    }


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("linear", ([[1, 2], [3, 4]], [[1, -1], [0, 2]], [1, -1])),
        ("relu", ([[-3, -2, -1], [0, 1, 2]],)),
        ("lsoftmax", ([[1, 2], [3, 4]], [[1, -1], [0, 2]], [0, 1], 2)),
    ],
)
def test_integers_are_taken_as_float64(name, inputs):
    forward, _ = forward_and_backward(name)
    floats = [np.array(a, float) if np.ndim(a) > 1 else a for a in inputs]
    small = [np.array(a, np.int8) if np.ndim(a) > 1 else a for a in inputs]
    np.testing.assert_array_equal(forward(*small)[0], forward(*floats)[0])
    assert forward(*small)[0].dtype == np.float64
