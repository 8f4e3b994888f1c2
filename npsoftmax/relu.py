"""The rectifier: h to a, what is negative to 0, and back.

    a = max(h, 0)        dh = da where h > 0, else 0
"""

from typing import NamedTuple

import numpy as np

from npsoftmax.arguments import gradient, numbers


class ReluCache(NamedTuple):
    """What the backward needs: which piece each entry is on."""

    active: np.ndarray  # h's shape, bool: h > 0, or nan


def relu_forward(h):
    """Return a = max(h, 0) of any shape, and the cache. nan goes through as nan."""
    h = numbers("h", h)
    active = ~(h.real <= 0)  # h's shape; also where h is nan
    return np.where(active, h, 0), ReluCache(active)


def relu_backward(da, cache):
    """Return dh, of da's shape; at h = 0, where both sides differ, it is 0."""
    da = gradient("da", da, cache.active.shape)
    return np.where(cache.active, da, 0)
