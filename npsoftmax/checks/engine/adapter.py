"""How a function is called, and what it is called in what is said.

`AsIs` has the contract's names and arguments. An `Adapter` is a function of theirs,
called as the contract calls its own, and shown as theirs.
"""

import inspect
import re

import numpy as np

from npsoftmax.checks.agree import Kind, Wrong
from npsoftmax.checks.conventions import COLUMNS, ONE_ROW, ROLES, back, laid_out
from npsoftmax.checks.engine.theirs import names_of, settings
from npsoftmax.checks.engine.way import SAME, one_row
from npsoftmax.checks.layers import CONTRACT

DEFAULTS = {"axis": -1, "lam": 0.0, "b": None}


class AsIs:
    """A function that has the contract's own name and arguments."""

    is_theirs = False

    def __init__(self, name):
        self.function, self.title = CONTRACT.get(name), name

    def renamed(self, text):
        """Return a sentence with their names for the contract's."""
        return text

    def laid_out(self, array):
        """Return an array of results as it lies with them."""
        return array

    def shown(self, inputs):
        """Return {their name: value} of what is drawn."""
        return inputs

    def given(self, inputs):
        """Return {their name: value} of what they are given."""
        return {name: inputs[name] for name in self.function.needs if name in inputs}

    def calls(self, given, name="{}".format):
        """Yield the lines that call theirs; `name` makes a name one to be called by."""
        function, d = self.function, self.function.takes[0]
        own = name(function.name)
        if function.forward:
            asked = ", ".join(each for each in given if each != d)
            yield f"_, cache = {name(function.forward)}({asked})"
            yield f"print({own}({d}, cache))"
        else:
            value = "[0]" if function.gives[-1] == "cache" else ""
            yield f"print({own}({', '.join(given)}){value})"


class Adapter:
    """A function of theirs, by a name of the contract."""

    is_theirs = True

    def __init__(self, way, name, margins=(), wrong=""):
        self.way, self.function = way, CONTRACT[name]
        self.margins = margins  # those that are implemented, where not all are
        self.wrong = wrong  # what is, seen while it was read
        kind, empty = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
        self.__signature__ = inspect.Signature(
            inspect.Parameter(each, kind, default=DEFAULTS.get(each, empty))
            for each in self.function.takes
        )
        self.is_backward = self.function.forward is not None
        own = self.is_backward and callable(way.gradient.how)
        self.__wrapped__ = way.gradient.how if own else way.theirs.thing

    @property
    def title(self):
        """What a person calls it: `softmax_loss: loss`, `Softmax.backward`."""
        way, own = self.way, self.way.theirs.name
        if way.gradient and way.gradient.how == SAME:
            return f"{own}: {'gradient' if self.is_backward else 'loss'}"
        method = way.gradient.how if self.is_backward else way.theirs.forward
        if way.theirs.is_class:
            return f"{own}.{method}"
        return method.__name__ if self.is_backward else own

    def __call__(self, *arguments):
        if self.is_backward:
            return self._backward(*arguments)
        inputs = DEFAULTS | dict(zip(self.function.takes, arguments, strict=False))
        inputs = {name: inputs[name] for name in self.function.takes}
        if "axis" in inputs and not self.way.has_axis:
            return self._along(**inputs)
        if self.margins and inputs["m"] not in self.margins:
            return _right(self.function, inputs), inputs
        value, kept = self.way.forward(inputs)
        return (value, kept) if self.function.gives[-1] == "cache" else value

    def _backward(self, d, kept):
        if self.wrong:
            raise Wrong(Kind.VALUE, self.wrong)
        if isinstance(kept, dict):  # of a margin that is not implemented
            return _right(self.function, kept | {self.function.takes[0]: d})
        given = tuple(self.way.backward(d, kept).values())
        return given if len(given) > 1 else given[0]

    def _along(self, z, axis):
        """Return the value along any axis, where theirs knows but the last."""
        value, _ = self.way.forward(_rows(z, axis))
        shape = np.moveaxis(z, axis, -1).shape
        if value.ndim == 1:
            return value.reshape(shape[:-1])
        return np.moveaxis(value.reshape(shape), -1, axis)

    def repaired(self):
        """Return a softmax that gives right values as theirs does, or None."""
        way = self.way
        if way.family.name != "softmax" or way.theirs.is_class or self.is_backward:
            return None

        def right(z, *more, **named):
            given = way.theirs.thing(z, *more, **named)
            rows = np.atleast_2d(back(np.asarray(z), way.view))
            p = laid_out(ROLES["p"].form({"z": rows}), way.view).reshape(np.shape(z))
            return (p, *given[1:]) if isinstance(given, tuple) else p

        return right

    # ---------------------------------------------------------------- in their words

    def renamed(self, text):
        """Return a sentence with their names for the contract's."""
        names = self.way.called()
        names |= {f"d{ours}": f"d{theirs}" for ours, theirs in names.items()}
        return re.sub(r"\b\w+\b", lambda word: names.get(word[0], word[0]), text)

    def laid_out(self, array):
        """Return an array of results as it lies with them."""
        return array.T if self.way.view == COLUMNS and np.ndim(array) == 2 else array

    def shown(self, inputs):
        """Return {their name: value} of what they are given."""
        way, shown = self.way, {}
        if "axis" in inputs and not way.has_axis:
            inputs = _rows(**inputs)
        row = one_row(inputs, 0) if way.view == ONE_ROW else inputs
        handed = way.handed(row)
        for role, name in zip(way.order, way.theirs.names, strict=True):
            shown[name] = handed[role]
        if self.is_backward:
            shown[self._name_of_d()] = laid_out(row[self.function.takes[0]], way.view)
        return shown | {k: v for k, v in inputs.items() if k in ("m", "lam", "axis")}

    given = shown

    def _name_of_d(self):
        """Return their name of the gradient by the value, the contract's if none."""
        how, order = self.way.gradient
        if "d" not in order:
            return self.function.takes[0]
        return names_of(self.way.theirs.method(how))[order.index("d")]

    def calls(self, given, name="{}".format):
        """Yield the lines that call theirs; `name` makes a name one to be called by."""
        way, theirs, call = self.way, self.way.theirs, name(self.way.theirs.name)
        if theirs.is_class:
            made = _listed(theirs.of_object, settings(theirs.thing, given))
            yield f"layer = {call}({made})"
            call = f"layer.{theirs.forward}"
        named = settings(theirs.method(theirs.forward), given)
        call = f"{call}({_listed(theirs.names[len(theirs.of_object) :], named)})"
        if not self.is_backward or way.gradient.how == SAME:
            yield f"print({call})"
            return
        yield f"given = {call}"
        how, order = way.gradient
        things = dict(zip(way.order, theirs.names, strict=True))
        things |= {"d": self._name_of_d(), "cache": "given[1]", "out": "given"}
        call = f"layer.{how}" if isinstance(how, str) else name(how.__name__)
        yield f"print({call}({', '.join(things[role] for role in order)}))"


def _listed(names, named):
    return ", ".join([*names, *(f"{k}={v!r}" for k, v in named.items())])


def _rows(z, axis):
    """Return logits along an axis as rows (N, C)."""
    z = np.moveaxis(z, axis, -1)
    return {"z": z.reshape(-1, z.shape[-1])}


def _right(function, inputs):
    """Return what is right: the value alone, or a tuple of gradients."""
    values = tuple(value for value, _ in function.expected(inputs).values())
    return values if len(values) > 1 else values[0]
