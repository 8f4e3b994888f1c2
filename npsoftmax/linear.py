"""The linear layer: rows x and a matrix W (and a bias b) to z, and back.

z = x W + b          dx = dz W^T        dW = x^T dz        db = sum_i dz_i
"""

from typing import NamedTuple

import numpy as np

from npsoftmax.arguments import gradient, matrix, numbers


class LinearCache(NamedTuple):
    """What the backward needs."""

    x: np.ndarray  # (N, D)
    W: np.ndarray  # (D, C)
    b: np.ndarray | None  # (C,)


def linear_forward(x, W, b=None):
    """Return z = x W + b (N, C) of x (N, D), W (D, C) and b (C,), and the cache.

    Raises ValueError for shapes that do not fit, TypeError for what is no number.
    """
    x, W = matrix("x", x, "(N, D)"), matrix("W", W, "(D, C)")
    if x.shape[1] != W.shape[0]:
        raise ValueError(
            f"x has shape {x.shape} and W {W.shape}, but x W needs as many columns in "
            "x as rows in W"
        )
    z = x @ W  # (N, C)
    if b is not None:
        b = numbers("b", b)
        if b.shape != W.shape[1:]:
            raise ValueError(
                f"b has shape {b.shape}, but W has {W.shape[1]} columns: b must be "
                f"({W.shape[1]},)"
            )
        z = z + b  # (N, C)
    return z, LinearCache(x, W, b)


def linear_backward(dz, cache):
    """Return dx (N, D), dW (D, C) and db (C,), which is None where b was."""
    x, W, b = cache
    dz = gradient("dz", dz, (x.shape[0], W.shape[1]))
    dx = dz @ W.T  # (N, D)
    return dx, *parameters_backward(dz, cache)


def parameters_backward(dz, cache):
    """Return dW (D, C) and db (C,), for a first layer, whose dx nobody asks for."""
    x, W, b = cache
    dz = gradient("dz", dz, (x.shape[0], W.shape[1]))
    dW = x.T @ dz  # (D, C)
    db = None if b is None else dz.sum(axis=0)  # (C,)
    return dW, db
