"""In: a trace's steps, and a person's functions. Out: their values beside the page's,
and which of them parts from it first.

A person's function is given what the page's was given; a backward, the cache of its own
forward. Results and gradients are compared, and what the person's cache calls by a name
of the page. Such a name may mean something else, so it counts only where the result of
that forward, or a gradient of its backward, parts too.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npsoftmax.trace.differences import CLOSE, relative
from npsoftmax.trace.numbers import same
from npsoftmax.trace.passes import Run
from npsoftmax.trace.stepping import Source, Step, kept_value, last_write

NOT_TO_CALL = {
    "stub": "is not written yet",
    "missing": "is not among yours",
    "reference's own": "is npsoftmax's own",
}


class Yours(NamedTuple):
    """A person's value for a name that a step of the page writes."""

    value: Any
    parts: bool  # from the page's, by more than CLOSE of the largest entry
    first: bool = False  # of those that part


class Beside(NamedTuple):
    """A person's values by (step, the page's name), and the rest in words."""

    values: Mapping[tuple[int, str], Yours]
    notes: Sequence[str]


def beside(yours, runs: Sequence[Run], steps: Sequence[Step], source: Source) -> Beside:
    """Return a person's functions beside the page's.

    yours: the path of a file, or functions as `npsoftmax.checks.check` takes them.
    Raises `npsoftmax.checks.SolutionError` where there are none.
    """
    functions, values = _Functions(yours), {}
    for run in runs:
        values |= _values(functions, run, steps, source)
    parting = [place for place, value in values.items() if value.parts]
    if parting:
        first = min(parting)
        values[first] = values[first]._replace(first=True)
    return Beside(values, tuple(functions.notes))


def in_words(found: Beside, steps: Sequence[Step]) -> tuple[str, ...]:
    """Return where they part first, or in what they agree, and the notes."""
    agree = [name for (_, name), yours in found.values.items() if not yours.parts]
    words = [f"Your functions agree with the page in {', '.join(dict.fromkeys(agree))}"]
    for (i, name), yours in found.values.items():
        if yours.first:
            place = f"textbook.py line {steps[i].statement.line}, {steps[i].function}"
            words = [f"Your functions part from the page first at {name}: {place}"]
    return (*(words if found.values else ()), *found.notes)


class _Functions:
    """A person's functions, called one by one, with notes on those that fail."""

    def __init__(self, yours):
        from npsoftmax.checks import Solution, load_solution

        is_path = isinstance(yours, str | Path)
        self.solution = load_solution(yours) if is_path else Solution.from_object(yours)
        self.notes = {}  # in order; the values say nothing

    def __call__(self, name: str, arguments, count: int) -> tuple | None:
        """Return the `count` things a function gives, or None, with a note why not."""
        from npsoftmax.checks.engine.safely import quietly, said

        status = self.solution.status[name]
        if status != "written":
            self.notes[f"{name} {NOT_TO_CALL.get(status, status)}"] = True
            return None
        try:
            with quietly():
                given = self.solution[name](*map(kept_value, arguments))
        except (Exception, SystemExit) as error:
            self.notes[f"{name} raises {said(error)}"] = True
            return None
        given = given if isinstance(given, tuple | list) and count > 1 else (given,)
        if len(given) == count:
            return tuple(given)
        self.notes[f"{name} gives {len(given)} things instead of {count}"] = True
        return None


def _values(functions, run: Run, steps, source: Source) -> dict:
    """Return {(step, name): Yours} of the two functions of a layer."""
    forward = functions(f"{run.layer}_forward", run.arguments, 2)
    if forward is None:
        return {}
    value, cache = forward
    result = source.returns(f"{run.layer}_forward")
    found = {(last_write(steps, run.forward, result), result): _yours(value, run.value)}
    backward = f"{run.layer}_backward"
    given = functions(backward, (run.cotangent, cache), len(run.gradients)) or ()
    for name, gradient, right in zip(run.inputs, given, run.gradients, strict=False):
        place = last_write(steps, run.backward, f"d{name}"), f"d{name}"
        found[place] = _yours(gradient, right)
    if any(yours.parts for yours in found.values()):
        return dict(_named(cache, run, steps)) | found
    return found


def _yours(value, right) -> Yours:
    """Return a person's value, and whether it parts from the right one."""
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        return Yours(None, True)
    if array.shape != np.shape(right):
        return Yours(array, True)
    right = np.asarray(right, float)
    return Yours(array, not relative(array, right) <= CLOSE)  # nan parts


def _named(cache, run: Run, steps) -> Iterator[tuple[tuple[int, str], Yours]]:
    """Yield what a cache calls by a name of the page, at the line that gave it there.

    A value of another size than the page's is something else, and is left out.
    """
    for name, value in _fields(cache):
        writes = [(i, steps[i].writes.get(name)) for i in run.forward]
        right = next((w for _, w in reversed(writes) if w is not None), None)
        if right is not None and _squeezed(value) == _squeezed(right):
            first = next(i for i, w in writes if w is not None and same(w, right))
            yield (first, name), _yours(np.reshape(value, np.shape(right)), right)


def _fields(cache) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of a cache: a dict, a named tuple or an object."""
    if hasattr(cache, "_asdict"):
        cache = cache._asdict()
    elif not isinstance(cache, dict):
        cache = getattr(cache, "__dict__", {})
    for name, value in cache.items():
        yield str(name), value
        yield from _fields(value)


def _squeezed(value):
    """Return the shape of an array or a number but for its sides of 1, else None."""
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        return type(value)
    return tuple(side for side in array.shape if side != 1)
