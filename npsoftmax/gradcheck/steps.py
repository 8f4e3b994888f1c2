"""How far to move: the sizes of entries, directions that move every entry, ladders of
steps, and which of many steps to trust.

Steps are powers of two, so that x + h is the number meant and not one near it.
"""

import math

import numpy as np

from npsoftmax.precision import power_of_two

EPS = float(np.finfo(np.float64).eps)
BAND = 2.0**-20  # entries that move f by less than this part are looked at apart
DEEPEST = 100  # how many powers of two below its scale an entry 0 is moved


def stepped(x, j, h):
    """Return x with h added to entry j."""
    moved = x.astype(np.result_type(x, type(h)))
    moved[j] += h
    return moved


def as_rows(steps, values):
    """Return steps (K,) with the axes of values (K, ...), to divide by."""
    return steps.reshape((-1,) + (1,) * (values.ndim - 1))


# Sizes and directions


def lengths_of(a):
    """Return for each entry the size of the smallest vector it is in, not counting 0.

    The vectors of a matrix are its rows and columns; sizes are powers of two.
    """
    if a.ndim == 0 or a.size == 0:
        return power_of_two(a)
    sizes = [
        np.broadcast_to(np.abs(a).max(axis=axis, keepdims=True), a.shape)
        for axis in range(a.ndim)
    ]
    smallest = np.min([np.where(size == 0, np.inf, size) for size in sizes], axis=0)
    return power_of_two(smallest)


def sizes_of(a):
    """Return each entry's own size; for an entry 0 that of its vector, 1 at most.

    Times drawn factors they are a direction that moves every entry, zeros too.
    """
    return np.where(a == 0, np.fmin(lengths_of(a), 1), power_of_two(a))


def draw_factors(shape, rng):
    """Return numbers from 1 to 2 of either sign, of the given shape.

    No two are alike: (1, -1) at (1, 1) would see no slope of a norm.
    """
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(1, 2, size=shape)


def ulp_away(a, rng):
    """Return a with each entry moved by one ulp up or down; 0 and integers stay."""
    if a.dtype.kind != "f":
        return a
    towards = np.where(rng.random(a.shape) < 0.5, -np.inf, np.inf)
    return np.where(a == 0, a, np.nextafter(a, towards))


def largest_finite(a):
    """Return the largest size in a, not counting nan and inf; 0 if there is none."""
    return np.max(np.abs(a), initial=0.0, where=np.isfinite(a))


# Ladders


def ladders(x, length):
    """Yield ladders of steps for the entry x, descending: few, many, all.

    The scale on which f changes is not known: it may be the entry's own size (1 / x),
    that of its vector (|x|), or 1 (exp x). The first ladder has the steps at which a
    smooth f is seen best, for all three, and a small one that would notice what these
    overlook; the second has all between; the third goes on to the ulps of x.
    """
    scales = {float(power_of_two(x)), float(length), 1.0}
    exponents = {math.frexp(scale)[1] - 1 for scale in scales}
    deepest = DEEPEST if x == 0 else 50
    for downs in ((9, 10, 11, 12, 13, 26), range(3, 27), range(3, deepest)):
        wanted = {max(e - down, -1074) for e in exponents for down in downs}
        steps = 2.0 ** np.array(sorted(wanted, reverse=True), dtype=float)
        yield steps[steps >= 8 * np.spacing(np.abs(x))]


def extrapolated(slopes, steps, noise, order):
    """Return slopes of a higher order than the given ones, and their noise.

    Of slopes S(h) whose error is O(h^p) they are (2^p S(h) - S(2h)) / (2^p - 1), as
    Richardson found; a step whose double is not among the steps is left as it is.
    """
    better, its_noise, times = slopes.copy(), noise.copy(), 2**order
    for k in np.flatnonzero(steps[:-1] == 2 * steps[1:]) + 1:
        found = (times * slopes[k] - slopes[k - 1]) / (times - 1)
        better[k] = np.where(np.isnan(found), slopes[k], found)
        its_noise[k] = (times * noise[k] + noise[k - 1]) / (times - 1)
    return better, its_noise


def best_step(values, noise):
    """Return of values (K, ...), one a step, that of least error, the error, and which.

    The error is the larger of the differences to both neighbours, or, if that is more,
    how far the value lies outside what a smaller step allows; plus the noise. Without
    the second part, a step so large that it sees only the two straight arms of a loss
    would be trusted, for its neighbours see the same. It is inf without a neighbour.
    """
    pad = [(1, 1)] + [(0, 0)] * (values.ndim - 1)
    jumps = np.pad(np.abs(np.diff(values, axis=0)), pad, constant_values=np.nan)
    error = np.fmax(jumps[:-1], jumps[1:])  # (K, ...)
    alone = np.isnan(error)
    above = np.fmax.accumulate((values - noise)[::-1])[::-1]
    below = np.fmin.accumulate((values + noise)[::-1])[::-1]
    outside = np.fmax(above - values, values - below)
    error = np.fmax(error, outside) + noise
    error = np.where(alone | ~np.isfinite(values), np.inf, error)
    which = np.argmin(error, axis=0)[None]
    chosen = [np.take_along_axis(a, which, axis=0)[0] for a in (values, error)]
    return *chosen, which[0]
