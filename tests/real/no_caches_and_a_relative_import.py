"""Backwards take the inputs again; one function imports what is not there."""


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b


def affine_backward(dout, x, w, b):
    flat = x.reshape(len(x), -1)
    return (dout @ w.T).reshape(x.shape), flat.T @ dout, dout.sum(axis=0)


def softmax_loss(x, y):
    from .classifiers import cross_entropy, onehot, softmax

    p, n = softmax(x), len(x)
    loss = cross_entropy(onehot(y, x.shape[1]), p).sum() / n
    p[range(n), y] -= 1
    return loss, p / n
