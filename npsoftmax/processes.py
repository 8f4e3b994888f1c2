"""In: a function and the calls to make. Out: what they send and return, as it comes,
from several processes at once.

Each process computes with one thread, so a result is the same to the digit with one
process and with many. A call is `work(given, *task, send)`: `given` is what all calls
share; what goes to `send` comes out at once, what is returned comes last.
"""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from typing import Any, NamedTuple

ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
     "VECLIB_MAXIMUM_THREADS"),
    "1",
)  # fmt: skip


class Message(NamedTuple):
    """What a call sent while it runs, or what it returned or raised at its end."""

    task: int  # its position among the tasks
    kind: str  # "sent", "returned" or "raised"
    value: Any


def cores() -> int:
    """Return how many cores this process may use."""
    with contextlib.suppress(AttributeError):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(work: Callable, given: Any, tasks: Sequence[tuple], jobs: int):
    """Yield the Messages of `work(given, *task, send)` for every task.

    jobs: how many run at a time. Tasks begin in their order. Closing the iterator ends
    the processes. Raises ChildProcessError if one ends by itself, as where there is no
    memory left.
    """
    waiting = iter(enumerate(tasks))
    with _started(work, given, min(jobs, len(tasks))) as connections:
        busy = {}
        for connection in connections:
            _hand_out(waiting, connection, busy)
        while busy:
            for connection in wait(list(busy)):
                kind, value = _received(connection)
                yield Message(busy[connection], kind, value)
                if kind != "sent":
                    del busy[connection]
                    _hand_out(waiting, connection, busy)


def _hand_out(waiting, connection, busy):
    """Give a process the next task, if there is one."""
    with contextlib.suppress(StopIteration):
        busy[connection], task = next(waiting)
        connection.send(task)


def _received(connection):
    try:
        return connection.recv()
    except (EOFError, ConnectionError):
        raise ChildProcessError("a process ended before its work was done") from None


@contextlib.contextmanager
def _started(work, given, jobs):
    """Start the processes; yield a connection to each; end them all at last."""
    with contextlib.ExitStack() as stack:
        with _one_thread_and_no_interrupt():
            connections = [
                stack.enter_context(_process(work, given)) for _ in range(jobs)
            ]
        yield connections


@contextlib.contextmanager
def _process(work, given):
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(work, given, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        process.terminate()
        process.join()
        ours.close()


@contextlib.contextmanager
def _one_thread_and_no_interrupt():
    """Let processes that start here inherit one thread each, and no Ctrl-C.

    A Ctrl-C goes to every process of the terminal; only ours is to act on it.
    """
    before = {name: os.environ[name] for name in ONE_THREAD if name in os.environ}
    os.environ.update(ONE_THREAD)
    try:
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not in the main thread, which alone may set signals
        interrupt = None
    try:
        yield
    finally:
        if interrupt is not None:
            signal.signal(signal.SIGINT, interrupt)
        for name in ONE_THREAD:
            del os.environ[name]
        os.environ.update(before)


def _serve(work, given, connection):
    """Do tasks as they come, until the connection closes; in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # not inherited on Windows
    with contextlib.suppress(EOFError, OSError):
        while True:
            task = connection.recv()
            try:
                done = work(given, *task, lambda sent: connection.send(("sent", sent)))
                connection.send(("returned", done))
            except Exception as error:
                connection.send(("raised", error))
