"""A value goes in, the text of each of its numbers comes out, in four decimals."""

import numpy as np


def cells(value) -> list[list[str]]:
    """Return the rows of an array, a number or a truth, each entry as text."""
    rows = np.atleast_2d(value)
    whole = rows.dtype.kind == "f" and np.all(rows == np.rint(rows))
    whole = whole and np.all(np.abs(rows) < 1e4)
    return [[f"{entry:.0f}" if whole and entry else _text(entry, whole)
             for entry in row] for row in rows]  # fmt: skip


def _text(entry, whole):
    """Return a number with 4 decimals, or in powers of ten where those say little."""
    if isinstance(entry, np.bool_):
        return "yes" if entry else "no"
    if isinstance(entry, np.integer):
        return str(entry)
    if entry == 0:  # also -0.0
        return "0" if whole else "0.0000"
    return f"{entry:.4f}" if 5e-4 <= abs(entry) < 1e4 else f"{entry:.1e}"


def is_cache(value) -> bool:
    """Return whether a value is a layer's cache, a named tuple."""
    return isinstance(value, tuple)


def same(a, b) -> bool:
    """Return whether two values are of one shape and kind and equal throughout."""
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b)
