"""A function f and a point x go in; df/dx, found by calling f and nothing else, comes
out, by any of four methods. v is a direction:

    (a) central differences   f' = (f(x + h) - f(x - h)) / 2h               + O(h^2)
    (b) five-point            f' = (4 D(h) - D(2h)) / 3, with D(h) from (a) + O(h^4)
    (c) complex step          f' = imag f(x + ih) / h                       + O(h^2)
    (d) Taylor rate           |f(x + hv) - f(x) - h df . v| falls like h^2 if df is
                              the gradient of f, and like h if it is not

A difference cancels digits, so its h must not be too small. The complex step cancels
none: its h may be so small that O(h^2) is nothing. In return f must be analytic: `max`
and comparisons by the real part, no `abs`, no `np.linalg.norm`, no cast on the way.

Steps are powers of two, so that x + h is the number meant and not one near it.
"""

import math
from collections.abc import Callable

import numpy as np

from npsoftmax.precision import power_of_two

TAYLOR_STEPS = 2.0 ** -np.arange(2, 41)


def central_difference(f: Callable, x, h=2.0**-17) -> np.ndarray:
    """Return df/dx by central differences (a): the shape of f(x), then that of x.

    f takes an array like x and gives an array or a number; h is the step, or an array
    of steps, one for each entry of x. For a number f this is the gradient. Raises
    ValueError where x + h and x - h are the same number.
    """
    return _every_entry(central_slope, f, x, h)


def five_point(f: Callable, x, h=2.0**-10) -> np.ndarray:
    """Return df/dx by the five-point stencil (b): the shape of f(x), then that of x.

    f, x and h as for `central_difference`. The error is O(h^4), so the step can be
    larger, and fewer digits cancel.
    """
    return _every_entry(_five_point_slope, f, x, h)


def complex_step(f: Callable, x, h=2.0**-100) -> np.ndarray:
    """Return df/dx by the complex step (c): the shape of f(x), then that of x.

    f, x and h as for `central_difference`, but f is given complex arrays and must be
    analytic. Source: Squire and Trapp, SIAM Review 40 (1998).

    >>> def f(x): return abs(x)**3                 # abs is not analytic: not -12
    >>> complex_step(f, -2.0), complex_step(lambda x: x**3, -2.0)
    (array(0.), array(12.))
    """
    return _every_entry(_complex_slope, f, x, h)


def taylor_remainders(f: Callable, x, gradient, v, steps) -> np.ndarray:
    """Return |f(x + h v) - f(x) - h gradient . v| for each h of steps (d).

    f takes an array like x and gives a number; gradient and v have x's shape.
    """
    x, v = np.asarray(x, dtype=np.float64), np.asarray(v)
    slope, f_x = np.sum(gradient * v), f(x)
    return np.array([abs(f(x + h * v) - f_x - h * slope) for h in steps])


def taylor_rate(f: Callable, x, gradient, v=None, rng=0) -> float:
    """Return the order with which the remainder (d) vanishes, with no tolerance to set.

    f takes an array like x and gives a number; gradient has x's shape; v is the
    direction, drawn with rng (a seed or a Generator) unless given. The rate is 2 or
    more for the gradient of f and 1 for anything else. It is read from the smallest
    steps whose remainders stand clear of f's rounding, where a small error shows best.
    It is inf if none stands clear, as for a linear f, and nan if only one does.

    >>> def f(x): return np.sum(x**4)
    >>> x = np.array([0.5, -1.0, 2.0])
    >>> [round(taylor_rate(f, x, g), 1) for g in (4 * x**3, 4.01 * x**3)]
    [2.0, 1.0]
    """
    x, rng = np.asarray(x, dtype=np.float64), np.random.default_rng(rng)
    v = draw_direction(x, rng) if v is None else v
    nearby = np.array([f(ulp_away(x, rng)) for _ in range(8)])
    noise = np.max(np.abs(nearby - f(x))) + np.spacing(abs(f(x)))
    remainders = taylor_remainders(f, x, gradient, v, TAYLOR_STEPS)
    return remainder_order(remainders, 4 * noise)


# One entry at a time


def _every_entry(slope, f, x, h):
    x = np.asarray(x)
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    h = np.broadcast_to(h, x.shape)
    columns = [slope(f, x, j, float(h[j])) for j in np.ndindex(x.shape)]
    if not columns:
        return np.zeros(np.shape(f(x)) + x.shape)
    return np.stack(columns, axis=-1).reshape(np.shape(columns[0]) + x.shape)


def central_slope(f, x, j, h):
    """Return the slope of f by entry j of x, by (a)."""
    right, left = stepped(x, j, h), stepped(x, j, -h)
    distance = float(right[j]) - float(left[j])
    if distance == 0:
        raise ValueError(
            f"h is {h}, which is lost beside x = {x[j]}: it must be at least "
            f"{np.spacing(abs(x[j]))}"
        )
    return (f(right) - f(left)) / distance  # (a)


def _five_point_slope(f, x, j, h):
    return (4 * central_slope(f, x, j, h) - central_slope(f, x, j, 2 * h)) / 3  # (b)


def _complex_slope(f, x, j, h):
    return np.imag(f(stepped(x, j, 1j * h))) / h  # (c)


def stepped(x, j, h):
    """Return x with h added to entry j."""
    moved = x.astype(np.result_type(x, type(h)))
    moved[j] += h
    return moved


# The best of many steps


def step_ladder(x, length):
    """Return steps for the entry x, descending powers of two.

    The scale on which f changes is not known: it may be the entry's own size (1 / x),
    that of its vector (|x|), or 1 (exp x). The steps are those for all three, as far as
    they are many ulps of x: where x + h rounds, beyond the next power of two, x + h and
    x - h lie around a point less than an ulp from x.
    """
    scales = {float(power_of_two(x)), float(length), 1.0}
    exponents = {math.frexp(scale)[1] - 1 for scale in scales}
    wanted = {e - down for e in exponents for down in range(3, 27)}
    steps = 2.0 ** np.array(sorted(wanted, reverse=True), dtype=float)
    return steps[steps >= 8 * np.spacing(np.abs(x))]


def extrapolated(slopes, steps, noise):
    """Return the slopes of (b), made of those of (a), and their noise.

    A step whose double is not among the steps is left to (a).
    """
    better, its_noise = slopes.copy(), noise.copy()
    for k in np.flatnonzero(steps[:-1] == 2 * steps[1:]) + 1:
        five = (4 * slopes[k] - slopes[k - 1]) / 3  # (b)
        better[k] = np.where(np.isnan(five), slopes[k], five)
        its_noise[k] = (4 * noise[k] + noise[k - 1]) / 3
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
    error = np.where(alone | np.isnan(values), np.inf, error)
    which = np.argmin(error, axis=0)[None]
    chosen = [np.take_along_axis(a, which, axis=0)[0] for a in (values, error)]
    return *chosen, which[0]


def as_rows(steps, values):
    """Return steps (K,) with the axes of values (K, ...), to divide by."""
    return steps.reshape((-1,) + (1,) * (values.ndim - 1))


def remainder_order(remainders, noise):
    """Return the median order between the last four remainders above 8 times the noise.

    remainders: those of TAYLOR_STEPS, nan where there is none. The order is inf if none
    is above, and nan if only one is.
    """
    clear = np.flatnonzero(remainders > 8 * noise)[-4:]
    if len(clear) < 2:
        return math.nan if len(clear) else math.inf
    ratios = remainders[clear[:-1]] / remainders[clear[1:]]
    return float(np.median(np.log2(ratios) / np.diff(clear)))


# Steps, lengths and directions


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


def draw_direction(a, rng):
    """Return a direction: each entry's size, 1 if all are 0, times -2 to -1 or 1 to 2.

    An entry 0 beside others stays: a vector of 0 may well be a kink. No factor is a
    whole number, for (1, -1) at (1, 1) would see no slope of a norm.
    """
    size = np.where(a == 0, 0.0, power_of_two(a)) if np.any(a) else np.ones(a.shape)
    return size * draw_factors(a.shape, rng)


def draw_factors(shape, rng):
    """Return numbers from 1 to 2 of either sign, of the given shape."""
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(1, 2, size=shape)


def ulp_away(a, rng):
    """Return a with each entry moved by one ulp up or down; 0 and integers stay."""
    if a.dtype.kind != "f":
        return a
    towards = np.where(rng.random(a.shape) < 0.5, -np.inf, np.inf)
    return np.where(a == 0, a, np.nextafter(a, towards))
