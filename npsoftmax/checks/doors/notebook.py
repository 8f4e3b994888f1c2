"""One check from the first line to the last, as the command and a notebook show it."""

import math
import sys
import traceback
from collections.abc import Iterable, Mapping
from typing import TextIO

import numpy as np

from npsoftmax.checks import words
from npsoftmax.checks.engine.ask import EXAMPLES, check_solution
from npsoftmax.checks.engine.load import MISSING, Solution
from npsoftmax.checks.engine.report import (
    NOT_WRITTEN,
    RIGHT,
    WRONG,
    FunctionReport,
)
from npsoftmax.checks.layers import CONTRACT
from npsoftmax.terminal import LiveLine, painter, printable


class Outcome:
    """The reports of one check, by function; true if what is written is right."""

    def __init__(self, reports: Iterable[FunctionReport]):
        self.all = list(reports)
        self.reports = {each.name: each for each in reversed(self.all)}

    def __bool__(self) -> bool:
        return self.nothing_is_wrong and RIGHT in self._verdicts

    @property
    def nothing_is_wrong(self) -> bool:
        """Whether no function is wrong; it may be that none is written yet."""
        return WRONG not in self._verdicts

    @property
    def nothing_is_judged(self) -> bool:
        """Whether there is no function that could be called right or wrong."""
        return not {RIGHT, WRONG} & {*self._verdicts}

    @property
    def _verdicts(self):
        return [each.verdict for each in self.all]

    def __getitem__(self, name: str) -> FunctionReport:
        return self.reports[name]

    def __repr__(self):
        return f"<Outcome: {words.summary(self.all)}>"

    def _ipython_display_(self):
        """Say nothing: what there is to say has been printed."""


def check(
    functions: object = None,
    *,
    only: Iterable[str] | None = None,
    names: Mapping[str, str] | None = None,
    columns: bool = False,
    seed: int = 0,
    examples: int = EXAMPLES,
    verbose: bool = False,
    stream: TextIO | None = None,
) -> Outcome:
    """Check a function, several, a module or a dict, print the result, and return it.

    functions: what is checked; npsoftmax itself without it. only: names of functions.
    names: {name of the contract: theirs}, for functions that go by another name;
    columns: a sample is a column.
    seed, examples: what is drawn, and how many inputs for each property. The result is
    true if everything that is written is right: `assert check(softmax)`.

    Raises SolutionError if no function has a name of the contract.
    """
    own = functions is None
    solution = Solution.reference() if own else None
    solution = solution or Solution.from_object(functions, names, columns)
    if only is None:
        only = [name for name in CONTRACT if solution.status[name] != MISSING]
    return show(solution, only, seed, examples, verbose, stream or sys.stdout)


def show(solution, only, seed, examples, verbose, stream):
    """Check, and print each function's line and message as soon as it is known."""
    live, paint, reports = LiveLine(stream), painter(stream), []

    def say(text):
        print(text, file=stream, flush=True)

    def progress(name, done, total):
        live.show(f"  {name:23} {'.' * done}{' ' * (total - done)}|")

    if solution.said:
        say("\n".join(map(words.said_of, solution.said)) + "\n")
    for each in _reports(solution, only, seed, examples, progress):
        live.clear()
        reports.append(each)
        if each.verdict != NOT_WRITTEN:
            say(words.line(each, paint))
            for text in [*_details(each)] * verbose + words.messages(each):
                say(text)
    if solution.is_read:
        reports = [each for each in reports if each.verdict != NOT_WRITTEN]
    if missing := words.not_written(reports):
        say(missing)
    say(f"\n{words.summary(reports)}")
    return Outcome(reports)


def _details(report):
    yield from words.details(report)
    if report.failure and report.failure.error:
        yield printable("".join(traceback.format_exception(report.failure.error)))


def quiet(solution, only, seed, examples):
    """Check without a word."""
    return Outcome(_reports(solution, only, seed, examples))


def _reports(solution, only, seed, examples, progress=None):
    demand = "reference" if solution.own else "student"
    options = {"seed": seed, "examples": examples, "demand": demand}
    return check_solution(solution, only=only, progress=progress, **options)


def as_data(outcome, seed, examples):
    """Return an outcome as plain data, for JSON."""
    functions = [_function_as_data(each) for each in outcome.all]
    right = outcome.nothing_is_wrong
    return {"right": right, "seed": seed, "examples": examples, "functions": functions}


def _function_as_data(each):
    return {
        "name": each.name,
        "called": each.title,
        "verdict": each.verdict,
        "note": each.note,
        "passed": each.passed,
        "properties": each.total,
        "examples": each.examples,
        "seconds": round(each.seconds, 3),
        "failure": each.failure
        and _plain({name: getattr(each.failure, name) for name in OF_A_FAILURE}),
    }


OF_A_FAILURE = (
    *("property", "gate", "what", "inputs", "yours", "expected"),
    *("cause", "diagnosis", "reproducer", "message"),
)


def _plain(value):
    """Return an array or number as lists and floats; nan and inf, not JSON, as text."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
