"""In: a trace's steps, and a person's functions. Out: their values beside the page's,
and which of them parts from it first.

A person's function is given what the page's was given; a backward, the cache of its own
forward. Results and gradients are compared, and what the person's cache calls by a name
of the page. Such a name may mean something else, so it counts only where the result of
that forward, or a gradient of its backward, parts too.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npsoftmax import textbook
from npsoftmax.trace.numbers import CLOSE, relative, same
from npsoftmax.trace.passes import Run
from npsoftmax.trace.stepping import Step, kept_value, last_write, source_of

NOT_TO_CALL = {
    "stub": "is not written yet",
    "missing": "is not among yours",
    "reference's own": "is npsoftmax's own",
}
Place = tuple[int, str]  # a step, and a name of the page that it writes


class Yours(NamedTuple):
    """A person's value for a name that a step of the page writes."""

    value: Any
    parts: bool  # from the page's, by more than CLOSE of the largest entry
    first: bool = False  # of those that part


def beside(
    yours, runs: Sequence[Run], steps: Sequence[Step]
) -> tuple[dict[Place, Yours], tuple[str, ...]]:
    """Return a person's values beside the page's, and what is to be said of them.

    yours: the path of a file, functions as `npsoftmax.checks.check` takes them, or None
    for nothing. Raises `npsoftmax.checks.SolutionError` where there are none.
    """
    if yours is None:
        return {}, ()
    functions, values = _Functions(yours), {}
    for run in runs:
        values |= _values(functions, run, steps)
    parting = [place for place, value in values.items() if value.parts]
    words = []
    if parting:
        i, name = first = min(parting)
        values[first] = values[first]._replace(first=True)
        place = f"textbook.py line {steps[i].statement.line}, {steps[i].function}"
        words = [f"Your functions part from the page first at {name}: {place}"]
    elif values:
        names = ", ".join(dict.fromkeys(name for _, name in values))
        words = [f"Your functions agree with the page in {names}"]
    return values, tuple(dict.fromkeys([*words, *functions.notes]))


class _Functions:
    """A person's functions, called one by one, with notes on those that fail."""

    def __init__(self, yours):
        from npsoftmax.checks import Solution, load_solution

        is_path = isinstance(yours, str | Path)
        self.solution = load_solution(yours) if is_path else Solution.from_object(yours)
        self.notes = []

    def __call__(self, name: str, arguments, count: int) -> tuple:
        """Return the `count` things a function gives, or (), with a note why not."""
        from npsoftmax.checks.engine.safely import quietly, said

        status = self.solution.status[name]
        if status != "written":
            return self._nothing(f"{name} {NOT_TO_CALL.get(status, status)}")
        try:
            with quietly():
                given = self.solution[name](*map(kept_value, arguments))
        except (Exception, SystemExit) as error:
            return self._nothing(f"{name} raises {said(error)}")
        given = given if isinstance(given, tuple | list) and count > 1 else (given,)
        if len(given) != count:
            return self._nothing(f"{name} gives {len(given)} instead of {count} things")
        return tuple(given)

    def _nothing(self, note) -> tuple:
        self.notes.append(note)
        return ()


def _values(functions, run: Run, steps) -> dict[Place, Yours]:
    """Return a person's values of the two functions of a layer."""
    forward, backward = f"{run.layer}_forward", f"{run.layer}_backward"
    given = functions(forward, run.arguments, 2)
    if not given:
        return {}
    value, cache = given
    result = source_of(textbook).returns(forward)
    found = {last_write(steps, run.forward, result): _yours(value, run.value)}
    given = functions(backward, (run.cotangent, cache), len(run.gradients))
    for name, gradient, right in zip(run.inputs, given, run.gradients, strict=False):
        place = last_write(steps, run.backward, f"d{name}")
        found[place] = _yours(gradient, right)
    if any(yours.parts for yours in found.values()):
        return dict(_named(cache, run, steps)) | found
    return found


def _yours(value, right) -> Yours:
    """Return a person's value, and whether it parts from the right one."""
    array = _array(value)
    if array is None or array.shape != np.shape(right):
        return Yours(array, True)
    return Yours(array, not relative(array, right) <= CLOSE)  # nan parts


def _array(value) -> np.ndarray | None:
    """Return an array of numbers, or None for what is none."""
    try:
        return None if value is None else np.asarray(value, float)
    except (TypeError, ValueError):
        return None


def _named(cache, run: Run, steps) -> Iterator[tuple[Place, Yours]]:
    """Yield what a cache calls by a name of the page, at the line that gave it there.

    A value of another shape than the page's, but for sides of 1, is something else.
    """
    last = {}  # name: (the step that gave it its last value, which is an array)
    for i in run.forward:
        for name, value in steps[i].writes.items():
            array = _array(value)
            if array is not None and not (name in last and same(last[name][1], array)):
                last[name] = i, array
    for name, value in _fields(cache):
        array = _array(value)
        if name in last and array is not None:
            i, right = last[name]
            if np.squeeze(array).shape == np.squeeze(right).shape:
                yield (i, name), _yours(array.reshape(right.shape), right)


def _fields(cache) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of a cache: a dict, a named tuple or an object."""
    if hasattr(cache, "_asdict"):
        cache = cache._asdict()
    elif not isinstance(cache, dict):
        cache = getattr(cache, "__dict__", {})
    for name, value in cache.items():
        yield str(name), value
        yield from _fields(value)
