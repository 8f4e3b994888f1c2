"""What the tests of several layers draw and ask: their inputs, bounds, verdicts."""

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
    if size <= 10 or scale in (10, largest)
]
# float64: exp has 0.7 ULP, its correction 0.5, so has each term of the sum; the sum,
# 1 + r and the division 0.5 each, and a relative error may be twice as many ULP. The
# worst row of 71 million and of climbing from the worst of them had 5.2, of log_softmax
# 3.4, of the loss and its gradient 5.0. float32 and float16 are computed in float64 and
# rounded once.
ULPS = {np.float64: 6, np.float32: 0.51, np.float16: 0.51}
LOG_ULPS = ULPS | {np.float64: 4}
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


@st.composite
def labelled_rows(draw, rows=None):
    """Draw logits z (N, C) and labels (N,)."""
    z = draw(spread_rows() if rows is None else rows)
    return z, draw(labels(*z.shape))


def labels(N, C):
    return arrays(np.int64, N, elements=st.integers(0, C - 1))


eighths = st.integers(-24, 24).map(lambda n: n / 8)


@st.composite
def linear_inputs(draw):
    """Draw x, W and b (or None); in eighths, so that sums of products are exact."""
    N, D, C = (draw(st.integers(1, 4)) for _ in range(3))
    shapes = (N, D), (D, C), (C,)
    x, W, b = (draw(arrays(np.float64, s, elements=eighths)) for s in shapes)
    return x, W, draw(st.sampled_from([b, None]))


def hidden(elements=eighths):
    """Draw what the rectifier takes, of any shape."""
    return arrays(np.float64, array_shapes(max_dims=3, max_side=4), elements=elements)


margins = st.integers(1, 8)
angles = st.integers(0, 12).map(lambda n: np.pi * n / 12) | st.floats(0, np.pi)


def at_angles(rng, theta, W, y):
    """Return unit vectors x (N, D), each at its angle theta to its label's weight."""
    w = W.T[y] / np.linalg.norm(W.T[y], axis=1, keepdims=True)
    v = rng.normal(size=w.shape)
    v -= np.sum(v * w, axis=1, keepdims=True) * w
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    return np.cos(theta)[:, None] * w + np.sin(theta)[:, None] * v


@st.composite
def angled_batches(draw):
    """Draw x, W, y, m, lam by angles, in steps of 15 degrees, and the norms of x."""
    N, D, C = draw(st.integers(1, 3)), draw(st.integers(2, 3)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(seeds))
    theta = np.array(draw(st.lists(st.integers(0, 12), min_size=N, max_size=N)))
    y = draw(labels(N, C))
    W = np.eye(D)[:, rng.integers(0, D, C)] + rng.integers(0, 2, (D, C))
    norms = st.sampled_from([1.0, 2.0, 1e-3, 30.0])
    size = draw(st.lists(norms, min_size=N, max_size=N))
    x = at_angles(rng, theta * np.pi / 12, W, y) * np.array(size)[:, None]
    return x, W, y, draw(st.integers(1, 6)), draw(st.sampled_from([0.0, 2.5, 1000.0]))


def off_the_kink(h):
    return np.where(h == 0, -1, h)


# What each layer is asked with: where it has a gradient, with room for differences.
LAYERS = {
    "softmax": st.tuples(spread_rows()),
    "log_softmax": st.tuples(spread_rows()),
    "cross_entropy": labelled_rows(),
    "linear": linear_inputs().map(lambda t: (t[0] + 4, t[1] - 4, t[2])),  # no 0
    "relu": hidden().map(lambda h: (np.stack([off_the_kink(h), np.ones(h.shape)]),)),
    "psi": st.tuples(
        st.lists(angles, min_size=1).map(lambda t: 0.99 * np.cos(t)), margins
    ),
    "lsoftmax": angled_batches(),
}


@st.composite
def batches_of_any_size(draw):
    """Draw x, W, y, m, lam with rows and columns of any size, as long as |x||W| m fits.

    Entries are up to 1 times a power of two, of each row of x and of each column of W.
    """
    N, D, C = (draw(st.integers(1, 4)) for _ in range(3))
    entries = st.sampled_from([0.0, 1.0, -1.0]) | st.floats(-1, 1)
    x = draw(arrays(np.float64, (N, D), elements=entries))
    W = draw(arrays(np.float64, (D, C), elements=entries))
    largest = draw(st.integers(-1074, 1023))
    x_powers = st.sampled_from([largest, largest - 40]) | st.integers(-1074, largest)
    W_powers = st.integers(-1074, min(1023, 1010 - largest))
    x = np.ldexp(x, [[draw(x_powers)] for _ in range(N)])
    W = np.ldexp(W, [draw(W_powers) for _ in range(C)])
    lam = draw(st.sampled_from([0.0, 0.5, 5.0, 1e3, 1e300]))
    return x, W, draw(labels(N, C)), draw(st.integers(1, 10)), lam
