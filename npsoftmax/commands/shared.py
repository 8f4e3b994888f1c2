"""What commands share: numbers as options, names of margins, and where figures go."""

import argparse
import itertools
import math
import os
import sys
from pathlib import Path

from npsoftmax.commands import CommandError
from npsoftmax.files import write_whole

FORMATS = ("png", "pdf", "svg")
SOFTMAX = 1  # the margin that gives plain softmax


def name_of(m):
    """Return what a margin is called in tables and figures."""
    return "softmax" if m == SOFTMAX else f"m = {m}"


def whole(low, high):
    """Return the argparse type of whole numbers from `low` to `high`."""

    def whole_number(text):
        short = text if len(text) <= 24 else f"{text[:21]}..."
        digits = text if len(text) < 100 else "9" * 99
        if not digits.isascii() or not digits.isdecimal():
            wanted = f"a whole number from {low}"
        elif not low <= int(digits) <= high:
            wanted = f"a whole number from {low} to {high:,}"
        else:
            return int(digits)
        raise argparse.ArgumentTypeError(f"{short} is not {wanted}")

    return whole_number


def positive(high=math.inf):
    """Return the argparse type of finite numbers above 0, up to `high`."""

    def positive_number(text):
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not 0 < number <= min(high, sys.float_info.max):
            limit = "" if math.isinf(high) else f" and up to {high:g}"
            raise argparse.ArgumentTypeError(f"{text} is not a number above 0{limit}")
        return number

    return positive_number


def save(path, content, force=False):
    """Write a file whole, or raise CommandError; FileExistsError is the caller's."""
    try:
        write_whole(path, content, force)
    except FileExistsError:
        raise
    except OSError as error:
        why = error.strerror or error
        raise CommandError(f"{path} cannot be written: {why}") from None


class FigureFile:
    """Where a figure goes: looked at before any work, written after it.

    chosen: the user's path; None is npsoftmax.png here or, where that is taken, the
    next number. Raises CommandError at once where nothing can be written.
    """

    def __init__(self, chosen, force):
        self.chosen, self.force = chosen, force
        self.path = chosen or self._free()
        if self.path.suffix[1:] not in FORMATS:
            raise CommandError(f"{self.path}: the figure is a .png, .pdf or .svg")
        check_writable(self.path)
        if chosen and os.path.lexists(chosen) and not force:
            raise CommandError(
                f"{chosen} exists: choose another --out, or add --force to replace it"
            )
        if self.path.is_dir():
            raise CommandError(f"{self.path} is a folder, but the figure is a file")

    def write(self, content):
        """Write the file, under the next number where its name was taken meanwhile."""
        while True:
            try:
                save(self.path, content, self.force)
                return self.path
            except FileExistsError:
                if self.chosen:
                    raise CommandError(f"{self.path} is there by now") from None
                self.path = self._free()

    def _free(self):
        others = (Path(f"npsoftmax-{n}.png") for n in itertools.count(2))
        paths = itertools.chain([Path("npsoftmax.png")], others)
        return next(path for path in paths if self.force or not os.path.lexists(path))


def check_writable(path):
    """Raise CommandError where it is plain that the file `path` cannot be made."""
    folder = path.parent
    try:
        path.is_dir()  # a name too long and links in a circle are errors here
        there = folder.is_dir()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CommandError(f"{path} cannot be written: {why}") from None
    if not there or not os.access(folder, os.W_OK | os.X_OK):
        raise CommandError(f"{path}: no folder {folder} that can be written")


def panel_of(run, x, y, part, labels=None):
    """Return what one panel of the main figure shows: features in the plane."""
    from npsoftmax import plots
    from npsoftmax.metrics import features_in_blocks

    W = run.params.W4  # (F, C)
    plane, _ = plots.plane_of(W)  # (F, 2)
    f = features_in_blocks(run.params, x) @ plane  # (N, 2)
    error = 100 * getattr(run, part).error
    title = f"{name_of(run.m)}, seed {run.seed}: {error:.1f} % wrong"
    return plots.Features(f, y, plane.T @ W, title, labels)


def features_of_runs(runs, dataset, labels=None):
    """Return the paper's figure 2, train over test, of the runs on one dataset."""
    from npsoftmax import plots

    x, y, x_test, y_test = dataset
    train = [panel_of(run, x, y, "train", labels) for run in runs]
    test = [panel_of(run, x_test, y_test, "test", labels) for run in runs]
    return plots.figure_of_features(train, test, plots.plane_of(runs[0].params.W4)[1])
