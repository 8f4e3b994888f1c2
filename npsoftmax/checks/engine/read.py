"""What a person's functions are: which of the contract's, and how each is asked.

Every way to ask is tried with sizes that cannot be confused (N = 3, D = 4, C = 5); the
one whose results are right is taken, else the first whose results have the right shape.
Being read makes nothing right: a name of the contract with its arguments is judged by
the contract, and what else is accepted needs a witness beside the values, and is said.
"""

import contextlib
import inspect
from typing import NamedTuple

import numpy as np

from npsoftmax.checks.agree import Wrong
from npsoftmax.checks.conventions import (
    COLUMNS,
    FAMILIES,
    ONE_ROW,
    ROWS,
    TABLE,
    C,
    D,
    N,
    bare,
    looks_like_one,
    recognised,
    stem_of_gradient,
)
from npsoftmax.checks.engine.adapter import Adapter, sentence
from npsoftmax.checks.engine.safely import Endless, quietly, said, time_limit
from npsoftmax.checks.engine.way import (
    BACKWARDS,
    SAME,
    Theirs,
    Way,
    data_of,
    orders,
    parameters,
)
from npsoftmax.checks.layers import CONTRACT

SECONDS = 2.0  # that a function may take for all the ways to ask it
CLOSE = 0.01  # relative: an eps in a logarithm does not hide what a function is
RIGHT, IN_PROPORTION, FITS, RAISES_ALWAYS, NOTHING = 4, 3, 2, 1, 0
BY_P = {"by p": "a gradient by the probabilities"}
NEVER_OURS = NameError, NotImplementedError  # raised whatever is asked


class Pair(NamedTuple):
    """A way to ask, and how near its values and its gradients are to the right ones."""

    value: float
    gradient: float
    way: Way


# ----------------------------------------------------------------------- how near it is


def trials(family):
    """Return three inputs of sizes N = 3, D = 4, C = 5, right values, cotangents."""
    function, found = CONTRACT[FAMILIES[family][1]], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        given = {
            "z": rng.normal(size=(N, C)),
            "y": rng.permutation(C)[[0, 2, 0]],
            "x": rng.normal(size=(N, D)),
            "W": rng.normal(size=(D, C)),
            "b": rng.normal(size=C),
            "h": rng.normal(size=(N, D)),
            "m": 2,
            "lam": 1.0,
            "axis": -1,
        }
        given = {name: given[name] for name in function.takes}
        right = function.expected(given)[function.values[0]][0]
        d = rng.uniform(0.5, 1.5, np.shape(right))
        found.append((given, right, d if d.ndim else float(d)))
    return found


def nearness(ask, of):
    """Return how near results are to the right ones on all trials, and their ratio."""
    yours, right = [], []
    for inputs, expected, d in of:
        try:
            pair = ask(inputs, expected, d)
        except NEVER_OURS:
            return RAISES_ALWAYS, None
        except KeyboardInterrupt:
            raise
        except BaseException:  # exit() too
            return NOTHING, None
        yours.append(np.ravel(pair[0]))
        right.append(np.ravel(pair[1]))
    return _compared(np.concatenate(yours), np.concatenate(right))


def _compared(yours, right):
    if not np.isfinite(yours).all():
        return FITS - 0.5, None
    ratio = float(yours @ right / (right @ right))
    off = np.abs(yours - ratio * right).max() / (np.abs(yours).max() or 1.0)
    if off > CLOSE or not ratio:
        return FITS - 0.4 * min(off, 1), None
    return (RIGHT if abs(ratio - 1) < CLOSE else IN_PROPORTION), ratio


def _value_nearness(way, of):
    score, ratio = nearness(lambda i, right, d: (way.forward(i)[0], right), of)
    if way.family != "cross_entropy":
        return score
    if ratio and abs(ratio / N - 1) < CLOSE and not way.strict:
        way.accepted["sum"] = "a sum over the batch, not a mean"
        return RIGHT
    of_logits = way.roles[0] == "z" and FITS - 0.5 < score < IN_PROPORTION
    return score + 0.5 * (of_logits and _ignores_a_shift(way, of))


def _ignores_a_shift(way, of):
    shifted = [(i | {"z": i["z"] + 1}, way.forward(i)[0], d) for i, _, d in of]
    score, _ = nearness(lambda i, right, d: (way.forward(i)[0], right), shifted)
    return score == RIGHT


def _gradient_nearness(way, of):
    backward = CONTRACT[way.backward_name]

    def asked_for(name):
        def ask(inputs, right, d):
            expected = backward.expected(inputs | {backward.takes[0]: d})
            return way.backward(d, way.forward(inputs)[1])[name], expected[name][0]

        score, ratio = nearness(ask, of)
        if way.view == COLUMNS and ratio and abs(ratio * N - 1) < CLOSE:
            way.accepted["1/m"] = "1/m inside dW and db"
            score, _ = nearness(ask, of)
        return score

    return min(map(asked_for, backward.gives))


# ---------------------------------------------------------------------- the best way


def best_pair(theirs, row, views, strict, candidates):
    """Return the best `Pair` of a forward and a gradient beside it, or None."""
    of = trials(row.family)
    score, ways = _best_ways(theirs, row, views, strict, of)
    pairs = []
    for way in ways:
        gradient = _best_gradient(way, candidates, of) if way.backward_name else NOTHING
        pairs.append(Pair(score, gradient, way))
        if gradient == RIGHT:
            break
    return max(pairs, key=lambda pair: pair.gradient, default=None)


def _best_ways(theirs, row, views, strict, of):
    found = []
    for view in views:
        if view == ONE_ROW and found and row.family != "cross_entropy":
            score, way = max(found, key=lambda each: each[0])
            if score == RIGHT or way.has_axis or not _mixes(way, of):
                continue
            found = []
        for way in _ways(theirs, row, view, strict):
            score = _value_nearness(way, of)
            if score >= IN_PROPORTION or (score and "Y" not in way.roles):
                found.append((score, way))
    best = max((score for score, _ in found), default=NOTHING)
    ways = [way for score, way in found if score == best]
    return best, sorted(ways, key=lambda way: not _bears_one_class(way, of))


def _ways(theirs, row, view, strict):
    """Yield every way to ask a forward, the likeliest order of arguments first."""
    if theirs.is_class and not theirs.forward:
        return
    asked = data_of(theirs.call)
    for take in row.takes:
        roles = take.split()
        outside = [role for role in roles if role not in theirs.weights]
        if len(outside) == len(asked):
            for order in orders(asked, outside):
                way = Way(row.family, theirs, roles, order, view, strict)
                if view == ROWS or not way.has_axis:
                    yield way


def _mixes(way, of):
    """Return whether rows depend on each other, and columns too: it is for one row."""
    z = of[0][0]["z"]
    try:
        every = way.forward({"z": z})[0]
        row, column = (way.forward({"z": part})[0] for part in (z[:1], z[:, :1]))
    except Exception:
        return True
    near = {"rtol": 1e-6, "atol": 1e-9}
    by_columns = every.ndim == 2 and np.allclose(column, every[:, :1], **near)
    return not (by_columns or np.allclose(row, every[:1], **near))


def _bears_one_class(way, of):
    """Return whether a loss takes C = 1, where labels look like one-hot ones."""
    inputs = {k: 0 * v[..., :1] if k == "z" else 0 * v for k, v in of[0][0].items()}
    return way.family != "cross_entropy" or way.works(inputs)


def _best_gradient(way, candidates, of):
    """Return the nearness of the best gradient beside a forward, and set the way's."""
    of_one = way.family == "cross_entropy" and not candidates
    options = [(SAME,)] if of_one else []
    for call in candidates:
        asked = data_of(way.theirs.method(call))
        things = ("d", "cache", *dict.fromkeys(way.order), "out")
        options += [(call, order) for order in orders(asked, things)]
    best = NOTHING, None, {}
    before = dict(way.accepted)
    for option in options:
        for by_p in (False, True)[: 1 + ("p" in way.roles)]:
            way.gradient = option
            way.accepted = before | (BY_P if by_p else {})
            score = _gradient_nearness(way, of)
            if score > best[0]:
                best = score, option, way.accepted
        if best[0] == RIGHT:
            break
    if best[0] == NOTHING and options:
        way.gradient = options[0]
        way.why = _why_not(way, of)
    score, way.gradient, accepted = best
    way.accepted = accepted or before
    return score


def _why_not(way, of):
    """Return what goes wrong with a gradient that is asked as its names suggest."""
    inputs, _, d = of[0]
    try:
        way.backward(d, way.forward(inputs)[1])
    except Wrong as wrong:
        return wrong.what
    except Exception as error:
        return said(error)
    return ""


# --------------------------------------------------------------------- by the contract


def has_the_signature(name, function):
    """Return whether a function has the arguments that the contract has for a name."""
    asked, takes = parameters(function), CONTRACT[name].takes
    required = [p for p in asked if p.default is p.empty]
    optional = CONTRACT[name].signature.count("=")
    numbers = len(asked) == len(takes), len(required) == len(takes) - optional
    return all(numbers) and ("axis" not in takes or asked[1].name == "axis")


def keeps_to_the_contract(name, named):
    """Return whether a function does, called once, what the contract says it does."""
    function = CONTRACT[name]
    family = next((f for f, names in FAMILIES.items() if name in names), None)
    if not family:
        return True
    inputs, _, d = trials(family)[0]
    try:
        with quietly(), time_limit(SECONDS):
            given = [inputs[key] for key in function.takes if key in inputs]
            if function.forward:
                takes = CONTRACT[function.forward].takes
                given = [d, named[function.forward](*(inputs[k] for k in takes))[1]]
            result = named[name](*given)
    except (NotImplementedError, Endless):
        return True
    except KeyboardInterrupt:
        raise
    except BaseException:
        return False
    several = isinstance(result, tuple) and len(result) == len(function.gives)
    return several or (len(function.gives) == 1 and not isinstance(result, dict))


# ----------------------------------------------------------------------- all of a file


class Readings:
    """What was found in a file: functions by the contract's names, and what is said.

    functions: {name of the contract: callable}; more: such dicts, of further ones;
    said: how what is not the contract's was read; unread: names that look like ours.
    """

    def __init__(self, named, names=None, columns=False):
        self.names, self.columns = names or {}, columns
        told = self.names.values()
        self.named = {
            k: v for k, v in named.items() if k in told or _may_be_theirs(k, v)
        }
        written = [n for n in CONTRACT if callable(named.get(n))]
        self.contract = [n for n in written if has_the_signature(n, named[n])]
        self.kept = [n for n in self.contract if keeps_to_the_contract(n, named)]
        if columns:
            self.kept = []
        self.functions, self.more, self.said, self.used = {}, [], [], set()
        self.why = {}  # what went wrong with a gradient that was not read
        for pair, is_lone in self._chosen():
            with quietly():
                self._take(pair, is_lone)
        for ours, name in self.names.items():
            if ours in CONTRACT and name not in self.used:
                self.functions[ours] = named[name]
        for name in written:
            if name not in self.used:
                self.functions.setdefault(name, named[name])
        self.said += self._slope_at_zero()
        self.unread = list(self._unread())

    def _units(self):
        """Yield (name, row of the table) of each forward that may have to be read."""
        for ours, name in self.names.items():
            row = next((row for row in TABLE if ours.startswith(row.family)), None)
            if row and not ours.endswith("_backward"):
                yield name, row
        for name in self.named:
            row = recognised(name)
            if row and not stem_of_gradient(name) and name not in self.names.values():
                backward = FAMILIES[row.family][2]
                other = backward in self.named and backward not in self.kept
                if name not in self.kept or other:
                    yield name, row

    def _found(self):
        """Yield the best pairs of each forward: with samples in rows, in columns."""
        for name, row in self._units():
            theirs = Theirs(name, self.named[name])
            strict = name in self.contract and name not in self.names.values()
            candidates = self._candidates(theirs, row)
            pairs = []
            for in_columns in (False, True):
                views = [v for v in row.views if (v == COLUMNS) == in_columns]
                with contextlib.suppress(Endless), quietly(), time_limit(SECONDS):
                    pairs.append(best_pair(theirs, row, views, strict, candidates))
            if len(pairs) == 2:
                yield name, *pairs

    def _candidates(self, theirs, row):
        """Return what may be the gradient beside a forward: methods, or functions."""
        if theirs.is_class:
            return list(theirs.methods(BACKWARDS))
        beside = {row.family, *(["softmax"] if row.family == "cross_entropy" else [])}
        if said := self.names.get(FAMILIES[row.family][2]):
            return [self.named[said]]
        found = []
        for name, thing in self.named.items():
            if (of := stem_of_gradient(name)) and not inspect.isclass(thing):
                known = recognised(of)
                own = bare(of) == bare(theirs.name)
                if own or (known and known.family in beside):
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
        said = name in self.names.values() or (
            self.columns and pair.way.view == COLUMNS
        )
        if said or name not in self.contract:
            return True
        if name in self.kept:  # its backward is not as the contract says
            as_ours = pair.way.backward_name in self.contract
            return pair.gradient >= (RIGHT if as_ours else FITS - 0.5)
        other_labels = {"t", "f"} & {*pair.way.roles}
        return pair.value == RIGHT and bool(other_labels or pair.gradient == RIGHT)

    def _take(self, pair, is_lone):
        """Put the functions of a reading where the contract's would be."""
        way, own = pair.way, pair.way.theirs.name
        alone, forward, backward = FAMILIES[way.family]
        gradient = way.gradient and getattr(way.gradient[0], "__name__", None)
        if pair.gradient <= RAISES_ALWAYS < pair.value or gradient in self.used:
            way.gradient = None
        names = [own if own in CONTRACT else alone or forward]
        if way.gradient:
            names = [forward, backward]
            self.used |= {gradient} - {None}
        functions = self.functions
        taken = {*functions, *self.kept} - {own, gradient}
        if taken & {*names}:
            if not way.gradient:
                return
            functions = {}
            self.more.append(functions)
        functions.update((name, Adapter(way, name)) for name in names)
        self.used.add(own)
        self.why |= {bare(own): way.why} if way.why else {}
        hint = "; right if each column is a sample: --columns" * is_lone
        self.said.append(sentence(way, names, trials(way.family)[0][0]) + hint)

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
            if mine and name not in self.used | {*CONTRACT}:
                row = recognised(stem_of_gradient(name) or name)
                if not row or not {*FAMILIES[row.family]} & {*self.contract}:
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
    if not rows:
        return 1 + (columns.gradient > RAISES_ALWAYS)
    if columns.value + columns.gradient <= rows.value + rows.gradient:
        return 0
    return 1 + (columns.gradient > rows.gradient)


def _may_be_theirs(name, thing):
    module = getattr(thing, "__module__", None) or ""
    library = module.split(".")[0] in ("numpy", "scipy", "builtins", "npsoftmax")
    return callable(thing) and not name.startswith("_") and not library
