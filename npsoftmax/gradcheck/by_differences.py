"""A function f and a point x go in; df/dx by differences of f comes out:

    (a) central differences   f' = (f(x + h) - f(x - h)) / 2h               + O(h^2)
    (b) five-point            f' = (4 D(h) - D(2h)) / 3, with D(h) from (a) + O(h^4)

A difference cancels digits, so its h must not be too small. In a check many steps are
tried, and the one of least error is taken: for each entry and each output its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npsoftmax.arrays import Array, Function, Numbers
from npsoftmax.gradcheck.steps import (
    as_rows,
    best_step,
    extrapolated,
    ladders,
    lengths_of,
    stepped,
)

ENOUGH = (1e-9, 1e-5, 0.0)  # of the slope: no longer ladder is then tried
EPS = float(np.finfo(np.float64).eps)
FAR = 2.0 ** np.array([-3, 0, 7, 20])  # lengths that a function at rest is moved


def central_difference(f: Function, x: Numbers, h: Numbers = 2.0**-17) -> Array:
    """Return df/dx by central differences (a): the shape of f(x), then that of x.

    f takes an array like x and gives an array or a number; h is the step, or an array
    of steps, one for each entry of x. For a number f this is the gradient. Raises
    ValueError where x + h and x - h are the same number.
    """
    return every_entry(_central_slope, f, x, h)


def five_point(f: Function, x: Numbers, h: Numbers = 2.0**-10) -> Array:
    """Return df/dx by the five-point stencil (b): the shape of f(x), then that of x.

    f, x and h as for `central_difference`. The error is O(h^4), so the step can be
    larger, and fewer digits cancel.
    """
    return every_entry(_five_point_slope, f, x, h)


def every_entry(slope, f, x, h):
    """Return slope(f, x, j, h) for every entry j of x, in the last axes."""
    x = np.asarray(x)
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    h = np.broadcast_to(h, x.shape)
    columns = [slope(f, x, j, float(h[j])) for j in np.ndindex(x.shape)]
    if not columns:
        return np.zeros(np.shape(f(x)) + x.shape)
    return np.stack(columns, axis=-1).reshape(np.shape(columns[0]) + x.shape)


def _central_slope(f, x, j, h):
    right, left = stepped(x, j, h), stepped(x, j, -h)
    distance = float(right[j]) - float(left[j])
    if distance == 0:
        raise ValueError(
            f"h is {h}, which is lost beside x = {x[j]}: it must be at least "
            f"{np.spacing(abs(x[j]))}"
        )
    return (f(right) - f(left)) / distance  # (a)


def _five_point_slope(f, x, j, h):
    return (4 * _central_slope(f, x, j, h) - _central_slope(f, x, j, 2 * h)) / 3  # (b)


# In a check


class Numeric(NamedTuple):
    """A gradient by one leaf as a method gives it; all arrays have the leaf's shape."""

    gradient: np.ndarray
    error: np.ndarray  # of the method, and of f's rounding in it
    step: np.ndarray
    flat: np.ndarray  # bool: f does not move with this entry


class Slopes(NamedTuple):
    """The slopes of all outputs, and how far each may be off."""

    value: np.ndarray
    error: np.ndarray
    step: float

    def summed(self, weights):
        """Return the slope, and its error, of the sum of weights times outputs."""
        size = np.abs(weights)
        return np.sum(weights * self.value), np.sum(size * self.error)


def differences(pair, n, method, nu):
    """Return the gradient by moved leaf n, each entry by its best steps."""
    x = pair.leaves[pair.moved[n]]
    gradient, error, step = (np.zeros(x.shape) for _ in range(3))
    flat = np.zeros(x.shape, dtype=bool)
    for j in np.ndindex(x.shape):
        slopes = entry_slopes(pair, n, j, method, nu, thorough=False)
        gradient[j], error[j] = slopes.summed(pair.weights)
        step[j] = slopes.step
        flat[j] = gradient[j] == 0 and rests(pair, n, j)
    return Numeric(gradient, error, step, flat)


def rests(pair, n, j):
    """Return whether all outputs stay the same when entry j goes far."""
    return bool(np.all(still_far(pair, n, j)))


def still_far(pair, n, j):
    """Return which outputs are the same, to the last bit, when entry j goes far."""
    i = pair.moved[n]
    x = pair.leaves[i]
    steps = lengths_of(x)[j] * np.concatenate([FAR, -FAR])
    moved = [pair.anywhere(pair.replaced(i, stepped(x, j, h))) for h in steps]
    return np.all(np.array(moved) == pair.output, axis=0)


def entry_slopes(pair, n, j, method, nu, thorough=True, stairs=True):
    """Return the slopes of the outputs by entry j of moved leaf n.

    By default all steps are tried; else a longer ladder only where the error is no
    small part of the slope. stairs: what stands still may be moving in stairs. Where
    every step leaves the piece of f, its border is crossed.
    """
    i = pair.moved[n]
    x = pair.leaves[i]
    size = 1e-5 * largest_finite(pair.gradients[n])
    hidden = EPS * pair.largest if stairs else None

    def slopes(steps, output=pair.inside):
        def move(t):
            return pair.replaced(i, stepped(x, j, t))

        return slopes_of(output, move, steps, nu, x[j], method, hidden)

    for steps, enough in zip(ladders(x[j], lengths_of(x)[j]), ENOUGH, strict=True):
        if thorough and enough:
            continue
        if stairs and not enough:
            hidden = np.where(still_far(pair, n, j), 0.0, EPS * pair.largest)
        found = slopes(steps)
        value, error = found.summed(pair.weights)
        if 4 * error <= enough * max(abs(value), size):
            return found
    return found if np.isfinite(found.error).all() else slopes(steps, pair.anywhere)


def slopes_of(output, move, steps, nu, x=0.0, method="five-point", hidden=0.0):
    """Return the slopes of the outputs along move, a function of t to leaves.

    hidden: the noise of outputs that never move; None if what stands still does so.
    """
    right, left = (np.array([output(move(s * h)) for h in steps]) for s in (1, -1))
    distance = as_rows((x + steps) - (x - steps), right)
    slopes = (right - left) / distance  # (a)
    rounded = np.spacing(np.fmax(np.abs(right), np.abs(left)))
    if hidden is not None:
        nu = noise_if_still(right - left, nu, hidden)
    noise = 4 * np.fmax(rounded, nu) / np.abs(distance)
    if method == "five-point":
        slopes, noise = extrapolated(slopes, steps, noise)  # (b)
    value, error, which = best_step(slopes, noise)
    return Slopes(value, error, float(steps[np.max(which, initial=0)]))


def noise_if_still(changes, nu, hidden):
    """Return nu, but where f stood still for a step the smallest of its other changes.

    There its noise does not show: log(1 + e^-7) moves in steps of an ulp of 1. Where f
    never moves, as log(1 + e^-50), it is hidden: an ulp of the largest number in f.
    """
    sizes = np.abs(changes)
    still = np.any(sizes == 0, axis=0)
    quantum = np.min(np.where(sizes > 0, sizes, np.inf), axis=0)
    quantum = np.where(np.isfinite(quantum), quantum, hidden)
    return np.where(still, np.fmax(nu, quantum), nu)


def largest_finite(a):
    """Return the largest size in a, not counting nan and inf; 0 if there is none."""
    return np.max(np.abs(a), initial=0.0, where=np.isfinite(a))
