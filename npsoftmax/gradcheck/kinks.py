"""An entry of the inputs goes in; whether f has a kink there, and which, comes out.

On a kink the slopes to the left and right differ, and no gradient between them is an
error (none at all where the point is a piece of its own, such as x = 0 with its |x|).
"""

import numpy as np

from npsoftmax.gradcheck.steps import EPS, as_rows, best_step, ladders


def explains(pair, k, gradient, nu):
    """Return what happens at entry k if a kink of f explains this gradient, or None.

    There is one if another piece begins within a few ulps, or if the slopes to the two
    sides differ. It explains a gradient between these slopes, for each output, and any
    gradient if both sides are other pieces: then the point is a piece of its own.
    """
    x, v, length = pair.x[k], pair.unit(k), pair.lengths[k]
    pieces = _pieces_beside(pair, v, 4 * max(np.spacing(np.abs(x)), EPS * length))
    if len(pieces) == 2:
        return "; ".join(pieces)
    if not pieces and not _bends(pair, v, length * 2.0**-17, x):
        return None
    _, steps, _ = ladders(x, length)
    sides = [_one_sided(pair, v, side * steps, nu, x) for side in (-1, 1)]
    slopes, errors = np.array(sides).swapaxes(0, 1)  # (2, ...), left and right
    weighted = pair.weights * slopes
    error = 4 * np.sum(np.abs(pair.weights) * errors) + 1e-13 * abs(gradient)
    low, high = weighted.min(axis=0).sum(), weighted.max(axis=0).sum()
    if not low - error <= gradient <= high + error:
        return None
    if high - low > error:
        left, right = (np.sum(side) for side in weighted)
        pieces += [f"the slope is {left:.6g} to the left and {right:.6g} to the right"]
    return "; ".join(pieces) or None


def _pieces_beside(pair, v, ulps):
    """Return in words which pieces begin within a few ulps, below and above x."""
    pieces = []
    for h, side in ((-ulps, "below"), (ulps, "above")):
        change = pair.visit(pair.x + h * v)[1]
        if change:
            name, here, there = change
            pieces.append(f"{name} is {here} here and {there} just {side}")
    return pieces


def _bends(pair, v, h, x):
    """Return whether the slopes to the two sides differ by more than 1/1000."""
    left, right = (_side_slopes(pair, v, np.array([s]), x) for s in (-h, h))
    larger = max(np.abs(right).sum(), np.abs(left).sum())
    return np.abs(right - left).sum() > 1e-3 * larger


def bends_along(pair, v, slope):
    """Return whether the slopes along v and -v differ, with the given one between."""
    slopes = _side_slopes(pair, v, np.array([-(2.0**-24), 2.0**-24]))
    low, high = sorted(np.sum(pair.weights * each) for each in slopes)
    room = 1e-6 * max(abs(low), abs(high))
    return high - low > room and low - room <= slope <= high + room


def _one_sided(pair, v, steps, nu, x):
    """Return the slopes 2 S(h/2) - S(h) to the side of the steps, and their errors."""
    slopes = _side_slopes(pair, v, steps, x)
    noise = 2 * nu / np.abs(as_rows(steps, slopes))
    k = np.flatnonzero(steps[:-1] == 2 * steps[1:])
    better = 2 * slopes[k + 1] - slopes[k]
    return best_step(better, 2 * noise[k + 1] + noise[k])[:2]


def _side_slopes(pair, v, steps, x=0.0):
    """Return S(h) = (f(x + h v) - f(x)) / h, one row a step; x as in `slopes_of`."""
    gains = np.array([pair.anywhere(h, v) for h in steps]) - pair.output
    return gains / as_rows(x + steps - x, gains)
