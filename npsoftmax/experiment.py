"""In: a Dataset, margins and seeds. Out: one Run after another, and from the Runs a
table, the differences from softmax seed by seed, and a sentence of plain reading.

Runs come seed by seed, and within a seed margin by margin, all from the same first
weights and the same order of images: so each margin is compared with softmax in pairs.
"""

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from npsoftmax.data import Dataset
from npsoftmax.metrics import Measures, measure
from npsoftmax.mlp import Params
from npsoftmax.training import Epoch, Settings, count_steps, default_annealing, train

SOFTMAX = 1  # the margin that gives plain softmax


class Run(NamedTuple):
    """One trained network, and what was measured of it."""

    m: int
    seed: int
    train: Measures
    test: Measures
    params: Params


class Spread(NamedTuple):
    """Mean and standard deviation over the seeds; the latter is nan for one seed."""

    mean: float
    deviation: float


class Row(NamedTuple):
    """One margin's line of the table."""

    m: int
    seeds: tuple[int, ...]
    train_error: Spread  # 0 to 1
    test_error: Spread  # 0 to 1
    to_weight: Spread  # degrees, like the two below; all on the test part
    within: Spread
    between: Spread


class Pairs(NamedTuple):
    """A margin minus softmax, seed by seed, on the test part."""

    m: int
    seeds: tuple[int, ...]
    error: tuple[float, ...]  # -1 to 1
    to_weight: tuple[float, ...]  # degrees


def trained(
    dataset: Dataset,
    margins: Sequence[int],
    seeds: Sequence[int],
    settings: Settings,
    lam_min: float | None = None,
    watch: Callable[[int, int, Epoch], None] = lambda m, seed, epoch: None,
) -> Iterator[Run]:
    """Yield a Run for each seed and margin: all margins of the first seed come first.

    lam_min: the smallest lambda for every margin, by default each one's own. watch: is
    called after each epoch with m, seed and Epoch. Raises DivergenceError.
    """
    x, y, x_test, y_test = dataset
    steps = count_steps(len(x), settings)
    for seed in seeds:
        for m in margins:
            annealing = default_annealing(m, steps, lam_min)
            for epoch in train(x, y, m, seed, settings, annealing):
                watch(m, seed, epoch)
            params = epoch.params
            on_train, on_test = measure(params, x, y), measure(params, x_test, y_test)
            yield Run(m, seed, on_train, on_test, params)


def table(runs: Sequence[Run]) -> list[Row]:
    """Return a Row for each margin, in the order in which they were trained."""
    return [_row(m, [run for run in runs if run.m == m]) for m in margins_of(runs)]


def pairs(runs: Sequence[Run]) -> list[Pairs]:
    """Return Pairs for each margin from 2, over the seeds that softmax has as well."""
    softmax = {run.seed: run.test for run in runs if run.m == SOFTMAX}
    return [
        _pairs(m, [run for run in runs if run.m == m and run.seed in softmax], softmax)
        for m in margins_of(runs)
        if m != SOFTMAX and softmax
    ]


def margins_of(runs: Sequence[Run]) -> list[int]:
    """Return each margin once, in the order in which they were trained."""
    return list(dict.fromkeys(run.m for run in runs))


def reading(rows: Sequence[Row]) -> str:
    """Return one sentence that says what the table shows; empty without softmax."""
    softmax = next((row for row in rows if row.m == SOFTMAX), None)
    others = [row for row in rows if row.m != SOFTMAX]
    if softmax is None or not others:
        return ""
    errors = [_compared(row.test_error, softmax.test_error, _COUNT) for row in others]
    angles = [_compared(row.to_weight, softmax.to_weight, _SIZE) for row in others]
    clauses = [f"m = {row.m} {text}" for row, text in zip(others, errors, strict=True)]
    clauses[0] = clauses[0].replace(f"= {others[0].m} ", f"= {others[0].m} makes ")
    return (
        f"Against softmax, on images not trained on, {_listed(clauses)} errors; the "
        f"mean angle to the own class's weight is {_listed(angles)}."
    )


_COUNT = ("fewer", "as many", "more")
_SIZE = ("smaller", "the same", "larger")


def _compared(a: Spread, b: Spread, words: tuple[str, str, str]) -> str:
    """Return how the mean of `a` compares with that of `b`: `29 % fewer`."""
    less, same, more = words
    if a.mean == b.mean or math.isnan(a.mean - b.mean):
        return same if a.mean == b.mean else "unknown"
    word = less if a.mean < b.mean else more
    return f"{100 * abs(a.mean / b.mean - 1):.0f} % {word}" if b.mean else word


def _listed(words: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _row(m: int, runs: Sequence[Run]) -> Row:
    def over_seeds(part, name):
        return spread([getattr(getattr(run, part), name) for run in runs])

    return Row(
        m,
        tuple(run.seed for run in runs),
        train_error=over_seeds("train", "error"),
        test_error=over_seeds("test", "error"),
        to_weight=over_seeds("test", "to_weight"),
        within=over_seeds("test", "within"),
        between=over_seeds("test", "between"),
    )


def _pairs(m: int, runs: Sequence[Run], softmax: dict[int, Measures]) -> Pairs:
    return Pairs(
        m,
        tuple(run.seed for run in runs),
        tuple(run.test.error - softmax[run.seed].error for run in runs),
        tuple(run.test.to_weight - softmax[run.seed].to_weight for run in runs),
    )


def spread(values: Sequence[float]) -> Spread:
    """Return the Spread of one or more values."""
    deviation = statistics.stdev(values) if len(values) > 1 else math.nan
    return Spread(statistics.fmean(values), deviation)
