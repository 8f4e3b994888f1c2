"""What all layers have in common, whatever they compute."""

import numpy as np
import pytest
from draws import LAYERS, VERDICTS, batches_of_any_size, read_only, seeds, some
from hypothesis import given
from hypothesis import strategies as st

import npsoftmax as nps
from npsoftmax.gradcheck import check_gradients

each_layer = pytest.mark.parametrize("name", LAYERS)


def pair(name):
    """Return a forward, and a backward that gives its gradients in a list."""
    backward = getattr(nps, f"{name}_backward")

    def gradients(d, cache):
        found = backward(d, cache)
        found = found if isinstance(found, tuple) else (found,)
        return [gradient for gradient in found if gradient is not None]

    return getattr(nps, f"{name}_forward"), gradients


@pytest.mark.parametrize("method", VERDICTS)
@each_layer
@some
@given(data=st.data(), seed=seeds)
def test_the_backward_is_the_gradient_of_the_forward(name, method, data, seed):
    inputs = data.draw(LAYERS[name])
    functions = getattr(nps, f"{name}_forward"), getattr(nps, f"{name}_backward")
    report = check_gradients(*functions, inputs, method=method, rng=seed)
    assert report.verdict in VERDICTS[method], report


@each_layer
@given(data=st.data(), seed=seeds, size=st.sampled_from([1.0, 1e200]))
def test_nothing_that_goes_in_is_changed_and_what_comes_out_is_the_callers(
    name, data, seed, size
):
    drawn = data.draw((LAYERS | {"lsoftmax": batches_of_any_size()})[name])
    inputs = [read_only(a) if isinstance(a, np.ndarray) else a for a in drawn]
    forward, backward = pair(name)
    output, cache = forward(*inputs)
    d = size * np.random.default_rng(seed).normal(size=np.shape(output))
    gradients = backward(read_only(np.asarray(d)), cache)
    expected = [a.copy() for a in gradients]
    for a in (output, *gradients):
        a.fill(7)
    for again, a in zip(backward(d, cache), expected, strict=True):
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
    forward, backward = pair(name)
    output, cache = forward(*inputs)
    gradients = backward(np.ones_like(output), cache)
    assert {a.dtype for a in (output, *gradients)} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("linear", ([[1, 2], [3, 4]], [[1, -1], [0, 2]], [1, -1])),
        ("relu", ([[-3, -2, -1], [0, 1, 2]],)),
        ("lsoftmax", ([[1, 2], [3, 4]], [[1, -1], [0, 2]], [0, 1], 2)),
    ],
)
def test_integers_are_taken_as_float64(name, inputs):
    forward, _ = pair(name)
    floats = [np.array(a, float) if np.ndim(a) > 1 else a for a in inputs]
    small = [np.array(a, np.int8) if np.ndim(a) > 1 else a for a in inputs]
    np.testing.assert_array_equal(forward(*small)[0], forward(*floats)[0])
    assert forward(*small)[0].dtype == np.float64
