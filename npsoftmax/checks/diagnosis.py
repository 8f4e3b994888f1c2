"""Names the likely mistake by comparing with known wrong results on further inputs.

In goes a function that has failed; it is run on random inputs of N = 7 rows, D = 4,
C = 5 classes, m = 3 and lam = 2.5 among them, sizes whose ratios cannot be confused.
Its results are compared with those of each known mistake, and out comes the one that
agrees on all of them. Where none does, or more than one, nothing is said.
"""

from typing import NamedTuple

import numpy as np

from npsoftmax.checks.contract import CONTRACT
from npsoftmax.checks.expected import expected
from npsoftmax.checks.mistakes import MISTAKES
from npsoftmax.checks.subject import copied

N, D, C = 7, 4, 5
SAME = 1e-12  # relative: a mistake is followed to the last digits but rounding
SINGLE = 2.0**-24  # half the spacing of float32 at 1


class Diagnosis(NamedTuple):
    """The mistake's short name, the words for it, and the inputs on which it holds."""

    cause: str
    words: str
    confirmed: int


class Trial(NamedTuple):
    """One further input, with the function's results and the right ones, by name."""

    inputs: dict
    yours: dict
    right: dict
    hard: bool


def diagnose(subject, failure, seed=0):
    """Return the `Diagnosis` of a failure of the function `subject`, or None."""
    if failure.gate in ("inputs", "types"):
        at_once = _seen_at_once(failure) or _cache_changed(subject, failure)
        if at_once:
            return at_once
    if failure.gate == "gradient" and failure.loss_is_right is False:
        return None
    trials = _trials(subject, seed)
    if not any(not trial.hard for trial in trials):
        return None
    found = dict(_known(subject.name, trials)) or dict(_by_comparing(trials))
    if not found:
        found = dict(_float32(subject, trials, seed)) or dict(_divided(trials))
    if len(found) != 1:
        return None
    [(cause, (words, confirmed))] = found.items()
    return Diagnosis(cause, words, confirmed)


def _seen_at_once(failure):
    """Return what the failure itself says already, without any trial."""
    if "in place" in failure.what or "writes into" in failure.what:
        words = "an operation in place, such as z -= ..., on the caller's own array"
        return Diagnosis("in-place edit", words, 0)
    if "is float32" in failure.what:
        words = "a conversion to float32, which has 7 digits, where 16 went in"
        return Diagnosis("float32 inside", words, 0)
    return None


def _cache_changed(subject, failure):
    """Return the diagnosis of a backward that leaves another cache behind."""
    if not subject.function.forward or "a second time" not in failure.what:
        return None
    inputs = {name: copied(value) for name, value in failure.inputs.items()}
    _, cache = subject.forward_of(inputs)
    before = [copied(array) for array in _arrays(cache)]
    subject.raw([inputs[subject.function.takes[0]], cache])
    after = list(_arrays(cache))
    if len(before) == len(after) and all(map(_equal, before, after)):
        return None
    words = "an operation in place on the cache: take a copy"
    return Diagnosis("cache changed in place", words, 0)


def _arrays(cache):
    """Yield the arrays of a cache: tuples, lists, dicts and objects may hold them."""
    if isinstance(cache, np.ndarray):
        yield cache
        return
    if isinstance(cache, dict):
        cache = list(cache.values())
    elif hasattr(cache, "__dict__"):
        cache = list(vars(cache).values())
    if isinstance(cache, tuple | list):
        for value in cache:
            yield from _arrays(value)


def _equal(a, b):
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


# --------------------------------------------------------------------------- trials


def _trials(subject, seed):
    rng = np.random.default_rng([seed, 2016])
    trials = [_trial(subject, inputs, False) for inputs in ordinary(subject.name, rng)]
    trials += [_trial(subject, inputs, True) for inputs in hard(subject.name, rng)]
    return [trial for trial in trials if trial]


def _trial(subject, inputs, is_hard):
    """Return None where the function raises: such an input tells nothing apart."""
    try:
        yours = subject.results(**inputs)
        yours = {k: v if v is None else np.asarray(v, float) for k, v in yours.items()}
    except Exception:
        return None
    right = {
        name: None if value is None else np.asarray(value[0])
        for name, value in expected(subject.name, inputs).items()
    }
    return Trial(inputs, yours, right, is_hard)


def ordinary(name, rng):
    """Return further inputs of a function on which nothing is dangerous."""
    function = CONTRACT[name]
    first = CONTRACT[function.forward].takes if function.forward else function.takes
    given = [_BY_FIRST[first](rng, i) for i in range(4)]
    return [_completed(function, inputs, rng) for inputs in given]


def hard(name, rng):
    """Return further inputs of a function that are dangerous."""
    function = CONTRACT[name]
    first = CONTRACT[function.forward].takes if function.forward else function.takes
    given = [_HARD_BY_FIRST[first](rng, i) for i in range(4)]
    return [_completed(function, inputs, rng) for inputs in given]


def _completed(function, inputs, rng):
    """Return the inputs with a random gradient by the forward's value."""
    if function.forward:
        cotangent = function.takes[0]
        value = expected(function.forward, inputs)
        [(like, _)] = value.values()
        random = rng.normal(size=np.shape(like)) + 0.1
        inputs[cotangent] = float(random) if random.ndim == 0 else random
    return inputs


def _logits(rng, i):
    return {"z": rng.normal(size=(N, C)) * (1 + i)}


def _wide_logits(rng, i):
    """Rows with offsets of their own; confident rows; logits far below the others."""
    if i > 1:
        return {"z": rng.normal(size=(N, C)) - 4000 * _far(rng)}
    offsets = 1000.0 * rng.permutation(np.arange(N) - N // 2)[:, None]
    return {"z": (3, 40)[i] * rng.normal(size=(N, C)) + offsets * (i == 0)}


def _far(rng):
    """Return a mask of two entries in each row (N, C)."""
    return rng.permuted(np.tile(np.arange(C), (N, 1)), axis=1) < 2


def _with_axis(of):
    return lambda rng, i: of(rng, i) | {"axis": (-1, 0, 1, -1)[i]}


def _with_labels(of):
    return lambda rng, i: of(rng, i) | {"y": _labels(rng)}


def _wide_labelled(rng, i):
    """Of the labels of logits far below, none has such a logit itself if i = 2."""
    given = _wide_logits(rng, i)
    return given | {"y": given["z"].argmax(axis=1) if i == 2 else _labels(rng)}


def _labels(rng):
    """Each label but one twice at least in seven rows, and y[0] not in every row."""
    y = np.array([0, 1, 2, 2, 1, 4, 0])
    return rng.permutation(C)[rng.permutation(y)]


def _linear(rng, i):
    b = rng.normal(size=C) if i != 3 else None
    return {"x": rng.normal(size=(N, D)), "W": rng.normal(size=(D, C)), "b": b}


def _relu(rng, i):
    return {"h": rng.normal(size=(N, D)) * 5}


def _angles(rng, i):
    theta = (np.arange(4 * N) + rng.uniform(0.1, 0.9, 4 * N)) * np.pi / (4 * N)
    return {"theta": rng.permutation(theta), "m": (3, 4, 2, 5)[i]}


def _cosines(rng, i):
    given = _angles(rng, i)
    return {"cos": np.cos(given["theta"]), "m": given["m"]}


def _end_cosines(rng, i):
    past = np.nextafter(1.0, 2.0)
    return {"cos": np.array([1.0, past, 0.5, -past, -1.0]), "m": (3, 4, 2, 5)[i]}


def _ends(rng, i):
    return {"theta": np.array([0, np.pi, np.pi / 2]), "m": (3, 4, 2, 5)[i]}


def _features(rng, i):
    """Seven rows whose angles to their weights go through all the pieces."""
    m, lam = ((3, 2.5), (4, 0.7), (2, 0.0), (5, 2.5))[i]
    W, y = rng.normal(size=(D + 2 * (i > 1), C)), _labels(rng)
    w_hat = W.T[y] / np.linalg.norm(W.T[y], axis=1, keepdims=True)
    across = rng.normal(size=(N, len(W)))
    across -= (across * w_hat).sum(axis=1, keepdims=True) * w_hat
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    steps = np.arange(N) + rng.uniform(0.2, 0.8, N)
    theta = rng.permutation(steps)[:, None] * np.pi / N
    x = rng.uniform(0.5, 3, (N, 1)) * (np.cos(theta) * w_hat + np.sin(theta) * across)
    return {"x": x, "W": W, "y": y, "m": m, "lam": lam}


def _hard_features(rng, i):
    """Parallel and zero vectors."""
    given = _features(rng, i)
    x, W, y = given["x"], given["W"], given["y"]
    if i < 3:
        x[:] = rng.choice([-2.0, -1, 1, 3], size=(N, 1)) * W.T[y]
    else:
        x[0], W[:, y[1]] = 0, 0
    return given


_BY_FIRST = {
    ("z", "axis"): _with_axis(_logits),
    ("z",): _logits,
    ("z", "y"): _with_labels(_logits),
    ("x", "W", "b"): _linear,
    ("h",): _relu,
    ("theta", "m"): _angles,
    ("cos", "m"): _cosines,
    ("x", "W", "y", "m", "lam"): _features,
}
_HARD_BY_FIRST = _BY_FIRST | {
    ("z", "axis"): _with_axis(_wide_logits),
    ("z",): _wide_logits,
    ("z", "y"): _wide_labelled,
    ("theta", "m"): _ends,
    ("cos", "m"): _end_cosines,
    ("x", "W", "y", "m", "lam"): _hard_features,
}


# ------------------------------------------------------------------ known mistakes


def _known(name, trials):
    """Yield each listed mistake that agrees on all the trials it is compared on."""
    for mistake in MISTAKES[name]:
        compared = [trial for trial in trials if mistake.hard or not trial.hard]
        if any(_explains(wrong, compared) for wrong in mistake.wrong):
            yield mistake.name, (mistake.words, len(compared))


def _explains(wrong, trials):
    differs = False
    for trial in trials:
        try:
            results = wrong(**trial.inputs)
        except (ValueError, IndexError):  # its shapes do not even fit together
            return False
        results = results if isinstance(results, tuple) else (results,)
        named = dict(zip(trial.yours, results, strict=True))
        if not all(_same(trial.yours[each], named[each]) for each in named):
            return False
        differs |= not all(_same(trial.right[each], named[each]) for each in named)
    return differs


def _same(a, b):
    if a is None or b is None:
        return a is b is None
    b = np.asarray(b, dtype=float)
    if a.shape != b.shape:
        return False
    with np.errstate(all="ignore"):
        size = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
        close = np.abs(a - b) <= SAME * size
    return bool(np.all(close | (a == b) | (np.isnan(a) & np.isnan(b))))


# ------------------------------------------------------------ seen by comparing only


def _by_comparing(trials):
    """Yield the causes that can be read from yours and the right results alone."""
    trials = [trial for trial in trials if not trial.hard]
    found = []
    for name in trials[0].yours:
        pairs = [(trial.yours[name], trial.right[name]) for trial in trials]
        pairs = [(a, b) for a, b in pairs if a is not None and b is not None]
        if not all(_same(a, b) for a, b in pairs):
            found.append(_of_one_result(name, pairs))
    if found and None not in found and len({cause for cause, _ in found}) == 1:
        cause = found[0][0]
        words = "; ".join(words for _, words in found)
        yield cause, (words, len(trials))


def _of_one_result(name, pairs):
    """Return (cause, words) of one wrong result, or None."""
    for rule in (_transposed, _scaled, _last_row, _clipped):
        seen = rule(name, pairs)
        if seen:
            return seen
    return None


def _transposed(name, pairs):
    if all(a.shape != b.shape and _same(a.T, b) for a, b in pairs):
        return "transposed", f"{name} is transposed"
    return None


RATIOS = {
    0.0: ("zero", "is zero"),
    -1.0: ("sign", "has the wrong sign"),
    float(N): ("factor N", "is N times too large: a mean, 1/N, is missing"),
    1 / N: ("factor 1/N", "is divided by N once too often"),
    float(C): ("factor C", "is C times too large, C the number of classes"),
    1 / C: ("factor 1/C", "is divided by C, the number of classes, once too often"),
    N / C: ("1/C for 1/N", "is divided by C, the number of classes, not by N"),
}


def _scaled(name, pairs):
    if any(a.shape != b.shape for a, b in pairs):
        return None
    a = np.concatenate([a.ravel() for a, _ in pairs])
    b = np.concatenate([b.ravel() for _, b in pairs])
    if not np.isfinite(a).all() or not (b @ b):
        return None
    ratio = float(a @ b / (b @ b))
    if np.abs(a - ratio * b).max() > 1e-12 * np.abs(b).max():
        return None
    for known, (cause, words) in RATIOS.items():
        if abs(ratio - known) < 1e-9:
            return cause, f"{name} {words}"
    return "scaled by a constant", f"{name} is {ratio:.6g} times what it should be"


def _last_row(name, pairs):
    def missing(a, b):
        same_shape = a.shape == b.shape and a.ndim
        return same_shape and _same(a[:-1], b[:-1]) and not a[-1].any()

    if all(missing(a, b) for a, b in pairs):
        return "last row missing", f"the last row of {name} is missing"
    return None


def _clipped(name, pairs):
    if any(a.shape != b.shape for a, b in pairs):
        return None
    low = min(a.min() for a, _ in pairs)
    high = max(a.max() for a, _ in pairs)
    if low < high and all(_same(a, np.clip(b, low, high)) for a, b in pairs):
        bounds = [
            f"{word} {bound:.3g}"
            for word, bound, b in (
                ("below", low, min(b.min() for _, b in pairs)),
                ("above", high, max(b.max() for _, b in pairs)),
            )
            if bound != b
        ]
        return "clipped", f"{name} is cut off {' and '.join(bounds)}"
    return None


def _float32(subject, trials, seed):
    """Yield float32 where every result is as far off as its rounding takes it.

    Its errors have both signs. They stay where the inputs move by much less than the
    spacing of float32, and are drawn anew where they move by more; an eps gives errors
    that stay in both cases, and differences of a loss give some that never stay.
    """
    trials = [trial for trial in trials if not trial.hard]
    errors = [_error(trial, name) for trial in trials for name in trial.right]
    off = [error for error in errors if error > SAME]
    if len(off) < max(1, len(trials) - 1):
        return
    if min(off) <= SINGLE / 200 or max(off) >= SINGLE * 200:
        return
    rng = np.random.default_rng([seed, 32])
    here = _errors(trials)
    near, away = (_errors(_moved(subject, trials, rng, by)) for by in (1e-12, 1e-5))
    if not here.shape == near.shape == away.shape:
        return
    size, both = np.linalg.norm(here), np.concatenate([here, away])
    stay = np.linalg.norm(near - here) < size / 10
    if stay and np.linalg.norm(away - here) > size / 2 and both.min() < 0 < both.max():
        words = "float32 is used inside: the errors are those of 7 digits"
        yield "float32 inside", (words, len(trials))


def _moved(subject, trials, rng, by):
    """Return the trials at inputs that differ relatively by no more than `by`."""

    def moved(value):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            return value * (1 + by * rng.uniform(-1, 1, value.shape))
        return value

    inputs = [{k: moved(v) for k, v in trial.inputs.items()} for trial in trials]
    return [trial for trial in (_trial(subject, i, False) for i in inputs) if trial]


def _errors(trials):
    """Return all signed errors in a row, each beside its result's largest entry."""
    errors = [np.zeros(0)]
    for trial in trials:
        for name, right in trial.right.items():
            yours = trial.yours[name]
            if right is not None and yours is not None and yours.shape == right.shape:
                size = np.max(np.abs(right), initial=0.0)
                errors.append(np.ravel(yours - right) / (size or 1.0))
    return np.concatenate(errors)


def _error(trial, name):
    """Return the largest error of a result beside its largest entry."""
    yours, right = trial.yours[name], trial.right[name]
    if right is None or yours is None or yours.shape != right.shape:
        return 0.0
    size = np.max(np.abs(right), initial=0.0)
    return float(np.max(np.abs(yours - right), initial=0.0) / (size or 1.0))


# ---------------------------------------------------------------- divisions by zero


def _divided(trials):
    """Yield a division by 0 where what is not finite stands just where it is one."""
    for cause, words, at_zero in (
        ("division by a norm of 0", "divided by |x|, a norm that is 0", _x_is_0),
        ("division by a norm of 0", "divided by |W_y|, a norm that is 0", _w_is_0),
        ("division by a norm of 0", "divided by a norm that is 0", _x_or_w_is_0),
        ("division by sin(theta) = 0", "divided by sin(theta) = 0", _sin_is_0),
    ):
        if _only_at(trials, at_zero):
            yield cause, (words, len(trials))
            return


def _only_at(trials, at_zero):
    """Return whether every trial is finite but there, and right if not hard."""
    seen = False
    for trial in trials:
        masks = at_zero(trial)
        if masks is None:
            return False
        for name, yours in trial.yours.items():
            bad = ~np.isfinite(yours)
            right = trial.hard or _same(yours, trial.right[name])
            if not right or bad.shape != np.shape(trial.right[name]):
                return False
            must, may = masks[name]
            if (must & ~bad).any() or (bad & ~may).any():
                return False
            seen |= bad.any()
    return seen


def _x_is_0(trial, of_x=True, of_w=False):
    """Return the rows of dx, and the columns of dW, that such a division reaches."""
    if set(trial.yours) != {"dx", "dW"}:
        return None
    x, W, y = (trial.inputs[name] for name in ("x", "W", "y"))
    rows = (of_x & ~x.any(axis=1)) | (of_w & ~W.T[y].any(axis=1))
    columns = np.isin(np.arange(W.shape[1]), y[rows])
    dx, dW = np.zeros(x.shape, bool), np.zeros(W.shape, bool)
    dx[rows], dW[:, columns] = True, True
    return {"dx": (dx, dx), "dW": (dW, dW)}


def _w_is_0(trial):
    return _x_is_0(trial, of_x=False, of_w=True)


def _x_or_w_is_0(trial):
    return _x_is_0(trial, of_w=True)


def _sin_is_0(trial):
    """At 180 degrees sin(theta) may be rounded to a little more than 0."""
    if set(trial.yours) != {"dcos"}:
        return None
    cos = trial.inputs["cos"]
    return {"dcos": (cos == 1, np.abs(cos) >= 1)}
