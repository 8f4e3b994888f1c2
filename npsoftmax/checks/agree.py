"""Results beside what is right: in go both, and `Wrong` is raised where they differ.

    |yours - right| <= HONEST * eps * slack,      eps the spacing of the floats at 1

Each operation rounds by eps / 2 at most, so that HONEST leaves room for 32 of them; the
slack, which comes with the definition, says by how much they are magnified.
"""

from enum import Enum

import numpy as np

HONEST = 16


class Kind(Enum):
    """What is wrong, for whoever must decide by it."""

    RAISES = "it raises"
    SIGNATURE = "it cannot be called as the contract says"
    RESULTS = "it gives None, or too few things or too many"
    TYPE = "what it gives is no array of the right type"
    FLOAT32 = "float32 comes back, or float64 where float32 went in"
    SHAPE = "the shape is wrong"
    VALUE = "numbers are wrong"
    IN_PLACE = "an argument is written into"
    MEMORY = "a second call gives something else"
    ENDLESS = "it does not come back"


class Wrong(Exception):
    """What is wrong, in words, and where: (name, yours, expected, mask)."""

    def __init__(self, kind, what, table=None, error=None):
        super().__init__(what)
        self.kind, self.what, self.table, self.error = kind, what, table, error


def agree(name, yours, expected, slack=1.0, what=None):
    """Raise `Wrong` unless each of yours is within HONEST eps slack of the expected.

    Where the slack is inf, yours need only be finite. `what` says what is wrong.
    """
    if expected is None:
        if yours is not None:
            what = f"{name} is {described(yours)}, but it must be None here"
            raise Wrong(Kind.TYPE, what)
        return
    if type(expected) is float:
        expected = np.full(np.shape(yours), expected)
    yours, expected = _numbers(name, yours, expected), np.asarray(expected)
    kind = np.finfo(yours.dtype if yours.dtype.kind == "f" else np.float64)
    with np.errstate(all="ignore"):
        tolerance = HONEST * float(kind.eps) * slack + float(kind.smallest_normal)
        good = np.isfinite(yours) & (np.abs(yours - expected) <= tolerance)
    if not good.all():
        expected = np.broadcast_to(expected, yours.shape)
        table = (name, yours, expected, ~good)
        raise Wrong(Kind.VALUE, what or wrong_words(name), table)


def wrong_words(name):
    """Return `the gradient dz is wrong`, `the loss is wrong`, `p is wrong`."""
    if name[0] == "d":
        return f"the gradient {name} is wrong"
    return f"the {name} is wrong" if name in ("loss", "slope") else f"{name} is wrong"


def of_shape(name, value, shape):
    """Raise `Wrong` unless the value has the shape."""
    if np.shape(value) != shape:
        what = f"{name} has shape {np.shape(value)}, but it must have shape {shape}"
        raise Wrong(Kind.SHAPE, what)


def _numbers(name, yours, expected):
    """Return yours as an array of the expected shape, or raise Wrong."""
    try:
        array = np.asarray(yours)
    except ValueError:
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "fiub":
        what = f"{name} is {described(yours)}, not an array of real numbers"
        raise Wrong(Kind.TYPE, what)
    of_shape(name, array, np.shape(expected))
    return array


def described(value):
    """Return what a value is, in a few words: `a list`, `an array of complex128`."""
    if type(value) is np.ndarray:
        return f"an array of {value.dtype} with shape {value.shape}"
    if value is None:
        return "None"
    word = type(value).__name__
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def copied(value):
    return value.copy() if isinstance(value, np.ndarray) else value
