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
import importlib.util
import os
import signal
import sys
import threading
from pathlib import Path

from npsoftmax.checks.grading import gradebook, points, process, submissions
from npsoftmax.checks.grading.outputs import Outputs
from npsoftmax.checks.layers import CONTRACT
from npsoftmax.commands import CommandError
from npsoftmax.commands.check import chosen, pair
from npsoftmax.options import positive, whole
from npsoftmax.terminal import LiveLine, printable


def add_arguments(parser):
    parser.add_argument("folder", metavar="FOLDER", help="a folder, or a zip of one")
    parser.add_argument(
        "-k",
        metavar="NAME",
        dest="names",
        action="append",
        help="count only the function NAME, or those with NAME in their name; "
        "may be given again",
    )
    parser.add_argument(
        "--points", metavar="FILE", help="what each function is worth (all the same)"
    )
    parser.add_argument(
        "--as",
        metavar="NAME=THEIRS",
        dest="called",
        action="append",
        type=pair,
        help="what goes by another name in every file: --as softmax=my_softmax",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="what the examples are drawn from (0)"
    )
    parser.add_argument(
        "--examples",
        type=whole(1, 10**6),
        default=30,
        metavar="N",
        help="examples for each property (30)",
    )
    parser.add_argument(
        "--timeout",
        type=positive(),
        metavar="S",
        help="seconds of processor time for one function "
        "(40 times what npsoftmax's own slowest takes)",
    )
    parser.add_argument(
        "--jobs",
        type=whole(1, 1024),
        default=os.cpu_count() or 1,
        metavar="N",
        help="files at a time (as many as there are cores)",
    )
    parser.add_argument(
        "--out",
        default="npsoftmax-grades",
        metavar="NAME",
        help="write NAME.csv and NAME.json (npsoftmax-grades)",
    )
    parser.add_argument(
        "--feedback", metavar="DIR", help="write a text for each student into DIR"
    )
    parser.add_argument(
        "--format",
        choices=["table", "gradescope"],
        default="table",
        help="gradescope: FOLDER is one student's, and NAME.json what Gradescope reads",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace files that are there already"
    )


def run(args):
    """Grade args.folder. Returns 0 where every file has every point, else 1."""
    if importlib.util.find_spec("hypothesis") is None:
        raise CommandError(
            f"grading needs Hypothesis: {sys.executable} -m pip install hypothesis"
        )
    for stream in (sys.stdout, sys.stderr):  # a name that it cannot show stops nothing
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        weights = _weights(args)
        with _signals_that_stop(), process.Caretaker() as caretaker:
            return _graded(args, weights, caretaker)
    except points.GradingError as error:
        raise CommandError(str(error)) from None


def _weights(args):
    """Return {function: points} of what is asked for."""
    weights = dict.fromkeys(CONTRACT, 1)
    if args.points:
        weights = points.read_weights(args.points)
    names = chosen(args.names)
    asked = {name: weights[name] for name in weights if names is None or name in names}
    if not asked:
        raise CommandError(f"{args.points} gives no points for {', '.join(names)}")
    return asked


def _graded(args, weights, caretaker):
    gradescope = args.format == "gradescope"
    with caretaker.folder() as folder:  # for what is in a zip
        path = submissions.opened(Path(args.folder), folder)
        found = submissions.find(path, one_student=gradescope)
        outputs = Outputs(
            args.out, found.submissions, args.feedback, gradescope, args.force
        )
        grades = _as_they_come(args, found, weights, caretaker, outputs)
    if not grades:
        outputs.give_back()
        return 1
    print(gradebook.report(grades, found.others, found.remarks))
    print(f"\nEvery detail: {' and '.join(map(str, outputs.paths))}")
    complete = len(grades) == len(found.submissions)
    return 0 if complete and all(grade.complete for grade in grades) else 1


def _as_they_come(args, found, weights, caretaker, outputs):
    """Return the grades, saved as each is done, in order; Ctrl-C ends early."""
    about = {"seed": args.seed, "examples": args.examples}
    options = process.Options(
        **about,
        seconds=args.timeout or 60.0,
        jobs=args.jobs,
        called=dict(args.called or ()),
    )
    about |= {"not_graded": found.others, "remarks": found.remarks}
    submitted, grades = found.submissions, {}
    progress = _Progress(len(submitted))
    try:
        if not args.timeout:
            seconds = process.seconds_for(options, caretaker)
            options = options._replace(seconds=seconds)
        rest = options, caretaker, progress.step
        for grade in process.grade_files(submitted, weights, *rest):
            grades[submitted.index(grade.submission)] = grade
            known = [grades[i] for i in sorted(grades)]
            outputs.save(known, grade, **about, seconds=options.seconds)
            progress.done(grade)
    except KeyboardInterrupt:
        progress.say(f"stopped: {len(grades)} of {len(submitted)} files are graded")
    progress.line.clear()
    return [grades[i] for i in sorted(grades)]


@contextlib.contextmanager
def _signals_that_stop():
    """Let the end of a terminal or of a session do what Ctrl-C does."""

    def stop(number, frame):
        raise KeyboardInterrupt

    numbers = [getattr(signal, n) for n in ("SIGTERM", "SIGHUP") if hasattr(signal, n)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
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
            self.say(f"{self.graded} of {self.files}  {self.last}")

    def say(self, text):
        self.line.clear()
        with contextlib.suppress(OSError):  # nobody is there to read it
            print(text, file=sys.stderr, flush=True)
