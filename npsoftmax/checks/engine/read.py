"""A person's functions, read: which of the contract's each is, and how it is asked.

    read(named, ...) -> a list of `Reading`, each with functions as the contract has them

A way to ask is an order of the arguments, a form of the labels, a layout. It is tried
with sizes that cannot be confused; the one whose results are right is taken, else the
first whose results have the right shape. Being read makes nothing right: all that is
accepted beside the contract stands in `Way.accepted`, and is said.
"""

import contextlib
import inspect
import itertools
import re

import numpy as np

from npsoftmax.checks.agree import Kind, Wrong
from npsoftmax.checks.conventions import (
    COLUMNS,
    ONE_ROW,
    ROLES,
    ROWS,
    SETTINGS,
    SUGGESTS,
    TABLE,
    C,
    D,
    N,
    back,
    bare,
    laid_out,
    looks_like_one,
    recognised,
    stem_of_gradient,
)
from npsoftmax.checks.engine.safely import Endless, quietly, time_limit
from npsoftmax.checks.layers import CONTRACT

SECONDS = 2.0  # that a function may take for all the ways to ask it
CLOSE = 0.01  # relative: an eps in a logarithm does not hide what a function is
RIGHT, IN_PROPORTION, FITS, RAISES_ALWAYS, NOTHING = 4, 3, 2, 1, 0
NEVER_OURS = NameError, NotImplementedError  # raised whatever is asked

OUTPUTS = r"out(put)?s?|loss|probs?|y|a|p"
FORWARDS = ("forward", "__call__", "loss", "call")
BACKWARDS = ("backward", "gradient", "grad", "derivative")


# ------------------------------------------------------------------ what can be called


class Theirs:
    """A function, or a class with a method that goes forward and one that goes back."""

    def __init__(self, name, thing):
        self.name, self.thing, self.is_class = name, thing, inspect.isclass(thing)

    def method(self, names):
        """Return the name of the first of some methods that a class has, or None."""
        own = [n for each in self.thing.__mro__[:-1] for n in vars(each)]
        return next((n for n in names if n in own), None)

    def made(self, handed, inputs):
        """Return an instance, with the settings and weights its __init__ asks for."""
        given = {}
        for each in _parameters(self.thing.__init__)[1:]:
            setting = _setting_of(each.name)
            role = next((r for r in handed if r in "WVb" and _suggests(r, each)), None)
            if setting in inputs or setting == "name":
                given[each.name] = inputs.get(setting, "layer")
            elif role:
                given[each.name] = handed[role]
            elif each.default is each.empty:
                raise TypeError(f"nothing is known of {each.name}")
        return self.thing(**given)

    def has_weights(self):
        """Return the roles that go into __init__."""
        asked = _parameters(self.thing.__init__)[1:] if self.is_class else ()
        return [r for r in "WVb" if any(_suggests(r, each) for each in asked)]


def _parameters(function):
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [
        p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]


def _setting_of(name):
    found = (k for k, pattern in SETTINGS.items() if _matches(pattern, name))
    return next(found, None)


def _matches(pattern, name):
    return re.fullmatch(pattern, name, re.IGNORECASE) is not None


def _suggests(role, parameter):
    return _matches(SUGGESTS.get(role, role), parameter.name)


def _orders(parameters, roles, number):
    """Return the ways to give roles to parameters, those that names suggest first."""
    said = [_matches(SUGGESTS["d"], p.name) for p in parameters]
    ways = itertools.permutations(roles, number)
    if any(said) and "d" in roles:
        ways = (w for w in ways if _d_in(w, said))

    def strange(way):
        return sum(not _suggests(r, p) for r, p in zip(way, parameters, strict=True))

    return sorted(ways, key=strange)


def _d_in(way, said):
    return any(r == "d" and s for r, s in zip(way, said, strict=True))


# ------------------------------------------------------------------------ a way to ask


class Kept:
    """What a forward leaves for its backward: all that it was given, and gave."""

    def __init__(self, **what):
        vars(self).update(what)


class Way:
    """How a forward of theirs is asked, and the gradient beside it."""

    def __init__(self, family, theirs, method, roles, order, view):
        self.family, self.theirs, self.method = family, theirs, method
        self.roles, self.order, self.view = roles, order, view
        self.gradient = None  # ("same",) or (function or method's name, its order)
        self.accepted = {}
        self.images, self.margins = False, None
        self.wrong = ""  # what is, seen while it was read
        self.strict = False  # it has a name and the arguments of the contract

    # ---------------------------------------------------------------------- forward

    def handed(self, inputs):
        """Return what they are given, by roles; `inputs` are the contract's."""
        given = {r: laid_out(r, ROLES[r](inputs), self.view) for r in self.roles}
        if self.view == ONE_ROW:
            given = {role: value[0] for role, value in given.items()}
        if self.images and given["x"].shape[1] % 2 == 0:
            given["x"] = given["x"].reshape(len(given["x"]), 2, -1)
        return given

    def forward(self, inputs, reg=0.0):
        """Return the value and what is kept for the backward."""
        if self.margins and inputs["m"] not in self.margins:
            right = CONTRACT["lsoftmax_forward"].expected(inputs)
            return right["z"][0], Kept(stand_in=inputs)
        if self.view != ONE_ROW:
            return self._once(inputs, reg)
        rows = [_row(inputs, i) for i in range(len(inputs["z"]))]
        values, kept = zip(*(self._once(row, reg) for row in rows), strict=True)
        value = np.mean(values) if self.family == "cross_entropy" else np.stack(values)
        return value, Kept(rows=kept)

    def _once(self, inputs, reg):
        handed = self.handed(inputs)
        obj, call = None, self.theirs.thing
        if self.theirs.is_class:
            obj = self.theirs.made(handed, inputs)
            call = getattr(obj, self.method)
        named = _settings(call, inputs | {"reg": reg, "learning rate": 0.0})
        raw = call(*(handed[role] for role in self.order), **named)
        shape = self._shape_of_value(inputs)
        found = [each for _, each in _results(raw, obj, OUTPUTS)]
        values = (self._value(each, shape, inputs) for each in found)
        place, value = next(
            ((i, v) for i, v in enumerate(values) if v is not None), (None, None)
        )
        if value is None:
            raise Wrong(Kind.SHAPE, f"it gives nothing of shape {shape}")
        rest = found[:place] + found[place + 1 :]
        rest = rest[0] if len(rest) == 1 else tuple(rest)
        kept = {"handed": handed, "rest": rest, "obj": obj, "inputs": inputs}
        return value, Kept(**kept, out=found[place])

    def _shape_of_value(self, inputs):
        if self.family == "cross_entropy":
            return ()
        shape = {"linear": ("x", "W"), "lsoftmax": ("x", "W")}.get(self.family)
        if shape:
            return len(inputs["x"]), inputs["W"].shape[1]
        of = inputs["h" if self.family == "relu" else "z"].shape
        of = of[:-1] if self.family == "logsumexp" else of
        return of[1:] if self.view == ONE_ROW else of

    def _value(self, given, shape, inputs):
        """Return a result as the contract has it, or None where it is not the value."""
        array, rows = _real(given), len(inputs.get("z", "-"))
        if array is None or (isinstance(given, list) and self.view != ONE_ROW):
            return None
        array = back(array, self.view, shape)
        each = self.family == "cross_entropy" and not self.strict
        if each and array.size == rows > 1:
            self.accepted["each"] = "one loss a sample"
            array = array.mean()
        if array.shape != shape:
            return None
        if "sum" in self.accepted:
            array = array / rows
        return array[()] if array.ndim == 0 else array

    # --------------------------------------------------------------------- backward

    def backward(self, d, kept):
        """Return the gradients, by the contract's names."""
        if hasattr(kept, "stand_in"):
            inputs = kept.stand_in | {"dz": d}
            right = CONTRACT["lsoftmax_backward"].expected(inputs)
            return {name: value for name, (value, _) in right.items()}
        if self.view == ONE_ROW:
            d = d if np.ndim(d) else np.full(len(kept.rows), d / len(kept.rows))
            rows = zip(d, kept.rows, strict=True)
            parts = [self._gradients_once(each, row) for each, row in rows]
            return {name: np.stack([p[name] for p in parts]) for name in parts[0]}
        return self._gradients_once(d, kept)

    def _gradients_once(self, d, kept):
        how, *order = self.gradient
        shapes = self._shapes_of_gradients(kept)
        if how == "same":
            found = [("", kept.rest)]
        else:
            call = getattr(kept.obj, how) if isinstance(how, str) else how
            things = kept.handed | {"cache": kept.rest, "out": kept.out}
            things["d"] = laid_out("d", np.asarray(d), self.view) if np.ndim(d) else d
            named = _settings(call, kept.inputs | {"learning rate": 0.0})
            raw = call(*(things[role] for role in order[0]), **named)
            found = list(_results(raw, kept.obj, r"(d|grad).*"))
        gradients = self._by_shape(found, shapes, kept)
        multiplied = how != "same" and "d" in order[0]
        return self._finished(gradients, d, kept, multiplied)

    def _shapes_of_gradients(self, kept):
        names = CONTRACT[FAMILIES[self.family][2]].gives
        row = self.view == ONE_ROW
        shapes = {
            n: kept.inputs[n[1:]] for n in names if kept.inputs[n[1:]] is not None
        }
        return {n: v.shape[1:] if row else v.shape for n, v in shapes.items()}

    def _by_shape(self, found, shapes, kept):
        """Return {name: array}: of what they gave, what has the shape of each input."""
        gradients = {}
        for name, shape in shapes.items():
            likely = sorted(found, key=lambda each: not self._is_of(each[0], name))
            arrays = (self._gradient(name, v, shape, kept) for _, v in likely)
            fitting = ((i, a) for i, a in enumerate(arrays) if a is not None)
            i, gradients[name] = next(fitting, (None, None))
            if i is None:
                raise Wrong(Kind.SHAPE, f"it gives no {name} of shape {shape}")
            found = [each for each in found if each is not likely[i]]
        return gradients

    def _is_of(self, key, name):
        """Return whether a key such as `dx` or `dinputs` is that of a gradient."""
        own = [self.called().get(name[1:], name[1:]), name[1:]]
        return key.lower().lstrip("_") in [f"d{each}".lower() for each in own]

    def _gradient(self, name, given, shape, kept):
        array = _real(given)
        if array is None:
            return None
        if "R" in self.roles and array.shape == kept.handed["R"].shape:
            array = array[:-1][::-1]
        elif name == "dW" and "V" in self.roles:
            array = array.T
        elif name == "dx" and self.images:
            if array.shape != kept.handed["x"].shape:
                return None
            array = array.reshape(shape)
        elif "softmax" in self.family and array.shape == (*shape, shape[-1]):
            return array  # a Jacobian for each row
        else:
            array = back(array, self.view, shape)
        return array if array.shape == shape else None

    def _finished(self, gradients, d, kept, multiplied):
        rows = len(kept.inputs.get("z", kept.inputs.get("x", "-")))
        finished = {}
        for name, array in gradients.items():
            if array.ndim == len(np.shape(kept.inputs[name[1:]])) + (
                self.view != ONE_ROW
            ):
                array, multiplied = array @ np.asarray(d)[..., None], True
                array = array[..., 0]
            if "by p" in self.accepted:
                p = ROLES["p"](kept.inputs)
                array = p * (array - (p * array).sum(axis=-1, keepdims=True))
            if not multiplied:
                array = array * d
            if "sum" in self.accepted:
                array = array / rows
            if "1/m" in self.accepted and name in ("dW", "db"):
                array = array * rows
            finished[name] = array
        if "db" in CONTRACT[FAMILIES[self.family][2]].gives:
            finished.setdefault("db", None)
        return finished

    # ----------------------------------------------------------------- in their words

    def asked(self):
        """Return the parameters of the forward that data goes to."""
        call = self.theirs.thing
        if self.theirs.is_class:
            call = getattr(call, self.method)
        return [p for p in _asked(call) if p.name != "self"]

    def called(self):
        """Return {contract's name: theirs} of the inputs."""
        names = zip(self.order, self.asked(), strict=False)
        return {IS_THE.get(role, role): each.name for role, each in names}


IS_THE = {"p": "z", "t": "y", "f": "y", "Y": "y", "V": "W", "R": "z"}


def _row(inputs, i):
    return {k: v[i : i + 1] if np.ndim(v) else v for k, v in inputs.items()}


def _real(given):
    """Return a result as an array of real numbers, or None; float32 stays."""
    if given is None or isinstance(given, str | dict):
        return None
    try:
        array = np.asarray(given)
    except ValueError:
        return None
    if array.dtype.kind in "iub":
        return array.astype(float)
    return array if array.dtype.kind == "f" else None


def _results(raw, obj, attributes):
    """Yield (name, value) of what a call gave, and of what it left in the object."""
    if isinstance(raw, dict):
        yield from raw.items()
    elif raw is not None:
        yield from (("", each) for each in (raw if isinstance(raw, tuple) else (raw,)))
    if obj is not None:
        yield from ((k, v) for k, v in vars(obj).items() if _matches(attributes, k))


def _asked(call):
    """Return the parameters that data goes to: those without a default or a setting."""
    return [
        p
        for p in _parameters(call)
        if not _setting_of(p.name)
        and (p.default is p.empty or _matches(SUGGESTS["d"], p.name) or p.name == "b")
    ]


def _settings(call, inputs):
    names = {p.name: _setting_of(p.name) for p in _parameters(call)}
    return {name: inputs[s] for name, s in names.items() if s in inputs}


FAMILIES = {  # the value alone, the forward, the backward
    "softmax": ("softmax", "softmax_forward", "softmax_backward"),
    "log_softmax": ("log_softmax", "log_softmax_forward", "log_softmax_backward"),
    "logsumexp": ("logsumexp", "logsumexp", None),
    "cross_entropy": (None, "cross_entropy_forward", "cross_entropy_backward"),
    "linear": (None, "linear_forward", "linear_backward"),
    "relu": (None, "relu_forward", "relu_backward"),
    "lsoftmax": (None, "lsoftmax_forward", "lsoftmax_backward"),
}


# ------------------------------------------------------------------- which way it is


def _trials(family):
    """Return three inputs of sizes N = 3, D = 4, C = 5, with a cotangent `d`."""
    trials = []
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
        }
        forward = CONTRACT[FAMILIES[family][1]]
        given = {k: v for k, v in given.items() if k in forward.takes}
        right = next(iter(forward.expected(_for(forward, given)).values()))[0]
        d = rng.uniform(0.5, 1.5, np.shape(right))
        trials.append((given, right, d if d.ndim else float(d)))
    return trials


def _for(function, inputs):
    axis = {"axis": -1} if "axis" in function.takes else {}
    return {k: v for k, v in inputs.items() if k in function.takes} | axis


def _score(pairs):
    """Return how near results are to the right ones, and their ratio if there is one."""
    yours = np.concatenate([np.ravel(a) for a, _ in pairs])
    right = np.concatenate([np.ravel(b) for _, b in pairs])
    if not np.isfinite(yours).all():
        return FITS - 0.5, None
    ratio = float(yours @ right / (right @ right)) or None
    if not ratio:
        return FITS - 0.4, None
    off = np.abs(yours - ratio * right).max() / (np.abs(yours).max() or 1.0)
    if off > CLOSE:
        return FITS - 0.4 * min(off, 1), None
    return (RIGHT if abs(ratio - 1) < CLOSE else IN_PROPORTION), ratio


def _tried(ask, trials):
    """Return (score, ratio) of results by name, asked on all of the trials."""
    pairs = []
    for inputs, right, d in trials:
        try:
            pairs += ask(inputs, right, d)
        except NEVER_OURS:
            return RAISES_ALWAYS, None
        except KeyboardInterrupt:
            raise
        except BaseException:  # exit() too
            return NOTHING, None
    return _score(pairs)


def _forward_score(way, trials):
    def ask(inputs, right, d):
        return [(way.forward(inputs)[0], right)]

    score, ratio = _tried(ask, trials)
    summed = ratio and abs(ratio / N - 1) < CLOSE
    if summed and way.family == "cross_entropy" and not way.strict:
        way.accepted["sum"] = "a sum over the batch, not a mean"
        return RIGHT
    finite = FITS - 0.5 < score < IN_PROPORTION
    if finite and way.roles[0] == "z" and ignores_a_shift(way):
        score += 0.5  # logits then, and not probabilities
    return score


def ignores_a_shift(way):
    inputs, _, _ = _trials(way.family)[0]
    with contextlib.suppress(Exception):
        shifted = inputs | {"z": inputs["z"] + 1}
        return np.allclose(way.forward(inputs)[0], way.forward(shifted)[0])
    return False


def _gradient_score(way, trials, name):
    backward = CONTRACT[FAMILIES[way.family][2]]

    def ask(inputs, right, d):
        with_d = inputs | {backward.takes[0]: d}
        expected = backward.expected(with_d)
        gradients = way.backward(d, way.forward(inputs)[1])
        return [(gradients[name], expected[name][0])]

    return _tried(ask, trials)


def _gradients_score(way, trials):
    scores = []
    for name in CONTRACT[FAMILIES[way.family][2]].gives:
        score, ratio = _gradient_score(way, trials, name)
        if way.view == COLUMNS and ratio and abs(ratio * N - 1) < CLOSE:
            way.accepted["1/m"] = "1/m inside dW and db"
            score, _ = _gradient_score(way, trials, name)
        scores.append(score)
    return min(scores)


def _ways(theirs, row, view):
    """Yield every way to ask a forward, the likeliest order of arguments first."""
    method = theirs.method(FORWARDS) if theirs.is_class else None
    call = getattr(theirs.thing, method) if method else theirs.thing
    asked = [p for p in _asked(call) if p.name != "self"]
    for take in row.takes:
        roles = take.split()
        inside = theirs.has_weights()
        order = [r for r in roles if r not in inside]
        if len(order) != len(asked) or (theirs.is_class and not method):
            continue
        for each in _orders(asked, order, len(order)):
            yield Way(row.family, theirs, method, roles, each, view)


def _mixes(way, trials):
    """Return whether rows depend on each other, and columns too: it is for one row."""
    z = trials[0][0]["z"]
    try:
        all_rows, _ = way.forward({"z": z})
        row, _ = way.forward({"z": z[:1]})
        column, _ = way.forward({"z": z[:, :1]})
    except Exception:
        return True
    near = {"rtol": 1e-6, "atol": 1e-9}
    by_rows = np.allclose(row, all_rows[:1], **near)
    by_columns = all_rows.ndim == 2 and np.allclose(column, all_rows[:, :1], **near)
    return not (by_rows or by_columns)


def best_forwards(theirs, row, views, trials, strict=False):
    """Return the score of the best ways to ask a forward, and these ways."""
    found = []
    for view in views:
        if view == ONE_ROW and row.family != "cross_entropy":
            rows = [way for _, way in found]
            if rows and not _mixes(rows[0], trials):
                continue
            found = []
        for way in _ways(theirs, row, view):
            way.strict = strict
            score = _forward_score(way, trials)
            if score >= IN_PROPORTION or (score and "Y" not in way.roles):
                found.append((score, way))
    best = max((score for score, _ in found), default=NOTHING)
    ways = [way for score, way in found if score == best]
    return best, sorted(ways, key=lambda way: not _bears_one_class(way))


def _bears_one_class(way):
    """Return whether a loss takes C = 1, where labels look like one-hot ones."""
    inputs, _, _ = _trials(way.family)[0]
    one = {k: 0 * v[..., :1] if k == "z" else 0 * v for k, v in inputs.items()}
    return way.family != "cross_entropy" or _works(way, one)


def best_pair(theirs, row, views, trials, strict, candidates):
    """Return (score, score of the gradient, Way) of the best way, or None."""
    score, ways = best_forwards(theirs, row, views, trials, strict)
    pairs = []
    for way in ways:
        gradient = NOTHING
        if FAMILIES[row.family][2]:
            gradient = best_gradient(way, candidates, trials)
        pairs.append((score, gradient, way))
        if gradient == RIGHT:
            break
    return max(pairs, key=lambda each: each[1], default=None)


def best_gradient(way, candidates, trials):
    """Return the score of the best gradient beside a forward, and set the way's."""
    options = [("same",)] if way.family == "cross_entropy" and not candidates else []
    for call in candidates:
        method = getattr(way.theirs.thing, call) if isinstance(call, str) else call
        asked = [p for p in _asked(method) if p.name != "self"]
        things = ("d", "cache", *dict.fromkeys(way.order), "out")
        options += [(call, order) for order in _orders(asked, things, len(asked))]
    found = [(NOTHING, None, False)]
    for option in options:
        for by_p in (False, True)[: 1 + ("p" in way.roles)]:
            way.gradient = option
            way.accepted.pop("by p", None)
            if by_p:
                way.accepted["by p"] = "a gradient by the probabilities"
            score = _gradients_score(way, trials)
            found.append((score, option, by_p))
        if found[-1][0] == RIGHT:
            break
    score, way.gradient, by_p = max(found, key=lambda each: each[0])
    way.accepted.pop("by p", None)
    if by_p:
        way.accepted["by p"] = "a gradient by the probabilities"
    if score == NOTHING:
        way.gradient = None
    return score


# -------------------------------------------------------------------------- a reading


DEFAULTS = {"axis": -1, "lam": 0.0, "b": None}


class Adapter:
    """A function of theirs, called as the contract calls its own."""

    def __init__(self, way, name):
        self.way, self.name = way, name
        self.function = CONTRACT[name]
        self.__signature__ = inspect.Signature(
            inspect.Parameter(
                each,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=DEFAULTS.get(each, inspect.Parameter.empty),
            )
            for each in self.function.takes
        )
        self.__name__ = self.title
        self.__wrapped__ = way.theirs.thing
        if self.function.forward and callable(way.gradient[0]):
            self.__wrapped__ = way.gradient[0]

    @property
    def title(self):
        """Return what a person calls it: `softmax_loss: loss`, `Softmax.backward`."""
        way, own = self.way, self.way.theirs.name
        if not self.function.forward:
            both = way.gradient == ("same",)
            return f"{own}.{way.method}" if way.method else own + ": loss" * both
        how = way.gradient[0]
        if how == "same":
            return f"{own}: gradient"
        return f"{own}.{how}" if isinstance(how, str) else how.__name__

    def __call__(self, *arguments):
        if self.function.forward:
            if self.way.wrong:
                raise Wrong(Kind.VALUE, self.way.wrong)
            gradients = self.way.backward(*arguments)
            given = tuple(gradients[name] for name in self.function.gives)
            return given if len(given) > 1 else given[0]
        inputs = DEFAULTS | dict(zip(self.function.takes, arguments, strict=False))
        inputs = {name: inputs[name] for name in self.function.takes}
        if "axis" in inputs:
            return self._along(inputs["z"], inputs["axis"])
        value, kept = self.way.forward(inputs)
        return (value, kept) if self.function.gives[-1] == "cache" else value

    def _along(self, z, axis):
        """Return the value along any axis, with the classes last when it is asked."""
        z = np.moveaxis(z, axis, -1)
        value, _ = self.way.forward({"z": z.reshape(-1, z.shape[-1])})
        if value.ndim == 1:
            return value.reshape(z.shape[:-1])
        return np.moveaxis(value.reshape(z.shape), -1, axis)

    def repaired(self):
        """Return a softmax that gives right values as theirs does, or None."""
        way = self.way
        if way.family != "softmax" or way.theirs.is_class or self.function.forward:
            return None

        def right(z, *more, **named):
            given = way.theirs.thing(z, *more, **named)
            z = np.atleast_2d(laid_out("z", z, way.view))
            p = laid_out("z", ROLES["p"]({"z": z}), way.view)
            return (
                (p, *given[1:]) if isinstance(given, tuple) else p.reshape(given.shape)
            )

        return right

    # ------------------------------------------------------------- in their words

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
        way, cotangent = self.way, self.function.takes[0]
        names = [p.name for p in way.asked()]
        inputs = _for_axis(inputs)
        one = inputs
        if way.view == ONE_ROW:
            one = _row(inputs, 0)
        given = way.handed(one) if len(_any_of(inputs)) else {}
        shown = {n: given[r] for n, r in zip(names, way.order, strict=True)}
        more = {k: v for k, v in inputs.items() if k in ("m", "lam")}
        if self.function.forward and cotangent in inputs:
            name, d = self._name_of_d(), inputs[cotangent]
            d = d[0] if way.view == ONE_ROW and np.ndim(d) else d
            more[name or cotangent] = self.laid_out(d)
        return shown | more

    def _name_of_d(self):
        how, *order = self.way.gradient
        if how == "same" or "d" not in order[0]:
            return None
        call = getattr(self.way.theirs.thing, how) if isinstance(how, str) else how
        asked = [p.name for p in _asked(call) if p.name != "self"]
        return asked[order[0].index("d")]

    def calls(self, shown, f="{}"):
        """Return the lines that call theirs; f makes a name one that can be called."""
        way, own = self.way, f.format(self.way.theirs.name)
        given = ", ".join(p.name for p in way.asked())
        if way.theirs.is_class:
            made = ", ".join(f"{p}={v}" for p, v in self._settings(shown).items())
            yield f"layer = {own}({made})"
            own = f"layer.{way.method}"
        if not self.function.forward or way.gradient == ("same",):
            named = ", reg=0.0" * ("R" in way.roles)
            yield f"print({own}({given}{named}))"
            return
        yield f"given = {own}({given})"
        how, order = way.gradient
        called = f"layer.{how}" if isinstance(how, str) else f.format(how.__name__)
        names = dict(zip(way.order, (p.name for p in way.asked()), strict=True))
        names |= {"d": self._name_of_d(), "cache": "given[1]", "out": "given"}
        yield f"print({called}({', '.join(names[role] for role in order)}))"

    def _settings(self, shown):
        asked = {
            p.name: _setting_of(p.name) for p in _parameters(self.way.theirs.thing)
        }
        values = shown | {"name": repr("layer")}
        return {name: values[s] for name, s in asked.items() if s in values}


def _for_axis(inputs):
    """Return inputs of a value along an axis as rows."""
    if "axis" not in inputs:
        return inputs
    z = np.moveaxis(inputs["z"], inputs["axis"], -1)
    return {"z": z.reshape(-1, z.shape[-1])}


def _any_of(inputs):
    return next(v for v in inputs.values() if np.ndim(v))


def signature_is_that_of(name, function):
    """Return whether a function can be called as the contract calls that name."""
    asked, takes = _parameters(function), CONTRACT[name].takes
    required = [p for p in asked if p.default is p.empty]
    optional = CONTRACT[name].signature.count("=")
    if len(asked) != len(takes):
        return False
    names_axis = "axis" not in takes or asked[1].name == "axis"
    return len(required) == len(takes) - optional and names_axis


def keeps_to_the_contract(name, named):
    """Return whether a function does, called once, what the contract says it does."""
    function = CONTRACT[name]
    family = next((f for f, names in FAMILIES.items() if name in names), None)
    if not family:
        return True
    inputs, _, d = _trials(family)[0]
    try:
        with quietly(), time_limit(SECONDS):
            given = [inputs[key] for key in function.takes if key in inputs]
            if function.forward:
                takes = CONTRACT[function.forward].takes
                forward = named[function.forward]
                given = [d, forward(*(inputs[k] for k in takes if k in inputs))[1]]
            result = named[name](*given)
    except (NotImplementedError, Endless):
        return True
    except KeyboardInterrupt:
        raise
    except BaseException:
        return False
    several = isinstance(result, tuple) and len(result) == len(function.gives)
    return several or (len(function.gives) == 1 and not isinstance(result, dict))


class Readings:
    """What was found in a file: functions by the contract's names, and what is said.

    functions: {name of the contract: callable}; more: such dicts of what is there twice;
    said: how what is not the contract's was read; unread: names that look like ours.
    """

    def __init__(self, named, names=None, columns=False):
        self.named = {k: v for k, v in named.items() if _may_be_theirs(k, v)}
        self.names, self.columns = names or {}, columns
        self.contract = {
            name: named[name]
            for name in CONTRACT
            if callable(named.get(name)) and signature_is_that_of(name, named[name])
        }
        self.kept = []
        if not columns:
            self.kept = [n for n in self.contract if keeps_to_the_contract(n, named)]
        self.found, self.used = [], set()
        for name, row in self._units():
            with contextlib.suppress(Endless), quietly(), time_limit(SECONDS):
                self._read(name, row)
        self._choose(named)

    def _units(self):
        """Yield (name, row of the table) of each forward that may have to be read."""
        for family, name in self.names.items():
            yield name, next(row for row in TABLE if row.family == _family(family))
        for name in self.named:
            row = recognised(name)
            if not row or stem_of_gradient(name) or name in self.names.values():
                continue
            backward = FAMILIES[row.family][2]
            if name not in self.kept or (
                backward in self.named and backward not in self.kept
            ):
                yield name, row

    def _read(self, name, row):
        """Try the ways to ask a forward, and the gradients beside it, in both layouts."""
        theirs, trials, best = Theirs(name, self.named[name]), _trials(row.family), []
        strict = name in self.contract and name not in self.names.values()
        gradients = self._gradients(theirs, row) if FAMILIES[row.family][2] else []
        for group in ((ROWS, ONE_ROW), (COLUMNS,)):
            views = [view for view in row.views if view in group]
            pair = best_pair(theirs, row, views, trials, strict, gradients)
            best += [pair] if pair else []
        if best:
            self.found.append((name, best))

    def _gradients(self, theirs, row):
        """Return what may be the gradient beside a forward: a method, or functions."""
        if theirs.is_class:
            return [name for name in BACKWARDS if theirs.method((name,))]
        beside = {row.family, *(["softmax"] if row.family == "cross_entropy" else [])}
        found = []
        for name, thing in self.named.items():
            of = stem_of_gradient(name)
            if of and not inspect.isclass(thing):
                is_beside = recognised(of) and recognised(of).family in beside
                if is_beside or bare(of) == bare(theirs.name):
                    found.append(thing)
        return found

    # ---------------------------------------------------------------- what is taken

    def _choose(self, named):
        votes = sum(self._votes(best) for _, best in self.found)
        self.functions, self.more, self.said = {}, [], []
        lone = []
        chosen = []
        for name, best in self.found:
            in_columns = [each for each in best if each[2].view == COLUMNS]
            better = self._votes(best) and in_columns
            take = in_columns if better and (self.columns or votes > 1) else best
            score, gradient, way = take[0]
            if better and take is best:
                lone.append(way)
            if self._is_allowed(name, score, gradient, way):
                chosen.append((score, gradient, way))
        chosen.sort(key=lambda each: -each[1] if each[1] > RAISES_ALWAYS else 0)
        for score, gradient, way in chosen:
            self._take(score, gradient, way, way in lone)
        for name in CONTRACT:
            if callable(named.get(name)) and name not in self.used:
                self.functions.setdefault(name, named[name])
        self.said += slope_at_zero(self.functions)
        self.unread = [
            name
            for name in self.named
            if looks_like_one(name)
            and name not in self.used | set(CONTRACT)
            and not self._is_a_helper(name)
        ]

    def _is_a_helper(self, name):
        """Return whether the file has the contract's own function for it."""
        row = recognised(stem_of_gradient(name) or name)
        return row and any(each in self.contract for each in FAMILIES[row.family])

    def _votes(self, best):
        """Return how many functions of a reading say that a sample is a column."""
        if len(best) == 1:
            return (best[0][2].view == COLUMNS) * (1 + (best[0][1] > RAISES_ALWAYS))
        (rows, d_rows, _), (columns, d_columns, _) = best
        if columns + d_columns <= rows + d_rows or columns < RIGHT:
            return 0
        return 1 + (d_columns > d_rows)

    def _is_allowed(self, name, score, gradient, way):
        """Return whether a reading may stand beside the contract: it needs a witness."""
        if name not in self.contract or name in self.names.values():
            return True
        if self.columns and way.view == COLUMNS:
            return True
        backward = FAMILIES[way.family][2]
        if name in self.kept:  # its backward is not as the contract says
            own = backward in self.contract
            return gradient == RIGHT or (gradient > RAISES_ALWAYS and not own)
        one_hot = {"t", "f"} & set(way.roles)
        return score == RIGHT and bool(one_hot or gradient == RIGHT)

    def _take(self, score, gradient, way, lone):
        alone, forward, backward = FAMILIES[way.family]
        function = way.gradient and way.gradient[0]
        name = getattr(function, "__name__", None)
        if gradient <= RAISES_ALWAYS < score or name in self.used:
            way.gradient = None
        own = way.theirs.name
        targets = [own if own in CONTRACT else alone or forward]
        if way.gradient:
            targets = [forward, backward]
        adapters = {name: Adapter(way, name) for name in targets}
        functions = self.functions
        if any(name in functions or name in self.kept for name in targets):
            if own not in self.kept and not way.gradient:
                return
            if not any(name in self.kept for name in targets):
                functions = {}
                self.more.append(functions)
        functions.update(adapters)
        self.used |= {own} | ({name} if way.gradient and name else set())
        self.said.append(sentence(way, targets, lone))


def _family(name):
    return re.sub("_(forward|backward)$", "", name)


def _may_be_theirs(name, thing):
    module = getattr(thing, "__module__", None) or ""
    library = module.split(".")[0] in ("numpy", "scipy", "builtins", "npsoftmax")
    return callable(thing) and not name.startswith("_") and not library


# ------------------------------------------------------------------------ what is said

LAYOUTS = {
    ROWS: ("(N, C)", "(N, D)", "(D, C)"),
    COLUMNS: ("(C, N)", "(D, N)", "(C, D)"),
    ONE_ROW: ("(C,), a row at a time", "", ""),
}
OF = {
    "z": "logits {0}",
    "p": "probabilities {0}",
    "R": "X {1} and W {2}",
    "x": "x {1} and W {2}",
    "h": "x of any shape",
}
FORMS = {
    "t": "labels one-hot",
    "f": "labels as floats",
    "Y": "labels (N, 1)",
}


def sentence(way, targets, lone):
    """Return how a function was read, and what was accepted with that."""
    forward = Adapter(way, FAMILIES[way.family][1])
    names = ", ".join(p.name for p in way.asked())
    read_as = " and ".join([targets[0], *("_backward" for _ in targets[1:])])
    forms = [FORMS[role] for role in way.roles if role in FORMS]
    more = "; ".join([*forms, *way.accepted.values(), *_found_out(way, targets)])
    of = OF[way.roles[0]].format(*LAYOUTS[way.view])
    of = of.replace("(D, C)", "(C, D)") if "V" in way.roles else of
    hint = "; right if each column is a sample: --columns" * lone
    name = forward.title.partition(":")[0]
    return (
        f"{name}({names}) is read as {read_as}, of {of}{'; ' * bool(more)}{more}{hint}"
    )


def _found_out(way, targets):
    """Yield what asking more has shown: images, margins, a weight decay."""
    inputs, right, _ = _trials(way.family)[0]
    if way.family == "linear" and way.view == ROWS and "W" in way.order:
        way.images = True
        way.images = _tried(lambda *_: [(way.forward(inputs)[0], right)], [(0, 0, 0)])[
            0
        ] == (RIGHT)
        if way.images:
            yield "images (N, d1, .., dk) too"
    if way.family == "lsoftmax":
        margins = [m for m in range(1, 9) if _works(way, inputs | {"m": m})]
        if len(margins) < 8:
            way.margins = margins
            yield f"only m = {', '.join(map(str, margins))} are implemented"
    if "R" in way.roles:
        yield _weight_decay(way, inputs)


def _works(way, inputs):
    with contextlib.suppress(Exception):
        return bool(np.isfinite(way.forward(inputs)[0]).all())
    return False


def _weight_decay(way, inputs):
    """Return what reg > 0 adds to the loss, and whether dW says the same."""
    (loss, kept), (more, with_reg) = (way.forward(inputs, reg) for reg in (0.0, 1.0))
    W = kept.handed["R"]
    factor = float(more - loss) / (W * W).sum()
    if way.gradient == ("same",) and not np.allclose(
        with_reg.rest - kept.rest, 2 * factor * W
    ):
        way.wrong = f"with reg, the loss has {factor:.3g} reg sum W^2, but dW has not {2 * factor:.3g} reg W"
    return f"with reg, {factor:.3g} reg sum W^2 is added"


def slope_at_zero(functions):
    """Yield what a ReLU's backward takes for the slope at 0, where it is not 0."""
    with contextlib.suppress(Exception), quietly(), time_limit(SECONDS):
        _, cache = functions["relu_forward"](np.zeros((1, 1)))
        slope = float(functions["relu_backward"](np.ones((1, 1)), cache)[0, 0])
        if slope:
            yield f"the slope of ReLU at 0 is {slope:g}: a choice, and accepted"


def adapter_to_paste(where, readings):
    """Return the lines that make a file of functions nobody knows one of ours."""
    names = readings.unread
    forward = next((n for n in names if not stem_of_gradient(n)), names[0])
    row = recognised(forward) or TABLE[0]
    backward = next((n for n in names if stem_of_gradient(n)), None)
    _, ours, back_ = FAMILIES[row.family]
    takes = ", ".join(CONTRACT[ours].takes)
    theirs = ", ".join(p.name for p in _parameters(readings.named[forward]))
    lines = [
        f"{where}: nothing could be judged; {', '.join(names)} looks like ours.",
        "Paste this below, make it fit, and check again:",
        "",
        f"def {ours}({takes}):",
        f"    value = {forward}({theirs})",
        "    return value, ...  # and what your backward needs",
    ]
    if back_:
        d = CONTRACT[back_].takes[0]
        lines += ["", f"def {back_}({d}, cache):"]
        lines += [f"    return {backward or '...'}({d}, cache)"]
    return "\n".join(lines)
