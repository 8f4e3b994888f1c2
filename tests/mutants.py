"""The checker judged by mistakes that a program made: every single change of a
statement of loops.py and one_hot.py, and what the check makes of each.

    python tests/mutants.py [PART] [SEED]      a table; PART of them, such as 0.1

A mutant is caught where a function of the contract is found wrong; it is the same
where all functions agree with the original on the inputs that are drawn; else it
survives. One that raises shows its line, and is counted apart from those to be named.
"""

import ast
import collections
import contextlib
import random
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from npsoftmax.checks import CONTRACT, Solution
from npsoftmax.checks.agree import Kind, Wrong
from npsoftmax.checks.engine.ask import Asking
from npsoftmax.checks.engine.safely import Endless, quietly, time_limit
from npsoftmax.checks.engine.subject import Subject
from npsoftmax.checks.singles import single_changes

WRITINGS = sorted((Path(__file__).parent / "solutions").glob("*.py"))


class Mutant(NamedTuple):
    """A writing with one statement of one of its functions changed."""

    writing: str
    function: str
    right: str
    wrong: str
    source: str


class Outcome(NamedTuple):
    """What the check makes of a mutant: its verdict, and the cause it names."""

    verdict: str  # "raises", "caught", "same" or "survives"
    cause: str = ""
    function: str = ""


def mutants(path):
    """Yield every mutant of a writing."""
    source = path.read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            text = ast.get_source_segment(source, node)
            for right, wrong in single_changes(text):
                changed = text.replace(right, wrong, 1)
                mutated = source.replace(text, changed, 1)
                yield Mutant(path.stem, node.name, right, wrong, mutated)


def some(part, seed):
    """Return a part of all mutants, drawn at random."""
    every = [mutant for path in WRITINGS for mutant in mutants(path)]
    return random.Random(seed).sample(every, round(part * len(every)))


def solution_of(source):
    names = {"__name__": "mutant"}
    with quietly():
        exec(compile(source, "mutant.py", "exec"), names)
    return Solution.from_object(names)


def outcome(mutant, original, seed=0):
    """Return the Outcome of a mutant beside its original."""
    solution = solution_of(mutant.source)
    asking = Asking(solution, seed, examples=10, simplify=False)
    for name in _runs(mutant):
        if not _same(solution, original, name, number=10):
            report = asking.report(name)
            if report.failure:
                raised = report.failure.wrong.kind in (Kind.RAISES, Kind.ENDLESS)
                verdict = "raises" if raised else "caught"
                return Outcome(verdict, report.failure.cause or "", name)
    same = all(_same(solution, original, name) for name in _runs(mutant))
    return Outcome("same" if same else "survives")


def _runs(mutant):
    """Return the functions of the contract that run the one that is changed."""
    runs = {
        node.name: {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        for node in ast.parse(mutant.source).body
        if isinstance(node, ast.FunctionDef)
    }
    touched = {mutant.function}
    while more := {name for name, used in runs.items() if used & touched} - touched:
        touched |= more
    pairs = {name for name, each in CONTRACT.items() if each.forward in touched}
    return [name for name in CONTRACT if name in touched | pairs]


def _same(solution, original, name, number=100):
    """Return whether two solutions agree on drawn inputs of every kind."""
    asking = Asking(original, seed=2016, examples=number)
    one, other = Subject(solution, name), Subject(original, name)
    with quietly():
        for row in CONTRACT[name].asked():
            for inputs in asking.inputs_of(row):
                if not _agree(one, other, inputs):
                    return False
    return True


def _agree(one, other, inputs):
    needed = {*one.function.takes} - {"cache"}
    if not needed <= inputs.keys():
        return True
    try:
        with time_limit(2):
            a, b = one.results(**inputs), other.results(**inputs)
            return all(
                np.shape(a[k]) == np.shape(b[k])
                and np.asarray(a[k]).dtype == np.asarray(b[k]).dtype
                and np.allclose(a[k], b[k], rtol=1e-9, atol=1e-12, equal_nan=True)
                for k in a
                if not a[k] is b[k] is None
            )
    except (Wrong, Endless, TypeError, ValueError):
        return False


def main(part=1.0, seed=0):
    originals = {path.stem: solution_of(path.read_text()) for path in WRITINGS}
    counts = collections.Counter()
    for mutant in some(part, seed):
        found = outcome(mutant, originals[mutant.writing])
        named = "named" if found.cause else "not named"
        counts[found.verdict, named * (found.verdict == "caught")] += 1
        if found.verdict == "survives":
            print(f"{mutant.writing}.{mutant.function}: {mutant.wrong}")
    for (verdict, named), number in sorted(counts.items()):
        print(f"{number:6} {verdict} {named}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(*(float(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else ())
