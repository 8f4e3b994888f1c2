"""What `npsoftmax train` says of its networks: the table, the pairs, and plain words.

In: Rows, Pairs and Runs of npsoftmax.experiment. Out: text that fits a Page.
"""

import math
import textwrap
from collections.abc import Callable
from typing import NamedTuple

from npsoftmax.commands.shared import name_of
from npsoftmax.experiment import collapsed
from npsoftmax.terminal import columns, painter, plus_minus

NEXT = (  # a command or a file, and what it is for
    ("npsoftmax trace l-softmax --margin 4 --angle 150", "the margin, by hand"),
    ("npsoftmax --features 32 --no-figure", "fewer errors, nothing to draw"),
    ("notebooks/06_train_the_tiny_mlp.ipynb", "this network, step by step"),
)
ANGLES, ERRORS = ("to_weight", "to_mean", "between"), ("test_error", "train_error")
COLUMNS = {"wedge": 7} | dict.fromkeys(ANGLES + ERRORS, 13)  # by name in Row: width
NAME = 7  # columns for a margin
MOST_NAMED = 4  # of networks that collapsed
MOST = 100  # columns that a line of prose takes on a wide terminal


class Page(NamedTuple):
    """What a report is written on."""

    width: int  # columns
    paint: Callable[[str, str], str]  # from text and a look to text
    sign: str  # the plus-minus

    @classmethod
    def of(cls, stream):
        """Return the Page of a stream: 80 columns unless it is a terminal."""
        return cls(columns(stream) - 1, painter(stream), plus_minus(stream))

    def filled(self, text, indent=0):
        """Return a paragraph filled to the width, a whole word a line at least."""
        return textwrap.fill(
            text, min(self.width, MOST), subsequent_indent=" " * indent,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip


def report(rows, pairs, page):
    """Return the table, what its columns mean, the pairs, and what they show."""
    parts = [table(rows, page), columns_explained(rows, page)]
    if pairs:
        parts += [differences(pairs, page), page.filled(reading(pairs))]
    return "\n\n".join(parts)


def table(rows, page):
    """Return a line for each margin, under the names that JSON has."""
    columns = [
        (name.replace("_", " "), width, [_cell(name, row, page.sign) for row in rows])
        for name, width in COLUMNS.items()
    ]
    return _in_blocks([name_of(row.m) for row in rows], columns, page)


def _in_blocks(names, columns, page):
    """Return a table of columns (head, width, cells), too wide a one as several."""
    blocks, room = [[]], page.width - NAME
    for column in columns:
        if blocks[-1] and sum(width for _, width, _ in [*blocks[-1], column]) > room:
            blocks.append([])
        blocks[-1].append(column)
    return "\n\n".join(_block(names, block, page) for block in blocks)


def _block(names, columns, page):
    padded = [[f"{name:{NAME}}" for name in ("", *names)]]
    for head, width, cells in columns:
        padded.append([f"{cell:>{width}}" for cell in (head, *cells)])
    head, *lines = map("".join, zip(*padded, strict=True))
    return "\n".join([page.paint(head, "bold"), *lines])


def _cell(name, row, sign):
    """Return `8.1 +- 1.2`, or only the mean where there is one seed."""
    value = getattr(row, name)
    if name == "wedge":
        return f"{value:.1f}"
    scale, decimals = (100, _decimals(row)) if name in ERRORS else (1, 1)
    if math.isnan(value.mean):
        return "-"
    text = f"{scale * value.mean:.{decimals}f}"
    if not math.isnan(value.deviation):
        text += f" {sign} {scale * value.deviation:.{decimals}f}"
    return text


def _decimals(row):
    """Return to how many decimals of a percent so many images can be told apart."""
    return 1 if row.images < 5000 else 2


def columns_explained(rows, page):
    """Return what each column is, in as many lines as there is room."""
    classes, seeds = rows[0].classes, max(len(row.seeds) for row in rows)
    lines = [
        "Angles in degrees, of test images; errors in %.",
        "wedge      what the margin asks to be empty between neighbouring classes, "
        f"{360 / classes:.3g} degrees apart if {classes} share a plane evenly",
        "to weight  mean angle of a feature to the weight of its own class",
        "to mean    mean angle of a feature to the mean of its own class",
        "between    smallest angle between the means of two classes",
    ]
    if seeds > 1:
        lines.append(f"{page.sign:10} standard deviation over {seeds} seeds")
    return "\n".join(page.paint(page.filled(line, 11), "faint") for line in lines)


def differences(pairs, page):
    """Return each margin minus softmax, in pairs, with its interval."""
    angles = [_interval(pair.to_weight, 1, 2) for pair in pairs]
    errors = [_interval(pair.test_error, 100, _decimals(pair)) for pair in pairs]
    columns = [("to weight, degrees", 25, angles), ("test error, points", 25, errors)]
    note = (
        "minus softmax, in pairs of one seed: mean and 95 % interval, over seeds and "
        f"{pairs[0].images:,} test images"
    )
    lines = _in_blocks([name_of(pair.m) for pair in pairs], columns, page)
    return lines + "\n" + page.paint(page.filled(note), "faint")


def _interval(interval, scale, decimals):
    mean, low, high = (f"{scale * value:+.{decimals}f}" for value in interval)
    return mean if math.isnan(interval.low) else f"{mean} ({low} to {high})"


def reading(pairs):
    """Return what the pairs show, the angle first, and no more than the intervals."""
    if any(math.isnan(pair.to_weight.low) for pair in pairs):
        return "One seed says nothing of others: for an interval, try --seeds 5."
    seeds, images = max(len(pair.seeds) for pair in pairs), pairs[0].images
    nothing = f"no difference that {seeds} seeds and {images:,} images can show"
    angles = _grouped(pairs, "to_weight", ("smaller", nothing, "larger"))
    errors = _grouped(pairs, "test_error", ("fewer", nothing, "more"))
    return (
        f"Against softmax, angles to the own class's weight: {angles}. "
        f"Test errors: {errors}."
    )


def _grouped(pairs, name, words):
    """Return `smaller with m = 2 and 3; larger with m = 4`."""
    groups = [
        (word, [str(pair.m) for pair in pairs if getattr(pair, name).sign == sign])
        for word, sign in zip(words, (-1, 0, 1), strict=True)
    ]
    return "; ".join(f"{word} with m = {listed(ms)}" for word, ms in groups if ms)


def listed(words):
    """Return `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def collapses(runs, labels, page):
    """Return in words which networks collapsed, how, and what to try."""
    found = [(run, words) for run in runs if (words := collapsed(run, labels))]
    if not found:
        return ""
    lines = [
        page.filled(f"seed {run.seed}, {name_of(run.m)}: {'; '.join(words)}", 4)
        for run, words in found[:MOST_NAMED]
    ]
    if len(found) > len(lines):
        lines.append(f"and {len(found) - len(lines)} more")
    advice = "a lower --rate, another --first-seed"
    if any(run.m > 1 for run, _ in found):
        lam = max(run.settings.lam_min for run, _ in found if run.m > 1)
        advice = f"an easier margin (--lam-min {2 * lam:g}), {advice}"
    head = f"{len(found)} of {len(runs)} networks collapsed:"
    return "\n".join([head, *lines, page.filled(f"Try {advice}, or more --epochs.")])


def what_next(page):
    """Return what to do next, each with what it is for where there is room."""
    lines = ["Next:"]
    for command, what in NEXT:
        line = f"  {command:49} {what}"
        lines.append(line if len(line) <= page.width else f"  {command}")
    return "\n".join(lines)
