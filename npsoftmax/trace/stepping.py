"""In: functions of a module and their arguments. Out: a Step for each line they ran.

The functions run as they are, watched as a debugger watches (sys.settrace). What a line
reads, writes and computes is in its syntax tree, and what it says of itself, its shape
and the number of its equation, in its comment: nothing is written down a second time.

A function that a line calls is stepped through before that line is done; the same call
a second time, with the same arguments, is not.
"""

import ast
import functools
import inspect
import itertools
import pickle
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any, NamedTuple

import numpy as np


class Statement(NamedTuple):
    """A statement of the module's source. Names in it are local ones."""

    line: int  # in the file, from 1
    last: int
    left: str  # what is assigned to, as it is written; "return" or "assert"
    right: tuple[str, ...]  # the expression: text, name, text, name, .. text
    writes: tuple[str, ...]
    equation: str = ""  # "(1)" to "(10)", or empty
    each: tuple[tuple[str, ...], ...] = ()  # of a, b = .., .. the right side of each

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.right[1::2]))

    def right_of(self, name: str) -> tuple[str, ...]:
        """Return the expression that gives one of the names its value."""
        return self.each[self.writes.index(name)] if self.each else self.right


@dataclass(frozen=True, eq=False)
class Step:
    """One statement that has run, or the entry into a function, its line `def`."""

    function: str
    call: int  # which of the steps is its entry
    callers: tuple[tuple[str, int], ...]  # (function, line), the outermost first
    statement: Statement
    before: Mapping[str, Any]  # the function's names before the statement
    after: Mapping[str, Any]  # and after it
    writers: Mapping[str, int]  # which step each of these has its value from

    @property
    def writes(self) -> dict[str, Any]:
        """What the statement has computed."""
        return {name: self.after[name] for name in self.statement.writes}

    @property
    def is_entry(self) -> bool:
        return self.statement.left == "def"


class Source:
    """A module's source: its functions, and the statements they are made of."""

    def __init__(self, module: ModuleType):
        self.text = inspect.getsource(module)
        self.lines = self.text.splitlines()
        self.starts = [0, *itertools.accumulate(len(line) + 1 for line in self.lines)]
        tree = ast.parse(self.text)
        self.doc = ast.get_docstring(tree)
        self.functions = {
            n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)
        }
        self.statements = {
            name: self._of(node) for name, node in self.functions.items()
        }

    def equations(self) -> dict[str, str]:
        """Return what the module's docstring states for each number, such as "(1)"."""
        found = re.findall(r"^    (\(\d+\)) (.*(?:\n     .*)*)", self.doc, re.MULTILINE)
        return {
            number: inspect.cleandoc("     " + words) for number, words in found
        }  # the first line is indented as those below it

    def returns(self, name: str) -> str:
        """Return the name of what a function returns, or of the first such thing."""
        last = self.functions[name].body[-1].value
        first = last.elts[0] if isinstance(last, ast.Tuple) else last
        return first.id

    def entry(self, name: str) -> Statement:
        """Return the line `def` of a function, which writes its arguments."""
        node = self.functions[name]
        last, names = node.body[0].lineno - 1, tuple(a.arg for a in node.args.args)
        return Statement(node.lineno, last, "def", ("",), names)

    def _of(self, function: ast.FunctionDef) -> dict[int, Statement | None]:
        """Return {line: the statement it belongs to, None if that computes nothing}."""
        found = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign | ast.Assert | ast.Return):
                lines = range(node.lineno, node.end_lineno + 1)
                found |= dict.fromkeys(lines, self._statement(node, function))
        return found

    def _statement(self, node: ast.stmt, function: ast.FunctionDef):
        each = ()
        match node:
            case ast.Assign(targets=[target], value=right):
                pieces = self._pieces(target)
                left, writes = "".join(pieces), pieces[1::2]
                if isinstance(target, ast.Subscript):  # z[i] = .. writes z, and reads i
                    writes = writes[:1]
                if isinstance(target, ast.Tuple) and isinstance(right, ast.Tuple):
                    each = tuple(map(self._pieces, right.elts))
            case ast.Assert(test=right):
                left, writes = "assert", ()
            case ast.Return(value=right):
                left, writes = "return", (_returned(function),)
                if _only_names(right):
                    return None
        number = re.search(r"#.*?(\(\d+\))", self.lines[node.end_lineno - 1])
        return Statement(
            node.lineno, node.end_lineno, left, self._pieces(right), writes,
            number[1] if number else "", each,
        )  # fmt: skip

    def _pieces(self, node) -> tuple[str, ...]:
        """Return an expression as text, name, text, name, .. text."""
        found = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
        names = sorted((self._place(n.lineno, n.col_offset), n.id) for n in found)
        at, pieces = self._place(node.lineno, node.col_offset), []
        for start, name in names:
            pieces += [self._text(at, start), name]
            at = start + len(name)
        end = self._place(node.end_lineno, node.end_col_offset)
        return (*pieces, self._text(at, end))

    def _place(self, line, column) -> int:
        return self.starts[line - 1] + column

    def _text(self, start, end) -> str:
        """Return what stands there as one line, without comments."""
        return re.sub(r"\s*(?:#[^\n]*)?\n\s*", " ", self.text[start:end])


@functools.cache
def source_of(module: ModuleType) -> Source:
    """Return the Source of a module, read once."""
    return Source(module)


def _only_names(node) -> bool:
    """Return whether what is returned are names, and a cache of names."""
    if isinstance(node, ast.Tuple):
        return all(map(_only_names, node.elts))
    is_cache = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Cache")
    return isinstance(node, ast.Name) or is_cache


def _returned(function) -> str:
    """Return what the docstring calls the value: dz of `Return dz (N, C) of ..`."""
    words = re.match(r"Return (?:the )?([\w/]+)", ast.get_docstring(function) or "")
    return words[1] if words else function.name


class Stepper:
    """Runs functions of a module and keeps the steps they take."""

    def __init__(self, module: ModuleType):
        self.module, self.source = module, source_of(module)
        self.steps: list[Step] = []
        self.stack: list[_Visit] = []  # the calls that are under way
        self.seen = set()

    def run(self, function: Callable, *arguments):
        """Return what function(*arguments) returns, and add its steps to those there.

        Raises whatever the function raises.
        """
        self.seen.clear()
        watching = sys.gettrace()
        sys.settrace(self._enter)
        try:
            return function(*arguments)
        finally:
            sys.settrace(watching)
            self.stack.clear()

    def _enter(self, frame: FrameType, event, arg):
        name = frame.f_code.co_name
        ours = frame.f_globals is vars(self.module) and name in self.source.functions
        call = pickle.dumps((name, frame.f_locals.copy())) if ours else None
        if call is None or call in self.seen:
            return None
        self.seen.add(call)
        return _Visit(self, name, frame).watch


class _Visit:
    """One call of a function, from its entry to its return."""

    def __init__(self, stepper: Stepper, name: str, frame: FrameType):
        self.stepper, self.name = stepper, name
        self.call, self.names, self.writers = len(stepper.steps), {}, {}
        self.statement, self.line = stepper.source.entry(name), frame.f_lineno
        stepper.stack.append(self)
        self.finish(frame)
        self.statement = None

    def watch(self, frame: FrameType, event, arg):
        """Keep the statement that has ended, and begin the one at the frame's line."""
        if event == "line":
            following = self.stepper.source.statements[self.name].get(frame.f_lineno)
            if following is not self.statement:
                self.finish(frame)
            self.statement, self.line = following, frame.f_lineno
        elif event == "return":
            self.finish(frame, arg)
            self.stepper.stack.pop()
        return self.watch

    def finish(self, frame: FrameType, returned=None):
        """Add the Step of the statement that has just been done."""
        statement, before = self.statement, self.names
        if statement is None:
            return
        self.names = kept(frame.f_locals)
        if statement.left == "return":
            self.names[statement.writes[0]] = kept_value(returned)
        steps = self.stepper.steps
        self.writers = self.writers | dict.fromkeys(statement.writes, len(steps))
        callers = tuple((visit.name, visit.line) for visit in self.stepper.stack[:-1])
        steps.append(
            Step(self.name, self.call, callers, statement, before, self.names,
                 self.writers)
        )  # fmt: skip


def kept(names: Mapping) -> dict:
    """Return the values of a function's names as they are now.

    pytest has names of its own in a function with an assert, such as @py_assert1.
    """
    return {n: kept_value(v) for n, v in names.items() if n[0].isalpha()}


def kept_value(value):
    """Return the value as it is now: a later line may write into an array."""
    return value.copy() if isinstance(value, np.ndarray) else value


def last_write(
    steps, among: range, name: str, function: str | None = None
) -> tuple[int, str]:
    """Return (the last of these steps that writes a name, the name).

    Counted are the steps of one function, by default of the one that is called first.
    """
    function = function or steps[among[0]].function
    return max(
        (i, name)
        for i in among
        if name in steps[i].writes and steps[i].function == function
    )
