"""The function under test, as a property sees it: inputs by name, results by name.

Whatever goes wrong ends as `Wrong`, with what is wrong in words: the function raises,
gives None, gives too few things, gives arrays of the wrong shape, or wrong numbers.
"""

import inspect

import numpy as np

from npsoftmax.checks.agree import Kind, Wrong, copied, described
from npsoftmax.checks.contract import STUDENT
from npsoftmax.checks.layers import CONTRACT


class Subject:
    """A function of a solution; a backward always gets its own forward's cache."""

    def __init__(self, solution, name, demand=STUDENT):
        self.solution, self.name, self.demand = solution, name, demand
        self.function = CONTRACT[name]
        self.last = None  # the inputs of the last call
        self._expected = {}

    def __call__(self, **inputs):
        """Return the result, or a tuple of them, for inputs by their names."""
        results = tuple(self.results(**inputs).values())
        return results[0] if len(results) == 1 else results

    def of(self, name):
        """Return another function of the same solution."""
        return Subject(self.solution, name, self.demand)

    def expected(self, inputs):
        """Return the definition's {result: (value, slack)}, found once an input."""
        key = tuple(map(id, inputs.values()))
        if key not in self._expected:  # the arrays are kept, so that no id comes again
            self._expected[key] = inputs, self.function.expected(inputs)
        return self._expected[key][1]

    def results(self, **inputs):
        """Return {name: result} without the cache, each input a fresh copy."""
        self.last = inputs
        given = {name: copied(value) for name, value in inputs.items()}
        values, _ = self.values_and_cache(given)
        return dict(zip(self.function.values, values, strict=True))

    def values_and_cache(self, inputs):
        """Return the results as a tuple, and the cache, or None where there is none."""
        return self.split(self.raw(self.arguments_of(inputs)))

    def arguments_of(self, inputs):
        """Return its arguments: a backward's cache is by its forward, just run."""
        if not self.function.forward:
            return [inputs[name] for name in self.function.takes]
        _, cache = self.forward_of(inputs)
        return [inputs[self.function.takes[0]], cache]

    def forward_of(self, inputs):
        """Return the values and the cache of a backward's own forward."""
        forward = self.function.forward
        try:
            return self.of(forward).values_and_cache(inputs)
        except Wrong as wrong:
            title = self.solution.title(forward)
            what = f"its cache is missing, for of {title}: {wrong.what}"
            raise Wrong(wrong.kind, what, error=wrong.error) from None

    def raw(self, arguments):
        """Return whatever the person's function returns."""
        call = self.solution[self.name]
        try:
            with np.errstate():  # what it sets there ends with the call
                return call(*arguments)
        except (KeyboardInterrupt, Wrong):
            raise
        except MemoryError as error:
            what = (
                "it asks for more memory than there is: does something grow for ever?"
            )
            raise Wrong(Kind.ENDLESS, what, error=error) from None
        except BaseException as error:
            raise self._raised(call, arguments, error) from None

    def _raised(self, call, arguments, error):
        try:
            inspect.signature(call).bind(*arguments)
        except TypeError:
            has = f"{self.name}{inspect.signature(call)}"
            wanted = self.function.signature
            what = f"it cannot be called as {wanted}: it is {has}"
            return Wrong(Kind.SIGNATURE, what, error=error)
        except ValueError:
            pass
        return Wrong(Kind.RAISES, f"it raises {type(error).__name__}", error=error)

    def split(self, given):
        """Return what was given as a tuple of values, and the cache."""
        gives, is_listed = self.function.gives, isinstance(given, tuple | list)
        if given is None:
            what = f"it gives None instead of {', '.join(gives)}: "
            raise Wrong(Kind.RESULTS, f"{what}is its `return` missing?")
        if len(gives) == 1:
            number, fits, things = "one", not isinstance(given, tuple), (given,)
        else:
            number, things = f"{len(gives)} things", given
            fits = is_listed and len(given) == len(gives)
        if not fits:
            theirs = f"{len(given)} things" if is_listed else described(given)
            what = f"it gives {theirs} instead of {number}: {', '.join(gives)}"
            raise Wrong(Kind.RESULTS, what)
        cache = things[-1] if gives[-1] == "cache" else None
        return tuple(things[: len(self.function.values)]), cache


def first_arguments(name, functions):
    """Return what one of them is given once; None for the cache of a wrong forward."""
    function = CONTRACT[name]
    inputs = function.ordinary(np.random.default_rng(0), 0)
    if not function.forward:
        return [inputs[key] for key in function.takes]
    *given, d = (inputs[key] for key in function.needs)
    try:
        return [d, functions[function.forward](*given)[1]]
    except KeyboardInterrupt:
        raise
    except BaseException:
        return [d, None]
