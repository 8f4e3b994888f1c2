"""In: the passes of an example, and one of their gradients. Out: the same gradient by
differences, how far the two are apart, and where that is far, why.

This is the one place of the trace that differentiates by differences.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import npsoftmax
from npsoftmax import textbook
from npsoftmax.gradcheck import central_difference, complex_step
from npsoftmax.precision import power_of_two
from npsoftmax.trace.numbers import CLOSE, relative
from npsoftmax.trace.passes import Run

H = 2.0**-17  # the step
EPS = float(np.finfo(np.float64).eps)
KNOT = "on a knot the slope has a kink: differences are off by about h"
END = "the angles end here, and with them psi: differences see what lies beyond"
COMPLEX = "the complex step, of the robust function,"


class Remark(NamedTuple):
    """What is said of a value beside the line that computes it."""

    note: str = ""
    numeric: np.ndarray | None = None  # by differences, the value's shape
    difference: float | None = None  # relative, of the page's gradient from it


def by_differences(runs: Sequence[Run], i: int, j: int, cotangent) -> Remark:
    """Return the gradient of sum(cotangent * last value) by argument j of run i."""
    loss = functools.partial(_loss, runs, i, j, cotangent)
    robust = functools.partial(loss, module=npsoftmax)  # takes complex numbers, too
    run, argument = runs[i], np.asarray(runs[i].arguments[j])
    gradient, h = run.gradients[j], np.array(H)
    if run.layer == "lsoftmax":  # a row of x, a column of W, may have any size
        h = H * power_of_two(np.abs(argument).max(axis=1 - j, keepdims=True))
    if run.layer == "psi" and abs(argument) + H > 1:
        return _by_complex_step(robust, argument, gradient, "a cosine ends here")
    try:
        remark = _by_central(loss, argument, h, gradient, _doubt(runs[i:]))
    except ValueError:
        why = "beside this number h is lost"
        return _by_complex_step(robust, argument, gradient, why)
    if remark.difference < CLOSE or remark.note:
        return remark
    # numbers around 1e150 need a step that would be lost below 1e-150
    by_complex_step = [complex_step(robust, argument, 2.0**n) for n in (-100, -600)]
    if min(relative(gradient, numeric) for numeric in by_complex_step) < CLOSE:
        note = f"the loss bends within the step: {COMPLEX} agrees with the gradient"
        return remark._replace(note=note)
    return remark


def _loss(runs, i, j, cotangent, argument, module=textbook):
    """Return sum(cotangent * last value) with another argument j of run i."""
    before, after = runs[i].arguments[:j], runs[i].arguments[j + 1 :]
    value = runs[i].forward_in(module)(*before, argument, *after)[0]
    for later in runs[i + 1 :]:
        value = later.forward_in(module)(value, *later.arguments[1:])[0]
    return np.sum(cotangent * value)


def slope_by_differences(run: Run) -> Remark:
    """Return dpsi/dtheta once more, of the page's psi."""
    m, theta = run.cache.m, run.cache.theta
    doubt = _doubt([run]) or ("" if H < theta < np.pi - H else END)
    return _by_central(lambda a: textbook.psi(a, m), theta, H, run.slope, doubt)


def _by_central(f, x, h, gradient, doubt):
    numeric = central_difference(f, x, h)
    difference = relative(gradient, numeric)
    far = difference >= CLOSE
    note = (doubt or _rounding(f(x), np.min(h), gradient)) if far else ""
    return Remark(note, numeric, difference)


def _by_complex_step(f, x, gradient, why):
    numeric = complex_step(f, x)
    return Remark(f"{why}: {COMPLEX} instead", numeric, relative(gradient, numeric))


def _doubt(runs):
    """Return why the differences of the first of runs may be off, or nothing."""
    for run in runs:
        if run.on_kink():
            return f"{run.name('h')} is on a kink: differences see both its sides"
        pieces = [piece for _, piece in run.pieces()]
        if not all(pieces):
            return "at a vector 0 the loss has a tip: differences see both its sides"
        if any(piece.knot for piece in pieces):
            return KNOT
    return ""


def _rounding(value, h, gradient):
    """Return a note where f is so large that f(x + h) rounds the difference away."""
    if EPS * np.abs(value) / h > CLOSE * np.abs(gradient).max():
        return "the value moves by less than its rounding: differences see nothing"
    return ""
