"""A class for the loss, labels of either kind, 1e-7 in the logarithm, dout unused."""

import numpy as np


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class SoftmaxWithLoss:
    def __init__(self):
        self.y = self.t = None

    def labels(self):
        one_hot = self.t.size == self.y.size
        return self.t.argmax(axis=1) if one_hot else self.t

    def forward(self, x, t):
        self.y, self.t = softmax(x), t
        picked = self.y[np.arange(len(x)), self.labels()]
        return -np.log(picked + 1e-7).sum() / len(x)

    def backward(self, dout=1):
        dx = np.array(self.y)
        dx[np.arange(len(dx)), self.labels()] -= 1
        return dx / len(dx)
