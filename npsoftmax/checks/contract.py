"""What the checks know of a function: one record. What must be true of it: its rows.

The records stand in layers/, a file a layer; this file says what a record is. The
backward of `x_forward` is `x_backward`, and the gradient by `s` is called `ds`. A
backward's first argument is a gradient by the forward's value; the second, `cache`, is
whatever the forward of the same file gave as its second result.

A row of `properties` is (gate, sentence, test, draws[, demand]): the sentence, read
after the function's name, is true; `test(f, **inputs)` raises `Wrong` where it is not,
for the inputs that `draws(draw)` gives. Rows are asked gate after gate, and no further
than the first that does not hold:

    call          it can be called as the contract says
    types         arrays of the right type and exact shape
    inputs        its arguments are left alone, and it has no memory
    value         the definition's value
    stability     also for wide logits, parallel and zero vectors, tiny and huge norms
    invariants    what the mathematics promises
    own gradient  the backward is the gradient of the same solution's forward
    gradient      the backward is the right gradient
    float32       float32 comes back for float32
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from npsoftmax.checks.paper import entry

POINTS = {  # what a property of each gate is worth
    "call": 1,
    "types": 1,
    "inputs": 1,
    "value": 3,
    "stability": 2,
    "invariants": 1,
    "own gradient": 3,
    "gradient": 2,
    "float32": 1,
}
GATES = tuple(POINTS)

EVERYONE, STUDENT, REFERENCE = "everyone", "student", "reference"


class Property(NamedTuple):
    """One thing that must be true of a function."""

    function: str
    gate: str
    words: str  # what is true of it: `sums to one`
    test: Callable
    draws: Callable
    demand: str = EVERYONE

    @property
    def name(self) -> str:
        return re.sub(r"\W+", "_", self.sentence)

    @property
    def sentence(self) -> str:
        return f"{self.function} {self.words}"

    @property
    def points(self) -> int:
        return POINTS[self.gate]


@dataclass(frozen=True, eq=False)
class Function:
    """All that the checks know of one function of the contract.

    right(**inputs) is the definition: for each result a pair (value, slack), where an
    honest calculation is off by no more than some eps times slack; None for None.
    ordinary(rng, i) and dangerous(rng, i), i = 0, .., 3, give further inputs, of sizes
    that cannot be confused, on which mistakes are told apart. shapes has the letters of
    each array's axes; arrays that share a letter share that size. A backward's record
    has the most of this from its forward's: `backward_of` in generic.py.
    """

    signature: str
    gives: tuple[str, ...]  # the names of its results; a forward's cache is the last
    right: Callable
    rows: tuple[tuple, ...]
    ordinary: Callable
    shapes: Mapping[str, str]
    stub: str  # its docstring in the homework
    hint: str  # the question that leads there and, a paragraph on, how it is done
    dangerous: Callable | None = None  # where it is another than `ordinary`
    forward: str | None = None  # where a backward's cache comes from
    paper: Callable = lambda where, index, **inputs: None  # one entry, as on paper
    about: Callable = lambda inputs: ()  # what one wants to know of inputs, in lines
    keeps: Callable = lambda inputs, smaller: True  # is the smaller input still one?
    name: str = field(init=False)
    takes: tuple[str, ...] = field(init=False)
    needs: tuple[str, ...] = field(
        init=False
    )  # the inputs of a call, its forward's too
    properties: tuple[Property, ...] = field(init=False)

    def __post_init__(self):
        name, _, inside = self.signature.rstrip(")").partition("(")
        takes = tuple(word.split("=")[0] for word in inside.split(", "))
        rows = [Property(name, *row) for row in self.rows]
        rows.sort(key=lambda row: GATES.index(row.gate))
        needs = tuple(inspect.signature(self.right).parameters)
        found = {"name": name, "takes": takes, "properties": rows}
        found["needs"] = needs if self.forward else takes
        found["dangerous"] = self.dangerous or self.ordinary
        for each, value in found.items():
            object.__setattr__(self, each, value)

    @property
    def values(self) -> tuple[str, ...]:
        """The names of its results without the cache."""
        return tuple(name for name in self.gives if name != "cache")

    @property
    def hints(self) -> list[str]:
        return self.hint.split("\n\n")

    def expected(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return {result: (value, slack) or None} for inputs by their names."""
        return dict(zip(self.values, self.right(**inputs), strict=True))

    def sizes(self, inputs: Mapping[str, Any]) -> dict[str, int]:
        """Return the size that each letter of `shapes` has in some inputs."""
        sizes = {}
        for name, axes in self.shapes.items():
            sizes |= zip(axes, np.shape(inputs.get(name)), strict=False)
        return sizes

    def shape_of_value(self, inputs: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the shape of its first result for inputs: () where it is a number."""
        sizes = self.sizes(inputs)
        return tuple(
            sizes[axis] for axis in self.shapes[self.gives[0]] if axis in sizes
        )

    def on_paper(self, inputs, result, index):
        """Return the line that works out one entry of a result, or None."""
        try:
            return self.paper(entry(result, index), index, **inputs)
        except (KeyError, IndexError, TypeError, ValueError, OverflowError):
            return None  # an input that is not the function's own: an invariant's

    def asked(self, demand: str = STUDENT) -> list[Property]:
        """Return the properties that are asked of a student, or of the reference."""
        return [row for row in self.properties if row.demand in (EVERYONE, demand)]
