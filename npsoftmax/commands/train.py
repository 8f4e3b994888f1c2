"""Train on real digits, softmax beside L-Softmax: a table and a figure.

A tiny network (64 pixels, twice 64 hidden, 2 features, 10 classes) is trained on four
fifths of 1,797 digits and tested on the rest, once for each margin m and seed; m = 1 is
plain softmax. Ten seeds test each digit twice. The figure shows the features of the
first seed, as the paper's figure 2 does.

The margin m asks that a feature be m times closer in angle to its class's weight than
softmax would ask. Lambda lets it in slowly: from 1000, nearly softmax, down to lam-min,
where it stays; so what is asked for at the end is less, and the table says how much.

examples:
  npsoftmax train                          softmax and m = 2, 3, 4, ten seeds
  npsoftmax train --margins 1 4 --seeds 2  a shorter comparison
  npsoftmax train --features 32            fewer errors, no flat figure
  npsoftmax train --margins 4 --lam-min 0.1    too hard a margin: it fails
  npsoftmax train --data ~/mnist           MNIST, or data of your own
  npsoftmax train --json > table.json      every number, for another program
"""

import contextlib
import itertools
import json
import math
import os
import sys
import time
from pathlib import Path

from npsoftmax import data, experiment
from npsoftmax.commands import CommandError, report, shared
from npsoftmax.options import positive, whole
from npsoftmax.terminal import LiveLine
from npsoftmax.training import BEGIN, LARGE_FROM, SMALL, settings_for

MARGINS, MOST_MARGIN = (1, 2, 3, 4), 100  # the latter as in `npsoftmax trace`
MOST_WIDTH = 10_000  # of a layer: two such layers train in a few GB
SEEDS, SEEDS_OF_DATA = 10, 5
COMPARED = (
    ("--seeds", whole(1, 10_000), "N",
     "networks for each margin, each from its own seed "
     f"(default: {SEEDS}; with --data {SEEDS_OF_DATA})"),
    ("--first-seed", whole(0, 2**63), "S",
     "seeds are S, S + 1, ... (default: 0); the same seed, the same digits, with any "
     "number of --jobs"),
    ("--data", Path, "PATH",
     "MNIST or the like: a folder with train-images-idx3-ubyte, train-labels-idx1-"
     "ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each with or without "
     ".gz; or one above torchvision's MNIST/raw; or Keras's .npz, with x_train, "
     "y_train, x_test, y_test (default: the bundled digits)"),
)  # fmt: skip
NETWORK = (  # by the names in Settings
    ("--features", whole(1, MOST_WIDTH), "F",
     "what the last layer sees; 2 can be drawn as they are"),
    ("--hidden", whole(1, MOST_WIDTH), ("H", "H"), "widths of the two hidden layers"),
    ("--epochs", whole(1, 10**6), "N", "passes over the training part"),
    ("--batch", whole(1, 2**31), "N", "images in a step"),
    ("--rate --lr", positive(), "R",
     "learning rate of every margin; divided by 10 after 60 %% and 85 %% of the steps"),
    ("--lam-min", positive(BEGIN), "L",
     "where lambda, the share of the plain cosine in the label's logit, ends; it "
     f"begins at {BEGIN:g}. Smaller is a harder margin, larger is safer"),
)  # fmt: skip
OUTPUT = (
    "--jobs",
    ("--out", Path, "FILE",
     "the figure; its ending says the format: .png, .pdf, .svg (default: "
     "npsoftmax.png here, or npsoftmax-2.png and so on: no file is replaced)"),
    "--force",
    ("--no-figure", None, None, "only the table"),
    ("--json", None, None,
     "write every number to standard output as JSON, all words to standard error; "
     "errors are shares from 0 to 1, angles degrees"),
)  # fmt: skip


def add_arguments(parser):
    """Add the options of `npsoftmax train`."""
    parser.set_defaults(first_seed=0)
    what = parser.add_argument_group("what is compared")
    what.add_argument(
        "--margins", type=whole(1, MOST_MARGIN), nargs="+", metavar="M",
        default=MARGINS,
        help="margins m to train; 1 is plain softmax (default: 1 2 3 4)",
    )  # fmt: skip
    shared.add_options(what, COMPARED)
    network = parser.add_argument_group("the network and its training")
    rows = [(flags, *kind, words + _default(flags)) for flags, *kind, words in NETWORK]
    shared.add_options(network, rows)
    output = parser.add_argument_group("how it runs, and what is written")
    shared.add_options(output, OUTPUT)


def _default(flags):
    """Return in words the default of an option of the network."""
    name = flags.split()[0].removeprefix("--").replace("-", "_")
    small, large = (_by_margin(name, N) for N in (1, LARGE_FROM))
    by_margin = f" for m = 1 to {MARGINS[-1]} and above" if ", " in small else ""
    by_size = f"; from {LARGE_FROM:,} images on {large}" if large != small else ""
    return f" (default: {small}{by_margin}{by_size})"


def _by_margin(name, N):
    """Return a setting in words, for each margin or for all at once."""
    values = [getattr(settings_for(m, N), name) for m in MARGINS]
    if len(set(values)) > 1:
        return ", ".join(f"{value:g}" for value in values)
    return str(values[0]).strip("()").replace(",", "")


def run(args):
    """Train, and write the table and the figure; return 0, or 1 if it ended early."""
    args.seeds = args.seeds or (SEEDS_OF_DATA if args.data else SEEDS)
    if len(set(args.margins)) < len(args.margins):
        raise CommandError(f"--margins: {args.margins} has a margin twice")
    if not args.no_figure:
        _figure_file(args)
    datasets, labels = _load(args.data)
    runs, problems = _train(datasets, _settings(args), args)
    where = ""
    if runs and not args.no_figure:
        try:
            where = _drawn(args, runs, datasets, labels)
        except CommandError as error:
            problems.append(error)
    if runs:
        _print(runs, labels, where, args.json)
    for problem in problems:
        print(f"npsoftmax: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _figure_file(args):
    """Return where the figure is to go; raise CommandError where it cannot."""
    others = (Path(f"npsoftmax-{n}.png") for n in itertools.count(2))
    names = itertools.chain([Path("npsoftmax.png")], others)
    free = (name for name in names if args.force or not os.path.lexists(name))
    path = args.out or next(free)
    if path.suffix[1:] not in shared.FORMATS:
        raise CommandError(f"{path}: the figure is a .png, .pdf or .svg")
    shared.check_free(path, force=args.force)
    shared.check_writable(path)
    return path


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
    given = vars(args)
    asked = {name: given[name] for name in SMALL._fields if given.get(name)}
    return lambda m, N: settings_for(m, N)._replace(**asked)


def _train(datasets, settings, args):
    """Return the runs that ended, by seed and margin, and what went wrong."""
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    epochs = settings(args.margins[0], len(datasets[0].x_train)).epochs
    progress = _Progress(len(args.margins) * len(seeds), epochs)
    runs, problems = [], []
    trained = experiment.trained(
        datasets, args.margins, seeds, settings, args.jobs, progress.epoch
    )
    try:
        with contextlib.closing(trained):
            for done in trained:
                if isinstance(done, experiment.Diverged):
                    progress.ended(done, "diverged")
                    what = f"seed {done.seed}, {shared.name_of(done.m)}: {done.error}"
                    problems.append(what)
                else:
                    progress.ended(done, f"test error {done.test.error:.1%}")
                    runs.append(done)
    except KeyboardInterrupt:
        problems.append(f"stopped after {len(runs)} of {progress.runs} networks")
    except (ChildProcessError, MemoryError) as error:
        problems.append(f"{str(error) or 'there is no memory left'}: try --jobs 1")
    finally:
        progress.line.clear()
    return sorted(runs, key=lambda run: (run.seed, run.m)), problems


class _Progress:
    """Says on stderr how far the training is: a live line, or a line for each run."""

    def __init__(self, runs, epochs):
        self.runs, self.epochs = runs, epochs
        self.shares, self.done = {}, 0  # by margin and seed, of their epochs
        self.started, self.line = time.monotonic(), LiveLine(sys.stderr)

    def epoch(self, m, seed, epoch):
        """Show an epoch of one of the networks that are being trained."""
        self.shares[m, seed] = epoch.epoch / self.epochs
        lam = "-" if m == experiment.SOFTMAX else f"{epoch.lam:.1f}"
        self.line.show(
            f"[{'#' * round(8 * self.share):<8}] {self.share:4.0%}{self._left()}  "
            f"seed {seed}, m = {m}, epoch {epoch.epoch:3d}  "
            f"lambda {lam:>6}  loss {epoch.loss:.3f}"
        )

    def ended(self, run, came):
        """Say what came of a network, where no live line can."""
        self.done += 1
        self.shares[run.m, run.seed] = 1.0
        if not self.line.live:
            left = f",{self._left()}" if self.done < self.runs else ""
            which = f"seed {run.seed}, m = {run.m}"
            self.line.say(f"{self.done} of {self.runs}: {which}, {came}{left}")

    @property
    def share(self):
        """Of all the epochs, those that are done."""
        return sum(self.shares.values()) / self.runs

    def _left(self):
        """Return how much time is left, in the unit that is read best."""
        left = (time.monotonic() - self.started) * (1 / self.share - 1)
        return f" {left:.0f} s left" if left < 100 else f" {left / 60:.0f} min left"


def _drawn(args, runs, datasets, labels):
    """Return where the first seed's figure is; raise CommandError if it is not."""
    path = _figure_file(args)  # a name that was free may be taken by now
    first = [run for run in runs if run.seed == runs[0].seed]
    try:
        from npsoftmax import plots

        figure = shared.features_of_runs(first, datasets[first[0].fold], labels)
        content = plots.content_of(figure, path.suffix[1:])
    except Exception as error:  # whatever it is, the table is not to be lost
        why = f"{type(error).__name__}: {error}"
        raise CommandError(f"the figure cannot be drawn: {why}") from None
    shared.save(path, content, args.force)
    return path


def _print(runs, labels, where, as_json):
    """Write the table, and every number as JSON to stdout where that was asked."""
    words = sys.stderr if as_json else sys.stdout
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
        print(json.dumps(_plain(fields), indent=2, allow_nan=False))
    print("\n\n".join(filter(None, paragraphs)), file=words)


def _as_json(runs, rows, pairs, labels):
    """Return everything in the table and behind it."""
    names = "m", "seed", "fold", "train", "test"
    return {
        "settings": {str(run.m): run.settings for run in reversed(runs)},
        "labels": labels,
        "rows": rows,
        "minus_softmax": pairs,
        "runs": [
            {name: getattr(run, name) for name in names}
            | {"collapsed": experiment.collapsed(run, labels)}
            for run in runs
        ],
    }


def _plain(value):
    """Return it as JSON knows it: NamedTuples are dicts, nan is null."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return None if isinstance(value, float) and math.isnan(value) else value
