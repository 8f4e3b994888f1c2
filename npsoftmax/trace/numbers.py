"""Numbers go in; out comes their text, in four decimals, or how far two are apart."""

import numpy as np

CLOSE = 1e-6  # relative; a gradient and its differences are closer, but for a note
ROOM = 8  # characters for a number


def cells(value) -> list[list[str]]:
    """Return the rows of an array, a number or a truth, each entry as text."""
    rows = np.atleast_2d(value)
    whole = rows.dtype.kind == "f" and np.all(rows == np.rint(rows))
    decimals = 0 if whole and np.all(np.abs(rows) < 1e4) else 4
    return [[_text(entry, decimals) for entry in row] for row in rows]


def _text(entry, decimals):
    """Return a number in decimals, or in powers of ten where those say little.

    There are as many digits as have room: -1012.20 and -1e+150.
    """
    if isinstance(entry, np.bool_):
        return "yes" if entry else "no"
    if isinstance(entry, np.integer):
        return str(entry)
    if entry == 0 or 5e-4 <= abs(entry) < 1e4:
        room = ROOM - len(f"{entry:.0f}.")
        return f"{entry + 0.0:.{min(decimals, room)}f}"  # -0.0 is 0
    text = f"{entry:.1e}"
    return text if len(text) <= ROOM else f"{entry:.0e}"


def is_cache(value) -> bool:
    """Return whether a value is a layer's cache, a named tuple."""
    return isinstance(value, tuple)


def same(a, b) -> bool:
    """Return whether two values are of one shape and kind and equal throughout."""
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b)


def relative(gradient, numeric) -> float:
    """Return max |gradient - numeric| / max(|gradient|, |numeric|), or 0 for 0 / 0."""
    size = max(np.abs(gradient).max(), np.abs(numeric).max())
    return float(np.abs(gradient - numeric).max() / size) if size else 0.0
