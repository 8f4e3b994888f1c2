"""dE/dp = -Y/p times the Jacobian of each row: 0/0 where p underflows; a sum."""

import numpy as np


def softmax(X):
    powers = np.exp(X - X.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def cost(Y, P):
    return -np.sum(Y * np.log(P))


def cost_gradient(Y, P):
    rows = zip(P, -Y / P, strict=True)
    return np.array([(np.diag(p) - np.outer(p, p)) @ by_p for p, by_p in rows])
