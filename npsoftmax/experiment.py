"""In: datasets, margins and seeds. Out: one Run after another, and from the Runs a
table, the differences from softmax in pairs, and which of the networks collapsed.

With one seed, all margins have the same first weights, the same order of images and the
same parts to train and to test on: so each margin is compared with softmax in pairs.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from npsoftmax import processes
from npsoftmax.data import Dataset
from npsoftmax.intervals import Interval, paired_interval
from npsoftmax.metrics import Measures, PerImage, measure, measure_each, wedge
from npsoftmax.mlp import Params
from npsoftmax.training import DivergenceError, Epoch, Settings, settings_for, train

SOFTMAX = 1  # the margin that gives plain softmax


class Run(NamedTuple):
    """One trained network, and what was measured of it."""

    m: int
    seed: int
    fold: int  # which of the datasets it was trained and tested on
    settings: Settings
    train: Measures
    test: Measures
    each: PerImage  # of the test part
    params: Params


class Spread(NamedTuple):
    """Mean and standard deviation over the seeds; the latter is nan for one seed."""

    mean: float
    deviation: float


class Row(NamedTuple):
    """One margin's line of the table."""

    m: int
    seeds: tuple[int, ...]
    classes: int
    images: int  # how many different ones were tested
    wedge: float  # degrees asked for between neighbours at 360/C, when training ends
    to_weight: Spread  # degrees, like the two below; all on the test part
    to_mean: Spread
    between: Spread
    test_error: Spread  # 0 to 1
    train_error: Spread  # 0 to 1


class Pair(NamedTuple):
    """A margin minus softmax, in pairs of one seed, on the test part."""

    m: int
    seeds: tuple[int, ...]
    images: int  # how many different ones were tested
    to_weight: Interval  # degrees
    test_error: Interval  # -1 to 1


class Diverged(NamedTuple):
    """A network whose training ended early, and why."""

    m: int
    seed: int
    error: DivergenceError


def trained(
    datasets: Sequence[Dataset],
    margins: Sequence[int],
    seeds: Sequence[int],
    settings: Callable[[int, int], Settings] = settings_for,
    jobs: int = 1,
    watch: Callable[[int, int, Epoch], None] = lambda m, seed, epoch: None,
) -> Iterator[Run | Diverged]:
    """Yield a Run, or what Diverged, for each seed and margin, as they end.

    datasets: one for all seeds, or folds: seed s has datasets[s % len(datasets)].
    settings: from m and how many images there are to train on. jobs: how many processes
    train at once; what comes out is the same to the digit. They begin anew, so a script
    that calls this does it below `if __name__ == "__main__":`. watch: is called after
    each epoch with m, seed and Epoch, whose params are left out.
    """
    tasks = [(m, seed, seed % len(datasets)) for seed in seeds for m in margins]
    sizes = [len(dataset.x_train) for dataset in datasets]
    calls = [(m, seed, fold, settings(m, sizes[fold])) for m, seed, fold in tasks]
    for message in processes.run(_network, datasets, calls, jobs):
        m, seed, _ = tasks[message.task]
        if message.kind == "sent":
            watch(m, seed, message.value)
        elif message.kind == "returned":
            yield message.value
        elif isinstance(message.value, DivergenceError):
            yield Diverged(m, seed, message.value)
        else:
            raise message.value


def _network(datasets, m, seed, fold, settings, send):
    """Return the Run of one network; send its epochs."""
    x, y, x_test, y_test = datasets[fold]
    for epoch in train(x, y, m, seed, settings):
        send(epoch._replace(params=None))
    on_test, each = measure_each(epoch.params, x_test, y_test)
    on_train = measure(epoch.params, x, y)
    return Run(m, seed, fold, settings, on_train, on_test, each, epoch.params)


def table(runs: Sequence[Run]) -> list[Row]:
    """Return a Row for each margin, in their order."""
    return [_row(m, [run for run in runs if run.m == m]) for m in margins_of(runs)]


def pairs(runs: Sequence[Run]) -> list[Pair]:
    """Return a Pair for each margin from 2, over the seeds that softmax has as well."""
    softmax = {run.seed: run for run in runs if run.m == SOFTMAX}
    both = [run for run in runs if run.m != SOFTMAX and run.seed in softmax]
    return [
        _pair(m, [(run, softmax[run.seed]) for run in both if run.m == m])
        for m in margins_of(both)
    ]


def margins_of(runs: Sequence[Run]) -> list[int]:
    """Return each margin once, from the smallest."""
    return sorted({run.m for run in runs})


def collapsed(run: Run, labels: Sequence | None = None) -> list[str]:
    """Return in words how a network has collapsed; nothing where it has not.

    labels: what the classes are called, by default 0 .. C - 1. Two classes are taken
    for one where their means are less than a sixth of 360/C degrees apart; features for
    lost where more than a hundredth of them are 0.
    """
    test, C = run.test, run.params.W4.shape[1]
    labels = labels or range(C)
    words = []
    if test.between < 360 / C / 6:
        both = "classes {} and {} are".format(*(labels[c] for c in test.nearest))
        words.append(f"{both} {test.between:.1f} degrees apart")
    if test.never:
        classes = "class" if len(test.never) == 1 else "classes"
        some = ", ".join(str(labels[c]) for c in test.never[:5]) + ", ..." * (
            len(test.never) > 5
        )
        words.append(f"{classes} {some} never predicted")
    if test.without_angle > len(run.each.wrong) / 100:
        words.append(f"{test.without_angle:,} features are 0")
    return words


def _row(m: int, runs: Sequence[Run]) -> Row:
    C = runs[0].params.W4.shape[1]

    def over_seeds(part, name):
        return spread([getattr(getattr(run, part), name) for run in runs])

    return Row(
        m,
        tuple(run.seed for run in runs),
        C,
        _images(runs),
        wedge(m, runs[0].settings.lam_min, 360 / C),
        to_weight=over_seeds("test", "to_weight"),
        to_mean=over_seeds("test", "to_mean"),
        between=over_seeds("test", "between"),
        test_error=over_seeds("test", "error"),
        train_error=over_seeds("train", "error"),
    )


def _pair(m: int, both: Sequence[tuple[Run, Run]]) -> Pair:
    def difference(name):
        values = [
            getattr(run.each, name).astype(np.float64) - getattr(softmax.each, name)
            for run, softmax in both
        ]
        return paired_interval(values, [run.fold for run, _ in both])

    return Pair(
        m,
        tuple(run.seed for run, _ in both),
        _images([run for run, _ in both]),
        difference("to_weight"),
        difference("wrong"),
    )


def _images(runs: Sequence[Run]) -> int:
    """Return how many different images were tested."""
    return sum({run.fold: len(run.each.wrong) for run in runs}.values())


def spread(values: Sequence[float]) -> Spread:
    """Return the Spread of one or more values; nan where one of them is nan."""
    if not np.isfinite(values).all():
        return Spread(float("nan"), float("nan"))
    deviation = statistics.stdev(values) if len(values) > 1 else float("nan")
    return Spread(statistics.fmean(values), deviation)
