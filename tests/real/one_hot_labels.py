"""The contract's names, with one-hot labels."""

import numpy as np


def cross_entropy_forward(z, y):
    d = z - z.max(axis=1, keepdims=True)
    log_p = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
    return -(y * log_p).sum() / len(z), (log_p, y)


def cross_entropy_backward(dloss, cache):
    log_p, y = cache
    return dloss / len(y) * (np.exp(log_p) - y)
