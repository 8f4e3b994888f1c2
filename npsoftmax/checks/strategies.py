"""What is drawn: each strategy gives the inputs of one function, by their names.

Meaning is drawn rather than noise: angles on a grid of 15 degrees, on the knots k pi/m
and free; norms from 1 to 3; logits that are small integers; labels that repeat. So the
example that is left after shrinking can be solved on paper. What is dangerous (logits
of 10,000, parallel vectors, zero vectors, norms of 1e-100) has strategies of its own.

`tests/test_strategies.py` measures what each of them really draws.
"""

import functools

import numpy as np
from hypothesis import strategies as st

SMALL = st.integers(-3, 3)
THOUSANDTHS = st.integers(-3000, 3000).map(lambda k: k / 1000)
NONZERO = st.sampled_from([1, -1, 2, -2, 3, -3])
UP_TO_10 = st.integers(-10, 10)

GRID = 15  # degrees
MARGINS = st.sampled_from([1, 2, 3, 4, 5, 6])
MIXES = st.sampled_from([0.0, 1.0, 0.5, 4.0])  # lam
NORMS = st.sampled_from([1.0, 2.0, 3.0, 0.5])


# ---------------------------------------------------------------------------- arrays


@functools.cache
def _lists(entries, size):
    return st.lists(entries, min_size=size, max_size=size)


def array_of(draw, entries, *shape):
    """Draw a float64 array of a shape."""
    size = int(np.prod(shape))
    return np.array(draw(_lists(entries, size)), dtype=np.float64).reshape(shape)


def one_array_of(draw, kinds, *shape):
    """Draw an array all of whose entries come from one of several strategies."""
    return array_of(draw, draw(st.sampled_from(kinds)), *shape)


def size_of(draw, most, least=1):
    return draw(st.integers(least, most))


# ---------------------------------------------------------------------------- logits


@st.composite
def logits(draw, most_rows=4, most_classes=5):
    """z (N, C): small integers, or anything from -3 to 3."""
    shape = size_of(draw, most_rows), size_of(draw, most_classes)
    return {"z": one_array_of(draw, [SMALL, THOUSANDTHS], *shape)}


@st.composite
def logits_along_an_axis(draw):
    """z of one to three dimensions, and the axis along which the classes lie."""
    shape = [size_of(draw, 4) for _ in range(size_of(draw, 3))]
    axis = draw(st.integers(-1, len(shape) - 1))
    return {"z": one_array_of(draw, [SMALL, THOUSANDTHS], *shape), "axis": axis}


def logits_in_three_dimensions():
    """Return inputs of three axes that no draw may miss: each axis, and a lone row."""
    small = np.arange(24) * 7 % 24 / 4 - 3  # 24 numbers, all different
    cube = small.reshape(2, 3, 4)
    of_cube = [{"z": cube, "axis": axis} for axis in (0, 1, -1)]
    return ({"z": small[:6].reshape(2, 1, 3), "axis": -1}, *of_cube)


@st.composite
def wide_logits(draw):
    """z (N, C) up to 10,000: each row has an offset and a scale of its own."""
    rows, classes = size_of(draw, 3), size_of(draw, 4)
    offsets = array_of(draw, st.sampled_from([0, 1000, -1000, 5000, -5000]), rows, 1)
    scales = array_of(draw, st.sampled_from([1, 40, 500, 2500]), rows, 1)
    return {"z": offsets + scales * array_of(draw, st.integers(-2, 2), rows, classes)}


@st.composite
def with_last_axis(draw, of):
    """The same, for the functions that take an axis."""
    return draw(of) | {"axis": -1}


@st.composite
def with_labels(draw, of):
    """The same with labels y (N,)."""
    inputs = draw(of)
    rows, classes = inputs["z"].shape
    y = draw(_lists(st.integers(0, classes - 1), rows))
    return inputs | {"y": np.array(y)}


@st.composite
def with_cotangent(draw, of, name, like=None):
    """The same with the gradient by the forward's value, such as dp (N, C).

    `like` names the input that has its shape; without it the gradient is one number.
    """
    inputs = draw(of)
    if like is None:
        return inputs | {name: draw(st.sampled_from([1.0, 2.0, -0.5]))}
    return inputs | {name: array_of(draw, SMALL, *inputs[like].shape)}


# ------------------------------------------------------------------ linear and ReLU


@st.composite
def linear_inputs(draw):
    """x (N, D), W (D, C), and b (C,) or None."""
    N, D, C = size_of(draw, 4), size_of(draw, 4), size_of(draw, 4)
    kinds = [SMALL, THOUSANDTHS]
    x, W = one_array_of(draw, kinds, N, D), one_array_of(draw, kinds, D, C)
    b = array_of(draw, SMALL, C) if draw(st.booleans()) else None
    return {"x": x, "W": W, "b": b}


@st.composite
def with_dz(draw, of):
    """The same with dz (N, C), the gradient by z."""
    inputs = draw(of)
    shape = len(inputs["x"]), inputs["W"].shape[1]
    return inputs | {"dz": array_of(draw, SMALL, *shape)}


@st.composite
def activations(draw, entries=UP_TO_10):
    """h (N, H)."""
    return {"h": array_of(draw, entries, size_of(draw, 4), size_of(draw, 4))}


# ---------------------------------------------------------------------------- angles


def cosine(degrees):
    """Return cos of an angle in degrees, exact where it is 0, 1/2 or 1."""
    exact = {0: 1.0, 60: 0.5, 90: 0.0, 120: -0.5, 180: -1.0}
    degrees = abs(degrees) % 360
    degrees = min(degrees, 360 - degrees)
    return exact.get(degrees, float(np.cos(np.deg2rad(degrees))))


def sine(degrees):
    return cosine(degrees - 90)


@functools.cache
def degrees_anywhere(m):
    """Angles from 0 to 180 degrees: on the grid, on a knot, in each piece of psi.

    The pieces are drawn themselves: angles drawn freely hardly reach the last ones.
    """
    grid = st.integers(0, 180 // GRID).map(lambda k: float(GRID * k))
    knots = st.integers(1, m).map(lambda k: 180 * k / m)
    pieces = st.sampled_from(range(m))
    inside = st.builds(lambda k, t: (k + t / 20) * 180 / m, pieces, st.integers(1, 19))
    return st.one_of(grid, knots, inside, inside)


@functools.cache
def degrees_inside(m):
    """Angles that are well inside a piece: where finite differences can be trusted."""
    fractions = st.sampled_from([0.5, 1 / 3, 2 / 3, 0.2, 0.8])
    pieces = st.integers(0, m - 1)
    return st.builds(lambda k, t: (k + t) * 180 / m, pieces, fractions)


@st.composite
def angles(draw, degrees=degrees_anywhere, margins=MARGINS):
    """theta in radians, of one or two dimensions, and the margin m."""
    m = draw(margins)
    theta = np.deg2rad(array_of(draw, degrees(m), *_shape_of_angles(draw)))
    return {"theta": theta, "m": m}


@st.composite
def cosines(draw, degrees=degrees_anywhere, margins=MARGINS):
    """cos(theta), of one or two dimensions, and the margin m."""
    m = draw(margins)
    angle = array_of(draw, degrees(m), *_shape_of_angles(draw))
    return {"cos": np.vectorize(cosine, otypes=[float])(angle), "m": m}


@st.composite
def cosines_past_the_ends(draw):
    """cos(theta) at 1 and -1 or, as rounding may leave it, an ulp beyond; and m."""
    past = float(np.nextafter(1, 2))
    ends = st.sampled_from([1.0, past, -1.0, -past])
    return {"cos": array_of(draw, ends, size_of(draw, 3)), "m": draw(MARGINS)}


def _shape_of_angles(draw):
    return [size_of(draw, 4) for _ in range(draw(st.sampled_from([1, 1, 1, 2])))]


# ---------------------------------------------------------------- features and weights


@st.composite
def features(draw, degrees=degrees_anywhere, margins=MARGINS, mixes=MIXES, norms=NORMS):
    """x (N, D), W (D, C), y, m, lam: x has a drawn angle to the weights of its class.

    All lie in the plane of the first two coordinates; `features_in_space` has the rest.
    """
    m, lam = draw(margins), draw(mixes)
    N, D, C = size_of(draw, 3), draw(st.sampled_from([2, 2, 3])), size_of(draw, 3)
    y = np.array(draw(_lists(st.integers(0, C - 1), N)))
    directions = np.array(draw(_lists(st.integers(0, 360 // GRID - 1), C))) * GRID
    W = _in_the_plane(directions, array_of(draw, norms, C), D).T
    theta = array_of(draw, degrees(m), N) * draw(st.sampled_from([1, -1]))
    x = _in_the_plane(directions[y] + theta, array_of(draw, norms, N), D)
    return {"x": x, "W": np.ascontiguousarray(W), "y": y, "m": m, "lam": lam}


@st.composite
def features_in_space(draw, margins=MARGINS, mixes=MIXES):
    """x (N, D), W (D, C), y, m, lam: small integers, no vector of them zero."""
    N, D, C = size_of(draw, 3), size_of(draw, 4), size_of(draw, 4)
    x, W = array_of(draw, SMALL, N, D), array_of(draw, SMALL, D, C)
    x[:, -1] = np.where(x.any(axis=1), x[:, -1], 1)
    W[-1] = np.where(W.any(axis=0), W[-1], 1)
    y = np.array(draw(_lists(st.integers(0, C - 1), N)))
    return {"x": x, "W": W, "y": y, "m": draw(margins), "lam": draw(mixes)}


@st.composite
def parallel_features(draw, margins=MARGINS, mixes=MIXES):
    """The same with x = s W_y, s one of 1, -1, 2, ...: theta is 0 or 180 degrees."""
    inputs = draw(features_in_space(margins, mixes))
    if draw(st.booleans()):
        inputs["W"] = inputs["W"] / 10  # tenths: the cosine is rounded above 1 at times
    steps = array_of(draw, NONZERO, len(inputs["x"]), 1)
    return inputs | {"x": steps * inputs["W"].T[inputs["y"]]}


STUDENT_NORMS = ((1, 1), (1, 1e-100), (1, 1e100), (1e-100, 1e-100), (1e100, 1e100))
HUGE_NORMS = ((1, 1e-300), (1, 1e300), (1e-300, 1e300), (1e150, 1e150))


@st.composite
def features_of_any_norm(draw, sizes=STUDENT_NORMS):
    """The same with tiny and huge norms, and with zero vectors."""
    inputs = draw(features())
    both_ways = dict.fromkeys((*sizes, *((b, a) for a, b in sizes)))
    x_size, W_size = draw(st.sampled_from([*both_ways]))
    zero_rows = np.array(draw(_lists(st.sampled_from([0, 0, 0, 1]), len(inputs["x"]))))
    zero_columns = draw(_lists(st.sampled_from([0] * 5 + [1]), inputs["W"].shape[1]))
    x = inputs["x"] * x_size * (1 - zero_rows[:, None])
    W = inputs["W"] * W_size * (1 - np.array(zero_columns))
    return inputs | {"x": x, "W": W}


def ordinary_features():
    """Drawn angles in the plane, and small integers."""
    return st.one_of(features(), features_in_space())


def any_features():
    """The same and parallel vectors."""
    return st.one_of(features(), features_in_space(), parallel_features())


def features_inside():
    """Where finite differences can be trusted: no angle near a knot or an end."""
    return features(degrees=degrees_inside)


def _in_the_plane(degrees, norms, D):
    vectors = np.zeros((len(norms), D))
    vectors[:, 0] = norms * [cosine(a) for a in degrees]
    vectors[:, 1] = norms * [sine(a) for a in degrees]
    return vectors
