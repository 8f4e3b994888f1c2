"""Two functions use names that are not there; 1/N is missing."""

import numpy as np


def affine_forward(X, W, b):
    return X @ W + b, (X, w, b)


def affine_backward(dout, cache):
    X, W, b = cache
    return dout @ W.T, X.T @ dout, dout.sum(axis=0)


def relu_forward(X):
    return np.where(X > 0, X, 0), X


def relu_backward(dout, cache):
    return np.where(cache > 0, dout, 0)


def softmax_forward(X):
    powers = np.exp(x)
    return powers / powers.sum(axis=1, keepdims=True)


def softmax_backward(X, y):
    step = np.array(X)
    step[np.arange(len(X)), y] -= 1
    return step
