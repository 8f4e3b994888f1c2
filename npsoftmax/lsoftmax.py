"""L-Softmax: features x, weights W and labels y to logits with a margin on the angle
of the true class (Liu, Wen, Yu, Yang, ICML 2016), and back.

    (4)  W_c . x = |W_c| |x| cos(theta_c)
    (5)  psi(theta) = (-1)^k cos(m theta) - 2k     for theta in [k pi/m, (k+1) pi/m],
                                                   k = 0 .. m-1
    (6)  f_j = W_j . x  for j != y;                f_y = |W_y| |x| g
         g = (lam cos(theta_y) + psi(theta_y)) / (1 + lam)
    (7)  cos(m theta) = T_m(c),  sin(m theta) / sin(theta) = U_{m-1}(c),  c = cos(theta)
         U_{-1} = 0,  U_0 = 1,  U_n = 2c U_{n-1} - U_{n-2},  T_m = c U_{m-1} - U_{m-2}
    (8)  dpsi/dtheta = -m |sin(m theta)|
         dpsi/dc = (-1)^k m U_{m-1}(c)             k = how many of cos(j pi/m),
                                                   j = 1 .. m-1, lie above c
    (9)  with x_hat = x/|x|, w_hat = W_y/|W_y|, g' = (lam + dpsi/dc) / (1 + lam):
         df_y/dx   = |W_y| (g x_hat + g' (w_hat - c x_hat))
                   = g' W_y + (g - g' c) (|W_y| / |x|) x
         df_y/dW_y = |x| (g w_hat + g' (x_hat - c w_hat))
                   = g' x + (g - g' c) (|x| / |W_y|) W_y
    (10) x = 0 or W_y = 0: no angle exists; f_y = 0, with the slope of m = 1,
         df_y/dx = W_y and df_y/dW_y = x

In (9) the first form shows a radial and a tangential part; the second, the same sorted
by W_y and x, is what the code computes: its g' W_y is a matrix product like those of
the other classes. No angle is ever computed, so there is no arccos to leave [-1, 1],
no sin(theta) to divide by, and no eps is added anywhere. At a knot, where two pieces
meet, either will do: value and slope are the same.
"""

from typing import NamedTuple

import numpy as np

from npsoftmax.arguments import (
    finite,
    gradient,
    labels,
    margin,
    matrix,
    non_negative,
    numbers,
)
from npsoftmax.precision import (
    nonzero,
    norms,
    places,
    power_of_two,
    squares_are_safe,
    working_copy,
)


def psi(theta, m):
    """Return psi by its pieces (5): 1 at 0, falling to 1 - 2m at pi.

    theta: angles in radians in [0, pi], any shape -> the same shape. m: the margin, an
    integer from 1. Raises ValueError for an angle outside [0, pi].
    """
    theta, m = _angle(theta), margin(m)
    k = _piece(theta, m)
    value = (-1.0) ** k * np.cos(m * working_copy(theta)) - 2 * k  # theta's shape (5)
    return value.astype(theta.dtype)[()]


def psi_prime(theta, m):
    """Return dpsi/dtheta = -m |sin(m theta)| (8): one formula for all the pieces.

    |.| is not analytic, so its sign is taken from k, for the complex step's sake; at a
    knot, where the slope is 0, rounding may leave it an ulp above.
    theta: angles in radians in [0, pi], any shape -> the same shape. m: the margin, an
    integer from 1. Raises ValueError for an angle outside [0, pi].
    """
    theta, m = _angle(theta), margin(m)
    k = _piece(theta, m)
    slope = -m * (-1.0) ** k * np.sin(m * working_copy(theta))  # theta's shape (8)
    return slope.astype(theta.dtype)[()]


class PsiCache(NamedTuple):
    """The intermediates of (5) and (7), in order of computation."""

    cos: np.ndarray  # any shape
    m: int
    k: np.ndarray  # cos's shape; the piece, 0 .. m-1
    sign: np.ndarray  # cos's shape; (-1)^k
    T: np.ndarray  # cos's shape; T_m = cos(m theta)
    U: np.ndarray  # cos's shape; U_{m-1} = sin(m theta) / sin(theta)


def psi_forward(cos, m):
    """Return psi (5) from cos(theta), of any shape, and the cache.

    Raises ValueError for a cosine outside [-1, 1] by more than sqrt(eps): 1 + 2 eps,
    what the product of two unit vectors may give, is taken as it is.
    """
    cos, m = numbers("cos", cos), margin(m)
    rounding = np.sqrt(np.finfo(cos.dtype).eps)
    if cos.size and not np.abs(cos.real).max() <= 1 + rounding:
        raise ValueError(
            f"cos is {_first_beyond(cos.real, -1, 1)}, but a cosine is in [-1, 1]"
        )
    value, cache = _psi_forward(working_copy(cos), m)
    return value.astype(cos.dtype, copy=False), cache._replace(cos=cos)


def psi_backward(dpsi, cache):
    """Return dcos = dpsi (-1)^k m U_{m-1}(cos) (8), of the shape of cos."""
    dpsi = gradient("dpsi", dpsi, cache.cos.shape)
    dcos = dpsi * cache.m * cache.sign * cache.U  # cos's shape (8)
    return dcos.astype(np.result_type(dpsi, cache.cos), copy=False)


def _psi_forward(cos, m):
    knots = np.cos(np.arange(1, m) * np.pi / m).astype(cos.real.dtype)  # (m - 1,)
    k = np.greater.outer(knots, cos.real).sum(axis=0)  # cos's shape (8)
    sign = (1 - 2 * (k & 1)).astype(knots.dtype)  # cos's shape (-1)^k
    T, U = chebyshev(cos, m)  # cos's shape (7)
    return sign * T - 2 * k.astype(knots.dtype), PsiCache(cos, m, k, sign, T, U)  # (5)


def chebyshev(c, m):
    """Return T_m(c) = cos(m theta) and U_{m-1}(c) = sin(m theta) / sin(theta) (7)."""
    U_before, U = 0, np.ones_like(c)
    for _ in range(m - 1):
        U_before, U = U, 2 * c * U - U_before  # (7)
    return c * U - U_before, U  # (7)


class LSoftmaxCache(NamedTuple):
    """The intermediates of (4) to (6), (8) and (9), in order of computation."""

    x: np.ndarray  # (N, D) divided by x_scale
    x_scale: np.ndarray  # (N, 1) powers of two, or 1 for all
    x_norm: np.ndarray  # (N,) |x|, of the x above
    W: np.ndarray  # (D, C) divided by W_scale
    W_scale: np.ndarray  # (1, C) powers of two, or 1 for all
    W_norm: np.ndarray  # (C,) |W_c|, of the W above
    y: np.ndarray  # (N,) labels
    m: int
    lam: float
    cos: np.ndarray  # (N,) cos(theta_y) (4)
    k: np.ndarray  # (N,) the piece of psi (8)
    psi: np.ndarray  # (N,) (5)
    slope: np.ndarray  # (N,) dpsi/dcos (8)
    g: np.ndarray  # (N,) (6)
    g_prime: np.ndarray  # (N,) dg/dcos (9)
    radial: np.ndarray  # (N,) g - g' cos (9)
    z: np.ndarray  # (N, C) logits, f of (6)


def lsoftmax_forward(x, W, y, m, lam=0.0):
    """Return the logits z (N, C) of (6), with the margin in the label's column.

    x (N, D) features, W (D, C) weights without bias, y (N,) labels, m the margin (an
    integer from 1; 1 is the plain softmax), lam (from 0) how much of the plain cosine
    is mixed in. The loss is `cross_entropy_forward(z, y)`. To predict, no label is
    needed: `argmax(x @ W)`. Raises ValueError or TypeError that names the argument.
    """
    x, W, y, m, lam = _arguments(x, W, y, m, lam)
    dtype, label = np.result_type(x, W), places(y, W.shape[1])
    x, W = working_copy(x), working_copy(W)
    x, x_scale, x_norm, W, W_scale, W_norm = _usual_sizes(x, W)
    z = x @ W  # (N, C) (6) of j != y, (4)
    length = x_norm * W_norm[y]  # (N,) |x| |W_y|
    divisor = nonzero(length)  # (N,) 1 where no angle exists
    cos = z.take(label) / divisor  # (N,) (4)
    psi, pieces = _psi_forward(cos, m)  # (N,) (5)
    slope = m * pieces.sign * pieces.U  # (N,) (8)
    g = (lam * cos + psi) / (1 + lam)  # (N,) (6)
    g_prime = (lam + slope) / (1 + lam)  # (N,) (9)
    if divisor is not length:
        g = np.where(length.real == 0, cos, g)  # (N,) (10)
        g_prime = np.where(length.real == 0, 1, g_prime)  # (N,) (10)
    radial = g - g_prime * cos  # (N,) (9)
    z.put(label, divisor * g)  # (N, C) (6)
    z = _rescaled(z, x_scale, W_scale).astype(dtype, copy=False)
    return z, LSoftmaxCache(
        x, x_scale, x_norm, W, W_scale, W_norm, y, m, lam,
        cos, pieces.k, psi, slope, g, g_prime, radial, z,
    )  # fmt: skip


def lsoftmax_backward(dz, cache):
    """Return dx (N, D) and dW (D, C) by (9), from dz (N, C), the logits' gradient."""
    x, x_scale, x_norm, W, W_scale, W_norm, y, m, *_, g_prime, radial, z = cache
    dz, label = gradient("dz", dz, z.shape), places(y, z.shape[1])
    room = 4.0 ** m.bit_length()  # g' W_y may be m^2 times as large as df_y/dx

    dz_x, along = _by_parts(dz * (W_scale / room), label, g_prime, radial)
    along_x = along * W_norm[y] / nonzero(x_norm)  # (N,)
    dx = dz_x @ W.T  # (N, D) sum_j dz_j W_j, and dz_y g' W_y
    dx += along_x[:, None] * x  # (N, D) (9), second form

    dz_W, along = _by_parts(dz * (x_scale / room), label, g_prime, radial)
    along_y = np.bincount(y, along * x_norm, len(W_norm))  # (C,) all rows with y_i = c
    dW = x.T @ dz_W  # (D, C) sum_i dz_i x_i, and dz_y g' x
    dW += (along_y / nonzero(W_norm)).astype(W.dtype) * W  # (D, C) (9)

    with np.errstate(over="ignore"):  # inf where the gradient itself is beyond range
        dx *= room
        dW *= room
    return dx.astype(z.dtype, copy=False), dW.astype(z.dtype, copy=False)


def _usual_sizes(x, W):
    """Return x and W, divided by their scales, with these and the norms then left.

    The scales are 1 nearly always. Where the square of a norm would leave the range,
    they are powers of two near the largest entry of each row of x and each column of
    W, so that dividing rounds nothing: |x| and |W_c| may be 1e-300 and 1e300.
    """
    x_norm, W_norm = norms(x, axis=1), norms(W, axis=0)  # (N,), (C,)
    if squares_are_safe(x_norm) and squares_are_safe(W_norm):
        return x, 1.0, x_norm, W, 1.0, W_norm
    finite("x", x), finite("W", W)
    x_scale = power_of_two(np.abs(x.real).max(axis=1, keepdims=True))  # (N, 1)
    W_scale = power_of_two(np.abs(W.real).max(axis=0, keepdims=True))  # (1, C)
    x, W = x / x_scale, W / W_scale  # (N, D), (D, C)
    return x, x_scale, norms(x, axis=1), W, W_scale, norms(W, axis=0)


def _by_parts(dz, label, g_prime, radial):
    """Return dz (N, C) with g' dz_y in place of dz_y, and (g - g' c) dz_y (N,)."""
    dz_y = dz.take(label)  # (N,)
    dz.put(label, g_prime * dz_y)
    return dz, radial * dz_y


def _rescaled(z, x_scale, W_scale):
    """Return z of the x and W that came in; the smaller scale first, for overflow."""
    if np.ndim(x_scale) == 0:
        return z
    return z * np.minimum(x_scale, W_scale) * np.maximum(x_scale, W_scale)


def _arguments(x, W, y, m, lam):
    x, W = matrix("x", x, "(N, D)"), matrix("W", W, "(D, C)")
    if x.shape[1] != W.shape[0]:
        raise ValueError(
            f"x has shape {x.shape} and W {W.shape}, but x W needs as many columns in "
            "x as rows in W"
        )
    y = labels(y, x.shape[0], W.shape[1])
    return x, W, y, margin(m), non_negative("lam", lam)


def _angle(theta):
    theta = numbers("theta", theta)
    pi = theta.real.dtype.type(np.pi)
    if theta.size and not (theta.real.min() >= 0 and theta.real.max() <= pi):
        raise ValueError(
            f"theta is {_first_beyond(theta.real, 0, pi)}, but an angle is in [0, pi], "
            "in radians"
        )
    return theta


def _piece(theta, m):
    knots = np.arange(1, m) * np.pi / m  # (m - 1,)
    return np.less_equal.outer(knots, theta.real).sum(axis=0)


def _first_beyond(a, low, high):
    return a[~((a >= low) & (a <= high))].flat[0]
