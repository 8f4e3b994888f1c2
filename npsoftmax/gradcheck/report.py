"""The numbers of a gradient check go in; a report comes out, to be read or asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from npsoftmax.arrays import Array, Booleans
from npsoftmax.gradcheck.inputs import label_of
from npsoftmax.gradcheck.steps import largest_finite
from npsoftmax.gradcheck.words import report_lines


class Entry(NamedTuple):
    """One entry of a gradient: what backward gave, and what differentiating f gave."""

    name: str  # of the input
    index: tuple[int, ...]
    analytic: float
    numeric: float
    tolerance: float
    step: float

    @property
    def error(self) -> float:
        """Return analytic - numeric."""
        return self.analytic - self.numeric

    @property
    def label(self) -> str:
        """Return the entry as one writes it: `x[2, 0]`."""
        return label_of(self.name, self.index)


class Kink(NamedTuple):
    """An entry at which f changes from one piece to another, and how one sees it."""

    label: str  # x[2, 0]
    what: str  # cache.k[2] is 1 here and 2 just above; or the two slopes


@dataclass(frozen=True, repr=False)
class InputCheck:
    """The gradient by one input beside a numeric one: all arrays have its shape.

    An error up to the tolerance is none. One beyond it, but within the excuse, may be
    backward's own rounding: it cannot be told.
    """

    analytic: Array
    numeric: Array  # nan where it cannot be known
    tolerance: Array
    excuse: Array
    step: Array
    kink: Booleans  # bool: on a kink, so not judged
    flat: Booleans  # bool: forward's output does not move with this entry
    name: str
    fine: float  # the relative change that must be seen

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the input."""
        return self.analytic.shape

    @property
    def error(self) -> Array:
        """Return analytic - numeric, entry by entry."""
        with np.errstate(invalid="ignore"):
            return self.analytic - self.numeric

    @property
    def alike(self) -> Booleans:
        """Return where both are nan, or the same infinity: nothing is compared."""
        both_nan = np.isnan(self.analytic) & np.isnan(self.numeric)
        return both_nan | (np.isinf(self.numeric) & (self.analytic == self.numeric))

    @property
    def wrong(self) -> Booleans:
        """Return where the error is beyond the excuse, and no kink explains it."""
        return self._beyond(self.excuse)

    @property
    def excused(self) -> Booleans:
        """Return where the error is beyond the tolerance, but not beyond the excuse."""
        return self._beyond(self.tolerance) & ~self.wrong

    def _beyond(self, bound):
        known = np.isfinite(self.numeric) & np.isfinite(bound)
        return known & ~(np.abs(self.error) <= bound) & ~self.kink

    @property
    def blind(self) -> Booleans:
        """Return where the tolerance is too wide to mean anything."""
        size = np.abs(self.numeric)
        floor = self.fine * largest_finite(size)
        wanted = np.where(size > floor, self.fine * size, floor) / 2
        both_zero = self.flat & (self.analytic == 0) & (floor == 0)
        told = np.isfinite(self.tolerance) & (self.tolerance <= wanted)
        return ~(told & np.isfinite(size)) & ~both_zero & ~self.alike

    @property
    def settled(self) -> bool:
        """Return whether it can be told of every entry that is not on a kink."""
        return not (self.blind.any() or self.excused.any())

    @property
    def excess(self) -> Array:
        """Return error over tolerance, -1 on a kink."""
        with np.errstate(all="ignore"):
            ratio = np.abs(self.error) / self.tolerance
        is_nan = np.isnan(self.error) & self.wrong
        ratio = np.where(is_nan, np.inf, np.nan_to_num(ratio, posinf=np.inf))
        return np.where(self.kink, -1, ratio)

    def entry(self, index: Iterable[int]) -> Entry:
        """Return one entry by its index."""
        index = tuple(map(int, index))
        arrays = (self.analytic, self.numeric, self.tolerance, self.step)
        return Entry(self.name, index, *(float(a[index]) for a in arrays))

    @property
    def worst(self) -> Entry:
        """Return the Entry that exceeds its tolerance most."""
        return self.entry(np.unravel_index(self.excess.argmax(), self.shape))


@dataclass(frozen=True, repr=False)
class RateCheck:
    """The check of the gradient by one input along one direction v, by the rate at
    which the remainder vanishes; nan where no order is clear, inf where none is left.
    """

    name: str
    shape: tuple[int, ...]
    slope: float  # the gradient times v
    rate: float
    kink: bool

    @property
    def wrong(self) -> Booleans:
        """Return whether the remainder falls no faster than the step."""
        return np.array(abs(self.rate - 1) < 0.1)

    @property
    def blind(self) -> Booleans:
        """Return whether the rate tells nothing."""
        return np.array(not (self.wrong or self.rate > 1.9))

    @property
    def settled(self) -> bool:
        """Return whether the rate tells."""
        return not self.blind


@dataclass(frozen=True, repr=False)
class GradientReport:
    """What `check_gradients` found; `print` it, or ask for its parts.

    It is true only if the verdict is "right": `assert check_gradients(...)` does what
    it says.
    """

    method: str | None
    inputs: tuple[InputCheck, ...] | tuple[RateCheck, ...] = ()
    kinks: tuple[Kink, ...] = ()
    doubts: tuple[str, ...] = ()  # why the method itself is not to be trusted here
    notes: tuple[str, ...] = ()
    function: str = "backward"
    problems: tuple[str, ...] = ()  # wrong shapes, edits: wrong whatever the values
    held: tuple[str, ...] = ()  # the inputs that were not differentiated

    @property
    def entries(self) -> list[InputCheck]:
        """Return the checks that compare entry by entry: none by the Taylor rate."""
        return [check for check in self.inputs if isinstance(check, InputCheck)]

    @property
    def verdict(self) -> Literal["right", "wrong", "inconclusive"]:
        """Return "right", "wrong" or "inconclusive"."""
        wrong = any(check.wrong.any() for check in self.inputs)
        if self.problems or (wrong and not self.doubts):
            return "wrong"
        alike = [check.alike for check in self.entries if check.analytic.size]
        compares_nothing = alike and all(a.all() for a in alike)
        settled = all(check.settled for check in self.inputs)
        told = settled and not (self.kinks or self.doubts or compares_nothing)
        return "right" if told else "inconclusive"

    def __bool__(self) -> bool:
        return self.verdict == "right"

    @property
    def worst(self) -> Entry | None:
        """Return the Entry that exceeds its tolerance most; None if there is none."""
        judged = [check for check in self.entries if not check.kink.all()]
        most = max(judged, key=lambda check: check.excess.max(), default=None)
        return most and most.worst

    @property
    def errors(self) -> dict[str, Array]:
        """Return analytic - numeric for each input, by its name."""
        return {check.name: check.error for check in self.entries}

    def __str__(self) -> str:
        return "\n".join(report_lines(self))

    __repr__ = __str__
