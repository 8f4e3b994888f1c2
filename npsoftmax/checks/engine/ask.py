"""A solution goes in; a report for each function comes out, gate after gate.

Inputs are drawn once for each way to draw, and every property of a function is asked
on the same ones. Where a property fails, Hypothesis draws afresh and makes the input
simpler; the mistake is looked for, and the failure is built once, with all there is to
say. The same seed draws the same inputs.
"""

import contextlib
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from npsoftmax.checks.agree import Kind, Wrong
from npsoftmax.checks.contract import STUDENT
from npsoftmax.checks.draws import FromSeed
from npsoftmax.checks.engine.find import cause_of
from npsoftmax.checks.engine.load import REFERENCE, STUB, WRITTEN, Solution
from npsoftmax.checks.engine.report import (
    NOT_WRITTEN,
    NOT_YOURS,
    RIGHT,
    WAITS,
    WRONG,
    Failure,
    FunctionReport,
)
from npsoftmax.checks.engine.safely import Endless, quietly, said, time_limit
from npsoftmax.checks.engine.smaller import simplest, trimmed
from npsoftmax.checks.engine.subject import Subject
from npsoftmax.checks.layers import CONTRACT

EXAMPLES = 30
LIMIT = 10.0  # seconds that a function may take for all the inputs of a property


def check_solution(
    solution: Solution,
    *,
    only: Iterable[str] | None = None,
    seed: int = 0,
    examples: int = EXAMPLES,
    demand: str = STUDENT,
    progress: Callable[[str, int, int], object] | None = None,
    simplify: bool = True,
) -> Iterator[FunctionReport]:
    """Yield a `FunctionReport` for each function of the contract, in its order, but one
    that calls another comes after that; then for what is there a second time.

    only: names of functions, a name, or None for all. seed: decides what is drawn.
    examples: inputs drawn for each property. demand: "student", or "reference" for what
    npsoftmax asks of itself. progress(function, done, total) is called before each
    property. simplify: whether a failing input is made smaller, which takes most of the
    time. Raises ValueError for a name that is not in the contract.
    """
    for each in (solution, *solution.more):
        asking = Asking(each, seed, examples, demand, simplify)
        for name in _callees_first(each, _chosen(only)):
            yield asking.report(name, progress)


def _chosen(only):
    if only is None:
        return list(CONTRACT)
    only = [only] if isinstance(only, str) else only
    for name in only:
        if name not in CONTRACT:
            raise ValueError(f"{name} is not in the contract: {', '.join(CONTRACT)}")
    return [name for name in CONTRACT if name in only]


def _callees_first(solution, names):
    """Return the names in the contract's order, but what a function needs before it."""
    needs = {
        name: _calls(solution, name) | {CONTRACT[name].forward} - {None}
        for name in names
    }
    waiting, done = list(names), []
    while waiting:
        ready = [name for name in waiting if not needs[name] & {*waiting} - {name}]
        done.append((ready or waiting)[0])
        waiting.remove(done[-1])
    return done


def _calls(solution, name):
    if solution.own or solution.status[name] != WRITTEN:
        return set()
    return {*solution.first[name].calls}


class Asking:
    """One solution, asked about: what is drawn, and the reports so far by function."""

    def __init__(
        self, solution, seed=0, examples=EXAMPLES, demand=STUDENT, simplify=True
    ):
        if type(examples) is not int or examples < 1:
            raise ValueError(f"examples is {examples!r}: it may be 1, 2, 3, ...")
        self.solution, self.seed, self.examples = solution, seed, examples
        self.demand, self.simplify, self.known = demand, simplify, {}
        self._drawn, self._subjects = {}, {}

    def report(self, name, progress=None):
        """Return the `FunctionReport` of a function."""
        rows = self.solution.asked(name, self.demand)
        title = self.solution.title(name)
        report = FunctionReport(name, total=len(rows), title=title)
        self.known[name] = report
        report.verdict, report.note = self.before_asking(name)
        if report.verdict != RIGHT:
            return report
        every = CONTRACT[name].properties
        extreme = [row.draws for row in every if row.gate == "stability"]
        start = time.perf_counter()
        for done, row in enumerate(rows):
            if progress:
                progress(name, done, len(rows))
            if report.failure and row.draws in extreme:
                continue  # what is wrong on extreme inputs hides no ordinary ones
            self._ask_and_note(row, report)
            if report.failure and not report.only_extreme:
                break
        report.seconds = time.perf_counter() - start
        own = self.solution.own or report.verdict != RIGHT
        if not own and name in self.solution.first[name].borrows:
            report.verdict, report.note = NOT_YOURS, "it calls npsoftmax's"
        return report

    def _ask_and_note(self, row, report):
        earlier = None if report.because else report.failure  # said of what it calls
        with quietly() as printed:
            failure = self.ask(row)
            if failure and not failure.right_on_paper:
                because, report.repair = self._because(failure)
                report.because = self.solution.title(because)
                failure = failure if because else self._explained(failure)
        report.examples += len(self.inputs_of(row))
        report.printed = report.printed or printed.getvalue()
        if failure and failure.right_on_paper:
            forward = self.solution.title(CONTRACT[row.function].forward)
            report.note = f"your gradient is right on paper: your {forward} is wrong"
            report.waits.append(row.name)
        elif failure:
            report.verdict = WRONG
            report.extreme, report.failure = earlier, failure
            return
        report.passed.append(row.name)

    def before_asking(self, name):
        """Return the verdict clear from what is there, else RIGHT; and a note."""
        status, forward = self.solution.status[name], CONTRACT[name].forward
        if status == REFERENCE:
            return NOT_YOURS, ""
        if status != WRITTEN:
            return NOT_WRITTEN, "a stub so far" if status == STUB else ""
        if forward and self.solution.status[forward] not in (WRITTEN, REFERENCE):
            return WAITS, f"it needs {forward}, which makes its cache"
        if forward in self.known and _no_cache(self.known[forward].failure):
            return WAITS, f"first repair {self.solution.title(forward)}"
        return RIGHT, ""

    # ------------------------------------------------------------------ one property

    def inputs_of(self, row):
        """Return the inputs on which a property is asked, drawn once."""
        key = row.function, row.draws
        if key not in self._drawn:
            ways = [each.draws for each in CONTRACT[row.function].properties]
            number = zlib.crc32(row.function.encode()), ways.index(row.draws)
            draw = FromSeed(np.random.default_rng([self.seed, *number]))
            always = getattr(row.draws, "always", ())
            drawn = (row.draws(draw) for _ in range(self.examples))
            self._drawn[key] = [*always, *drawn]
        return self._drawn[key]

    def subject(self, name):
        if name not in self._subjects:
            self._subjects[name] = Subject(self.solution, name, self.demand)
        return self._subjects[name]

    def ask(self, row):
        """Return the `Failure` of one property, or None, not yet explained.

        One that is `right_on_paper` is the forward's alone.
        """
        failure = self._smallest(row)
        if not failure:
            return None
        loss_is_right = self._forward_is_right(row.function)
        failure = replace(failure, loss_is_right=loss_is_right)
        if self._is_right_on_paper(failure) or self._is_its_forward_s(failure):
            return replace(failure, right_on_paper=True)
        return failure

    def holds(self, row):
        """Return whether a property holds on the inputs that are drawn for it."""
        return self._first_failing(row) is None

    def _first_failing(self, row, also=None):
        """Return the plain `Failure` at the first drawn inputs that fail, or None.

        also(call): what else must be true of the inputs of its last call.
        """
        subject, inputs = self.subject(row.function), None
        try:
            with time_limit(LIMIT):
                for inputs in self.inputs_of(row):
                    if failure := _tried(row, subject, inputs, also):
                        return failure
        except Endless as error:
            wrong = Wrong(Kind.ENDLESS, str(error), error=error)
            return Failure(row, wrong, inputs, self.solution, subject.last)
        return None

    def _smallest(self, row, also=None):
        """Return the plain `Failure` at the smallest failing inputs, or None."""
        found = [self._first_failing(row, also)]
        if found == [None]:
            return None
        subject = Subject(self.solution, row.function, self.demand)

        def fails(inputs):
            failure = _tried(row, subject, inputs, also)
            if failure:
                found.append(failure)
            return failure is not None

        if self.simplify and found[0].wrong.kind is not Kind.ENDLESS:
            with contextlib.suppress(Endless), time_limit(4 * LIMIT):
                simplest(row.draws, fails, self.seed)
                trimmed(CONTRACT[row.function], found[-1].inputs, fails)
        return found[-1]

    def _because(self, failure):
        """Return what is wrong that it calls, a function or a line, and its repair;
        "" where no repair is enough.
        """
        calls = _calls(self.solution, failure.function)
        if forward := CONTRACT[failure.function].forward:  # what its cache comes from
            calls |= _calls(self.solution, forward)
        for name, known in self.known.items():
            if name in calls and known.verdict == WRONG:
                repair = partial(self.solution.repaired, name)
                if self._is_enough(repair, failure):
                    return known.because or name, repair
        for known in self.known.values():
            cause = known.failure and known.failure.found
            repair = cause and known.name != failure.function and cause.repair
            if repair and self._is_enough(repair, failure):
                return cause.name, repair
        return "", contextlib.nullcontext

    def _is_enough(self, repair, failure):
        with repair(), quietly():
            return self.holds(failure.row)

    # ------------------------------------------------------------------- what is said

    def _explained(self, failure):
        """Return the failure with what a person wants to know beside the fact.

        A cause must explain the inputs that are shown; else others are looked for.
        """
        subject = self.subject(failure.function)
        cause = cause_of(subject, failure, self.seed)
        if cause and not cause.explains(subject, failure.call or {}):
            shown = self._smallest(failure.row, partial(cause.explains, subject))
            cause = cause if shown else None
            if shown:
                failure = replace(shown, loss_is_right=failure.loss_is_right)
        of_loss = failure.gate == "own gradient" and failure.table
        if of_loss and self.demand == STUDENT and failure.loss_is_right:
            failure = replace(failure, wrong=_with_exact_gradient(failure))
        return replace(failure, found=cause)

    def _forward_is_right(self, name):
        """Return whether a backward's forward has right values, checked or not."""
        forward = CONTRACT[name].forward
        if not forward:
            return None
        if forward in self.known:
            return self.known[forward].verdict in (RIGHT, NOT_YOURS)
        return self._all_hold(forward, "value", "stability")

    def _is_right_on_paper(self, failure):
        """Return whether a gradient not its own forward's is the definition's."""
        only_own = failure.gate == "own gradient" and not failure.loss_is_right
        return only_own and self._all_hold(failure.function, "gradient")

    def _all_hold(self, name, *gates):
        rows = [row for row in CONTRACT[name].asked(self.demand) if row.gate in gates]
        return bool(rows) and all(map(self.holds, rows))

    def _is_its_forward_s(self, failure):
        """Return whether a stranger's backward fails by a wrong forward it calls."""
        forward = failure.adapter.function.forward
        return failure.adapter.is_theirs and self._because(failure)[0] == forward


def _no_cache(failure):
    at_once = failure is not None and failure.gate in ("call", "types")
    return at_once and failure.wrong.kind is not Kind.FLOAT32


def _tried(row, subject, inputs, also=None):
    """Return the plain `Failure` if a property fails on the inputs, and also(call)."""
    subject.last = None
    try:
        with _attention(subject.demand):
            row.test(subject, **inputs)
        return None
    except Wrong as raised:
        wrong = raised
    except Exception as error:  # whatever a person's result does to a property
        what = f"its result cannot be used: {said(error)}"
        wrong = Wrong(Kind.TYPE, what, error=error)
    if also and not also(subject.last):
        return None
    return Failure(row, wrong, inputs, subject.solution, subject.last)


@contextlib.contextmanager
def _attention(demand):
    """Make warnings errors for npsoftmax itself, and only there."""
    if demand == STUDENT:
        yield
        return
    floats = np.errstate(divide="warn", over="warn", invalid="warn")
    with floats, warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def _with_exact_gradient(failure):
    """Return what is wrong with npsoftmax's gradient for what differences gave."""
    name, yours, _, mask = failure.table
    right = CONTRACT[failure.function].expected(failure.inputs)[name]
    wrong = failure.wrong
    return Wrong(wrong.kind, wrong.what, (name, yours, right[0], mask), wrong.error)
