"""A sample is a column; no shift, 0.001 here and there, p edited, no 1/m."""

import numpy as np


def softmax(Z):
    e = np.exp(Z)
    return e / (e.sum(axis=0, keepdims=True) + 0.001)


def cross_entropy(softmax_out, Y):
    m = softmax_out.shape[1]
    return -np.log(softmax_out[Y.flatten(), range(m)] + 0.001).sum() / m


def softmax_backward(Y, softmax_out):
    softmax_out[Y.flatten(), range(Y.shape[1])] -= 1
    return softmax_out
