"""A report goes in; the lines that a person reads come out, of at most 80 columns."""

import math
import textwrap

import numpy as np

from npsoftmax.gradcheck.inputs import label_of
from npsoftmax.gradcheck.steps import largest_finite

VERDICTS = {
    "right": "the gradient is right",
    "wrong": "the gradient is WRONG",
    "inconclusive": "it cannot be told whether the gradient is right",
}
WRONG = ("gradient by", "analytic", "numeric", "difference", "tolerance")
ERRORS = ("gradient by", "shape", "largest entry", "largest error", "tolerance there")
RATES = ("gradient by", "shape", "slope along v", "order of the remainder")
SHOWN = 6  # entries at most in a table, and kinks


def report_lines(report):
    """Yield the lines of a report."""
    yield f"{report.function}: {VERDICTS[report.verdict]}"
    for text in report.problems:
        yield from _paragraph("because", text)
    yield from _numbers(report)
    for title, text in _remarks(report):
        yield from _paragraph(title, text)


def _numbers(report):
    """Yield the table: of wrong entries, or of inputs."""
    wrong = [c.entry(j) for c in report.entries for j in np.argwhere(c.wrong)]
    if report.inputs and not report.entries:
        yield from _table(RATES, map(_rates_row, report.inputs))
    elif wrong and report.verdict == "wrong":
        worst = sorted(wrong, key=lambda e: -np.nan_to_num(abs(e.error), nan=np.inf))
        yield from _table(WRONG, map(_wrong_row, worst[:SHOWN]))
        others = sum(c.analytic.size for c in report.entries) - len(wrong)
        if len(wrong) > SHOWN:
            entries = len(wrong) + others
            yield f"  and {len(wrong) - SHOWN} more of {entries} entries are wrong"
        elif others:
            yield f"  {_counted(others, 'other entry agrees', 'other entries agree')}"
    elif report.inputs:
        yield from _table(ERRORS, map(_errors_row, report.inputs))


def _remarks(report):
    """Yield (title, text) for what is said below the table."""
    if report.verdict == "wrong":
        yield from (("looks like", text) for text in _ratios(report))
        settled = [check for check in report.inputs if check.settled]
        right = [c.name for c in settled if not np.any(c.wrong | c.kink)]
        if right:
            yield "right", f"gradient by {', '.join(right)}"
    yield from (("because", text) for text in report.doubts)
    for kink in report.kinks[:SHOWN]:
        yield "kink", f"{kink.label}: {kink.what}"
    if len(report.kinks) > SHOWN:
        yield "", f"and {len(report.kinks) - SHOWN} more kinks"
    if report.verdict == "inconclusive":
        yield from (("because", text) for text in _why_inconclusive(report))
    for check in report.entries:
        if check.alike.any():
            where = _listed(check.name, np.argwhere(check.alike))
            yield "note", f"nan or inf both times, so not compared: {where}"
    yield from (("note", text) for text in report.notes)
    if report.held:
        yield "held", ", ".join(report.held)
    yield "how", _how(report)


def _ratios(report):
    """Yield a sentence for each gradient that is a constant times the right one."""
    for check in report.entries:
        seen = ~check.blind & ~check.alike & (check.numeric != 0)
        if not (seen.any() and check.wrong.any() and check.wrong[seen].all()):
            continue
        ratios = check.analytic[seen] / check.numeric[seen]
        if np.ptp(ratios) <= 1e-6 * np.abs(ratios).max():
            many = "every entry is" if seen.sum() > 1 else "it is"
            ratio = np.median(ratios)
            times = f"{ratio:.{_digits(ratio, 1)}g} times what it should be"
            yield f"gradient by {check.name}: {many} {times if ratios.any() else 0}"


def _why_inconclusive(report):
    for check in report.inputs:
        blind = check.blind & ~check.kink
        if blind.any() and not report.entries:
            remainder = f"no clear order of the remainder by {check.name}"
            yield f"{remainder}: other inputs may tell"
        elif blind.any():
            yield _too_wide(check, blind)
    for check in report.entries:
        if check.excused.any():
            j = np.argmax(np.abs(check.error) * check.excused)
            worst = check.entry(np.unravel_index(j, check.shape))
            yield (
                f"{worst.label} is off by {abs(worst.error):.1e}, and backward rounds "
                f"so much itself, up to {check.excuse.flat[j]:.1e}: a mistake may hide "
                "in it"
            )


def _too_wide(check, blind):
    if not np.isfinite(check.tolerance[blind]).all():
        by = f"by {check.name} in its domain"
        return f"no step can be taken {by}, or it gives nan or inf"
    return (
        f"{_counted(blind.sum(), 'entry', 'entries')} of the gradient by {check.name} "
        f"can be known to up to {check.tolerance[blind].max():.1g} only, where the "
        f"largest is {largest_finite(check.numeric):.2g}: other inputs may tell"
    )


def _listed(name, where):
    shown = ", ".join(label_of(name, tuple(j)) for j in where[:SHOWN])
    return shown + (f" and {len(where) - SHOWN} more" if len(where) > SHOWN else "")


def _how(report):
    if not report.inputs:
        return "nothing was differentiated"
    entries = sum(math.prod(check.shape) for check in report.inputs)
    if not report.entries:
        return f"Taylor rate along one direction for each input, {entries} entries"
    steps = {h for check in report.entries for h in check.step.flat} or {1.0}
    smallest, largest = (f"2^{math.frexp(h)[1] - 1}" for h in (min(steps), max(steps)))
    step = smallest if smallest == largest else f"{smallest} to {largest}"
    return f"{report.method}, h = {step}, all {_counted(entries, 'entry', 'entries')}"


# Rows


def _wrong_row(entry):
    digits = _digits(entry.analytic, entry.numeric)
    return (
        entry.label,
        f"{entry.analytic:.{digits}g}",
        f"{entry.numeric:.{digits}g}",
        f"{entry.error:+.3g}",
        f"{entry.tolerance:.1g}",
    )


def _digits(a, b):
    """Return how many digits tell two numbers apart: 6 to 17."""
    size, error = max(abs(a), abs(b)), abs(a - b)
    if not 0 < error < math.inf or not size < math.inf:
        return 6
    return min(17, max(6, math.ceil(math.log10(size / error)) + 2))


def _errors_row(check):
    numbers = "", "", ""
    if not check.kink.all():
        size, worst = np.abs(check.analytic).max(), check.worst
        numbers = f"{size:.3g}", f"{abs(worst.error):.1e}", f"{worst.tolerance:.1e}"
    return check.name, str(check.shape), *numbers


def _rates_row(check):
    rate = {"nan": "none", "inf": "inf (linear)"}.get(str(check.rate))
    slope = f"{check.slope:.6g}"
    return check.name, str(check.shape), slope, rate or f"{check.rate:.2f}"


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
    """Return the text in lines of 80 columns, the title to its left."""
    left, below = f"  {title:<11} ", 14 * " "
    return textwrap.wrap(
        text, 80, initial_indent=left, subsequent_indent=below, break_long_words=False
    )


def _counted(n, one, many):
    return f"{n} {one if n == 1 else many}"
