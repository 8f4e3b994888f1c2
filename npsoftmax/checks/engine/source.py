"""A file, run: what it defines, and what of it could not be run.

A statement that fails costs itself and what needs it, not the file: data that is not
there, a plot, a package that is not installed. A notebook is its code cells, in order.
"""

import ast
import json
import linecache
import os
import re
import sys
import types
from pathlib import Path

from npsoftmax.checks.engine.safely import line_in, quietly, said, time_limit

SECONDS = 10.0  # that a statement may take
MOST_SAID = 3  # failures that are told one by one


class SolutionError(Exception):
    """A file that cannot be checked, with the one line that says why."""


def run_file(path):
    """Return (names, remarks, failures): what it defines, and what could not be run.

    Raises SolutionError for what is no Python.
    """
    path = Path(path)
    cells, remarks = _cells(path)
    module = types.ModuleType(f"solution_{path.stem}")
    module.__file__, module.xrange = str(path), range  # of Python 2
    module.__package__ = _package_of(path)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    folders = [str(path.resolve().parent), str(Path.cwd())]
    before, sys.path[:0] = list(sys.path), folders
    failures = []
    try:
        for name, source in cells:
            failures += _run(name, source, vars(module))
    finally:
        sys.path[:] = before
    told = failures[:MOST_SAID]
    if more := failures[MOST_SAID:]:
        told.append(f"{len(more)} more statements could not be run")
    return vars(module), remarks, told


def _package_of(path):
    """Return the package that a file of the current folder is in, as -m has it."""
    try:
        inside = path.resolve().parent.relative_to(Path.cwd())
    except ValueError:
        return ""
    return ".".join(inside.parts)


def _run(name, source, names):
    """Run statement after statement; yield a line for each that fails."""
    statements = _parsed(name, source).body
    future = [each for each in statements if _is_future(each)]
    for statement in statements:
        module = ast.Module([*future, statement], type_ignores=[])
        code = compile(module, name, "exec", dont_inherit=True)
        try:
            with quietly(), time_limit(SECONDS):
                exec(code, names)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if isinstance(error, ImportError):
                _stand_in_for(statement, names)
            where = line_in(error, name)
            line = f", line {where[0]}" if where else f", line {statement.lineno}"
            yield f"{name}{line}: {said(error)}"


def _is_future(statement):
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _parsed(name, source):
    try:
        return ast.parse(source, name)
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        text = f": {error.text.strip()}" if error.text and error.text.strip() else ""
        which = " is Python 2" * bool(PYTHON_2.search(f"{error.msg}{text}"))
        raise SolutionError(f"{name}{line}{which}: {error.msg}{text}") from None
    except (ValueError, UnicodeError) as error:
        raise SolutionError(f"{name} is not Python source: {error}") from None


PYTHON_2 = re.compile(
    "call to '(print|exec)'|exception types must be parenthesized|<>|raise [.\\w]+,"
)


class _Absent(type):
    """A stand-in for what is not installed: may be a base class, cannot be called."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _absent(name)

    def __call__(cls, *args, **named):
        if "is_absent" in vars(cls):  # itself, and not a class made from it
            raise ImportError(f"{cls.__name__} is not installed")
        return super().__call__(*args, **named)


def _absent(name):
    return _Absent(name, (), {"is_absent": True})


def _stand_in_for(statement, names):
    """Give what an import would have named a stand-in, so that classes can be read."""
    for each in getattr(statement, "names", ()):
        name = each.asname or each.name.partition(".")[0]
        names.setdefault(name, _absent(name))


# --------------------------------------------------------------------------- notebooks


def _cells(path):
    """Return [(name, source)] of a file, or of each code cell, and remarks."""
    if os.path.isdir(path):
        raise SolutionError(
            f"{path} is a folder: name the file in it, "
            f"or check all of them with `npsoftmax grade {path}`"
        )
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SolutionError(f"{path}: {error.strerror.lower()}") from None
    if path.suffix.lower() != ".ipynb":
        return [(str(path), text)], []
    try:
        cells = json.loads(text)["cells"]
        code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError) as error:
        raise SolutionError(f"{path} is not a notebook: {said(error)}") from None
    return _without_magics(path, code)


def _without_magics(path, code):
    """Return the cells without magics and shell lines, and the remark that says so."""
    cells, skipped = [], 0
    for number, source in enumerate(code, 1):
        whole = source.lstrip().startswith("%%")
        pattern = r"^()[ \t]*\S.*" if whole else r"^([ \t]*)[%!?].*"
        text, found = re.subn(pattern, r"\1pass", f"{source}\n", flags=re.MULTILINE)
        name, skipped = f"{path}, cell {number}", skipped + found
        linecache.cache[name] = len(text), None, text.splitlines(True), name
        cells.append((name, text))
    lines = f"{skipped} {'line' if skipped == 1 else 'lines'} with % or ! skipped"
    return cells, [
        f"{path.name}: {len(cells)} code cells in order" + f", {lines}" * bool(skipped)
    ]
