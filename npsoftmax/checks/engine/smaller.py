"""A failing input made smaller: Hypothesis makes the numbers simple, and then rows,
columns and classes that play no part go.

A size that other draws depend on Hypothesis cannot always make small: so one row,
input or class after the other is left out of all the arrays that have it, as long as
the input still fails.
"""

import contextlib
import functools
import random
import tempfile

import numpy as np
from hypothesis import Phase, configuration, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from npsoftmax.checks.draws import Draw

EXAMPLES = 200  # inputs drawn afresh, at most, to find one that can be made simpler
SHRINKS = 1000  # calls that may be spent on making a failing input smaller


class FromHypothesis(Draw):
    """Chooses by Hypothesis, which can make the choices simpler afterwards."""

    def __init__(self, draw):
        self.draw = draw

    def choice(self, options):
        return self.draw(st.sampled_from(options))

    def choices(self, options, size):
        return self.draw(_lists(tuple(options), size))


@functools.lru_cache(maxsize=512)
def _lists(options, size):
    return st.lists(st.sampled_from(options), min_size=size, max_size=size)


def simplest(draws, fails, number):
    """Draw inputs afresh, and simpler ones once fails(inputs) has been true for some.

    fails remembers what it has seen; nothing is returned.
    """
    strategy = st.composite(lambda draw: draws(FromHypothesis(draw)))()
    phases = Phase.generate, Phase.shrink
    asked = settings(max_examples=EXAMPLES, database=None, deadline=None, phases=phases)
    with _files_elsewhere(), contextlib.suppress(NoSuchExample):
        find(strategy, _Hunt(fails), settings=asked, random=random.Random(number))


class _Hunt:
    """Counts: once shrinking has had its calls, only the smallest still fails."""

    def __init__(self, fails):
        self.fails, self.smallest, self.calls = fails, None, 0

    def __call__(self, inputs):
        self.calls += self.smallest is not None
        shown = repr(inputs)
        enough = self.calls > SHRINKS
        failed = shown == self.smallest if enough else self.fails(inputs)
        self.smallest = shown if failed else self.smallest
        return failed


@contextlib.contextmanager
def _files_elsewhere():
    """Keep what Hypothesis writes down out of the person's folder."""
    before = getattr(configuration, "__hypothesis_home_directory", None)
    configuration.set_hypothesis_home_dir(_folder().name)
    try:
        yield
    finally:
        configuration.set_hypothesis_home_dir(before)


@functools.cache
def _folder():
    return tempfile.TemporaryDirectory(prefix="npsoftmax-")


# ----------------------------------------------------------------- rows and columns


def trimmed(function, inputs, fails):
    """Return the inputs without what can be left out; fails(inputs) decides."""
    smaller = True
    while smaller:
        smaller = next(filter(fails, _one_less(function, inputs)), None)
        inputs = smaller or inputs
    return inputs


def _one_less(function, inputs):
    """Yield the inputs with one row, column or class left out, in all possible ways."""
    axes = function.shapes
    for letter, size in function.sizes(inputs).items():
        for index in reversed(range(size if size > 1 else 0)):
            if letter == "C" and index in inputs.get("y", ()):
                continue  # it is a label
            smaller = {
                name: _without(name, value, axes.get(name), letter, index)
                for name, value in inputs.items()
            }
            if function.keeps(inputs, smaller):
                yield smaller


def _without(name, value, axes, letter, index):
    if not isinstance(value, np.ndarray):
        return value
    if name == "y" and letter == "C":
        return value - (value > index)
    axes = axes[: value.ndim]
    return np.delete(value, index, axes.index(letter)) if letter in axes else value
