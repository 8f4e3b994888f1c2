"""Further inputs that tell mistakes apart, and what a mistake must explain there.

In goes a function that has failed; out come `Trial`s, its results beside the right
ones, for inputs of sizes whose ratios cannot be confused.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

SAME = 1e-12  # relative: a mistake is followed to the last digits but rounding
ROUNDED = 8 * np.finfo(float).eps  # relative: closer to the right ones is right
TRIALS = 4  # of each kind


class Trial(NamedTuple):
    """One further input, with the function's results and the right ones, by name."""

    inputs: dict
    yours: dict
    right: dict
    dangerous: bool

    @property
    def is_right(self):
        return all_same(self.yours, self.right)


class Cause(NamedTuple):
    """A mistake's short name, the words for it, the further inputs on which it holds,
    the lines of the page as they would have to be, what it makes of any inputs, and,
    where it is a line of their own, what puts that right for a moment.
    """

    name: str
    words: str
    confirmed: int = 0
    line: str = ""
    does: Callable | None = None  # does(inputs) -> {result: value}
    repair: Callable | None = None  # repair() is a context in which the line is right

    def explains(self, subject, inputs):
        """Return whether it gives what the function gives there, which is wrong."""
        if self.does is None or not {*subject.function.needs} <= inputs.keys():
            return self.does is None
        trial, does = trial_at(subject, inputs), self.does(inputs)
        if not trial or not does or not all_same(trial.yours, does, least=1.0):
            return False
        wrong = _gap(trial.yours, trial.right)
        rounding = ROUNDED * max(map(_size, trial.right.values()))
        return wrong > rounding and 10 * _gap(trial.yours, does) < wrong


def trials_of(subject, seed):
    """Return the trials of a function, ordinary and dangerous ones."""
    rng, function = np.random.default_rng([seed, 2016]), subject.function
    kinds = (function.ordinary, False), (function.dangerous, True)
    trials = [
        trial_at(subject, inputs(rng, i), dangerous)
        for inputs, dangerous in kinds
        for i in range(TRIALS)
    ]
    return [trial for trial in trials if trial]


def trial_at(subject, inputs, dangerous=False):
    """Return None where the function raises: such an input tells nothing apart."""
    try:
        yours = in_float64(subject.results(**inputs))
    except Exception:
        return None
    right = {
        name: None if value is None else np.asarray(value[0])
        for name, value in subject.function.expected(inputs).items()
    }
    return Trial(inputs, yours, right, dangerous)


def in_float64(results):
    return {k: v if v is None else np.asarray(v, float) for k, v in results.items()}


def same(a, b, least=0.0):
    """Return whether two results agree, beside the largest entry, or `least`."""
    if a is None or b is None:
        return a is b
    return _apart(a, b) <= SAME * _size(b, least)


def _size(b, least=0.0):
    """Return the largest finite entry of a result, or `least`; 0 where it is None."""
    if b is None:
        return 0.0
    return np.max(np.abs(b), initial=least, where=np.isfinite(b))


def all_same(yours, others, least=0.0):
    """Return whether all results agree, name by name."""
    return all(same(yours[name], others[name], least) for name in yours)


def _gap(yours, others):
    """Return how far two results are apart, at their worst entry."""
    return max(_apart(value, others[name]) for name, value in yours.items())


def _apart(a, b):
    """Return the largest difference; inf where one alone is nan, inf, or not there."""
    if a is None or b is None or a.shape != b.shape:
        return 0.0 if a is b else np.inf
    with np.errstate(all="ignore"):
        off = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.abs(a - b))
    return float(np.where(np.isnan(off), np.inf, off).max(initial=0.0))
