"""A backward beside the slope of its own forward, whatever that forward computes.

    numeric = sum over the forward's values of cotangent * dvalue/dinput

npsoftmax's own is held to `check_gradients` with the complex step. A person's forward
is asked at real points only, and many times while an input is made smaller: there two
five-point stencils do, whose distance bounds the error of the finer one.
"""

import numpy as np

from npsoftmax.checks.agree import Kind, Wrong, of_shape, wrong_words
from npsoftmax.gradcheck import check_gradients, five_point

STEP = 2.0**-12
NOISE = 64  # how many eps |value| a forward's own rounding may come to


def agree_with_own_loss(f, inputs):
    """Raise `Wrong` unless the backward `f` is the gradient of its own forward."""
    if f.demand == "reference":
        _agree_to_the_last_digits(f, inputs)
        return
    for name, gradient in f.results(**inputs).items():
        if gradient is not None:
            _agree_with_differences(f, inputs, name, np.asarray(gradient))


def thorough_check(f, inputs, method="five-point"):
    """Return the report of `check_gradients` on the forward and backward at inputs."""
    takes = f.of(f.function.forward).function.takes
    return check_gradients(
        f.solution[f.function.forward],
        f.solution[f.name],
        tuple(inputs[name] for name in takes),
        method=method,
        cotangent=inputs[f.function.takes[0]],
    )


def _agree_to_the_last_digits(f, inputs):
    checked = thorough_check(f, inputs, "complex step")
    if checked.problems:
        raise Wrong(Kind.VALUE, checked.problems[0])
    for each in checked.inputs:
        if each.wrong.any():
            table = (f"d{each.name}", each.analytic, each.numeric, each.wrong)
            raise Wrong(Kind.VALUE, wrong_words(f"d{each.name}"), table)


def _numeric_gradient(f, inputs, name, h):
    """Return the gradient `name` of the forward of `f`, by the five-point stencil."""
    cotangent, forward = f.function.takes[0], f.of(f.function.forward)
    given = _without(inputs, cotangent)

    def value_of(array):
        return np.asarray(forward(**(given | {name[1:]: array})))

    slopes = five_point(value_of, inputs[name[1:]], h)
    return np.tensordot(inputs[cotangent], slopes, axes=np.ndim(inputs[cotangent]))


def _agree_with_differences(f, inputs, name, gradient):
    """The error of the smaller step is at most its distance to the larger step's."""
    fine = _numeric_gradient(f, inputs, name, STEP)
    coarse = _numeric_gradient(f, inputs, name, 2 * STEP)
    of_shape(name, gradient, fine.shape)
    with np.errstate(all="ignore"):
        tolerance = 4 * np.abs(fine - coarse) + _rounding(f, inputs)
        good = np.isfinite(gradient) & (np.abs(gradient - fine) <= tolerance)
    if not good.all() and np.isfinite(fine).all():
        table = (name, gradient, fine, ~good)
        raise Wrong(Kind.VALUE, wrong_words(name), table)


def _rounding(f, inputs):
    """Return what rounding the forward's values may do to a difference over STEP."""
    value = np.abs(f.of(f.function.forward)(**_without(inputs, f.function.takes[0])))
    size = np.sum(np.abs(inputs[f.function.takes[0]]) * (1 + value))
    return NOISE * np.finfo(np.float64).eps * size / STEP


def _without(inputs, name):
    return {each: value for each, value in inputs.items() if each != name}
