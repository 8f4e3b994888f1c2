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
In a container without a network, IMAGE being one in which npsoftmax is installed:
  docker run --rm --network none -v "$PWD":/w -w /w IMAGE npsoftmax grade homework

examples:
  npsoftmax grade homework.zip --feedback texts
  npsoftmax grade homework/ --seed 2024 --out week3 --points week3.toml
  npsoftmax grade homework/ -k softmax -k cross_entropy_
  npsoftmax grade submission/ --format gradescope --out results
"""

import argparse
import contextlib
import importlib.util
import json
import os
import re
import signal
import sys
import tempfile
import threading
from pathlib import Path

from npsoftmax.checks.layers import CONTRACT
from npsoftmax.commands import CommandError, count
from npsoftmax.commands.check import chosen
from npsoftmax.files import write_whole
from npsoftmax.terminal import LiveLine


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
        "--seed", type=int, default=0, help="what the examples are drawn from (0)"
    )
    parser.add_argument(
        "--examples",
        type=count,
        default=30,
        metavar="N",
        help="examples for each property (30)",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        metavar="S",
        help="seconds of processor time for one function "
        "(40 times what npsoftmax's own slowest takes)",
    )
    parser.add_argument(
        "--jobs",
        type=count,
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
    from npsoftmax.checks.grading.points import PointsError
    from npsoftmax.checks.grading.process import Caretaker
    from npsoftmax.checks.grading.submissions import SubmissionsError

    for stream in (sys.stdout, sys.stderr):  # a name that it cannot show stops nothing
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        weights = _weights(args)
        with _signals_that_stop(), Caretaker() as caretaker:
            return _graded(args, weights, caretaker)
    except (PointsError, SubmissionsError) as error:
        raise CommandError(str(error)) from None


def _graded(args, weights, caretaker):
    from npsoftmax.checks.grading import gradebook

    with contextlib.ExitStack() as stack:
        found = _found(args, stack.enter_context(caretaker.folder()))
        files = (_Gradescope if args.format == "gradescope" else _Files)(args, found)
        grades = _as_they_come(args, found.submissions, weights, caretaker, files)
    files.over(grades)
    if not grades:
        return 1
    print(gradebook.report(grades, found.others, found.remarks))
    print(f"\nEvery detail: {' and '.join(map(str, files.written))}")
    complete = len(grades) == len(found.submissions)
    return 0 if complete and all(grade.complete for grade in grades) else 1


def _as_they_come(args, submissions, weights, caretaker, files):
    """Return the grades, saved as each is done, in order; Ctrl-C ends early."""
    from npsoftmax.checks.grading.process import Options, grade_files, seconds_for

    options = Options(args.seed, args.examples, args.timeout or 60.0, args.jobs)
    stop, grades, progress = threading.Event(), {}, _Progress(len(submissions))
    try:
        if not args.timeout:
            seconds = seconds_for(options, caretaker)
            options = options._replace(seconds=seconds)
        rest = options, caretaker, stop, progress.step
        for grade in grade_files(submissions, weights, *rest):
            grades[submissions.index(grade.submission)] = grade
            files.save([grades[i] for i in sorted(grades)], grade)
            progress.done(grade)
    except KeyboardInterrupt:
        stop.set()
        progress.say(f"stopped: {len(grades)} of {len(submissions)} files are graded")
    progress.line.clear()
    return [grades[i] for i in sorted(grades)]


@contextlib.contextmanager
def _signals_that_stop():
    """Let the end of a terminal or of a session do what Ctrl-C does."""

    def stop(number, frame):
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in {"SIGTERM", "SIGHUP"} & {each.name for each in signal.Signals}:
            before[name] = signal.signal(getattr(signal, name), stop)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


class _Progress:
    """One line that changes on a terminal, a line for each file elsewhere."""

    def __init__(self, files):
        self.files, self.last, self.steps = files, [], 0
        self.line = LiveLine(sys.stderr)
        self.step()

    def step(self):
        last = f", the last: {self.last[-1]}" if self.last else ""
        dots = "." * (self.steps % 4)
        self.line.show(f"{len(self.last)} of {self.files} files graded{last} {dots}")
        self.steps += 1

    def done(self, grade):
        from npsoftmax.checks.engine.safely import printable

        label = printable(grade.submission.label)
        self.last.append(f"{label} ({grade.seconds:.0f} s)")
        if self.line.live:
            self.step()
        else:
            self.say(f"{len(self.last)} of {self.files}  {self.last[-1]}")

    def say(self, text):
        self.line.clear()
        with contextlib.suppress(OSError):  # nobody is there to read it
            print(text, file=sys.stderr, flush=True)


# ------------------------------------------------------------------------- what goes in


def _found(args, folder):
    from npsoftmax.checks.grading.submissions import find, unpacked

    path = Path(args.folder)
    if not path.exists():
        raise CommandError(f"{path}: there is no such folder")
    if path.suffix.lower() == ".zip" and path.is_file():
        path = unpacked(path, folder)
    if not path.is_dir():
        raise CommandError(
            f"{path} is a file; `npsoftmax check {path}` checks one file"
        )
    try:
        return find(path, one_student=args.format == "gradescope")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror.lower()}") from None


def _weights(args):
    """Return {function: points} of what is asked for."""
    from npsoftmax.checks.grading.points import read_weights

    weights = read_weights(args.points) if args.points else dict.fromkeys(CONTRACT, 1)
    names = chosen(args.names)
    asked = {name: weights[name] for name in weights if names is None or name in names}
    if not asked:
        raise CommandError(f"{args.points} gives no points for {', '.join(names)}")
    return asked


# ----------------------------------------------------------------------- what comes out


class _Files:
    """The files that are written: claimed at the beginning, so that another run at the
    same time notices, and then written anew with each grade.
    """

    def __init__(self, args, found):
        self.args, self.feedback = args, {}
        self.paths = [Path(f"{args.out}{ending}") for ending in self.endings()]
        self.written = list(self.paths)
        folder = self.paths[0].parent
        if not folder.is_dir():
            raise CommandError(f"--out {args.out}: there is no folder {folder}")
        if args.feedback:
            self.feedback = self._texts(Path(args.feedback), found.submissions)
        self.claimed = []
        try:
            for path in self.paths:
                self._claim(path)
        except CommandError:
            self.over([])
            raise

    def endings(self):
        return ".csv", ".json"

    def contents(self, grades):
        """Return the text of each file."""
        from npsoftmax.checks.grading import gradebook

        about = {key: getattr(self.args, key) for key in ("seed", "examples")}
        return gradebook.as_csv(grades), gradebook.as_json(grades, **about)

    def save(self, grades, latest):
        from npsoftmax.checks.grading.feedback import text

        for i, content in enumerate(self.contents(grades)):
            self.written[i] = _written(self.written[i], content)
        if self.feedback:
            _written(self.feedback[latest.submission.path], text(latest))

    def over(self, grades):
        """Take what was claimed for nothing away again."""
        for path in () if grades else self.claimed:
            path.unlink(missing_ok=True)

    def _claim(self, path):
        """Make sure that a file can be written: where there is none, by making it."""
        exists = os.path.lexists(path)
        if exists and not self.args.force:
            raise CommandError(
                f"{path} exists already: "
                "--force replaces it, --out NAME writes elsewhere"
            )
        if exists and os.access(path.parent, os.W_OK):
            return
        try:
            write_whole(path, "")
            self.claimed.append(path)
        except OSError as error:
            reason = error.strerror or error
            raise CommandError(f"{path} cannot be written: {reason}") from None

    def _texts(self, folder, submissions):
        """Return {path: the text's path} for each submission."""
        texts = {}
        for each in submissions:
            stem = re.sub(r"[^\w.@() -]", "_", each.student)[:100]
            taken, name = [text.name for text in texts.values()], f"{stem}.txt"
            while name in taken:
                name = f"{stem} {len(taken)}.txt"
            texts[each.path] = folder / name
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise CommandError(f"--feedback {folder}: {error.strerror}") from None
        there = [text for text in texts.values() if os.path.lexists(text)]
        if there and not self.args.force:
            raise CommandError(f"{there[0]} exists already: --force replaces it")
        return texts


class _Gradescope(_Files):
    """The results.json of one student; of several files the best counts."""

    def endings(self):
        return (".json",)

    def contents(self, grades):
        from npsoftmax.checks.grading.feedback import as_gradescope

        best = max(grades, key=lambda grade: grade.percent())
        return (json.dumps(as_gradescope(best), indent=2) + "\n",)


def _written(path, content):
    """Write a file anew, elsewhere rather than not at all; return where it is."""
    try:
        write_whole(path, content, replace=True)
        return path
    except OSError as error:
        elsewhere = Path(tempfile.mkdtemp(prefix="npsoftmax-grades-")) / path.name
        write_whole(elsewhere, content)
        reason = error.strerror or error
        print(f"{path} cannot be written: {reason}: see {elsewhere}", file=sys.stderr)
        return elsewhere


def _seconds(text):
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return seconds
