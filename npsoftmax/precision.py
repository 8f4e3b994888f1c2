"""Where the last digits come from: the type to compute in, a difference and a sum with
what rounding took from it, and powers of two, which change no digit.

    double, at_least_single     the types that the layers compute in
    rounded                     an answer, in the type it is given back in
    two_sum                     a - b = d + err exactly, d as rounded (Knuth)
    sums                        of rows, whose rounding does not grow with their length
    mean                        of numbers up to the largest there is
    norms, squares_are_safe     whose squares leave the range long before they do
    power_of_two, scaled        2^n <= |a| < 2^(n+1); a times such powers, rounded once
    of_one_size                 terms of a sum, beside the largest of them
    in_blocks                   large arrays, so many rows at a time

An array may be complex: the complex step of a gradient check goes through all layers.
Its imaginary part is a direction, not a size, so whatever is decided by comparing (the
largest entry, a piece, a scale) is decided by the real part: that is why `.real` stands
here and in the layers.
"""

import math

import numpy as np

ONE, AS_IT_IS = np.ones((1, 1)), np.zeros((1, 1), int)  # 1, and the n of 2^n = 1
ONE.flags.writeable = AS_IT_IS.flags.writeable = False


def double(a):
    """Return a in float64, or complex128: what rows of logits are computed in."""
    return a.astype(np.complex128 if a.dtype.kind == "c" else np.float64, copy=False)


def at_least_single(a):
    """Return a as it is, but float16 in float32."""
    return a.astype(np.float32) if a.dtype == np.float16 else a


def rounded(a, dtype):
    """Return a in the type of the answer; beyond its range, inf without a warning."""
    if a.dtype == dtype:
        return a
    with np.errstate(over="ignore"):
        return a.astype(dtype)


def two_sum(a, b):
    """Return d = a - b as rounded, and its error err: a - b = d + err exactly.

    Six operations, no branch (Knuth, The Art of Computer Programming 2, 4.2.2). Where d
    is infinite or nan, err is nan. 1 - 1e-20 is d = 1, and err = -1e-20.
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
    unit, and multiples add up without rounding; what is rounded off is added apart. In
    three digits: 0.123 + 0.456 beside 1.16 is 0.12 + 0.46 and, apart, 0.003 - 0.004.
    """
    ones = np.ones(e.shape[1], e.dtype)
    large = 2 * (e @ ones).real[:, None]  # (N, 1)
    high = e + large  # (N, C)
    high -= large
    total = high @ ones  # (N,) exact
    total += np.subtract(e, high, out=high) @ ones
    return total


def mean(a):
    """Return the mean of a (N,), rounded twice, finite even where its sum overflows."""
    if a.dtype.kind == "c":
        return mean(a.real) + 1j * mean(a.imag)
    try:
        return np.float64(math.fsum(a.tolist())) / a.size
    except OverflowError:
        return mean(a * 2.0**-64) * 2.0**64


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


def power_of_two(a):
    """Return the largest power of two that is at most |a|; 1 for 0, inf and nan."""
    exponent = np.frexp(a)[1] - 1
    scale = np.ldexp(np.ones_like(a), exponent)
    return np.where((a != 0) & np.isfinite(a), scale, 1)


def scaled(a, *powers):
    """Return a times powers of two, rounded once, though their product overflow."""
    if all(_is_only(1, power) for power in powers):
        return a
    return _ldexp(a, sum(map(_exponent, powers)))


def times_two_to(n, a):
    """Return 2^n a, rounded once; beyond the range, inf without a warning."""
    return a if _is_only(0, n) else _ldexp(a, n)


def _ldexp(a, n):
    with np.errstate(over="ignore"):
        if a.dtype.kind == "c":
            return np.ldexp(a.real, n) + 1j * np.ldexp(a.imag, n)
        return np.ldexp(a, n)


def of_one_size(a, power=ONE, nothing=False, axis=1):
    """Return t and n: a power = t 2^n, |t| <= 1, with one n for a row (or a column).

    They are what the terms of a sum along the axis are multiplied by, of any size: what
    is little beside the largest becomes 0, as does what multiplies nothing, and no term
    overflows. [1e300, 1e-300] times [1e300, 1] is [0.9, 0] 2^1994. As it is, but copied
    and with n = 0, comes an array of sizes that need no care.
    """
    limit = float(np.finfo(a.dtype).max) ** 0.25
    if _is_only(1, power) and np.vdot(a, a).real < limit**2:
        return a.copy(), AS_IT_IS
    a, exponent = np.where(nothing, 0, a), _exponent(power)
    n = np.where(a == 0, -9999, np.frexp(a.real)[1] + exponent)
    n = n.max(axis=axis, keepdims=True)
    return _ldexp(a, exponent - n), n


def _exponent(power):
    """Return n of 2^n, also when a gradient check has moved 2^n by an ulp."""
    return np.rint(np.log2(power)).astype(int)


def _is_only(number, a):
    return a.size == 1 and a.item() == number


def places(y, C):
    """Return where z[i, y[i]] stands in z.ravel(), z (N, C): (N,), for take and put."""
    return np.arange(0, len(y) * C, C) + y


def in_blocks(f, z, out):
    """Call f(rows of z, rows of out) for so many rows at a time that all that is
    computed on the way stays in the processor's cache.
    """
    step = max(1, 2**15 // z.shape[1])
    for i in range(0, len(z), step):
        f(z[i : i + step], out[i : i + step])
