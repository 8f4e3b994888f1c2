"""The best way to ask a function of theirs: the one whose results are right.

Every way is tried with sizes that cannot be confused (N = 7, D = 4, C = 5); where none
gives right results, the first whose results have the right shape is taken.
"""

import functools
from dataclasses import replace
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from npsoftmax.checks.agree import Wrong, copied
from npsoftmax.checks.conventions import COLUMNS, INSIDE, ONE_ROW, ROWS, SUM
from npsoftmax.checks.draws import N
from npsoftmax.checks.engine.safely import said
from npsoftmax.checks.engine.theirs import names_of, orders
from npsoftmax.checks.engine.way import SAME, Gradient, Way
from npsoftmax.checks.layers import CONTRACT

CLOSE = 0.01  # relative: an eps in a logarithm does not hide what a function is
RIGHT, IN_PROPORTION, FITS, RAISES_ALWAYS, NOTHING = 4, 3, 2, 1, 0
NEVER_OURS = NameError, NotImplementedError  # raised whatever is asked


class Pair(NamedTuple):
    """A way to ask, and how near its values and its gradients are to the right ones."""

    value: float
    gradient: float
    way: Way
    why: str = ""  # its gradient could not be read


class Trial(NamedTuple):
    """Inputs, and what is right there: the value, and the gradients for d."""

    inputs: dict
    value: np.ndarray
    d: np.ndarray | float
    gradients: dict


@functools.cache
def trials(family):
    """Return three trials of a family."""
    return [_trial(family, seed) for seed in range(3)]


def _trial(family, seed):
    forward = CONTRACT[family.forward]
    function = CONTRACT[family.backward or family.forward]
    inputs = function.ordinary(np.random.default_rng(seed), 0)
    if "m" in inputs:
        inputs["m"] = 2  # the margin that all have
    gradients = {name: right[0] for name, right in function.expected(inputs).items()}
    d = inputs.pop(function.takes[0]) if family.backward else None
    [(value, _)] = forward.expected(inputs).values()
    return Trial(inputs, value, d, gradients)


# ----------------------------------------------------------------------- how near it is


class Near(NamedTuple):
    """How near results are to the right ones, their ratio, and what went wrong."""

    score: float
    ratio: float = 0.0
    why: str = ""


def nearness(ask, family):
    """Return how near ask(trial, inputs) -> (yours, right) is on all trials."""
    pairs = []
    for trial in trials(family):
        try:
            inputs = {name: copied(value) for name, value in trial.inputs.items()}
            pairs.append([np.ravel(each) for each in ask(trial, inputs)])
        except NEVER_OURS:
            return Near(RAISES_ALWAYS)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # exit() too
            why = error.what if isinstance(error, Wrong) else said(error)
            return Near(NOTHING, why=why)
    return _compared(*map(np.concatenate, zip(*pairs, strict=True)))


def _compared(yours, right):
    if not np.isfinite(yours).all():
        return Near(FITS - 0.5)
    ratio = float(yours @ right / (right @ right))
    off = np.abs(yours - ratio * right).max() / (np.abs(yours).max() or 1.0)
    if off > CLOSE or not ratio:
        return Near(FITS - 0.4 * min(off, 1))
    return Near(RIGHT if _is_one(ratio) else IN_PROPORTION, ratio)


def _is_one(ratio):
    return abs(ratio - 1) < CLOSE


def _of_value(way):
    """Return how near the value is; a wrong loss of logits ignores a shift of them."""

    def value(inputs):
        return way.forward(inputs)[0]

    near = nearness(lambda trial, i: (value(i), trial.value), way.family)
    if way.family.is_loss and _is_one(near.ratio / N) and not way.strict:
        way.accepted.add(SUM)
        return RIGHT
    if way.roles[0] != "z" or not way.family.is_loss or near.score >= IN_PROPORTION:
        return near.score
    shifted = nearness(
        lambda _, i: (value(i | {"z": i["z"] + 1}), value(i)), way.family
    )
    return near.score + 0.5 * (shifted.score == RIGHT)


def _of_gradients(way):
    """Return how near the gradient is that is farthest from the right one."""

    def asked_for(name):
        def ask(trial, inputs):
            yours = way.backward(trial.d, way.forward(inputs)[1])
            return yours[name], trial.gradients[name]

        near = nearness(ask, way.family)
        if way.view == COLUMNS and _is_one(near.ratio * N):
            way.accepted.add(INSIDE)
            near = nearness(ask, way.family)
        return near

    return min(map(asked_for, CONTRACT[way.family.backward].gives))


# ------------------------------------------------------------------------ the best way


def best_pair(theirs, family, views, strict, candidates):
    """Return the best `Pair` of a forward and a gradient beside it, or None."""
    pairs = []
    for score, way in _best_forwards(theirs, family, views, strict):
        pairs.append(_with_best_gradient(score, way, candidates))
        if pairs[-1].gradient == RIGHT:
            break
    return max(pairs, key=attrgetter("gradient"), default=None)


def _best_forwards(theirs, family, views, strict):
    """Return [(score, way)] of the ways to ask a forward that are best."""
    found = []
    for view in views:
        if view == ONE_ROW and found and not family.is_loss:
            score, way = max(found, key=lambda each: each[0])
            if score == RIGHT or way.has_axis or not _mixes(way):
                continue
            found = []
        for way in _ways(theirs, family, view, strict):
            score = _of_value(way)
            if score >= IN_PROPORTION or (score and "Y" not in way.roles):
                found.append((score, way))
    best = max((score for score, _ in found), default=NOTHING)
    found = [each for each in found if each[0] == best]
    return sorted(found, key=lambda each: not _bears_one_class(each[1]))


def _ways(theirs, family, view, strict):
    """Yield every way to ask a forward, the likeliest order of arguments first."""
    for roles in map(str.split, family.takes):
        if len(roles) == len(theirs.names):
            for order in orders(theirs.names, roles):
                way = Way(family, theirs, roles, order, view, strict)
                if view == ROWS or not way.has_axis:
                    yield way


def _mixes(way):
    """Return whether rows depend on each other, and columns too: it is for one row."""
    z = trials(way.family)[0].inputs["z"]
    try:
        every = way.forward({"z": z})[0]
        row, column = (way.forward({"z": part})[0] for part in (z[:1], z[:, :1]))
    except Exception:
        return True
    near = {"rtol": 1e-6, "atol": 1e-9}
    by_columns = every.ndim == 2 and np.allclose(column, every[:, :1], **near)
    return not (by_columns or np.allclose(row, every[:1], **near))


def _bears_one_class(way):
    """Return whether a loss takes C = 1, where labels look like one-hot ones."""
    inputs = trials(way.family)[0].inputs
    inputs = {k: 0 * v[..., :1] if k == "z" else 0 * v for k, v in inputs.items()}
    return not way.family.is_loss or way.works(inputs)


def _with_best_gradient(value, way, candidates):
    """Return the `Pair` of a forward and the gradient beside it that is nearest."""
    pairs = []
    for each in _with_gradients(way, candidates):
        near = _of_gradients(each)
        pairs.append(Pair(value, near.score, each, near.why))
        if near.score == RIGHT:
            break
    return max(pairs, key=attrgetter("gradient"), default=Pair(value, NOTHING, way))


def _with_gradients(way, candidates):
    """Return the way with every gradient that may be its, the likeliest first."""
    if not way.family.backward:
        return []
    options = []
    if way.family.is_loss and not candidates:
        options.append(Gradient(SAME))
    for call in candidates:
        asked = names_of(way.theirs.method(call))
        things = ("d", "cache", *dict.fromkeys(way.order), "out")
        options += [Gradient(call, order) for order in orders(asked, things)]
    return [replace(way, gradient=each, accepted={*way.accepted}) for each in options]
