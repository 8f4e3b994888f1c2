"""The page with a line changed: what a known mistake is.

    names = edited(Edit("shifted_exponentials", "d = z - z_max", "d = z"))
    names["softmax"](z)                 what softmax gives without the shift

Each function of textbook.py sees the change wherever it calls the changed one. Asserts
are left out, and an unknown number in the wrong line is a name of the page: it may be
set, `names["eps"] = 1e-12`, without anything being compiled again.
"""

import ast
import functools
import inspect
import textwrap
import types
from typing import NamedTuple

from npsoftmax import textbook

POSITIVE = "a positive number"  # what an unknown is solved for


class Edit(NamedTuple):
    """A part of a line of the page, right and wrong, in one function or in several.

    functions: their names, with blanks between. unknown: (name, domain) of a number in
    the wrong line; the domain is POSITIVE or a sequence of what it may be.
    """

    functions: str
    right: str
    wrong: str
    unknown: tuple = ()


class Mistake(NamedTuple):
    """A mistake that people make; each way to make it is some edits of the page.

    words: what a person is told. seen_by: the sentence of the property that must see
    the first way, such as `softmax gives the right value`.
    """

    name: str
    words: str
    seen_by: str
    ways: tuple


def edit(functions, right, wrong, **unknown):
    """Return an `Edit`; the unknown number of its wrong line is a keyword."""
    return Edit(functions, right, wrong, *unknown.items())


def mistake(seen_by, name, words, *ways):
    """Return a `Mistake`; a way is an edit, or several in a tuple, made at once."""
    ways = (way if type(way) is tuple else (way,) for way in ways)
    return Mistake(name, words, seen_by, tuple(ways))


def one_or_both(first, second):
    """Return the ways to make one edit, the other, and both at once."""
    return first, second, (first, second._replace(unknown=()))


def edited(*edits):
    """Return the names of the page, after the edits. Raises ValueError for a line that
    does not stand once in its function.
    """
    names = dict(vars(textbook)) | {"__name__": "textbook, changed"}
    for name, function in _functions().items():
        names[name] = types.FunctionType(
            function.__code__, names, name, function.__defaults__
        )
    sources = {}
    for each in edits:
        for name in each.functions.split():
            source = sources.get(name) or source_of(name)
            if source.count(each.right) != 1:
                raise ValueError(f"{each.right!r} must stand once in {name}")
            sources[name] = source.replace(each.right, each.wrong)
    for name, source in sources.items():
        exec(_compiled(source, f"textbook.py, {name}, changed"), names)
    return names


@functools.lru_cache(maxsize=4096)
def _compiled(source, filename):
    """Return the code of Python without its asserts."""
    return compile(source, filename, "exec", optimize=1)


@functools.cache
def _functions():
    """Return the functions of the page, compiled without their asserts."""
    names = {"__name__": "textbook"}
    exec(_compiled(inspect.getsource(textbook), "textbook.py"), names)
    return {k: v for k, v in names.items() if inspect.isfunction(v)}


@functools.cache
def source_of(name):
    """Return the source of a function of the page, without its docstring."""
    source = inspect.getsource(getattr(textbook, name))
    [function] = ast.parse(source).body
    start, end = function.body[0].lineno, function.body[0].end_lineno
    lines = source.splitlines()
    return "\n".join(lines[: start - 1] + lines[end:]) + "\n"


@functools.cache
def callees(name):
    """Return the functions of the page that one of them runs, itself the first."""
    found = [name]
    for each in found:  # which grows
        names = _functions()[each].__code__.co_names
        found += [n for n in names if n in _functions() and n not in found]
    return tuple(found)


def line_of(each):
    """Return the line of the page, or lines, that an edit changes: right and wrong."""
    name = each.functions.split()[0]
    before, _, after = source_of(name).partition(each.right)
    start, end = before.rpartition("\n")[2], after.partition("\n")[0]
    end = end.partition("#")[0].rstrip()
    right, wrong = (start + text + end for text in (each.right, each.wrong))
    return textwrap.dedent(right).strip(), textwrap.dedent(wrong).strip()
