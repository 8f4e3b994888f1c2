"""The function under test, as a property sees it: inputs by name, results by name.

Whatever goes wrong ends as `Wrong`, with what is wrong in words: the function raises,
gives None, gives too few things, gives arrays of the wrong shape, or wrong numbers.
"""

import inspect

import numpy as np

from npsoftmax.checks.contract import CONTRACT
from npsoftmax.checks.expected import HONEST


class Wrong(Exception):
    """What is wrong, in words, and where: (name, yours, expected, mask)."""

    def __init__(self, what, table=None, error=None):
        super().__init__(what)
        self.what, self.table, self.error = what, table, error


class Subject:
    """A function of a solution; a backward always gets its own forward's cache."""

    def __init__(self, solution, name, demand="student"):
        self.solution, self.name, self.demand = solution, name, demand
        self.function = CONTRACT[name]
        self.last = None  # the inputs of the last call

    def __call__(self, **inputs):
        """Return the result, or a tuple of them, for inputs by their names."""
        results = tuple(self.results(**inputs).values())
        return results[0] if len(results) == 1 else results

    def of(self, name):
        """Return another function of the same solution."""
        return Subject(self.solution, name, self.demand)

    def results(self, **inputs):
        """Return {name: result} without the cache, each input a fresh copy."""
        self.last = inputs
        return self.apply({name: copied(value) for name, value in inputs.items()})

    def apply(self, inputs):
        """Return {name: result} without the cache, of the very inputs given."""
        values, _ = self.values_and_cache(inputs)
        names = [name for name in self.function.gives if name != "cache"]
        return dict(zip(names, values, strict=True))

    def values_and_cache(self, inputs):
        """Return the results as a tuple, and the cache, or None where there is none."""
        if not self.function.forward:
            return self.split(self.raw([inputs[key] for key in self.function.takes]))
        _, cache = self.forward_of(inputs)
        return self.split(self.raw([inputs[self.function.takes[0]], cache]))

    def forward_of(self, inputs):
        """Return the values and the cache of a backward's own forward."""
        forward = self.function.forward
        try:
            return self.of(forward).values_and_cache(inputs)
        except Wrong as wrong:
            what = f"its cache is missing, for of {forward}: {wrong.what}"
            raise Wrong(what, error=wrong.error) from None

    def raw(self, arguments):
        """Return whatever the person's function returns."""
        call = self.solution[self.name]
        try:
            return call(*arguments)
        except (Exception, SystemExit) as error:
            why = self._why_it_raised(call, arguments, error)
            raise Wrong(why, error=error) from None

    def _why_it_raised(self, call, arguments, error):
        try:
            inspect.signature(call).bind(*arguments)
        except TypeError:
            has = f"{self.name}{inspect.signature(call)}"
            return f"it cannot be called as {self.function.signature}: it is {has}"
        except ValueError:
            pass
        return f"it raises {type(error).__name__}"

    def split(self, given):
        """Return what was given as a tuple of values, and the cache."""
        gives = self.function.gives
        wanted = ", ".join(gives)
        if given is None:
            raise Wrong(f"it gives None instead of {wanted}: is its `return` missing?")
        if len(gives) == 1:
            if isinstance(given, tuple):
                raise Wrong(f"it gives {_things(given)} instead of one: {wanted}")
            return (given,), None
        if not isinstance(given, tuple | list) or len(given) != len(gives):
            number = f"{len(gives)} things"
            raise Wrong(f"it gives {_things(given)} instead of {number}: {wanted}")
        if gives[-1] == "cache":
            return tuple(given[:-1]), given[-1]
        return tuple(given), None


def copied(value):
    return value.copy() if isinstance(value, np.ndarray) else value


def agree(name, yours, expected, slack=1.0, what=None):
    """Raise `Wrong` unless each of yours is within HONEST eps slack of the expected.

    Where the slack is inf, yours need only be finite. `what` says what is wrong.
    """
    if expected is None:
        if yours is not None:
            raise Wrong(f"{name} is {described(yours)}, but it must be None here")
        return
    if type(expected) is float:
        expected = np.full(np.shape(yours), expected)
    yours, expected = _numbers(name, yours, expected), np.asarray(expected)
    kind = np.finfo(yours.dtype if yours.dtype.kind == "f" else np.float64)
    with np.errstate(all="ignore"):
        tolerance = HONEST * float(kind.eps) * slack + float(kind.smallest_normal)
        good = np.isfinite(yours) & (np.abs(yours - expected) <= tolerance)
    if not good.all():
        expected = np.broadcast_to(expected, yours.shape)
        raise Wrong(what or wrong_words(name), (name, yours, expected, ~good))


def wrong_words(name):
    """Return `the gradient dz is wrong`, `the loss is wrong`, `p is wrong`."""
    if name[0] == "d":
        return f"the gradient {name} is wrong"
    return f"the {name} is wrong" if name in ("loss", "slope") else f"{name} is wrong"


def _numbers(name, yours, expected):
    """Return yours as an array of the expected shape, or raise Wrong."""
    try:
        array = np.asarray(yours)
    except ValueError:
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "fiub":
        raise Wrong(f"{name} is {described(yours)}, not an array of real numbers")
    if array.shape != np.shape(expected):
        want = np.shape(expected)
        raise Wrong(f"{name} has shape {array.shape}, but it must have shape {want}")
    return array


def described(value):
    """Return what a value is, in a few words: `a list`, `an array of complex128`."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} with shape {value.shape}"
    if value is None:
        return "None"
    word = type(value).__name__
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _things(given):
    if isinstance(given, tuple | list):
        return f"{len(given)} things"
    return described(given)
