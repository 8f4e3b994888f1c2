"""What the tests of several layers draw and ask: rows of logits, bounds, verdicts."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

inf, nan = np.inf, np.nan

SIZES = [1, 2, 10, 1000]
if settings.get_current_profile_name() == "thorough":
    SIZES.append(10**6)
CASES = [
    pytest.param(size, scale, dtype, id=f"{size}-{scale:g}-{dtype.__name__}")
    for size in SIZES
    for dtype, largest in ((np.float64, 1e300), (np.float32, 1e38))
    for scale in (1, 10, 100, 700, 1e4, largest)
    if size <= 1000 or scale in (10, largest)
]
# float64: exp has 0.7 ULP, its correction 0.5, so has each term of the sum; the sum,
# 1 + r and the division 0.5 each, and a relative error may be twice as many ULP. The
# worst row of 71 million and of climbing from the worst of them had 5.2, of log_softmax
# 3.4, of the loss and its gradient 5.0. float32 is computed in float64, rounded once.
ULPS = {np.float64: 6, np.float32: 1}
LOG_ULPS = {np.float64: 4, np.float32: 1}
INTEGERS = [
    np.array([3, 5], np.uint8),
    np.array([255, 0, 254], np.uint8),
    np.array([-128, 127, 126], np.int8),
    np.array([2**63 - 1, 2**63 - 3, -(2**63)], np.int64),
    np.array([-(2**63), 1 - 2**63], np.int64),
    np.array([2**64 - 1, 2**64 - 2, 0], np.uint64),
    np.array([10**6, 10**6 - 20, 999], np.int32),
]


def hard_rows(size, scale, dtype):
    """Return logits (5, size): random, a few ulps apart, and one far ahead of them."""
    rng = np.random.default_rng(size)
    z = (scale * rng.uniform(-1, 1, (5, size))).astype(dtype)
    z[1] = z[1, 0] + rng.integers(-3, 4, size) * np.spacing(z[1, 0])
    for row, gap in ((2, 15), (3, 100), (4, 700)):
        z[row, rng.integers(size)] = z[row].max() + dtype(gap)
    return z if size <= 1000 else z[::2]


def finite_rows(dtype=np.float64, columns=6):
    """Draw rows of any finite floats, subnormals and the largest included."""
    shapes = array_shapes(min_dims=2, max_dims=2, max_side=columns)
    width = np.dtype(dtype).itemsize * 8
    limits = {"allow_nan": False, "allow_infinity": False, "width": width}
    near = st.floats(-30, 30, width=width)
    return arrays(dtype, shapes, elements=st.floats(**limits) | near)


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


seeds = st.integers(0, 99)
# A check costs some 20 calls for each entry, so there are fewer of them.
some = settings(max_examples=settings.default.max_examples // 3)
# A difference cannot always tell: that of a softmax near 1 has no digit left.
VERDICTS = {"complex step": {"right"}, "central": {"right", "inconclusive"}}


def spread_rows(classes=2):
    """Draw rows that are flat, confident, or wide: multiples of 1/8, 3 and 30."""
    shapes = st.tuples(st.integers(1, 4), st.integers(classes, 4))
    units = st.sampled_from([1 / 8, 3.0, 30.0])
    steps = arrays(np.float64, shapes, elements=st.integers(-9, 9))
    return st.tuples(steps, units).map(lambda pair: pair[0] * pair[1])
