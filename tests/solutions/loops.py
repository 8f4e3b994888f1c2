"""A right answer one number at a time: Python loops, the math module, tuple caches,
losses that are plain floats, and psi's pieces found by walking along them."""

import math

import numpy as np


def log_sum_exp_of_row(row):
    top = max(row)
    return top + math.log(sum(math.exp(value - top) for value in row))


def float_type(z):
    return z.dtype if z.dtype.kind == "f" else np.dtype(float)


def along(function, z, axis):
    """Apply `function`, from a row to a row, along one axis of z."""
    z = np.asarray(z)
    moved = np.moveaxis(z, axis, -1)
    filled = np.empty(moved.shape, dtype=float_type(z))
    for index in np.ndindex(moved.shape[:-1]):
        filled[index] = function(moved[index].tolist())
    return np.moveaxis(filled, -1, axis)


def logsumexp(z, axis=-1):
    z = np.asarray(z)
    moved = np.moveaxis(z, axis, -1)
    values = np.empty(moved.shape[:-1], dtype=float_type(z))
    for index in np.ndindex(values.shape):
        values[index] = log_sum_exp_of_row(moved[index].tolist())
    return values


def softmax_of_row(row):
    e = [math.exp(value - max(row)) for value in row]
    return [value / math.fsum(e) for value in e]


def log_softmax_of_row(row):
    top = max(row)
    log_sum = math.log(sum(math.exp(value - top) for value in row))
    return [value - top - log_sum for value in row]


def softmax(z, axis=-1):
    return along(softmax_of_row, z, axis)


def log_softmax(z, axis=-1):
    return along(log_softmax_of_row, z, axis)


def softmax_forward(z):
    p = softmax(z)
    return p, (z, p)


def softmax_backward(dp, cache):
    _z, p = cache
    N, C = p.shape
    dz = np.zeros_like(p)
    for i in range(N):
        for j in range(C):
            for c in range(C):
                dz[i, j] += dp[i, c] * p[i, c] * ((c == j) - p[i, j])
    return dz


def log_softmax_forward(z):
    return log_softmax(z), (z,)


def log_softmax_backward(dlog_p, cache):
    p = softmax(cache[0])
    dz = np.zeros_like(p)
    for i, row in enumerate(dlog_p):
        for j in range(len(row)):
            dz[i, j] = row[j] - p[i, j] * sum(row)
    return dz


def cross_entropy_forward(z, y):
    loss = 0.0
    for row, label in zip(z, y, strict=True):
        loss -= float(log_softmax(row)[label])
    return loss / len(y), (z, y)


def cross_entropy_backward(dloss, cache):
    z, y = cache
    dz = np.zeros_like(z)
    for i, label in enumerate(y):
        p = softmax(z[i])
        for j in range(len(p)):
            target = 1 if j == label else 0
            dz[i, j] = float(dloss) * (p[j] - target) / len(y)
    return dz


def linear_forward(x, W, b=None):
    z = np.zeros((len(x), W.shape[1]), dtype=x.dtype)
    for i in range(len(x)):
        for c in range(W.shape[1]):
            z[i, c] = np.dot(x[i], W[:, c]) + (0 if b is None else b[c])
    return z, (x, W, b is not None)


def linear_backward(dz, cache):
    x, W, has_bias = cache
    dx, dW = np.zeros_like(x), np.zeros_like(W)
    db = np.zeros(W.shape[1], dtype=W.dtype) if has_bias else None
    for i in range(len(x)):
        for c in range(W.shape[1]):
            dx[i] += dz[i, c] * W[:, c]
            dW[:, c] += dz[i, c] * x[i]
            if has_bias:
                db[c] += dz[i, c]
    return dx, dW, db


def relu_forward(h):
    a = h.copy()
    a[a < 0] = 0
    return a, (h,)


def relu_backward(da, cache):
    dh = da.copy()
    dh[cache[0] <= 0] = 0
    return dh


def piece(theta, m):
    k = 0
    while k < m - 1 and theta > (k + 1) * math.pi / m:
        k += 1
    return k


def psi_at(theta, m):
    k = piece(theta, m)
    return (-1) ** k * math.cos(m * theta) - 2 * k


def slope_at(theta, m):
    """Return dpsi/dcos: m sin(m theta) / sin(theta), in size, and its limit m^2."""
    if math.sin(theta) < 1e-7:
        return m * m
    return m * abs(math.sin(m * theta) / math.sin(theta))


def each(function, values, *others):
    values = np.asarray(values)
    filled = np.empty_like(values)
    for index in np.ndindex(values.shape):
        filled[index] = function(float(values[index]), *others)
    return filled


def psi(theta, m):
    return each(psi_at, theta, m)


def psi_prime(theta, m):
    def slope(angle):
        return -((-1) ** piece(angle, m)) * m * math.sin(m * angle)

    return each(slope, theta)


def angle_of(cos):
    return math.acos(min(1.0, max(-1.0, cos)))


def psi_forward(cos, m):
    return each(lambda c: psi_at(angle_of(c), m), cos), (cos, m)


def psi_backward(dpsi, cache):
    cos, m = cache
    return dpsi * each(lambda c: slope_at(angle_of(c), m), cos)


def length(v):
    return math.hypot(*v.tolist())


def lsoftmax_forward(x, W, y, m, lam=0.0):
    z = np.zeros((len(x), W.shape[1]), dtype=x.dtype)
    for i, label in enumerate(y):
        for c in range(W.shape[1]):
            z[i, c] = np.dot(x[i], W[:, c])
        size = length(x[i]) * length(W[:, label])
        if size > 0:
            cos = np.dot(x[i] / length(x[i]), W[:, label] / length(W[:, label]))
            margin = psi_at(angle_of(cos), m)
            z[i, label] = size * (lam * cos + margin) / (1 + lam)
    return z, (x, W, y, m, lam)


def lsoftmax_backward(dz, cache):
    x, W, y, m, lam = cache
    dx, dW = np.zeros_like(x), np.zeros_like(W)
    for i, label in enumerate(y):
        for c in range(W.shape[1]):
            f_x, f_w = W[:, c], x[i]
            if c == label:
                f_x, f_w = target_gradients(x[i], W[:, c], m, lam)
            dx[i] += dz[i, c] * f_x
            dW[:, c] += dz[i, c] * f_w
    return dx, dW


def target_gradients(x, w, m, lam):
    x_length, w_length = length(x), length(w)
    if x_length == 0 or w_length == 0:
        return w, x
    x_hat, w_hat = x / x_length, w / w_length
    cos = np.dot(x_hat, w_hat)
    theta = angle_of(cos)
    g = (lam * cos + psi_at(theta, m)) / (1 + lam)
    g_prime = (lam + slope_at(theta, m)) / (1 + lam)
    f_x = w_length * (g * x_hat + g_prime * (w_hat - cos * x_hat))
    f_w = x_length * (g * w_hat + g_prime * (x_hat - cos * w_hat))
    return f_x, f_w
