"""In: a Trace. Out: one HTML file that steps through it, forward and back, offline.

What the page shows at a step is one entry of its data, a JSON block, so that going back
is showing the entry before: page.html looks entries up and computes nothing.

    steps      in order: the function, the line, its formula with the values it reads,
               the names and values of the function then, a gradient beside differences
    values     each value once: its shape, its exact numbers, and their text in cells
    functions  the source of the page, line by line
    runs       which steps are whose, to jump to a layer
    anchors    the last step of each name: page.html#dW opens there
    yours      what other functions do beside these, and at which step they part
"""

import html
import itertools
import json
from importlib import resources
from string import Template

import numpy as np

from npsoftmax import textbook
from npsoftmax.trace.numbers import CLOSE, cells, is_cache
from npsoftmax.trace.passes import run_of
from npsoftmax.trace.picture import psi_picture
from npsoftmax.trace.stepping import source_of

FRAME_HEIGHT = 760  # pixels, of the page in a notebook
PICTURE = {  # stage: what the picture shows from these lines on
    ("psi_forward", "theta"): 1,
    ("psi_forward", "k"): 2,
    ("psi", "psi"): 3,
    ("psi_backward", "dpsi_dc"): 4,
}


def page(traced) -> str:
    """Return the page of a Trace, a whole HTML file."""
    template = resources.files(__package__).joinpath("page.html").read_text("utf-8")
    text = json.dumps(data_of(traced), allow_nan=False, separators=(",", ":"))
    return Template(template).substitute(
        title=html.escape(traced.title),
        picture=next((psi_picture(r) for r in traced.runs if r.pieces()), ""),
        data=text.replace("<", "\\u003c"),
    )


def frame(traced) -> str:
    """Return the page in a frame of its own, for a cell of a notebook."""
    inside = page(traced).replace("&", "&amp;").replace("'", "&#39;")
    style = f"width:100%;height:{FRAME_HEIGHT}px;border:0"
    title = html.escape(traced.title, quote=True)
    return f'<iframe title="{title}" style="{style}" srcdoc=\'{inside}\'></iframe>'


def data_of(traced) -> dict:
    """Return what the page shows: dicts, lists, text and numbers."""
    source, values = source_of(textbook), Values()
    anchors = {row.name: row.step for row in traced.rows}
    names = {i: name for name, i in anchors.items()}
    stages = itertools.accumulate(map(_stage, traced.steps), max)
    return {
        "equations": source.equations(),
        "functions": {s.function: _function(source, s.function) for s in traced.steps},
        "runs": _runs(traced),
        "steps": [
            _step(traced, i, stage, values) | {"anchor": names.get(i, str(i + 1))}
            for i, stage in enumerate(stages)
        ],
        "values": list(map(json.loads, values)),
        "anchors": anchors,
        "yours": traced.yours,
        "parting": next(
            (r.step for r in traced.rows if r.yours and r.yours.first), None
        ),
    }


class Values(dict):
    """Every value that the steps refer to, once: {its JSON: its number}."""

    def __call__(self, value) -> int:
        """Return the number of a value."""
        text = json.dumps(value_data(value), allow_nan=False)
        return self.setdefault(text, len(self))


def value_data(value) -> dict:
    """Return a value's text in cells, and for an array or number its exact numbers."""
    if value is None or is_cache(value):
        fields = ", ".join(getattr(value, "_fields", ()))
        return {"text": f"{type(value).__name__}({fields})" if fields else str(value)}
    array = np.asarray(value)
    finite = np.all(np.isfinite(array))  # JSON has no nan, which yours may be
    numbers = array.tolist() if finite else array.astype(str).tolist()
    return {"shape": array.shape, "numbers": numbers, "cells": cells(array)}


def _function(source, name) -> dict:
    """Return a function's lines as [code, comment, whether it is the docstring]."""
    node = source.functions[name]
    doc = range(node.body[0].lineno, node.body[0].end_lineno + 1)
    lines = []
    for number in range(node.lineno, node.end_lineno + 1):
        line = source.lines[number - 1].removesuffix("  # fmt: skip")
        code, mark, comment = line.partition("  # ")
        lines.append([code, mark + comment, number in doc])
    return {"first": node.lineno, "lines": lines}


def _runs(traced) -> list[dict]:
    parts = (("forward", traced.runs), ("backward", traced.runs[::-1]))
    return [
        {"layer": run.layer, "part": part, "first": steps[0], "last": steps[-1]}
        for part, runs in parts
        for run in runs
        for steps in [getattr(run, part)]
    ]


def _stage(step) -> int:
    """Return what the picture shows from a step on, as the largest of its stages."""
    return max(
        (PICTURE.get((step.function, name), 0) for name in step.writes), default=0
    )


def _step(traced, i, stage, values) -> dict:
    step, run = traced.steps[i], run_of(traced.runs, i)
    line = step.statement
    known = {n: v for n, v in step.before.items() if n in line.reads}
    return {
        "function": step.function,
        "call": step.call,
        "callers": step.callers,
        "lines": [line.line, line.last],
        "equation": line.equation,
        "left": line.left,
        "formula": [
            [piece, values(known[piece])] if j % 2 and piece in known else piece
            for j, piece in enumerate(line.right)
        ],
        "reads": list(known),
        "writes": {name: values(value) for name, value in step.writes.items()},
        "changed": {name: _changed(step, name) for name in step.writes},
        "names": [  # the page's, the example's, its value, the step it is from
            [n, n if step.callers else run.name(n), values(v), step.writers.get(n, i)]
            for n, v in step.after.items()
        ],
        "rows": [_row(row, values) for row in traced.rows if row.step == i],
        "picture": stage if run.psi_cache() else None,
    }


def _changed(step, name) -> list:
    """Return which cells of a name a step has changed, row by row; of a new one all."""
    new, old = step.writes[name], step.before.get(name)
    if is_cache(new) or new is None:
        return []
    if old is None or is_cache(old) or np.shape(old) != np.shape(new):
        return np.ones(np.atleast_2d(new).shape, bool).tolist()
    return (np.atleast_2d(old) != np.atleast_2d(new)).tolist()


def _row(row, values) -> dict:
    """Return what is to be said of a value beside its line, which may be nothing."""
    data = {"name": row.name, "note": row.note, "value": values(row.value)}
    if row.numeric is not None:
        data |= {
            "numeric": values(row.numeric),
            "difference": f"{row.difference:.0e}",
            "close": row.difference < CLOSE,
        }
    if row.yours:
        data |= {"yours": values(row.yours.value), "parts": row.yours.parts}
    return data
