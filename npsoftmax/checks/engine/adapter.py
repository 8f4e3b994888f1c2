"""A function of theirs, called as the contract calls its own, and shown as theirs."""

import inspect
import re

import numpy as np

from npsoftmax.checks.agree import Kind, Wrong
from npsoftmax.checks.conventions import (
    COLUMNS,
    FAMILIES,
    FORMS,
    LAYOUTS,
    OF,
    ONE_ROW,
    ROLES,
    ROWS,
    TABLE,
    laid_out,
    recognised,
    stem_of_gradient,
)
from npsoftmax.checks.engine.way import SAME, data_of, one_row, parameters, settings
from npsoftmax.checks.layers import CONTRACT

DEFAULTS = {"axis": -1, "lam": 0.0, "b": None}


class Adapter:
    """A function of theirs, by a name of the contract."""

    def __init__(self, way, name):
        self.way, self.function = way, CONTRACT[name]
        kind, empty = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
        self.__signature__ = inspect.Signature(
            inspect.Parameter(each, kind, default=DEFAULTS.get(each, empty))
            for each in self.function.takes
        )
        self.is_backward = self.function.forward is not None
        own = self.is_backward and callable(way.gradient[0])
        self.__wrapped__ = way.gradient[0] if own else way.theirs.thing

    @property
    def title(self):
        """Return what a person calls it: `softmax_loss: loss`, `Softmax.backward`."""
        way, own = self.way, self.way.theirs.name
        if way.gradient == (SAME,):
            return f"{own}: {'gradient' if self.is_backward else 'loss'}"
        method = way.gradient[0] if self.is_backward else way.theirs.forward
        if way.theirs.is_class:
            return f"{own}.{method}"
        return method.__name__ if self.is_backward else own

    def __call__(self, *arguments):
        if self.is_backward:
            if self.way.wrong:
                raise Wrong(Kind.VALUE, self.way.wrong)
            given = tuple(self.way.backward(*arguments).values())
            return given if len(given) > 1 else given[0]
        inputs = DEFAULTS | dict(zip(self.function.takes, arguments, strict=False))
        inputs = {name: inputs[name] for name in self.function.takes}
        if "axis" in inputs and not self.way.has_axis:
            return self._along(**inputs)
        value, kept = self.way.forward(inputs)
        return (value, kept) if self.function.gives[-1] == "cache" else value

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
        if way.family != "softmax" or way.theirs.is_class or self.is_backward:
            return None

        def right(z, *more, **named):
            given = way.theirs.thing(z, *more, **named)
            rows = np.atleast_2d(laid_out("z", z, way.view))
            p = laid_out("z", ROLES["p"]({"z": rows}), way.view).reshape(np.shape(z))
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
        given = way.handed(row)
        for role, each in zip(way.order, data_of(way.theirs.call), strict=True):
            shown[each.name] = given[role]
        if self.is_backward:
            d = row[self.function.takes[0]]
            d = d[0] if way.view == ONE_ROW and np.ndim(d) else d
            shown[self._name_of_d()] = self.laid_out(d)
        return shown | {k: v for k, v in inputs.items() if k in ("m", "lam", "axis")}

    def _name_of_d(self):
        """Return their name of the gradient by the value, the contract's if none."""
        how, *order = self.way.gradient
        if how == SAME or "d" not in order[0]:
            return self.function.takes[0]
        return data_of(self.way.theirs.method(how))[order[0].index("d")].name

    def calls(self, shown, name="{}".format):
        """Yield the lines that call theirs; `name` makes a name one to be called by."""
        way, call = self.way, name(self.way.theirs.name)
        asked = [each.name for each in data_of(way.theirs.call)]
        if way.theirs.is_class:
            made = settings(way.theirs.thing, shown)
            weights = {
                k: k for k in shown if k not in asked and k in way.theirs.weights
            }
            named = ", ".join(f"{k}={v!r}" for k, v in made.items())
            yield f"layer = {call}({', '.join([*weights, named])})"
            call = f"layer.{way.theirs.forward}"
        named = settings(way.theirs.call, shown)
        given = ", ".join([*asked, *(f"{k}={v!r}" for k, v in named.items())])
        if not self.is_backward or way.gradient == (SAME,):
            yield f"print({call}({given}))"
            return
        yield f"given = {call}({given})"
        how, order = way.gradient
        things = dict(zip(way.order, asked, strict=True))
        things |= {"d": self._name_of_d(), "cache": "given[1]", "out": "given"}
        call = f"layer.{how}" if isinstance(how, str) else name(how.__name__)
        yield f"print({call}({', '.join(things[role] for role in order)}))"


def _rows(z, axis):
    """Return logits along an axis as rows (N, C)."""
    z = np.moveaxis(z, axis, -1)
    return {"z": z.reshape(-1, z.shape[-1])}


# ------------------------------------------------------------------------ what is said


def sentence(way, names, inputs):
    """Return how a function was read, and what was accepted with that."""
    theirs = ", ".join(p.name for p in data_of(way.theirs.call))
    title = ".".join(filter(None, (way.theirs.name, way.theirs.forward)))
    read_as = " and ".join([names[0], *("_backward" for _ in names[1:])])
    of = OF[way.roles[0]].format(*LAYOUTS[way.view])
    if "V" in way.roles:
        of = of.replace("(D, C)", "(C, D)")
    forms = [FORMS[role] for role in way.roles if role in FORMS]
    seen = _seen(way, inputs)
    more = [*forms, *way.accepted.values(), *seen]
    return "; ".join([f"{title}({theirs}) is read as {read_as}, of {of}", *more])


def _seen(way, inputs):
    """Yield what asking more shows: images, the margins there are, a weight decay."""
    if way.family == "linear" and way.view == ROWS:
        way.images = True
        way.images = way.works(inputs)
        if way.images:
            yield "images (N, d1, .., dk) too"
    if way.family == "lsoftmax":
        margins = [m for m in range(1, 9) if way.works(inputs | {"m": m})]
        if len(margins) < 8:
            way.margins = margins
            yield f"only m = {', '.join(map(str, margins))} are implemented"
    if "R" in way.roles:
        yield from _weight_decay(way, inputs)


def _weight_decay(way, inputs):
    """Yield what reg > 0 adds to the loss; dW must say the same."""
    loss, kept = way.forward(inputs)
    more, with_reg = way.forward(inputs | {"reg": 1.0})
    W = kept.handed["R"]
    factor = float(more - loss) / (W * W).sum()
    if factor:
        yield f"with reg, {factor:.3g} reg sum W^2 is added"
    if way.gradient == (SAME,):
        added = np.asarray(with_reg.rest) - kept.rest
        if not np.allclose(added, 2 * factor * W):
            way.wrong = f"reg adds {factor:.3g} reg sum W^2 to the loss, "
            way.wrong += f"but not {2 * factor:.3g} reg W to the gradient"


def adapter_to_paste(where, readings):
    """Return the lines that make a file of functions nobody knows one of ours."""
    unread = [each.partition(" ")[0] for each in readings.unread]
    forward = next((n for n in unread if not stem_of_gradient(n)), unread[0])
    row = recognised(forward) or TABLE[0]
    beside = next((n for n in unread if stem_of_gradient(n)), "...")
    _, ours, backward = FAMILIES[row.family]
    theirs = ", ".join(p.name for p in parameters(readings.named[forward]))
    lines = [
        f"{where}: nothing could be judged; this looks like ours: {', '.join(unread)}",
        "Paste this below it, make it fit, and check again:",
        "",
        f"def {CONTRACT[ours].signature}:",
        f"    value, cache = {forward}({theirs})",
        "    return value, cache",
    ]
    if backward:
        d = CONTRACT[backward].takes[0]
        lines += [
            "",
            f"def {backward}({d}, cache):",
            f"    return {beside}({d}, cache)",
        ]
    return "\n".join(lines)
