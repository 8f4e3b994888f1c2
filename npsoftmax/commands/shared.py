"""What commands share: options, names of functions and margins, and where files go."""

import difflib
import importlib.util
import os
import sys

from npsoftmax.checks.layers import CONTRACT
from npsoftmax.commands import CommandError
from npsoftmax.experiment import SOFTMAX
from npsoftmax.files import write_whole
from npsoftmax.options import CHECKING, whole
from npsoftmax.processes import cores

FORMATS = ("png", "pdf", "svg")
OPTIONS = {
    "-k": {
        "metavar": "NAME", "dest": "names", "action": "append",
        "help": "only the function NAME, or all with NAME in their name; may be "
        "repeated",
    },
    **{f"--{name}": option for name, option in CHECKING.items()},
    "--as": CHECKING["as"] | {"dest": "called"},
    "--jobs": {
        "metavar": "N", "type": whole(1, 1024), "default": cores(),
        "help": "how many at a time, each on one core (as many as there are cores)",
    },
    "--force": {"action": "store_true", "help": "replace what is there already"},
}  # fmt: skip


def add_options(parser, rows):
    """Add an option for each row: the name of one of the OPTIONS, or (flags, type,
    metavar, words); it takes as many values as the metavar has names, without a type
    none.
    """
    for row in rows:
        if isinstance(row, str):
            parser.add_argument(row, **OPTIONS[row])
            continue
        flags, kind, metavar, words = row
        nargs = len(metavar) if isinstance(metavar, tuple) else None
        form = {"type": kind, "metavar": metavar, "nargs": nargs}
        form = form if kind else {"action": "store_true"}
        parser.add_argument(*flags.split(), **form, help=words)


def need_hypothesis(what):
    """Raise CommandError, with what to type, where Hypothesis is not installed."""
    if importlib.util.find_spec("hypothesis") is None:
        install = f"{sys.executable} -m pip install hypothesis"
        raise CommandError(f"{what} needs Hypothesis: {install}")


def chosen(words):
    """Return the functions that -k means: the one so called, else all with it."""
    names = []
    for word in words or ():
        same = [name for name in CONTRACT if name == word]
        found = same or [name for name in CONTRACT if word in name]
        if not found:
            raise unknown("function", word, CONTRACT)
        names += found
    return names or None


def unknown(what, name, names):
    """Return the CommandError that there is no such name: the nearest, and them all."""
    near = difflib.get_close_matches(name.lower(), names, 1)
    meant = f"; did you mean {near[0]}?" if near else "."
    said = f"there is no {what} {name}{meant} There are {', '.join(names)}"
    return CommandError(said)


def name_of(m):
    """Return what a margin is called in tables and figures."""
    return "softmax" if m == SOFTMAX else f"m = {m}"


def check_free(*paths, force=False, instead="choose another, or add --force"):
    """Raise CommandError where one of the files exists, links to nowhere included."""
    there = [] if force else [path for path in paths if os.path.lexists(path)]
    if there:
        others = f" and {len(there) - 1} more" if there[1:] else ""
        raise CommandError(f"{there[0]}{others} exists: {instead}")


def check_writable(path):
    """Raise CommandError where the file `path` cannot be made: it is, for a moment."""
    if os.path.isdir(path):
        raise CommandError(f"{path} is a folder, but it must be a file")
    try:
        if not os.path.lexists(path):
            path.touch(exist_ok=False)
            path.unlink()
    except OSError as error:
        raise _not_written(path, error) from None


def save(path, content, force=False):
    """Write a file whole, or raise CommandError."""
    try:
        write_whole(path, content, force)
    except OSError as error:
        raise _not_written(path, error) from None


def _not_written(path, error):
    """Return the CommandError for a path that cannot be written."""
    return CommandError(f"{path} cannot be written: {error.strerror or error}")


def features_of_runs(runs, dataset, labels=None):
    """Return the paper's figure 2, train over test, of the runs on one dataset."""
    from npsoftmax import plots

    x, y, x_test, y_test = dataset
    train = [_panel(run, x, y, run.train, labels) for run in runs]
    test = [_panel(run, x_test, y_test, run.test, labels) for run in runs]
    return plots.figure_of_features(train, test, plots.plane_of(runs[0].params.W4)[1])


def _panel(run, x, y, measures, labels):
    """Return what one panel of that figure shows: features in the plane."""
    from npsoftmax import plots
    from npsoftmax.metrics import features_in_blocks

    W = run.params.W4  # (F, C)
    plane, _ = plots.plane_of(W)  # (F, 2)
    f = features_in_blocks(run.params, x) @ plane  # (N, 2)
    title = f"{name_of(run.m)}, seed {run.seed}: {100 * measures.error:.1f} % wrong"
    return plots.Features(f, y, plane.T @ W, title, labels)
