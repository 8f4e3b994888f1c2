"""A tuple of arrays (inputs, Params, a cache) goes in; its arrays by their names come
out, or the same tuple with a function of each in its place.
"""

import copy
from dataclasses import is_dataclass
from types import SimpleNamespace

import numpy as np

ARRAY = (np.ndarray, np.generic)
PIECE = (*ARRAY, bool, int)


def named_arrays(name, value, kinds=ARRAY):
    """Yield (name, array) for each array in value: itself, or inside of tuples."""
    alone = isinstance(value, kinds)
    for part, child in [(name, value)] if alone else _children(name, value):
        if isinstance(child, kinds):
            yield part, np.asarray(child)
        else:
            yield from named_arrays(part, child, kinds)


def named_pieces(cache):
    """Return (name, array) for what is integer or boolean in a cache: its pieces."""
    arrays = named_arrays("cache", cache, PIECE)
    return [(name, a) for name, a in arrays if a.dtype.kind in "biu"]


def mapped(f, value):
    """Return value with f of each of its arrays, in the order of `named_arrays`."""
    if isinstance(value, ARRAY):
        return f(np.asarray(value))
    children = [mapped(f, child) for _, child in _children("", value)]
    if not children:
        return value
    if isinstance(value, dict):
        return dict(zip(value, children, strict=True))
    if isinstance(value, tuple | list):
        named = hasattr(value, "_fields")
        return type(value)(*children) if named else type(value)(children)
    value = copy.copy(value)
    for part, child in zip(vars(value), children, strict=True):
        object.__setattr__(value, part, child)
    return value


def gradient_arrays(value):
    """Yield what backward gave, one array for each gradient, None where it is None."""
    children = [] if is_list_of_numbers(value) else _children("", value)
    if not children:
        yield None if value is None else np.asarray(value)
    for _, child in children:
        yield from gradient_arrays(child)


def handed_out(a, writeable):
    """Return an array to hand out: a copy, or a view that cannot be written."""
    if writeable:
        a = np.array(a)
    elif a.flags.writeable:
        a = a.view()
        a.flags.writeable = False
    return a if a.ndim else a[()]


def locked(value):
    """Return value with each of its arrays as a view that cannot be written."""
    return mapped(lambda a: handed_out(a, writeable=False), value)


def is_list_of_numbers(value):
    """Return whether value is a list of numbers, or of such lists."""
    return isinstance(value, list) and all(
        isinstance(a, int | float) or is_list_of_numbers(a) for a in value
    )


def _children(name, value):
    """Return (name, child) for what a tuple, list, dict or record holds."""
    if hasattr(value, "_fields"):
        return [(f"{name}.{part}", getattr(value, part)) for part in value._fields]
    if isinstance(value, tuple | list):
        return [(f"{name}[{i}]", child) for i, child in enumerate(value)]
    if isinstance(value, dict):
        return [(f"{name}[{key!r}]", child) for key, child in value.items()]
    record = is_dataclass(value) or isinstance(value, SimpleNamespace)
    if record and hasattr(value, "__dict__") and not isinstance(value, type):
        return [(f"{name}.{part}", child) for part, child in vars(value).items()]
    return []
