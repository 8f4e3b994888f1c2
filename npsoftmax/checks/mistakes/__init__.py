"""The mistakes that people make, as edits of the page: a file a layer, in its order.

What can go wrong in any function (a constant factor, a sign, zeros, a transpose, the
last row missing, float32, an argument changed in place) is seen by comparing, and not
listed. A bound, an eps, a base, a fixed m are unknowns of an edit.
"""

from npsoftmax.checks.mistakes import (
    cross_entropy,
    linear,
    lsoftmax,
    psi,
    relu,
    softmax,
)

MISTAKES = (
    *softmax.MISTAKES,
    *cross_entropy.MISTAKES,
    *linear.MISTAKES,
    *relu.MISTAKES,
    *psi.MISTAKES,
    *lsoftmax.MISTAKES,
)
