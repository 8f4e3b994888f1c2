"""The linear layer: rows x and a matrix W (and a bias b) to z, and back.

z = x W + b          dx = dz W^T        dW = x^T dz        db = sum_i dz_i

Where this parts from textbook.py: db of float16 is summed in float32. 4096 ones make
2048 there, where 2048 + 1 rounds to 2048.
"""

from __future__ import annotations

from typing import NamedTuple

from npsoftmax import validate
from npsoftmax.arrays import Array, Numbers
from npsoftmax.precision import at_least_single, rounded


class LinearCache(NamedTuple):
    """What the backward needs: the inputs themselves, not copies."""

    x: Array  # (N, D)
    W: Array  # (D, C)
    b: Array | None  # (C,)


def linear_forward(
    x: Numbers, W: Numbers, b: Numbers | None = None
) -> tuple[Array, LinearCache]:
    """Return z = x W + b (N, C) of x (N, D), W (D, C) and b (C,), and the cache.

    Raises ValueError for shapes that do not fit, TypeError for what is no number.
    """
    x, W = validate.factors(x, W)
    z = x @ W  # (N, C)
    if b is not None:
        b = validate.bias(b, W.shape[1])
        z = z + b  # (N, C)
    return z, LinearCache(x, W, b)


def linear_backward(
    dz: Numbers, cache: LinearCache
) -> tuple[Array, Array, Array | None]:
    """Return dx (N, D), dW (D, C) and db (C,), which is None where b was."""
    x, W, b = validate.cache(cache, LinearCache)
    dz = validate.gradient("dz", dz, (x.shape[0], W.shape[1]))
    dx = dz @ W.T  # (N, D)
    return dx, *parameters_backward(dz, cache)


def parameters_backward(dz, cache):
    """Return dW (D, C) and db (C,), for a first layer, whose dx nobody asks for."""
    x, W, b = validate.cache(cache, LinearCache)
    dz = validate.gradient("dz", dz, (x.shape[0], W.shape[1]))
    dW = x.T @ dz  # (D, C)
    db = None
    if b is not None:
        db = rounded(at_least_single(dz).sum(axis=0), dz.dtype)  # (C,)
    return dW, db
