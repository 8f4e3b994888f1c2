"""A function f and a point x go in; df/dx by the complex step comes out:

    (c) complex step          f' = imag f(x + ih) / h                       + O(h^2)

It cancels no digits: its h may be so small that O(h^2) is nothing. In return f must be
analytic: `max` and comparisons by the real part, no `abs`, no `np.linalg.norm`, no cast
on the way. A check therefore holds it to differences, along directions that move every
entry, zeros too, before it believes it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from npsoftmax.arrays import Array, Function, Numbers
from npsoftmax.gradcheck.by_differences import (
    ASKED,
    Slopes,
    by_differences,
    entry_slopes,
    every_entry,
    numeric_gradient,
    slopes_of,
    stays,
)
from npsoftmax.gradcheck.compare import ROUNDED, compared_with
from npsoftmax.gradcheck.kinks import explains
from npsoftmax.gradcheck.noise import Noise
from npsoftmax.gradcheck.pair import LayerPair, Line
from npsoftmax.gradcheck.report import GradientReport
from npsoftmax.gradcheck.steps import BAND, EPS, ladders, stepped, ulp_away

METHOD = "complex step"
PARTS = 2.0 ** -np.array([100.0, 60, 24])  # of an entry's size, until imag f is normal
TINY = float(np.finfo(np.float64).smallest_subnormal)
UNTOLD = "differences cannot tell whether it is right"
UNSEEN = 1e-6  # the part of the largest that an entry at rest may hide


def complex_step(f: Function, x: Numbers, h: Numbers = 2.0**-100) -> Array:
    """Return df/dx by the complex step (c): the shape of f(x), then that of x.

    f, x and h as for `central_difference`, but f is given complex arrays and must be
    analytic. Source: Squire and Trapp, SIAM Review 40 (1998).

    >>> def f(x): return abs(x)**3                 # abs is not analytic: not -12
    >>> complex_step(f, -2.0), complex_step(lambda x: x**3, -2.0)
    (array(0.), array(12.))
    """

    def slope(f, x, j, h):
        return np.imag(f(stepped(x, j, 1j * h))) / h  # (c)

    return every_entry(slope, f, x, h)


# In a check


def by_default(pair, noise):
    """Return what the complex step found, or, where it is in doubt, differences.

    Where these cannot tell either, as where f rests for them, their "right" is none.
    """
    report = by_complex_step(pair, noise)
    if not report.doubts:
        return report
    (doubt,) = report.doubts
    found = by_differences(pair, noise, "five-point")
    hidden = doubt == UNTOLD and found.verdict == "right"
    doubts = ("the complex step sees a slope that differences do not see",)
    note = f"not by the complex step: {doubt}"
    return replace(found, notes=(note,), doubts=doubts if hidden else ())


def by_complex_step(pair, noise):
    """Return what the complex step found; a reason not to believe it is a doubt."""
    numeric, trouble = _complex_gradient(pair, noise)
    if numeric is None:
        return GradientReport(METHOD, doubts=(trouble,))
    compared = compared_with(pair, METHOD, numeric, noise.nu, noise.D)
    if trouble is None and len(compared.places):
        compared, trouble = _asked_again(pair, numeric, compared, noise)
    return replace(compared.report(pair), doubts=(trouble,) if trouble else ())


def _asked_again(pair, numeric, compared, noise):
    """Return what is compared, and why the complex step is not to be believed, or None.

    Before it accuses, its own rounding is looked at, and differences are asked.
    """
    places = compared.places[:ASKED]
    for k in places:
        numeric.error[k] += ROUNDED * _own_rounding(pair, k, numeric.step[k])
    compared = compared_with(pair, METHOD, numeric, noise.nu, noise.D_scattered)
    wrong = [k for k in places if compared.wrong[k]]
    answers = [_confirmed(pair, k, numeric, noise.levels) for k in wrong]
    if False in answers:
        return compared, "differences contradict it"
    if compared.wrong.any() and True not in answers:
        return compared, UNTOLD
    return compared, None


def _confirmed(pair, k, numeric, levels):
    """Return whether differences, too, tell analytic from numeric; None if neither.

    False if they contradict the numeric one, at every level of the noise.
    """
    answers, line = [], pair.entry(k)
    for nu in levels:
        found = entry_slopes(line, "five-point", nu)
        room = 4 * found.error + 1e-12 * abs(found.slope) + numeric.error[k]
        known = np.isfinite(found.slope) and np.isfinite(room)
        if known and abs(found.slope - numeric.gradient[k]) <= room:
            if not abs(found.slope - pair.gradient[k]) <= room:
                return True
            known = False
        answers.append(known)
    return False if all(answers) else None


def _own_rounding(pair, k, step):
    """Return how far the slope by one entry moves with other steps, an ulp from x.

    A step that is no power of two rounds otherwise on the way, to the same slope.
    """
    found = []
    for _ in range(6):
        x, h = ulp_away(pair.x, pair.rng), step * pair.rng.uniform(0.5, 1)
        found.append(np.sum(pair.weights * pair.entry(k).imag(h, x)) / h)
    return np.ptp(found)


def _complex_gradient(pair, noise):
    """Return the gradient of a pair, and what speaks against it, or None.

    The gradient is None if forward takes no complex numbers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            numeric = numeric_gradient(
                _entry_slope(pair, k) for k in range(pair.x.size)
            )
            if not np.isfinite(numeric.gradient).all():
                return numeric, "for complex numbers forward gave nan or inf"
            return numeric, _Confirmation(pair, numeric, noise).trouble()
        except Exception as error:  # whatever forward has against complex numbers
            what = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return None, f"for complex numbers forward raised {what}"


def _entry_slope(pair, k):
    """Return the slopes by entry k.

    For |x| = 1e300 a small step is lost in x / |x|, a large one in exp x: how far the
    two are apart is an error.
    """
    line, size = pair.entry(k), pair.sizes[k]
    found = _slope(line, min(size, 1.0))
    if size > 2.0**900:
        apart = abs(found.slope - _slope(line, np.sqrt(size)).slope)
        found = found._replace(error=found.error + apart)
    return found


def _slope(line, size):
    """Return the slopes along a line; their errors are what underflow hides.

    The step is the smallest, for entries of this size, at which imag f keeps its
    digits: x^2 at 1e-200 needs a large one, log x at 1e-13 one much smaller than x.
    """
    pair, best = line.pair, None
    steps = [part * size for part in PARTS if part * size >= TINY]
    for step in (*steps, *(PARTS[1:] if size < 1 else ())):
        imag, hidden = line.imag(step), 4 * TINY / step
        slope, error = np.sum(pair.weights * imag) / step, pair.weight * hidden
        if slope == 0 and not np.any(line.imag(line.length)):
            return Slopes(imag / step, hidden, 0.0, 0.0, step, rests=True)
        if best is None or error < best.error:
            best = Slopes(imag / step, hidden, slope, error, step)
        if error <= 1e-12 * abs(slope):
            break
    return best


# Whether forward is analytic


@dataclass
class _Confirmation:
    """Whether differences bear out the gradient by the complex step.

    Entries that move f about as much are moved all at once, along a drawn direction;
    those that do not move it at all apart, for beside others they are not seen.
    """

    pair: LayerPair
    numeric: np.recarray
    noise: Noise

    def trouble(self):
        """Return a sentence if differences contradict the gradient, or None.

        Where f rests, differences must also be clear, or a slope might be overlooked.
        """
        moves = np.abs(self.numeric.gradient) * self.pair.sizes
        largest, rests = np.max(moves, initial=0), self.numeric.rests
        strong = moves > BAND * largest
        return (
            self._of_band(strong, np.inf)
            or self._of_band(~rests & ~strong, np.inf)
            or self._of_band(rests, UNSEEN * largest)
        )

    def _of_band(self, band, needed):
        """Return what speaks against a band, the error of a slope being needed.

        If something does, those that are 0 or at rest are moved one by one: a vector of
        0 may well be a kink, on which differences see both sides.
        """
        zeros = band & ((self.pair.x == 0) | self.numeric.rests)
        trouble = self._of_direction(band, needed, again=not zeros.any())
        if not (trouble and zeros.any()):
            return trouble
        found = (self._of_entry(k, needed) for k in np.flatnonzero(zeros))
        others = self._of_direction(band & ~zeros, needed)
        return others or next(filter(None, found), None)

    def _of_entry(self, k, needed):
        """Return what speaks against one entry, unless it is on a kink, or at rest."""
        line, slope = self.pair.entry(k), self.numeric.gradient[k]
        if explains(line, slope, self.noise.nu) or stays(line).all():
            return None
        return self._of_direction(line.v > 0, needed)

    def _of_direction(self, band, needed, again=True):
        """Return what speaks against the entries of band, moved all at once."""
        pair = self.pair
        if not band.any():
            return None
        line = Line(pair, np.where(band, pair.draw_direction(), 0.0))
        mine = _slope(line, size=1.0)
        for f, steps, nu in self._attempts(line, needed, again):
            found = slopes_of(f, steps, nu, EPS * pair.largest, pair.weights)
            room = 8 * found.errors + 1e-12 * np.abs(mine.outputs) + mine.errors
            agrees = not np.any(np.abs(found.outputs - mine.outputs) > room)
            if agrees and 4 * found.error <= needed:
                return None
        one = band.sum() == 1
        where = f"by {pair.label(band.argmax())}" if one else "along one direction"
        if agrees:
            return f"{where} differences cannot tell whether forward is analytic"
        return (
            f"forward is not analytic: {where} the complex step gives "
            f"{mine.slope:.6g}, differences {found.slope:.6g}"
        )

    def _attempts(self, line, needed, again):
        """Yield f, steps and noise to try, until one agrees and is clear."""
        few, many, deep = ladders(float(np.any(self.pair.x * line.v != 0)), 1.0)
        few = few if needed == np.inf else many
        yield line.anywhere, few, self.noise.nu
        yield line.inside, few, self.noise.nu
        if again:
            for nu in self.noise.levels:
                yield line.inside, many, nu
            yield line.inside, deep, self.noise.levels[0]
