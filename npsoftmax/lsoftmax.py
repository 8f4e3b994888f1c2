"""L-Softmax: features x, weights W and labels y to logits with a margin on the angle
of the true class (Liu, Wen, Yu, Yang, ICML 2016), and back.

(4) to (10) are those of textbook.py. Three are computed in another form here:

    (7a) for c >= 0, with h = 2 (c - 1) and V_n = U_n - U_{n-1}, U_0 = V_0 = 1:
         V_{n+1} = V_n + h U_n,  U_{n+1} = U_n + V_{n+1},  T_m = V_{m-1} + h U_{m-1}/2
         for c < 0 from -c:  T_m(-c) = (-1)^m T_m(c),  |U_{m-1}(-c)| = |U_{m-1}(c)|
    (8a) k = how many of cos(j pi/m), j = 1 .. m-1, lie above c
    (9a) df_y/dx   = g' W_y + (g - g' c) |W_y| x_hat
         df_y/dW_y = g' x + (g - g' c) |x| w_hat

Where this parts from textbook.py, and what it buys:
* no angle is computed, k comes from c: there is no arccos to leave [-1, 1], no
  sin(theta) to divide by, and no eps is added anywhere. At a knot, where two pieces
  meet, either will do: value and slope are the same;
* (7a) for (7): near c = 1, U and V are sums of what does not cancel. An error of 20 eps
  at m = 8 becomes 2, of 2300 eps at m = 100 becomes 7;
* (9a), which is (9) sorted by W_y and x: g' W_y is in the same product of matrices as
  the other classes' W_j;
* rows of x and columns of W of unusual size are divided by powers of two, and so are
  rows and columns of dz: for x = (3e-200, 4e-200), W_y = (1, 0) and m = 2 the page has
  f_y = -0, for (3e200, 4e200) -inf, here it is -1.4e-200 and -1.4e200;
* lam and 1 are divided by 1 + lam first: with lam = 1e39 in float32 nan becomes 3.

psi is within 16 eps max(1, |psi|) up to m = 100, the largest that is taken (7 was found
by the cosine); dpsi/dc within 8 eps m^2 (7), dpsi/dtheta within 4 (3.3). dx and dW are
within m^2 (m (D + 2)/2 + 8 + (N + C)/2) eps of their terms in size, for x, W and dz of
every size; only of a dz below 2e-308, which has lost digits, no more can be said.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from npsoftmax import validate
from npsoftmax.arrays import Array, Integers, Numbers, Values
from npsoftmax.precision import (
    ONE,
    at_least_single,
    nonzero,
    norms,
    of_one_size,
    places,
    power_of_two,
    rounded,
    scaled,
    squares_are_safe,
    times_two_to,
)


def psi(theta: Numbers, m: int) -> Values:
    """Return psi by its pieces (5): 1 at 0, falling to 1 - 2m at pi.

    theta: angles in radians in [0, pi], any shape -> the same shape. m: the margin, an
    integer from 1 to 100. Raises ValueError for an angle outside [0, pi].
    """
    theta, m = validate.angle(theta), validate.margin(m)
    k = _piece(theta, m)  # theta's shape
    value = _sign(k) * np.cos(m * at_least_single(theta)) - 2 * k  # theta's shape (5)
    return rounded(value, theta.dtype)[()]


def psi_prime(theta: Numbers, m: int) -> Values:
    """Return dpsi/dtheta = -m |sin(m theta)| (8): one formula for all the pieces.

    |.| has no complex step, so the sign of sin(m theta) is taken from k: it is (-1)^k,
    as sin(4 theta) < 0 for theta = 1, where k = 1. At a knot, where the slope is 0,
    rounding may leave it up to 4 eps m^2 above 0.
    theta: angles in radians in [0, pi], any shape -> the same shape. m: the margin, an
    integer from 1 to 100. Raises ValueError for an angle outside [0, pi].
    """
    theta, m = validate.angle(theta), validate.margin(m)
    sign = _sign(_piece(theta, m))  # theta's shape
    slope = -m * sign * np.sin(m * at_least_single(theta))  # theta's shape (8)
    return rounded(slope, theta.dtype)[()]


def _piece(theta, m):
    """Return k, how many knots k pi/m, k = 1 .. m-1, lie up to theta."""
    return np.searchsorted(np.arange(1, m) * np.pi / m, theta.real, side="right")


def _sign(k):
    """Return (-1)^k, as float32: times float32 or float64 it takes their type."""
    return (1 - 2 * (k & 1)).astype(np.float32)


class PsiCache(NamedTuple):
    """The intermediates of (5) and (7), in order of computation."""

    cos: Array  # any shape; the input itself, not a copy
    m: int
    k: Integers  # cos's shape; the piece, 0 .. m-1
    sign: Array  # cos's shape; (-1)^k
    T: Array  # cos's shape; T_m = cos(m theta)
    U: Array  # cos's shape; U_{m-1} = sin(m theta) / sin(theta)


def psi_forward(cos: Numbers, m: int) -> tuple[Values, PsiCache]:
    """Return psi (5) from cos(theta), of any shape, and the cache.

    m: the margin, an integer from 1 to 100. Raises ValueError for a cosine outside
    [-1, 1] by more than sqrt(eps): 1 + 2 eps, what the product of two unit vectors may
    give, is taken as it is.
    """
    cos, m = validate.cosine(cos), validate.margin(m)
    value, cache = _psi_forward(at_least_single(cos), m)
    return rounded(value, cos.dtype), cache._replace(cos=cos)


def psi_backward(dpsi: Numbers, cache: PsiCache) -> Values:
    """Return dcos = dpsi m |U_{m-1}(cos)| (8), of the shape of cos."""
    cos, m, k, sign, T, U = validate.cache(cache, PsiCache)
    dpsi = validate.gradient("dpsi", dpsi, cos.shape)
    return rounded(dpsi * m * np.abs(U), np.result_type(dpsi, cos))  # cos's shape (8)


def _psi_forward(cos, m):
    knots = _knots(m, cos.real.dtype)  # (m - 1,)
    k = m - 1 - np.searchsorted(knots, cos.real, side="right")  # cos's shape (8a)
    sign = _sign(k)  # cos's shape
    T, U = chebyshev(cos, m)  # cos's shape (7)
    return sign * T - 2 * k.astype(knots.dtype), PsiCache(cos, m, k, sign, T, U)  # (5)


@lru_cache
def _knots(m, dtype):
    """Return cos(j pi/m) for j = m-1 .. 1, from the smallest to the largest."""
    knots = np.cos(np.arange(m - 1, 0, -1) * np.pi / m).astype(dtype)
    knots.flags.writeable = False
    return knots


def chebyshev(c, m):
    """Return T_m(c) = cos(m theta) and U_{m-1}(c) = sin(m theta) / sin(theta) (7a)."""
    if m == 1:
        return c, np.ones_like(c)
    side = np.copysign(1, c.real)  # c's shape
    h = 2 * (c * side - 1)  # c's shape 2 (|c| - 1)
    V = U = np.ones_like(c)  # U_0 - U_{-1}, U_0
    for _ in range(m - 1):
        V = V + h * U  # (7a)
        U = U + V  # (7a)
    T = V + h / 2 * U  # (7a)
    return (T * side, U) if m % 2 else (T, U * side)


class LSoftmaxCache(NamedTuple):
    """The intermediates of (4) to (6), (8) and (9), in order of computation."""

    x: Array  # (N, D) divided by x_scale; the input itself where all of it is 1
    x_scale: Array  # (N, 1) powers of two, or (1, 1)
    x_norm: Array  # (N,) |x|, of the x above
    W: Array  # (D, C) divided by W_scale; the input itself where all of it is 1
    W_scale: Array  # (1, C) powers of two, or (1, 1)
    W_norm: Array  # (C,) |W_c|, of the W above
    y: Integers  # (N,) labels
    m: int
    lam: float
    cos: Array  # (N,) cos(theta_y) (4)
    k: Integers  # (N,) the piece of psi (8a)
    psi: Array  # (N,) (5)
    slope: Array  # (N,) dpsi/dcos (8)
    g: Array  # (N,) (6)
    g_prime: Array  # (N,) dg/dcos (9)
    radial: Array  # (N,) g - g' cos (9a)
    z: Array  # (N, C) logits, f of (6); the output itself, never read again


def lsoftmax_forward(
    x: Numbers, W: Numbers, y: Numbers, m: int, lam: float = 0.0
) -> tuple[Array, LSoftmaxCache]:
    """Return the logits z (N, C) of (6), with the margin in the label's column.

    x (N, D) features, W (D, C) weights without bias, y (N,) labels, m the margin (an
    integer from 1 to 100; 1 is the plain softmax), lam (from 0) how much of the plain
    cosine is mixed in. The loss is `cross_entropy_forward(z, y)`. To predict, no label
    is needed: `argmax(x @ W)`. Raises ValueError or TypeError that names the argument.
    """
    x, W = validate.factors(x, W)
    y, m = validate.labels(y, len(x), W.shape[1]), validate.margin(m)
    lam = validate.non_negative("lam", lam)
    dtype, label = np.result_type(x, W), places(y, W.shape[1])
    x, x_scale, x_norm = _of_usual_size("x", at_least_single(x), axis=1)
    W, W_scale, W_norm = _of_usual_size("W", at_least_single(W), axis=0)
    z = x @ W  # (N, C) (6) of j != y, (4)
    length = x_norm * W_norm[y]  # (N,) |x| |W_y|
    cos = z.take(label) / nonzero(length)  # (N,) (4)
    psi_y, pieces = _psi_forward(cos, m)  # (N,) (5)
    slope = m * np.abs(pieces.U)  # (N,) (8)
    g, g_prime = _mixed(cos, psi_y, slope, lam, length)  # (N,), (N,)
    radial = g - g_prime * cos  # (N,) (9a)
    z.put(label, nonzero(length) * g)  # (N, C) (6)
    z = rounded(scaled(z, x_scale, W_scale), dtype)  # (N, C)
    return z, LSoftmaxCache(
        x, x_scale, x_norm, W, W_scale, W_norm, y, m, lam,
        cos, pieces.k, psi_y, slope, g, g_prime, radial, z,
    )  # fmt: skip


def lsoftmax_backward(dz: Numbers, cache: LSoftmaxCache) -> tuple[Array, Array]:
    """Return dx (N, D) and dW (D, C) by (9), from dz (N, C), the logits' gradient."""
    cache = validate.cache(cache, LSoftmaxCache)
    x, x_scale, x_norm, W, W_scale, W_norm, y, *_, g_prime, radial, z = cache
    dz, label = validate.gradient("dz", dz, z.shape), places(y, z.shape[1])

    dz_x, n = of_one_size(dz, W_scale, W_norm == 0, axis=1)  # (N, C), (N, 1)
    dz_y = dz_x.take(label)  # (N,)
    dz_x.put(label, g_prime * dz_y)
    dx = dz_x @ W.T  # (N, D) sum_j dz_j W_j, and dz_y g' W_y
    dx += _along(x, x_norm[:, None], (radial * W_norm[y] * dz_y)[:, None])  # (9a)
    dx = times_two_to(n, dx)

    dz_W, n = of_one_size(dz, x_scale, x_norm[:, None] == 0, axis=0)  # (N, C), (1, C)
    dz_y = dz_W.take(label)  # (N,)
    dz_W.put(label, g_prime * dz_y)
    dW = x.T @ dz_W  # (D, C) sum_i dz_i x_i, and dz_y g' x
    size = np.bincount(y, radial * x_norm * dz_y, len(W_norm))  # (C,) of all y_i = c
    dW += _along(W, W_norm, size)  # (9a)
    dW = times_two_to(n, dW)
    return rounded(dx, z.dtype), rounded(dW, z.dtype)


def _mixed(cos, psi_y, slope, lam, length):
    """Return g and g' (N,), or those of m = 1 where the length |x| |W_y| is 0 (10)."""
    plain, margin = lam / (1 + lam), 1 / (1 + lam)  # their sum is 1
    g = plain * cos + margin * psi_y  # (N,) (6)
    g_prime = plain + margin * slope  # (N,) (9)
    if length.real.all():
        return g, g_prime
    none = length.real == 0  # (N,)
    return np.where(none, cos, g), np.where(none, 1, g_prime)


def _along(v, v_norm, size):
    """Return size v/|v|, v/|v| first: unlike size/|v| it is always in the range."""
    part = v / nonzero(v_norm)
    part *= size.astype(v.dtype, copy=False)
    return part


def _of_usual_size(name, v, axis):
    """Return v divided by its scales, the scales, and the norms along the axis.

    The scale is 1 nearly always. Where the square of a norm would leave the range, the
    scales are powers of two near the largest entry of each row (or column), so that
    dividing rounds nothing: |x| and |W_c| may be 1e-300 and 1e300.
    """
    norm = norms(v, axis)
    if squares_are_safe(norm):
        return v, ONE, norm
    validate.finite(name, v)
    scale = power_of_two(np.abs(v.real).max(axis=axis, keepdims=True))
    v = v / scale
    return v, scale, norms(v, axis)
