"""The backward gives a dict of all it has, and divides by the sum once too often."""

import numpy as np


def softmax_forward(x):
    e = np.exp(x)
    total = e.sum(axis=1, keepdims=True)
    return e / total, {"e": e, "total": total}


def softmax_backward(dout, cache, verbose=False):
    e, total = cache["e"], cache["total"]
    weighted = (e * dout).sum(axis=1, keepdims=True)
    grads = {"weighted": weighted, "de": dout / total - e * weighted / total**3}
    grads["dx"] = e * grads["de"]
    return grads
