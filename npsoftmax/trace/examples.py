"""In: a name and a few numbers. Out: the layers of a hand-sized example."""

import functools
import inspect
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from npsoftmax import validate
from npsoftmax.trace.passes import Run

LARGEST_NORM = 1e150  # the squares of larger ones leave float64


class Example(NamedTuple):
    """The layers of an example, in order, and the gradient by what the last gives."""

    title: str
    runs: Sequence[Run]
    cotangent: np.ndarray | float


def example(what: str, options) -> Example:
    """Return the example of a name with these options, each checked before."""
    if what not in EXAMPLES:
        raise ValueError(f"there is no trace of {what!r}: {', '.join(EXAMPLES)}")
    draw = EXAMPLES[what]
    known = inspect.signature(draw).parameters
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if name not in known:
            has = ", ".join(known)
            raise ValueError(f"{name} is {value}, but {what} has no {name}: only {has}")
    return draw(**{name: CHECKS[name](value) for name, value in given.items()})


def _softmax(seed=None):
    rng = np.random.default_rng(seed)
    z = [[2, 1, 0]] if seed is None else rng.integers(-3, 4, (1, 3))
    runs = [Run("softmax", (np.array(z, float),))]
    dp = np.array([[1.0, 0, 0]])
    return Example("softmax of one row of three logits; the loss is p[0, 0]", runs, dp)


def _cross_entropy(seed=None):
    rng = np.random.default_rng(seed)
    z = [[2, 1, 0], [0, 3, 0]] if seed is None else rng.integers(-3, 4, (2, 3))
    y = [0, 2] if seed is None else rng.integers(0, 3, 2)
    runs = [Run("cross_entropy", (np.array(z, float), np.array(y)))]
    return Example("cross-entropy of two rows of three logits", runs, 1.0)


def _psi(margin=4, angle=150.0):
    runs = [Run("psi", (np.cos(np.radians(angle)), margin))]
    return Example(f"psi of {angle:g} degrees, m = {margin}", runs, 1.0)


def _l_softmax(margin=4, angle=150.0, norms=(2.0, 1.0), lam=0.0, seed=None):
    rng, theta = np.random.default_rng(seed), np.radians(angle)
    x = norms[0] * np.array([[np.cos(theta), np.sin(theta)]])  # (1, 2)
    others = [[0, -1], [1, 1]] if seed is None else rng.integers(-2, 3, (2, 2))
    W = np.column_stack([[norms[1], 0.0], others])  # (2, 3)
    y = np.array([0])
    runs = [
        Run("lsoftmax", (x, W, y, margin, lam)),
        Run("cross_entropy", (None, y)),
    ]
    title = f"L-Softmax, m = {margin}, lam = {lam:g}, {angle:g} degrees from x to W_y"
    return Example(title, runs, 1.0)


def _mlp(margin=4, lam=0.0, seed=0):
    rng = np.random.default_rng(seed)

    def tenths(*shape):
        return np.round(rng.normal(size=shape), 1)

    x, y = tenths(2, 2), rng.integers(0, 3, 2)  # (2, 2), (2,)
    one = {"W": "W1", "b": "b1", "z": "h1"}
    two = {"x": "a1", "W": "W2", "b": "b2", "z": "h2"}
    three = {"x": "a2", "W": "W3", "b": "b3", "z": "features"}
    runs = [
        Run("linear", (x, tenths(2, 3), tenths(3)), one),
        Run("relu", (None,), {"h": "h1", "a": "a1", "active": "active1"}),
        Run("linear", (None, tenths(3, 3), tenths(3)), two),
        Run("relu", (None,), {"h": "h2", "a": "a2", "active": "active2"}),
        Run("linear", (None, tenths(3, 2), tenths(2)), three),
        Run("lsoftmax", (None, tenths(2, 3), y, margin, lam),
            {"x": "features", "W": "W4"}),
        Run("cross_entropy", (None, y)),
    ]  # fmt: skip
    title = f"the tiny MLP with two images of two pixels, m = {margin}, lam = {lam:g}"
    return Example(title, runs, 1.0)


EXAMPLES = {
    "softmax": _softmax,
    "cross-entropy": _cross_entropy,
    "psi": _psi,
    "l-softmax": _l_softmax,
    "mlp": _mlp,
}


def _check_angle(angle):
    angle = validate.non_negative("angle", angle)
    if angle > 180:
        raise ValueError(f"angle is {angle:g}, but it must be 0 to 180 degrees")
    return angle


def _check_norms(norms):
    if isinstance(norms, str) or not isinstance(norms, Sequence) or len(norms) != 2:
        raise TypeError(f"norms is {norms}, but it must be two numbers, |x| and |W_y|")
    norms = tuple(validate.non_negative("norms", norm) for norm in norms)
    for norm in norms:
        if norm and not 1 / LARGEST_NORM <= norm <= LARGEST_NORM:
            raise ValueError(
                f"norms is {norm:g}, but a trace is for 0 and {1 / LARGEST_NORM:g} to "
                f"{LARGEST_NORM:g}"
            )
    return norms


def _check_seed(seed):
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed is {seed}, but it must be an integer from 0")
    return seed


CHECKS = {
    "margin": validate.margin,
    "angle": _check_angle,
    "norms": _check_norms,
    "lam": functools.partial(validate.non_negative, "lam"),
    "seed": _check_seed,
}
