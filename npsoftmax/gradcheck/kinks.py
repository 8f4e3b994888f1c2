"""An entry of the inputs goes in; whether f has a kink there, and which, comes out.

On a kink the slopes to the left and right differ, and no gradient between them is an
error (none at all where the point is a piece of its own, such as x = 0 with its |x|).
"""

import numpy as np

from npsoftmax.gradcheck.steps import EPS, as_rows, best_step, extrapolated, ladders


def explains(line, gradient, nu):
    """Return what happens at an entry if a kink of f explains this gradient, or None.

    There is one if another piece begins within a few ulps, or if the slopes to the two
    sides differ. It explains a gradient between these slopes, for each output, and any
    gradient if both sides are other pieces: then the point is a piece of its own.
    """
    pieces, weights = _pieces_beside(line), line.pair.weights
    if len(pieces) == 2:
        return "; ".join(pieces)
    if not pieces and not _bends(line):
        return None
    _, steps, _ = ladders(line.entry, line.length)
    sides = [_one_sided(line, side * steps, nu) for side in (-1, 1)]
    slopes, errors = np.array(sides).swapaxes(0, 1)  # (2, ...), left and right
    weighted = weights * slopes
    error = 4 * np.sum(np.abs(weights) * errors) + 1e-13 * abs(gradient)
    low, high = weighted.min(axis=0).sum(), weighted.max(axis=0).sum()
    if not low - error <= gradient <= high + error:
        return None
    if high - low > error:
        left, right = (np.sum(side) for side in weighted)
        pieces += [f"the slope is {left:.6g} to the left and {right:.6g} to the right"]
    return "; ".join(pieces) or None


def _pieces_beside(line):
    """Return in words which pieces begin within a few ulps, below and above."""
    pieces = []
    ulps = 4 * max(np.spacing(np.abs(line.entry)), EPS * line.length)
    for h, side in ((-ulps, "below"), (ulps, "above")):
        change = line.visit(h)[1]
        if change:
            name, here, there = change
            pieces.append(f"{name} is {here} here and {there} just {side}")
    return pieces


def _bends(line):
    """Return whether the slopes to the two sides differ by more than 1/1000.

    Near by, or at steps of the size 1: of 1 + |x| at 1e-16 these alone are seen.
    """
    for h in (line.length * 2.0**-17, 2.0**-17):
        left, right = _side_slopes(line, np.array([-h, h]))
        larger = max(np.abs(right).sum(), np.abs(left).sum())
        if np.abs(right - left).sum() > 1e-3 * larger:
            return True
    return False


def bends_along(line, slope):
    """Return whether the slopes to the two sides differ, with the given one between."""
    slopes = _side_slopes(line, np.array([-(2.0**-24), 2.0**-24]))
    low, high = sorted(np.sum(line.pair.weights * each) for each in slopes)
    room = 1e-6 * max(abs(low), abs(high))
    return high - low > room and low - room <= slope <= high + room


def _one_sided(line, steps, nu):
    """Return the slopes to the side of the steps, and their errors."""
    slopes = _side_slopes(line, steps)
    noise = 2 * nu / np.abs(as_rows(steps, slopes))
    return best_step(*extrapolated(slopes, steps, noise, order=1))[:2]


def _side_slopes(line, steps):
    """Return the slopes (f(x + h v) - f(x)) / h of the outputs, one row a step."""
    gains = np.array([line.anywhere(h) for h in steps]) - line.pair.output
    return gains / as_rows(line.entry + steps - line.entry, gains)
