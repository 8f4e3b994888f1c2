"""A solution goes in; a report for each function comes out, gate after gate.

Hypothesis draws and shrinks; it keeps no database, does not time the code under test,
and what it would print is caught. The same seed draws the same inputs.
"""

import contextlib
import functools
import tempfile
import time
import warnings
from dataclasses import dataclass, field

import numpy as np
from hypothesis import HealthCheck, Phase, configuration, given, settings
from hypothesis import seed as with_seed

from npsoftmax.checks import report
from npsoftmax.checks.contract import CONTRACT
from npsoftmax.checks.diagnosis import diagnose
from npsoftmax.checks.expected import expected
from npsoftmax.checks.own_gradient import thorough_check
from npsoftmax.checks.properties import properties_of
from npsoftmax.checks.solution import REFERENCE, STUB, WRITTEN, line_in, quietly, said
from npsoftmax.checks.subject import Subject, Wrong
from npsoftmax.checks.trimming import trimmed

EXAMPLES = 30
SHRINKING = 2.0  # seconds that may be spent on making a failing input smaller

RIGHT, WRONG = "right", "wrong"
NOT_WRITTEN, NOT_YOURS = "not written yet", "npsoftmax's own"
WAITS = "cannot be checked"


@dataclass
class Failure:
    """The first property that does not hold, at its smallest input, and why perhaps.

    cause is the short name of the likely mistake, diagnosis the same as a sentence;
    both are None where no known mistake explains what was seen. str() is the message.
    """

    function: str
    property: str
    gate: str
    what: str
    inputs: dict
    table: tuple | None = None  # name, yours, expected, mask of the wrong entries
    error: BaseException | None = None
    call: dict | None = None  # the inputs of the call that showed it
    loss_is_right: bool | None = None  # for a backward: what is known of its forward
    cause: str | None = None
    diagnosis: str | None = None
    confirmed: int = 0  # the further inputs on which the diagnosis holds
    reproducer: str = ""
    line: tuple | None = None  # where the error arose: number and text
    how: str = ""  # how we know, where there is more to say than the gate's own words
    right_on_paper: bool = False  # a gradient beside whose forward alone is wrong

    @property
    def message(self):
        return report.message(self)

    @property
    def yours(self):
        return self.table[1] if self.table else None

    @property
    def expected(self):
        return self.table[2] if self.table else None

    def __str__(self):
        return self.message


@dataclass
class FunctionReport:
    """What is known of one function: the verdict, what holds, and what does not.

    verdict: RIGHT, WRONG, NOT_WRITTEN, NOT_YOURS or WAITS (its forward is not there).
    passed and total: names and number of the properties asked; examples: inputs drawn.
    waits: those of passed that only a wrong forward does not let hold yet.
    """

    name: str
    verdict: str = RIGHT
    passed: list = field(default_factory=list)
    total: int = 0
    failure: Failure | None = None
    note: str = ""
    examples: int = 0
    seconds: float = 0.0
    printed: str = ""
    waits: list = field(default_factory=list)


def check_solution(
    solution, *, only=None, seed=0, examples=EXAMPLES, demand="student", progress=None
):
    """Yield a `FunctionReport` for each function of the contract, in its order.

    only: names of functions, or None for all. seed: an integer, decides what is drawn.
    examples: inputs drawn for each property. demand: "student", or "reference" for what
    npsoftmax asks of itself. progress(function, done, total) is called before each
    property. Raises ValueError for a name that is not in the contract.
    """
    known = {}
    for name in _chosen(only):
        known[name] = _check_function(
            solution, name, seed, examples, demand, progress, known
        )
        yield known[name]


def _chosen(only):
    if only is None:
        return list(CONTRACT)
    for name in only:
        if name not in CONTRACT:
            raise ValueError(f"{name} is not in the contract: {', '.join(CONTRACT)}")
    return [name for name in CONTRACT if name in only]


def _check_function(solution, name, seed, examples, demand, progress, known):
    rows = properties_of(name, demand)
    checked = FunctionReport(name, total=len(rows))
    if not _can_be_asked(solution, checked, known):
        return checked
    subject, start = Subject(solution, name, demand), time.perf_counter()
    for done, row in enumerate(rows):
        if progress:
            progress(name, done, len(rows))
        with quietly() as printed:
            failure, drawn = ask(row, subject, seed, examples, known)
        checked.examples += drawn
        checked.printed = checked.printed or printed.getvalue()
        if failure and failure.right_on_paper:
            checked.note = report.right_on_paper(name)
            checked.waits.append(row.name)
        elif failure:
            checked.verdict, checked.failure = WRONG, failure
            break
        checked.passed.append(row.name)
    checked.seconds = time.perf_counter() - start
    return checked


def _can_be_asked(solution, checked, known):
    """Set the verdict where there is nothing to ask, and return whether there is."""
    checked.verdict, checked.note = before_asking(solution, checked.name, known)
    return checked.verdict == RIGHT


def before_asking(solution, name, known=()):
    """Return the verdict that is clear from what is there, else RIGHT; and a note."""
    status, forward = solution.status[name], CONTRACT[name].forward
    if status == REFERENCE:
        return NOT_YOURS, ""
    if status != WRITTEN:
        return NOT_WRITTEN, "a stub so far" if status == STUB else ""
    if forward and solution.status[forward] not in (WRITTEN, REFERENCE):
        return WAITS, f"it needs {forward}, which makes its cache"
    if forward in known and _no_cache(known[forward]):
        return WAITS, f"first repair {forward}"
    return RIGHT, ""


def _no_cache(forward_report):
    failure = forward_report.failure
    return failure is not None and failure.gate in ("call", "types")


def ask(row, subject, seed=0, examples=EXAMPLES, known=()):
    """Return the explained `Failure` of one property, or None; and the inputs drawn.

    known: the reports of functions that have been checked before, by name. A failure
    that is `right_on_paper` is the forward's alone.
    """
    failure, drawn = run_property(row, subject, seed, examples)
    if failure:
        if subject.function.forward:
            failure.loss_is_right = _forward_is_right(subject, known, seed)
        failure.right_on_paper = _is_right_on_paper(failure, subject, seed, examples)
    if failure and not failure.right_on_paper:
        _explain(failure, subject, seed)
    return failure, drawn


def run_property(row, subject, seed=0, examples=EXAMPLES):
    """Return the bare `Failure` at the smallest input, or None; and how many drawn."""
    hunt = _Hunt(row, subject)
    run = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )(with_seed(seed)(given(inputs=row.draws)(lambda inputs: hunt(inputs))))
    any(hunt.fails(inputs) for inputs in row.always)
    try:
        with _files_elsewhere():
            run()
    except Exception:
        if hunt.smallest is None:
            raise
    if hunt.smallest is None:
        return None, hunt.drawn
    trimmed(hunt.smallest[0], hunt.fails)
    inputs, wrong, call = hunt.smallest
    what, table, error = wrong.what, wrong.table, wrong.error
    failure = Failure(row.function, row.name, row.gate, what, inputs, table, error)
    failure.call, failure.how = call, row.test.__doc__ or ""
    return failure, hunt.drawn


@contextlib.contextmanager
def _files_elsewhere():
    """Keep what Hypothesis writes down out of the person's folder."""
    before = getattr(configuration, "__hypothesis_home_directory", None)
    configuration.set_hypothesis_home_dir(_folder().name)
    try:
        yield
    finally:
        configuration.set_hypothesis_home_dir(before)


@functools.cache
def _folder():
    return tempfile.TemporaryDirectory(prefix="npsoftmax-")


@contextlib.contextmanager
def _attention(demand):
    """Make warnings errors for npsoftmax itself, and only there."""
    if demand == "student":
        yield
        return
    floats = np.errstate(divide="warn", over="warn", invalid="warn")
    with floats, warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


class _Hunt:
    """One property on input after input; remembers the last, smallest, failing one.

    When shrinking has had its time, only the smallest input so far still fails.
    """

    def __init__(self, row, subject):
        self.row, self.subject = row, subject
        self.smallest, self.key = None, ""
        self.drawn, self.until = 0, np.inf

    def __call__(self, inputs):
        self.drawn += 1
        self.subject.last = None
        if time.perf_counter() > self.until and repr(inputs) != self.key:
            return
        try:
            with _attention(self.subject.demand):
                self.row.test(self.subject, **inputs)
        except Exception as error:  # whatever a person's result does to a property
            wrong = error if isinstance(error, Wrong) else _unforeseen(error)
            if self.smallest is None:
                self.until = time.perf_counter() + SHRINKING
            self.smallest = inputs, wrong, self.subject.last
            self.key = repr(inputs)
            raise

    def fails(self, inputs):
        """Return whether the property fails on the inputs, and remember them if so."""
        self.until = np.inf
        try:
            self(inputs)
        except Exception:
            return True
        return False


def _unforeseen(error):
    return Wrong(f"its result cannot be used: {said(error)}", error=error)


def _explain(failure, subject, seed):
    """Fill in what a person wants to know beside the fact."""
    if failure.error:
        failure.line = line_in(failure.error, subject.solution[failure.function])
    if failure.gate == "own gradient" and failure.table and subject.demand == "student":
        if failure.loss_is_right:
            failure.table = _with_exact_gradient(failure)
        failure.how = _agreement(failure, subject)
    diagnosis = diagnose(subject, failure, seed)
    if diagnosis:
        failure.cause, failure.diagnosis, failure.confirmed = diagnosis
    given = _given(failure, subject)
    failure.reproducer = report.reproducer(failure, subject.solution, given)


def _forward_is_right(subject, known, seed):
    """Return whether the values of a backward's forward are right, checked or not."""
    forward = subject.function.forward
    if forward in known:
        return known[forward].verdict in (RIGHT, NOT_YOURS)
    values = ("value", "stability")
    rows = [row for row in properties_of(forward, subject.demand) if row.gate in values]
    of_forward = subject.of(forward)
    return not any(run_property(row, of_forward, seed)[0] for row in rows)


def _is_right_on_paper(failure, subject, seed, examples):
    """Return whether a gradient that is not its own forward's is the definition's."""
    if failure.gate != "own gradient" or failure.loss_is_right:
        return False
    rows = properties_of(subject.name, subject.demand)
    rows = [row for row in rows if row.gate == "gradient"]
    asked = (run_property(row, subject, seed, examples)[0] for row in rows)
    return bool(rows) and not any(asked)


def _given(failure, subject):
    """Return the arguments of the last call at the smallest input, by their names."""
    function = subject.function
    names = function.takes
    if function.forward:
        names = (*CONTRACT[function.forward].takes, function.takes[0])
    given = failure.call or failure.inputs
    return {name: given[name] for name in names if name in given}


def _with_exact_gradient(failure):
    """Return the table with npsoftmax's gradient for what differences gave."""
    name, yours, _, wrong = failure.table
    right = expected(failure.function, failure.inputs)[name]
    return name, yours, right[0], wrong


def _agreement(failure, subject):
    """Return the words for how well differences of the person's own loss agree."""
    try:
        checked = thorough_check(subject, failure.inputs)
    except Exception:  # a person's forward, at inputs that nobody has seen before
        return ""
    name, _, right, _ = failure.table
    for each in checked.inputs:
        if f"d{each.name}" == name and each.numeric.shape == np.shape(right):
            off = np.max(np.abs(each.numeric - right), initial=0.0)
            return (
                f"{checked.method} differences of your {subject.function.forward} "
                f'at this input agree with "expected" to {max(off, 1e-16):.0e}'
            )
    return ""
