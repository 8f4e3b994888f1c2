"""A backward beside the slope of its own forward, whatever that forward computes.

    numeric = sum over the forward's values of cotangent * dvalue/dinput

npsoftmax's own is held to `check_gradients` with the complex step. A person's forward
is asked at real points only: by the five-point stencil.
"""

import inspect

import numpy as np

from npsoftmax.checks.contract import CONTRACT
from npsoftmax.checks.subject import Wrong, wrong_words
from npsoftmax.gradcheck import check_gradients


def agree_with_own_loss(f, inputs):
    """Raise `Wrong` unless the backward `f` is the gradient of its own forward.

    A cotangent of 0 tells nothing of it.
    """
    if not np.any(inputs[f.function.takes[0]]):
        return
    if f.demand == "reference":
        _raise_if_wrong(thorough_check(f, inputs, "complex step"))
        return
    gradients = f.results(**inputs)
    for name, gradient in gradients.items():
        shape = np.shape(inputs[name[1:]])
        if gradient is not None and np.shape(gradient) != shape:
            has = f"has shape {np.shape(gradient)}, but it must be {shape}"
            raise Wrong(f"{name} {has}")
    wrt = [name[1:] for name, gradient in gradients.items() if gradient is not None]
    _raise_if_wrong(_check_as_asked(f, inputs, wrt))


def thorough_check(f, inputs, method="five-point"):
    """Return the report of `check_gradients` on the forward and backward at inputs."""
    takes = CONTRACT[f.function.forward].takes
    return check_gradients(
        f.solution[f.function.forward],
        f.solution[f.name],
        tuple(inputs[name] for name in takes),
        method=method,
        cotangent=inputs[f.function.takes[0]],
    )


def _check_as_asked(f, inputs, wrt):
    """Return the report on what the subject makes of the two, whatever their manner."""
    cotangent = f.function.takes[0]
    held = {name: value for name, value in inputs.items() if name != cotangent}
    forward_of = f.of(f.function.forward)

    def forward(*arrays):
        given = held | dict(zip(wrt, arrays, strict=True))
        return np.asarray(forward_of(**given), dtype=np.float64), arrays

    def backward(d_value, arrays):
        given = held | dict(zip(wrt, arrays, strict=True)) | {cotangent: d_value}
        found = f.results(**given)
        return tuple(np.asarray(found[f"d{name}"]) for name in wrt)

    forward.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in wrt]
    )
    return check_gradients(
        forward, backward, tuple(np.asarray(held[name], float) for name in wrt),
        method="five-point", cotangent=inputs[cotangent],
    )  # fmt: skip


def _raise_if_wrong(checked):
    if checked.problems:
        raise Wrong(checked.problems[0])
    if checked.verdict == "wrong":
        for each in checked.entries:
            if each.wrong.any():
                table = (f"d{each.name}", each.analytic, each.numeric, each.wrong)
                raise Wrong(wrong_words(f"d{each.name}"), table)
