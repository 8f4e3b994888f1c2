"""A function of theirs, or a class: what it asks for, and what is given to it.

A parameter is a setting, by its name, or data; what data it may be is a role of
conventions.py.
"""

import functools
import inspect
import itertools
import re

from npsoftmax.checks.conventions import LEARNT, ROLES, SETTINGS

FORWARDS = ("forward", "__call__", "loss", "call")
BACKWARDS = ("backward", "gradient", "grad", "derivative")
CONSTANT = {"axis": -1, "reg": 0.0, "learning rate": 0.0, "name": "layer"}


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
        return [r for r in LEARNT if any(suggests(r, p) for p in asked)]

    def made(self, handed, inputs):
        """Return an instance, with the settings and weights its __init__ asks for."""
        return self.thing(**settings(self.thing, inputs), **self.weights_in(handed))

    def weights_in(self, handed):
        """Return {name: array} of the weights that go into __init__."""
        given = {}
        for each in data_of(self.thing) if self.is_class else ():
            roles = (r for r in LEARNT if r in handed and suggests(r, each))
            if not (role := next(roles, None)):
                raise TypeError(f"nothing is known of {each.name}")
            given[each.name] = handed[role]
        return given


def parameters(function):
    """Return the parameters of a function that have a name, without self."""
    try:
        return _parameters(function)
    except (TypeError, ValueError):  # it has no signature, or cannot be remembered
        return ()


@functools.lru_cache(maxsize=256)
def _parameters(function):
    found = inspect.signature(function).parameters.values()
    named = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    return tuple(p for p in found if p.kind in named and p.name != "self")


def data_of(function):
    """Return the parameters that data goes to: no setting, and no default."""
    return [
        p
        for p in parameters(function)
        if not setting_of(p.name)
        and (p.default is p.empty or suggests("d", p) or p.name == "b")
    ]


@functools.lru_cache(maxsize=256)
def setting_of(name):
    """Return the setting that a parameter is, by its name, or None."""
    return next((key for key, names in SETTINGS.items() if matches(names, name)), None)


def settings(function, inputs):
    """Return {name: value} of the settings that a function has."""
    known = CONSTANT | inputs
    names = {p.name: setting_of(p.name) for p in parameters(function)}
    return {name: known[each] for name, each in names.items() if each in known}


def suggests(role, parameter):
    """Return whether a parameter's name suggests a role."""
    return matches(ROLES[role].names, parameter.name)


def matches(pattern, name):
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
