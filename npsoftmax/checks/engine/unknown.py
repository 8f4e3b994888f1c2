"""The unknown number of a mistake, an eps or a bound, from what a function gives.

In goes off(number), how far the page with that number in it is from the function; out
come the numbers with which the entry that is most wrong is as the function gives it.
"""

import math

import numpy as np

# Exponents of 2, dense where a number is not small; no whole one, which people write.
GRID = np.r_[-1073.6:-65.6:8j, -59.6:-12:6, -11.6:13]
KNOWN = {  # numbers that many know, and what they are
    float(number): words
    for limits in map(np.finfo, (np.float64, np.float32))
    for number, words in (
        (limits.eps, f"{limits.eps:.2g}, the spacing of {limits.dtype} at 1"),
        (limits.tiny, f"{limits.tiny:.3g}, the smallest normal {limits.dtype}"),
    )
}


def solved(off, yours, right):
    """Yield positive numbers with which off(number) is 0 where yours is most wrong.

    off, yours and right are results in one row. Where the entry's difference changes
    its sign, a bisection of the logarithm finds the number.
    """
    with np.errstate(all="ignore"):
        if yours.shape != right.shape or np.isnan(off(0.5)).all():
            return
        values = np.array([off(2.0**exponent) for exponent in GRID])
        wrong = np.abs(yours - right)
    seen = np.abs(values) > 2**-46 * np.abs(yours).max()
    crosses = (values[:-1] * values[1:] < 0) & seen[:-1] & seen[1:]
    wrong = np.where(np.isfinite(wrong) & crosses.any(axis=0), wrong, 0)
    if wrong.any():
        j = wrong.argmax()
        for i in np.flatnonzero(crosses[:, j]):
            yield from _few_digits(_bisected(off, j, GRID[i], GRID[i + 1]))


def _bisected(off, j, low, high):
    """Return the number, between powers of two, where entry j changes its sign."""
    sign = math.copysign(1, off(2.0**low)[j])
    for _ in range(60):
        middle = (low + high) / 2
        if math.copysign(1, off(2.0**middle)[j]) == sign:
            low = middle
        else:
            high = middle
    return 2.0**high


def _few_digits(value):
    """Yield the numbers near a value that people write, and then the value itself."""
    short = dict.fromkeys(float(f"{value:.{d}g}") for d in (1, 2, 3, 4))
    yield from (n for n in (*KNOWN, *short) if abs(n - value) < 0.01 * value)
    yield value


def known_as(number):
    """Return a number as text, and what it is where many know it."""
    return KNOWN.get(number, f"{number:.6g}")
