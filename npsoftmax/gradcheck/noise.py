"""A pair goes in; how far its outputs and gradients round comes out: what they do when
all they are given moves by an ulp, and how they scatter around their smooth course.
"""

from functools import cached_property

import numpy as np

from npsoftmax.gradcheck.pair import Line
from npsoftmax.gradcheck.steps import ulp_away

MOVES = 8  # how often everything is moved by an ulp
ROW = range(1, 9)  # points in a row, without x itself: it may be on a kink
APART = 2.0 ** -np.array([14, 22, 30, 38, 44])  # how far, of the size of an entry
GRADIENTS_APART = 2.0 ** -np.array([11, 13, 22, 30, 38, 44])


class Noise:
    """How far a pair rounds; what costs more is measured when it is first asked for.

    nu   how far each output moves by an ulp in everything: the most of some moves
    D    the same of each entry of the gradient; moves to another piece do not count,
         unless all go there
    """

    def __init__(self, pair):
        self.pair, self.nu, moves = pair, pair.ulp, []
        for _ in range(MOVES):
            x = ulp_away(pair.x, pair.rng)
            output, change = pair.visit(x)
            self.nu = np.fmax(self.nu, np.abs(output - pair.output))
            if np.isfinite(output).all():
                moves.append((change is None, pair.gradient_at(x, ulp_off=True)))
        counted = [found for same, found in moves if same] or [f for _, f in moves]
        apart = [
            np.zeros(pair.x.size),
            *(np.abs(found - pair.gradient) for found in counted),
        ]
        self.D = np.fmax.reduce(apart)

    @cached_property
    def levels(self):
        """Return the noise of each output, nu or its scatter around its smooth course.

        Where f is smooth, fourth differences of 8 points in a row are noise, of
        deviation sqrt(70) times that of a point (More and Wild, SIAM J. Sci. Comput.
        33, 2011). Rows are taken in two directions at some distances. A wide row may
        see a bend, a narrow one stand still (float32) or see the course of one stair,
        so there are two answers: fine, of the narrowest rows that move, and coarse.
        """
        rows = self._scatters(Line.inside, APART)
        fine = np.fmax(*map(_least_seen, rows))
        coarse = np.fmax(*(np.sort(each, axis=0)[-2] for each in rows))
        return np.fmax(self.nu, fine), np.fmax(self.nu, coarse)

    @cached_property
    def D_scattered(self):
        """Return D or the scatter of the gradient around its smooth course.

        A backward may round more than an ulp in what it is given shows: (g + 1e7) - 1e7
        stands still for most moves. So an entry rounds as much as any smaller one.
        """
        rows = self._scatters(
            lambda line, h: self.pair.gradient_at(line.at(h)), GRADIENTS_APART
        )
        found = np.fmax(*map(_least_seen, rows))
        for part in self.pair.parts:
            order = part.start + np.argsort(np.abs(self.pair.gradient[part]))
            found[order] = np.fmax.accumulate(found[order])
        return np.fmax(self.D, found)

    def _scatters(self, f, apart):
        """Return the deviations of f(line, h), for each of two lines."""
        found = []
        for line in (Line(self.pair, self.pair.draw_direction()) for _ in range(2)):
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
