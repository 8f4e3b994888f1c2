"""The backward of the loss takes the cache alone."""

import numpy as np


def cross_entropy_forward(logits, targets):
    d = logits - logits.max(axis=-1, keepdims=True)
    log_p = d - np.log(np.sum(np.exp(d), axis=-1, keepdims=True))
    picked = np.take_along_axis(log_p, targets[..., None], axis=-1)
    return -np.mean(picked), (log_p, targets)


def cross_entropy_backward(cache):
    log_p, targets = cache
    hot = np.arange(log_p.shape[-1]) == targets[..., None]
    return (np.exp(log_p) - hot) / targets.size
