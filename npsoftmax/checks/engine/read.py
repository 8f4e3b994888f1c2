"""What a person's functions are: which of the contract's, and how each is asked.

Being read makes nothing right: a name of the contract with its arguments is judged by
the contract, and what else is accepted needs a witness beside the values, and is said.
"""

import contextlib
import inspect
from dataclasses import replace

import numpy as np

from npsoftmax.checks.conventions import (
    COLUMNS,
    FAMILIES,
    bare,
    family_of,
    looks_like_one,
    recognised,
    stem_of_gradient,
    words_of,
)
from npsoftmax.checks.engine.adapter import Adapter
from npsoftmax.checks.engine.near import FITS, RAISES_ALWAYS, RIGHT, best_pair, trials
from npsoftmax.checks.engine.safely import Endless, quietly, time_limit
from npsoftmax.checks.engine.subject import first_arguments
from npsoftmax.checks.engine.theirs import BACKWARDS, Theirs, parameters
from npsoftmax.checks.engine.way import SAME
from npsoftmax.checks.layers import CONTRACT

SECONDS = 2.0  # that a function may take for all the ways to ask it


# --------------------------------------------------------------------- by the contract


def has_the_signature(name, function):
    """Return whether a function has the arguments that the contract has for a name."""
    asked, takes = parameters(function), CONTRACT[name].takes
    required = [p for p in asked if p.default is p.empty]
    optional = CONTRACT[name].signature.count("=")
    numbers = len(asked) == len(takes), len(required) == len(takes) - optional
    return all(numbers) and ("axis" not in takes or asked[1].name == "axis")


def that_keep_to_it(names, named):
    """Return the names of functions that, called once, do what the contract says.

    Where time is up, the others are believed.
    """
    kept = list(names)
    with contextlib.suppress(Endless), quietly(), time_limit(SECONDS):
        for name in names:
            if family_of(name) and not _keeps_to_it(name, named):
                kept.remove(name)
    return kept


def _keeps_to_it(name, named):
    gives = CONTRACT[name].gives
    try:
        result = named[name](*first_arguments(name, named))
    except NotImplementedError:
        return True
    except KeyboardInterrupt:
        raise
    except BaseException:
        return False
    several = isinstance(result, tuple) and len(result) == len(gives)
    return several or (len(gives) == 1 and not isinstance(result, dict))


# ----------------------------------------------------------------------- all of a file


class Readings:
    """What was found in a file: functions by the contract's names, and what is said.

    functions: {name of the contract: callable}; more: such dicts, of further ones;
    said: how what is not the contract's was read; unread: names that look like ours.
    """

    def __init__(self, named, names=None, columns=False):
        self.names, self.columns = names or {}, columns
        self.told = {t: ours for ours, t in reversed(self.names.items())}
        self.named = {
            k: v for k, v in named.items() if k in self.told or _may_be_theirs(k, v)
        }
        written = [n for n in CONTRACT if callable(named.get(n))]
        self.contract = [n for n in written if has_the_signature(n, named[n])]
        self.kept = [] if columns else that_keep_to_it(self.contract, named)
        self.functions, self.more, self.said, self.used = {}, [], [], set()
        self.why = {}  # what went wrong with a gradient that was not read
        for pair, is_lone in self._chosen():
            with quietly():
                self._take(pair, is_lone)
        unused = {k: v for k, v in self.told.items() if k not in self.used}
        self.functions |= {v: named[k] for k, v in unused.items() if v in CONTRACT}
        unused = {name: named[name] for name in written if name not in self.used}
        self.functions = unused | self.functions
        self.said += self._slope_at_zero()
        self.unread = list(self._unread())

    def _units(self):
        """Yield (name, family) of each forward that may have to be read."""
        for name in self.named:
            meant = self.told.get(name, name)
            family = recognised(meant)
            if family and not stem_of_gradient(meant):
                beside = {family.backward} & {*self.named} - {*self.kept}
                if name in self.told or name not in self.kept or beside:
                    yield name, family

    def _found(self):
        """Yield the best pairs of each forward: with samples in rows, in columns."""
        for name, family in self._units():
            theirs = Theirs(name, self.named[name])
            strict = name in self.contract and name not in self.told
            candidates = self._candidates(theirs, family)
            pairs = []
            for in_columns in (False, True):
                views = [v for v in family.views if (v == COLUMNS) == in_columns]
                with contextlib.suppress(Endless), quietly(), time_limit(SECONDS):
                    pairs.append(best_pair(theirs, family, views, strict, candidates))
            if len(pairs) == 2:
                yield name, *pairs

    def _candidates(self, theirs, family):
        """Return what may be the gradient beside a forward: methods, or functions."""
        if theirs.is_class:
            return list(theirs.methods(BACKWARDS))
        if said := self.names.get(family.backward):
            return [self.named[said]]
        beside = {family.name, "softmax" if family.is_loss else ""}
        found = []
        for name, thing in self.named.items():
            if (of := stem_of_gradient(name)) and not inspect.isclass(thing):
                known = recognised(of)
                own = bare(of) == bare(theirs.name)
                if own or (known and known.name in beside):
                    found.append(thing)
        return found

    def _chosen(self):
        """Return [(pair, whether columns would do)], those with a gradient first.

        Columns are read where two functions at least agree on them, or they are said.
        """
        found = list(self._found())
        votes = [_votes(rows, columns) for _, rows, columns in found]
        in_columns = self.columns or sum(votes) > 1
        chosen = []
        for vote, (name, rows, columns) in zip(votes, found, strict=True):
            pair = columns if vote and in_columns else rows or columns
            if pair and self._has_a_witness(name, pair):
                chosen.append((pair, bool(vote and pair is rows)))
        return sorted(chosen, key=lambda each: -max(each[0].gradient, RAISES_ALWAYS))

    def _has_a_witness(self, name, pair):
        """Return whether a reading may stand in the contract's place."""
        said = self.columns and pair.way.view == COLUMNS
        if said or name in self.told or name not in self.contract:
            return True
        if name in self.kept:  # its backward is not as the contract says
            as_ours = pair.way.family.backward in self.contract
            return pair.gradient >= (RIGHT if as_ours else FITS - 0.5)
        one_hot = "t" in pair.way.roles
        return pair.value == RIGHT and (one_hot or pair.gradient == RIGHT)

    def _take(self, pair, is_lone):
        """Put the functions of a reading where the contract's would be."""
        way = pair.way
        own, family = way.theirs.name, way.family
        gradient = way.gradient and getattr(way.gradient.how, "__name__", None)
        if pair.gradient <= RAISES_ALWAYS < pair.value or gradient in self.used:
            way = replace(way, gradient=None)
        names = [own if own in CONTRACT else family.members[0] or family.forward]
        if way.gradient:
            names = [family.forward, family.backward]
            self.used |= {gradient} - {None}
        functions = self.functions
        taken = {*functions, *self.kept} - {own, gradient}
        if taken & {*names}:
            if not way.gradient:
                return
            functions = {}
            self.more.append(functions)
        beside, seen = _looked_into(way)
        functions.update((name, Adapter(way, name, **beside)) for name in names)
        self.used.add(own)
        if pair.why:
            self.why[bare(own)] = pair.why
        hint = "; right if each column is a sample: --columns" * is_lone
        self.said.append(_sentence(way, names, seen) + hint)

    def _slope_at_zero(self):
        """Yield what a ReLU's backward takes for the slope at 0, where it is not 0."""
        with contextlib.suppress(Exception), quietly(), time_limit(SECONDS):
            _, cache = self.functions["relu_forward"](np.zeros((1, 1)))
            slope = self.functions["relu_backward"](np.ones((1, 1)), cache)[0, 0]
            if slope:
                yield f"the slope of ReLU at 0 is {slope:g}: a choice, and accepted"

    def _unread(self):
        """Yield what looks like ours, where the contract's own is not there."""
        for name, value in self.named.items():
            mine = looks_like_one(name) and not _is_a_record(value)
            if mine and name not in {*self.used, *self.told, *CONTRACT}:
                family = family_of(name)
                if not family or not {*family.members} & {*self.contract}:
                    why = self.why.get(bare(stem_of_gradient(name) or ""))
                    yield f"{name} ({why})" if why else name


def _is_a_record(value):
    """Return whether it is a class for a cache: a tuple, or without functions."""
    if not inspect.isclass(value):
        return False
    names = {name for name, each in vars(value).items() if inspect.isfunction(each)}
    acts = any(name == "__call__" or name[:2] != "__" for name in names)
    return issubclass(value, tuple) or not acts


def _votes(rows, columns):
    """Return how many functions of a pair say that a sample is a column."""
    if not columns or columns.value < RIGHT:
        return 0
    if rows and columns.value + columns.gradient <= rows.value + rows.gradient:
        return 0
    return 1 + (columns.gradient > (rows.gradient if rows else RAISES_ALWAYS))


def _may_be_theirs(name, thing):
    module = getattr(thing, "__module__", None) or ""
    library = module.split(".")[0] in ("numpy", "scipy", "builtins", "npsoftmax")
    return callable(thing) and not name.startswith("_") and not library


# ------------------------------------------------------------------------ what is said


def _sentence(way, names, seen):
    """Return how a function was read, and what was accepted with that."""
    theirs = ", ".join(way.theirs.names[len(way.theirs.of_object) :])
    method = f".{way.theirs.forward}" if way.theirs.is_class else ""
    read_as = " and ".join([names[0], *("_backward" for _ in names[1:])])
    of = words_of(way.roles, way.view)
    read = f"{way.theirs.name}{method}({theirs}) is read as {read_as}, of {of}"
    return "; ".join([read, *sorted(way.accepted), *seen])


def _looked_into(way):
    """Return what an `Adapter` must know beside a way, and words for it.

    It may have some margins only, or a weight decay.
    """
    inputs = trials(way.family)[0].inputs
    if "m" in inputs:
        margins = [m for m in range(1, 9) if way.works(inputs | {"m": m})]
        if len(margins) < 8:
            words = f"only m = {', '.join(map(str, margins))} are implemented"
            return {"margins": margins}, [words]
    if "R" in way.roles:
        return _weight_decay(way, inputs)
    return {}, []


def _weight_decay(way, inputs):
    """Return what reg > 0 adds to the loss, and what is wrong where dW has not it."""
    loss, kept = way.forward(inputs)
    more, with_reg = way.forward(inputs | {"reg": 1.0})
    W = kept.handed["R"]
    factor = float(more - loss) / (W * W).sum()
    said = [f"with reg, {factor:.3g} reg sum W^2 is added"] if factor else []
    if way.gradient and way.gradient.how == SAME:
        added = np.asarray(with_reg.rest) - kept.rest
        if not np.allclose(added, 2 * factor * W):
            wrong = f"reg adds {factor:.3g} reg sum W^2 to the loss, "
            return {
                "wrong": f"{wrong}but not {2 * factor:.3g} reg W to the gradient"
            }, said
    return {}, said


def adapter_to_paste(where, readings):
    """Return the lines that make of functions nobody can read some of ours."""
    unread = [each.partition(" ")[0] for each in readings.unread]
    name = next((n for n in unread if not stem_of_gradient(n)), unread[0])
    gradient = next(filter(stem_of_gradient, unread), "...")
    family = family_of(name) or FAMILIES[0]
    backward = CONTRACT[family.backward] if family.backward else None
    forwards, call = _calls(Theirs(name, readings.named[name]), gradient)
    lines = [
        f"{where}: nothing could be judged; this looks like ours: {', '.join(unread)}",
        "Paste this below it, make it fit, and check again:",
        "",
        f"def {CONTRACT[family.forward].signature}:",
        *forwards,
    ]
    if backward:
        back = f"    return {call.format(backward.takes[0])}"
        lines += ["", f"def {backward.signature}:", back]
    return "\n".join(lines)


def _calls(theirs, gradient):
    """Return the lines that call a forward of theirs, and what calls its gradient."""
    given = ", ".join(theirs.names[len(theirs.of_object) :])
    if theirs.is_class:
        backward = next(theirs.methods(BACKWARDS), "...")
        made = f"    cache = {theirs.name}({', '.join(theirs.of_object)})"
        value = f"    return cache.{theirs.forward}({given}), cache"
        return [made, value], f"cache.{backward}({{}})"
    called = f"    value, cache = {theirs.name}({given})"
    return [called, "    return value, cache"], f"{gradient}({{}}, cache)"
