"""A function, a point and a gradient go in; an InputCheck with few steps comes out.

For whoever asks many times: the slopes and errors are those of a check by differences,
but nothing is tried again, and the noise of f is not measured but taken as given.
"""

from __future__ import annotations

import numpy as np

from npsoftmax.arrays import Function, Numbers
from npsoftmax.gradcheck.by_differences import EPS, slopes_of
from npsoftmax.gradcheck.report import InputCheck
from npsoftmax.gradcheck.steps import ladders, lengths_of, stepped

NOISE = 16  # how many eps (1 + |f|) the rounding of f may come to


def quick_check(
    f: Function, x: Numbers, gradient: Numbers, cotangent: Numbers, name: str = "x"
) -> InputCheck:
    """Return the check of the gradient of the sum of cotangent times f, at x.

    f takes an array like x and gives one like cotangent; gradient has x's shape.
    """
    x = np.asarray(x, dtype=np.float64)
    value = np.asarray(f(x), dtype=np.float64)
    nu, lengths = NOISE * EPS * (1 + np.abs(value)), lengths_of(x)
    numeric, error, step = (np.zeros(x.shape) for _ in range(3))
    for j in np.ndindex(x.shape):
        steps = next(ladders(x[j], lengths[j]))
        found = slopes_of(
            f, lambda t, j=j: stepped(x, j, t), steps, nu, x[j], hidden=nu
        )
        numeric[j], error[j] = found.summed(np.asarray(cotangent))
        step[j] = found.step
    no = np.zeros(x.shape, dtype=bool)
    return InputCheck(
        name, x.shape, np.asarray(gradient, dtype=np.float64), numeric,
        tolerance=4 * error, excuse=4 * error, step=step, kink=no, flat=no, fine=1e-2,
    )  # fmt: skip
