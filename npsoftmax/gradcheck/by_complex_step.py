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
    EPS,
    Numeric,
    entry_slopes,
    every_entry,
    rests,
    slopes_of,
)
from npsoftmax.gradcheck.kinks import explains
from npsoftmax.gradcheck.steps import (
    draw_direction,
    ladders,
    lengths_of,
    sizes_of,
    stepped,
    ulp_away,
)

PARTS = 2.0 ** -np.array([100.0, 60, 24])  # of an entry's size, until imag f is normal
TINY = float(np.finfo(np.float64).smallest_subnormal)
BAND = 2.0**-20  # entries that move f by less than this part are looked at apart
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


def complex_gradients(pair, nu, rng):
    """Return the gradients by all moved leaves, and what speaks against them, or None.

    The gradients are None if forward takes no complex numbers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            numeric = [_gradient(pair, i) for i in pair.moved]
            if not all(np.isfinite(each.gradient).all() for each in numeric):
                return numeric, "for complex numbers forward gave nan or inf"
            return numeric, _Confirmation(pair, numeric, nu, rng).trouble()
        except Exception as error:  # whatever forward has against complex numbers
            what = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return None, f"for complex numbers forward raised {what}"


def _gradient(pair, i):
    """Return the gradient by leaf i.

    For |x| = 1e300 a small step is lost in x / |x|, a large one in exp x: how far the
    two are apart is an error.
    """
    x = pair.leaves[i]
    sizes = sizes_of(x)
    gradient, error, step = (np.zeros(x.shape) for _ in range(3))
    flat = np.zeros(x.shape, dtype=bool)
    for j in np.ndindex(x.shape):
        found = _entry(pair, i, j, min(sizes[j], 1.0))
        gradient[j], error[j], step[j], flat[j] = found
        if sizes[j] > 2.0**900:
            error[j] += abs(gradient[j] - _entry(pair, i, j, np.sqrt(sizes[j]))[0])
    return Numeric(gradient, error, step, flat)


def _entry(pair, i, j, size):
    """Return the slope by entry j of leaf i, its error, its step, and whether f rests.

    The step is the smallest at which imag f keeps its digits: x^2 at 1e-200 needs a
    large one, log x at 1e-13 one much smaller than x.
    """
    x = pair.leaves[i]

    def imag(t):
        return pair.imag(pair.replaced(i, stepped(x, j, 1j * t)))

    best = None
    for step in _steps(size):
        moved = imag(step)
        slope = np.sum(pair.weights * moved) / step
        if slope == 0 and not np.any(imag(lengths_of(x)[j])):
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
    """Whether differences bear out the gradients by the complex step.

    Entries that move f about as much are moved all at once, along a drawn direction;
    those that do not move it at all apart, for beside others they are not seen.
    """

    def __init__(self, pair, numeric, nu, rng):
        self.pair, self.numeric, self.rng = pair, numeric, rng
        self.levels = [nu]  # of the noise of f: more are measured if they are needed

    def trouble(self):
        """Return a sentence if differences contradict the gradients, or None.

        Where f rests, differences must also be clear, or a slope might be overlooked.
        """
        sizes = [sizes_of(self.pair.leaves[i]) for i in self.pair.moved]
        pairs = list(zip(self.numeric, sizes, strict=True))
        moves = [np.abs(each.gradient) * size for each, size in pairs]
        largest = max(np.max(each, initial=0) for each in moves)
        rest = [each.flat for each in self.numeric]
        strong = [m > BAND * largest for m in moves]
        weak = [~f & ~s for f, s in zip(rest, strong, strict=True)]
        return (
            self._of_band(strong, np.inf)
            or self._of_band(weak, np.inf)
            or self._of_band(rest, UNSEEN * largest)
        )

    def _of_band(self, band, needed):
        """Return what speaks against a band, the error of a slope being needed.

        If something does, those that are 0 or at rest are moved one by one: a vector of
        0 may well be a kink, on which differences see both sides.
        """
        zeros = [
            part & ((self.pair.leaves[i] == 0) | each.flat)
            for part, i, each in zip(band, self.pair.moved, self.numeric, strict=True)
        ]
        mixed = any(zero.any() for zero in zeros)
        trouble = self._of_direction(band, needed, again=not mixed)
        if not (trouble and mixed):
            return trouble
        others = [part & ~zero for part, zero in zip(band, zeros, strict=True)]
        alone = [(n, tuple(j)) for n, z in enumerate(zeros) for j in np.argwhere(z)]
        found = (self._of_entry(n, j, needed) for n, j in alone)
        return self._of_direction(others, needed) or next(filter(None, found), None)

    def _of_entry(self, n, j, needed):
        """Return what speaks against one entry, unless it is on a kink, or at rest."""
        pair, slope = self.pair, self.numeric[n].gradient[j]
        if explains(pair, n, j, slope, self.levels[0]) or rests(pair, n, j):
            return None
        only = [np.zeros(each.flat.shape, dtype=bool) for each in self.numeric]
        only[n][j] = True
        return self._of_direction(only, needed)

    def _of_direction(self, band, needed, again=True):
        """Return what speaks against the entries of band, moved all at once."""
        pair = self.pair
        if not any(part.any() for part in band):
            return None
        v = [
            np.where(part, draw_direction(pair.leaves[i], self.rng), 0.0)
            for part, i in zip(band, pair.moved, strict=True)
        ]
        imag, underflow = _imag_along(pair, v)
        for output, steps, nu in self._attempts(v, needed, again):
            found = slopes_of(output, lambda t: pair.along(v, t), steps, nu,
                hidden=EPS * pair.largest,
            )  # fmt: skip
            room = 8 * found.error + 1e-12 * np.abs(imag) + 4 * underflow
            agrees = not np.any(np.abs(found.value - imag) > room)
            if agrees and 4 * found.summed(pair.weights)[1] <= needed:
                return None
        where = "along one direction"
        if sum(part.sum() for part in band) == 1:
            where = next(f"by {pair.label(n, tuple(np.argwhere(part)[0]))}"
                         for n, part in enumerate(band) if part.any())  # fmt: skip
        return self._words(where, agrees, np.sum(pair.weights * imag), found)

    def _attempts(self, v, needed, again):
        """Yield outputs, steps and noise to try, until one agrees and is clear."""
        leaves = [self.pair.leaves[i] for i in self.pair.moved]
        move_others = any(np.any(a * d != 0) for a, d in zip(leaves, v, strict=True))
        few, many, deep = ladders(1.0 if move_others else 0.0, 1.0)
        few = few if needed == np.inf else many
        yield self.pair.anywhere, few, self.levels[0]
        yield self.pair.inside, few, self.levels[0]
        if not again:
            return
        if len(self.levels) == 1:
            noise = self.pair.noise(self.rng)
            self.levels += [np.fmax(self.levels[0], level) for level in noise]
        for nu in self.levels:
            yield self.pair.inside, many, nu
        yield self.pair.inside, deep, self.levels[1]

    def _words(self, where, agrees, slope, found):
        if agrees:
            return f"{where} differences cannot tell whether forward is analytic"
        return (
            f"forward is not analytic: {where} the complex step gives {slope:.6g}, "
            f"differences {found.summed(self.pair.weights)[0]:.6g}"
        )


def _imag_along(pair, v):
    """Return the slopes of the outputs along v by (c), and what underflow may hide."""
    for step in PARTS:
        slopes = pair.imag(pair.along(v, 1j * step)) / step
        if _underflow(pair, step) <= 1e-12 * abs(np.sum(pair.weights * slopes)):
            break
    return slopes, TINY / step


def confirmed(pair, n, j, numeric, analytic, levels):
    """Return whether differences, too, tell analytic from numeric; None if neither.

    False if they contradict the numeric one, at every level of the noise.
    """
    answers = []
    for nu, thorough in ((levels[0], False), *((nu, True) for nu in levels)):
        slopes = entry_slopes(pair, n, j, "five-point", nu, thorough)
        value, error = slopes.summed(pair.weights)
        room = 4 * error + 1e-12 * abs(value) + numeric.error[j]
        known = np.isfinite(value) and np.isfinite(room)
        if known and abs(value - numeric.gradient[j]) <= room:
            if not abs(value - analytic) <= room:
                return True
            known = False
        answers.append(known)
    return False if all(answers) else None


def scatter(pair, n, j, step, rng):
    """Return how far the slope by one entry moves with other steps, an ulp from x.

    That is its own rounding: a step that is no power of two rounds otherwise on the
    way, to the same slope.
    """
    i, found = pair.moved[n], []
    for _ in range(6):
        x, h = ulp_away(pair.leaves[i], rng), step * rng.uniform(0.5, 1)
        imag = pair.imag(pair.replaced(i, stepped(x, j, 1j * h)))
        found.append(np.sum(pair.weights * imag) / h)
    return np.ptp(found)
