"""Softmax: logits z, one row a sample, to probabilities p, their logarithm, and
log sum exp; forward and backward.

    (1)  d_j = z_j - max z        e_j = exp(d_j)
         r = sum of all e_j but one largest, which is exp(0) = 1
         logsumexp(z) = max z + log1p(r)
         p_j = e_j / (1 + r)      log p_j = d_j - log1p(r)

    (1a) dz_j = p_j (dp_j - sum_l p_l dp_l)             from dp
    (1b) dz_j = dlog_p_j - p_j sum_l dlog_p_l           from dlog_p

Where this parts from textbook.py, and what it buys, in units in the last place (ULP):
* r leaves the largest e out, and log1p(r) keeps it: log p of [50, 0] begins with
  -1.9e-22, there with 0;
* the rounding error of d is carried along: of logits up to 700, 498 ULP of p become 2;
* r is summed to its last digit: p of 40 normal logits has 6.3 ULP there, 2.7 here;
* float32 and float16 are computed in float64 and rounded once: 65 ULP become 0.5;
* integers are subtracted as integers: uint8 [3, 5] gives [nan, 0] there;
* (1a) takes dp from that of the largest p, and (1b) has 1 - p = r / (1 + r) there: both
  give 1.9e-22 for [50, 0] and [1, 0], there 0.

In float64 p is within 6 ULP (5.2 was found), log p within 4 (3.4), logsumexp within 4
or, near 0, 2 eps max(1, |max z|); a dz is within (2C + 8) eps of its terms in size.

Special values: an entry -inf has p = 0; one entry +inf has p = 1 and all others 0; a
row of only -inf, or with two +inf, has no limit and gives nan (its logsumexp is -inf,
or inf); nan gives nan in its row. No warning is given for any of these.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npsoftmax import validate
from npsoftmax.arrays import Array, Integers, Numbers, Values
from npsoftmax.precision import (
    double,
    in_blocks,
    of_one_size,
    places,
    rounded,
    sums,
    times_two_to,
    two_sum,
)

SMALLEST_NORMAL = np.finfo(np.float64).tiny  # 2.2e-308


class SoftmaxCache(NamedTuple):
    """The intermediates of (1), in order of computation."""

    top: Integers  # (N,) the column of the largest logit
    d: Array  # (N, C) z - max z
    e: Array  # (N, C) exp(z - max z)
    r: Array  # (N,) the sum of all e but the largest
    p: Array  # (N, C); the output itself, never read again


class LogSoftmaxCache(NamedTuple):
    """The intermediates of (1), in order of computation."""

    top: Integers  # (N,) the column of the largest logit
    d: Array  # (N, C) z - max z
    e: Array  # (N, C) exp(z - max z)
    r: Array  # (N,) the sum of all e but the largest
    log_p: Array  # (N, C); the output itself, never read again


def logsumexp(z: Numbers, axis: int = -1) -> Values:
    """Return log(sum(exp(z))) along an axis.

    z: any shape, at least one entry along `axis` -> z's shape without that axis. Raises
    TypeError for what is no number, ValueError for an empty axis. Source: Blanchard,
    Higham and Higham, IMA J. Numer. Anal. 41 (2021), whose form leaves the 1 out of r.
    Where max z and log1p(r) cancel, near 0, the error is up to 2 eps max(1, |max z|).

    >>> float(logsumexp([-1000.0, -1000.0]))   # log(exp(-1000) + ...) is log(0)
    -999.3068528194401
    """
    return np.squeeze(_by_rows(axis, _logsumexp, z, columns=1), axis)[()]


def _logsumexp(z, out):
    top, d, e, r = shifted_exponentials(z)
    z_max = double(z.take(places(top, z.shape[1])))  # (N,)
    with np.errstate(invalid="ignore"):
        out[:, 0] = np.where(np.isinf(z_max), z_max, z_max + np.log1p(r))  # (N,) (1)


def softmax(z: Numbers, axis: int = -1) -> Array:
    """Return the probabilities exp(z) / sum(exp(z)) along an axis.

    z: any shape, at least one entry along `axis` -> the same shape. Raises TypeError
    for what is no number, ValueError for an empty axis.

    >>> softmax([1000.0, 0.0])                 # exp(1000) is inf
    array([1., 0.])
    """
    return _by_rows(axis, _softmax, z)


def _softmax(z, out):
    top, d, e, r = shifted_exponentials(z)
    np.divide(e, 1 + r[:, None], out, casting="same_kind")  # (N, C) p (1)


def log_softmax(z: Numbers, axis: int = -1) -> Array:
    """Return the logarithm of the probabilities along an axis.

    z: any shape, at least one entry along `axis` -> the same shape. Raises TypeError
    for what is no number, ValueError for an empty axis.

    >>> log_softmax([1000.0, 1.0])             # log(softmax(z)) gives [0, -inf]
    array([   0., -999.])
    """
    return _by_rows(axis, _log_softmax, z)


def _log_softmax(z, out):
    top, d, e, r = shifted_exponentials(z)
    np.subtract(d, np.log1p(r)[:, None], out, casting="same_kind")  # (N, C) log p (1)


def naive_softmax(z: Numbers, axis: int = -1) -> Array:
    """Return exp(z) / sum(exp(z)) as it stands in the book, to be looked at, not used.

    It overflows where the sum of exp(z) does, at one z above 709.78 or at ten of 709
    (float32: 88.72), and divides 0 by 0 where all of a row lie below -745.13 (float32:
    -103.97).

    >>> with np.errstate(all="ignore"):
    ...     naive_softmax([1000.0, 0.0])
    array([nan,  0.])
    """
    z = validate.numbers("z", z)
    e = np.exp(z)
    return e / e.sum(axis=validate.axis(axis, z), keepdims=True)


def softmax_forward(z: Numbers) -> tuple[Array, SoftmaxCache]:
    """Return p (N, C) of logits z (N, C), and the cache for `softmax_backward`."""
    z = validate.logits(z)
    top, d, e, r = shifted_exponentials(z)  # (N,), (N, C), (N, C), (N,)
    p = rounded(e / (1 + r[:, None]), float_type(z))  # (N, C) (1)
    return p, SoftmaxCache(top, d, e, r, p)


def softmax_backward(dp: Numbers, cache: SoftmaxCache) -> Array:
    """Return dz (N, C) of the loss whose gradient by p is dp (N, C).

    A number added to all of a row of dp changes no dz. So dp is made 0 at the largest
    p, and the others' differences from it count: for p = [1 - 2e-22, 2e-22] and dp =
    [1, 0] they are [0, -1], and dz is [2e-22, -2e-22] without a cancellation.
    """
    top, d, e, r, p = validate.cache(cache, SoftmaxCache)
    dp, dtype = validate.gradient("dp", dp, p.shape), p.dtype
    dp, n = of_one_size(double(dp))  # (N, C), (N, 1)
    p = e / (1 + r[:, None])  # (N, C) (1)
    dp -= dp.take(places(top, dp.shape[1]))[:, None]  # (N, C)
    dz = p * (dp - (p * dp).sum(axis=1, keepdims=True))  # (N, C) (1a)
    return rounded(times_two_to(n, dz), dtype)


def log_softmax_forward(z: Numbers) -> tuple[Array, LogSoftmaxCache]:
    """Return log p (N, C) of logits z (N, C), and the cache for its backward."""
    z = validate.logits(z)
    top, d, e, r = shifted_exponentials(z)  # (N,), (N, C), (N, C), (N,)
    log_p = rounded(d - np.log1p(r)[:, None], float_type(z))  # (N, C) (1)
    return log_p, LogSoftmaxCache(top, d, e, r, log_p)


def log_softmax_backward(dlog_p: Numbers, cache: LogSoftmaxCache) -> Array:
    """Return dz (N, C) of the loss whose gradient by log p is dlog_p (N, C)."""
    top, d, e, r, log_p = validate.cache(cache, LogSoftmaxCache)
    dlog_p = validate.gradient("dlog_p", dlog_p, log_p.shape)
    dlog_p, n = of_one_size(double(dlog_p))  # (N, C)
    largest = places(top, d.shape[1])  # (N,)
    at_top = dlog_p.take(largest)  # (N,)
    dlog_p.put(largest, 0)
    others = dlog_p.sum(axis=1)  # (N,) sum of all dlog_p but the largest p's
    s = 1 + r  # (N,)
    dz = dlog_p - e / s[:, None] * (others + at_top)[:, None]  # (N, C) (1b)
    dz.put(largest, (at_top * r - others) / s)  # (N, C) (1b), with 1 - p = r/(1 + r)
    return rounded(times_two_to(n, dz), log_p.dtype)


def shifted_exponentials(z):
    """Return top (N,), d (N, C), e (N, C) and r (N,) of (1) for logits z (N, C)."""
    top = z.real.argmax(axis=1)  # (N,)
    largest = places(top, z.shape[1])  # (N,) its place in z.ravel()
    d, err = subtract_max(z, z.take(largest)[:, None])  # (N, C) (1)
    e = np.exp(d)  # (N, C) (1)
    if err is not None:
        err *= e
        e += err  # (N, C) exp(d + err) = exp(d) (1 + err)
    e_top = e.take(largest)  # (N,) 1, or nan
    e.put(largest, 0)
    r = e.sum(axis=1) if err is None else sums(e)  # (N,) (1)
    e.put(largest, e_top)
    limit = z.shape[1] * SMALLEST_NORMAL
    if err is not None and np.fmin.reduce(r.real) < limit:
        tiny = r.real < limit  # (N,)
        r[tiny] = _sums_of_subnormal(z[tiny], top[tiny][:, None])
    return top, d, e, r


def _sums_of_subnormal(z, top):
    """Return r (N,) of rows where it is so small that an e may be subnormal.

    A subnormal number has lost digits, and the errors of 1000 of them add up: so
    exp(512) r is summed, of normal numbers, and rounded once at the end.
    """
    d, err = subtract_max(z, np.take_along_axis(z, top, axis=1))  # (N, C) (1)
    e = np.exp(d + 512) * (1 + err)  # (N, C) exp(512) exp(d + err)
    np.put_along_axis(e, top, 0, axis=1)
    return e.sum(axis=1) * np.exp(-512)  # (N,)


def subtract_max(z, z_max):
    """Return d = z - max z (1) as rounded, and its error err, or None: both (N, C).

    Integers are subtracted as integers (so that uint8 3 - 5 is -2 and not 254). What
    float64 takes from a difference of float32 is nothing to a float32: err is None.
    """
    if z.dtype.kind in "biu":
        below = z_max.astype(np.uint64) - z.astype(np.uint64)  # modulo 2^64: exact
        return 0 - below.astype(np.float64), np.zeros(z.shape)
    if z.real.itemsize < 8:
        with np.errstate(invalid="ignore"):
            d, err = double(z), None
            d -= z_max
        if np.isinf(z_max.real).any():
            _take_the_limit(d, z, z_max)
    else:
        d, err = two_sum(z, z_max)
        if not np.isfinite(err).all():  # an entry of z, or of d, is not finite
            err[~np.isfinite(err)] = 0
            _take_the_limit(d, z, z_max)
    return d, err


def _take_the_limit(d, z, z_max):
    """Change d to 0 at the one +inf of a row: the limit of ever larger numbers."""
    infinite = (z.real == np.inf) & (z_max.real == np.inf)  # (N, C)
    d[infinite & (infinite.sum(axis=1, keepdims=True) == 1)] = 0


def float_type(z):
    """Return the type of an answer about z: its own, or float64 for integers."""
    return np.dtype(np.float64) if z.dtype.kind in "biu" else z.dtype


def _by_rows(axis, f, z, columns=None):
    """Return what f makes of the rows of z along the axis, put back along it.

    The rows are contiguous, for NumPy sums pairwise, hence accurately, only along such.
    """
    z = validate.numeric("z", z)
    axis = validate.axis(axis, z)
    last = axis in (-1, z.ndim - 1)
    moved = z if last else np.moveaxis(z, axis, -1)
    rows = np.ascontiguousarray(moved).reshape(-1, moved.shape[-1])
    out = np.empty((len(rows), columns or rows.shape[1]), float_type(z))
    in_blocks(f, rows, out)
    out = out.reshape(*moved.shape[:-1], out.shape[1])
    return out if last else np.moveaxis(out, -1, axis)
