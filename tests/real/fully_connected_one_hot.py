"""Another name for linear; one-hot labels; the logarithm is taken of p."""

import numpy as np


def fc_forward(X, W, b):
    return X @ W + b, (X, W, b)


def fc_backward(dout, cache):
    X, W, b = cache
    return dout @ W.T, X.T @ dout, dout.sum(axis=0)


def softmax_cross_entropy(scores, y_onehot):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = powers / powers.sum(axis=1, keepdims=True)
    n = len(scores)
    return -(y_onehot * np.log(p)).sum() / n, (p - y_onehot) / n
