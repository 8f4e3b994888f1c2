"""The gradient that backward gave and a numeric one go in; a comparison comes out,
entry by entry, with the tolerance of each. TOLERANCE.md says how it was found.
"""

from dataclasses import dataclass, field, fields

import numpy as np

from npsoftmax.gradcheck.kinks import explains
from npsoftmax.gradcheck.report import Comparison, GradientReport, InputCheck, Kink
from npsoftmax.gradcheck.steps import EPS, largest_finite

FINE = {"complex step": 1e-6, "five-point": 1e-2, "central": 1e-2}  # must be seen
MOVED = 64  # times what an ulp in everything does to the analytic gradient
ROUNDED = 8  # eps of the largest entry
SUMMED = 1e-13  # of the entry itself
DIFFERENCED = 4  # times the error of a difference, in by_differences


@dataclass(frozen=True, repr=False)
class Compared(Comparison):
    """All entries of a pair, in a row, and the kinks that some are on."""

    kinks: list[Kink] = field(default_factory=list)

    @property
    def places(self):
        """Return where an entry is beyond its tolerance, largest errors first."""
        places = np.flatnonzero((self.wrong | self.excused) & ~self.kink)
        return places[np.argsort(-np.abs(self.error[places]), kind="stable")]

    def report(self, pair, method):
        """Return the report, input by input."""
        names = [each.name for each in fields(Comparison)]
        split = zip(*(pair.split(getattr(self, name)) for name in names), strict=True)
        checks = tuple(
            InputCheck(*arrays, name=leaf.name, fine=FINE[method])
            for leaf, arrays in zip(pair.moved, split, strict=True)
        )
        return GradientReport(method, checks, tuple(self.kinks))


def compared_with(pair, numeric, nu, D):
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
        gradient = np.where(agrees & ~numeric.flat, gradient, np.nan)
    kink = np.zeros(size.shape, dtype=bool)
    compared = Compared(
        pair.gradient, gradient, tolerance, excuse, numeric.step, kink, numeric.flat
    )
    for k in np.flatnonzero(compared.wrong | compared.excused):
        what = explains(pair.entry(k), pair.gradient[k], nu)
        if what:
            kink[k] = True
            compared.kinks.append(Kink(pair.label(k), what))
    return compared


def rounding_room(pair, D):
    """Return how far each entry of the gradient may be off by its rounding."""
    return MOVED * D + SUMMED * np.abs(pair.gradient)
