"""What is right, and how near to it an honest calculation comes.

In go the inputs of a function of the contract, by name; out comes, for each result, its
value and its `slack`: how many eps the textbook's own calculation may be off by.

Values are the definitions, one number at a time, in Python's own `math`: nothing of
npsoftmax is used, so that npsoftmax itself can be compared with them. Gradients are
those of npsoftmax, whose own are compared with the complex step.

    error <= HONEST * eps * slack,      eps the spacing of the floats at 1
"""

import math

import numpy as np

import npsoftmax
from npsoftmax.checks.contract import CONTRACT

HONEST = 16  # each operation rounds by eps / 2 at most: room for 32 of them


def expected(name, inputs):
    """Return {result: (value, slack)} of the function `name` on its inputs."""
    function = CONTRACT[name]
    values = _RIGHT[name](**inputs)
    names = [each for each in function.gives if each != "cache"]
    return dict(zip(names, values, strict=True))


# -------------------------------------------------------------------- the softmaxes


def _logsumexp_of(row):
    top = max(row)
    return top + math.log(math.fsum(math.exp(z - top) for z in row))  # (1)


def _softmax_of(row):
    top = max(row)
    e = [math.exp(z - top) for z in row]
    return [t / math.fsum(e) for t in e]  # (1)


def _log_softmax_of(row):
    top = max(row)
    return [z - top - (_logsumexp_of([t - top for t in row])) for z in row]  # (1)


def _size(z, axis=-1):
    """Return C + max |z|: exp turns an absolute error of z into a relative one of p."""
    return z.shape[axis] + np.abs(z).max(axis=axis, keepdims=True)


def _logsumexp(z, axis=-1):
    lse = np.apply_along_axis(_logsumexp_of, axis, z)
    return ((lse, _size(z, axis).squeeze(axis)),)


def _softmax(z, axis=-1):
    p = np.apply_along_axis(_softmax_of, axis, z)
    return ((p, p * _size(z, axis)),)


def _log_softmax(z, axis=-1):
    log_p = np.apply_along_axis(_log_softmax_of, axis, z)
    return ((log_p, _size(z, axis) + 0 * log_p),)


def _softmax_backward(z, dp):
    _, cache = npsoftmax.softmax_forward(z)
    p = cache.p
    largest = np.abs(dp).max(axis=1, keepdims=True)
    return ((npsoftmax.softmax_backward(dp, cache), p * largest * _size(z)),)


def _log_softmax_backward(z, dlog_p):
    _, cache = npsoftmax.log_softmax_forward(z)
    total = np.abs(dlog_p).sum(axis=1, keepdims=True)
    dz = npsoftmax.log_softmax_backward(dlog_p, cache)
    return ((dz, total * _size(z) + 0 * dz),)


def _cross_entropy(z, y):
    log_p = [_log_softmax_of(row) for row in z.tolist()]
    loss = -math.fsum(log_p[i][y_i] for i, y_i in enumerate(y)) / len(y)  # (2)
    return ((np.float64(loss), _size(z).max()),)


def _cross_entropy_backward(z, y, dloss):
    _, cache = npsoftmax.cross_entropy_forward(z, y)
    dz = npsoftmax.cross_entropy_backward(dloss, cache)
    return ((dz, abs(dloss) / len(y) * _size(z) + 0 * dz),)


# ------------------------------------------------------------------ linear and ReLU


def _linear(x, W, b):
    bias = np.zeros(W.shape[1]) if b is None else b
    z = [[_dot(row, w) + b_j for w, b_j in zip(W.T, bias, strict=True)] for row in x]
    return ((np.array(z), np.abs(x) @ np.abs(W) * W.shape[0] + np.abs(bias)),)


def _dot(a, b):
    return math.fsum(s * t for s, t in zip(a.tolist(), b.tolist(), strict=True))


def _linear_backward(x, W, b, dz):
    _, cache = npsoftmax.linear_forward(x, W, b)
    dx, dW, db = npsoftmax.linear_backward(dz, cache)
    x, W, dz = np.abs(x), np.abs(W), np.abs(dz) * sum(dz.shape)
    return (dx, dz @ W.T), (dW, x.T @ dz), None if b is None else (db, dz.sum(axis=0))


def _relu(h):
    return ((np.maximum(h, 0), np.abs(h)),)


def _relu_backward(h, da):
    return ((np.where(h > 0, da, 0), np.abs(da)),)


# ------------------------------------------------------------------------------- psi


def _terms(m):
    """Return the size of the terms in the paper's own sum for cos(m theta) (7).

    Sum over n of C(m, 2n) c^(m-2n) (1 - c^2)^n <= (1 + sqrt 2)^m: they cancel to 1. An
    angle m theta is itself off by m pi eps.
    """
    return (1 + math.sqrt(2)) ** m + math.pi * m


def _psi_of(theta, m):
    k = min(int(m * theta / math.pi), m - 1)
    return (-1) ** k * math.cos(m * theta) - 2 * k  # (5)


def _psi(theta, m):
    psi = np.vectorize(_psi_of, otypes=[float])(theta, m)
    return ((psi, np.full(theta.shape, _terms(m))),)


def _psi_prime(theta, m):
    slope = [-m * abs(math.sin(m * t)) for t in theta.ravel().tolist()]  # (8)
    return ((np.reshape(slope, theta.shape), np.full(theta.shape, m * _terms(m))),)


def _psi_of_cos(cos, m):
    """By the angle; what arccos is off by near 0 and pi, psi is too flat to notice.

    A cosine that rounding has carried past 1 or -1 stands for 1 or -1.
    """
    theta = [math.acos(max(-1.0, min(1.0, c))) for c in cos.ravel().tolist()]
    psi = np.reshape([_psi_of(t, m) for t in theta], cos.shape)
    return ((psi, np.full(cos.shape, m * _terms(m))),)


def _psi_backward(cos, m, dpsi):
    """Near the ends the angle has lost its digits, and sin(m theta)/sin(theta) with it.

    An arccos that is off by eps theta gives a slope off by m^2 eps theta / sin(theta);
    at the ends themselves nothing is asked but that the slope is finite.
    """
    _, cache = npsoftmax.psi_forward(cos, m)
    sin = np.sqrt(np.maximum((1 - cos) * (1 + cos), 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        slack = np.where(sin == 0, np.inf, np.abs(dpsi) * m * m * _terms(m) / sin)
    return ((npsoftmax.psi_backward(dpsi, cache), slack),)


# ------------------------------------------------------------------------- L-Softmax


def _lsoftmax(x, W, y, m, lam):
    z = np.array([[_product(row, w) for w in W.T] for row in x])  # f_j = W_j . x (6)
    slack = _norms(x) * _norms(W.T).T * W.shape[0]
    for i, y_i in enumerate(y):
        z[i, y_i] = _with_margin(x[i], W[:, y_i], m, lam)
        slack[i, y_i] *= m * m + _terms(m)
    return ((z, slack),)


def _with_margin(x, w, m, lam):
    """Return f_y = |W_y| |x| g (6), with g = 0 where no angle exists (10)."""
    x_norm, w_norm = math.hypot(*x), math.hypot(*w)
    if not x_norm or not w_norm:
        return 0.0
    cos = _cosine(x, w)
    g = (lam * cos + _psi_of(math.acos(cos), m)) / (1 + lam)  # (6)
    return w_norm * (x_norm * g)


def _cosine(x, w):
    """Return cos of the angle (4); scaled first, so that no square can overflow."""
    x, w = x / np.abs(x).max(), w / np.abs(w).max()
    return max(-1.0, min(1.0, _dot(x, w) / (math.hypot(*x) * math.hypot(*w))))


def _product(x, w):
    x_size, w_size = float(np.abs(x).max()), float(np.abs(w).max())
    if not x_size or not w_size:
        return 0.0
    return w_size * (x_size * _dot(x / x_size, w / w_size))


def _norms(rows):
    return np.array([[math.hypot(*row)] for row in rows])


def _lsoftmax_backward(x, W, y, m, lam, dz):
    """Where x = 0 or W_y = 0 there is no angle: a student's gradient need be finite."""
    _, cache = npsoftmax.lsoftmax_forward(x, W, y, m, lam)
    dx, dW = npsoftmax.lsoftmax_backward(dz, cache)
    x_norm, W_norm = _norms(x), _norms(W.T).T
    size = (sum(W.shape) + len(x)) * (m * m + m * _terms(m))
    for_dx = (np.abs(dz) @ W_norm.T * size) + 0 * x
    for_dW = (x_norm.T @ np.abs(dz) * size) + 0 * W
    for i, y_i in enumerate(y):
        if not x_norm[i, 0] or not W_norm[0, y_i]:
            for_dx[i], for_dW[:, y_i] = np.inf, np.inf
    return (dx, for_dx), (dW, for_dW)


_RIGHT = {
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "softmax_forward": _softmax,
    "softmax_backward": _softmax_backward,
    "log_softmax_forward": _log_softmax,
    "log_softmax_backward": _log_softmax_backward,
    "cross_entropy_forward": _cross_entropy,
    "cross_entropy_backward": _cross_entropy_backward,
    "linear_forward": _linear,
    "linear_backward": _linear_backward,
    "relu_forward": _relu,
    "relu_backward": _relu_backward,
    "psi": _psi,
    "psi_prime": _psi_prime,
    "psi_forward": _psi_of_cos,
    "psi_backward": _psi_backward,
    "lsoftmax_forward": _lsoftmax,
    "lsoftmax_backward": _lsoftmax_backward,
}
