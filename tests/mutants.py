"""The checker judged by mistakes that a program made: every single change of a
statement of loops.py, one_hot.py and npsoftmax, and what the check makes of each.

    python tests/mutants.py [PART] [SEED] [names]   a table; PART of them, such as 0.1;
                                                    names: of one name for another

A mutant is caught where a function of the contract is found wrong; it is the same
where all functions agree with the original on the inputs that are drawn; else it
survives. One that raises shows its line, and is counted apart from those to be named.
A name is right if the mistake that it stands for does what the mutant does on 200
further inputs; a line is right if it is the one that was changed. All but names, 3,954,
take 50 minutes of one core.
"""

import ast
import collections
import contextlib
import linecache
import random
import re
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

import npsoftmax
from npsoftmax.checks import CONTRACT, Solution
from npsoftmax.checks.agree import Kind, Wrong
from npsoftmax.checks.engine.ask import Asking
from npsoftmax.checks.engine.safely import Endless, quietly, time_limit
from npsoftmax.checks.engine.subject import Subject
from npsoftmax.checks.engine.trials import TRIALS, trial_at
from npsoftmax.checks.singles import Change, single_changes

MODULES = "precision", "softmax", "cross_entropy", "linear", "relu", "lsoftmax"


def _npsoftmax():
    """Return the modules of npsoftmax that have the contract's functions, as one."""
    package = Path(npsoftmax.__file__).parent
    trees = [ast.parse((package / f"{name}.py").read_text()) for name in MODULES]
    own = {f"npsoftmax.{name}" for name in MODULES} | {"__future__"}
    return "from __future__ import annotations\n" + "\n".join(
        ast.unparse(node)
        for tree in trees
        for node in tree.body
        if getattr(node, "module", None) not in own
    )


WRITINGS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parent / "solutions").glob("*.py"))
} | {"npsoftmax": _npsoftmax()}


class Mutant(NamedTuple):
    """A writing with one statement of one of its functions changed."""

    writing: str
    function: str
    line: int
    change: Change
    source: str


class Outcome(NamedTuple):
    """What the check makes of a mutant: its verdict, and the cause it names."""

    verdict: str  # "raises", "caught", "same" or "survives"
    cause: str = ""
    function: str = ""
    named: str = ""  # "named", "line named" or neither; "wrong name", "wrong line"


def mutants(writing):
    """Yield every mutant of a writing."""
    source = WRITINGS[writing]
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            text = ast.get_source_segment(source, node)
            for change in single_changes(text):
                mutated = source.replace(text, change.source, 1)
                line = node.lineno + change.line - 1
                yield Mutant(writing, node.name, line, change, mutated)


def some(part, seed, names=False):
    """Return a part of all mutants, drawn at random: of names, or of all but names."""
    every = [mutant for writing in WRITINGS for mutant in mutants(writing)]
    every = [mutant for mutant in every if mutant.change.is_of_a_name == names]
    return random.Random(seed).sample(every, round(part * len(every)))


def solution_of(source):
    names, lines = {"__name__": "mutant"}, source.splitlines(keepends=True)
    linecache.cache["mutant.py"] = len(source), None, lines, "mutant.py"
    with quietly():
        exec(compile(source, "mutant.py", "exec"), names)
    return Solution.from_object(names)


def outcome(mutant, original, seed=0):
    """Return the Outcome of a mutant beside its original."""
    try:
        solution = solution_of(mutant.source)
    except SyntaxError:
        return Outcome("raises")
    differ = [name for name in _runs(mutant) if not _same(solution, original, name)]
    for examples in (10, 300):  # what is rare needs more of them
        asking = Asking(solution, seed, examples, simplify=False)
        for name in differ:
            if failure := asking.report(name).failure:
                return _found(failure, mutant)
    return Outcome("survives" if differ else "same")


def _found(failure, mutant):
    raised = failure.wrong.kind in (Kind.RAISES, Kind.ENDLESS)
    verdict, cause = "raises" if raised else "caught", failure.found
    if not cause:
        return Outcome(verdict, "", failure.function)
    named = _named(cause, mutant, Subject(failure.solution, failure.function))
    return Outcome(verdict, cause.name, failure.function, named)


def _named(cause, mutant, subject, number=200):
    """Return what a cause is: a right name, or the line; or a wrong one."""
    if cause.repair:
        lines = re.findall(r"\bline (\d+)", cause.words)
        return "line named" if str(mutant.line) in lines else "wrong line"
    rng = np.random.default_rng(200)
    inputs = (subject.function.ordinary(rng, i % TRIALS) for i in range(number))
    trials = filter(None, (trial_at(subject, each) for each in inputs))
    does = cause.does or (lambda inputs: None)
    right = all(_close(t.yours, does(t.inputs) or t.yours, 1e-6) for t in trials)
    return "named" if right else "wrong name"


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
    kinds = {row.draws: row for row in CONTRACT[name].asked()}.values()
    every = (inputs for row in kinds for inputs in asking.inputs_of(row))
    needed = {*one.function.takes} - {"cache"}
    try:
        with quietly(), time_limit(20):
            return all(
                _close(one.results(**inputs), other.results(**inputs))
                for inputs in every
                if needed <= inputs.keys()
            )
    except (Wrong, Endless, TypeError, ValueError):
        return False


def _close(a, b, rtol=1e-9):
    return all(
        np.shape(a[k]) == np.shape(b[k])
        and np.asarray(a[k]).dtype == np.asarray(b[k]).dtype
        and np.allclose(a[k], b[k], rtol=rtol, atol=1e-12, equal_nan=True)
        for k in a
        if not a[k] is b[k] is None
    )


def main(part="1", seed="0", *names):
    originals = {name: solution_of(source) for name, source in WRITINGS.items()}
    counts = collections.Counter()
    for mutant in some(float(part), int(seed), bool(names)):
        found = outcome(mutant, originals[mutant.writing])
        counts[found.verdict, found.named * (found.verdict == "caught")] += 1
        if found.verdict == "survives" or "wrong" in found.named:
            change = f"{mutant.writing}.{mutant.function}: {mutant.change.wrong}"
            print(found.verdict, found.cause, change)
    for (verdict, named), number in sorted(counts.items()):
        print(f"{number:6} {verdict} {named}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
