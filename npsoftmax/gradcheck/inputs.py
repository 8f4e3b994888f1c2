"""The inputs of a check, as a person gives them, go in; their arrays come out, and
which of them are differentiated: of x, (x, W, y), wrt="params".
"""

import functools
import inspect
from typing import NamedTuple

import numpy as np

from npsoftmax import validate
from npsoftmax.gradcheck.nested import is_list_of_numbers, named_arrays
from npsoftmax.gradcheck.steps import draw_factors


class Leaf(NamedTuple):
    """One of the inputs that is no tuple, or what is inside of one."""

    name: str  # x, params.W1
    array: np.ndarray | None  # floating ones as float64; None if it is no array
    given: str  # the type it had
    moved: bool  # is it differentiated?


def arguments_of(forward, inputs, wrt):
    """Return the arguments of forward, and their leaves.

    A number is an array if wrt names it, or if it is the only argument.
    """
    several = isinstance(inputs, tuple) and not hasattr(inputs, "_fields")
    arguments = list(inputs if several else (inputs,))
    names = _argument_names(forward, len(arguments))
    chosen, asked = _positions(wrt, names), wrt is not None or len(arguments) == 1
    leaves = []
    for i, (name, value) in enumerate(zip(names, arguments, strict=True)):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if (number and asked and i in chosen) or is_list_of_numbers(value):
            arguments[i] = np.asarray(value)
        leaves += _leaves(name, arguments[i], i in chosen, asked)
    if not any(leaf.moved for leaf in leaves):
        raise TypeError(
            "no input is an array of floating-point numbers: there is nothing to "
            "differentiate by. By integers, say which: wrt="
        )
    return arguments, leaves


def _leaves(name, value, chosen, asked):
    """Yield the leaves of one argument; integers are moved only where they are asked
    for, and nothing beside them is floating.
    """
    arrays = list(named_arrays(name, value))
    floating = any(a.dtype.kind == "f" for _, a in arrays)
    kinds = "iuf" if asked and not floating else "f"
    for part, a in arrays:
        moved = chosen and a.dtype.kind in kinds
        lifted = np.array(a, np.float64 if moved or a.dtype.kind == "f" else None)
        lifted.flags.writeable = False
        if moved and not np.isfinite(a).all():
            j = tuple(map(int, np.argwhere(~np.isfinite(a))[0]))
            raise ValueError(
                f"{label_of(part, j)} is {lifted[j]}, but a gradient is checked at "
                "finite inputs"
            )
        yield Leaf(part, lifted, a.dtype, moved)
    if not arrays and value is not None:
        yield Leaf(name, None, None, False)


def cotangent_of(cotangent, shape, rng):
    """Return the cotangent of an output of this shape; a drawn one for None."""
    if cotangent is None:
        return draw_factors(shape, rng)
    cotangent = validate.gradient("cotangent", cotangent, shape)
    if cotangent.dtype.kind == "c":
        raise TypeError(f"cotangent has type {cotangent.dtype}, but it must be real")
    if not np.isfinite(cotangent).all():
        raise ValueError("cotangent holds nan or inf, but its numbers must be finite")
    if cotangent.size and not cotangent.any():
        raise ValueError("cotangent is 0: every gradient would be 0, right or wrong")
    return cotangent.astype(np.float64)


def generator_of(rng):
    """Return the generator of a seed, or the one that is given."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise ValueError(
            f"rng is {rng!r}, but it must be a seed, an integer from 0, or a "
            "numpy.random.Generator"
        ) from None


def name_of(function, role):
    """Return the function's name; its role, forward or backward, if it has none."""
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", type(function).__name__)
    return role if name == "<lambda>" else name


def label_of(name, index):
    """Return an entry as one writes it: `x[2, 0]`."""
    return f"{name}[{', '.join(map(str, index))}]" if len(index) else name


def _positions(wrt, names):
    """Return the positions of the arguments that wrt names; all of them for None."""
    known = {name: i for i, name in enumerate(names)} | {
        i: i for i in range(len(names))
    }
    if wrt is None:
        return set(known.values())
    wanted = wrt if isinstance(wrt, tuple | list | set) and len(wrt) else [wrt]
    for name in wanted:
        kind = isinstance(name, str | int) and not isinstance(name, bool)
        if not (kind and name in known):
            raise ValueError(
                f"wrt is {name!r}, but the inputs are {', '.join(names)}, or 0 to "
                f"{len(names) - 1}"
            )
    return {known[name] for name in wanted}


def _argument_names(forward, count):
    """Return the names of forward's first arguments, as its definition has them."""
    try:
        parameters = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    names = [p.name for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD][:count]
    return names + [f"input {i}" for i in range(len(names), count)]
