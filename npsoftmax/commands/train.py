"""Train on real digits, softmax beside L-Softmax: a table and a figure.

A tiny network (64 pixels, twice 64 hidden, 2 features, 10 classes) is trained on four
fifths of 1,797 digits and tested on the rest, once for each margin m and seed; m = 1 is
plain softmax. Ten seeds test each digit twice. The figure shows the features of the
first seed, as the paper's figure 2 does.

The margin m asks that a feature be m times closer in angle to its class's weight than
softmax would ask. Lambda lets it in slowly: from 1000, nearly softmax, down to lam-min,
where it stays; so what is asked for at the end is less, and the table says how much.
"""

import contextlib
import itertools
import json
import math
import sys
import time
from pathlib import Path

from npsoftmax import data, experiment, memory, processes
from npsoftmax.commands import CommandError, report
from npsoftmax.commands.shared import FigureFile, features_of_runs, name_of
from npsoftmax.options import positive, whole
from npsoftmax.terminal import LiveLine
from npsoftmax.training import BEGIN, LARGE, LARGE_FROM, SMALL, settings_for

SEEDS, SEEDS_OF_DATA = 10, 5
MOST_MARGIN = 100  # as in `npsoftmax trace`
EXAMPLES = """\
examples:
  npsoftmax train                          softmax and m = 2, 3, 4, ten seeds
  npsoftmax train --margins 1 4 --seeds 2  a shorter comparison
  npsoftmax train --features 32            fewer errors, no flat figure
  npsoftmax train --margins 4 --lam-min 0.1    too hard a margin: it fails
  npsoftmax train --data ~/mnist           MNIST, or data of your own
  npsoftmax train --json > table.json      every number, for another program
"""


def add_arguments(parser):
    """Add the options of `npsoftmax train`."""
    parser.epilog = EXAMPLES
    what = parser.add_argument_group("what is compared")
    what.add_argument(
        "--margins", type=whole(1, MOST_MARGIN), nargs="+", metavar="M",
        default=[1, 2, 3, 4],
        help="margins m to train; 1 is plain softmax (default: 1 2 3 4)",
    )  # fmt: skip
    what.add_argument(
        "--seeds", type=whole(1, 10_000), metavar="N",
        help="networks for each margin, each from its own seed "
        f"(default: {SEEDS}; with --data {SEEDS_OF_DATA})",
    )  # fmt: skip
    what.add_argument(
        "--first-seed", type=whole(0, 2**63), metavar="S", default=0,
        help="seeds are S, S + 1, ... (default: 0); the same seed, the same digits",
    )  # fmt: skip
    what.add_argument(
        "--data", type=Path, metavar="PATH",
        help="MNIST or the like: a folder with train-images-idx3-ubyte, train-labels-"
        "idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each with or "
        "without .gz; or one above torchvision's MNIST/raw; or Keras's .npz, with "
        "x_train, y_train, x_test, y_test (default: the bundled digits)",
    )  # fmt: skip
    _add_network_arguments(parser.add_argument_group("the network and its training"))
    _add_output_arguments(parser.add_argument_group("how it runs, and what is written"))


def _add_network_arguments(network):
    def by_size(name):
        small, large = (
            " ".join(map(str, value)) if isinstance(value, tuple) else value
            for value in (getattr(size, name) for size in (SMALL, LARGE))
        )
        return f"(default: {small}; from {LARGE_FROM:,} images on {large})"

    network.add_argument(
        "--features", type=whole(1, 2**31), metavar="F",
        help="what the last layer sees (default: 2, which can be drawn as it is)",
    )  # fmt: skip
    network.add_argument(
        "--hidden", type=whole(1, 2**31), nargs=2, metavar="H",
        help=f"widths of the two hidden layers {by_size('hidden')}",
    )  # fmt: skip
    network.add_argument(
        "--epochs", type=whole(1, 10**6), metavar="N",
        help=f"passes over the training part {by_size('epochs')}",
    )  # fmt: skip
    network.add_argument(
        "--batch", type=whole(1, 2**31), metavar="N",
        help=f"images in a step {by_size('batch')}",
    )  # fmt: skip
    network.add_argument(
        "--rate", "--lr", type=positive(), metavar="R",
        help="learning rate of every margin; divided by 10 after 60 %% and 85 %% of "
        f"the steps (default: {_by_margin('rate')})",
    )  # fmt: skip
    network.add_argument(
        "--lam-min", type=positive(BEGIN), metavar="L",
        help="where lambda, the share of the plain cosine in the label's logit, ends; "
        f"it begins at {BEGIN:g}. Smaller is a harder margin, larger is safer "
        f"(default: {_by_margin('lam_min', 2)})",
    )  # fmt: skip


def _by_margin(name, first=1):
    """Return the default of each margin, on few images and on many."""

    def values(N):
        return ", ".join(f"{getattr(settings_for(m, N), name):g}" for m in margins)

    margins = range(first, 5)
    return (
        f"{values(1)} for m = {first} to 4 and above; from {LARGE_FROM:,} images on "
        f"{values(LARGE_FROM)}"
    )


def _add_output_arguments(output):
    output.add_argument(
        "--jobs", type=whole(1, 1024), metavar="N", default=processes.cores(),
        help="networks trained at once, each on one core; the results are the same to "
        "the digit (default: as many as there are cores)",
    )  # fmt: skip
    output.add_argument(
        "--out", type=Path, metavar="FILE",
        help="the figure; its ending says the format: .png, .pdf, .svg (default: "
        "npsoftmax.png here, or npsoftmax-2.png and so on: no file is replaced)",
    )  # fmt: skip
    output.add_argument(
        "--force", action="store_true", help="replace the figure if it is there"
    )
    output.add_argument("--no-figure", action="store_true", help="only the table")
    output.add_argument(
        "--json", action="store_true",
        help="write every number to standard output as JSON, all words to standard "
        "error; errors are shares from 0 to 1, angles degrees",
    )  # fmt: skip


def run(args):
    """Train, and write the table and the figure; return 0, or 1 if it ended early."""
    args.seeds = args.seeds or (SEEDS_OF_DATA if args.data else SEEDS)
    if len(set(args.margins)) < len(args.margins):
        raise CommandError(f"--margins: {args.margins} has a margin twice")
    figure = None if args.no_figure else FigureFile(args.out, args.force)
    datasets, labels = _load(args.data)
    settings = _settings(args)
    _check_memory(datasets, settings, args)
    words = sys.stderr if args.json else sys.stdout
    runs, problems = _train(datasets, settings, args)
    if runs:
        where, problem = _written(figure, runs, datasets, labels)
        _print(runs, labels, where, words, args.json)
        problems += [problem] if problem else []
    for problem in problems:
        print(f"npsoftmax: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _load(path):
    """Return the datasets to train on, folds or one, and the labels of the classes."""
    if path is None:
        return [data.load_digits(fold) for fold in range(data.FOLDS)], list(range(10))
    try:
        dataset, labels = data.load(path)
    except data.DataError as error:
        raise CommandError(error) from None
    return [dataset], labels


def _settings(args):
    """Return what gives a margin's Settings, with what was asked for in their place."""
    asked = {
        name: value
        for name in SMALL._fields
        if (value := getattr(args, name, None)) is not None
    }
    if "hidden" in asked:
        asked["hidden"] = tuple(asked["hidden"])
    return lambda m, N: settings_for(m, N)._replace(**asked)


def _check_memory(datasets, settings, args):
    """Raise CommandError where what was asked for cannot fit into memory."""
    x, C = datasets[0].x_train, datasets[0].classes
    chosen = settings(args.margins[0], len(x))
    widths = (x.shape[1], *chosen.hidden, chosen.features, C)
    parameters = sum(a * b for a, b in itertools.pairwise(widths))
    rows = max(min(chosen.batch, len(x)), min(len(x), 4096))
    # Parameters, their velocity and gradient, old and new, float64 while drawn; what a
    # batch becomes on the way there and back; and the images, once a process.
    network = 4 * (8 * parameters + 3 * rows * sum(widths[1:]))
    jobs = min(args.jobs, len(args.margins) * args.seeds)
    images = sum(part.nbytes for dataset in datasets for part in dataset)
    if lack := memory.lack(jobs * network + (jobs + 1) * images):
        hidden = " ".join(map(str, chosen.hidden))
        raise CommandError(
            f"a network of --hidden {hidden} and --features {chosen.features}, "
            f"--batch {chosen.batch}, --jobs {jobs} {lack}"
        )


def _train(datasets, settings, args):
    """Return the runs that ended, by seed and margin, and what went wrong."""
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    progress = _Progress(len(args.margins) * len(seeds), datasets, settings)
    runs, problems = [], []
    trained = experiment.trained(
        datasets, args.margins, seeds, settings, args.jobs, progress.epoch
    )
    try:
        with contextlib.closing(trained):
            for done in trained:
                progress.ended(done)
                if isinstance(done, experiment.Diverged):
                    what = f"seed {done.seed}, {name_of(done.m)}: {done.error}"
                    problems.append(what)
                else:
                    runs.append(done)
    except KeyboardInterrupt:
        problems.append(f"stopped after {len(runs)} of {progress.runs} networks")
    except (ChildProcessError, MemoryError) as error:
        problems.append(f"{error or 'there is no memory left'}: try --jobs 1")
    finally:
        progress.line.clear()
    return sorted(runs, key=lambda run: (run.seed, run.m)), problems


class _Progress:
    """Says on stderr how far the training is: a live line, or a line for each run."""

    def __init__(self, runs, datasets, settings):
        self.runs, self.settings, self.N = runs, settings, len(datasets[0].x_train)
        self.shares, self.done = {}, 0  # by margin and seed, of their epochs
        self.started, self.line = time.monotonic(), LiveLine(sys.stderr)

    def epoch(self, m, seed, epoch):
        """Show an epoch of one of the networks that are being trained."""
        self.shares[m, seed] = epoch.epoch / self.settings(m, self.N).epochs
        share = sum(self.shares.values()) / self.runs
        lam = "-" if m == experiment.SOFTMAX else f"{epoch.lam:.1f}"
        self.line.show(
            f"[{'#' * round(8 * share):<8}] {share:4.0%}{self._left()}  "
            f"seed {seed}, m = {m}, epoch {epoch.epoch:3d}  "
            f"lambda {lam:>6}  loss {epoch.loss:.3f}"
        )

    def ended(self, run):
        """Say what came of a network, where no live line can."""
        self.done += 1
        self.shares[run.m, run.seed] = 1.0
        if self.line.live:
            return
        came = "diverged"
        if isinstance(run, experiment.Run):
            came = f"test error {run.test.error:.1%}"
        print(
            f"{self.done} of {self.runs}: seed {run.seed}, m = {run.m}, {came}"
            f"{',' if self.done < self.runs else ''}{self._left()}",
            file=sys.stderr,
            flush=True,
        )

    def _left(self):
        """Return how much time is left, in the unit that is read best."""
        share = sum(self.shares.values()) / self.runs
        left = (time.monotonic() - self.started) * (1 / share - 1)
        if share == 1:
            return ""
        return f" {left:.0f} s left" if left < 100 else f" {left / 60:.0f} min left"


def _written(figure, runs, datasets, labels):
    """Return where the figure is, and why it is not, each or an empty string."""
    if figure is None:
        return "", ""
    first = [run for run in runs if run.seed == runs[0].seed]
    try:
        from npsoftmax import plots

        kind = figure.path.suffix[1:]
        drawn = features_of_runs(first, datasets[first[0].fold], labels)
        return str(figure.write(plots.content_of(drawn, kind))), ""
    except CommandError as error:
        return "", error
    except Exception as error:  # whatever it is, the table is not to be lost
        return "", f"the figure cannot be drawn: {type(error).__name__}: {error}"


def _print(runs, labels, where, words, as_json):
    """Write the table to `words`, and every number as JSON to stdout where asked."""
    page = report.Page.of(words)
    rows, pairs = experiment.table(runs), experiment.pairs(runs)
    paragraphs = [
        report.report(rows, pairs, page),
        report.collapses(runs, labels, page),
    ]
    if labels != list(range(len(labels))):
        known = data.labels_in_words(labels)
        paragraphs.append(f"The labels are {known}: {len(labels)} classes.")
    paragraphs += [f"The figure is in {where}" if where else "", report.what_next(page)]
    if as_json:
        fields = _as_json(runs, rows, pairs, labels)
        print(json.dumps(fields, indent=2, allow_nan=False))
    print("\n\n".join(filter(None, paragraphs)), file=words)


def _as_json(runs, rows, pairs, labels):
    """Return everything in the table and behind it, as JSON knows it (nan is null)."""
    return _plain(
        {
            "settings": {str(run.m): run.settings for run in reversed(runs)},
            "labels": labels,
            "rows": rows,
            "minus_softmax": pairs,
            "runs": [
                {
                    "m": run.m,
                    "seed": run.seed,
                    "fold": run.fold,
                    "train": run.train,
                    "test": run.test,
                    "collapsed": experiment.collapsed(run, labels),
                }
                for run in runs
            ],
        }
    )


def _plain(value):
    """Return NamedTuples as dicts, whatever they are in, and nan as None."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return None if isinstance(value, float) and math.isnan(value) else value
