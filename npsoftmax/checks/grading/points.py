"""What holds of a function becomes points; `--points FILE` says what each is worth.

share(name, held)      nothing while the value is wrong, else what holds, from 0 to 1
read_weights(path)     {function: points} from lines such as `softmax = 10`

Form is worth nothing beside a wrong value; with a right one, every property counts,
also those behind the first that does not hold. What fails only because a function that
it calls is wrong has been asked again beside a right one.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from npsoftmax.checks.layers import CONTRACT


class Mark(NamedTuple):
    """What is known of one function: `held` are the names of the properties it has."""

    state: str
    held: tuple = ()
    why: str = ""  # it does not have every point
    because: str = ""  # the function that it calls, and that alone is wrong
    input: str = ""  # the smallest that fails, as it could be typed in
    looks_like: str = ""
    message: str = ""  # as `npsoftmax check` says it
    borrows: tuple = ()  # functions of npsoftmax that it calls


@dataclass
class Grade:
    """What one file is worth: a `Mark` for each function that was asked for."""

    submission: object  # of submissions.py
    weights: dict
    marks: dict = field(default_factory=dict)
    problem: str = ""  # why the file could not be checked at all
    seconds: float = 0.0

    def share_of(self, name):
        return share(name, self.marks[name].held) if name in self.marks else 0.0

    def points_of(self, name):
        return self.weights[name] * self.share_of(name)

    def points(self, names=None):
        """Return the points of some functions, or of all."""
        return sum(map(self.points_of, self.weights if names is None else names))

    def percent(self, names=None):
        """Return the points of some functions, or of all, in percent."""
        names = self.weights if names is None else names
        return 100 * self.points(names) / sum(self.weights[name] for name in names)

    @property
    def complete(self):
        return all(self.share_of(name) == 1 for name in self.weights)


def share(name, held):
    """Return what a function is worth, from 0 to 1, by the properties it has."""
    rows = CONTRACT[name].asked()
    if decisive(name).name not in held:
        return 0.0
    best = sum(row.points for row in rows)
    return sum(row.points for row in rows if row.name in held) / best


def decisive(name):
    """Return the property without which nothing counts: the right value or gradient."""
    rows = CONTRACT[name].asked()
    return next(row for row in rows if row.gate in ("value", "gradient"))


class GradingError(Exception):
    """What cannot be graded, read or written, with the one line that says why."""


def read_weights(path):
    """Return {function: points} for the functions that a TOML file names."""
    try:
        entries = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise GradingError(f"{path}: {error.strerror.lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        example = "a line is `softmax = 10`"
        raise GradingError(f"{path}: {error}; {example}") from None
    for name, points in entries.items():
        if name not in CONTRACT:
            names = ", ".join(CONTRACT)
            raise GradingError(f"{path}: {name} is no function of these: {names}")
        if type(points) not in (int, float) or not 0 < points < float("inf"):
            raise GradingError(f"{path}: {name} = {points} is no number above 0")
    if not entries:
        raise GradingError(f"{path} gives no points: a line is `softmax = 10`")
    return {name: entries[name] for name in CONTRACT if name in entries}
