"""The page with changes: which of them does what a function does?

Known mistakes, pairs of them, and all single changes of a line are made on the page,
and each page is run on the trials of a function that has failed.
"""

import functools
import itertools
from functools import partial

import numpy as np

from npsoftmax.checks.edits import POSITIVE, Edit, callees, edited, line_of, source_of
from npsoftmax.checks.engine.load import Solution
from npsoftmax.checks.engine.subject import Subject
from npsoftmax.checks.engine.trials import Cause, all_same, in_float64, same
from npsoftmax.checks.engine.unknown import known_as, solved
from npsoftmax.checks.layers import CONTRACT
from npsoftmax.checks.mistakes import MISTAKES
from npsoftmax.checks.singles import single_changes

SOLVED = 2  # wrong trials on which an unknown number is looked for
PAIRS = 200  # of two mistakes, one of them with an unknown number, that are tried


class Page:
    """The page beside a function, and the causes that changes of it are.

    A change that is wrong on ordinary inputs has to agree on these, and the dangerous
    ones decide where several do; one wrong on dangerous inputs only, on all. Those that
    agree everywhere are one, and the first known is its name; without an unknown number
    it is simpler than with one.
    """

    def __init__(self, function, trials, forward_is_right, shown=lambda cause: True):
        self.function, self.trials = function, trials
        self.forward_is_right, self.shown = forward_is_right, shown
        self.decide = [trial for trial in trials if not trial.dangerous]
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
        """Return the causes among pairs of known mistakes.

        Where nothing but nan and inf is wrong, too many pairs do the same.
        """
        wrong = [_flat(trial.yours) for trial in self.decide if not trial.is_right]
        if not any(np.isfinite(yours).any() for yours in wrong):
            return []
        ways = [(m, way) for m in MISTAKES for way in m.ways if self._touches(way)]
        pairs = [
            (f"{a.name}, {b.name}", f"{a.words}; and {b.words}", first + second)
            for (a, first), (b, second) in itertools.combinations(ways, 2)
            if a.name != b.name
        ]
        plain = [pair for pair in pairs if not _unknowns(pair[2])]
        with_one = [pair for pair in pairs if len(_unknowns(pair[2])) == 1]
        return self._causes(plain) or self._causes(with_one[:PAIRS])

    def changed(self):
        """Return the causes among all single changes of a line that it runs."""
        changes = [each for name in sorted(self.runs) for each in _changes_of(name)]
        return self._causes(
            (f"`{each.wrong}`", f"`{each.wrong}` for `{each.right}`", (each,))
            for each in changes
        )[:1]

    def _causes(self, candidates):
        """Return the causes among (name, words, way), or the one that fits best."""
        found = []
        for name, words, way in sorted(
            candidates, key=lambda each: bool(_unknowns(each[2]))
        ):
            for names, unknown in self._pages(way):
                if self._fits(names):
                    everywhere = _does_the_same(names, self.function, self.trials)
                    cause = self._cause(name, words, way, unknown)
                    if everywhere and self.shown(cause):
                        return [cause]
                    found.append((everywhere, cause))
                    break
        certain = [cause for everywhere, cause in found if everywhere]
        return certain[:1] or [cause for _, cause in found]

    def _cause(self, name, words, way, unknown):
        for key, value in unknown.items():
            words += f": {key} = {known_as(value)}"

        def does(inputs):
            names = edited(*way)
            names.update(unknown)
            return page_results(names, self.function, inputs)

        lines = "\n".join(dict.fromkeys(line_of(each)[1] for each in way))
        return Cause(name, words, len(self.decide), lines, does)

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
        if not _unknowns(way):
            yield names, {}
            return
        unknown, domain = _unknowns(way)[0]
        positive = domain == POSITIVE
        for number in self._solved(unknown, names) if positive else domain:
            names[unknown] = number
            yield names, {unknown: number}

    def _solved(self, unknown, names):
        """Return the numbers with which the page may give what the function gives."""

        def off(number, trial):
            names[unknown] = number
            yours = _flat(trial.yours)
            flat = _flat(page_results(names, self.function, trial.inputs) or {})
            return flat - yours if flat.shape == yours.shape else yours + np.nan

        wrong = (trial for trial in self.decide if not trial.is_right)
        for trial in itertools.islice(wrong, SOLVED):
            yours, right = _flat(trial.yours), _flat(trial.right)
            if numbers := list(solved(partial(off, trial=trial), yours, right)):
                return numbers
        return []

    def _fits(self, names):
        return _does_the_same(names, self.function, self.decide) and (
            not self.forward_is_right
            or _forward_agrees(names, self.function, self.trials)
        )


@functools.cache
def _changes_of(name):
    """Return each single change of a line of a function of the page."""
    source = source_of(name)
    changes = single_changes(source)
    return [Edit(name, c.right, c.wrong) for c in changes if source.count(c.right) == 1]


def _unknowns(way):
    return [each.unknown for each in way if each.unknown]


def _flat(results):
    kept = [np.ravel(each) for each in results.values() if each is not None]
    return np.concatenate([np.zeros(0), *kept])


def _does_the_same(names, function, trials):
    """Return whether an edited page gives yours on all trials, and is wrong on one."""
    differs = False
    for trial in trials:
        results = page_results(names, function, trial.inputs)
        if results is None or not all_same(trial.yours, results):
            return False
        differs |= not all_same(trial.right, results)
    return differs


def _forward_agrees(names, function, trials):
    """Return whether the values of a backward's forward are right on an edited page."""
    forward, inputs = CONTRACT[function.forward], trials[0].inputs
    results = page_results(names, forward, inputs)
    given = {name: inputs[name] for name in forward.takes}
    return results is not None and all(
        same(results[name], np.asarray(value))
        for name, (value, _) in forward.expected(given).items()
    )


def page_results(names, function, inputs):
    """Return {result: value} of a function of an edited page; None where it raises."""
    try:
        with np.errstate(all="ignore"):
            results = Subject(Solution(names), function.name).results(**inputs)
        return in_float64(results)
    except Exception:  # its shapes do not even fit together
        return None
