"""A right answer with matrices throughout: one-hot labels, dataclass caches, psi by
counting knots and the paper's power series, gradients by the chain rule on norms."""

from dataclasses import dataclass
from math import comb

import numpy as np


@dataclass
class Cache:
    """Whatever a backward needs, by name."""

    p: np.ndarray | None = None
    one_hot: np.ndarray | None = None
    x: np.ndarray | None = None
    W: np.ndarray | None = None
    b: np.ndarray | None = None
    mask: np.ndarray | None = None
    slope: np.ndarray | None = None
    x_length: np.ndarray | None = None
    w_length: np.ndarray | None = None
    x_hat: np.ndarray | None = None
    w_hat: np.ndarray | None = None
    cos: np.ndarray | None = None
    g: np.ndarray | None = None
    g_prime: np.ndarray | None = None


def one_hot_rows(y, C):
    return y[:, None] == np.arange(C)


def logsumexp(z, axis=-1):
    z = np.asarray(z)
    shift = z.max(axis=axis, keepdims=True)
    return shift.squeeze(axis) + np.log(np.exp(z - shift).sum(axis=axis))


def softmax(z, axis=-1):
    return np.exp(log_softmax(z, axis))


def log_softmax(z, axis=-1):
    z = np.asarray(z)
    shifted = z - z.max(axis=axis, keepdims=True)
    return shifted - np.expand_dims(logsumexp(shifted, axis), axis)


def softmax_forward(z):
    p = softmax(z)
    return p, Cache(p=p)


def softmax_backward(dp, cache):
    jacobian = -cache.p[:, :, None] * cache.p[:, None, :]
    C = cache.p.shape[1]
    jacobian[:, np.arange(C), np.arange(C)] += cache.p
    return np.einsum("nj,njc->nc", dp, jacobian)


def log_softmax_forward(z):
    return log_softmax(z), Cache(p=softmax(z))


def log_softmax_backward(dlog_p, cache):
    return dlog_p - cache.p * dlog_p.sum(axis=1, keepdims=True)


def cross_entropy_forward(z, y):
    N, C = z.shape
    one_hot = one_hot_rows(y, C)
    loss = -np.sum(one_hot * log_softmax(z)) / N
    return np.asarray(loss), Cache(p=softmax(z), one_hot=one_hot)


def cross_entropy_backward(dloss, cache):
    return dloss * (cache.p - cache.one_hot) / len(cache.p)


def linear_forward(x, W, b=None):
    z = np.einsum("nd,dc->nc", x, W)
    return (z if b is None else z + b[None, :]), Cache(x=x, W=W, b=b)


def linear_backward(dz, cache):
    dx = np.einsum("nc,dc->nd", dz, cache.W)
    dW = np.einsum("nd,nc->dc", cache.x, dz)
    return dx, dW, (None if cache.b is None else dz.sum(0))


def relu_forward(h):
    mask = h >= 0
    return np.where(mask, h, np.zeros_like(h)), Cache(mask=mask)


def relu_backward(da, cache):
    return np.where(cache.mask, da, np.zeros_like(da))


def cos_of_multiple(c, m):
    terms = [
        (-1) ** n * comb(m, 2 * n) * c ** (m - 2 * n) * (1 - c**2) ** n
        for n in range(m // 2 + 1)
    ]
    return sum(terms)


def slope_of_multiple(c, m):
    """Return d cos(m theta) / d cos(theta), term by term."""
    slope = np.zeros_like(c)
    for n in range(m // 2 + 1):
        a = m - 2 * n
        factor = (-1) ** n * comb(m, 2 * n)
        if a > 0:
            slope = slope + factor * a * c ** (a - 1) * (1 - c**2) ** n
        if n > 0:
            slope = slope - factor * 2 * n * c ** (a + 1) * (1 - c**2) ** (n - 1)
    return slope


def knots_above(c, m):
    above = [(c < np.cos(j * np.pi / m)).astype(c.dtype) for j in range(1, m)]
    return sum(above, start=np.zeros_like(c))


def psi(theta, m):
    pieces = [theta <= (k + 1) * np.pi / m for k in range(m)]
    values = [(-1) ** k * np.cos(m * theta) - 2 * k for k in range(m)]
    return np.select(pieces, values, default=values[-1])


def psi_prime(theta, m):
    pieces = [theta <= (k + 1) * np.pi / m for k in range(m)]
    slopes = [-((-1) ** k) * m * np.sin(m * theta) for k in range(m)]
    return np.select(pieces, slopes, default=slopes[-1])


def psi_forward(cos, m):
    k = knots_above(cos, m)
    sign = (-1.0) ** k
    slope = sign * slope_of_multiple(cos, m)
    return sign * cos_of_multiple(cos, m) - 2 * k, Cache(slope=slope)


def psi_backward(dpsi, cache):
    return dpsi * cache.slope


def never_zero(length):
    return np.where(length == 0, 1, length)


def lsoftmax_forward(x, W, y, m, lam=0.0):
    one_hot = one_hot_rows(y, W.shape[1])
    W_y = W[:, y].T
    x_length = np.sqrt((x**2).sum(1, keepdims=True))
    w_length = np.sqrt((W_y**2).sum(1, keepdims=True))
    x_hat, w_hat = x / never_zero(x_length), W_y / never_zero(w_length)
    cos = (x_hat * w_hat).sum(axis=1, keepdims=True)
    psi_y, cache = psi_forward(cos, m)
    g = (lam * cos + psi_y) / (1 + lam)
    g_prime = (lam + psi_backward(np.ones_like(cos), cache)) / (1 + lam)
    g_prime = np.where((x_length == 0) | (w_length == 0), 1, g_prime)
    z = np.where(one_hot, x_length * w_length * g, x @ W)
    return z, Cache(
        x=x, W=W, one_hot=one_hot, x_length=x_length, w_length=w_length,
        x_hat=x_hat, w_hat=w_hat, cos=cos, g=g, g_prime=g_prime,
    )  # fmt: skip


def lsoftmax_backward(dz, cache):
    x_hat, w_hat, cos, one_hot = cache.x_hat, cache.w_hat, cache.cos, cache.one_hot
    df = (dz * one_hot).sum(axis=1, keepdims=True)
    dcos_over_x_length = df * cache.w_length * cache.g_prime
    dcos_over_w_length = df * cache.x_length * cache.g_prime
    dx_length = df * cache.w_length * cache.g
    dw_length = df * cache.x_length * cache.g
    dx_y = dx_length * x_hat + dcos_over_x_length * (w_hat - cos * x_hat)
    dw_y = dw_length * w_hat + dcos_over_w_length * (x_hat - cos * w_hat)
    others = dz * ~one_hot
    return others @ cache.W.T + dx_y, cache.x.T @ others + dw_y.T @ one_hot
