"""Files to points: each file is checked in a process of its own, whatever it does.

    grade_file(path, names, options)      the Grade of one file
    grade_files(paths, names, options)    a Grade for each file, as each one is done

The process that checks a file writes what it finds, function by function, into a
file of its own in a folder nobody else knows; what the student's code prints goes
nowhere. If the process stops, loops for ever or ends itself, then what it had written
still counts, the function it was at gets no points, and a new process goes on behind
that function. When it is over, the whole process group ends.

This keeps accidents apart. It is not a sandbox against malice: the code runs with the
rights of whoever grades it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from npsoftmax.checks.engine.load import SolutionError, load_solution
from npsoftmax.checks.layers import CONTRACT

LOOK = 0.02  # seconds between two looks at a process
MEMORY = 4 << 30  # bytes a process may reserve
FILE_SIZE = 64 << 20  # bytes of any file that it writes
WORKER = (  # this very npsoftmax, wherever it lies; and then the path as it was
    "import sys; sys.path.insert(0, {package!r}); "
    "from npsoftmax.checks.grading.process import work; "
    "sys.path.remove({package!r}); work()"
)


class Options(NamedTuple):
    """What is the same for every file."""

    seed: int = 0
    examples: int | None = None
    timeout: float = 60.0  # seconds for one file
    jobs: int = 1  # processes at a time
    share: int = 4  # a function may take a quarter of the file's time
    called: dict | None = None  # {name of the contract: theirs}


@dataclass
class Grade:
    """What one file is worth: `functions` has a dict for each name of the contract."""

    path: Path
    functions: dict = field(default_factory=dict)
    problem: str = ""  # why the file could not be checked at all
    seconds: float = 0.0

    @property
    def points(self):
        return sum(each["points"] for each in self.functions.values())

    @property
    def out_of(self):
        return sum(each["out_of"] for each in self.functions.values())


def grade_files(paths, names, options, stop=None, notice=None):
    """Yield the `Grade` of each file, as it is done, `options.jobs` at a time.

    stop: a threading.Event that ends every process and what is still waiting. notice():
    is called when another function is done.
    """
    with ThreadPoolExecutor(options.jobs) as pool:
        waiting = [
            pool.submit(grade_file, path, names, options, stop, notice)
            for path in paths
        ]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            if stop:
                stop.set()
            pool.shutdown(cancel_futures=True)


def grade_file(path, names, options, stop=None, notice=None):
    """Return the `Grade` of the functions `names` in the Python file `path`."""
    began = time.monotonic()
    deadline = began + options.timeout
    grade, remaining = Grade(path), list(names)
    while remaining and time.monotonic() < deadline and not _is_set(stop):
        attempt = _attempt(path, remaining, options, deadline, stop, notice)
        grade.functions |= attempt.functions
        grade.problem = attempt.problem
        if attempt.at is None:
            break
        grade.functions |= _stopped(attempt, names)
        remaining = [name for name in names if name not in grade.functions]
    rest = grade.problem or "no time was left"
    grade.functions = {
        name: grade.functions.get(name) or nothing(name, "not checked", rest)
        for name in names
    }
    grade.seconds = time.monotonic() - began
    return grade


def _stopped(attempt, names):
    """Return the entries of the function that never came back, and of its backward."""
    return {attempt.at: nothing(attempt.at, "stopped", attempt.ending)} | {
        name: nothing(name, "not checked", f"its cache comes from {attempt.at}")
        for name in names
        if CONTRACT[name].forward == attempt.at
    }


def nothing(name, state, why=""):
    """Return the entry of a function without points."""
    rows = CONTRACT[name].asked()
    return {
        "state": state,
        "points": 0,
        "out_of": sum(row.points for row in rows),
        "why": why,
        "properties": dict.fromkeys((row.name for row in rows), 0),
    }


def _is_set(stop):
    return stop is not None and stop.is_set()


# ---------------------------------------------------------- the process, from outside


class Attempt(NamedTuple):
    """What one process has found before it ended, and how it ended."""

    functions: dict
    at: str | None  # the function that it never came back from
    ending: str
    problem: str


def _attempt(path, names, options, deadline, stop, notice):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        diary, elsewhere = Path(folder) / "diary", Path(folder) / "here"
        diary.touch()
        elsewhere.mkdir()
        task = {
            "path": str(Path(path).resolve()),
            "names": names,
            "seed": options.seed,
            "examples": options.examples,
            "called": options.called,
            "diary": str(diary),
        }
        process = _start(task, elsewhere)
        try:
            step = options.timeout / options.share
            ending = _watch(process, diary, step, deadline, stop, notice)
        finally:
            _end(process)
        return _read(diary, ending)


def _start(task, folder):
    package = str(Path(__file__).parents[3])
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER.format(package=package)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=os.environ | ENVIRONMENT,
        start_new_session=True,
    )
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(task).encode())
        process.stdin.close()
    return process


ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",  # one thread for each process, so that time is fair
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "Agg",  # plt.show() opens no window, and waits for nobody
}


def _watch(process, diary, step, deadline, stop, notice):
    """Wait for the end, and return in words what it was."""
    size, since = 0, time.monotonic()
    while process.poll() is None:
        time.sleep(LOOK)
        now = time.monotonic()
        if diary.stat().st_size != size:
            size, since = diary.stat().st_size, now
            if notice:
                notice()
        if _is_set(stop):
            return "was stopped with the grading"
        if now > deadline:
            return "was stopped: the file's time was over"
        if now - since > step:
            return f"did not end within {step:g} s"
    if process.returncode >= 0:
        return f"ended its own process, with exit code {process.returncode}"
    names = {each.value: each.name for each in signal.Signals}
    number = -process.returncode
    return f"was ended by {names.get(number, f'signal {number}')}"


def _end(process):
    """End the process and all that it has started in its group."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _read(diary, ending):
    functions, at, problem, loaded, done = {}, None, "", False, False
    for line in diary.read_bytes().splitlines():
        with contextlib.suppress(ValueError):  # a line that was cut off by the end
            event = json.loads(line)
            loaded = loaded or "loaded" in event
            done = done or "done" in event
            problem = event.get("problem", problem)
            ending = event.get("raised", ending)
            at = event.get("begin", at)
            if "end" in event:
                functions[event["end"]], at = event["entry"], None
    if not loaded and not problem:
        problem = f"while loading: {ending}"
    elif at is None and not done and not problem:
        problem = ending
    return Attempt(functions, at, ending, problem)


# ----------------------------------------------------------- the process, from inside


def work():
    """Check the file of the task on stdin, and keep a diary of it. Never returns."""
    task = json.load(sys.stdin)
    _limit()

    def write(open=open, dumps=json.dumps, **event):
        with open(task["diary"], "a", encoding="utf-8") as diary:
            diary.write(dumps(event) + "\n")

    try:
        _check(task, write)
    except BaseException as error:
        write(raised=f"raises {type(error).__name__} {error}".strip())
    finally:
        os._exit(0)  # whatever threads and handlers the file has left behind


def _limit():
    """Bound what one process can take from the others, where the system knows how."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        for limit, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, FILE_SIZE),
            (resource.RLIMIT_AS, MEMORY),
        ):
            resource.setrlimit(limit, (most, most))


def _check(task, write):
    from npsoftmax.checks.engine.ask import check_solution

    try:
        solution = load_solution(task["path"], task["called"], read=False)
    except SolutionError as error:
        write(problem=str(error).replace(task["path"], Path(task["path"]).name))
        return
    write(loaded=True)
    reports = check_solution(
        solution,
        only=task["names"],
        seed=task["seed"],
        progress=lambda name, done, total: done or write(begin=name),
        **({"examples": task["examples"]} if task["examples"] else {}),
    )
    for name in task["names"]:
        write(begin=name)
        _ = solution.status[name]  # for which it is called
    write(begin=None)
    for report in reports:
        write(end=report.name, entry=_entry(report, solution))
    write(done=True)


def _entry(report, solution):
    """Return what is kept of one function's report: plain data, for the diary."""
    from npsoftmax.checks.engine.report import NOT_YOURS

    calls = list(solution.first[report.name].borrows) if report.passed else []
    if report.name in calls:
        return nothing(report.name, NOT_YOURS)
    entry = nothing(report.name, report.verdict, _reason(report))
    for row in CONTRACT[report.name].asked():
        if row.name in report.passed:
            entry["properties"][row.name] = row.points
    entry |= {"points": sum(entry["properties"].values()), "calls": calls}
    if failure := report.failure:
        entry |= {
            "why": failure.what,
            "property": failure.property,
            "input": one_line(failure.inputs),
            "looks_like": failure.diagnosis,
            "message": failure.message,
        }
    return entry


def _reason(report):
    from npsoftmax.checks.engine.report import WAITS

    return report.note if report.verdict == WAITS else ""


def one_line(inputs):
    """Return inputs by their names as they could be typed in, on one line."""
    return ", ".join(f"{name} = {_typed(value)}" for name, value in inputs.items())


def _typed(value):
    if isinstance(value, list):
        return f"[{', '.join(map(_typed, value))}]"
    if hasattr(value, "tolist"):
        return _typed(value.tolist())
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e6
    return repr(int(value) if whole else value)
