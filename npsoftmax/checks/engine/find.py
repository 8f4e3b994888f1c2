"""Names the likely mistake: which change of the page does what this function does?

In goes a function that has failed; it is run on further inputs, of sizes whose ratios
cannot be confused. The page is run with each known mistake in it; what can go wrong in
any function (a factor, a sign, a transpose, the last row, float32) is seen by comparing
its results with the right ones. Out comes the mistake that agrees on all the inputs.
Where none does, or more than one, nothing is said.
"""

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from npsoftmax.checks.agree import Kind, copied
from npsoftmax.checks.draws import C, N
from npsoftmax.checks.edits import POSITIVE, Edit, callees, edited, line_of, source_of
from npsoftmax.checks.layers import CONTRACT
from npsoftmax.checks.mistakes import MISTAKES
from npsoftmax.checks.singles import single_changes

SAME = 1e-12  # relative: a mistake is followed to the last digits but rounding
SINGLE = 2.0**-24  # half the spacing of float32 at 1
TRIALS = 4  # of each kind


class Cause(NamedTuple):
    """A mistake's short name, the words for it, the further inputs on which it holds,
    the line of the page as it would have to be, and what it makes of any inputs.
    """

    name: str
    words: str
    confirmed: int = 0
    line: str = ""
    does: Callable | None = None  # does(inputs) -> {result: value}

    def explains(self, subject, inputs):
        """Return whether it gives what the function gives there, which is wrong."""
        function = subject.function
        if self.does is None or not _complete(function, inputs):
            return self.does is None
        trial, does = _trial(subject, inputs, False), self.does(inputs)
        if not trial or not does or not _all_same(trial.yours, does, least=1.0):
            return False
        return 10 * _gap(trial.yours, does) < _gap(trial.yours, trial.right)


def _complete(function, inputs):
    forward = CONTRACT[function.forward].takes if function.forward else ()
    return {*function.takes, *forward} - {"cache"} <= inputs.keys()


class Trial(NamedTuple):
    """One further input, with the function's results and the right ones, by name."""

    inputs: dict
    yours: dict
    right: dict
    hard: bool

    @property
    def is_right(self):
        return _all_same(self.yours, self.right)


def cause_of(subject, failure, seed=0):
    """Return the `Cause` of a failure of the function `subject`, or None."""
    at_once = _seen_at_once(subject, failure)
    if at_once or failure.wrong.kind is Kind.ENDLESS:
        return at_once
    if failure.gate == "gradient" and failure.loss_is_right is False:
        return None
    trials = _trials(subject, seed)
    if not any(not trial.hard for trial in trials):
        return None
    page = _Page(subject.function, trials, failure.loss_is_right)
    for causes in (
        page.known(),
        _by_comparing(subject.function, trials),
        _float32(subject, trials, seed),
        page.two_known(),
        page.changed(),
    ):
        found = {cause.name: cause for cause in causes}
        if found:
            return next(iter(found.values())) if len(found) == 1 else None
    return None


def _seen_at_once(subject, failure):
    """Return what the failure itself says already, without any trial."""
    kind = failure.wrong.kind
    if kind is Kind.IN_PLACE:
        words = "an operation in place, such as z -= ..., on the caller's own array"
        return Cause("in-place edit", words)
    if kind is Kind.FLOAT32 and subject.demand != "reference":
        words = "a conversion to float32, which has 7 digits, where 16 went in"
        return Cause("float32 inside", words)
    if kind is Kind.MEMORY and subject.function.forward:
        return _cache_changed(subject, failure)
    return None


def _cache_changed(subject, failure):
    """Return the cause of a backward that leaves another cache behind, or None."""
    inputs = {name: copied(value) for name, value in failure.inputs.items()}
    _, cache = subject.forward_of(inputs)
    before = [copied(array) for array in _arrays(cache)]
    subject.raw([inputs[subject.function.takes[0]], cache])
    after = list(_arrays(cache))
    if len(before) == len(after) and all(map(_equal, before, after)):
        return None
    words = "an operation in place on the cache: take a copy"
    return Cause("cache changed in place", words)


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
    rng, function = np.random.default_rng([seed, 2016]), subject.function
    kinds = (function.ordinary, False), (function.dangerous, True)
    trials = [
        _trial(subject, inputs(rng, i), hard)
        for inputs, hard in kinds
        for i in range(TRIALS)
    ]
    return [trial for trial in trials if trial]


def _trial(subject, inputs, hard):
    """Return None where the function raises: such an input tells nothing apart."""
    try:
        yours = subject.results(**inputs)
        yours = {k: v if v is None else np.asarray(v, float) for k, v in yours.items()}
    except Exception:
        return None
    right = {
        name: None if value is None else np.asarray(value[0])
        for name, value in subject.function.expected(inputs).items()
    }
    return Trial(inputs, yours, right, hard)


def _same(a, b, least=0.0):
    """Return whether two results agree, beside the largest entry, or `least`."""
    if a is None or b is None:
        return a is b is None
    if a.shape != b.shape:
        return False
    with np.errstate(all="ignore"):
        size = np.max(np.abs(b), initial=least, where=np.isfinite(b))
        close = np.abs(a - b) <= SAME * size
    return bool(np.all(close | (a == b) | (np.isnan(a) & np.isnan(b))))


def _gap(yours, others):
    """Return how far two results are apart; inf where one alone is not finite."""
    gap = 0.0
    for name, a in yours.items():
        if a is not None and np.shape(a) == np.shape(others[name]):
            with np.errstate(all="ignore"):
                off = np.abs(a - others[name])
            off = np.where(
                (a == others[name]) | np.isnan(a + off) & np.isnan(a), 0, off
            )
            gap = max(gap, float(np.nan_to_num(off, nan=np.inf).max(initial=0.0)))
        elif a is not others[name]:
            gap = np.inf
    return gap


def _all_same(yours, others, least=0.0):
    return all(_same(yours[name], others[name], least) for name in yours)


# ------------------------------------------------------------ the page, with mistakes

PAIRS = 200  # of two mistakes, one of them with an unknown number, that are tried


class _Page:
    """The page with changes, beside a function: which of them does what it does?

    A change that is wrong on ordinary inputs has to agree on these, and the dangerous
    ones decide where several do; one wrong on dangerous inputs only, on all. Those that
    agree everywhere are one, and the first known is its name; without an unknown number
    it is simpler than with one.
    """

    def __init__(self, function, trials, forward_is_right):
        self.function, self.trials = function, trials
        self.forward_is_right = forward_is_right
        self.decide = [trial for trial in trials if not trial.hard]
        if all(trial.is_right for trial in self.decide):
            self.decide = trials
        self.runs = {
            *callees(function.name),
            *callees(function.forward or function.name),
        }

    def known(self):
        """Return the causes among the known mistakes."""
        ways = [(each, way) for each in MISTAKES for way in each.ways]
        return self._causes((each.name, each.words, way) for each, way in ways)

    def two_known(self):
        """Return the causes among pairs of known mistakes."""
        ways = [(m, way) for m in MISTAKES for way in m.ways if self._touches(way)]
        pairs = [
            (f"{a.name}, {b.name}", f"{a.words}; and {b.words}", first + second)
            for (a, first), (b, second) in itertools.combinations(ways, 2)
            if a.name != b.name
        ]
        plain = [pair for pair in pairs if not _unknown(pair[2])]
        solved = [pair for pair in pairs if len(_unknown(pair[2])) == 1]
        return self._causes(plain) or self._causes(solved[:PAIRS])

    def changed(self):
        """Return the causes among all single changes of a line that it runs."""
        changes = [
            Edit(name, right, wrong)
            for name in sorted(self.runs)
            for right, wrong in single_changes(source_of(name))
        ]
        return self._causes(
            (f"`{each.wrong}`", f"`{each.wrong}` for `{each.right}`", (each,))
            for each in changes
        )[:1]

    def _causes(self, candidates):
        """Return the causes among (name, words, way), or the one that fits best."""
        found = []
        for name, words, way in candidates:
            for names, unknown in self._pages(way):
                if self._fits(names):
                    certain = _explains(names, self.function, self.trials)
                    found.append((certain, self._cause(name, words, way, unknown)))
                    break
        certain = [cause for everywhere, cause in found if everywhere]
        certain.sort(key=lambda cause: ": " in cause.words)
        return certain[:1] or [cause for _, cause in found]

    def _cause(self, name, words, way, unknown):
        for key, value in unknown.items():
            words += f": {key} = {_known_as(value)}"

        def does(inputs):
            names = edited(*way)
            names.update(unknown)
            return page_results(names, self.function, inputs)

        return Cause(name, words, len(self.decide), line_of(way[-1])[1], does)

    def _touches(self, way):
        return not self.runs.isdisjoint(
            name for each in way for name in each.functions.split()
        )

    def _pages(self, way):
        """Yield (names, unknown) of the page for each value of an unknown number."""
        if not self._touches(way):
            return
        try:
            names = edited(*way)
        except ValueError:  # two edits of one line
            return
        for unknown in _unknowns(way, names, self.function, self.decide):
            names.update(unknown)
            yield names, unknown

    def _fits(self, names):
        return _explains(names, self.function, self.decide) and (
            not self.forward_is_right
            or _forward_agrees(names, self.function, self.trials)
        )


def _unknown(way):
    return [each.unknown for each in way if each.unknown]


def _known_as(number):
    """Return a number as text, and what it is where many know it."""
    for kind in (np.float64, np.float32):
        name, limits = kind.__name__, np.finfo(kind)
        if number == float(limits.eps):
            return f"{number:.2g}, the spacing of {name} at 1"
        if number == float(limits.tiny):
            return f"{number:.3g}, the smallest normal {name}"
    return f"{number:.6g}"


def _explains(names, function, trials):
    differs = False
    for trial in trials:
        results = page_results(names, function, trial.inputs)
        if results is None or not _all_same(trial.yours, results):
            return False
        differs |= not _all_same(trial.right, results)
    return differs


def _forward_agrees(names, function, trials):
    """Return whether the values of a backward's forward are right on an edited page."""
    forward, inputs = CONTRACT[function.forward], trials[0].inputs
    results = page_results(names, forward, inputs)
    return results is not None and all(
        _same(results[name], np.asarray(value))
        for name, (value, _) in forward.expected(
            {name: inputs[name] for name in forward.takes}
        ).items()
    )


def page_results(names, function, inputs):
    """Return {result: value} of a function of an edited page; None where it raises."""
    given = {name: copied(value) for name, value in inputs.items()}
    try:
        with np.errstate(all="ignore"):
            arguments = [given[name] for name in function.takes if name != "cache"]
            if function.forward:
                takes = CONTRACT[function.forward].takes
                forward = names[function.forward]
                arguments.append(forward(*(given[name] for name in takes))[1])
            results = names[function.name](*arguments)
        if len(function.gives) == 1:
            results = (results,)
        values = dict(zip(function.gives, results, strict=True))
        values.pop("cache", None)
        return {k: v if v is None else np.asarray(v, float) for k, v in values.items()}
    except Exception:  # its shapes do not even fit together
        return None


# ------------------------------------------------------------- unknowns of a mistake


def _unknowns(way, names, function, trials):
    """Yield what the unknown number of a way may be: {name: value}, or {} for none."""
    unknown = _unknown(way)
    if not unknown:
        yield {}
        return
    name, domain = unknown[0]
    if domain != POSITIVE:
        yield from ({name: value} for value in domain)
        return
    for value in _solved(name, names, function, trials):
        yield {name: value}


def _solved(name, names, function, trials):
    """Yield the positive numbers with which the page gives one entry that is wrong.

    The entry is one that moves with the number: where its difference changes its sign,
    a bisection of the logarithm finds the number.
    """

    def off(exponent, trial):
        names[name] = 2.0**exponent
        results = page_results(names, function, trial.inputs)
        yours = _flat(trial.yours)
        flat = np.full(yours.shape, np.nan) if results is None else _flat(results)
        return flat - yours if flat.shape == yours.shape else yours + np.nan

    for trial in (trial for trial in trials if not trial.is_right):
        found = list(_crossings(partial(off, trial=trial), trial))
        for exponent in found:
            yield from _few_digits(2.0**exponent)
        if found:
            return


def _crossings(off, trial):
    """Yield the exponents at which the most wrong entry of a trial is as it is."""
    grid = np.r_[-1074:-60:40j, -59.6:13]  # no power of two, which people write
    yours, right = _flat(trial.yours), _flat(trial.right)
    if yours.shape != right.shape:
        return
    with np.errstate(all="ignore"):
        values = np.array([off(exponent) for exponent in grid])
        wrong = np.abs(yours - right)
    seen = np.abs(values) > 2**-46 * np.abs(yours).max()
    crosses = (values[:-1] * values[1:] < 0) & seen[:-1] & seen[1:]
    wrong = np.where(np.isfinite(wrong) & crosses.any(axis=0), wrong, 0)
    if wrong.any():
        j = wrong.argmax()
        for i in np.flatnonzero(crosses[:, j]):
            yield _bisected(lambda exponent: off(exponent)[j], grid[i], grid[i + 1])


def _flat(results):
    kept = [np.ravel(each) for each in results.values() if each is not None]
    return np.concatenate([np.zeros(0), *kept]).astype(float)


def _bisected(off, low, high):
    """Return where, between two exponents, the sign of off(exponent) changes."""
    sign = math.copysign(1, off(low))
    for _ in range(60):
        middle = (low + high) / 2
        if math.copysign(1, off(middle)) == sign:
            low = middle
        else:
            high = middle
    return high


def _few_digits(value):
    """Yield the numbers near a value that people write, and then the value itself."""
    limits = [np.finfo(t) for t in (np.float64, np.float32)]
    known = [float(n) for t in limits for n in (t.eps, t.tiny)]
    short = dict.fromkeys(float(f"{value:.{d}g}") for d in (1, 2, 3, 4))
    yield from (n for n in (*known, *short) if abs(n - value) < 0.01 * value)
    yield value


# ------------------------------------------------------------ seen by comparing only


def _by_comparing(function, trials):
    """Yield the causes that can be read from yours and the right results alone."""
    trials = [trial for trial in trials if not trial.hard]
    found, changes = [], {}
    for name in trials[0].yours:
        pairs = [(trial.yours[name], trial.right[name]) for trial in trials]
        pairs = [(a, b) for a, b in pairs if a is not None and b is not None]
        if not all(_same(a, b) for a, b in pairs):
            seen = [rule(name, pairs) for rule in RULES]
            found.append(next((each for each in seen if each), None))
            changes[name] = found[-1] and found[-1][2]
    if not found or None in found or len({cause for cause, *_ in found}) > 1:
        return

    def does(inputs):
        results, sizes = {}, function.sizes(inputs)
        for name, right in function.expected(inputs).items():
            value = right and right[0]
            change = changes.get(name)
            results[name] = change(value, sizes) if change else value
        return results

    words = "; ".join(words for _, words, _ in found)
    yield Cause(found[0][0], words, len(trials), "", does)


# Each rule returns (cause, words, change) of one wrong result, or None; the change
# makes the wrong result of the right one and the sizes of the inputs by their letters.


def _transposed(name, pairs):
    if all(a.shape != b.shape and _same(a.T, b) for a, b in pairs):
        return "transposed", f"{name} is transposed", lambda b, sizes: b.T
    return None


RATIOS = (
    ("zero", "is zero", lambda N, C: 0.0),
    ("sign", "has the wrong sign", lambda N, C: -1.0),
    ("factor N", "is N times too large: a mean, 1/N, is missing", lambda N, C: N),
    ("factor 1/N", "is divided by N once too often", lambda N, C: 1 / N),
    ("factor C", "is C times too large, C the number of classes", lambda N, C: C),
    (
        "factor 1/C",
        "is divided by C, the number of classes, once too often",
        lambda N, C: 1 / C,
    ),
    (
        "1/C for 1/N",
        "is divided by C, the number of classes, not by N",
        lambda N, C: N / C,
    ),
)


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
    for cause, words, known in RATIOS:
        if abs(ratio - known(N, C)) < 1e-9:
            return cause, f"{name} {words}", partial(_times, known)
    words = f"{name} is {ratio:.10g} times what it should be"
    return "scaled by a constant", words, lambda b, sizes: ratio * b


def _times(ratio, b, sizes):
    return b * ratio(sizes.get("N", 1), sizes.get("C", 1))


def _last_row(name, pairs):
    def missing(a, b):
        same_shape = a.shape == b.shape and a.ndim
        return same_shape and _same(a[:-1], b[:-1]) and not a[-1].any()

    def change(b, sizes):
        return np.concatenate([b[:-1], 0 * b[-1:]])

    if all(missing(a, b) for a, b in pairs):
        return "last row missing", f"the last row of {name} is missing", change
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
        words = f"{name} is cut off {' and '.join(bounds)}"
        return "clipped", words, lambda b, sizes: np.clip(b, low, high)
    return None


RULES = (_transposed, _scaled, _last_row, _clipped)


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
        yield Cause("float32 inside", words, len(trials))


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
