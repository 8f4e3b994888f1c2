"""Train on real digits, softmax beside L-Softmax: a table and a figure.

A tiny network (64 pixels, twice 64 hidden, 2 features, 10 classes) is trained on
1,400 digits and tested on 397 others, once for each margin m and seed; m = 1 is plain
softmax. The figure shows the features of the first seed, as the paper's figure 2 does.

The margin m asks that a feature be m times closer in angle to its class's weight than
softmax would ask. Lambda lets it in slowly: from 1000, nearly softmax, down to lam-min.
"""

import argparse
import io
import itertools
import json
import math
import os
import sys
import textwrap
import time
from pathlib import Path

from npsoftmax import experiment
from npsoftmax.commands import CommandError
from npsoftmax.data import DataError, load_digits, load_idx_folder
from npsoftmax.files import write_whole
from npsoftmax.metrics import features_in_blocks
from npsoftmax.terminal import LiveLine, painter, plus_minus
from npsoftmax.training import BEGIN, LAM_MIN, DivergenceError, Settings

DEFAULTS = Settings()
EXAMPLES = """\
examples:
  npsoftmax train                          softmax and m = 2, 3, 4, five seeds
  npsoftmax train --margins 1 4 --seeds 2  a shorter comparison
  npsoftmax train --features 32            fewer errors, no flat figure
  npsoftmax train --margins 4 --lam-min 0.1    too hard a margin: it fails
  npsoftmax train --data ~/mnist --epochs 10   your own data in the IDX format
  npsoftmax train --json > table.json      every number, for another program
"""


def add_arguments(parser):
    """Add the options of `npsoftmax train`."""
    parser.epilog = EXAMPLES
    what = parser.add_argument_group("what is compared")
    what.add_argument(
        "--margins", type=_whole, nargs="+", metavar="M", default=[1, 2, 3, 4],
        help="margins m to train; 1 is plain softmax (default: 1 2 3 4)",
    )  # fmt: skip
    what.add_argument(
        "--seeds", type=_whole, metavar="N", default=5,
        help="networks for each margin, each from its own seed (default: 5)",
    )  # fmt: skip
    what.add_argument(
        "--first-seed", type=_whole_from_0, metavar="S", default=0,
        help="seeds are S, S + 1, ... (default: 0); the same seed, the same digits",
    )  # fmt: skip
    what.add_argument(
        "--data", type=Path, metavar="DIR",
        help="a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, "
        "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each with or without .gz, "
        "such as MNIST or Fashion-MNIST (default: the bundled digits)",
    )  # fmt: skip
    _add_network_arguments(parser.add_argument_group("the network and its training"))
    _add_output_arguments(parser.add_argument_group("what is written"))


def _add_network_arguments(network):
    network.add_argument(
        "--features", type=_whole, metavar="F", default=DEFAULTS.features,
        help="what the last layer sees (default: 2, which can be drawn as it is)",
    )  # fmt: skip
    network.add_argument(
        "--hidden", type=_whole, nargs=2, metavar="H", default=DEFAULTS.hidden,
        help="widths of the two hidden layers (default: 64 64)",
    )  # fmt: skip
    network.add_argument(
        "--epochs", type=_whole, metavar="N", default=DEFAULTS.epochs,
        help="passes over the training part (default: %(default)s)",
    )  # fmt: skip
    network.add_argument(
        "--batch", type=_whole, metavar="N", default=DEFAULTS.batch,
        help="images in a step (default: %(default)s)",
    )  # fmt: skip
    network.add_argument(
        "--rate", "--lr", type=_positive, metavar="R", default=DEFAULTS.rate,
        help="learning rate; divided by 10 after 60 %% and 85 %% of the steps "
        "(default: %(default)s)",
    )  # fmt: skip
    smallest = ", ".join(f"{lam:g} for m = {m}" for m, lam in LAM_MIN.items() if m > 1)
    network.add_argument(
        "--lam-min", type=_lambda, metavar="L",
        help="where lambda, the share of the plain cosine in the label's logit, ends; "
        f"it begins at {BEGIN:g}. Smaller is a harder margin, larger is safer "
        f"(default: {smallest} and above)",
    )  # fmt: skip


def _add_output_arguments(output):
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
    if len(set(args.margins)) < len(args.margins):
        raise CommandError(f"--margins: {args.margins} has a margin twice")
    path = None if args.no_figure else _figure_path(args.out, args.force)
    dataset = _load(args.data)
    settings = DEFAULTS._replace(
        hidden=tuple(args.hidden),
        features=args.features,
        epochs=args.epochs,
        batch=args.batch,
        rate=args.rate,
    )
    words = sys.stderr if args.json else sys.stdout
    runs, early = _train(dataset, settings, args)
    if runs:
        print(report(runs, words), file=words)
    if runs and args.json:
        fields = _as_json(runs, settings, args.lam_min or LAM_MIN)
        print(json.dumps(fields, indent=2, allow_nan=False))
    if runs and path:
        _write_figure(path, runs, dataset, replace=args.force)
        print(f"\nThe figure is in {path}", file=words)
    if early:
        print(f"npsoftmax: {early}", file=sys.stderr)
    return 1 if early else 0


def _train(dataset, settings, args):
    """Return the runs that ended, and why they ended early, or an empty string."""
    margins = args.margins
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    progress = _Progress(len(margins) * len(seeds), settings.epochs)
    runs = []
    try:
        for done in experiment.trained(
            dataset, margins, seeds, settings, args.lam_min, progress.epoch
        ):
            runs.append(done)
            progress.run(done)
    except KeyboardInterrupt:
        return runs, f"stopped after {len(runs)} of {progress.runs} networks"
    except DivergenceError as error:
        seed, m = list(itertools.product(seeds, margins))[len(runs)]
        return runs, f"seed {seed}, m = {m}: {error}"
    finally:
        progress.line.clear()
    return runs, ""


class _Progress:
    """Says on stderr how far the training is: a live line, or a line for each run."""

    def __init__(self, runs, epochs):
        self.runs, self.epochs = runs, epochs
        self.done, self.started = 0, time.monotonic()
        self.line = LiveLine(sys.stderr)

    def epoch(self, m, seed, epoch):
        """Show an epoch of the network with margin m that is being trained."""
        share = (self.done + epoch.epoch / self.epochs) / self.runs
        spent = time.monotonic() - self.started
        left = spent * (1 / share - 1)
        lam = "-" if m == experiment.SOFTMAX else f"{epoch.lam:.1f}"
        self.line.show(
            f"[{'#' * round(8 * share):<8}] {share:4.0%} {left:3.0f} s left  "
            f"seed {seed}, m = {m}, epoch {epoch.epoch:3d}  "
            f"lambda {lam:>6}  loss {epoch.loss:.3f}"
        )

    def run(self, run):
        """Say what came of a network, where no live line can."""
        self.done += 1
        if not self.line.live:
            print(
                f"{self.done} of {self.runs}: seed {run.seed}, m = {run.m}, "
                f"test error {run.test.error:.1%}",
                file=sys.stderr,
                flush=True,
            )


def report(runs, stream):
    """Return the table, the differences seed by seed and the sentence, as text."""
    rows, pairs = experiment.table(runs), experiment.pairs(runs)
    paragraphs = [_table(rows, stream), _differences(pairs, stream)]
    paragraphs += [_left_out(runs), textwrap.fill(experiment.reading(rows), 79)]
    return "\n\n".join(filter(None, paragraphs))


COLUMNS = (
    ("training", "train_error", 100),
    ("test", "test_error", 100),
    ("to own weight", "to_weight", 1),
    ("to own mean", "within", 1),
    ("nearest means", "between", 1),
)
WIDTH = 14


def _table(rows, stream):
    """Return a line for each margin: five columns of mean and deviation."""
    paint, sign = painter(stream), plus_minus(stream)
    lowest = min(row.test_error.mean for row in rows)
    errors, angles = "error in %", "angles on the test part, in degrees"
    above = f"{'':9}{errors:>{2 * WIDTH}}{angles:>{3 * WIDTH}}"
    heads = f"{'':9}" + "".join(f"{head:>{WIDTH}}" for head, _, _ in COLUMNS)
    lines = [paint(above, "bold"), paint(heads, "bold")]
    for row in rows:
        cells = [_cell(getattr(row, name), scale, sign) for _, name, scale in COLUMNS]
        if row.test_error.mean == lowest and len(rows) > 1:
            cells[1] = paint(cells[1], "good")
        lines.append(f"{_name(row.m):9}" + "".join(cells))
    counts = sorted({len(row.seeds) for row in rows})
    if counts != [1]:
        seeds = " or ".join(map(str, counts))
        note = f"mean {sign} standard deviation over {seeds} seeds"
        lines.append(paint(note, "faint"))
    return "\n".join(lines)


def _cell(spread, scale, sign):
    """Return `8.1 +- 1.2`, or only the mean where there is one seed."""
    text = f"{scale * spread.mean:.1f}"
    if not math.isnan(spread.deviation):
        text += f" {sign} {scale * spread.deviation:.1f}"
    return f"{text:>{WIDTH}}"


def _name(m):
    return "softmax" if m == experiment.SOFTMAX else f"m = {m}"


DIFFERENCES = (
    ("error", "test error, points", 100),
    ("to_weight", "to own weight, degrees", 1),
)


def _differences(pairs, stream):
    """Return the differences from softmax, a line for each margin and measure."""
    if not pairs:
        return ""
    paint = painter(stream)
    seeds = "".join(f"{seed:7d}" for seed in pairs[0].seeds)
    lines = [paint(f"{'minus softmax, seed by seed':32}{seeds}     mean", "bold")]
    for name, what, scale in DIFFERENCES:
        for pair in pairs:
            values = [scale * value for value in getattr(pair, name)]
            mean = experiment.spread(values).mean
            cells = "".join(f"{value:+7.1f}" for value in values)
            lines.append(f"{_name(pair.m):9}{what:23}{cells}  {mean:+7.1f}")
    return "\n".join(lines)


def _left_out(runs):
    """Return a line on features without an angle, where there are any."""
    count = sum(run.train.without_angle + run.test.without_angle for run in runs)
    if not count:
        return ""
    return f"{count} features have length zero, hence no angle, and are left out of it."


def _as_json(runs, settings, lam_min):
    """Return everything in the table and behind it, as JSON knows it (nan is null)."""
    return {
        "settings": settings._asdict() | {"lam_min": lam_min},
        "rows": [_plain(row) for row in experiment.table(runs)],
        "minus_softmax": [_plain(pair) for pair in experiment.pairs(runs)],
        "runs": [
            {"m": r.m, "seed": r.seed, "train": _plain(r.train), "test": _plain(r.test)}
            for r in runs
        ],
    }


def _plain(value):
    """Return a NamedTuple as a dict, its members too, and nan as None."""
    if hasattr(value, "_asdict"):
        return {name: _plain(member) for name, member in value._asdict().items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _load(folder):
    """Return the Dataset of a folder, or the bundled digits."""
    try:
        return load_idx_folder(folder) if folder else load_digits()
    except DataError as error:
        raise CommandError(error) from None


def _figure_path(chosen, force):
    """Return where the figure goes, before any training, or raise CommandError."""
    if chosen is None and not force:
        others = (Path(f"npsoftmax-{n}.png") for n in itertools.count(2))
        paths = itertools.chain([Path("npsoftmax.png")], others)
        return next(path for path in paths if not path.exists())
    chosen = chosen or Path("npsoftmax.png")
    if chosen.exists() and not force:
        raise CommandError(
            f"{chosen} exists: choose another --out, or add --force to replace it"
        )
    if not os.access(chosen.parent, os.W_OK):
        raise CommandError(f"{chosen}: no folder {chosen.parent} that can be written")
    if chosen.suffix not in (".png", ".pdf", ".svg"):
        raise CommandError(f"{chosen}: the figure is a .png, .pdf or .svg")
    return chosen


def _write_figure(path, runs, dataset, replace):
    """Draw the first seed's features and write them to `path`, whole or not at all."""
    from npsoftmax import plots

    first = [run for run in runs if run.seed == runs[0].seed]
    x, y, x_test, y_test = dataset
    train = [_features(run, x, y, "train") for run in first]
    test = [_features(run, x_test, y_test, "test") for run in first]
    note = plots.plane_of(first[0].params.W4)[1]
    content = io.BytesIO()
    figure = plots.figure_of_features(train, test, note)
    with plots.style():
        figure.savefig(content, format=path.suffix[1:])
    try:
        write_whole(path, content.getvalue(), replace)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}") from None


def _features(run, x, y, part):
    """Return what one panel shows: a run's features on one part, in the plane."""
    from npsoftmax import plots

    W = run.params.W4  # (F, C)
    plane, _ = plots.plane_of(W)  # (F, 2)
    f = features_in_blocks(run.params, x) @ plane  # (N, 2)
    error = 100 * getattr(run, part).error
    title = f"{_name(run.m)}: {part} error {error:.1f} %"
    return plots.Features(f, y, plane.T @ W, title)


def _whole_from_0(text):
    """Return a whole number from 0, for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0")
    return int(text)


def _whole(text):
    """Return a whole number from 1, for argparse."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return int(text)


def _positive(text, most=math.inf):
    """Return a finite number above 0, and up to `most`, for argparse."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= min(most, sys.float_info.max):
        limit = "" if math.isinf(most) else f" and up to {most:g}"
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0{limit}")
    return number


def _lambda(text):
    """Return a number lambda can end at: above 0, up to where it begins."""
    return _positive(text, most=BEGIN)
