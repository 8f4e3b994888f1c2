"""The numbers of a gradient check go in; a report comes out, to be read or asked."""

import math
import textwrap
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from npsoftmax.layer_pair import label_of


class Entry(NamedTuple):
    """One entry of a gradient: what backward gave, and what differentiating f gave."""

    name: str  # of the input
    index: tuple[int, ...]
    analytic: float
    numeric: float
    tolerance: float
    step: float

    @property
    def error(self):
        """Return analytic - numeric."""
        return self.analytic - self.numeric

    @property
    def label(self):
        """Return the entry as one writes it: `x[2, 0]`."""
        return label_of(self.name, self.index)


class Kink(NamedTuple):
    """An entry at which f changes from one piece to another, and how one sees it."""

    label: str  # x[2, 0]
    what: str  # cache.k[2] is 1 here and 2 just above; or the two slopes


@dataclass(frozen=True, repr=False)
class InputCheck:
    """The check of the gradient by one input; all arrays have its shape.

    For the Taylor rate, and for it alone, rate is that rate and the arrays hold one
    number, the slope along the direction.
    """

    name: str
    shape: tuple[int, ...]
    analytic: np.ndarray
    numeric: np.ndarray
    tolerance: np.ndarray
    step: np.ndarray
    kink: np.ndarray  # bool: on a kink, so not judged
    flat: np.ndarray  # bool: forward's output does not move with this entry
    fine: float  # the relative change that must be seen
    rate: float | None = None

    @property
    def error(self):
        """Return analytic - numeric, entry by entry."""
        return self.analytic - self.numeric

    @property
    def wrong(self):
        """Return where the error is beyond the tolerance, and no kink explains it."""
        if self.rate is not None:
            return np.array(abs(self.rate - 1) < 0.1)
        known = np.isfinite(self.numeric) & np.isfinite(self.tolerance)
        return known & ~(np.abs(self.error) <= self.tolerance) & ~self.kink

    @property
    def blind(self):
        """Return where the tolerance is too wide to mean anything."""
        if self.rate is not None:
            return np.array(not (self.wrong or self.rate > 1.9))
        size = np.abs(self.numeric)
        floor = self.fine * np.max(size, initial=0.0)
        wanted = np.where(size > floor, self.fine * size, floor) / 2
        both_zero = self.flat & (self.analytic == 0) & (floor == 0)
        return ~(self.tolerance <= wanted) & ~both_zero

    def entry(self, index):
        """Return one entry by its index."""
        index = tuple(map(int, index))
        arrays = (self.analytic, self.numeric, self.tolerance, self.step)
        return Entry(self.name, index, *(float(a[index]) for a in arrays))


@dataclass(frozen=True, repr=False)
class GradientReport:
    """What `check_gradients` found; `print` it, or ask for its parts.

    It is true only if the verdict is "right": `assert check_gradients(...)` does what
    it says.
    """

    function: str
    method: str | None
    inputs: tuple[InputCheck, ...]
    kinks: tuple[Kink, ...]
    problems: tuple[str, ...]  # wrong shapes, edits in place: wrong whatever the values
    doubts: tuple[str, ...]  # why the method itself is not to be trusted here
    notes: tuple[str, ...]

    @property
    def verdict(self):
        """Return "right", "wrong" or "inconclusive"."""
        if self.problems:
            return "wrong"
        if any(check.wrong.any() for check in self.inputs) and not self.doubts:
            return "wrong"
        blind = any(check.blind.any() for check in self.inputs)
        return "inconclusive" if blind or self.kinks or self.doubts else "right"

    def __bool__(self):
        return self.verdict == "right"

    @property
    def worst(self):
        """Return the Entry that exceeds its tolerance most; None if there is none."""
        judged = [(c, _excess(c)) for c in self.inputs if not c.kink.all()]
        if not judged:
            return None
        check, excess = max(judged, key=lambda pair: pair[1].max())
        return check.entry(np.unravel_index(excess.argmax(), excess.shape))

    @property
    def step(self):
        """Return the step used for the worst entry; None if there is none."""
        return self.worst.step if self.worst else None

    @property
    def errors(self):
        """Return analytic - numeric for each input, by its name."""
        return {check.name: check.error for check in self.inputs}

    def __str__(self):
        return "\n".join(_lines(self))

    __repr__ = __str__


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
    wrong = [c.entry(j) for c in report.inputs for j in np.argwhere(c.wrong)]
    if report.inputs and report.inputs[0].rate is not None:
        yield from _table(RATES, [_rates_row(c) for c in report.inputs])
    elif wrong and report.verdict == "wrong":
        yield from _wrong_lines(report, wrong)
    elif report.inputs:
        yield from _table(ERRORS, [_errors_row(c) for c in report.inputs])
    yield from _why_inconclusive(report)
    for text in report.notes:
        yield from _paragraph("note", text)
    yield from _paragraph("how", _how(report))


def _wrong_lines(report, wrong):
    """Yield the table of the worst entries, and what is common to all of them."""
    worst = sorted(wrong, key=lambda e: -np.nan_to_num(abs(e.error), nan=np.inf))
    yield from _table(WRONG, [_wrong_row(entry) for entry in worst[:SHOWN]])
    entries = sum(check.analytic.size for check in report.inputs)
    if len(wrong) > SHOWN:
        yield f"  and {len(wrong) - SHOWN} more of {entries} entries are wrong"
    elif len(wrong) < entries:
        others = entries - len(wrong)
        yield f"  {_counted(others, 'other entry agrees', 'other entries agree')}"
    for text in _ratios(report):
        yield from _paragraph("looks like", text)


def _ratios(report):
    """Yield a sentence for each gradient that is a constant times the right one."""
    for check in report.inputs:
        seen = ~check.blind & (check.numeric != 0)
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


def _too_wide(check, blind):
    if check.rate is not None:
        return f"no clear order of the remainder by {check.name}: other inputs may tell"
    if np.isfinite(check.tolerance[blind]).all():
        tolerance = f"up to {check.tolerance[blind].max():.1g}"
        size = np.abs(check.numeric).max()
        entries = _counted(blind.sum(), "entry", "entries")
        return (
            f"{entries} of the gradient by {check.name} can be known to {tolerance} "
            f"only, where the largest is {size:.2g}: other inputs may tell"
        )
    return f"no step can be taken by {check.name} in its domain, or it gives nan or inf"


def _how(report):
    if not report.inputs:
        return "nothing was differentiated"
    smallest, largest = map(_power, _step_range(report))
    step = smallest if smallest == largest else f"{smallest} to {largest}"
    entries = sum(math.prod(check.shape) for check in report.inputs)
    if report.method == "Taylor rate":
        return f"Taylor rate along one direction for each input, {entries} entries"
    return f"{report.method}, h = {step}, all {_counted(entries, 'entry', 'entries')}"


def _step_range(report):
    steps = np.concatenate([check.step.ravel() for check in report.inputs])
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
    return check.name, _shape(check.shape), f"{float(check.analytic):.6g}", shown


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
