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
from npsoftmax.gradcheck.compare import DIFFERENCED, FINE, compared_with
from npsoftmax.gradcheck.report import InputCheck
from npsoftmax.gradcheck.steps import (
    EPS,
    as_rows,
    best_step,
    extrapolated,
    ladders,
    largest_finite,
    lengths_of,
    stepped,
)

# So small an error, of the slope, of few or of many steps will do
FEW, MANY = 1e-9, 1e-5
ASKED = 6  # how many entries are looked at again before one is accused
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

    def slope(f, x, j, h):
        near, far = (_central_slope(f, x, j, times * h) for times in (1, 2))
        return (4 * near - far) / 3  # (b)

    return every_entry(slope, f, x, h)


def quick_check(
    f: Function, x: Numbers, gradient: Numbers, cotangent: Numbers, name: str = "x"
) -> InputCheck:
    """Return the check of the gradient of the sum of cotangent times f, at x.

    f takes an array like x and gives one like cotangent; gradient has x's shape. It is
    for who asks many times: few steps are tried, nothing is asked again, and the noise
    of f is not measured, but taken to be 16 eps (1 + |f|).
    """
    x, lengths = np.asarray(x, dtype=np.float64), lengths_of(x)
    weights = np.asarray(cotangent)
    nu = 16 * EPS * (1 + np.abs(np.asarray(f(x), dtype=np.float64)))

    def slopes(j):
        steps = next(ladders(x[j], lengths[j]))
        return slopes_of(lambda h: f(stepped(x, j, h)), steps, nu, nu, weights, x[j])

    numeric = numeric_gradient(map(slopes, np.ndindex(x.shape))).reshape(x.shape)
    room, no = DIFFERENCED * numeric.error, numeric.rests
    return InputCheck(
        np.asarray(gradient, dtype=np.float64), numeric.gradient, tolerance=room,
        excuse=room, step=numeric.step, kink=no, flat=no, name=name,
        fine=FINE["five-point"],
    )  # fmt: skip


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


# In a check

ENTRY = [("gradient", float), ("error", float), ("step", float), ("rests", bool)]


class Slopes(NamedTuple):
    """The slopes of all outputs, and of the sum of weights times outputs."""

    outputs: np.ndarray
    errors: np.ndarray  # how far each may be off
    slope: float
    error: float  # of the method, and of f's rounding in it
    step: float
    rests: bool = False  # whether f does not move at all


def numeric_gradient(slopes):
    """Return a record array (K,): gradient, error, step and rests of K slopes."""
    return np.array([each[2:] for each in slopes], dtype=ENTRY).view(np.recarray)


def by_differences(pair, noise, method):
    """Return what differences found; before they accuse, all steps are tried."""
    fine, D, acquitted = noise.levels[0], noise.D, []

    def slopes(k):
        line = pair.entry(k)
        found = entry_slopes(line, method, fine, pair.scale[k])
        return found._replace(rests=found.slope == 0 and stays(line).all())

    numeric = numeric_gradient(map(slopes, range(pair.x.size)))
    compared = compared_with(pair, method, numeric, fine, D)
    places = compared.places
    if len(places):
        D = noise.D_scattered
    for asked in filter(len, (places[:ASKED], places[ASKED:])):
        for k in asked:
            found = entry_slopes(pair.entry(k), method, fine)
            numeric[k] = found._replace(rests=numeric.rests[k])[2:]
        compared = compared_with(pair, method, numeric, fine, D)
        wrong = [k for k in asked if compared.wrong[k]]
        acquitted += [k for k in wrong if _acquitted(pair, compared, k, noise.levels)]
        compared.excuse[acquitted] = np.inf
        if compared.wrong[asked].any():
            break
    return compared.report(pair)


def _acquitted(pair, compared, k, levels):
    """Return whether another view of a wrong entry is clear, and bears it out."""
    line, largest = pair.entry(k), pair.by_input(largest_finite, compared.numeric)[k]
    for level, stairs in ((levels[1], True), (levels[0], False)):
        found = entry_slopes(line, compared.name, level, stairs=stairs)
        off, room = abs(found.slope - pair.gradient[k]), DIFFERENCED * found.error
        clear = room <= compared.fine * max(abs(found.slope), largest)
        if clear and off <= compared.tolerance[k] + room:
            return True
    return False


def stays(line):
    """Return which outputs stay the same, to the last bit, far along a line."""
    moved = [line.anywhere(h) for h in line.length * np.concatenate([FAR, -FAR])]
    return np.all(np.array(moved) == line.pair.output, axis=0)


def entry_slopes(line, method, nu, scale=None, stairs=True):
    """Return the slopes of the outputs by the entry of a line.

    All steps are tried; with the scale of slopes a longer ladder only where the error
    is no small part of it. stairs: what stands still may be moving in stairs. Where
    every step leaves the piece of f, its border is crossed.
    """

    def slopes(f, steps, hidden):
        weights = line.pair.weights
        return slopes_of(f, steps, nu, hidden, weights, line.entry, method)

    few, many, deep = ladders(line.entry, line.length)
    hidden = EPS * line.pair.largest if stairs else None
    for steps, enough in () if scale is None else ((few, FEW), (many, MANY)):
        found = slopes(line.inside, steps, hidden)
        if 4 * found.error <= enough * max(abs(found.slope), 1e-5 * scale):
            return found
    if stairs:
        hidden = np.where(stays(line), 0.0, hidden)
    found = slopes(line.inside, deep, hidden)
    known = np.isfinite(found.errors).all()
    return found if known else slopes(line.anywhere, deep, hidden)


def slopes_of(f, steps, nu, hidden, weights, x=0.0, method="five-point"):
    """Return the slopes of the outputs f(h), of noise nu, at h = 0.

    x is what h is added to. hidden: the noise of outputs that never move; None if what
    stands still does so.
    """
    right, left = (np.array([f(s * h) for h in steps]) for s in (1, -1))
    distance = as_rows((x + steps) - (x - steps), right)
    slopes = (right - left) / distance  # (a)
    rounded = np.spacing(np.fmax(np.abs(right), np.abs(left)))
    if hidden is not None:
        nu = noise_if_still(right - left, nu, hidden)
    noise = 4 * np.fmax(rounded, nu) / np.abs(distance)
    if method == "five-point":
        slopes, noise = extrapolated(slopes, steps, noise, order=2)  # (b)
    outputs, errors, which = best_step(slopes, noise)
    slope, error = np.sum(weights * outputs), np.sum(np.abs(weights) * errors)
    step = float(steps[np.max(which, initial=0)])
    return Slopes(outputs, errors, slope, error, step)


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
