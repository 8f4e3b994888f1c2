"""Softmax and large-margin softmax as a textbook writes them. Start here.

In go the arrays of a layer, one row a sample; out come its value and a cache, and from
the gradient by the value and that cache, the gradients by what went in. N samples, D
features, H hidden units, C classes; y are labels from 0 to C-1; a class is a column W_c
of W (D, C); m is the margin, lam the paper's lambda. A cache holds all that its forward
has computed, in that order; a backward begins by unpacking it. d<name> is the
derivative of the final loss by <name>, of the same shape; a comment (N, C) (3) says of
a line the shape of its value, and that it is (3) below.

    (1)  e_j = exp(z_j - max z)        p_j = e_j / sum e
         logsumexp(z) = max z + log(sum e)
         log p_j = z_j - max z - log(sum e)
    (2)  loss = -(1/N) sum_i log p_{i, y_i}
    (3)  dloss/dz = (p - onehot) / N,      onehot_ij = 1 where j = y_i, else 0
    (4)  W_c . x = |W_c| |x| cos(theta_c)
    (5)  psi(theta) = (-1)^k cos(m theta) - 2k    for theta in [k pi/m, (k+1) pi/m],
                                                  k = 0 .. m-1,  m = 1, 2, 3, ...
    (6)  f_y = |W_y| |x| g,    g = (lam cos(theta_y) + psi(theta_y)) / (1 + lam)
         f_j = W_j . x    for j != y
    (7)  cos(m theta) = T_m(c),  sin(m theta) / sin(theta) = U_{m-1}(c),  c = cos(theta)
         U_{-1} = 0,  U_0 = 1,  U_n = 2c U_{n-1} - U_{n-2},  T_m = c U_{m-1} - U_{m-2}
    (8)  dpsi/dtheta = -m |sin(m theta)|,    dpsi/dc = m |U_{m-1}(c)|
    (9)  with x_hat = x/|x|, w_hat = W_y/|W_y| and g' = (lam + dpsi/dc) / (1 + lam)
         df_y/dx   = |W_y| (g x_hat + g' (w_hat - c x_hat))   radial + tangential part
         df_y/dW_y = |x|   (g w_hat + g' (x_hat - c w_hat))
    (10) x = 0 or W_y = 0: there is no angle; f_y = 0, with the slope of m = 1:
         df_y/dx = W_y,  df_y/dW_y = x

(4) to (6) are Liu, Wen, Yu, Yang, "Large-Margin Softmax Loss for Convolutional Neural
Networks", ICML 2016. The other modules compute the same for numbers of every size, and
each says where it parts from this page; here arguments are not even looked at.
"""

from typing import NamedTuple

import numpy as np

# ------------------------------------------------------------ softmax and its logarithm


def shifted_exponentials(z, axis=-1):
    """Return max z, z - max z, e and the sum of e, along an axis (1)."""
    z_max = np.max(z, axis=axis, keepdims=True)  # (N, 1)
    d = z - z_max  # (N, C) (1)
    e = np.exp(d)  # (N, C) (1)
    e_sum = np.sum(e, axis=axis, keepdims=True)  # (N, 1)
    return z_max, d, e, e_sum


def logsumexp(z, axis=-1):
    """Return log(sum(exp(z))) along an axis."""
    z_max, d, e, e_sum = shifted_exponentials(z, axis)
    lse = z_max + np.log(e_sum)  # (N, 1) (1)
    return np.squeeze(lse, axis=axis)  # (N,)


def softmax(z, axis=-1):
    """Return the probabilities exp(z) / sum(exp(z)) along an axis."""
    z_max, d, e, e_sum = shifted_exponentials(z, axis)
    return e / e_sum  # (N, C) (1)


def log_softmax(z, axis=-1):
    """Return the logarithm of the probabilities along an axis."""
    z_max, d, e, e_sum = shifted_exponentials(z, axis)
    return d - np.log(e_sum)  # (N, C) (1)


class SoftmaxCache(NamedTuple):
    z_max: np.ndarray  # (N, 1)
    d: np.ndarray  # (N, C)
    e: np.ndarray  # (N, C)
    e_sum: np.ndarray  # (N, 1)
    p: np.ndarray  # (N, C)


def softmax_forward(z):
    """Return p (N, C) of logits z (N, C), and the cache."""
    z_max, d, e, e_sum = shifted_exponentials(z)
    p = e / e_sum  # (N, C) (1)
    return p, SoftmaxCache(z_max, d, e, e_sum, p)


def softmax_backward(dp, cache):
    """Return dz (N, C) of dp (N, C): the Jacobian is dp_l/dz_j = p_l (onehot_lj - p_j).

    Hence dz_j = sum_l dp_l p_l (onehot_lj - p_j) = p_j (dp_j - sum_l dp_l p_l).
    """
    z_max, d, e, e_sum, p = cache
    weighted = np.sum(dp * p, axis=1, keepdims=True)  # (N, 1)
    return p * (dp - weighted)  # (N, C)


class LogSoftmaxCache(NamedTuple):
    z_max: np.ndarray  # (N, 1)
    d: np.ndarray  # (N, C)
    e: np.ndarray  # (N, C)
    e_sum: np.ndarray  # (N, 1)
    log_p: np.ndarray  # (N, C)


def log_softmax_forward(z):
    """Return log p (N, C) of logits z (N, C), and the cache."""
    z_max, d, e, e_sum = shifted_exponentials(z)
    log_p = d - np.log(e_sum)  # (N, C) (1)
    return log_p, LogSoftmaxCache(z_max, d, e, e_sum, log_p)


def log_softmax_backward(dlog_p, cache):
    """Return dz (N, C) of dlog_p (N, C): d(log p_l)/dz_j = onehot_lj - p_j."""
    z_max, d, e, e_sum, log_p = cache
    p = e / e_sum  # (N, C) (1)
    total = np.sum(dlog_p, axis=1, keepdims=True)  # (N, 1)
    return dlog_p - p * total  # (N, C)


# ---------------------------------------------------------------------- cross-entropy


class CrossEntropyCache(NamedTuple):
    y: np.ndarray  # (N,)
    z_max: np.ndarray  # (N, 1)
    d: np.ndarray  # (N, C)
    e: np.ndarray  # (N, C)
    e_sum: np.ndarray  # (N, 1)
    log_p: np.ndarray  # (N, C)
    log_p_y: np.ndarray  # (N,)
    loss: np.floating  # ()


def cross_entropy_forward(z, y):
    """Return the mean loss of logits z (N, C) and labels y (N,), and the cache."""
    z_max, d, e, e_sum = shifted_exponentials(z)
    log_p = d - np.log(e_sum)  # (N, C) (1)
    log_p_y = log_p[np.arange(len(y)), y]  # (N,) each row's own label
    loss = -np.mean(log_p_y)  # () (2)
    return loss, CrossEntropyCache(y, z_max, d, e, e_sum, log_p, log_p_y, loss)


def cross_entropy_backward(dloss, cache):
    """Return dz (N, C) of dloss (), a number: 1 where the loss itself is the last."""
    y, z_max, d, e, e_sum, log_p, log_p_y, loss = cache
    N, C = e.shape
    p = e / e_sum  # (N, C) (1)
    onehot = y[:, None] == np.arange(C)  # (N, C)
    return dloss * (p - onehot) / N  # (N, C) (3)


# -------------------------------------------------------------------- linear and ReLU


class LinearCache(NamedTuple):
    x: np.ndarray  # (N, D)
    W: np.ndarray  # (D, C)
    b: np.ndarray | None  # (C,)


def linear_forward(x, W, b=None):
    """Return z = x W + b (N, C) of x (N, D), W (D, C) and b (C,), and the cache."""
    z = x @ W  # (N, C)
    if b is not None:
        z = z + b  # (N, C)
    return z, LinearCache(x, W, b)


def linear_backward(dz, cache):
    """Return dx (N, D), dW (D, C) and db (C,) of dz (N, C); db is None without b."""
    x, W, b = cache
    dx = dz @ W.T  # (N, D)
    dW = x.T @ dz  # (D, C)
    db = None if b is None else np.sum(dz, axis=0)  # (C,)
    return dx, dW, db


class ReluCache(NamedTuple):
    active: np.ndarray  # (N, H) bool


def relu_forward(h):
    """Return a = max(h, 0), of any shape, and the cache."""
    active = h > 0  # (N, H)
    a = np.maximum(h, 0)  # (N, H)
    return a, ReluCache(active)


def relu_backward(da, cache):
    """Return dh of da: the slope of max(h, 0) is 1 where h > 0, else 0."""
    (active,) = cache
    return da * active  # (N, H)


# ------------------------------------------------------------------------------- psi


def piece(theta, m):
    """Return k, the piece of psi that an angle lies on: 0, 1, .. m-1 (5)."""
    k = np.floor(m * theta / np.pi)
    return np.minimum(k, m - 1)  # theta = pi ends the last piece


def psi(theta, m):
    """Return psi of angles in radians from 0 to pi: from 1 it falls to 1 - 2m."""
    k = piece(theta, m)
    return (-1.0) ** k * np.cos(m * theta) - 2 * k  # (5)


def psi_prime(theta, m):
    """Return dpsi/dtheta of angles in radians from 0 to pi."""
    return -m * np.abs(np.sin(m * theta))  # (8)


def chebyshev(c, m):
    """Return T_m(c) and U_{m-1}(c), polynomials of c = cos(theta), by recurrence (7).

    T_m is the paper's sum over n of (-1)^n binomial(m, 2n) c^(m-2n) (1 - c^2)^n.
    """
    U_before, U = np.zeros_like(c), np.ones_like(c)  # U_{-1}, U_0
    for _ in range(m - 1):
        U_before, U = U, 2 * c * U - U_before  # up to U_{m-2}, U_{m-1} (7)
    T = c * U - U_before  # T_m (7)
    return T, U


class PsiCache(NamedTuple):
    m: int
    c: np.ndarray  # any shape, as all that follow
    theta: np.ndarray  # radians
    k: np.ndarray  # 0, 1, .. m-1
    T: np.ndarray
    U: np.ndarray
    psi: np.ndarray


def psi_forward(cos, m):
    """Return psi of the angles whose cosines are given, of any shape, and the cache."""
    c = np.clip(cos, -1, 1)  # rounding may have made it 1.0000000000000002
    theta = np.arccos(c)  # radians
    k = piece(theta, m)  # (5)
    psi_c = psi(theta, m)  # (5)
    T, U = chebyshev(c, m)  # (7)
    assert np.allclose(psi_c, (-1.0) ** k * T - 2 * k, atol=1e-5)  # (5) with (7)
    return psi_c, PsiCache(m, c, theta, k, T, U, psi_c)


def psi_backward(dpsi, cache):
    """Return dcos of dpsi: no theta is left in it, and no sin(theta) to divide by."""
    m, c, theta, k, T, U, psi_c = cache
    dpsi_dc = m * np.abs(U)  # (8)
    return dpsi * dpsi_dc


# -------------------------------------------------------------------------- L-Softmax


class LSoftmaxCache(NamedTuple):
    x: np.ndarray  # (N, D)
    W: np.ndarray  # (D, C)
    y: np.ndarray  # (N,)
    lam: float
    w: np.ndarray  # (N, D) W_y
    x_norm: np.ndarray  # (N, 1)
    w_norm: np.ndarray  # (N, 1)
    has_angle: np.ndarray  # (N, 1) bool
    x_hat: np.ndarray  # (N, D)
    w_hat: np.ndarray  # (N, D)
    c: np.ndarray  # (N, 1) cos(theta_y)
    psi_cache: PsiCache
    g: np.ndarray  # (N, 1)
    f_y: np.ndarray  # (N, 1)
    z: np.ndarray  # (N, C)


def lsoftmax_forward(x, W, y, m, lam=0.0):
    """Return logits z (N, C), whose label's column has the margin, and the cache."""
    w = W.T[y]  # (N, D) W_y: each row's own class
    x_norm = np.linalg.norm(x, axis=1, keepdims=True)  # (N, 1) |x|
    w_norm = np.linalg.norm(w, axis=1, keepdims=True)  # (N, 1) |W_y|
    has_angle = (x_norm > 0) & (w_norm > 0)  # (N, 1) (10)
    x_hat = x / np.where(x_norm > 0, x_norm, 1)  # (N, D) x/|x|, or 0
    w_hat = w / np.where(w_norm > 0, w_norm, 1)  # (N, D) W_y/|W_y|, or 0
    c = np.sum(x_hat * w_hat, axis=1, keepdims=True)  # (N, 1) cos(theta_y) (4)
    psi_y, psi_cache = psi_forward(c, m)  # (N, 1) (5)
    g = (lam * c + psi_y) / (1 + lam)  # (N, 1) (6)
    f_y = w_norm * x_norm * g  # (N, 1) (6)
    z = x @ W  # (N, C) (6), for j != y
    z[np.arange(len(y)), y] = f_y[:, 0]
    return z, LSoftmaxCache(
        x, W, y, lam, w, x_norm, w_norm, has_angle,
        x_hat, w_hat, c, psi_cache, g, f_y, z,
    )  # fmt: skip


def lsoftmax_backward(dz, cache):
    """Return dx (N, D) and dW (D, C) of dz (N, C): (9) for the label's column, and
    those of the plain product x W for all the others.
    """
    x, W, y, lam, w, x_norm, w_norm, has_angle = cache[:8]
    x_hat, w_hat, c, psi_cache, g, f_y, z = cache[8:]
    dpsi_dc = psi_backward(np.ones_like(c), psi_cache)  # (N, 1) (8)
    g_prime = (lam + dpsi_dc) / (1 + lam)  # (N, 1) (9)
    g_prime = np.where(has_angle, g_prime, 1)  # (N, 1) (10)
    df_dx = w_norm * (g * x_hat + g_prime * (w_hat - c * x_hat))  # (N, D) (9)
    df_dw = x_norm * (g * w_hat + g_prime * (x_hat - c * w_hat))  # (N, D) (9)
    onehot = y[:, None] == np.arange(W.shape[1])  # (N, C)
    dz_y = np.sum(dz * onehot, axis=1, keepdims=True)  # (N, 1)
    dz_others = dz * ~onehot  # (N, C)
    dx = dz_others @ W.T + dz_y * df_dx  # (N, D)
    dW = x.T @ dz_others + (dz_y * df_dw).T @ onehot  # (D, C)
    return dx, dW
