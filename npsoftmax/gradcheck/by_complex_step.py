"""A function f and a point x go in; df/dx by the complex step comes out:

    (c) complex step          f' = imag f(x + ih) / h                       + O(h^2)

It cancels no digits: its h may be so small that O(h^2) is nothing. In return f must be
analytic: `max` and comparisons by the real part, no `abs`, no `np.linalg.norm`, no cast
on the way. A check therefore holds it to differences, along directions that move every
entry, zeros too, before it believes it.
"""

from __future__ import annotations

import warnings

import numpy as np

from npsoftmax.arrays import Array, Function, Numbers
from npsoftmax.gradcheck.by_differences import (
    Numeric,
    entry_slopes,
    every_entry,
    rests,
    slopes_of,
)
from npsoftmax.gradcheck.kinks import explains
from npsoftmax.gradcheck.noise import noise_levels
from npsoftmax.gradcheck.pair import Line
from npsoftmax.gradcheck.steps import BAND, EPS, ladders, stepped, ulp_away

PARTS = 2.0 ** -np.array([100.0, 60, 24])  # of an entry's size, until imag f is normal
TINY = float(np.finfo(np.float64).smallest_subnormal)
ALONG, APART = (
    "along one direction",
    "the complex step gives {:.6g}, differences {:.6g}",
)
UNSEEN = 1e-6  # the part of the largest that an entry at rest may hide


def complex_step(f: Function, x: Numbers, h: Numbers = 2.0**-100) -> Array:
    """Return df/dx by the complex step (c): the shape of f(x), then that of x.

    f, x and h as for `central_difference`, but f is given complex arrays and must be
    analytic. Source: Squire and Trapp, SIAM Review 40 (1998).

    >>> def f(x): return abs(x)**3                 # abs is not analytic: not -12
    >>> complex_step(f, -2.0), complex_step(lambda x: x**3, -2.0)
    (array(0.), array(12.))
    """
    return every_entry(_complex_slope, f, x, h)


def _complex_slope(f, x, j, h):
    return np.imag(f(stepped(x, j, 1j * h))) / h  # (c)


# In a check


def complex_gradient(pair, nu, rng):
    """Return the gradient of a pair, and what speaks against it, or None.

    The gradient is None if forward takes no complex numbers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            numeric = Numeric.of([_entry(pair, k) for k in range(pair.x.size)])
            if not np.isfinite(numeric.gradient).all():
                return numeric, "for complex numbers forward gave nan or inf"
            return numeric, _Confirmation(pair, numeric, nu, rng).trouble()
        except Exception as error:  # whatever forward has against complex numbers
            what = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return None, f"for complex numbers forward raised {what}"


def _entry(pair, k):
    """Return the slope by entry k, its error, its step, and whether f rests.

    For |x| = 1e300 a small step is lost in x / |x|, a large one in exp x: how far the
    two are apart is an error.
    """
    size = pair.sizes[k]
    slope, error, step, flat = _slope(pair, k, min(size, 1.0))
    if size > 2.0**900:
        error += abs(slope - _slope(pair, k, np.sqrt(size))[0])
    return slope, error, step, flat


def _slope(pair, k, size):
    """Return the same, by steps for an entry of this size.

    The step is the smallest at which imag f keeps its digits: x^2 at 1e-200 needs a
    large one, log x at 1e-13 one much smaller than x.
    """
    line, best = pair.entry(k), None
    for step in _steps(size):
        slope = np.sum(pair.weights * line.imag(step)) / step
        if slope == 0 and not np.any(line.imag(line.length)):
            return 0.0, 0.0, step, True  # f rests: slope is not 0 for want of range
        error = _underflow(pair, step)
        if best is None or error < best[1]:
            best = slope, error, step, False
        if error <= 1e-12 * abs(slope):
            break
    return best


def _steps(size):
    """Yield the steps of (c) for an entry of this size."""
    yield from (part * size for part in PARTS if part * size >= TINY)
    yield from PARTS[1:] if size < 1 else ()


def _underflow(pair, step):
    return 4 * np.sum(np.abs(pair.weights)) * (TINY / step)


# Whether forward is analytic


class _Confirmation:
    """Whether differences bear out the gradient by the complex step.

    Entries that move f about as much are moved all at once, along a drawn direction;
    those that do not move it at all apart, for beside others they are not seen.
    """

    def __init__(self, pair, numeric, nu, rng):
        self.pair, self.numeric, self.rng = pair, numeric, rng
        self.levels = [nu]  # of the noise of f: more are measured if they are needed

    def trouble(self):
        """Return a sentence if differences contradict the gradient, or None.

        Where f rests, differences must also be clear, or a slope might be overlooked.
        """
        moves, rest = np.abs(self.numeric.gradient) * self.pair.sizes, self.numeric.flat
        largest = np.max(moves, initial=0)
        strong = moves > BAND * largest
        return (
            self._of_band(strong, np.inf)
            or self._of_band(~rest & ~strong, np.inf)
            or self._of_band(rest, UNSEEN * largest)
        )

    def _of_band(self, band, needed):
        """Return what speaks against a band, the error of a slope being needed.

        If something does, those that are 0 or at rest are moved one by one: a vector of
        0 may well be a kink, on which differences see both sides.
        """
        zeros = band & ((self.pair.x == 0) | self.numeric.flat)
        trouble = self._of_direction(band, needed, again=not zeros.any())
        if not (trouble and zeros.any()):
            return trouble
        found = (self._of_entry(k, needed) for k in np.flatnonzero(zeros))
        others = self._of_direction(band & ~zeros, needed)
        return others or next(filter(None, found), None)

    def _of_entry(self, k, needed):
        """Return what speaks against one entry, unless it is on a kink, or at rest."""
        line, slope = self.pair.entry(k), self.numeric.gradient[k]
        if explains(line, slope, self.levels[0]) or rests(line):
            return None
        return self._of_direction(line.v > 0, needed)

    def _of_direction(self, band, needed, again=True):
        """Return what speaks against the entries of band, moved all at once."""
        pair = self.pair
        if not band.any():
            return None
        line = Line(pair, np.where(band, pair.draw_direction(self.rng), 0.0))
        imag, underflow = _imag_along(line)
        for f, steps, nu in self._attempts(line, needed, again):
            found = slopes_of(f, steps, nu, EPS * pair.largest, pair.weights)
            room = 8 * found.errors + 1e-12 * np.abs(imag) + 4 * underflow
            agrees = not np.any(np.abs(found.outputs - imag) > room)
            if agrees and 4 * found.error <= needed:
                return None
        where = f"by {pair.label(band.argmax())}" if band.sum() == 1 else ALONG
        if agrees:
            return f"{where} differences cannot tell whether forward is analytic"
        slopes = np.sum(pair.weights * imag), found.slope
        return f"forward is not analytic: {where} {APART.format(*slopes)}"

    def _attempts(self, line, needed, again):
        """Yield f, steps and noise to try, until one agrees and is clear."""
        pair = self.pair
        few, many, deep = ladders(float(np.any(pair.x * line.v != 0)), 1.0)
        few = few if needed == np.inf else many
        yield line.anywhere, few, self.levels[0]
        yield line.inside, few, self.levels[0]
        if not again:
            return
        if len(self.levels) == 1:
            self.levels += noise_levels(pair, self.levels[0], self.rng)
        for nu in self.levels:
            yield line.inside, many, nu
        yield line.inside, deep, self.levels[1]


def _imag_along(line):
    """Return the slopes of the outputs along v by (c), and what underflow may hide."""
    for step in PARTS:
        slopes, weights = line.imag(step) / step, line.pair.weights
        if _underflow(line.pair, step) <= 1e-12 * abs(np.sum(weights * slopes)):
            break
    return slopes, TINY / step


def confirmed(pair, k, numeric, levels):
    """Return whether differences, too, tell analytic from numeric; None if neither.

    False if they contradict the numeric one, at every level of the noise.
    """
    answers, line = [], pair.entry(k)
    for nu, scale in ((levels[0], pair.scale[k]), *((nu, None) for nu in levels)):
        found = entry_slopes(line, "five-point", nu, scale)
        room = 4 * found.error + 1e-12 * abs(found.slope) + numeric.error[k]
        known = np.isfinite(found.slope) and np.isfinite(room)
        if known and abs(found.slope - numeric.gradient[k]) <= room:
            if not abs(found.slope - pair.gradient[k]) <= room:
                return True
            known = False
        answers.append(known)
    return False if all(answers) else None


def own_rounding(pair, k, step, rng):
    """Return how far the slope by one entry moves with other steps, an ulp from x.

    A step that is no power of two rounds otherwise on the way, to the same slope.
    """
    found = []
    for _ in range(6):
        x, h = ulp_away(pair.x, rng), step * rng.uniform(0.5, 1)
        found.append(np.sum(pair.weights * pair.entry(k).imag(h, x)) / h)
    return np.ptp(found)
