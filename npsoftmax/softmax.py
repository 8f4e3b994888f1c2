"""Softmax: logits z, one row a sample, to probabilities p, their logarithm, and
log sum exp; forward and backward, each right to the last digits.

    (1)  d_j = z_j - max z        e_j = exp(d_j)
         r = sum of all e_j but one largest, which is exp(0) = 1
         logsumexp(z) = max z + log1p(r)
         p_j = e_j / (1 + r)      log p_j = d_j - log1p(r)

    (1a) dz_j = p_j (dp_j - sum_l p_l dp_l)             from dp
    (1b) dz_j = dlog_p_j - p_j sum_l dlog_p_l           from dlog_p

Three steps make (1) right where exp(z_j) / sum exp(z_l) is not:
* the shift by max z: no exp overflows, and 1 + r is never 0;
* r without the largest term: log1p(r) keeps a tiny r, which log(1 + r) rounds away;
* the rounding error of the shift is carried along: near d = -700 it is up to 5.7e-14,
  which exp would turn into 256 to 512 wrong units in the last place.

Special values: an entry -inf has p = 0; one entry +inf has p = 1 and all others 0; a
row of only -inf, or with two +inf, has no limit and gives nan (its logsumexp is -inf,
or inf); nan gives nan in its row. No warning is given for any of these.
"""

from typing import NamedTuple

import numpy as np

from npsoftmax.arguments import axis as check_axis
from npsoftmax.arguments import check_cache, gradient, logits, numeric
from npsoftmax.precision import (
    in_blocks,
    places,
    power_of_two,
    sums,
    two_sum,
    working_copy,
)


class SoftmaxCache(NamedTuple):
    """The intermediates of (1), in order of computation."""

    top: np.ndarray  # (N,) the column of the largest logit
    d: np.ndarray  # (N, C) z - max z
    e: np.ndarray  # (N, C) exp(z - max z)
    r: np.ndarray  # (N,) the sum of all e but the largest
    p: np.ndarray  # (N, C)


class LogSoftmaxCache(NamedTuple):
    """The intermediates of (1), in order of computation."""

    top: np.ndarray  # (N,) the column of the largest logit
    d: np.ndarray  # (N, C) z - max z
    e: np.ndarray  # (N, C) exp(z - max z)
    r: np.ndarray  # (N,) the sum of all e but the largest
    log_p: np.ndarray  # (N, C)


def logsumexp(z, axis=-1):
    """Return log(sum(exp(z))) along an axis.

    z: any shape, at least one entry along `axis` -> z's shape without that axis. Raises
    TypeError for what is no number, ValueError for an empty axis. Source: Blanchard,
    Higham and Higham, IMA J. Numer. Anal. 41 (2021), whose form leaves the 1 out of r.
    Where max z and log1p(r) cancel, near 0, the error is eps in absolute terms.

    >>> float(logsumexp([-1000.0, -1000.0]))   # log(exp(-1000) + ...) is log(0)
    -999.3068528194401
    """
    z, restore = _as_rows(z, axis)
    return np.squeeze(restore(in_blocks(_logsumexp, z)), axis)[()]


def _logsumexp(z):
    top, d, e, r = shifted_exponentials(z)
    z_max = working_copy(z.take(places(top, z.shape[1])))  # (N,)
    with np.errstate(invalid="ignore"):
        lse = np.where(np.isinf(z_max), z_max, z_max + np.log1p(r))  # (N,) (1)
    return lse[:, None]


def softmax(z, axis=-1):
    """Return the probabilities exp(z) / sum(exp(z)) along an axis.

    z: any shape, at least one entry along `axis` -> the same shape. Raises TypeError
    for what is no number, ValueError for an empty axis.

    >>> softmax([1000.0, 0.0])                 # exp(1000) is inf
    array([1., 0.])
    """
    z, restore = _as_rows(z, axis)
    return restore(in_blocks(_softmax, z))


def _softmax(z):
    top, d, e, r = shifted_exponentials(z)
    e /= 1 + r[:, None]  # (N, C) p (1)
    return e


def log_softmax(z, axis=-1):
    """Return the logarithm of the probabilities along an axis.

    z: any shape, at least one entry along `axis` -> the same shape. Raises TypeError
    for what is no number, ValueError for an empty axis.

    >>> log_softmax([1000.0, 1.0])             # log(softmax(z)) gives [0, -inf]
    array([   0., -999.])
    """
    z, restore = _as_rows(z, axis)
    return restore(in_blocks(_log_softmax, z))


def _log_softmax(z):
    top, d, e, r = shifted_exponentials(z)
    d -= np.log1p(r)[:, None]  # (N, C) log p (1)
    return d


def naive_softmax(z, axis=-1):
    """Return exp(z) / sum(exp(z)) as it stands in the book, to be looked at, not used.

    It overflows where one z > 709.78 (float32: 88.72), and divides 0 by 0 where all of
    a row lie below -745.13 (float32: -103.97).

    >>> with np.errstate(all="ignore"):
    ...     naive_softmax([1000.0, 0.0])
    array([nan,  0.])
    """
    e = np.exp(np.asarray(z))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_forward(z):
    """Return p (N, C) of logits z (N, C), and the cache for `softmax_backward`."""
    z = logits(z)
    top, d, e, r = shifted_exponentials(z)  # (N,), (N, C), (N, C), (N,)
    p = (e / (1 + r[:, None])).astype(float_type(z), copy=False)  # (N, C) (1)
    return p, SoftmaxCache(top, d, e, r, p)


def softmax_backward(dp, cache):
    """Return dz (N, C) of the loss whose gradient by p is dp (N, C)."""
    top, d, e, r, p = check_cache(cache, SoftmaxCache)
    dp = gradient("dp", dp, p.shape)
    # The same for all of a row changes nothing, and with 0 at the largest p, near 1 for
    # a confident row, nothing cancels there.
    dp = dp - dp.take(places(top, dp.shape[1]))[:, None]  # (N, C)
    return p * (dp - (p * dp).sum(axis=1, keepdims=True))  # (N, C) (1a)


def log_softmax_forward(z):
    """Return log p (N, C) of logits z (N, C), and the cache for its backward."""
    z = logits(z)
    top, d, e, r = shifted_exponentials(z)  # (N,), (N, C), (N, C), (N,)
    log_p = (d - np.log1p(r)[:, None]).astype(float_type(z), copy=False)  # (N, C) (1)
    return log_p, LogSoftmaxCache(top, d, e, r, log_p)


def log_softmax_backward(dlog_p, cache):
    """Return dz (N, C) of the loss whose gradient by log p is dlog_p (N, C)."""
    top, d, e, r, log_p = check_cache(cache, LogSoftmaxCache)
    dlog_p = gradient("dlog_p", dlog_p, log_p.shape)
    p = (e / (1 + r[:, None])).astype(log_p.dtype, copy=False)  # (N, C) (1)
    return dlog_p - p * dlog_p.sum(axis=1, keepdims=True)  # (N, C) (1b)


def shifted_exponentials(z):
    """Return top (N,), d (N, C), e (N, C) and r (N,) of (1) for logits z (N, C)."""
    top = z.real.argmax(axis=1)  # (N,)
    largest = places(top, z.shape[1])  # (N,) its place in z.ravel()
    d, err = subtract_max(z, z.take(largest)[:, None])  # (N, C) (1)
    e = np.exp(d)  # (N, C) (1)
    err *= e
    e += err  # (N, C) exp(d + err) = exp(d) (1 + err)
    e_top = e.take(largest)  # (N,) 1, or nan
    e.put(largest, 0)
    r = sums(e)  # (N,) (1)
    e.put(largest, e_top)
    tiny = z.shape[1] * np.finfo(r.dtype).tiny
    if r.size and np.fmin.reduce(r.real) < tiny:
        subnormal = r.real < tiny  # (N,)
        r[subnormal] = _tiny_sum(z[subnormal], top[subnormal])
    return top, d, e, r


def _tiny_sum(z, top):
    """Return r (N,) for rows so far below their largest that an e may be subnormal.

    A subnormal number has lost digits, and the errors of 1000 of them add up: so
    exp(s) r is summed, of normal numbers, and rounded once at the end.
    """
    d, err = subtract_max(z, np.take_along_axis(z, top[:, None], axis=1))  # (N, C) (1)
    s = power_of_two(np.log(np.finfo(d.dtype).tiny))  # 512, or 64: d + s is exact
    e = np.exp(d + s) * (1 + err)  # (N, C) exp(s) exp(d + err)
    np.put_along_axis(e, top[:, None], 0, axis=1)
    return e.sum(axis=1) * np.exp(-s)  # (N,)


def subtract_max(z, z_max):
    """Return d = z - max z (1) as rounded and its error, both (N, C).

    Integers are subtracted as integers (so that uint8 3 - 5 is -2 and not 254). The one
    entry +inf of a row is 0 from itself: the limit of ever larger numbers.
    """
    if z.dtype.kind in "biu":
        below = z_max.astype(np.uint64) - z.astype(np.uint64)  # modulo 2^64: exact
        return 0 - below.astype(np.float64), np.zeros(z.shape)
    d, err = two_sum(working_copy(z), working_copy(z_max))
    if not np.isfinite(err).all():  # an entry of z, or of d, is not finite
        err[~np.isfinite(err)] = 0
        infinite = (z.real == np.inf) & (z_max.real == np.inf)
        d[infinite & (infinite.sum(axis=1, keepdims=True) == 1)] = 0
    return d, err


def float_type(z):
    """Return the type of an answer about z: its own, or float64 for integers."""
    return np.dtype(np.float64) if z.dtype.kind in "biu" else z.dtype


def _as_rows(z, axis):
    """Return z as rows (N, C) along `axis`, and a function that puts rows back.

    The rows are contiguous, for NumPy sums pairwise, hence accurately, only along such.
    """
    z = numeric("z", z)
    axis = check_axis(axis, z.shape)
    last = axis in (-1, z.ndim - 1)
    moved = z if last else np.moveaxis(z, axis, -1)
    if moved.shape[-1] == 0:
        raise ValueError(
            f"z has shape {z.shape}: along axis {axis} it must have one class or more"
        )

    def restore(rows):
        rows = rows.astype(float_type(z), copy=False)
        rows = rows.reshape(*moved.shape[:-1], rows.shape[-1])
        return rows if last else np.moveaxis(rows, -1, axis)

    return np.ascontiguousarray(moved).reshape(-1, moved.shape[-1]), restore
