"""The tiny MLP: pixels x and labels y to the loss, and back to the gradient of every
parameter; a head without bias, for beside one a logit is not |W_c| |x| cos(theta_c).

    h1 = x W1 + b1      a1 = max(h1, 0)
    h2 = a1 W2 + b2     a2 = max(h2, 0)         (or a2 = h2)
    features = a2 W3 + b3
    z = L-Softmax of features and W4, by (6)    loss by (2)

(2), (6) and the others are those of textbook.py. The backward is the same lines in
reverse order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from npsoftmax import validate
from npsoftmax.arrays import Array, Integers, Numbers
from npsoftmax.cross_entropy import (
    CrossEntropyCache,
    cross_entropy_backward,
    cross_entropy_forward,
)
from npsoftmax.linear import (
    LinearCache,
    linear_backward,
    linear_forward,
    parameters_backward,
)
from npsoftmax.lsoftmax import LSoftmaxCache, lsoftmax_backward, lsoftmax_forward
from npsoftmax.relu import ReluCache, relu_backward, relu_forward


class Params(NamedTuple):
    """The parameters; their gradient is again a Params."""

    W1: Array  # (D, H1)
    b1: Array  # (H1,)
    W2: Array  # (H1, H2)
    b2: Array  # (H2,)
    W3: Array  # (H2, F)
    b3: Array  # (F,)
    W4: Array  # (F, C)


class MLPCache(NamedTuple):
    """The caches of the layers, in order of computation."""

    linear1: LinearCache
    relu1: ReluCache
    linear2: LinearCache
    relu2: ReluCache | None
    linear3: LinearCache
    lsoftmax: LSoftmaxCache
    cross_entropy: CrossEntropyCache


def init_params(
    rng: np.random.Generator,
    D: int = 64,
    H: tuple[int, int] = (128, 64),
    F: int = 2,
    C: int = 10,
    dtype: DTypeLike = np.float32,
) -> Params:
    """Return Params drawn by He's rule: normal, of variance 2 / rows; biases 0.

    rng: a `numpy.random.Generator`; D inputs, H the two hidden widths, F features, C
    classes. Raises TypeError or ValueError that names the argument. Source: He, Zhang,
    Ren, Sun, ICCV 2015.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}, but it must be a numpy.random.Generator")
    if np.shape(H) != (2,):
        raise ValueError(f"H is {H!r}, but it must be two widths, such as (128, 64)")
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"dtype is {dtype!r}, but it must be a floating-point type")
    for name, size in {"D": D, "H[0]": H[0], "H[1]": H[1], "F": F, "C": C}.items():
        validate.count(name, size)

    def weights(rows, columns):
        W = rng.normal(scale=np.sqrt(2 / rows), size=(rows, columns))
        return W.astype(dtype)

    return Params(
        weights(D, H[0]), np.zeros(H[0], dtype),
        weights(H[0], H[1]), np.zeros(H[1], dtype),
        weights(H[1], F), np.zeros(F, dtype),
        weights(F, C),
    )  # fmt: skip


def mlp_forward(
    params: Params,
    x: Numbers,
    y: Numbers,
    m: int = 1,
    lam: float = 0.0,
    second_relu: bool = True,
) -> tuple[np.floating, MLPCache]:
    """Return the mean loss of images x (N, D) with labels y (N,), and the cache.

    m, lam: as in `lsoftmax_forward`. second_relu: False leaves the second hidden layer
    linear.
    """
    W1, b1, W2, b2, W3, b3, W4 = params
    h1, linear1 = linear_forward(x, W1, b1)  # (N, H1)
    a1, relu1 = relu_forward(h1)  # (N, H1)
    h2, linear2 = linear_forward(a1, W2, b2)  # (N, H2)
    a2, relu2 = relu_forward(h2) if second_relu else (h2, None)  # (N, H2)
    features, linear3 = linear_forward(a2, W3, b3)  # (N, F)
    z, lsoftmax = lsoftmax_forward(features, W4, y, m, lam)  # (N, C) (6)
    loss, cross_entropy = cross_entropy_forward(z, y)  # () (2)
    return loss, MLPCache(
        linear1, relu1, linear2, relu2, linear3, lsoftmax, cross_entropy
    )


def mlp_backward(dloss: Numbers, cache: MLPCache) -> Params:
    """Return the gradient of the loss by every parameter, as Params."""
    cache = validate.cache(cache, MLPCache)
    linear1, relu1, linear2, relu2, linear3, lsoftmax, cross_entropy = cache
    dz = cross_entropy_backward(dloss, cross_entropy)  # (N, C) (3)
    dfeatures, dW4 = lsoftmax_backward(dz, lsoftmax)  # (N, F), (F, C) (9)
    da2, dW3, db3 = linear_backward(dfeatures, linear3)  # (N, H2), (H2, F), (F,)
    dh2 = relu_backward(da2, relu2) if relu2 else da2  # (N, H2)
    da1, dW2, db2 = linear_backward(dh2, linear2)  # (N, H1), (H1, H2), (H2,)
    dh1 = relu_backward(da1, relu1)  # (N, H1)
    dW1, db1 = parameters_backward(dh1, linear1)  # (D, H1), (H1,)
    return Params(dW1, db1, dW2, db2, dW3, db3, dW4)


def features(params: Params, x: Numbers, second_relu: bool = True) -> Array:
    """Return the features (N, F) of images x (N, D)."""
    W1, b1, W2, b2, W3, b3, W4 = params
    a1, _ = relu_forward(linear_forward(x, W1, b1)[0])  # (N, H1)
    h2, _ = linear_forward(a1, W2, b2)  # (N, H2)
    a2 = relu_forward(h2)[0] if second_relu else h2  # (N, H2)
    return linear_forward(a2, W3, b3)[0]  # (N, F)


def logits(params: Params, x: Numbers, second_relu: bool = True) -> Array:
    """Return the plain logits (N, C) = features W4: no margin, hence no labels."""
    return linear_forward(features(params, x, second_relu), params.W4)[0]  # (N, C)


def predict(params: Params, x: Numbers, second_relu: bool = True) -> Integers:
    """Return the most likely class (N,) of each image x (N, D); no label is needed."""
    return logits(params, x, second_relu).argmax(axis=1)  # (N,)
