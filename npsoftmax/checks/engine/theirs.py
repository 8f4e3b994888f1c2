"""A function of theirs, or a class: what it asks for, and what is given to it.

A parameter is a setting, by its name, or data; what data it may be is a role of
conventions.py.
"""

import functools
import inspect
import itertools
import re

from npsoftmax.checks.conventions import ROLES, SETTINGS

FORWARDS = ("forward", "__call__", "loss", "call")
BACKWARDS = ("backward", "gradient", "grad", "derivative")
CONSTANT = {"axis": -1, "reg": 0.0, "learning rate": 0.0, "name": "layer"}


class Theirs:
    """A function, or a class: what makes an object goes before what goes forward."""

    def __init__(self, name, thing):
        self.name, self.thing, self.is_class = name, thing, inspect.isclass(thing)
        self.forward = next(self.methods(FORWARDS), None) if self.is_class else thing
        self.of_object = names_of(thing) if self.is_class else []
        self.names = [*self.of_object, *names_of(self.method(self.forward))]

    def methods(self, names):
        """Yield those of some methods that a class has."""
        own = {n for each in self.thing.__mro__[:-1] for n in vars(each)}
        yield from (name for name in names if name in own)

    def method(self, how):
        """Return a method by its name, a function as it is."""
        return getattr(self.thing, how) if isinstance(how, str) else how

    def made(self, arguments, inputs):
        """Return an object, which takes the first of the arguments; None of none."""
        if not self.is_class:
            return None
        given = dict(zip(self.of_object, arguments, strict=False))
        return self.thing(**given, **settings(self.thing, inputs))

    def results(self, how, arguments, inputs, obj, attributes):
        """Return [(name, value)] of what a call gives, and of what it leaves in obj."""
        function = self.method(how)
        given = dict(zip(names_of(function), arguments, strict=True))
        call = getattr(obj, how) if isinstance(how, str) else how
        raw = call(**given, **settings(function, inputs))
        if isinstance(raw, dict):
            found = [(str(key), value) for key, value in raw.items()]
        elif isinstance(raw, tuple):
            found = [("", value) for value in raw]
        else:
            found = [("", raw)] if raw is not None else []
        left = vars(obj) if obj is not None else {}
        return found + [(k, v) for k, v in left.items() if matches(attributes, k)]


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


def names_of(function):
    """Return the names of the parameters for data: no setting, and no default."""
    return [
        p.name
        for p in parameters(function)
        if not setting_of(p.name)
        and (p.default is p.empty or suggests("d", p.name) or p.name == "b")
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


def suggests(role, name):
    """Return whether a parameter's name suggests a role."""
    return matches(ROLES[role].names, name)


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
