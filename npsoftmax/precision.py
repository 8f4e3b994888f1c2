"""Where the last digits come from: a difference with its rounding error, sums and
norms that neither overflow nor underflow on the way, and powers of two to scale by.

    two_sum         a - b = d + err exactly, d being the rounded difference (Knuth)
    sums            of a row, whose own rounding does not grow with its length
    power_of_two    2^e <= |a| < 2^(e+1): multiplying by it changes no digit
    norms           whose squares leave the range long before their numbers do
    mean            of numbers up to the largest there is
    in_blocks       large arrays, so many rows at a time, in the processor's cache
"""

import numpy as np


def two_sum(a, b):
    """Return d = a - b as rounded, and its error err: a - b = d + err exactly.

    Six operations, no branch (Knuth, The Art of Computer Programming 2, 4.2.2). Where d
    is infinite or nan, err is nan.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        d = a - b
        minus_b = d - a  # what was added to a, as far as d shows it
        err = d - minus_b
        np.subtract(a, err, out=err)
        minus_b += b
        err -= minus_b
    return d, err


def sums(e):
    """Return the sums (N,) of the rows of e (N, C), e >= 0, to about the last digit.

    Beside a number as large as twice their sum, all e are rounded to multiples of one
    unit, and these add up without any rounding; what is rounded off is added apart.
    """
    ones = np.ones(e.shape[1], e.dtype)
    large = 2 * (e @ ones).real[:, None]  # (N, 1)
    high = e + large  # (N, C)
    high -= large
    total = high @ ones  # (N,) exact
    total += np.subtract(e, high, out=high) @ ones
    return total


def power_of_two(a):
    """Return the largest power of two that is at most |a|; 1 for 0, inf and nan."""
    exponent = np.frexp(a)[1] - 1
    scale = np.ldexp(np.ones_like(a), exponent)
    return np.where((a != 0) & np.isfinite(a), scale, 1)


def norms(v, axis):
    """Return the norms of v (2-D) along an axis; inf or 0 where a square is."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.sqrt(np.einsum("nd,nd->n" if axis == 1 else "dc,dc->c", v, v))


def squares_are_safe(norms):
    """Return whether no square overflowed, and none that matters underflowed."""
    limits, real = np.finfo(norms.dtype), norms.real
    low, high = float(real.min()), float(real.max())
    lost_below, lost_above = float(limits.tiny / limits.eps**2), float(limits.max)
    return lost_below < low * low and high * high < lost_above


def nonzero(a):
    """Return a with 1 in place of 0, to divide by."""
    return np.where(a.real == 0, 1, a) if not a.real.all() else a


def mean(a):
    """Return the mean of a (N,), finite even where the sum of a overflows."""
    with np.errstate(over="ignore"):
        total = a.sum()
    return total / a.size if np.isfinite(total) else (a / a.size).sum()


def working_copy(a):
    """Return a in the type to compute in: float32 for float16, float64 for integers."""
    if a.dtype.kind in "fc":
        return a if a.dtype.itemsize > 2 else a.astype(np.float32)
    return a.astype(np.float64)


def places(y, C):
    """Return where z[i, y[i]] stands in z.ravel(), z (N, C): (N,), for take and put."""
    return np.arange(0, len(y) * C, C) + y


def in_blocks(f, z):
    """Return f of the rows z (N, C), computed for so many rows at a time that all that
    is computed on the way stays in the processor's cache.
    """
    step = max(1, 2**15 // z.shape[1])
    if len(z) <= step:
        return f(z)
    first = f(z[:step])
    values = np.empty((len(z), first.shape[1]), first.dtype)
    values[:step] = first
    for i in range(step, len(z), step):
        values[i : i + step] = f(z[i : i + step])
    return values
