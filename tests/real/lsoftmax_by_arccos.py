"""The contract's L-Softmax by the angle, with no bound on the cosine."""

import numpy as np


def lsoftmax_forward(x, W, y, m, lam=0.0):
    z, rows = x @ W, np.arange(len(x))
    sizes = np.sqrt((x**2).sum(axis=1) * (W[:, y] ** 2).sum(axis=0))
    theta = np.arccos(z[rows, y] / sizes)
    k = np.floor(m * theta / np.pi)
    psi = np.where(k % 2 == 0, 1, -1) * np.cos(m * theta) - 2 * k
    z[rows, y] = (sizes * psi + lam * z[rows, y]) / (1 + lam)
    return z, None
