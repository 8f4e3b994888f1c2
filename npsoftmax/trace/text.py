"""In: the rows of a Trace. Out: their text, for a terminal of 80 columns."""

import itertools
import textwrap
from collections.abc import Iterator

import numpy as np

from npsoftmax.trace.differences import CLOSE
from npsoftmax.trace.numbers import cells

WIDTH = 80  # columns of a terminal
FORWARD_HEAD = "     forward     shape   value                        line of the page"
BACKWARD_HEAD = (
    "     backward    shape   line of the page\n"
    "     value                        by differences                rel. difference"
)


def blocks(traced, paint) -> Iterator[str]:
    """Yield a text for each row; a heading stands before the first row it is for."""
    words = [line for words in traced.yours for line in textwrap.wrap(words, WIDTH)]
    heading = "\n".join([paint(traced.title, "bold"), *words]) + "\n\n"
    parts = (
        (FORWARD_HEAD, traced.forward, _forward_block),
        (BACKWARD_HEAD, traced.backward, _backward_block),
    )
    for head, rows, block in parts:
        heading, function = f"{heading}{paint(head, 'bold')}\n", None
        for row in rows:
            if row.function != function:
                function = row.function
                place = f"{function}, textbook.py line {row.line}"
                heading += paint(f"  {place}", "faint") + "\n"
            yield heading + block(row, paint)
            heading = ""
        heading = "\n"


def _forward_block(row, paint):
    formula = textwrap.wrap(row.formula, WIDTH - 54)
    left, lines = _left(row), []
    values = _lines(row.value)
    for value, words in itertools.zip_longest(values, formula, fillvalue=""):
        lines.append(f"{left}{value:27}  {paint(words, 'faint')}".rstrip())
        left = " " * 25
    return "\n".join(lines + _note(row, paint) + _yours(row, paint))


def _backward_block(row, paint):
    formula = textwrap.wrap(row.formula, WIDTH - 25)
    lines = [_left(row) + paint(formula[0], "faint")]
    lines += [" " * 25 + paint(words, "faint") for words in formula[1:]]
    numeric = [] if row.numeric is None else _lines(row.numeric)
    values = _lines(row.value)
    for value, beside in itertools.zip_longest(values, numeric, fillvalue=""):
        lines.append(f"     {value:27}  {beside:27}".rstrip())
    if row.difference is not None:
        look = "good" if row.difference < CLOSE else "faint" if row.note else "bad"
        lines[-1] = f"{lines[-1]:61}{paint(f'{row.difference:10.0e}', look)}"
    return "\n".join(lines + _note(row, paint) + _yours(row, paint))


def _left(row):
    has_shape = isinstance(row.value, np.ndarray | np.generic)
    shape = str(row.shape) if has_shape else ""
    return f"{row.equation:5}{row.name:12}{shape:8}"


def _note(row, paint):
    notes = [textwrap.wrap(note, WIDTH - 9) for note in row.note.splitlines()]
    return [paint(f"       > {line}", "faint") for line in itertools.chain(*notes)]


def _yours(row, paint):
    """Return the lines of a person's value, where it parts from the page's."""
    if row.yours is None or not row.yours.parts:
        return []
    words = "yours, which parts here first:" if row.yours.first else "yours:"
    value = row.yours.value
    lines = ["not an array of numbers"] if value is None else _lines(value)
    return [paint(f"       > {line}", "bad") for line in (words, *lines)]


def _lines(value):
    """Return a line for each row of a value, its numbers in columns of 9."""
    return ["".join(f" {entry:>8}" for entry in row) for row in cells(value)]
