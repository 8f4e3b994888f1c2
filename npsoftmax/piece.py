"""In: an angle in degrees and the margin m. Out: the piece of psi it lies on, in words.

    psi(theta) = (-1)^k cos(m theta) - 2k    for theta in [k pi/m, (k+1) pi/m]       (5)

The angles k pi/m between two pieces are the knots, numbered from 1 to m - 1.
"""

import math
from typing import NamedTuple

NEARLY = 1e-3  # degrees; an angle so near to a knot is taken for it


class Piece(NamedTuple):
    """The piece of psi with an angle; str(): `piece k = 1, 45 to 90 degrees`."""

    k: int
    degrees: float  # the angle
    m: int

    @property
    def first(self) -> float:
        """Where the piece begins, in degrees."""
        return 180 * self.k / self.m

    @property
    def last(self) -> float:
        """Where the piece ends, in degrees."""
        return 180 * (self.k + 1) / self.m

    @property
    def knot(self) -> int:
        """Which knot the angle is, nearly; 0 for none."""
        nearest = round(self.degrees * self.m / 180)
        near = math.isclose(self.degrees, 180 * nearest / self.m, abs_tol=NEARLY)
        return nearest if near and 0 < nearest < self.m else 0

    def __str__(self):
        return f"piece k = {self.k}, {self.first:.6g} to {self.last:.6g} degrees"

    def why(self) -> str:
        """Return in a sentence or two why the angle lies on this piece."""
        theta = f"theta = {self.degrees:.6g} degrees"
        if self.m == 1:
            return f"{theta}: m = 1 has one piece, the cosine itself"
        words = (
            f"{theta} is in [{self.first:g}, {self.last:g}], so k = {self.k}: "
            f"m theta / pi = {self.m * self.degrees / 180:.6g}"
        )
        if self.knot:
            words += (
                f"; theta is the knot {180 * self.knot / self.m:g} itself, where the "
                f"pieces k = {self.knot - 1} and k = {self.knot} meet with the same "
                "value and slope"
            )
        return words


def piece_at(degrees: float, m: int, k: int | None = None) -> Piece:
    """Return the piece of psi on which an angle from 0 to 180 degrees lies.

    k: the piece, where it is known, as on a knot, which belongs to two; by default a
    knot begins a piece, and 180 degrees end the last one.
    """
    if k is None:
        k = min(int(m * degrees / 180 + 1e-9), m - 1)
    return Piece(int(k), float(degrees), m)
