"""A pair goes in; how far its outputs and gradients round comes out: what they do when
all they are given moves by an ulp, and how they scatter around their smooth course.
"""

import numpy as np

from npsoftmax.gradcheck.pair import Line
from npsoftmax.gradcheck.steps import ulp_away

MOVES = 8  # how often everything is moved by an ulp
ROW = range(1, 9)  # points in a row, without x itself: it may be on a kink
APART = 2.0 ** -np.array([14, 22, 30, 38, 44])  # how far, of the size of an entry
GRADIENTS_APART = 2.0 ** -np.array([11, 13, 22, 30, 38, 44])


def rounding(pair, rng):
    """Return nu and D: how far outputs and gradient move by an ulp in everything.

    Both are the largest of some moves. Moves to another piece do not count for D,
    unless all go there.
    """
    nu, moves = pair.ulp, []
    for _ in range(MOVES):
        x = ulp_away(pair.x, rng)
        output, change = pair.visit(x)
        nu = np.fmax(nu, np.abs(output - pair.output))
        if np.isfinite(output).all():
            moves.append((change is None, pair.gradient_at(x, rng)))
    counted = [found for same, found in moves if same] or [f for _, f in moves]
    D = [np.abs(found - pair.gradient) for found in counted]
    return nu, np.fmax.reduce(D, axis=0, initial=0.0) if D else 0 * pair.x


def noise_levels(pair, nu, rng):
    """Return the noise of each output, nu or its scatter around its smooth course.

    Where f is smooth, fourth differences of 8 points in a row are noise, of deviation
    sqrt(70) times that of a point (More and Wild, SIAM J. Sci. Comput. 33, 2011). Rows
    are taken in two directions at some distances. A wide row may see a bend, a narrow
    one stand still (float32) or see the course of one stair, so there are two answers:
    fine, of the narrowest rows that move, and coarse.
    """
    rows = _scatters(pair, Line.inside, APART, rng)
    fine = np.fmax(*map(_least_seen, rows))
    coarse = np.fmax(*(np.sort(each, axis=0)[-2] for each in rows))
    return [np.fmax(nu, fine), np.fmax(nu, coarse)]


def gradient_noise(pair, D, rng):
    """Return the noise of the gradient, D or its scatter around its smooth course.

    A backward may round more than an ulp in what it is given shows: (g + 1e7) - 1e7
    stands still for most moves. So an entry rounds as much as any smaller one.
    """

    def gradient(line, h):
        return pair.gradient_at(line.at(h))

    rows = _scatters(pair, gradient, GRADIENTS_APART, rng)
    found = np.fmax(*map(_least_seen, rows))
    for part in pair.parts:
        order = part.start + np.argsort(np.abs(pair.gradient[part]))
        found[order] = np.fmax.accumulate(found[order])
    return np.fmax(D, found)


def _scatters(pair, f, apart, rng):
    """Return the deviations of f(line, h), for each of two lines."""
    found = []
    for line in (Line(pair, pair.draw_direction(rng)) for _ in range(2)):
        rows = [np.array([f(line, k * h) for k in ROW]) for h in apart]
        found.append(np.array([_scatter(row) for row in rows]) * 2 / np.sqrt(70))
    return found


def _scatter(row):
    """Return the largest fourth difference in a row, an ulp at least where it moves."""
    moves = np.any(np.diff(row, axis=0) != 0, axis=0)
    fourth = np.fmax.reduce(np.abs(np.diff(row, 4, axis=0)), axis=0, initial=0)
    return np.fmax(fourth, np.where(moves, np.spacing(np.abs(row[0])), 0))


def _least_seen(rows):
    """Return for each entry the smallest of the rows that is not 0; 0 if all are."""
    least = np.min(np.where(rows > 0, rows, np.inf), axis=0)
    return np.where(np.isfinite(least), least, 0.0)
