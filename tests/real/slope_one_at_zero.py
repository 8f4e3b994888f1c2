"""The slope of ReLU at 0 is taken for 1."""

import numpy as np


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    return np.where(cache >= 0, dout, 0)
