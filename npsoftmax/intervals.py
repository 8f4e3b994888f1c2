"""In: differences of two networks, image by image, for each seed. Out: their mean, and
an interval that covers other seeds and other images, at 95 %.

    each seed has images of its own (folds)     v = var(means of the folds) / K
    all seeds have the same N images            v = var(means of the S seeds) / S
                                                  + var(means of the N images) / N
    interval                                    mean +- t sqrt(v)

In folds, the spread of the means is that of seeds and images at once. With the same
images, let s, i and e be the variances of what a seed, an image, and the two together
add: the mean has the variance s/S + i/N + e/(S N), and v is it plus e/(S N), on
average: a little too wide, never too narrow. t has the degrees of freedom of v, by
Welch and Satterthwaite. Networks of different folds share three quarters of what they
train on, which no such interval can see.
"""

from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A mean and the ends of its interval; these are nan where there is one seed."""

    mean: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """Return 1 or -1 where the whole interval lies on that side of 0, else 0."""
        return (self.low > 0) - (self.high < 0)


def paired_interval(differences, folds):
    """Return the Interval of the mean difference.

    differences: for each seed an array (N,), nan where an image has none; folds: for
    each seed, which images these are: arrays of one fold are of the same images.
    """
    grouped = [
        np.stack([d for d, of in zip(differences, folds, strict=True) if of == fold])
        for fold in dict.fromkeys(folds)
    ]  # each (seeds of the fold, N)
    if len(grouped) == 1:
        parts = [_means(grouped[0], axis=1), _means(grouped[0], axis=0)]
    else:
        parts = [np.array([float(np.mean(_means(d, axis=1))) for d in grouped])]
    mean = float(parts[0].mean())
    if len(parts[0]) < 2:
        return Interval(mean, float("nan"), float("nan"))
    v = np.array([part.var(ddof=1) / len(part) for part in parts])
    freedom = np.array([len(part) - 1 for part in parts])
    if not v.sum() > 0:
        return Interval(mean, mean, mean)
    half = t_quantile(v.sum() ** 2 / (v**2 / freedom).sum()) * np.sqrt(v.sum())
    return Interval(mean, mean - float(half), mean + float(half))


def _means(d, axis):
    """Return the means along an axis of what is known, of what has a mean."""
    known = ~np.isnan(d)
    count = known.sum(axis=axis)
    total = np.where(known, d, 0.0).sum(axis=axis)
    return total[count > 0] / count[count > 0]


def t_quantile(freedom, confidence=CONFIDENCE):
    """Return the t with P(|T| <= t) = confidence, Student's T of so many degrees.

    With t = sqrt(freedom) tan(u), the density by u is cos(u)^(freedom - 1).
    """
    u = np.linspace(0, np.pi / 2, 20_001)[:-1]  # (20000,)
    density = np.cos(u + u[1] / 2) ** (freedom - 1)  # in the middle of each step
    below = np.append(0.0, np.cumsum(density))[:-1] / density.sum()
    return float(np.sqrt(freedom) * np.tan(np.interp(confidence, below, u)))
