"""In: the steps of both passes. Out: a Row for each value they compute, a gradient
beside its differences, a piece of psi or ReLU with the reason for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from npsoftmax.trace.beside import Place, Yours
from npsoftmax.trace.differences import Remark, by_differences, slope_by_differences
from npsoftmax.trace.numbers import is_cache, same
from npsoftmax.trace.passes import Run, run_of
from npsoftmax.trace.stepping import Step, last_write

SLOPE = "dpsi/dtheta"  # as the page calls what psi_prime returns
NO_ANGLE = "a vector is 0, so no angle exists: f_y = 0, with the slope of m = 1 (10)"


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
    numeric: np.ndarray | None = None  # a gradient by differences, the value's shape
    difference: float | None = None  # relative
    yours: Yours | None = None


def rows_of(
    steps: Sequence[Step],
    runs: Sequence[Run],
    remarks: Mapping[Place, Remark],
    yours: Mapping[Place, Yours],
) -> Iterator[Row]:
    """Yield a Row for each value that is new where a step writes it.

    What has a Remark, or one of yours beside it, is a Row in any case. What one
    function gives another, or a cache gives back, has a Row already.
    """
    latest = {}
    for i, step in enumerate(steps):
        run = run_of(runs, i)
        for local, value in _shown(step).items():
            name, place = run.name(local), (i, local)
            is_new = name not in latest or not same(latest[name], value)
            if is_new or place in remarks or place in yours:
                latest[name] = value
                line, formula = step.statement, formula_of(step, local, run)
                yield Row(
                    i, step.function, line.line, line.equation, name, np.shape(value),
                    value, formula, *remarks.get(place, Remark()), yours.get(place),
                )  # fmt: skip


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


def remarks_on(runs: Sequence[Run], steps: Sequence[Step], cotangent) -> dict:
    """Return a Remark by (step, the page's name), for gradients and for pieces."""
    remarks = {}
    for i, run in enumerate(runs):
        for j, name in enumerate(run.inputs[: len(run.gradients)]):
            place = last_write(steps, run.backward, f"d{name}")
            remarks[place] = by_differences(runs, i, j, cotangent)
        if run.slope is not None:
            place = last_write(steps, run.backward, SLOPE, "psi_prime")
            remarks[place] = slope_by_differences(run)
        if run.on_kink():
            note = f"an entry of {run.name('h')} is 0, but for rounding: on the kink"
            remarks[last_write(steps, run.forward, "active")] = Remark(note)
        if run.pieces():
            whys = (w + (p.why() if p else NO_ANGLE) for w, p in run.pieces())
            place = last_write(steps, run.forward, "k", "psi_forward")
            remarks[place] = Remark("\n".join(whys))
    return remarks
