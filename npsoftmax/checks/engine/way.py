"""A way to ask a function of theirs, and the gradient beside it.

In go a `Theirs`, the roles of its arguments, and how arrays lie (conventions.py); out
come values and gradients as the contract has them. What is accepted beside the contract
stands in `Way.accepted`, so that it can be said.
"""

import inspect
import itertools
import re

import numpy as np

from npsoftmax.checks.agree import Kind, Wrong
from npsoftmax.checks.conventions import (
    FAMILIES,
    IS_THE,
    ONE_ROW,
    ROLES,
    ROWS,
    SETTINGS,
    SUGGESTS,
    back,
    laid_out,
)
from npsoftmax.checks.layers import CONTRACT

FORWARDS = ("forward", "__call__", "loss", "call")
BACKWARDS = ("backward", "gradient", "grad", "derivative")
OUTPUTS = r"out(put)?s?|loss|probs?|y|a|p"  # what a forward leaves in self
GRADIENTS = r"(d|grad).*"  # what a backward leaves there
SAME = "same"  # loss and gradient come from one function
CONSTANT = {"axis": -1, "reg": 0.0, "learning rate": 0.0, "name": "layer"}


# ------------------------------------------------------------------ what can be called


class Theirs:
    """A function, or a class with a method that goes forward and one that goes back."""

    def __init__(self, name, thing):
        self.name, self.thing, self.is_class = name, thing, inspect.isclass(thing)
        self.forward = next(self.methods(FORWARDS), None)

    def methods(self, names):
        """Yield those of some methods that a class has."""
        if self.is_class:
            own = {n for each in self.thing.__mro__[:-1] for n in vars(each)}
            yield from (name for name in names if name in own)

    def method(self, name):
        """Return a method by its name, a function as it is."""
        return getattr(self.thing, name) if isinstance(name, str) else name

    @property
    def call(self):
        return self.method(self.forward) if self.is_class else self.thing

    @property
    def weights(self):
        """The roles that go into __init__."""
        asked = parameters(self.thing.__init__) if self.is_class else ()
        return [r for r in "WVb" if any(suggests(r, each) for each in asked)]

    def made(self, handed, inputs):
        """Return an instance, with the settings and weights its __init__ asks for."""
        given = settings(self.thing, inputs)
        for each in data_of(self.thing):
            role = next((r for r in handed if r in "WVb" and suggests(r, each)), None)
            if not role:
                raise TypeError(f"nothing is known of {each.name}")
            given[each.name] = handed[role]
        return self.thing(**given)


def parameters(function):
    """Return the parameters of a function that have a name, without self."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    named = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    return [p for p in found if p.kind in named and p.name != "self"]


def data_of(function):
    """Return the parameters that data goes to: no setting, and no default."""
    return [
        p
        for p in parameters(function)
        if not setting_of(p.name)
        and (p.default is p.empty or suggests("d", p) or p.name == "b")
    ]


def setting_of(name):
    """Return the setting that a parameter is, by its name, or None."""
    return next((key for key, names in SETTINGS.items() if _matches(names, name)), None)


def settings(function, inputs):
    """Return {name: value} of the settings that a function has."""
    known = CONSTANT | inputs
    names = {p.name: setting_of(p.name) for p in parameters(function)}
    return {name: known[each] for name, each in names.items() if each in known}


def suggests(role, parameter):
    """Return whether a parameter's name suggests a role."""
    return _matches(SUGGESTS.get(role, role), parameter.name)


def _matches(pattern, name):
    return re.fullmatch(pattern, name, re.IGNORECASE) is not None


def orders(asked, roles):
    """Return the ways to give roles to parameters, those that names suggest first.

    What is called a gradient is given one.
    """
    ways = itertools.permutations(roles, len(asked))
    if "d" in roles and any(suggests("d", each) for each in asked):
        ways = (w for w in ways if "d" in w and suggests("d", asked[w.index("d")]))

    def strange(way):
        return sum(not suggests(r, p) for r, p in zip(way, asked, strict=True))

    return sorted(ways, key=strange)


# ------------------------------------------------------------------------ a way to ask


class Kept:
    """What a forward leaves for its backward: all that it was given, and gave."""

    def __init__(self, **what):
        vars(self).update(what)


class Way:
    """How a forward of theirs is asked, and the gradient beside it."""

    def __init__(self, family, theirs, roles, order, view, strict=False):
        self.family, self.theirs = family, theirs
        self.roles, self.order, self.view = roles, order, view
        self.strict = strict  # it has a name and the arguments of the contract
        self.gradient = None  # (SAME,) or (a function or method's name, its order)
        self.accepted = {}  # what is beside the contract, in words
        self.images, self.margins = False, None
        self.wrong = ""  # what is, seen while it was read
        self.why = ""  # its gradient could not be read

    @property
    def backward_name(self):
        return FAMILIES[self.family][2]

    @property
    def has_axis(self):
        return any(setting_of(p.name) == "axis" for p in parameters(self.theirs.call))

    def called(self):
        """Return {contract's name: theirs} of the inputs."""
        names = zip(self.order, data_of(self.theirs.call), strict=True)
        return {IS_THE.get(role, role): each.name for role, each in names}

    # ---------------------------------------------------------------------- forward

    def handed(self, inputs):
        """Return what they are given, by roles; `inputs` are the contract's."""
        given = {r: laid_out(r, ROLES[r](inputs), self.view) for r in self.roles}
        if self.view == ONE_ROW:
            given = {role: value[0] for role, value in given.items()}
        if self.images and given["x"].shape[1] % 2 == 0:
            given["x"] = given["x"].reshape(len(given["x"]), 2, -1)
        return given

    def forward(self, inputs):
        """Return the value and what is kept for the backward."""
        if self.margins and inputs["m"] not in self.margins:
            right = CONTRACT["lsoftmax_forward"].expected(inputs)
            return right["z"][0], Kept(stand_in=inputs)
        if self.view != ONE_ROW:
            return self._once(inputs)
        rows = [one_row(inputs, i) for i in range(len(inputs["z"]))]
        values, kept = zip(*map(self._once, rows), strict=True)
        value = np.mean(values) if self.family == "cross_entropy" else np.stack(values)
        return value, Kept(rows=kept)

    def works(self, inputs):
        """Return whether a forward gives finite numbers of the right shape."""
        try:
            return bool(np.isfinite(self.forward(inputs)[0]).all())
        except Exception:
            return False

    def _once(self, inputs):
        handed, obj, call = self.handed(inputs), None, self.theirs.call
        if self.theirs.is_class:
            obj = self.theirs.made(handed, inputs)
            call = getattr(obj, self.theirs.forward)
        raw = call(*(handed[r] for r in self.order), **settings(call, inputs))
        found = [each for _, each in _results(raw, obj, OUTPUTS)]
        shape = self._shape_of_value(inputs)
        among = found if self.family == "cross_entropy" or raw is None else found[:1]
        for i, out in enumerate(among):
            value = self._value(out, shape, len(inputs.get("z", "-")))
            if value is not None:
                rest = tuple(found[:i] + found[i + 1 :])
                rest = rest[0] if len(rest) == 1 else rest
                given = {"handed": handed, "inputs": inputs, "obj": obj}
                return value, Kept(out=out, rest=rest, **given)
        raise Wrong(Kind.SHAPE, f"it gives nothing of shape {shape}")

    def _shape_of_value(self, inputs):
        if self.family == "cross_entropy":
            return ()
        if self.family in ("linear", "lsoftmax"):
            return len(inputs["x"]), inputs["W"].shape[1]
        shape = list(inputs["h" if self.family == "relu" else "z"].shape)
        if self.family == "logsumexp":
            del shape[inputs.get("axis", -1)]
        return tuple(shape[1:] if self.view == ONE_ROW else shape)

    def _value(self, given, shape, rows):
        """Return a result as the contract has it, or None where it is not the value."""
        array = _real(given)
        if array is None or (isinstance(given, list) and self.view != ONE_ROW):
            return None
        array = back(array, self.view)
        if self.family == "cross_entropy" and not self.strict:
            if array.size == rows > 1:
                self.accepted["each"] = "one loss a sample"
                array = array.mean()
            array = array.reshape(shape) if array.size == 1 else array
        if array.shape != shape:
            return None
        if "sum" in self.accepted:
            array = array / rows
        return array[()] if array.ndim == 0 else array

    # --------------------------------------------------------------------- backward

    def backward(self, d, kept):
        """Return the gradients, by the contract's names."""
        if hasattr(kept, "stand_in"):
            right = CONTRACT["lsoftmax_backward"].expected(kept.stand_in | {"dz": d})
            return {name: value for name, (value, _) in right.items()}
        if self.view != ONE_ROW:
            return self._gradients(d, kept)
        d = d if np.ndim(d) else np.full(len(kept.rows), d / len(kept.rows))
        rows = zip(d, kept.rows, strict=True)
        parts = [self._gradients(each, row) for each, row in rows]
        return {name: np.stack([p[name] for p in parts]) for name in parts[0]}

    def _gradients(self, d, kept):
        how, *order = self.gradient
        found = [("", kept.rest)]
        if how != SAME:
            call = getattr(kept.obj, how) if isinstance(how, str) else how
            things = kept.handed | {"cache": kept.rest, "out": kept.out}
            things["d"] = laid_out("d", np.asarray(d), self.view) if np.ndim(d) else d
            raw = call(*(things[r] for r in order[0]), **settings(call, kept.inputs))
            found = list(_results(raw, kept.obj, GRADIENTS))
        multiplied = how != SAME and "d" in order[0]
        gradients = dict.fromkeys(CONTRACT[self.backward_name].gives)
        for name in gradients:
            like = kept.inputs[name[1:]]
            if like is not None:
                i, array = self._found(name, found, like.shape, kept)
                gradients[name] = self._finished(name, array, d, kept, multiplied)
                del found[i]
        return gradients

    def _found(self, name, found, shape, kept):
        """Return (place, array): of what they gave, what has the shape of an input."""
        shape = shape[1:] if self.view == ONE_ROW else shape
        own = {f"d{n}".lower() for n in (name[1:], self.called().get(name[1:]))}
        places = sorted(range(len(found)), key=lambda i: found[i][0].lower() not in own)
        for i in places:
            array = self._gradient(name, found[i][1], shape, kept)
            if array is not None:
                return i, array
        raise Wrong(Kind.SHAPE, f"it gives no {name} of shape {shape}")

    def _gradient(self, name, given, shape, kept):
        """Return a gradient as the contract has it, or None where it is not that."""
        array = _real(given)
        if array is None:
            return None
        if "R" in self.roles and array.shape == kept.handed["R"].shape:
            array = array[:-1][::-1]
        elif name == "dW" and "V" in self.roles:
            array = array.T
        elif name == "dx" and self.images:
            same = array.shape == kept.handed["x"].shape
            array = array.reshape(shape) if same else array
        elif "softmax" in self.family and array.shape == (*shape, shape[-1]):
            return array  # a Jacobian for each row
        else:
            array = back(array, self.view)
        if name == "db" and array.shape == (1, *shape):
            if self.view == ROWS:
                self.accepted["db"] = "db is a row, (1, C)"
            array = array[0]
        return array if array.shape == shape else None

    def _finished(self, name, array, d, kept, multiplied):
        """Return a gradient multiplied by the cotangent d, as the contract has it."""
        rows = len(kept.inputs.get("z", kept.inputs.get("x", "-")))
        if self.family != "linear" and array.ndim > max(np.ndim(d), 2):
            return (array @ np.asarray(d)[..., None])[..., 0]
        if self.view == ONE_ROW and np.ndim(d) == 1 and array.ndim == 2:
            return array @ d
        if "by p" in self.accepted:
            p = ROLES["p"](kept.inputs)
            array = p * (array - (p * array).sum(axis=-1, keepdims=True))
        if not multiplied:
            array = array * d
        if "sum" in self.accepted:
            array = array / rows
        return (
            array * rows if "1/m" in self.accepted and name in ("dW", "db") else array
        )


def one_row(inputs, i):
    """Return inputs of which only one row is left."""
    return {k: v[i : i + 1] if np.ndim(v) else v for k, v in inputs.items()}


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


def _results(raw, obj, attributes):
    """Yield (name, value) of what a call gave, and of what it left in the object."""
    if isinstance(raw, dict):
        yield from ((str(key), value) for key, value in raw.items())
    elif raw is not None:
        yield from (("", each) for each in (raw if isinstance(raw, tuple) else (raw,)))
    if obj is not None:
        yield from ((k, v) for k, v in vars(obj).items() if _matches(attributes, k))
