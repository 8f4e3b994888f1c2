"""Softmax cross-entropy: logits z and labels y to the mean loss, and back.

    (2)  loss = -(1/N) sum_i log p_{i, y_i}          with log p by (1) of softmax.py
    (3)  dz_ij = p_ij / N                            for j != y_i, all times dloss
         dz_{i, y_i} = -(1/N) sum_{j != y_i} p_ij    which is (p_{i, y_i} - 1) / N

Where this parts from textbook.py, beside what softmax.py says:
* the label's own entry is the sum of the others: for [50, 0] and label 0 it is
  -1.9e-22, there p - 1 = 0;
* dloss / (N sum of all e) is one factor: 25,400 rows of ten logits, 127 at a time, have
  6.6 ULP there, 4.2 here;
* the mean is of a sum rounded once: 127 equal losses have 5.3 ULP there, 0.3 here.

Loss and gradient are within 6 ULP in float64 (5.0 was found), and rounded once from
float64 in float32 and float16.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npsoftmax import validate
from npsoftmax.arrays import Array, Integers, Numbers
from npsoftmax.precision import mean, places, rounded
from npsoftmax.softmax import float_type, shifted_exponentials


class CrossEntropyCache(NamedTuple):
    """The intermediates of (1) and (2), in order of computation."""

    y: Integers  # (N,) labels
    top: Integers  # (N,) the column of the largest logit
    d: Array  # (N, C) z - max z
    e: Array  # (N, C) exp(z - max z)
    r: Array  # (N,) the sum of all e but the largest
    log_p_y: Array  # (N,) the label's log-probability
    loss: np.floating  # ()


def cross_entropy_forward(
    z: Numbers, y: Numbers
) -> tuple[np.floating, CrossEntropyCache]:
    """Return the mean loss of logits z (N, C) and labels y (N,), and the cache.

    Labels are integers from 0 to C-1. Raises ValueError for a label out of range, an
    empty batch or shapes that do not fit, TypeError for what is no number.

    >>> float(cross_entropy_forward([[50.0, 0.0]], [0])[0])  # log(1 + 2e-22) is 0
    1.9287498479639178e-22
    """
    z = validate.logits(z)
    y = validate.labels(y, *z.shape)
    top, d, e, r = shifted_exponentials(z)  # (N,), (N, C), (N, C), (N,) (1)
    log_p_y = d.take(places(y, z.shape[1])) - np.log1p(r)  # (N,) (1)
    loss = rounded(mean(-log_p_y), float_type(z))  # () (2)
    return loss, CrossEntropyCache(y, top, d, e, r, log_p_y, loss)


def cross_entropy_backward(dloss: Numbers, cache: CrossEntropyCache) -> Array:
    """Return dz (N, C) by (3); dloss is the derivative of the final loss by `loss`."""
    y, top, d, e, r, log_p_y, loss = validate.cache(cache, CrossEntropyCache)
    dloss = validate.gradient("dloss", dloss, ())
    label = places(y, d.shape[1])  # (N,)
    s = 1 + r  # (N,)
    others = np.where(y == top, r, s - e.take(label))  # (N,) all e but the label's
    share = dloss / (len(y) * s)  # (N,) dloss / (N sum of all e)
    dz = e * share[:, None]  # (N, C) (3)
    dz.put(label, -others * share)  # (N, C) (3)
    return rounded(dz, loss.dtype)
