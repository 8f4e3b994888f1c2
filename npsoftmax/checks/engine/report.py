"""What is found of a function: its verdict, and the property that does not hold."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from npsoftmax.checks import words
from npsoftmax.checks.agree import Wrong
from npsoftmax.checks.contract import Property
from npsoftmax.checks.engine.load import Solution
from npsoftmax.checks.engine.safely import line_in, quietly
from npsoftmax.checks.engine.subject import Subject
from npsoftmax.checks.engine.trials import Cause
from npsoftmax.checks.own_gradient import thorough_check

RIGHT, WRONG = "right", "wrong"
NOT_WRITTEN, NOT_YOURS = "not written yet", "npsoftmax's own"
WAITS = "cannot be checked"


@dataclass(frozen=True)
class Failure:
    """A property that does not hold, at its smallest input, and why perhaps.

    str() is the message.
    """

    row: Property
    wrong: Wrong
    inputs: dict[str, Any]
    solution: Solution
    call: dict[str, Any] | None  # the inputs of the last call, which showed it
    loss_is_right: bool | None = None  # for a backward: what is known of its forward
    found: Cause | None = None
    right_on_paper: bool = False  # a gradient beside whose forward alone is wrong

    @property
    def function(self) -> str:
        return self.row.function

    @property
    def adapter(self):
        """Return how the function is called, and what the person calls it."""
        return self.solution.adapter(self.function)

    @property
    def gate(self) -> str:
        return self.row.gate

    @property
    def what(self) -> str:
        return self.wrong.what

    @property
    def error(self) -> BaseException | None:
        return self.wrong.error

    @property
    def table(self) -> tuple[Any, ...] | None:
        """Return (name, yours, expected, mask of the wrong entries), or None."""
        return self.wrong.table

    @property
    def line(self) -> tuple[int, str] | None:
        """Return (number, text) of the line where an exception arose, or None."""
        return self.error and line_in(self.error, self.solution[self.function])

    @property
    def cause(self) -> str | None:
        """Return the short name of the likely mistake, or None."""
        return self.found and self.found.name

    @property
    def diagnosis(self) -> str | None:
        """Return the likely mistake as a sentence, or None."""
        return self.found and self.found.words

    @property
    def yours(self) -> Any:
        return self.table[1] if self.table else None

    @property
    def expected(self) -> Any:
        return self.table[2] if self.table else None

    @cached_property
    def how(self) -> str:
        """How we know, where there is more to say than the gate's own words."""
        if self.gate == "own gradient":
            with quietly():
                return _agreement(self)
        return self.row.test.__doc__ or ""

    @property
    def message(self) -> str:
        return words.message(self)

    @property
    def reproducer(self) -> str:
        return words.reproducer(self)

    @property
    def property(self):  # the last one, for it hides the built-in of its name
        return self.row.name

    def __str__(self) -> str:
        return self.message


def _agreement(failure):
    """Return the words for how well differences of the person's own loss agree."""
    if not failure.table or failure.solution.own:
        return ""
    try:
        subject = Subject(failure.solution, failure.function)
        checked = thorough_check(subject, failure.inputs)
    except Exception:  # a person's forward, at inputs that nobody has seen before
        return ""
    name, _, right, _ = failure.table
    numeric = {f"d{each.name}": each.numeric for each in checked.inputs}.get(name)
    if numeric is None or numeric.shape != np.shape(right):
        return ""
    off = np.max(np.abs(numeric - right), initial=1e-16)
    forward = failure.solution.title(subject.function.forward)
    return (
        f"{checked.method} differences of your {forward} "
        f'at this input agree with "expected" to {off:.0e}'
    )


@dataclass
class FunctionReport:
    """What is known of one function: the verdict, what holds, and what does not.

    verdict: RIGHT, WRONG, NOT_WRITTEN, NOT_YOURS or WAITS (its forward is not there).
    passed and total: names and number of the properties asked; examples: inputs drawn.
    waits: those of passed that only a wrong forward does not let hold yet.
    """

    name: str
    verdict: str = RIGHT
    passed: list[str] = field(default_factory=list)
    total: int = 0
    failure: Failure | None = None
    note: str = ""
    examples: int = 0
    seconds: float = 0.0
    printed: str = ""
    waits: list[str] = field(default_factory=list)
    title: str = ""  # what the person calls it
    extreme: Failure | None = None  # on extreme inputs, beside one on ordinary ones
    because: str = ""  # the function that it calls, and that alone makes it wrong
    repair: Callable = nullcontext  # puts that right for a moment

    @property
    def only_extreme(self) -> bool:
        """Whether all ordinary inputs are right."""
        return self.failure is not None and self.failure.gate == "stability"
