"""A person's code, run so that it does no harm: quiet, and not for ever.

with quietly() as printed: ...      nothing on the screen, no question, no exit
with time_limit(seconds): ...       `Endless` in a function that does not come back
printable(text)                     what it says, without escape codes and NUL
"""

import _thread
import contextlib
import inspect
import io
import os
import signal
import sys
import threading
import time
import traceback
import warnings

import numpy as np

from npsoftmax.terminal import printable

PRINT_LIMIT = 20_000  # characters kept of what a checked function prints
LOOK = 0.05  # seconds between two looks at the clock
WALL = 6  # a sleeping function may take so many times the limit of a busy one


class Endless(Exception):
    """A function did not come back within its time."""


class _Limited(io.StringIO):
    """Keeps the first `PRINT_LIMIT` characters and forgets the rest."""

    def write(self, text):
        room = PRINT_LIMIT - self.tell()
        return super().write(text[: max(room, 0)])

    def getvalue(self):
        return printable(super().getvalue())


@contextlib.contextmanager
def quietly():
    """Keep what a checked function prints, warns of and asks for off the screen."""
    printed, keyboard, leave, floats = _Limited(), sys.stdin, os._exit, np.seterr
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(printed))
        stack.enter_context(contextlib.redirect_stderr(printed))
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(np.errstate(all="ignore"))
        warnings.simplefilter("ignore")
        sys.stdin, os._exit, np.seterr = io.StringIO(), sys.exit, _change_nothing
        try:
            yield printed
        finally:
            sys.stdin, os._exit, np.seterr = keyboard, leave, floats


def _change_nothing(**_):
    """Stand for np.seterr: what one function sets is no other's, nor the checks'."""
    return np.geterr()


@contextlib.contextmanager
def time_limit(seconds):
    """Raise `Endless` in what runs inside, after so many seconds of processor time.

    It is raised at a line of Python, by the interrupt that Ctrl-C sends; one that a
    person sends goes through. Only the main thread can be interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watch = _Watch(seconds)
    try:
        with _interrupts(), watch:
            yield
    except KeyboardInterrupt as interrupt:
        if not watch.fired:
            raise
        error = Endless(f"it did not come back within {seconds:g} s")
        raise error.with_traceback(interrupt.__traceback__) from None


@contextlib.contextmanager
def _interrupts():
    """Let an interrupt through, also in a shell's background, which ignores it."""
    before = signal.getsignal(signal.SIGINT)
    ignored = before in (signal.SIG_IGN, signal.SIG_DFL, None)
    if ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if ignored:
            signal.signal(signal.SIGINT, before or signal.SIG_DFL)


class _Watch(threading.Thread):
    """Looks at the clock until what it watches is over, and interrupts it."""

    def __init__(self, seconds):
        super().__init__(daemon=True)
        self.seconds, self.over, self.fired = seconds, threading.Event(), False
        self.cpu, self.wall = time.process_time(), time.monotonic()

    def run(self):
        while not self.over.wait(20 * LOOK if self.fired else LOOK):
            busy = time.process_time() - self.cpu > self.seconds
            if busy or time.monotonic() - self.wall > WALL * self.seconds:
                self.fired = True
                _thread.interrupt_main()

    def __enter__(self):
        self.start()

    def __exit__(self, *error):
        self.over.set()
        self.join()


def said(error):
    """Return the type and the message of a person's exception, on one line."""
    if isinstance(error, SystemExit):
        return "the code calls exit()"
    try:
        text = printable(" ".join(str(error).split()))
    except KeyboardInterrupt:
        raise
    except BaseException:  # its own __str__ raises
        text = ""
    text = text if len(text) <= 200 else text[:197] + "..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextlib.contextmanager
def codes_run():
    """Give the set of the codes of functions that are called inside."""
    ran, before = set(), sys.getprofile()

    def notice(frame, event, _):
        if event == "call":
            ran.add(frame.f_code)

    sys.setprofile(notice)
    try:
        yield ran
    finally:
        sys.setprofile(before if callable(before) else None)  # cProfile's is none


def some_function(thing):
    """Return a function as it was written, the first method of a class, or None."""
    thing = inspect.unwrap(thing) if callable(thing) else None
    if inspect.isclass(thing):
        return next(filter(inspect.isfunction, vars(thing).values()), None)
    return thing


def line_in(error, place):
    """Return (number, text) of the last line of a file that the error came through.

    place: the file's path, or a function or a class in it.
    """
    code = getattr(some_function(place), "__code__", None)
    filename = code.co_filename if code else str(place)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == filename:
            return frame.lineno, printable((frame.line or "").strip())
    return None
