"""A backward beside the slope of its own forward, whatever that forward computes.

    numeric = sum over the forward's values of cotangent * dvalue/dinput

A person's forward is asked at real points only, by the five-point stencil; npsoftmax's
own takes complex arrays, so that the complex step sees every digit of it.
"""

import numpy as np

from npsoftmax.checks.expected import expected
from npsoftmax.checks.subject import Wrong, agree, wrong_words
from npsoftmax.gradcheck import complex_step, five_point

STEP = 2.0**-12
NOISE = 64  # how many eps |value| a forward's own rounding may come to


def agree_with_own_loss(f, inputs):
    """Raise `Wrong` unless the backward `f` is the gradient of its own forward."""
    if f.demand == "reference":
        right = expected(f.name, inputs)
    for name, gradient in f.results(**inputs).items():
        if gradient is None:
            continue
        if f.demand == "reference":
            slope = numeric_gradient(f, inputs, name, complex_step, 2.0**-100)
            agree(name, gradient, slope.real, right[name][1])
        else:
            _agree_with_differences(f, inputs, name, np.asarray(gradient))


def numeric_gradient(f, inputs, name, method, h):
    """Return the gradient `name` of the forward of `f`, by a method of gradcheck."""
    cotangent, forward = f.function.takes[0], f.of(f.function.forward)
    given = {each: value for each, value in inputs.items() if each != cotangent}

    def value_of(array):
        return np.asarray(forward(**(given | {name[1:]: array})))

    slopes = method(value_of, inputs[name[1:]], h)
    return np.tensordot(inputs[cotangent], slopes, axes=np.ndim(inputs[cotangent]))


def _agree_with_differences(f, inputs, name, gradient):
    """The error of the smaller step is at most its distance to the larger step's."""
    fine = numeric_gradient(f, inputs, name, five_point, STEP)
    coarse = numeric_gradient(f, inputs, name, five_point, 2 * STEP)
    if gradient.shape != fine.shape:
        raise Wrong(f"{name} has shape {gradient.shape}, but it must be {fine.shape}")
    with np.errstate(all="ignore"):
        tolerance = 4 * np.abs(fine - coarse) + _rounding(f, inputs)
        good = np.isfinite(gradient) & (np.abs(gradient - fine) <= tolerance)
    if not good.all() and np.isfinite(fine).all():
        raise Wrong(wrong_words(name), (name, gradient, fine, ~good))


def _rounding(f, inputs):
    """Return what rounding the forward's values may do to a difference over STEP."""
    value = np.abs(f.of(f.function.forward)(**_without(inputs, f.function.takes[0])))
    size = np.sum(np.abs(inputs[f.function.takes[0]]) * (1 + value))
    return NOISE * np.finfo(np.float64).eps * size / STEP


def _without(inputs, name):
    return {each: value for each, value in inputs.items() if each != name}
