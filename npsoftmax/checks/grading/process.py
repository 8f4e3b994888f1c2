"""Files to marks: each file is checked in a process of its own, whatever it does.

    with Caretaker() as caretaker:
        seconds_for(options, caretaker)                 what is fair on this machine
        grade_files(submissions, weights, options, caretaker)    a Grade as each is done

The process runs in a folder that has a copy of the file and of its own helpers. What it
finds, function by function, it tells by a pipe; each note begins with a word that only
the two know, and says no more than that a property holds. If the process stops, loops
for ever or ends itself, then what it had told still counts, the function it was at gets
no points, and a new process goes on with the others.

A caretaker, a small process of its own, ends what runs and removes the folders when the
grading is over, in whatever way: it waits for the end of a pipe.

This keeps accidents apart. It is not a sandbox against malice: the code runs with the
rights of whoever grades it.
"""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from npsoftmax.checks.grading.points import Grade, GradingError, Mark
from npsoftmax.checks.grading.submissions import alone
from npsoftmax.checks.layers import CONTRACT
from npsoftmax.processes import ONE_THREAD
from npsoftmax.terminal import printable

LOOK = 0.02  # seconds between two looks at a process
SLOWEST = "lsoftmax_backward"  # of npsoftmax's own functions
SLOWER = 40  # a function may take so many times what npsoftmax's slowest takes
WALL = 10  # and so many times its processor time by the clock, when it waits
ENVIRONMENT = {
    **ONE_THREAD,  # for each process, so that time is fair
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "Agg",  # plt.show() opens no window, and waits for nobody
}
WORKER = (  # this very npsoftmax, wherever it lies; and then the path as it was
    "import sys; sys.path.insert(0, {package!r}); "
    "from npsoftmax.checks.grading.worker import work; "
    "sys.path.remove({package!r}); work()"
)


class Options(NamedTuple):
    """What is the same for every file."""

    seed: int = 0
    examples: int = 30
    seconds: float | None = None  # of processor time, for one function
    jobs: int = 1  # processes at a time
    called: dict | None = None  # {name of the contract: theirs}


def seconds_for(options, caretaker):
    """Return the seconds that a function may take, by what npsoftmax takes here."""
    patient = options._replace(seconds=60.0)
    attempt = _attempt(None, [SLOWEST], patient, caretaker)
    if not attempt.seconds:
        raise GradingError(f"npsoftmax itself cannot be checked: {attempt.problem}")
    return float(max(2, round(SLOWER * attempt.seconds)))


def grade_files(submissions, weights, options, caretaker, notice=lambda: None):
    """Yield the `Grade` of each submission, as it is done, `options.jobs` at a time.

    weights: {function: points}. notice(): is called when another function is done.
    """
    rest = weights, options, caretaker, notice
    with ThreadPoolExecutor(options.jobs) as pool:
        waiting = [pool.submit(_graded, each, *rest) for each in submissions]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            caretaker.stop.set()
            pool.shutdown(cancel_futures=True)


def _graded(submission, weights, options, caretaker, notice):
    began = time.monotonic()
    grade, remaining = Grade(submission, weights), list(weights)
    while remaining and not caretaker.stop.is_set():
        try:
            attempt = _attempt(submission, remaining, options, caretaker, notice)
        except OSError as error:  # the file cannot be read, or no process be started
            attempt = Attempt(problem=f"cannot be checked: {error.strerror or error}")
        grade.marks |= attempt.marks
        grade.problem = attempt.problem
        if attempt.at is None:
            break
        grade.marks |= _stopped(attempt)
        remaining = [name for name in weights if name not in grade.marks]
    missing = Mark("not checked", why=grade.problem or "the grading was stopped")
    grade.marks = {name: grade.marks.get(name, missing) for name in weights}
    grade.seconds = time.monotonic() - began
    return grade


def _stopped(attempt):
    """Return the marks of the function that never came back, and of its backward."""
    waits = Mark("not checked", why=f"its cache comes from {attempt.at}")
    backward = [each.name for each in CONTRACT.values() if each.forward == attempt.at]
    stopped = Mark("stopped", why=attempt.ending)
    return {attempt.at: stopped} | dict.fromkeys(backward, waits)


# ---------------------------------------------------------- the process, from outside


class Attempt(NamedTuple):
    """What one process has found before it ended, and how it ended."""

    marks: dict = {}  # noqa: RUF012
    at: str | None = None  # the function that it never came back from
    ending: str = ""
    problem: str = ""
    seconds: float = 0.0  # of processor time


def _attempt(submission, names, options, caretaker, notice=lambda: None):
    with caretaker.folder() as path:
        folder = Path(path)
        here = folder / "here"
        here.mkdir()
        file = alone(submission, here) if submission else None
        task = {
            "file": file and file.name, "names": names, "token": secrets.token_hex(16)
        } | options._asdict()  # fmt: skip
        process = _start(task, folder, file.parent if file else here)
        with caretaker.process(process):
            notes = _Notes(process.stdout, task["token"], notice)
            ending = _watch(process, notes, options.seconds, caretaker.stop)
        return notes.attempt(ending)


def _start(task, folder, here):
    package = str(Path(__file__).parents[3])
    (folder / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", WORKER.format(package=package)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=here,
        env=os.environ | ENVIRONMENT | {"TMPDIR": str(folder / "tmp")},
        start_new_session=True,
    )
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(task).encode())
        process.stdin.close()
    return process


def _watch(process, notes, seconds, stop):
    """Wait for the end, and return in words what it was."""
    while process.poll() is None:
        if stop.wait(LOOK):
            return "was stopped with the grading"
        if time.monotonic() - notes.last > WALL * seconds:
            return "did not end: it waits for something that does not come"
    if process.returncode >= 0:
        return f"ended its own process, with exit code {process.returncode}"
    names = {-each.value: each.name for each in signal.Signals}
    name = names.get(process.returncode, f"signal {-process.returncode}")
    if name == "SIGXCPU":
        return f"did not end within {seconds:g} s of processor time"
    return f"was ended by {name}"


class _Notes(threading.Thread):
    """Reads what a process tells, until its end; what is not a note is left out."""

    def __init__(self, pipe, token, notice):
        super().__init__(daemon=True)
        self.pipe, self.token, self.notice = pipe, f"{token} ".encode(), notice
        self.events, self.last = [], time.monotonic()
        self.start()

    def run(self):
        with self.pipe, contextlib.suppress(ValueError, TypeError, OSError):
            for line in self.pipe:
                if line.startswith(self.token):
                    self.events.append(_event(line.removeprefix(self.token)))
                    self.last = time.monotonic()
                    self.notice()

    def attempt(self, ending):
        """Return the `Attempt` that the notes tell of."""
        self.join(1)  # a process that it left behind may hold the pipe
        known, marks, at = {}, {}, None
        for event in self.events:
            known |= event
            at = event.get("begin", at)
            if "mark" in event:
                marks[event["mark"]], at = event["entry"], None
        ending, problem = known.get("raised", ending), known.get("problem", "")
        if "loaded" not in known:
            problem = problem or f"on loading, it {ending}"
        elif "seconds" not in known and at is None:
            problem = problem or ending
        return Attempt(
            marks, at, printable(ending), printable(problem), known.get("seconds", 0)
        )


def _event(note):
    """Return what a note says, with a `Mark` whose texts can be shown anywhere."""
    event = json.loads(note)
    if "entry" in event:
        fields = event["entry"].items()
        event["entry"] = Mark(
            **{k: printable(v) if isinstance(v, str) else tuple(v) for k, v in fields}
        )
    return event


# ------------------------------------------------------------------------ the caretaker


CARETAKER = """
import os, shutil, signal, sys
running = set()
for line in sys.stdin:
    running ^= {int(line)}  # told when it begins, and when it has ended
for process in running:
    try:
        getattr(os, "killpg", os.kill)(process, getattr(signal, "SIGKILL", 15))
    except OSError:
        pass
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


class Caretaker:
    """Knows what runs and what lies about, and clears it away when the grading ends.

    Its `stop` is an event that ends every process, and what is still waiting.
    """

    def __enter__(self):
        self.stop = threading.Event()
        self.root = tempfile.mkdtemp(prefix="npsoftmax-")
        nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = [sys.executable, "-I", "-c", CARETAKER, self.root]
        self.helper = subprocess.Popen(
            command, stdin=subprocess.PIPE, start_new_session=True, **nowhere
        )
        return self

    def __exit__(self, *error):
        self.helper.stdin.close()
        self.helper.wait()

    def folder(self):
        """Give the path of a new folder, which is gone afterwards."""
        return tempfile.TemporaryDirectory(dir=self.root, ignore_cleanup_errors=True)

    @contextlib.contextmanager
    def process(self, process):
        """End the process afterwards, and all that it has started in its group."""
        self._tell(process.pid)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if hasattr(os, "killpg"):
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
            process.wait()
            self._tell(process.pid)

    def _tell(self, number):
        with contextlib.suppress(OSError):
            os.write(self.helper.stdin.fileno(), f"{number}\n".encode())
