"""A failing input made smaller still: rows, columns and classes that play no part go.

Hypothesis makes the numbers simple; a size that other draws depend on it cannot always
make small. Here one row, input or class after the other is left out of all the arrays
that have it, as long as the input still fails.
"""

import numpy as np

AXES = {  # the letter of each axis; arrays that share a letter share that size
    **dict.fromkeys(("z", "dp", "dlog_p", "dz"), "NC"),
    **dict.fromkeys(("h", "da"), "NH"),
    **dict.fromkeys(("theta", "cos", "dpsi"), "AB"),
    "x": "ND",
    "W": "DC",
    "b": "C",
    "y": "N",
}


def trimmed(inputs, still_fails):
    """Return the inputs without what can be left out; still_fails(inputs) decides."""
    smaller = True
    while smaller:
        smaller = next(filter(still_fails, _one_less(inputs)), None)
        inputs = smaller or inputs
    return inputs


def _one_less(inputs):
    """Yield the inputs with one row, column or class left out, in all possible ways."""
    sizes = {}
    for name, value in inputs.items():
        if isinstance(value, np.ndarray):
            sizes |= dict(zip(_axes(name, value), value.shape, strict=True))
    for letter, size in sizes.items():
        for index in reversed(range(size if size > 1 else 0)):
            smaller = {
                name: _without(name, value, letter, index)
                for name, value in inputs.items()
            }
            if not _is_label(letter, index, inputs) and _has_angles(inputs, smaller):
                yield smaller


def _is_label(letter, index, inputs):
    return letter == "C" and index in inputs.get("y", ())


def _has_angles(inputs, smaller):
    """Return whether no angle of L-Softmax has got lost, nor the plane it lies in."""
    if not {"x", "W", "m"} <= inputs.keys() or smaller["x"].shape == inputs["x"].shape:
        return True
    if smaller["x"].shape[1] < min(2, inputs["x"].shape[1]):
        return False
    return all(
        len(smaller[name]) == 0 or _lost(inputs[name], smaller[name], axis) == 0
        for name, axis in (("x", 1), ("W", 0))
        if smaller[name].shape[1 - axis] == inputs[name].shape[1 - axis]
    )


def _lost(before, after, axis):
    """Return how many vectors have become zero."""
    return np.sum(before.any(axis=axis) & ~after.any(axis=axis))


def _axes(name, value):
    return AXES[name][: value.ndim] if value.ndim <= 2 else "NCK"


def _without(name, value, letter, index):
    if not isinstance(value, np.ndarray):
        return value
    if name == "y" and letter == "C":
        return value - (value > index)
    axes = _axes(name, value)
    return np.delete(value, index, axes.index(letter)) if letter in axes else value
