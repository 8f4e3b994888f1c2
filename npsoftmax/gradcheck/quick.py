"""A function, a point and a gradient go in; an InputCheck with few steps comes out.

For whoever asks many times: the slopes and errors are those of a check by differences,
but nothing is tried again, and the noise of f is not measured but taken as given.
"""

from __future__ import annotations

import numpy as np

from npsoftmax.arrays import Function, Numbers
from npsoftmax.gradcheck.by_differences import numeric_gradient, slopes_of
from npsoftmax.gradcheck.compare import DIFFERENCED, FINE
from npsoftmax.gradcheck.report import InputCheck
from npsoftmax.gradcheck.steps import EPS, ladders, lengths_of, stepped

NOISE = 16  # how many eps (1 + |f|) the rounding of f may come to


def quick_check(
    f: Function, x: Numbers, gradient: Numbers, cotangent: Numbers, name: str = "x"
) -> InputCheck:
    """Return the check of the gradient of the sum of cotangent times f, at x.

    f takes an array like x and gives one like cotangent; gradient has x's shape.
    """
    x, lengths = np.asarray(x, dtype=np.float64), lengths_of(x)
    weights = np.asarray(cotangent)
    nu = NOISE * EPS * (1 + np.abs(np.asarray(f(x), dtype=np.float64)))

    def slopes(j):
        steps = next(ladders(x[j], lengths[j]))
        return slopes_of(lambda h: f(stepped(x, j, h)), steps, nu, nu, weights, x[j])

    entries = [(*slopes(j)[2:], False) for j in np.ndindex(x.shape)]
    numeric = numeric_gradient(entries).reshape(x.shape)
    room, no = DIFFERENCED * numeric.error, numeric.rests
    return InputCheck(
        np.asarray(gradient, dtype=np.float64), numeric.gradient, tolerance=room,
        excuse=room, step=numeric.step, kink=no, flat=no, name=name,
        fine=FINE["five-point"],
    )  # fmt: skip
