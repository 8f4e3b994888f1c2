"""The contract's names; the spacing of float64 at 1 is added in the logarithm."""

import numpy as np


def cross_entropy_forward(z, y):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    picked = p[np.arange(len(z)), y]
    return -np.log(picked + np.finfo(np.float64).eps).mean(), (p, y)


def cross_entropy_backward(dloss, cache):
    p, y = cache
    return dloss * (p - (np.arange(p.shape[1]) == y[:, None])) / len(y)
