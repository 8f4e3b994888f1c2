"""The line of a person's own code in which the mistake is.

In goes a function that has failed; each function beside it that it runs is changed for
a moment, by every single change of every line (singles.py). Where one change makes the
results right on all trials, its line is named; what to write there is not said.
"""

import collections
import contextlib
import inspect
import itertools
import textwrap
import types
from functools import partial
from tokenize import TokenError

from npsoftmax.checks.engine.safely import (
    Endless,
    codes_run,
    some_function,
    time_limit,
)
from npsoftmax.checks.engine.trials import Cause, all_same, trial_at
from npsoftmax.checks.singles import single_changes

MOST = 3000  # changes that are tried
MOST_LINES = 3  # where more lines could be changed, none is named
MOST_ENDLESS = 6  # changes of a line that do not come back, then it is left
SECONDS = 0.2  # that a changed function may take


def in_own_lines(subject, trials, shown):
    """Yield the cause that names the lines where one change makes all trials right.

    shown: the inputs of the failure, which it must make right too.
    """
    if {*subject.function.needs} <= shown.keys():
        trials = [*trials, *filter(None, [trial_at(subject, shown)])]
    trials = sorted(trials, key=lambda trial: trial.is_right)  # the wrong ones first
    found, endless = {}, collections.Counter()
    changes = _changes(_functions_run(subject, trials[0].inputs))
    for function, line, text, code in itertools.islice(changes, MOST):
        if (line, text) in found or endless[line] == MOST_ENDLESS:
            continue
        try:
            if _right_with(function, code, subject, trials):
                found[line, text] = function, code
        except Endless:
            endless[line] += 1
        if len(found) > MOST_LINES:
            return
    if found:
        yield _cause(found, len(trials))


def _cause(found, confirmed):
    """Return the cause of {(line, text): (function, its code with a change)}."""
    lines, places = collections.defaultdict(list), []
    for (line, text), (function, _) in found.items():
        lines[function.__name__].append(str(line))
        places.append(f"line {line} of {function.__name__}, `{text}`")
    names = [f"{name}, line {' or '.join(of)}" for name, of in lines.items()]
    words = f"one change makes it right, in {', or in '.join(places)}"
    repair = partial(_changed, *next(iter(found.values())))
    return Cause(" or ".join(names), words, confirmed, repair=repair)


def _functions_run(subject, inputs):
    """Return the functions of its own module that it runs, itself the first."""
    own = inspect.unwrap(subject.solution[subject.name])
    with codes_run() as seen:
        subject.results(**inputs)
    found = [own] if inspect.isfunction(own) else []
    found += [each for each in _functions_beside(own) if each is not own]
    return [each for each in found if each.__code__ in seen]


def _functions_beside(thing):
    """Return the functions and methods of the module that a function or class is in."""
    names = getattr(some_function(thing), "__globals__", {})
    inside = [vars(each).values() for each in names.values() if inspect.isclass(each)]
    every = itertools.chain(names.values(), *inside)
    functions = {id(each): each for each in map(_bare, every)}.values()
    return [each for each in functions if getattr(each, "__globals__", 0) is names]


def _bare(thing):
    return inspect.unwrap(getattr(thing, "__func__", thing))


def _changes(functions):
    """Yield (function, line, its text, the function's code with the line changed)."""
    for function in functions:
        try:
            lines, first = inspect.getsourcelines(function)
            source = textwrap.dedent("".join(lines))
            changes = list(single_changes(source))
        except (OSError, SyntaxError, TokenError, ValueError):
            continue  # no source, or a lambda's: part of a line, or of several
        for change in changes:
            text = lines[change.line - 1].strip()
            if code := _code(change.source, function):
                yield function, first + change.line - 1, text, code


def _code(source, function):
    """Return the code of a function's changed source, or None where it cannot be."""
    try:
        module = compile(source, function.__code__.co_filename, "exec")
    except SyntaxError:
        return None
    codes = (each for each in module.co_consts if isinstance(each, types.CodeType))
    code = next((each for each in codes if each.co_name == function.__name__), None)
    return code if code and code.co_freevars == function.__code__.co_freevars else None


def _right_with(function, code, subject, trials):
    """Return whether all results are right while a function has another code."""
    with _changed(function, code), time_limit(SECONDS):
        for trial in trials:
            new = trial_at(subject, trial.inputs)
            if not new or not all_same(new.yours, trial.right):
                return False
    return True


@contextlib.contextmanager
def _changed(function, code):
    before = function.__code__
    try:
        function.__code__ = code
        yield
    finally:
        function.__code__ = before
