"""The process that checks one file, from inside: what it finds goes to the parent.

work()      check the file of the task on stdin; never returns

The task is a dict: the file, by its name in the folder in which the process runs (None:
npsoftmax itself), names, seed, examples, seconds of processor time for a function, and
a token with which each note to the parent begins. What the file prints goes nowhere.
"""

import contextlib
import json
import math
import os
import re
import sys
import time

import numpy as np

from npsoftmax.checks.agree import Kind
from npsoftmax.checks.engine.ask import Asking, check_solution
from npsoftmax.checks.engine.load import Solution, SolutionError, load_solution
from npsoftmax.checks.engine.report import NOT_YOURS, WAITS
from npsoftmax.checks.engine.safely import quietly, said
from npsoftmax.checks.grading.points import decisive
from npsoftmax.checks.layers import CONTRACT

try:
    import resource
except ImportError:  # Windows
    resource = None

MEMORY = 4 << 30  # bytes a process may reserve
FILE_SIZE = 64 << 20  # bytes of any file that it writes
GROWS = f"asked for more than {MEMORY >> 30} GiB of memory"


def work():
    """Check the file of the task on stdin, and note what is found. Never returns."""
    task = json.load(sys.stdin)
    write = _notes(task["token"])
    try:
        _limit()
        _check(task, write)
    except MemoryError:
        write(raised=GROWS)
    except BaseException as error:
        write(raised=f"raises {said(error)}")
    finally:
        os._exit(0)  # whatever threads and handlers the file has left behind


def _notes(token):
    """Return write(**event), by a descriptor that no print of the file reaches."""
    notes = os.fdopen(_out_of_reach(1), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)

    def write(dumps=json.dumps, **event):
        notes.write(f"{token} {dumps(event)}\n")
        notes.flush()

    return write


def _out_of_reach(descriptor):
    if resource is None:
        return os.dup(descriptor)
    import fcntl

    most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1024)
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, most - 32)


def _limit():
    """Bound what one process can take from the others, where the system knows how."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for limit, most in ("RLIMIT_FSIZE", FILE_SIZE), ("RLIMIT_AS", MEMORY):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, limit), (most, most))


def _allow(seconds):
    """Let the system end this process after so many more seconds of processor time."""
    if resource is not None:
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        soft = math.ceil(time.process_time() + seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, most))


def _check(task, write):
    names, at = task["names"], None

    def begin(name, *_):
        nonlocal at
        if name != at:
            _allow(task["seconds"])
            write(begin=name)
            at = name

    _allow(task["seconds"])
    try:
        solution = _loaded(task["file"], task["called"])
    except SolutionError as error:
        grows = isinstance(error.__cause__, MemoryError)
        write(problem=f"on loading, it {GROWS}" if grows else str(error))
        return
    write(loaded=True)
    for name in names:  # each is called once; some never come back
        begin(name)
        solution.status[name]
    draws = {"seed": task["seed"], "examples": task["examples"]}
    began = time.process_time()
    for report in check_solution(solution, only=names, progress=begin, **draws):
        begin(report.name)
        write(mark=report.name, entry=_entry(report, Asking(solution, **draws)))
    write(seconds=time.process_time() - began)


def _loaded(file, called):
    if file is None:
        return Solution.reference()
    sys.path.insert(0, os.getcwd())  # for what is imported inside of a function
    return load_solution(file, called, read=False)


def _entry(report, asking):
    """Return the fields of a function's `Mark`: plain data, for the notes."""
    name, failure = report.name, report.failure
    entry = {"state": report.verdict, "held": report.passed}
    if report.passed:
        entry["borrows"] = asking.solution.first[name].borrows
    if report.verdict == NOT_YOURS:
        entry |= {"held": [], "why": f"npsoftmax's own {name} does the work"}
    if report.verdict == WAITS:
        entry["why"] = report.note
    if failure:
        entry |= {
            "held": _held(report, asking),
            "why": failure.what,
            "because": report.because,
            "input": one_line(failure.inputs),
            "looks_like": failure.diagnosis or "",
            "message": failure.message,
        }
    return entry


def _held(report, asking):
    """Return the properties that hold: those behind the first that does not, too; and
    all of them beside a right function where only that is missing.
    """
    if report.failure.wrong.kind is Kind.ENDLESS:
        return report.passed
    rows, main = CONTRACT[report.name].asked(), decisive(report.name)
    held = set(report.passed)
    with quietly(), report.repair():
        if main.name in held or asking.holds(main):
            held |= {row.name for row in rows if row.name in held or asking.holds(row)}
    return [*held]


def one_line(inputs):
    """Return inputs by their names as they could be typed in, on one line."""
    plain = {name: np.asarray(value).tolist() for name, value in inputs.items()}
    typed = ", ".join(f"{name} = {value!r}" for name, value in plain.items())
    return re.sub(r"\.0\b", "", typed)  # 2, not 2.0
