"""Is a backward the gradient of its forward? Ask `check_gradients`.

    nested, inputs      arrays inside of tuples, by their names; which of them are moved
    steps       how far to move, and which of many steps to trust
    pair        a forward and its backward, as functions of a row of entries
    noise       how far the two round
    kinks       where f changes from one piece to another
    by_complex_step, by_differences, by_taylor_rate     the numeric gradient: (a) to (d)
    along       a few directions in place of every entry
    compare     the tolerance of each entry
    report      the verdict; words: as it is read
    check       check_gradients

TOLERANCE.md says how the tolerances were found.
"""

from npsoftmax.gradcheck.by_complex_step import complex_step
from npsoftmax.gradcheck.by_differences import (
    central_difference,
    five_point,
    quick_check,
)
from npsoftmax.gradcheck.by_taylor_rate import taylor_rate
from npsoftmax.gradcheck.check import METHODS, check_gradients
from npsoftmax.gradcheck.report import (
    Entry,
    GradientReport,
    InputCheck,
    Kink,
    RateCheck,
)

__all__ = [
    "METHODS",
    "Entry",
    "GradientReport",
    "InputCheck",
    "Kink",
    "RateCheck",
    "central_difference",
    "check_gradients",
    "complex_step",
    "five_point",
    "quick_check",
    "taylor_rate",
]
