"""Grade the files of a class, in percent.

FOLDER has a file or a folder for each student, as Moodle gives them or not, or is a
zip of these; .py files and notebooks. Each is checked in a process of its own, with
limits in processor time measured on npsoftmax itself, so that a loop without an end,
an exit() or a crash costs that file a function, not the class its grades.

A wrong value is worth nothing; beside a right one, every property counts. What fails
only because a function that it calls is wrong counts as right. Functions count alike,
unless --points FILE has lines such as `softmax = 10`; then those it names are asked
for alone. What npsoftmax itself does is not counted.

The table goes to the terminal, and with every detail to NAME.csv and NAME.json, as
files are done. No seed fails right code: --seed only keeps the examples unknown.

This is not a sandbox against malice: the files run with your rights, on your machine.
This runs them in a container without a network, IMAGE having npsoftmax installed:

  docker run --rm --network none -v .:/w -w /w IMAGE npsoftmax grade homework

examples:
  npsoftmax grade homework.zip --feedback texts
  npsoftmax grade homework/ --seed 2024 --out week3 --points week3.toml
  npsoftmax grade homework/ -k softmax -k cross_entropy_
  npsoftmax grade submission/ --format gradescope --out results
"""

import contextlib
import signal
import sys
from pathlib import Path

from npsoftmax.checks.grading import gradebook, points, process, submissions
from npsoftmax.checks.grading.outputs import Outputs
from npsoftmax.checks.layers import CONTRACT
from npsoftmax.commands import CommandError
from npsoftmax.commands.shared import add_options, chosen, need_hypothesis
from npsoftmax.options import positive
from npsoftmax.terminal import LiveLine, printable

ROWS = (
    "-k", "--as", "--seed", "--examples", "--jobs",
    ("--points", str, "FILE", "what each function is worth (all the same)"),
    ("--timeout", positive(), "S",
     "seconds of processor time for one function (40 times what npsoftmax's own "
     "slowest takes)"),
    ("--out", str, "NAME", "write NAME.csv and NAME.json (npsoftmax-grades)"),
    ("--feedback", str, "DIR", "write a text for each student into DIR"),
    "--force",
)  # fmt: skip


def add_arguments(parser):
    """Add the options of `npsoftmax grade`."""
    parser.set_defaults(out="npsoftmax-grades")
    parser.add_argument("folder", metavar="FOLDER", help="a folder, or a zip of one")
    add_options(parser, ROWS)
    parser.add_argument(
        "--format", choices=["table", "gradescope"], default="table",
        help="gradescope: FOLDER is one student's, and NAME.json what Gradescope reads",
    )  # fmt: skip


def run(args):
    """Grade args.folder. Returns 0 where every file has every point, else 1."""
    need_hypothesis("grading")
    one_student = args.format == "gradescope"
    try:
        weights = _weights(args)
        with (
            _signals_that_stop(),
            process.Caretaker() as caretaker,
            caretaker.folder() as folder,  # for what is in a zip
        ):
            path = submissions.opened(Path(args.folder), Path(folder))
            found = submissions.find(path, one_student)
            more = args.feedback, one_student, args.force
            outputs = Outputs(args.out, found.submissions, *more)
            grades = _as_they_come(args, found, weights, caretaker, outputs)
    except points.GradingError as error:
        raise CommandError(error) from None
    if not grades:
        outputs.give_back()
        return 1
    print(gradebook.report(grades, found.others, found.remarks))
    print(f"\nEvery detail: {' and '.join(map(str, outputs.paths))}")
    complete = len(grades) == len(found.submissions)
    return 0 if complete and all(grade.complete for grade in grades) else 1


def _weights(args):
    """Return {function: points} of what is asked for."""
    weights = dict.fromkeys(CONTRACT, 1)
    if args.points:
        weights = points.read_weights(args.points)
    names = chosen(args.names) or weights
    asked = {name: weights[name] for name in weights if name in names}
    if not asked:
        raise CommandError(f"{args.points} gives no points for {', '.join(names)}")
    return asked


def _as_they_come(args, found, weights, caretaker, outputs):
    """Return the grades, saved as each is done, in order; Ctrl-C ends early."""
    submitted, grades = found.submissions, {}
    progress = _Progress(len(submitted))
    try:
        options = process.Options(
            args.seed, args.examples, args.timeout, args.jobs, dict(args.called)
        )
        if not args.timeout:
            seconds = process.seconds_for(options, caretaker)
            options = options._replace(seconds=seconds)
        about = {
            "seed": args.seed, "examples": args.examples, "seconds": options.seconds,
            "not_graded": found.others, "remarks": found.remarks,
        }  # fmt: skip
        rest = weights, options, caretaker, progress.step
        for grade in process.grade_files(submitted, *rest):
            grades[submitted.index(grade.submission)] = grade
            outputs.save([grades[i] for i in sorted(grades)], grade, **about)
            progress.done(grade)
    except KeyboardInterrupt:
        said = f"stopped: {len(grades)} of {len(submitted)} files are graded"
        progress.line.say(said)
    progress.line.clear()
    return [grades[i] for i in sorted(grades)]


@contextlib.contextmanager
def _signals_that_stop():
    """Let the end of a terminal or of a session do what Ctrl-C does."""
    before = {}
    with contextlib.suppress(ValueError):  # only the main thread may set signals
        for name in ("SIGTERM", "SIGHUP"):
            if number := getattr(signal, name, None):
                before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Progress:
    """One line that changes on a terminal, a line for each file elsewhere."""

    def __init__(self, files):
        self.files, self.graded, self.last, self.steps = files, 0, "", 0
        self.line = LiveLine(sys.stderr)
        self.step()

    def step(self):
        last, dots = f", the last: {self.last}" if self.last else "", self.steps % 4
        self.line.show(f"{self.graded} of {self.files} files graded{last} {'.' * dots}")
        self.steps += 1

    def done(self, grade):
        self.graded += 1
        self.last = f"{printable(grade.submission.label)} ({grade.seconds:.0f} s)"
        if self.line.live:
            self.step()
        else:
            self.line.say(f"{self.graded} of {self.files}  {self.last}")
