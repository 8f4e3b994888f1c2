"""The gradient that backward gave and a numeric one go in; a comparison comes out,
entry by entry, with the tolerance of each. TOLERANCE.md says how it was found.
"""

from dataclasses import dataclass, fields

import numpy as np

from npsoftmax.gradcheck.kinks import explains
from npsoftmax.gradcheck.report import GradientReport, InputCheck, Kink
from npsoftmax.gradcheck.steps import EPS, largest_finite

FINE = {"complex step": 1e-6, "five-point": 1e-2, "central": 1e-2}  # must be seen
# Two right ways to compute a gradient differ by a few moves, and the luck of 8 draws
MOVED = 64  # times what an ulp in everything does to the analytic gradient
# An entry 0 does not move, though it is a sum of terms like its neighbours'
ROUNDED = 8  # eps of the largest entry
SUMMED = 1e-13  # of the entry itself: long sums round while moves cancel
DIFFERENCED = 4  # times the error of a difference, which is seen in three steps


@dataclass(frozen=True, repr=False)
class Compared(InputCheck):
    """All entries of a pair, in a row, and the kinks that some are on."""

    kinks: list[Kink]

    @property
    def places(self):
        """Return where an entry is beyond its tolerance, largest errors first."""
        places = np.flatnonzero((self.wrong | self.excused) & ~self.kink)
        return places[np.argsort(-np.abs(self.error[places]), kind="stable")]

    def report(self, pair):
        """Return the report, input by input; self.name is the method."""
        *rows, method, fine = (getattr(self, each.name) for each in fields(InputCheck))
        checks = tuple(
            InputCheck(*arrays, leaf.name, fine)
            for leaf, *arrays in zip(pair.moved, *map(pair.split, rows), strict=True)
        )
        return GradientReport(method, checks, tuple(self.kinks))


def compared_with(pair, method, numeric, nu, D):
    """Return the gradient of a pair beside a numeric one, and the kinks.

    Where an output is nan or inf only what agrees is compared.
    """
    gradient, size = numeric.gradient, np.abs(numeric.gradient)
    unit = EPS * pair.by_input(largest_finite, gradient)
    least = ROUNDED * unit + SUMMED * size
    tolerance = least + MOVED * np.fmin(D, unit) + DIFFERENCED / 2 * numeric.error
    excuse = least + MOVED * D + DIFFERENCED * numeric.error
    if pair.dead.any():
        agrees = np.abs(pair.gradient - gradient) <= tolerance
        gradient = np.where(agrees & ~numeric.rests, gradient, np.nan)
    kink = np.zeros(size.shape, dtype=bool)
    compared = Compared(
        pair.gradient, gradient, tolerance, excuse, numeric.step, kink, numeric.rests,
        method, FINE[method], kinks=[],
    )  # fmt: skip
    for k in np.flatnonzero(compared.wrong | compared.excused):
        what = explains(pair.entry(k), pair.gradient[k], nu)
        if what:
            kink[k] = True
            compared.kinks.append(Kink(pair.label(k), what))
    return compared
