"""In: the rows of a Trace. Out: their text, for a terminal of 80 columns."""

import itertools
import textwrap
from collections.abc import Iterator

import numpy as np

from npsoftmax.trace.numbers import CLOSE, ROOM, cells

WIDTH = 80  # columns of a terminal
FORWARD_HEAD = "     forward     shape   value                        line of the page"
BACKWARD_HEAD = (
    "     backward    shape   line of the page\n"
    "     value                        by differences                rel. difference"
)


def blocks(traced, paint) -> Iterator[str]:
    """Yield a text for each row; a heading stands before the first row it is for."""
    words = itertools.chain(*(textwrap.wrap(words, WIDTH) for words in traced.yours))
    heading = "\n".join([paint(traced.title, "bold"), *words, "", ""])
    for head, rows, lines_of in (
        (FORWARD_HEAD, traced.forward, _forward_lines),
        (BACKWARD_HEAD, traced.backward, _backward_lines),
    ):
        heading, function = f"{heading}{paint(head, 'bold')}\n", None
        for row in rows:
            if row.function != function:
                function = row.function
                place = f"  {function}, textbook.py line {row.line}"
                heading += paint(place, "faint") + "\n"
            yield heading + "\n".join([*lines_of(row, paint), *_remarks(row, paint)])
            heading = ""
        heading = "\n"


def _forward_lines(row, paint):
    formula = textwrap.wrap(row.formula, WIDTH - 54)
    left = _left(row)
    for value, words in itertools.zip_longest(_lines(row.value), formula, fillvalue=""):
        yield f"{left}{value:27}  {paint(words, 'faint')}".rstrip()
        left = " " * len(left)


def _backward_lines(row, paint):
    left = _left(row)
    for words in textwrap.wrap(row.formula, WIDTH - 25):
        yield left + paint(words, "faint")
        left = " " * len(left)
    numeric = [] if row.numeric is None else _lines(row.numeric)
    pairs = itertools.zip_longest(_lines(row.value), numeric, fillvalue="")
    *lines, last = [f"     {value:27}  {beside:27}".rstrip() for value, beside in pairs]
    yield from lines
    if row.difference is not None:
        look = "good" if row.difference < CLOSE else "faint" if row.note else "bad"
        last = f"{last:61}{paint(f'{row.difference:10.0e}', look)}"
    yield last


def _left(row):
    has_shape = isinstance(row.value, np.ndarray | np.generic)
    return f"{row.equation:5}{row.name:12}{str(row.shape) if has_shape else '':8}"


def _remarks(row, paint):
    """Yield the notes, and a person's value where it parts from the page's."""
    for line in row.note.splitlines():
        for words in textwrap.wrap(line, WIDTH - 9):
            yield paint(f"       > {words}", "faint")
    if row.yours and row.yours.parts:
        value = row.yours.value
        yield paint(
            f"       > yours{', which parts here first' * row.yours.first}:", "bad"
        )
        for line in ["not an array of numbers"] if value is None else _lines(value):
            yield paint(f"       > {line}", "bad")


def _lines(value):
    """Return a line for each row of a value, its numbers in columns."""
    return ["".join(f" {entry:>{ROOM}}" for entry in row) for row in cells(value)]
