"""Softmax: logits z, one row a sample, to probabilities p, their logarithm, and
log sum exp; forward and backward, each right to the last digits.

    (1)  d_j = z_j - max z        e_j = exp(d_j)
         r = sum of all e_j but one largest, which is exp(0) = 1
         logsumexp(z) = max z + log1p(r)
         p_j = e_j / (1 + r)      log p_j = d_j - log1p(r)

         dz_j = p_j (dp_j - sum_l p_l dp_l)             from dp
         dz_j = dlog_p_j - p_j sum_l dlog_p_l           from dlog_p

Three steps make (1) right where exp(z_j) / sum exp(z_l) is not:
* the shift by max z: no exp overflows, and 1 + r is never 0;
* r without the largest term: log1p(r) keeps a tiny r, which log(1 + r) rounds away;
* the rounding error of the shift is carried along: near z = 700 it is 5.7e-14, which
  exp would turn into 256 wrong units in the last place.

Special values: an entry -inf has p = 0; one entry +inf has p = 1 and all others 0; a
row of only -inf, or with two +inf, has no limit and gives nan (its logsumexp is -inf,
or inf); nan gives nan in its row. No warning is given for any of these.
"""

from typing import NamedTuple

import numpy as np

from npsoftmax.arguments import check_matrix, gradient, numeric
from npsoftmax.precision import two_sum, working_copy


class SoftmaxCache(NamedTuple):
    """The intermediates of (1), in order of computation."""

    top: np.ndarray  # (N, 1) the column of the largest logit
    d: np.ndarray  # (N, C) z - max z
    e: np.ndarray  # (N, C) exp(z - max z)
    r: np.ndarray  # (N, 1) the sum of all e but the largest
    p: np.ndarray  # (N, C)


class LogSoftmaxCache(NamedTuple):
    """The intermediates of (1), in order of computation."""

    top: np.ndarray  # (N, 1) the column of the largest logit
    d: np.ndarray  # (N, C) z - max z
    e: np.ndarray  # (N, C) exp(z - max z)
    r: np.ndarray  # (N, 1) the sum of all e but the largest
    log_p: np.ndarray  # (N, C)


def logsumexp(z, axis=-1):
    """Return log(sum(exp(z))) along an axis.

    z: any shape, at least one entry along `axis` -> z's shape without that axis. Raises
    TypeError for what is no number, ValueError for an empty axis. Source: Blanchard,
    Higham and Higham, IMA J. Numer. Anal. 41 (2021), whose form leaves the 1 out of r.

    >>> float(logsumexp([-1000.0, -1000.0]))   # log(exp(-1000) + ...) is log(0)
    -999.3068528194401
    """
    z, z_dtype = _rows(z, axis)
    top, d, e, r = shifted_exponentials(z)
    z_max = np.take_along_axis(working_float(z), top, axis=-1)
    z_max, r = z_max[..., 0], r[..., 0]
    with np.errstate(invalid="ignore"):
        lse = np.where(np.isinf(z_max), z_max, z_max + np.log1p(r))
    return lse.astype(z_dtype)[()]


def softmax(z, axis=-1):
    """Return the probabilities exp(z) / sum(exp(z)) along an axis.

    z: any shape, at least one entry along `axis` -> the same shape. Raises TypeError
    for what is no number, ValueError for an empty axis.

    >>> softmax([1000.0, 0.0])                 # exp(1000) is inf
    array([1., 0.])
    """
    z, z_dtype = _rows(z, axis)
    top, d, e, r = shifted_exponentials(z)
    return np.moveaxis((e / (1 + r)).astype(z_dtype, copy=False), -1, axis)


def log_softmax(z, axis=-1):
    """Return the logarithm of the probabilities along an axis.

    z: any shape, at least one entry along `axis` -> the same shape. Raises TypeError
    for what is no number, ValueError for an empty axis.

    >>> log_softmax([1000.0, 1.0])             # log(softmax(z)) gives [0, -inf]
    array([   0., -999.])
    """
    z, z_dtype = _rows(z, axis)
    top, d, e, r = shifted_exponentials(z)
    return np.moveaxis((d - np.log1p(r)).astype(z_dtype, copy=False), -1, axis)


def naive_softmax(z, axis=-1):
    """Return exp(z) / sum(exp(z)) as it stands in the book, to be looked at, not used.

    It overflows for z > 709.78 (float32: 88.72) and divides 0 by 0 for z < -745.

    >>> with np.errstate(all="ignore"):
    ...     naive_softmax([1000.0, 0.0])
    array([nan,  0.])
    """
    e = np.exp(np.asarray(z))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_forward(z):
    """Return p (N, C) of logits z (N, C), and the cache for `softmax_backward`."""
    z = check_matrix("z", numeric("z", z), "(N, C)")
    z, z_dtype = _rows(z, -1)
    top, d, e, r = shifted_exponentials(z)  # (N, 1), (N, C), (N, C), (N, 1)
    p = (e / (1 + r)).astype(z_dtype, copy=False)  # (N, C) (1)
    return p, SoftmaxCache(top, d, e, r, p)


def softmax_backward(dp, cache):
    """Return dz (N, C) of the loss whose gradient by p is dp (N, C)."""
    top, d, e, r, p = cache
    dp = gradient("dp", dp, p.shape)
    return p * (dp - (p * dp).sum(axis=1, keepdims=True))  # (N, C)


def log_softmax_forward(z):
    """Return log p (N, C) of logits z (N, C), and the cache for its backward."""
    z = check_matrix("z", numeric("z", z), "(N, C)")
    z, z_dtype = _rows(z, -1)
    top, d, e, r = shifted_exponentials(z)  # (N, 1), (N, C), (N, C), (N, 1)
    log_p = (d - np.log1p(r)).astype(z_dtype, copy=False)  # (N, C) (1)
    return log_p, LogSoftmaxCache(top, d, e, r, log_p)


def log_softmax_backward(dlog_p, cache):
    """Return dz (N, C) of the loss whose gradient by log p is dlog_p (N, C)."""
    top, d, e, r, log_p = cache
    dlog_p = gradient("dlog_p", dlog_p, log_p.shape)
    p = (e / (1 + r)).astype(log_p.dtype, copy=False)  # (N, C) (1)
    return dlog_p - p * dlog_p.sum(axis=1, keepdims=True)  # (N, C)


def shifted_exponentials(z):
    """Return top, d, e and r of (1) along the last axis of z (..., C).

    top (..., 1), d (..., C), e (..., C), r (..., 1). The largest has d = 0 and e = 1.
    """
    top = z.real.argmax(axis=-1)[..., None]  # (..., 1)
    z_max = np.take_along_axis(z, top, axis=-1)  # (..., 1)
    d, err = subtract_max(z, z_max)  # (..., C) (1)
    e = np.exp(d)  # (..., C) (1)
    err *= e
    e += err  # exp(d + err) = exp(d) (1 + err)
    np.put_along_axis(e, top, 0, axis=-1)
    r = e.sum(axis=-1, keepdims=True)  # (..., 1) (1)
    np.put_along_axis(e, top, np.exp(np.take_along_axis(d, top, axis=-1)), axis=-1)
    return top, d, e, r


def subtract_max(z, z_max):
    """Return d = z - max z (1) as rounded and its error, both (..., C).

    Integers are subtracted as integers (so that uint8 3 - 5 is -2 and not 254). The one
    entry +inf of a row is 0 from itself: the limit of ever larger numbers.
    """
    if z.dtype.kind in "biu":
        below = z_max.astype(np.uint64) - z.astype(np.uint64)  # modulo 2^64: exact
        return 0 - below.astype(np.float64), np.zeros(z.shape)
    d, err = two_sum(z, z_max)
    if np.isposinf(z_max.real).any():
        lone = np.isposinf(z.real) & (np.isposinf(z.real).sum(-1, keepdims=True) == 1)
        d[lone] = 0
    return d, err


def working_float(z):
    """Return integers as float64 and anything else as it is."""
    return z.astype(np.float64) if z.dtype.kind in "biu" else z


def _rows(z, axis):
    """Return z with `axis` last and contiguous, and the type of the answer.

    Contiguous because NumPy sums pairwise, hence accurately, only along such an axis.
    """
    z = numeric("z", z)
    shape = z.shape
    if z.ndim == 0:
        raise ValueError("z is a single number, but it must be an array of logits")
    try:
        z = np.moveaxis(z, axis, -1)
    except np.exceptions.AxisError:
        raise ValueError(
            f"axis is {axis}, but z has {z.ndim} axes: 0 to {z.ndim - 1}, or negative"
        ) from None
    if z.shape[-1] == 0:
        raise ValueError(
            f"z has shape {shape}, no classes along axis {axis}: it must have one or more"
        )
    z_dtype = np.float64 if z.dtype.kind in "biu" else z.dtype
    return np.ascontiguousarray(working_copy(z)), z_dtype
