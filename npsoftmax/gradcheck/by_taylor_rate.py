"""A function f, a point x and a gradient go in; the rate at which the remainder of a
Taylor expansion vanishes comes out. v is a direction:

    (d) Taylor rate           |f(x + hv) - f(x) - h df . v| falls like h^2 if df is
                              the gradient of f, and like h if it is not
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from npsoftmax.arrays import Function, Numbers, Seed
from npsoftmax.gradcheck.by_differences import noise_if_still
from npsoftmax.gradcheck.compare import MOVED, SUMMED
from npsoftmax.gradcheck.kinks import bends_along
from npsoftmax.gradcheck.pair import Line
from npsoftmax.gradcheck.report import GradientReport, Kink, RateCheck
from npsoftmax.gradcheck.steps import (
    BAND,
    EPS,
    draw_factors,
    largest_finite,
    sizes_of,
    ulp_away,
)

TAYLOR_STEPS = 2.0 ** -np.arange(2, 41)
SEEN = 1e-4  # the part of the slope that an error of the gradient may hide in


def taylor_rate(
    f: Function,
    x: Numbers,
    gradient: Numbers,
    v: Numbers | None = None,
    rng: Seed = 0,
) -> float:
    """Return the order with which the remainder (d) vanishes, with no tolerance to set.

    f takes an array like x and gives a number; gradient has x's shape; v is the
    direction, drawn with rng (a seed or a Generator) unless given: it moves every
    entry. The rate is 2 or more for the gradient of f and 1 for anything else. It is
    read from the smallest steps whose remainders stand clear of f's rounding, where a
    small error shows best. It is inf if none stands clear, as for a linear f, and nan
    if only one does.

    >>> def f(x): return np.sum(x**4)
    >>> x = np.array([0.5, -1.0, 2.0])
    >>> [round(taylor_rate(f, x, g), 1) for g in (4 * x**3, 4.01 * x**3)]
    [2.0, 1.0]
    """
    x, rng = np.asarray(x, dtype=np.float64), np.random.default_rng(rng)
    v = sizes_of(x) * draw_factors(x.shape, rng) if v is None else np.asarray(v)
    nearby, f_x = np.array([f(ulp_away(x, rng)) for _ in range(8)]), f(x)
    noise = np.max(np.abs(nearby - f_x)) + np.spacing(abs(f_x))
    slope = np.sum(gradient * v)
    gains = np.array([f(x + h * v) - f_x for h in TAYLOR_STEPS])
    return _order(np.abs(gains - slope * TAYLOR_STEPS), 4 * noise)  # (d)


def _order(remainders, noise):
    """Return the median order between the last four remainders above 8 times the noise.

    remainders: those of TAYLOR_STEPS, nan where there is none. The order is inf if none
    is above, and nan if only one is.
    """
    clear = np.flatnonzero(remainders > 8 * noise)[-4:]
    if len(clear) < 2:
        return math.nan if len(clear) else math.inf
    ratios = remainders[clear[:-1]] / remainders[clear[1:]]
    return float(np.median(np.log2(ratios) / np.diff(clear)))


# In a check


def by_taylor_rate(pair, noise):
    """Return what the rate tells; before it accuses, the scatter of backward counts."""
    levels = noise.levels
    checks = _rate_checks(pair, levels, noise.D)
    if any(check.wrong for check in checks):
        checks = _rate_checks(pair, levels, noise.D_scattered)
    what = "the slopes along v and -v differ"
    kinks = tuple(Kink(check.name, what) for check in checks if check.kink)
    return GradientReport("Taylor rate", checks, kinks)


def _rate_checks(pair, levels, D):
    """Return a RateCheck for each input, along one drawn direction each."""
    room, checks = MOVED * D + SUMMED * np.abs(pair.gradient), []
    rows = np.array([pair.draw_direction(), pair.gradient, room])
    for leaf, part in zip(pair.moved, pair.parts, strict=True):
        alone = np.zeros(rows.shape)
        alone[:, part] = rows[:, part]
        checks.append(_rate_check(pair, leaf, *alone, levels))
    return tuple(checks)


def _rate_check(pair, leaf, v, gradient, room, levels):
    """Return the check by the rates along v and -v, at two levels of the noise of f.

    If they are wrong at one and not at the other, it cannot be told.
    """
    slope = float(np.sum(gradient * v))
    rates = [
        [*_rates_along(pair, side * part, gradient, room, levels)]
        for part in _bands(gradient, v)
        for side in (1, -1)
    ]
    rates = np.reshape(rates, (-1, 2))
    kink = bool(np.any(rates < 1.1) and bends_along(Line(pair, v), slope))
    fine, coarse = (
        RateCheck(leaf.name, leaf.array.shape, slope, _lowest(level), kink)
        for level in rates.T
    )
    if kink or fine.wrong != coarse.wrong:
        return replace(fine, rate=math.nan)
    return coarse if fine.blind else fine


def _lowest(rates):
    """Return the lowest rate, if all are near 1, or none is; nan is not counted."""
    known = rates[~np.isnan(rates)]
    agree = len({abs(rate - 1) < 0.1 for rate in known}) == 1
    return float(known.min()) if agree else math.nan


def _bands(gradient, v):
    """Yield v at the entries that move f most, at those that do less, and at the rest.

    Apart, for beside an entry that moves f much a wrong one that does not is not seen.
    """
    moves = np.abs(gradient * v)
    large = moves > BAND * largest_finite(moves)
    for part in (large, ~large & (moves > 0), (moves == 0) & (v != 0)):
        if part.any():
            yield np.where(part, v, 0.0)


def _rates_along(pair, v, gradient, room, levels):
    """Yield the rate along v for each level of the noise; nan where it is not clear, or
    hides more than enough.
    """
    gains = np.array([*map(Line(pair, v).inside, TAYLOR_STEPS)]) - pair.output
    summed = (pair.weights * gains).reshape(len(gains), -1).sum(axis=1)
    remainders = np.abs(summed - np.sum(gradient * v) * TAYLOR_STEPS)  # (d)
    rounded = np.sum(room * np.abs(v)) * TAYLOR_STEPS
    rests = not gradient.any() and not np.nansum(remainders)
    enough = np.inf if rests else SEEN * largest_finite(gradient * v)
    for nu in levels:
        still = noise_if_still(gains, nu, EPS * pair.largest)
        noise = 4 * np.sum(np.abs(pair.weights) * still) + rounded
        rate = _order(remainders, noise)
        unseen = np.fmin.reduce((remainders + noise) / TAYLOR_STEPS)
        yield rate if abs(rate - 1) < 0.1 or unseen <= enough else math.nan
