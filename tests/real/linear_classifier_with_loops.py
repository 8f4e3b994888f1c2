"""A classifier's loss and dW, with a weight decay, one sample after the other."""

import numpy as np


def softmax_loss_naive(W, X, y, reg):
    dW, loss = np.zeros_like(W), reg * np.sum(W**2) / 2
    for x, label in zip(X, y, strict=True):
        scores = x @ W
        scores = scores - scores.max()
        e = np.exp(scores)
        loss += (np.log(e.sum()) - scores[label]) / len(X)
        for j, p in enumerate(e / e.sum()):
            dW[:, j] += (p - (label == j)) * x / len(X)
    return loss, dW + reg * W
