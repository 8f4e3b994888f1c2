"""A way to ask a function of theirs, and the gradient beside it.

In go a `Theirs`, the roles of its arguments, and how arrays lie (conventions.py); out
come values and gradients as the contract has them. What is accepted beside the contract
stands in `Way.accepted`, so that it can be said.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from npsoftmax.checks.agree import Kind, Wrong
from npsoftmax.checks.conventions import (
    EACH,
    INSIDE,
    ONE_ROW,
    ROLES,
    SUM,
    Family,
    back,
    laid_out,
)
from npsoftmax.checks.engine.theirs import (
    Theirs,
    parameters,
    setting_of,
)
from npsoftmax.checks.layers import CONTRACT

OUTPUTS = r"out(put)?s?|loss|probs?|y|a|p"  # what a forward leaves in self
GRADIENTS = r"(d|grad).*"  # what a backward leaves there
SAME = "same"  # loss and gradient come from one function


class Gradient(NamedTuple):
    """What gives the gradient: SAME, a method's name or a function; its arguments."""

    how: str | Callable
    order: tuple = ()


class Kept(SimpleNamespace):
    """What a forward leaves for its backward: all that it was given, and gave."""


@dataclass
class Way:
    """How a forward of theirs is asked, and the gradient beside it."""

    family: Family
    theirs: Theirs
    roles: tuple
    order: tuple  # the roles of the arguments of the call
    view: str
    strict: bool = False  # it has a name and the arguments of the contract
    gradient: Gradient | None = None
    accepted: set = field(default_factory=set)  # in words, beside the contract

    @property
    def has_axis(self):
        return any(
            setting_of(p.name) == "axis"
            for p in parameters(self.theirs.method(self.theirs.forward))
        )

    def called(self):
        """Return {contract's name: theirs} of the inputs."""
        names = zip(self.order, self.theirs.names, strict=True)
        return {ROLES[role].of: name for role, name in names}

    def works(self, inputs):
        """Return whether a forward gives finite numbers of the right shape."""
        try:
            return bool(np.isfinite(self.forward(inputs)[0]).all())
        except Exception:
            return False

    # ---------------------------------------------------------------------- forward

    def handed(self, inputs):
        """Return what they are given, by roles; `inputs` are the contract's."""
        forms = {r: ROLES[r].form for r in self.roles}
        given = {r: form(inputs) if form else inputs[r] for r, form in forms.items()}
        return {r: laid_out(value, self.view) for r, value in given.items()}

    def forward(self, inputs):
        """Return the value and what is kept for the backward."""
        if self.view != ONE_ROW:
            return self._value_and_kept(inputs)
        rows = [one_row(inputs, i) for i in range(len(inputs["z"]))]
        values, kept = zip(*map(self._value_and_kept, rows), strict=True)
        return np.mean(values) if self.family.is_loss else np.concatenate(values), kept

    def _value_and_kept(self, inputs):
        handed, theirs = self.handed(inputs), self.theirs
        arguments = [handed[role] for role in self.order]
        obj, own = theirs.made(arguments, inputs), len(theirs.of_object)
        call = theirs.forward, arguments[own:], inputs, obj
        results = theirs.results(*call, OUTPUTS)
        found = [value for _, value in results]
        first = [value for name, value in results if not name][:1]
        among = found if self.family.is_loss else first or found
        shape = () if self.family.is_loss else self.family.shape(inputs)
        for i, out in enumerate(among):
            value = self._value(out, shape, _rows(inputs))
            if value is not None:
                rest = tuple(found[:i] + found[i + 1 :])
                rest = rest[0] if len(rest) == 1 else rest
                given = {"handed": handed, "inputs": inputs, "obj": obj}
                return value, Kept(out=out, rest=rest, **given)
        raise Wrong(Kind.SHAPE, f"it gives nothing of shape {shape}")

    def _value(self, given, shape, rows):
        """Return a result as the contract has it, or None where it is not the value."""
        array = _real(given)
        if array is None or (isinstance(given, list) and self.view != ONE_ROW):
            return None
        array = back(array, self.view)
        if self.family.is_loss and (not self.strict or self.view == ONE_ROW):
            if array.size == rows > 1:
                self.accepted.add(EACH)
                array = array.mean()
            array = array.reshape(shape) if array.size == 1 else array
        if array.shape != shape:
            return None
        return (array / rows if SUM in self.accepted else array)[()]

    # --------------------------------------------------------------------- backward

    def backward(self, d, kept):
        """Return the gradients, by the contract's names."""
        if self.view != ONE_ROW:
            return self._gradients(d, kept)
        n = len(kept)
        rows = [d[i : i + 1] if np.ndim(d) else d / n for i in range(n)]
        parts = [self._gradients(*each) for each in zip(rows, kept, strict=True)]
        return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}

    @property
    def _gives(self):
        return CONTRACT[self.family.backward].gives

    def _gradients(self, d, kept):
        how, order = self.gradient
        found = [("", kept.rest)]
        if how != SAME:
            things = kept.handed | {"cache": kept.rest, "out": kept.out}
            things["d"] = laid_out(np.asarray(d), self.view) if np.ndim(d) else d
            call = how, [things[role] for role in order], kept.inputs, kept.obj
            found = self.theirs.results(*call, GRADIENTS)
        gradients = dict.fromkeys(self._gives)
        for name in gradients:
            if kept.inputs[name[1:]] is not None:
                i, array = self._found(name, found, kept.inputs)
                gradients[name] = self._finished(name, array, d, kept.inputs)
                del found[i]
        return gradients

    def _found(self, name, found, inputs):
        """Return (place, array): of what they gave, what has the shape of an input."""
        shape = inputs[name[1:]].shape
        own = {f"d{n}".lower() for n in (name[1:], self.called().get(name[1:]))}
        places = sorted(range(len(found)), key=lambda i: found[i][0].lower() not in own)
        for i in places:
            array = self._gradient(name, found[i][1], shape, inputs)
            if array is not None:
                return i, array
        raise Wrong(Kind.SHAPE, f"it gives no {name} of shape {shape}")

    def _gradient(self, name, given, shape, inputs):
        """Return a gradient, or a Jacobian a row, or None where it is neither."""
        array = _real(given)
        if array is None or array.ndim == 0:
            return None
        role = next(role for role in self.roles if ROLES[role].of == name[1:])
        array = back(array, self.view)
        if ROLES[role].back:
            array = ROLES[role].back(array, inputs)
        jacobians = (*shape, shape[-1]) if len(self._gives) == 1 else shape
        return array if array.shape in (shape, jacobians) else None

    def _finished(self, name, array, d, inputs):
        """Return a gradient multiplied by the cotangent d, as the contract has it."""
        if array.ndim > np.ndim(inputs[name[1:]]):
            return (array @ np.asarray(d)[..., None])[..., 0]
        if "d" not in self.gradient.order:
            array = array * d
        if SUM in self.accepted:
            array = array / _rows(inputs)
        in_the_mean = INSIDE in self.accepted and name in ("dW", "db")
        return array * _rows(inputs) if in_the_mean else array


def one_row(inputs, i):
    """Return inputs of which only one row is left."""
    return {k: v[i : i + 1] if np.ndim(v) else v for k, v in inputs.items()}


def _rows(inputs):
    return len(next(iter(inputs.values())))


def _real(given):
    """Return a result as an array of real numbers, or None; its type stays."""
    try:
        array = np.asarray(given)
    except ValueError:
        return None
    if array.dtype.kind not in "fiub":
        return None
    whole = array.dtype.kind == "b" or not isinstance(given, np.ndarray)
    return array.astype(float) if whole and array.dtype.kind in "iub" else array
