"""In: a layer that has run. Out: psi drawn as SVG, the angles on it.

Elements of class `from1` to `from4` belong to what is known from a line on: the angle,
its piece, psi there, its slope.
"""

from collections.abc import Iterator

import numpy as np

from npsoftmax import textbook
from npsoftmax.piece import Piece
from npsoftmax.trace.passes import Run

WIDTH, HEIGHT = 400, 250
LEFT, RIGHT, TOP, BOTTOM = 38, 12, 14, 34  # margins
MOST_LABELS = 8  # of knots, and of levels of psi


class Axes:
    """The place of (degrees, psi) in the picture."""

    def __init__(self, m: int):
        self.m = m

    def x(self, degrees):
        return LEFT + degrees / 180 * (WIDTH - LEFT - RIGHT)

    def y(self, psi):
        return TOP + (1 - psi) / (2 * self.m) * (HEIGHT - TOP - BOTTOM)

    def line(self, name, degrees, values) -> str:
        """Return a line through points, of a class."""
        points = zip(
            self.x(np.asarray(degrees)), self.y(np.asarray(values)), strict=True
        )
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        return f'<polyline class="{name}" points="{text}"/>'

    def text(self, name, x, y, words, anchor="middle") -> str:
        place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        return f'<text class="{name}" {place}>{words}</text>'


def psi_picture(run: Run) -> str:
    """Return psi with a point for each angle of a layer that has psi."""
    m, axes = run.psi_cache().m, Axes(run.psi_cache().m)
    values = np.ravel(run.psi_cache().psi)
    points = [
        (label, piece, value)
        for (label, piece), value in zip(run.pieces(), values, strict=True)
        if piece
    ]
    parts = [*(_band(axes, piece) for _, piece, _ in points), *_curves(axes)]
    for point in points:
        parts += _point(axes, *point)
    label = f"psi for m = {m}, falling from 1 at 0 degrees to {1 - 2 * m} at 180"
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
    return "\n".join([head, *parts, "</svg>"])


def _band(axes: Axes, piece) -> str:
    """Return a band behind a piece of psi."""
    left, right = axes.x(piece.first), axes.x(piece.last)
    size = f'width="{right - left:.1f}" height="{HEIGHT - TOP - BOTTOM}"'
    return f'<rect class="piece from2" x="{left:.1f}" y="{TOP}" {size}/>'


def _curves(axes: Axes) -> Iterator[str]:
    """Yield the knots, the axes, the cosine and psi."""
    m, bottom = axes.m, HEIGHT - BOTTOM
    knots = [180 * j / m for j in range(m + 1)]
    few = m <= MOST_LABELS
    for angle in knots:
        yield axes.line("knot", [angle, angle], [1, 1 - 2 * m])
    for angle in knots if few else range(0, 181, 45):
        yield axes.text("tick", axes.x(angle), bottom + 14, f"{angle:.4g}°")
    for value in range(1, -2 * m, -2) if few else (1, 1 - 2 * m):
        yield axes.text("tick", LEFT - 6, axes.y(value) + 3.5, value, "end")
    degrees = np.linspace(0, 180, max(181, 10 * m + 1))
    radians = np.radians(degrees)
    yield axes.line("cosine", degrees, np.cos(radians))
    yield axes.line("psi", degrees, textbook.psi(radians, m))
    yield axes.text("name", axes.x(90), HEIGHT - 5, "theta")
    yield axes.text("name", LEFT + 6, axes.y(1 - 2 * m) - 6, "psi", "start")


def _point(axes: Axes, which: str, piece: Piece, value) -> Iterator[str]:
    """Yield what the lines of the page find out about one angle, one after another."""
    degrees, m = piece.degrees, axes.m
    x, y = axes.x(degrees), axes.y(value)
    yield axes.line("guide from1", [degrees, degrees], [1, 1 - 2 * m])
    middle = axes.x((piece.first + piece.last) / 2)
    yield axes.text("label from2", middle, TOP - 4, f"{which}k = {piece.k}")
    reach = np.array([-14.0, 14.0])  # degrees, to both sides
    tangent = value + np.radians(reach) * textbook.psi_prime(np.radians(degrees), m)
    yield axes.line("tangent from4", degrees + reach, tangent)
    yield f'<circle class="dot from3" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    words = f"{which}psi({degrees:.4g}°) = {value:.4f}"
    if degrees > 90:  # where there is room: psi falls
        low = min(y + 16, HEIGHT - BOTTOM - 4)
        yield axes.text("label from3", x - 7, low, words, "end")
    else:
        yield axes.text("label from3", x + 7, y - 7, words, "start")
