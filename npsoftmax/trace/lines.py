"""In: the steps of both passes. Out: a Row for each value they compute, a gradient
beside its differences, a piece of psi or ReLU with the reason for it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from npsoftmax.piece import piece_at
from npsoftmax.trace.beside import Yours
from npsoftmax.trace.differences import (
    Numeric,
    by_differences,
    slope_by_differences,
)
from npsoftmax.trace.numbers import is_cache, same
from npsoftmax.trace.passes import Run
from npsoftmax.trace.stepping import Step, last_write

SLOPE = "dpsi/dtheta"  # as the page calls what psi_prime returns
NO_ANGLE = "a vector is 0, so no angle exists: f_y = 0, with the slope of m = 1 (10)"


class Remark(NamedTuple):
    """What can be said of a value beside the line that computes it."""

    note: str = ""
    numeric: np.ndarray | None = None  # by differences, the value's shape
    difference: float | None = None  # relative
    yours: Yours | None = None


class Row(NamedTuple):
    """A value of a pass and the line of the page that computes it."""

    step: int
    function: str
    line: int  # in textbook.py
    equation: str  # "(1)" to "(10)", or empty
    name: str
    shape: tuple[int, ...]
    value: Any  # an array, or a number
    formula: str  # the line's expression, or "given"
    note: str = ""
    numeric: np.ndarray | None = None
    difference: float | None = None
    yours: Yours | None = None


def rows_of(steps: Sequence[Step], runs: Sequence[Run], remarks) -> list[Row]:
    """Return a Row for each value that is new where a step writes it.

    remarks: a Remark by (step, the page's name); what has one is a Row in any case.
    What one function gives another, or a cache gives back, has a Row already.
    """
    rows, latest = [], {}
    owner = {i: run for run in runs for i in (*run.forward, *run.backward)}
    for i, step in enumerate(steps):
        for local, value in _shown(step).items():
            name, remark = owner[i].name(local), remarks.get((i, local), Remark())
            is_new = name not in latest or not same(latest[name], value)
            if is_new or remark != Remark():
                latest[name] = value
                line, formula = step.statement, formula_of(step, local, owner[i])
                rows.append(
                    Row(i, step.function, line.line, line.equation, name,
                        np.shape(value), value, formula, *remark)
                )  # fmt: skip
    return rows


def _shown(step):
    if step.is_entry and step.callers:
        return {}
    if step.statement.left == "assert":
        return {"assert": np.True_}  # or it would have raised
    return {n: value for n, value in step.writes.items() if not is_cache(value)}


def formula_of(step: Step, local: str, run: Run) -> str:
    """Return what gives a name its value, with the example's names in it."""
    if step.is_entry:
        return "given"
    pieces = list(step.statement.right_of(local))
    if not step.callers:
        pieces[1::2] = map(run.name, pieces[1::2])
    entry = f"{step.statement.left} = " if "[" in step.statement.left else ""
    return entry + "".join(pieces)


# ------------------------------------------------------------------------- the remarks


def remarks_on(runs: Sequence[Run], steps: Sequence[Step], cotangent) -> dict:
    """Return a Remark by (step, the page's name), for gradients and for pieces."""
    remarks = {}
    for i, run in enumerate(runs):
        for j, gradient in enumerate(run.gradients):
            name = f"d{run.inputs[j]}"
            numeric = by_differences(runs, i, j, cotangent, gradient)
            where = last_write(steps, run.backward, name)
            remarks[where, name] = _beside(numeric)
        if run.slope is not None:
            where = last_write(steps, run.backward, SLOPE, "psi_prime")
            numeric = slope_by_differences(run.cache, run.slope)
            remarks[where, SLOPE] = _beside(numeric)
        for function, name, note in _why(run):
            if note:
                where = last_write(steps, run.forward, name, function)
                remarks[where, name] = Remark(note)
    return remarks


def _beside(numeric: Numeric) -> Remark:
    return Remark(numeric.note, numeric.value, numeric.difference)


def _why(run: Run) -> Iterator[tuple[str, str, str]]:
    """Yield (function, name, why the piece is the one it is)."""
    if run.on_kink():
        note = f"an entry of {run.name('h')} is 0, but for rounding: on the kink"
        yield "relu_forward", "active", note
    cache = run.psi_cache()
    if cache:
        pieces = np.ravel(cache.k)
        angles = run.cache.has_angle.ravel() if run.layer == "lsoftmax" else [True]
        yield (
            "psi_forward",
            "k",
            "\n".join(
                (f"row {i}: " if len(pieces) > 1 else "")
                + (piece_at(degrees, cache.m, k).why() if has_angle else NO_ANGLE)
                for i, (k, degrees, has_angle) in enumerate(
                    zip(pieces, run.angles(), angles, strict=True)
                )
            ),
        )
