"""Checks of arguments: in goes what a caller gave, back comes an array or a number, or
an error that says which argument it was, what it was, and what it may be.
"""

import operator

import numpy as np


def numbers(name, a):
    """Return `a` as an array of floating or complex numbers; integers become float64.

    Raises TypeError for anything that is not numbers (strings, None, ragged lists).
    """
    a = numeric(name, a)
    return a if a.dtype.kind in "fc" else a.astype(np.float64)


def numeric(name, a):
    """Return `a` as an array of numbers of any kind; integers stay integers."""
    try:
        array = np.asarray(a)
    except ValueError:
        array = None
    if array is None or array.dtype.kind not in "biufc":
        raise TypeError(f"{name} is {_short(a)}, but it must be an array of numbers")
    if isinstance(a, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, but masks are not looked at: fill it first "
            "(a logit of -inf has probability 0)"
        )
    return array


def logits(z):
    """Return z (N, C) as rows side by side in memory; integers stay integers."""
    return np.ascontiguousarray(check_matrix("z", numeric("z", z), "(N, C)"))


def matrix(name, a, shape="(rows, columns)"):
    """Return `a` as a 2-D array of numbers with at least one row and one column."""
    return check_matrix(name, numbers(name, a), shape)


def check_matrix(name, a, shape="(rows, columns)"):
    """Return the array `a`, or raise ValueError unless it is 2-D and not empty."""
    if a.ndim != 2:
        raise ValueError(f"{name} has shape {a.shape}, but it must be {shape}")
    if a.size == 0:
        raise ValueError(
            f"{name} has shape {a.shape}, an empty batch: it must be {shape} with "
            "at least one row and one column"
        )
    return a


def gradient(name, a, shape):
    """Return the incoming gradient `a` of an output of the given shape."""
    a = numbers(name, a)
    if a.shape != shape:
        raise ValueError(f"{name} has shape {a.shape}, but its output has {shape}")
    return a


def check_cache(cache, kind):
    """Return the cache, or raise TypeError unless its forward is the right one."""
    if not isinstance(cache, kind):
        raise TypeError(
            f"cache is a {type(cache).__name__}, but it must be a {kind.__name__}, "
            "from the forward of the same name"
        )
    return cache


def labels(y, N, C):
    """Return the labels `y` as an array (N,) of integers 0 .. C-1.

    Raises TypeError for labels that are not integers, ValueError for a wrong shape or
    for a label that is no class (also -1: it does not mean the last one).
    """
    labels = numeric("y", y)
    if labels.shape != (N,):
        raise ValueError(
            f"y has shape {labels.shape}, but there are {N} rows: it must be ({N},)"
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"y has type {labels.dtype}, but labels are integers, 0 to {C - 1}"
        )
    if labels.min() < 0 or labels.max() >= C:
        i = np.flatnonzero((labels < 0) | (labels >= C))[0]
        classes = "1 class" if C == 1 else f"{C} classes"
        raise ValueError(
            f"y[{i}] is {labels[i]}, but there {'is' if C == 1 else 'are'} {classes}: "
            f"labels are 0 to {C - 1}"
        )
    return labels.astype(np.intp, copy=False)


def margin(m):
    """Return the margin `m` as an int from 1; True, 2.5 and "2" raise TypeError."""
    wanted = "the margin is an integer 1, 2, 3, ..."
    value = _integer("m", m, wanted)
    if value < 1:
        raise ValueError(f"m is {m}, but {wanted}")
    return value


def axis(axis, shape):
    """Return `axis` as an int; it must be one of the axes of an array of this shape."""
    axis = _integer("axis", axis, "an axis is an integer, -1 the last one")
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis is {axis}, but z has shape {shape}")
    return axis


def non_negative(name, value):
    """Return `value` as a float; it must be one finite number from 0."""
    try:
        wrong = isinstance(value, str | bool | np.bool_) or np.ndim(value) > 0
        number = None if wrong else float(value)
    except (TypeError, ValueError):
        number = None
    if number is None:
        raise TypeError(f"{name} is {_short(value)}, but it must be a number from 0")
    if not 0 <= number < np.inf:
        raise ValueError(f"{name} is {value}, but it must be a finite number from 0")
    return number


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
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
