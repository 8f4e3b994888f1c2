"""List the figures, or write them to a folder.

Each figure is a function of npsoftmax.plots, to be drawn from data of your own; here it
is drawn from an example. One size serves a notebook and a slide: 7.4 inches wide
(the features: 11) and text of 10 points, which are 18 where the figure fills a slide.

examples:
  npsoftmax figures                            what there is
  npsoftmax figures --out figures              all of them, as PNG, in figures/
  npsoftmax figures psi two-classes --out talk --format svg
"""

import functools
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from npsoftmax import processes
from npsoftmax.commands import CommandError, shared
from npsoftmax.data import load_digits
from npsoftmax.experiment import trained
from npsoftmax.terminal import columns
from npsoftmax.training import annealing_of, count_steps, settings_for

MARGINS = (1, 2, 3, 4)


class Picture(NamedTuple):
    """One figure: what it shows, and how it is drawn from an example."""

    shows: str
    draw: Callable  # takes npsoftmax.plots and the digits' Runs, returns the Figure
    needs_training: bool = False


def hard_to_differentiate(x):
    """Return the function with which Squire and Trapp (1998) show the complex step."""
    return np.exp(x) / np.sqrt(np.sin(x) ** 3 + np.cos(x) ** 3)


def its_derivative(x):
    """Return the derivative of `hard_to_differentiate`."""
    s, c = np.sin(x), np.cos(x)
    cubes = s**3 + c**3
    return np.exp(x) * (1 - 1.5 * s * c * (s - c) / cubes) / np.sqrt(cubes)


def draw_annealing(plots, runs):
    """Return the figure of lambda as `npsoftmax train` lets it fall for m = 4."""
    N = len(load_digits().x_train)
    settings = settings_for(4, N)
    steps = count_steps(N, settings)
    return plots.annealing(annealing_of(settings, N), steps).figure


def draw_features(plots, runs):
    """Return the paper's figure 2, train over test, from the networks in `runs`."""
    return shared.features_of_runs(runs, load_digits(runs[0].fold))


def draw_angles(plots, runs):
    """Return the figure of the test digits' angles to their own class's weight."""
    angles = {run.m: run.each.to_weight for run in runs}
    return plots.angle_histogram(angles).figure


GALLERY = {
    "overflow": Picture(
        "where naive softmax overflows and underflows, in float32 and float64",
        lambda plots, runs: plots.overflow()[0].figure,
    ),
    "loss-gap": Picture(
        "loss against logit gap: naive, log of softmax, log-sum-exp",
        lambda plots, runs: plots.loss_against_gap()[0].figure,
    ),
    "jacobian": Picture(
        "the Jacobian of softmax at z = [2, 1, 0, -1]",
        lambda plots, runs: plots.jacobian([2, 1, 0, -1]).figure,
    ),
    "differences": Picture(
        "the error of finite differences against their step: the V",
        lambda plots, runs: (
            plots.difference_errors(hard_to_differentiate, its_derivative, 1.5).figure
        ),
    ),
    "psi": Picture(
        "psi for m = 1 to 4 with its knots and cos, and its slope below",
        lambda plots, runs: plots.psi_and_slopes(MARGINS)[0].figure,
    ),
    "gradient-field": Picture(
        "which way a step moves a 2-D feature: softmax, and L-Softmax with m = 4",
        lambda plots, runs: plots.gradient_field(4)[0].figure,
    ),
    "two-classes": Picture(
        "boundaries and margin of two classes, for |W_1| =, > and < |W_2|",
        lambda plots, runs: plots.two_classes_by_norm()[0].figure,
    ),
    "annealing": Picture("lambda against the iteration", draw_annealing),
    "features": Picture(
        "2-D features of the digits, train over test, m = 1 to 4", draw_features, True
    ),
    "angles": Picture(
        "angles of test digits to their class's weight, m = 1 to 4", draw_angles, True
    ),
}


ROWS = (
    ("--out", Path, "DIR",
     "the folder to write to; it is made if it is not there. Without it, the figures "
     "are listed and none is written"),
    "--force",
)  # fmt: skip


def add_arguments(parser):
    """Add the options of `npsoftmax figures`."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="which figures (default: all)"
    )
    shared.add_options(parser, ROWS)
    parser.add_argument(
        "--format", choices=shared.FORMATS, default="png",
        help="of the files (default: png)",
    )  # fmt: skip


def run(args):
    """List the figures, or draw and write them; return the exit code."""
    for name in args.names:
        if name not in GALLERY:
            raise shared.unknown("figure", name, GALLERY)
    names = list(dict.fromkeys(args.names)) or list(GALLERY)
    if args.out is None:
        for name in names:
            print(in_columns(name, GALLERY[name].shows, columns(sys.stdout)))
        print("\nnpsoftmax figures --out DIR writes them.")
        return 0
    paths = {name: args.out / f"{name}.{args.format}" for name in names}
    shared.check_free(*paths.values(), force=args.force)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"{args.out} is no folder that can be written"
        raise CommandError(f"{what}: {error.strerror}") from None
    _write(paths, args.format, args.force)
    count = f"{len(names)} figures are" if names[1:] else "1 figure is"
    print(f"{count} in {args.out}: {', '.join(names)}")
    return 0


def _write(paths, file_format, force):
    """Draw the figures of {name: path}, and write each to its path."""
    from npsoftmax import plots

    runs = _runs(paths)
    for name, path in paths.items():
        draw = functools.partial(GALLERY[name].draw, plots, runs)
        shared.save(path, plots.as_file(draw, file_format), force)


def _runs(names):
    """Return the digits' Runs, or none where no figure of these names needs them."""
    if not any(GALLERY[name].needs_training for name in names):
        return []
    print("Training four small networks on the digits ...", file=sys.stderr)
    runs = trained([load_digits()], MARGINS, [0], settings_for, processes.cores())
    return sorted(runs, key=lambda run: run.m)


def in_columns(name, what, width):
    """Return a name and what it means, in lines of at most `width` columns."""
    return textwrap.fill(
        what, width - 1, initial_indent=f"{name:16}", subsequent_indent=16 * " "
    )
