"""In: the passes of an example, and one of their gradients. Out: the same gradient by
differences, and where the two part, why.

    relative difference = max |gradient - numeric| / max(|gradient|, |numeric|)

This is the one place of the trace that differentiates by differences.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import npsoftmax
from npsoftmax import textbook
from npsoftmax.gradcheck import central_difference, complex_step
from npsoftmax.piece import piece_at
from npsoftmax.precision import power_of_two
from npsoftmax.trace.passes import Run

H = 2.0**-17  # the step
EPS = float(np.finfo(np.float64).eps)
KNOT = "on a knot the slope has a kink: differences are off by about h"
END = "the angles end here, and with them psi: differences see what lies beyond"
COMPLEX = "the complex step, of the robust function,"
CLOSE = 1e-6  # relative; differences with H are closer, unless a note says why not


class Numeric(NamedTuple):
    """A gradient by differences, how far the page's is from it, and why."""

    value: np.ndarray
    difference: float  # relative
    note: str


def by_differences(runs: Sequence[Run], i: int, j: int, cotangent, gradient) -> Numeric:
    """Return the gradient of sum(cotangent * last value) by argument j of run i."""
    loss = functools.partial(_loss, runs, i, j, cotangent)
    argument, h = np.asarray(runs[i].arguments[j]), np.array(H)
    if runs[i].layer == "lsoftmax":  # a row of x, a column of W, may have any size
        h = H * power_of_two(np.abs(argument).max(axis=1 - j, keepdims=True))
    if runs[i].layer == "psi" and abs(argument) + H > 1:
        return _by_complex_step(loss, argument, gradient, "a cosine ends here")
    try:
        numeric = central_difference(loss, argument, h)
    except ValueError:
        why = "beside this number h is lost"
        return _by_complex_step(loss, argument, gradient, why)
    difference = relative(gradient, numeric)
    if difference < CLOSE:
        return Numeric(numeric, difference, "")
    note = _doubt(runs[i:]) or _rounding(loss(argument), h.min(), gradient)
    if not note and _agrees_by_complex_step(loss, argument, gradient):
        note = f"the loss bends within the step: {COMPLEX} agrees with the gradient"
    return Numeric(numeric, difference, note)


def _loss(runs, i, j, cotangent, argument, module=textbook):
    """Return sum(cotangent * last value) with another argument j of run i."""
    before, after = runs[i].arguments[:j], runs[i].arguments[j + 1 :]
    value = runs[i].forward_in(module)(*before, argument, *after)[0]
    for later in runs[i + 1 :]:
        value = later.forward_in(module)(value, *later.arguments[1:])[0]
    return np.sum(cotangent * value)


def _agrees_by_complex_step(loss, argument, gradient):
    """Numbers around 1e150 need a step that would be lost below 1e-150."""
    robust = functools.partial(loss, module=npsoftmax)
    return any(
        relative(gradient, complex_step(robust, argument, h)) < CLOSE
        for h in (2.0**-100, 2.0**-600)
    )


def slope_by_differences(cache: textbook.PsiCache, slope) -> Numeric:
    """Return dpsi/dtheta once more, of the page's psi."""
    numeric = central_difference(lambda a: textbook.psi(a, cache.m), cache.theta, H)
    difference = relative(slope, numeric)
    note = ""
    if difference >= CLOSE:
        knot = piece_at(np.degrees(cache.theta), cache.m).knot
        end = not H < cache.theta < np.pi - H
        note = KNOT if knot else END if end else _rounding(cache.psi, H, slope)
    return Numeric(numeric, difference, note)


def _by_complex_step(loss, argument, gradient, why):
    """The page's functions take no complex numbers; the robust ones do."""
    numeric = complex_step(functools.partial(loss, module=npsoftmax), argument)
    note = f"{why}: {COMPLEX} instead"
    return Numeric(numeric, relative(gradient, numeric), note)


def relative(gradient, numeric) -> float:
    """Return how far two gradients are apart, for the largest entry of both."""
    size = max(np.abs(gradient).max(), np.abs(numeric).max())
    return float(np.abs(gradient - numeric).max() / size) if size else 0.0


def _doubt(runs):
    """Return why the differences of the first of runs are off, or an empty string."""
    for run in runs:
        if run.on_kink():
            return f"{run.name('h')} is on a kink: differences see both its sides"
        if run.layer == "lsoftmax" and not run.cache.has_angle.all():
            return "at a vector 0 the loss has a tip: differences see both its sides"
        cache = run.psi_cache()
        if cache and any(piece_at(a, cache.m).knot for a in run.angles()):
            return KNOT
    return ""


def _rounding(value, h, gradient):
    """Return a note where f is so large that f(x + h) rounds the difference away."""
    if EPS * np.abs(value) / h > CLOSE * np.abs(gradient).max():
        return "the value moves by less than its rounding: differences see nothing"
    return ""
