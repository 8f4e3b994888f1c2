"""The contract's names; exp(z) as it is, p (1 - p) for the Jacobian."""

import numpy as np


def softmax_forward(z):
    p = np.exp(z) / np.exp(z).sum(axis=1)[:, None]
    return p, p


def softmax_backward(dp, p):
    return p * (1 - p) * dp
