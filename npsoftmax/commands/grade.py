"""Check each Python file of a folder, and give points.

Every file gets a process and a time limit of its own, so that a loop without an end, an
exit() or a crash costs that file a function, not the class its grades. A function gives
points for each property it has; a property that fails costs its points and those after
it. What comes from npsoftmax itself is not the student's, and not counted.

The table goes to the terminal, and with every detail to NAME.csv and NAME.json.
No seed fails right code: --seed only keeps the examples drawn unknown beforehand.

This is not a sandbox against malice: the files run with your rights, on your machine.
Read files of people you do not trust first, or grade in a container.

examples:
  npsoftmax grade homework/
  npsoftmax grade homework/ --seed 2024 --out week3
  npsoftmax grade homework/ -k softmax -k cross_entropy_
"""

import importlib.util
import os
import sys
import threading
from pathlib import Path

from npsoftmax.checks.layers import CONTRACT
from npsoftmax.commands import CommandError
from npsoftmax.commands.check import chosen
from npsoftmax.commands.shared import positive, save, whole
from npsoftmax.terminal import LiveLine


def add_arguments(parser):
    parser.add_argument("folder", metavar="FOLDER", help="the folder with the files")
    parser.add_argument(
        "-k",
        metavar="NAME",
        dest="names",
        action="append",
        help="count only the function NAME, or those with NAME in their name; "
        "may be given again",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="what the examples are drawn from (0)"
    )
    parser.add_argument(
        "--examples",
        type=whole(1, 10**6),
        metavar="N",
        help="examples for each property",
    )
    parser.add_argument(
        "--timeout",
        type=positive(),
        default=60.0,
        metavar="S",
        help="seconds for one file (60); one function may take a quarter of them",
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
        "--force", action="store_true", help="replace NAME.csv and NAME.json"
    )


def run(args):
    """Grade args.folder. Returns 0 where every file has every point, else 1."""
    if importlib.util.find_spec("hypothesis") is None:
        raise CommandError(
            f"grading needs Hypothesis: {sys.executable} -m pip install hypothesis"
        )
    paths, names = _paths(Path(args.folder)), _in_order(chosen(args.names))
    outputs = _outputs(args.out, args.force)
    grades = _graded(paths, names, args)
    if not grades:
        return 1
    from npsoftmax.checks.grading import gradebook

    about = {"seed": args.seed, "examples": args.examples, "timeout": args.timeout}
    texts = gradebook.as_csv(grades), gradebook.as_json(grades, **about)
    print(gradebook.report(grades))
    for path, text in zip(outputs, texts, strict=True):
        save(path, text, args.force)
    print(f"\nEvery detail: {outputs[0]} and {outputs[1]}")
    complete = all(g.points == g.out_of for g in grades) and len(grades) == len(paths)
    return 0 if complete else 1


def _graded(paths, names, args):
    """Return the grades of the files, in the order of `paths`; Ctrl-C ends early."""
    from npsoftmax.checks.grading.process import Options, grade_files

    options = Options(args.seed, args.examples, args.timeout, args.jobs)
    stop, grades, progress = threading.Event(), [], _Progress(len(paths))
    try:
        for grade in grade_files(paths, names, options, stop, progress.step):
            grades.append(grade)
            progress.done(grade)
    except KeyboardInterrupt:
        stop.set()
        progress.say(f"stopped: {len(grades)} of {len(paths)} files are graded")
    progress.line.clear()
    return sorted(grades, key=lambda grade: paths.index(grade.path))


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
        self.last.append(f"{grade.path.name} ({grade.seconds:.0f} s)")
        if self.line.live:
            self.step()
        else:
            self.say(f"{len(self.last)} of {self.files}  {self.last[-1]}")

    def say(self, text):
        self.line.clear()
        print(text, file=sys.stderr, flush=True)


def _paths(folder):
    if not folder.exists():
        raise CommandError(f"{folder}: there is no such folder")
    if not folder.is_dir():
        raise CommandError(
            f"{folder} is a file; `npsoftmax check {folder}` checks one file"
        )
    paths = sorted(each for each in folder.glob("*.py") if each.is_file())
    if not paths:
        deeper = len(list(folder.glob("*/*.py")))
        hint = f", but {deeper} one folder deeper: name that folder" if deeper else ""
        raise CommandError(f"there are no *.py files in {folder}{hint}")
    return paths


def _in_order(names):
    return [name for name in CONTRACT if names is None or name in names]


def _outputs(name, force):
    outputs = [Path(f"{name}.csv"), Path(f"{name}.json")]
    if not outputs[0].parent.is_dir():
        raise CommandError(f"--out {name}: there is no folder {outputs[0].parent}")
    for path in outputs:
        if os.path.lexists(path) and not force:
            raise CommandError(
                f"{path} exists already: "
                "--force replaces it, --out NAME writes elsewhere"
            )
    return outputs
