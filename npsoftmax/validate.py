"""Checks of arguments: in goes what a caller gave, back comes an array or a number, or
an error of one line that says which argument it was, what it was, and what it may be.

The layers call them by the module's name, `z = validate.logits(z)`: a line that begins
so computes nothing. Numbers stay as they are; only their kind may change: lists become
arrays, subclasses plain arrays, and bytes stand in the order of this machine.
"""

import operator
import re
from numbers import Real

import numpy as np

LARGEST_MARGIN = 100  # up to here psi and its slope are held to their bounds by tests


def numbers(name, a):
    """Return `a` as an array of floating or complex numbers; integers become float64.

    Raises TypeError for anything that is not numbers (strings, None, ragged lists).
    """
    a = numeric(name, a)
    return a if a.dtype.kind in "fc" else a.astype(np.float64)


def numeric(name, a):
    """Return `a` as an array of numbers of any kind; integers stay integers."""
    if isinstance(a, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, but masks are not looked at: fill it first "
            "(a logit of -inf has probability 0)"
        )
    if getattr(a, "requires_grad", False):
        raise TypeError(
            f"{name} is a tensor that requires a gradient, but gradients are not "
            f"recorded here: give {name}.detach().numpy()"
        )
    try:
        array = np.asarray(a)
    except Exception:  # of NumPy for ragged lists, of others for their own arrays
        array = None
    if array is None or array.dtype.kind not in "biufc":
        raise TypeError(f"{name} is {_short(a)}, but it must be an array of numbers")
    if array.dtype.char in "gG" and array.dtype.itemsize > np.dtype(float).itemsize:
        raise TypeError(
            f"{name} has type {array.dtype}, but the widest type that is computed in "
            "is float64"
        )
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder())


def logits(z):
    """Return z (N, C) as rows side by side in memory; integers stay integers."""
    return np.ascontiguousarray(_as_matrix("z", numeric("z", z), "(N, C)"))


def matrix(name, a, shape):
    """Return `a` as a 2-D array of numbers with at least one row and one column."""
    return _as_matrix(name, numbers(name, a), shape)


def _as_matrix(name, a, shape):
    if a.ndim != 2:
        raise ValueError(f"{name} has shape {a.shape}, but it must be {shape}")
    if a.size == 0:
        raise ValueError(
            f"{name} has shape {a.shape}, an empty batch: it must be {shape} with "
            "at least one row and one column"
        )
    return a


def factors(x, W):
    """Return x (N, D) and W (D, C) as arrays that have a product x W."""
    x, W = matrix("x", x, "(N, D)"), matrix("W", W, "(D, C)")
    if x.shape[1] != W.shape[0]:
        raise ValueError(
            f"x has shape {x.shape} and W {W.shape}, but x W needs as many columns in "
            "x as rows in W"
        )
    return x, W


def bias(b, C):
    """Return b as an array (C,) of numbers."""
    why = "W has {0} columns: b must be ({0},)"
    return _of_shape("b", numbers("b", b), (C,), why)


def gradient(name, a, shape):
    """Return the incoming gradient `a` of an output of the given shape."""
    return _of_shape(name, numbers(name, a), shape, "its output has {shape}")


def _of_shape(name, a, shape, why):
    if a.shape != shape:
        why = why.format(*shape, shape=shape)
        raise ValueError(f"{name} has shape {a.shape}, but {why}")
    return a


def cache(cache, kind):
    """Return the cache, or raise TypeError unless it is of this kind.

    A CrossEntropyCache comes from cross_entropy_forward, and so on.
    """
    if not isinstance(cache, kind):
        layer = kind.__name__.removesuffix("Cache")
        forward = re.sub("(?<=[a-z])(?=[A-Z])", "_", layer).lower() + "_forward"
        raise TypeError(
            f"cache is a {type(cache).__name__}, but it must be a {kind.__name__}, the "
            f"second of what {forward} returns"
        )
    return cache


def labels(y, N, C):
    """Return the labels `y` as an array (N,) of integers 0 .. C-1.

    Raises TypeError for labels that are not integers, ValueError for a wrong shape or
    for a label that is no class (also -1: it does not mean the last one).
    """
    why = "there are {0} rows: it must be ({0},)"
    y = _of_shape("y", numeric("y", y), (N,), why)
    if y.dtype.kind not in "iu":
        raise TypeError(f"y has type {y.dtype}, but labels are integers, 0 to {C - 1}")
    if y.min() < 0 or y.max() >= C:
        i = np.flatnonzero((y < 0) | (y >= C))[0]
        classes = "is 1 class" if C == 1 else f"are {C} classes"
        raise ValueError(
            f"y[{i}] is {y[i]}, but there {classes}: labels are 0 to {C - 1}"
        )
    return y.astype(np.intp, copy=False)


def margin(m):
    """Return the margin `m` as an int from 1; True, 2.5 and "2" raise TypeError."""
    wanted = f"the margin is an integer 1, 2, 3, ..., at most {LARGEST_MARGIN}"
    value = _integer("m", m, wanted)
    if not 1 <= value <= LARGEST_MARGIN:
        raise ValueError(f"m is {_short(value)}, but {wanted}")
    return value


def count(name, value):
    """Return how many of something there are: an integer from 1, but not True."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} is {value!r}, but it must be an integer from 1")
    return value


def axis(axis, z):
    """Return `axis` as an int: an axis of the array z, with an entry or more along it.

    Raises TypeError for what is no integer, ValueError for another.
    """
    axis = _integer("axis", axis, "an axis is an integer, -1 the last one")
    if not -z.ndim <= axis < z.ndim:
        raise ValueError(f"axis is {_short(axis)}, but z has shape {z.shape}")
    if z.shape[axis] == 0:
        raise ValueError(
            f"z has shape {z.shape}: along axis {axis} it must have one class or more"
        )
    return axis


def non_negative(name, value):
    """Return `value` as a float; it must be one finite number from 0."""
    number = value[()] if isinstance(value, np.ndarray) else value
    if isinstance(number, bool) or not isinstance(number, Real):
        raise TypeError(f"{name} is {_short(value)}, but it must be a number from 0")
    try:
        number = float(number)
    except OverflowError:
        number = np.inf
    if not 0 <= number < np.inf:
        raise ValueError(
            f"{name} is {_short(value)}, but it must be a finite number from 0"
        )
    return number


def angle(theta):
    """Return the angles `theta` as an array of numbers in [0, pi]."""
    theta = numbers("theta", theta)
    pi = theta.real.dtype.type(np.pi)
    return _inside("theta", theta, 0, pi, "an angle is in [0, pi], in radians")


def cosine(cos):
    """Return the cosines `cos` as an array of numbers in [-1, 1], but for rounding."""
    cos = numbers("cos", cos)
    limit = 1 + np.sqrt(np.finfo(cos.dtype).eps)
    return _inside("cos", cos, -limit, limit, "a cosine is in [-1, 1]")


def _inside(name, a, low, high, wanted):
    beyond = ~((low <= a.real) & (a.real <= high))
    if beyond.any():
        raise ValueError(f"{name} is {a.real[beyond].flat[0]}, but {wanted}")
    return a


def finite(name, a):
    """Return the array `a`, or raise ValueError that names its first nan or inf."""
    if not np.isfinite(a).all():
        index = tuple(map(int, np.argwhere(~np.isfinite(a))[0]))
        where = ", ".join(map(str, index))
        raise ValueError(f"{name}[{where}] is {a[index]}, but it must be finite")
    return a


def _integer(name, value, wanted):
    try:
        return operator.index(None if isinstance(value, bool | np.bool_) else value)
    except TypeError:
        raise TypeError(f"{name} is {_short(value)}, but {wanted}") from None


def _short(value):
    """Return what a value looks like, in one line of 60 characters at most."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # an integer of 5000 digits, or a foreign __repr__
        text = f"of type {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."
