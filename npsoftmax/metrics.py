"""In: a network's Params, images x and labels y. Out: how often it errs, and angles.

    error       the share of rows whose largest plain logit x W is not the label's:
                the margin is for training only and never enters here
    to_weight   mean angle between a feature and its own class's weight W_y
    to_mean     mean angle between a feature and the mean of its own class
    between     the smallest angle between the means of two classes
    wedge       the angle a margin asks to be empty between two classes

All angles are in degrees, those between a and b by Kahan's formula. Its error is some
eps, also near 0, where arccos has the square root of that: between (1, 0) and (1, 1e-9)
it gives 1e-9, arccos 0. (Where both have entries that round, a small angle has that
error too: relative to itself it may be large.)

    angle(a, b) = 2 arctan2(|u - v|, |u + v|),    u = a/|a|,  v = b/|b|

A vector of length zero has no angle: it is nan here, left out of the means, and counted
in `without_angle`, so that nothing is left out in silence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npsoftmax.arrays import Array, Integers, Numbers
from npsoftmax.lsoftmax import psi
from npsoftmax.mlp import Params, features

ROWS_AT_ONCE = 4096


class Measures(NamedTuple):
    """What is measured of one network on one set of images."""

    error: float  # 0 to 1
    to_weight: float  # degrees
    to_mean: float  # degrees
    between: float  # degrees
    nearest: tuple[int, int]  # the two classes `between` is about
    never: tuple[int, ...]  # classes that have images, and are never predicted
    without_angle: int  # features of length zero, left out of the angles


class PerImage(NamedTuple):
    """What is known of each image, for comparing two networks image by image."""

    wrong: np.ndarray  # (N,) bool
    to_weight: np.ndarray  # (N,) degrees, nan where there is no angle


def measure(params: Params, x: Array, y: Integers) -> Measures:
    """Return the Measures of a network on images x (N, D) with labels y (N,)."""
    return measure_each(params, x, y)[0]


def measure_each(params: Params, x: Array, y: Integers) -> tuple[Measures, PerImage]:
    """Return the Measures, and PerImage what two of them are the means of."""
    f = features_in_blocks(params, x)  # (N, F)
    W = params.W4  # (F, C)
    means = class_means(f, y, W.shape[1])  # (C, F)
    predicted = (f @ W).argmax(axis=1)  # (N,)
    each = PerImage(predicted != y, angle(f, W.T[y]))
    between, nearest = nearest_means(means)
    measures = Measures(
        error=float(each.wrong.mean()),
        to_weight=_mean_of_known(each.to_weight),
        to_mean=_mean_of_known(angle(f, means[y])),
        between=between,
        nearest=nearest,
        never=tuple(np.setdiff1d(y, predicted).tolist()),
        without_angle=int((~f.any(axis=1)).sum()),
    )
    return measures, each


def features_in_blocks(params: Params, x: Array, rows: int = ROWS_AT_ONCE) -> Array:
    """Return the features (N, F) of images x (N, D), a block of rows at a time.

    The hidden layers of 60,000 images at once would need more memory than the images.
    """
    blocks = [features(params, x[i : i + rows]) for i in range(0, len(x), rows)]
    return np.concatenate(blocks)  # (N, F)


def angle(a: Numbers, b: Numbers) -> Array:
    """Return the angles, 0 to 180 degrees, between the rows of a and b (N, F).

    Where a row has length zero, the angle is nan. Source: W. Kahan, "How futile are
    mindless assessments of roundoff in floating-point computation?" (2006), section 12.

    >>> a, b = [[1.0, 0.0]], [[1.0, 1e-9]]  # their cosine rounds to 1
    >>> float(np.radians(angle(a, b))[0])
    1e-09
    """
    u, v = _directions(a), _directions(b)  # (N, F)
    apart = np.sqrt(((u - v) ** 2).sum(axis=-1))  # (N,)
    along = np.sqrt(((u + v) ** 2).sum(axis=-1))  # (N,)
    return np.degrees(2 * np.arctan2(apart, along))  # (N,)


def class_means(f: Array, y: Numbers, C: int) -> Array:
    """Return the mean feature of each class (C, F); nan for a class without a row."""
    onehot = np.asarray(y)[:, None] == np.arange(C)  # (N, C)
    count = onehot.sum(axis=0)[:, None]  # (C, 1)
    total = onehot.T.astype(np.float64) @ f  # (C, F)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def nearest_means(means: Numbers) -> tuple[float, tuple[int, ...]]:
    """Return the smallest angle in degrees between two rows of means (C, F), and which.

    Rows without an angle are left out; with fewer than two others, it is nan and ().
    """
    means = np.asarray(means)
    known = np.flatnonzero(np.isfinite(means).all(axis=1) & means.any(axis=1))  # (K,)
    first, second = (known[i] for i in np.triu_indices(len(known), k=1))
    if len(first) == 0:
        return float("nan"), ()
    apart = angle(means[first], means[second])  # (K (K - 1) / 2,)
    least = apart.argmin()
    return float(apart[least]), (int(first[least]), int(second[least]))


def wedge(m: int, lam: float, apart: float) -> float:
    """Return how many degrees margin m with lambda asks to be empty between classes.

    apart: degrees between their weights, which are of one length. From its weight, a
    class reaches to the theta where (6) of textbook.py equals the other's cosine,
    (lam cos(theta) + psi(theta)) / (1 + lam) = cos(apart - theta); the wedge is the
    rest, apart - 2 theta. With lam = 0 it is (m - 1) / (m + 1) of `apart`.
    """
    apart = np.radians(apart)
    low, high = 0.0, apart / 2
    while low < (theta := (low + high) / 2) < high:
        own = (lam * np.cos(theta) + psi(theta, m)) / (1 + lam)
        low, high = (theta, high) if own > np.cos(apart - theta) else (low, theta)
    return float(np.degrees(apart - 2 * high))


def _directions(a):
    """Return the rows of `a` as float64 of length 1, or nan where the length is 0."""
    a = np.asarray(a, np.float64)
    largest = np.abs(a).max(axis=-1, keepdims=True)  # (N, 1)
    a = np.divide(a, largest, out=np.full_like(a, np.nan), where=largest > 0)
    return a / np.sqrt((a**2).sum(axis=-1, keepdims=True))  # (N, F)


def _mean_of_known(angles):
    """Return the mean of those angles that exist, or nan if none does."""
    known = angles[~np.isnan(angles)]
    return float(known.mean()) if len(known) else float("nan")
