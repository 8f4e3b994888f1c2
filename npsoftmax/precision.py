"""Where the last digits come from: a difference with its rounding error, sums and
norms that neither overflow nor underflow on the way, and powers of two to scale by.

    two_sum         a - b = d + err exactly, d being the rounded difference (Knuth)
    power_of_two    2^e <= |a| < 2^(e+1): multiplying by it changes no digit
    polar           v = |v| v_hat, from 1e-300 to 1e300 (scaled by the largest entry)
    mean            of numbers up to the largest there is
"""

import numpy as np


def two_sum(a, b):
    """Return d = a - b as rounded, and its error err: a - b = d + err exactly.

    Six operations, no branch (Knuth, The Art of Computer Programming 2, 4.2.2). Where d
    is infinite or nan there is no error to speak of, and err is 0.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        d = a - b
        minus_b = d - a  # what was added to a, as far as d shows it
        err = d - minus_b
        np.subtract(a, err, out=err)
        minus_b += b
        err -= minus_b
    if not np.isfinite(err).all():
        err[~np.isfinite(err)] = 0
    return d, err


def power_of_two(a):
    """Return the largest power of two that is at most |a|; 1 for 0, inf and nan."""
    exponent = np.frexp(a)[1] - 1
    scale = np.ldexp(np.ones_like(a), exponent)
    return np.where((a != 0) & np.isfinite(a), scale, 1)


def polar(v):
    """Return the norm and the direction of each row of v: v = |v| v_hat.

    v (N, D), real or complex -> |v| (N,), v_hat (N, D); the direction of 0 is 0.
    A square leaves the range long before its number does, so rows of an unusual size
    are first divided by a power of two near their largest entry, which rounds nothing.
    """
    limits = np.finfo(v.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("nd,nd->n", v, v)
    usual = (squares.real > limits.tiny / limits.eps**2) & (squares.real < limits.max)
    if usual.all():
        norm = np.sqrt(squares)
        return norm, v / norm[:, None]
    scale = power_of_two(np.abs(v.real).max(axis=1))
    v = v / scale[:, None]
    norm = np.sqrt(np.einsum("nd,nd->n", v, v))
    return norm * scale, v / np.where(norm == 0, 1, norm)[:, None]


def mean(a):
    """Return the mean of a (N,), finite even where the sum of a would overflow."""
    scale = power_of_two(np.abs(a.real).max())
    return (a / scale).mean() * scale


def working_copy(a):
    """Return a in the type to compute in: float32 for float16, float64 for integers."""
    if a.dtype.kind in "fc":
        return a if a.dtype.itemsize > 2 else a.astype(np.float32)
    return a.astype(np.float64)
