"""The numbers of a gradient check go in; a report comes out, to be read or asked."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from npsoftmax.arrays import Array, Booleans
from npsoftmax.gradcheck.pair import label_of


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
    """The check of the gradient by one input: all arrays have its shape.

    An error up to the tolerance is none. One beyond it, but within the excuse, may be
    backward's own rounding: it cannot be told.
    """

    name: str
    shape: tuple[int, ...]
    analytic: Array
    numeric: Array  # nan where it cannot be known
    tolerance: Array
    excuse: Array
    step: Array
    kink: Booleans  # bool: on a kink, so not judged
    flat: Booleans  # bool: forward's output does not move with this entry
    fine: float  # the relative change that must be seen

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
        known = np.isfinite(self.numeric) & np.isfinite(self.excuse)
        return known & ~(np.abs(self.error) <= self.excuse) & ~self.kink

    @property
    def excused(self) -> Booleans:
        """Return where the error is beyond the tolerance, but not beyond the excuse."""
        beyond = ~(np.abs(self.error) <= self.tolerance) & np.isfinite(self.tolerance)
        return beyond & np.isfinite(self.numeric) & ~self.wrong & ~self.kink

    @property
    def blind(self) -> Booleans:
        """Return where the tolerance is too wide to mean anything."""
        size = np.abs(self.numeric)
        floor = self.fine * np.max(size, initial=0.0, where=np.isfinite(size))
        wanted = np.where(size > floor, self.fine * size, floor) / 2
        both_zero = self.flat & (self.analytic == 0) & (floor == 0)
        told = np.isfinite(self.tolerance) & (self.tolerance <= wanted)
        return ~(told & np.isfinite(size)) & ~both_zero & ~self.alike

    def entry(self, index: Iterable[int]) -> Entry:
        """Return one entry by its index."""
        index = tuple(map(int, index))
        arrays = (self.analytic, self.numeric, self.tolerance, self.step)
        return Entry(self.name, index, *(float(a[index]) for a in arrays))


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


@dataclass(frozen=True, repr=False)
class GradientReport:
    """What `check_gradients` found; `print` it, or ask for its parts.

    It is true only if the verdict is "right": `assert check_gradients(...)` does what
    it says.
    """

    function: str
    method: str | None
    inputs: tuple[InputCheck, ...] | tuple[RateCheck, ...]
    kinks: tuple[Kink, ...]
    problems: tuple[str, ...]  # wrong shapes, edits in place: wrong whatever the values
    doubts: tuple[str, ...]  # why the method itself is not to be trusted here
    notes: tuple[str, ...]
    held: tuple[str, ...] = ()  # the inputs that were not differentiated

    @property
    def entries(self) -> list[InputCheck]:
        """Return the checks that compare entry by entry: none by the Taylor rate."""
        return [check for check in self.inputs if isinstance(check, InputCheck)]

    @property
    def verdict(self) -> Literal["right", "wrong", "inconclusive"]:
        """Return "right", "wrong" or "inconclusive"."""
        if self.problems:
            return "wrong"
        if any(check.wrong.any() for check in self.inputs) and not self.doubts:
            return "wrong"
        open_ = self.kinks or self.doubts or not all(map(_settled, self.inputs))
        return "inconclusive" if open_ or _nothing_compared(self.entries) else "right"

    def __bool__(self) -> bool:
        return self.verdict == "right"

    @property
    def worst(self) -> Entry | None:
        """Return the Entry that exceeds its tolerance most; None if there is none."""
        judged = [(c, _excess(c)) for c in self.entries if not c.kink.all()]
        if not judged:
            return None
        check, excess = max(judged, key=lambda pair: pair[1].max())
        return check.entry(np.unravel_index(excess.argmax(), excess.shape))

    @property
    def step(self) -> float | None:
        """Return the step used for the worst entry; None if there is none."""
        return self.worst.step if self.worst else None

    @property
    def errors(self) -> dict[str, Array]:
        """Return analytic - numeric for each input, by its name."""
        return {check.name: check.error for check in self.entries}

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    __repr__ = __str__


def _settled(check):
    excused = isinstance(check, InputCheck) and check.excused.any()
    return not (check.blind.any() or excused)


def _nothing_compared(checks):
    return any(c.alike.any() for c in checks) and all(c.alike.all() for c in checks)


def _excess(check):
    with np.errstate(all="ignore"):
        ratio = np.abs(check.error) / check.tolerance
    ratio = np.where(check.error == 0, 0, ratio)
    ratio = np.where(np.isnan(ratio), np.where(check.wrong, np.inf, 0), ratio)
    return np.where(check.kink, -1, ratio)


# The words

VERDICTS = {
    "right": "the gradient is right",
    "wrong": "the gradient is WRONG",
    "inconclusive": "it cannot be told whether the gradient is right",
}
WRONG = ("gradient by", "analytic", "numeric", "difference", "tolerance")
ERRORS = ("gradient by", "shape", "largest entry", "largest error", "tolerance there")
RATES = ("gradient by", "shape", "slope along v", "order of the remainder")
SHOWN = 6  # entries at most in a table, and kinks


def _lines(report):
    """Yield the lines of a report, each of at most 80 columns."""
    yield f"{report.function}: {VERDICTS[report.verdict]}"
    for text in report.problems:
        yield from _paragraph("because", text)
    wrong = [c.entry(j) for c in report.entries for j in np.argwhere(c.wrong)]
    if report.inputs and not report.entries:
        yield from _table(RATES, [_rates_row(c) for c in report.inputs])
    elif wrong and report.verdict == "wrong":
        yield from _wrong_lines(report, wrong)
    elif report.inputs:
        yield from _table(ERRORS, [_errors_row(c) for c in report.inputs])
    if report.verdict == "wrong" and any(map(_agrees, report.inputs)):
        names = ", ".join(c.name for c in report.inputs if _agrees(c))
        yield from _paragraph("right", f"gradient by {names}")
    yield from _why_inconclusive(report)
    for check in report.entries:
        if check.alike.any():
            yield from _paragraph("note", _both_nan(check))
    for text in report.notes:
        yield from _paragraph("note", text)
    if report.held:
        yield from _paragraph("held", ", ".join(report.held))
    yield from _paragraph("how", _how(report))


def _agrees(check):
    return _settled(check) and not np.any(check.wrong | check.kink)


def _both_nan(check):
    """Say where analytic and numeric are nan or infinite alike."""
    where = [label_of(check.name, tuple(j)) for j in np.argwhere(check.alike)]
    shown = ", ".join(where[:SHOWN])
    more = f" and {len(where) - SHOWN} more" if len(where) > SHOWN else ""
    return f"nan or inf both times, so not compared: {shown}{more}"


def _wrong_lines(report, wrong):
    """Yield the table of the worst entries, and what is common to all of them."""
    worst = sorted(wrong, key=lambda e: -np.nan_to_num(abs(e.error), nan=np.inf))
    yield from _table(WRONG, [_wrong_row(entry) for entry in worst[:SHOWN]])
    entries = sum(check.analytic.size for check in report.entries)
    if len(wrong) > SHOWN:
        yield f"  and {len(wrong) - SHOWN} more of {entries} entries are wrong"
    elif len(wrong) < entries:
        others = entries - len(wrong)
        yield f"  {_counted(others, 'other entry agrees', 'other entries agree')}"
    for text in _ratios(report):
        yield from _paragraph("looks like", text)


def _ratios(report):
    """Yield a sentence for each gradient that is a constant times the right one."""
    for check in report.entries:
        seen = ~check.blind & ~check.alike & (check.numeric != 0)
        if check.wrong.any() and seen.any():
            ratios = check.analytic[seen] / check.numeric[seen]
            alike = np.ptp(ratios) <= 1e-6 * np.abs(ratios).max()
            if alike and check.wrong[seen].all():
                many = "every entry is" if seen.sum() > 1 else "it is"
                times = "0" if not ratios.any() else f"{np.median(ratios):.6g} times"
                what = times if times == "0" else f"{times} what it should be"
                yield f"gradient by {check.name}: {many} {what}"


def _why_inconclusive(report):
    for text in report.doubts:
        yield from _paragraph("because", text)
    for kink in report.kinks[:SHOWN]:
        yield from _paragraph("kink", f"{kink.label}: {kink.what}")
    if len(report.kinks) > SHOWN:
        yield from _paragraph("", f"and {len(report.kinks) - SHOWN} more kinks")
    if report.verdict == "inconclusive":
        for check in report.inputs:
            blind = check.blind & ~check.kink
            if blind.any():
                yield from _paragraph("because", _too_wide(check, blind))
        for check in report.entries:
            if check.excused.any():
                yield from _paragraph("because", _excuse(check))


def _excuse(check):
    j = np.unravel_index((np.abs(check.error) * check.excused).argmax(), check.shape)
    return (
        f"{label_of(check.name, j)} is off by {abs(check.error[j]):.1e}, and backward "
        f"rounds so much itself, up to {check.excuse[j]:.1e}: a mistake may hide in it"
    )


def _too_wide(check, blind):
    if isinstance(check, RateCheck):
        return f"no clear order of the remainder by {check.name}: other inputs may tell"
    if np.isfinite(check.tolerance[blind]).all():
        tolerance = f"up to {check.tolerance[blind].max():.1g}"
        size = np.nanmax(np.abs(check.numeric))
        entries = _counted(blind.sum(), "entry", "entries")
        return (
            f"{entries} of the gradient by {check.name} can be known to {tolerance} "
            f"only, where the largest is {size:.2g}: other inputs may tell"
        )
    return f"no step can be taken by {check.name} in its domain, or it gives nan or inf"


def _how(report):
    if not report.inputs:
        return "nothing was differentiated"
    entries = sum(math.prod(check.shape) for check in report.inputs)
    if not report.entries:
        return f"Taylor rate along one direction for each input, {entries} entries"
    smallest, largest = map(_power, _step_range(report))
    step = smallest if smallest == largest else f"{smallest} to {largest}"
    return f"{report.method}, h = {step}, all {_counted(entries, 'entry', 'entries')}"


def _step_range(report):
    steps = np.concatenate([check.step.ravel() for check in report.entries])
    return (steps.min(), steps.max()) if steps.size else (1.0, 1.0)


def _power(step):
    return f"2^{math.frexp(step)[1] - 1}"


def _wrong_row(entry):
    digits = _digits(entry)
    return (
        entry.label,
        f"{entry.analytic:.{digits}g}",
        f"{entry.numeric:.{digits}g}",
        f"{entry.error:+.3g}",
        f"{entry.tolerance:.1g}",
    )


def _digits(entry):
    """Return how many digits tell analytic and numeric apart."""
    size = max(abs(entry.analytic), abs(entry.numeric))
    if not 0 < abs(entry.error) < math.inf or not size < math.inf:
        return 6
    return min(17, max(6, math.ceil(math.log10(size / abs(entry.error))) + 2))


def _errors_row(check):
    if check.kink.all():
        return check.name, _shape(check.shape), "", "", ""
    worst = check.entry(np.unravel_index(_excess(check).argmax(), check.shape))
    return (
        check.name,
        _shape(check.shape),
        f"{np.abs(check.analytic).max():.3g}",
        f"{abs(worst.error):.1e}",
        f"{worst.tolerance:.1e}",
    )


def _rates_row(check):
    shown = {math.inf: "inf (linear)"}.get(check.rate, f"{check.rate:.2f}")
    shown = "none" if math.isnan(check.rate) else shown
    return check.name, _shape(check.shape), f"{check.slope:.6g}", shown


def _shape(shape):
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def _table(head, rows):
    """Yield the lines of a table: the first column to the left, the others right.

    In a table wider than 80 columns the first has a line of its own.
    """
    rows = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = "  ".join(map(str.rjust, others, widths[1:])).rstrip()
        if 2 + sum(widths) + 2 * len(others) <= 80:
            yield f"  {first:<{widths[0]}}  {cells}"
        else:
            yield from (f"  {first}", f"    {cells}")


def _paragraph(title, text):
    """Yield the text in lines of 80 columns, the title to its left."""
    lines = textwrap.wrap(text, 80 - 14, break_long_words=False)
    for i, line in enumerate(lines):
        yield f"  {title if i == 0 else '':<11} {line}"


def _counted(n, one, many):
    return f"{n} {one if n == 1 else many}"
