"""A backward beside the slope of its own forward, whatever that forward computes.

    numeric = sum over the forward's values of cotangent * dvalue/dinput

npsoftmax's own is held to `check_gradients` with the complex step. A person's forward
is asked at real points only, and many times while an input is made smaller: there the
few steps of `quick_check` do.
"""

import numpy as np

from npsoftmax.checks.agree import Kind, Wrong, of_shape, wrong_words
from npsoftmax.gradcheck import check_gradients, quick_check


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
    if not np.any(inputs[f.function.takes[0]]):
        return  # a cotangent of 0 tells nothing
    checked = thorough_check(f, inputs, "complex step")
    if checked.problems:
        raise Wrong(Kind.VALUE, checked.problems[0])
    for each in checked.inputs if checked.verdict == "wrong" else ():
        if each.wrong.any():
            table = (f"d{each.name}", each.analytic, each.numeric, each.wrong)
            raise Wrong(Kind.VALUE, wrong_words(f"d{each.name}"), table)


def _agree_with_differences(f, inputs, name, gradient):
    cotangent, forward = f.function.takes[0], f.of(f.function.forward)
    given = _without(inputs, cotangent)

    def value_of(array):
        return np.asarray(forward(**(given | {name[1:]: array})))

    x = np.asarray(inputs[name[1:]])
    of_shape(name, gradient, x.shape)
    with np.errstate(all="ignore"):
        check = quick_check(value_of, x, gradient, inputs[cotangent], name)
    if check.wrong.any():
        table = (name, gradient, check.numeric, check.wrong)
        raise Wrong(Kind.VALUE, wrong_words(name), table)


def _without(inputs, name):
    return {each: value for each, value in inputs.items() if each != name}
