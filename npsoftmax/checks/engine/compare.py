"""What can go wrong in any function, seen by comparing its results with the right ones:
a factor, a sign, a transpose, the last row, a bound, float32.
"""

from functools import partial

import numpy as np

from npsoftmax.checks.draws import C, N
from npsoftmax.checks.engine.trials import SAME, Cause, same, trial_at

SINGLE = 2.0**-24  # half the spacing of float32 at 1


def by_comparing(function, trials):
    """Yield the causes that can be read from yours and the right results alone."""
    trials, found = [trial for trial in trials if not trial.dangerous], {}
    for name in trials[0].yours:
        pairs = [(trial.yours[name], trial.right[name]) for trial in trials]
        pairs = [(a, b) for a, b in pairs if a is not None and b is not None]
        if not all(same(a, b) for a, b in pairs):
            aligned = all(a.shape == b.shape for a, b in pairs)
            rules = RULES if aligned else (_transposed,)
            seen = (rule(name, pairs) for rule in rules)
            found[name] = next(filter(None, seen), None)
    if not found or None in found.values():
        return
    changes = {name: change for name, (_, _, change) in found.items()}
    causes, words, _ = zip(*found.values(), strict=True)
    if len({*causes}) == 1:
        does = partial(_changed, function, changes)
        yield Cause(causes[0], "; ".join(words), len(trials), "", does)


def _changed(function, changes, inputs):
    """Return {result: value}, the right ones but for the changes."""
    sizes = function.sizes(inputs)
    right = function.expected(inputs).items()
    right = {name: value and value[0] for name, value in right}
    return right | {
        name: change(right[name], sizes)
        for name, change in changes.items()
        if right[name] is not None
    }


# Each rule returns (cause, words, change) of one wrong result, or None; the change
# makes the wrong result of the right one and the sizes of the inputs by their letters.


def _transposed(name, pairs):
    if all(same(a.T, b) for a, b in pairs):
        return "transposed", f"{name} is transposed", lambda b, sizes: b.T
    return None


BY_C = "is divided by C, the number of classes"
RATIOS = (
    ("zero", "is zero", lambda N, C: 0.0),
    ("sign", "has the wrong sign", lambda N, C: -1.0),
    ("factor N", "is N times too large: a mean, 1/N, is missing", lambda N, C: N),
    ("factor 1/N", "is divided by N once too often", lambda N, C: 1 / N),
    ("factor C", "is C times too large, C the number of classes", lambda N, C: C),
    ("factor 1/C", f"{BY_C}, once too often", lambda N, C: 1 / C),
    ("1/C for 1/N", f"{BY_C}, not by N", lambda N, C: N / C),
)


def _scaled(name, pairs):
    a = np.concatenate([a.ravel() for a, _ in pairs])
    b = np.concatenate([b.ravel() for _, b in pairs])
    if not np.isfinite(a).all() or not (b @ b):
        return None
    ratio = float(a @ b / (b @ b))
    if np.abs(a - ratio * b).max() > SAME * np.abs(b).max():
        return None
    for cause, words, known in RATIOS:
        if abs(ratio - known(N, C)) < 1e-9:
            return cause, f"{name} {words}", partial(_times, known)
    words = f"{name} is {ratio:.10g} times what it should be"
    return "scaled by a constant", words, lambda b, sizes: ratio * b


def _times(ratio, b, sizes):
    return b * ratio(sizes.get("N", 1), sizes.get("C", 1))


def _last_row(name, pairs):
    def change(b, sizes):
        return np.concatenate([b[:-1], 0 * b[-1:]])

    if all(a.ndim and same(a, change(b, {})) for a, b in pairs):
        return "last row missing", f"the last row of {name} is missing", change
    return None


def _clipped(name, pairs):
    low, high = min(a.min() for a, _ in pairs), max(a.max() for a, _ in pairs)
    if not (low < high and all(same(a, np.clip(b, low, high)) for a, b in pairs)):
        return None
    bounds = []
    if low != min(b.min() for _, b in pairs):
        bounds.append(f"below {low:.3g}")
    else:
        low = -np.inf
    if high != max(b.max() for _, b in pairs):
        bounds.append(f"above {high:.3g}")
    else:
        high = np.inf
    words = f"{name} is cut off {' and '.join(bounds)}"
    return "clipped", words, lambda b, sizes: np.clip(b, low, high)


RULES = (_scaled, _last_row, _clipped)


def float32(subject, trials, seed):
    """Yield float32 where every result is as far off as its rounding takes it.

    Its errors have both signs. They stay where the inputs move by much less than the
    spacing of float32, and are drawn anew where they move by more; an eps gives errors
    that stay in both cases, and differences of a loss give some that never stay.
    """
    trials = [trial for trial in trials if not trial.dangerous]
    off = [np.max(np.abs(each), initial=0.0) for each in _errors(trials)]
    off = [error for error in off if error > SAME]
    if len(off) < max(1, len(trials) - 1):
        return
    if min(off) <= SINGLE / 200 or max(off) >= SINGLE * 200:
        return
    rng = np.random.default_rng([seed, 32])
    moved = (_moved(subject, trials, rng, by) for by in (1e-12, 1e-5))
    here, near, away = (np.concatenate([*_errors(each)]) for each in (trials, *moved))
    if not here.shape == near.shape == away.shape:
        return
    size, both = np.linalg.norm(here), np.concatenate([here, away])
    stay = np.linalg.norm(near - here) < size / 10
    if stay and np.linalg.norm(away - here) > size / 2 and both.min() < 0 < both.max():
        words = "float32 is used inside: the errors are those of 7 digits"
        yield Cause("float32 inside", words, len(trials))


def _moved(subject, trials, rng, by):
    """Return the trials at inputs that differ relatively by no more than `by`."""

    def moved(value):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            return value * (1 + by * rng.uniform(-1, 1, value.shape))
        return value

    inputs = [{k: moved(v) for k, v in trial.inputs.items()} for trial in trials]
    return [trial for trial in (trial_at(subject, i) for i in inputs) if trial]


def _errors(trials):
    """Yield each result's signed errors in a row, beside its largest entry."""
    yield np.zeros(0)
    for trial in trials:
        for name, right in trial.right.items():
            yours = trial.yours[name]
            if right is not None and yours is not None and yours.shape == right.shape:
                size = np.max(np.abs(right), initial=0.0)
                yield np.ravel(yours - right) / (size or 1.0)
