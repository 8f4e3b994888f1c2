"""The rectifier: h to a, what is negative to 0, and back.

a = max(h, 0)        dh = da where h > 0, else 0       (of a da that is finite)

Where this parts from textbook.py: nan counts as active, and complex h are compared by
their real part, so that the complex step goes through.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npsoftmax import validate
from npsoftmax.arrays import Booleans, Numbers, Values


class ReluCache(NamedTuple):
    """What the backward needs: which piece each entry is on."""

    active: Booleans  # h's shape, bool: h > 0, or nan


def relu_forward(h: Numbers) -> tuple[Values, ReluCache]:
    """Return a = max(h, 0) of any shape, and the cache. nan goes through as nan."""
    h = validate.numbers("h", h)
    active = ~(h.real <= 0)  # h's shape; also where h is nan
    a = np.maximum(h, 0) if h.dtype.kind == "f" else np.where(active, h, 0)  # h's shape
    return a, ReluCache(active)


def relu_backward(da: Numbers, cache: ReluCache) -> Values:
    """Return dh, of da's shape; at h = 0, where both sides differ, it is 0.

    A product and not `np.where`: a processor guesses which of the two it will take, and
    with random signs guesses wrong every second time. (256, 128) took 19 us, not 213.
    """
    (active,) = validate.cache(cache, ReluCache)
    da = validate.gradient("da", da, active.shape)
    return da * active
