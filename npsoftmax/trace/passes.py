"""In: layers of the page and their arguments. Out: a forward through all of them and
the backward, every Step of both kept.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from npsoftmax import textbook
from npsoftmax.piece import Piece, piece_at
from npsoftmax.trace.stepping import Step, Stepper


@dataclass
class Run:
    """A layer that runs: what goes in, what has come out, and which steps it took."""

    layer: str  # "linear" has linear_forward and linear_backward on the page
    arguments: tuple  # the first is None where it is what the layer before gives
    names: Mapping[str, str] = field(default_factory=dict)  # of the page's names, here
    value: Any = None
    cache: Any = None
    forward: range = range(0)  # of the steps
    cotangent: Any = None
    gradients: tuple = ()
    backward: range = range(0)
    slope: Any = None  # dpsi/dtheta (8), which only the layer psi ends with

    @property
    def inputs(self) -> tuple[str, ...]:
        """The page's names of the arguments."""
        return tuple(inspect.signature(self.forward_in(textbook)).parameters)

    def forward_in(self, module):
        """Return the layer's forward of a module, the page or the package."""
        return getattr(module, f"{self.layer}_forward")

    def name(self, local: str) -> str:
        """Return the example's name of one of the page's, or of its gradient, d..."""
        if local[:1] == "d" and local[1:] in self.names:
            return "d" + self.names[local[1:]]
        return self.names.get(local, local)

    def psi_cache(self):
        """Return the cache of psi, or None where the layer has none."""
        if self.layer == "psi":
            return self.cache
        return getattr(self.cache, "psi_cache", None)

    def pieces(self) -> list[tuple[str, Piece | None]]:
        """Return ("row 0: ", its piece of psi) ...: None where it has no angle."""
        cache = self.psi_cache()
        if not cache:
            return []
        has_angle = getattr(self.cache, "has_angle", True)
        rows = map(np.ravel, (np.degrees(cache.theta), cache.k, has_angle))
        pieces = [
            piece_at(degrees, cache.m, k) if has_angle else None
            for degrees, k, has_angle in zip(*rows, strict=True)
        ]
        one = len(pieces) == 1
        return [("" if one else f"row {i}: ", each) for i, each in enumerate(pieces)]

    def on_kink(self) -> bool:
        """Return whether differences would see the kink of ReLU."""
        return self.layer == "relu" and bool(np.any(np.abs(self.arguments[0]) < 1e-4))


def run_of(runs, step: int) -> Run:
    """Return the one of these layers that a step belongs to."""
    return next(run for run in runs if step in run.forward or step in run.backward)


def run_both(runs: Sequence[Run], cotangent) -> list[Step]:
    """Run all forwards, then all backwards, and return their steps."""
    stepper, value = Stepper(textbook), None
    for run in runs:
        first, *others = run.arguments
        run.arguments = (value if first is None else first, *others)
        start = len(stepper.steps)
        value, run.cache = stepper.run(run.forward_in(textbook), *run.arguments)
        run.value, run.forward = value, range(start, len(stepper.steps))
    for run in reversed(runs):
        start, run.cotangent = len(stepper.steps), cotangent
        backward = getattr(textbook, f"{run.layer}_backward")
        given = stepper.run(backward, cotangent, run.cache)
        run.gradients = given if isinstance(given, tuple) else (given,)
        if run.layer == "psi":
            cache = run.cache
            run.slope = stepper.run(textbook.psi_prime, cache.theta, cache.m)
        run.backward, cotangent = range(start, len(stepper.steps)), run.gradients[0]
    return stepper.steps
