"""Which learning rate each margin is given: `python tests/settings.py FOLDER` searches,
and writes the tables of settings.md anew. FOLDER has MNIST.

Every margin, softmax included, has the same search, on the training part alone:

    digits   what is left of a fold's training part when another fold is left out, too,
             is trained on, and that other fold validates: so each of the five training
             parts has its own choice, which never saw the fold it is tested on
    MNIST    50,000 of the 60,000 are trained on and the other 10,000 validate; the test
             part is not looked at
"""

import re
import statistics
import sys
from itertools import combinations, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tables import table

from npsoftmax import processes
from npsoftmax.data import FOLDS, load, load_digits
from npsoftmax.metrics import measure
from npsoftmax.training import LARGE_FROM, DivergenceError, settings_for, train

PAGE = Path(__file__).with_name("settings.md")
MARGINS = (1, 2, 3, 4)
TITLES = ("softmax", "m = 2", "m = 3", "m = 4")
DIGITS_RATES, DECAYS = (0.02, 0.04, 0.08, 0.16), (5e-4, 1e-4)
MNIST_RATES = (0.02, 0.04, 0.06, 0.1, 0.15)
SIZES = {"small": 1, "large": LARGE_FROM}
ALL_WRONG = (1.0, 90.0)  # for a network that diverged


class Trial(NamedTuple):
    """One network of a search."""

    size: str  # whose widths, epochs, batch and lam_min
    m: int
    rate: float
    decay: float
    left_out: tuple[int, ...]  # the folds that are not trained on


def digits_trials():
    pairs = combinations(range(FOLDS), 2)
    for left_out, decay, rate, m in product(pairs, DECAYS, DIGITS_RATES, MARGINS):
        yield Trial("small", m, rate, decay, left_out)


def mnist_trials():
    for rate, m in product(MNIST_RATES, MARGINS):
        yield Trial("large", m, rate, DECAYS[0], (5,))


def size_trials():
    """Yield networks of both sizes' settings as they are."""
    for size, m in product(SIZES, MARGINS):
        chosen = settings_for(m, SIZES[size])
        yield Trial(size, m, chosen.rate, chosen.decay, (1,))


def outcome(folds, trial, send):
    """Return error and angle to the own weight on each fold that was left out."""
    seen = [fold for k, fold in enumerate(folds) if k not in trial.left_out]
    x, y = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    settings = settings_for(trial.m, SIZES[trial.size])
    settings = settings._replace(rate=trial.rate, decay=trial.decay)
    try:
        *_, last = train(x, y, trial.m, 0, settings)
    except DivergenceError:
        return [ALL_WRONG for _ in trial.left_out]
    measures = [measure(last.params, *folds[k]) for k in trial.left_out]
    return [(found.error, found.to_weight) for found in measures]


def searched(trials, folds):
    """Return what came of each trial."""
    trials, found = list(trials), {}
    calls = [(trial,) for trial in trials]
    for message in processes.run(outcome, folds, calls, processes.cores()):
        if message.kind == "raised":
            raise message.value
        found[trials[message.task]] = message.value
    return {trial: found[trial] for trial in trials}


def validated(found, m, setting, without=None):
    """Return errors and angles of a setting on each fold left out.

    setting: a pair of rate and decay. without: a fold to be tested on later: only
    networks not trained on it count, and only on the other fold left out.
    """
    return [
        values
        for trial, outcomes in found.items()
        if (trial.m, trial.rate, trial.decay) == (m, *setting)
        for fold, values in zip(trial.left_out, outcomes, strict=True)
        if without is None or (without in trial.left_out and fold != without)
    ]


def best(found, m, without=None):
    """Return the setting of the smallest mean error."""
    values = {s: validated(found, m, s, without) for s in settings_of(found)}
    return min(values, key=lambda s: statistics.fmean(e for e, _ in values[s]))


def settings_of(found):
    return sorted({(trial.rate, trial.decay) for trial in found})


# Tables: error in % and angle in degrees, as they stand in settings.md


def by_setting(found):
    rows = [
        [f"{rate:g}", f"{decay:g}", *cells_of(found, (rate, decay))]
        for rate, decay in settings_of(found)
    ]
    return table(["rate", "decay", *TITLES], rows)


def cells_of(found, setting):
    texts = [cell(validated(found, m, setting)) for m in MARGINS]
    chosen = [setting == best(found, m) for m in MARGINS]
    return [f"**{t}**" if c else t for t, c in zip(texts, chosen, strict=True)]


def cell(values):
    error, angle = map(statistics.fmean, zip(*values, strict=True))
    return f"{100 * error:.2f}, {angle:.1f}"


def by_fold(found):
    """Return the table of what each training part of the digits chooses."""
    rows = [
        [fold, *("{:g}, {:g}".format(*best(found, m, fold)) for m in MARGINS)]
        for fold in range(FOLDS)
    ]
    return table(["tested on fold", *TITLES], rows)


def by_size(found):
    """Return the table of both sizes' settings, by how many images are trained on."""
    rows = [
        [f"{N:,}", size, *(cell(v) for t, v in of_N.items() if t.size == size)]
        for N, of_N in found.items()
        for size in SIZES
    ]
    return table(["images", "settings", *TITLES], rows)


def main(folder):
    digits = searched(digits_trials(), [load_digits(k)[2:] for k in range(FOLDS)])
    x, y, *_ = load(folder)[0]
    tenths = [(x[a : a + 10_000], y[a : a + 10_000]) for a in range(0, 60_000, 10_000)]
    mnist = searched(mnist_trials(), tenths)
    sizes = {
        N: searched(size_trials(), [(x[:N], y[:N]), tenths[-1]])
        for N in (4_000, 10_000)
    }
    write(by_setting(digits), by_fold(digits), by_setting(mnist), by_size(sizes))


def write(*tables):
    """Put the tables in the place of those in settings.md; the words stay."""
    lines = iter(tables)
    page = PAGE.read_text(encoding="utf-8")
    page = re.sub(
        r"^(\|.*\n)+", lambda _: "\n".join([*next(lines), ""]), page, flags=re.M
    )
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
