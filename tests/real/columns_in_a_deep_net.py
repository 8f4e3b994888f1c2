"""softmax(Z) -> A, cache for columns, shifted by the largest of the batch."""

import numpy as np


def softmax(Z):
    powers = np.exp(Z - Z.max())
    return powers / powers.sum(axis=0, keepdims=True), Z


def softmax_backward(dA, cache):
    A, _ = softmax(cache)
    jacobians = [np.diag(a) - np.outer(a, a) for a in A.T]
    return np.stack([J @ d for J, d in zip(jacobians, dA.T, strict=True)], axis=1)
