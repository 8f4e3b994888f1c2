"""A person's file or functions, loaded: what is written, a stub, missing, not theirs.

load_solution(path)         from a file, which is run once
Solution.from_object(obj)   from a function, several, a module or a dict
Solution.reference()        npsoftmax itself
"""

import contextlib
import difflib
import importlib
import inspect
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npsoftmax.checks.engine.safely import line_in, quietly, said, time_limit
from npsoftmax.checks.layers import CONTRACT

WRITTEN = "written"
STUB = "stub"
MISSING = "missing"
REFERENCE = "reference's own"

FIRST_CALL = 10.0  # seconds that a first call may take


class _Lazy(dict):
    """A dict that finds a value when it is first asked for.

    To find out whether a function is a stub it is called, and it may never come back.
    """

    def __init__(self, find):
        super().__init__()
        self.find = find

    def __missing__(self, key):
        self[key] = self.find(key)
        return self[key]


class FirstCall(NamedTuple):
    """What a first call shows of a function."""

    is_stub: bool  # it only says NotImplementedError
    calls: tuple  # other functions of the same solution that it runs, by name
    borrows: tuple  # those of npsoftmax


def _among(functions, codes):
    return tuple(name for name, each in functions.items() if _code(each) in codes)


def _globals(function):
    return getattr(inspect.unwrap(function), "__globals__", None)


def _code(function):
    return getattr(inspect.unwrap(function), "__code__", None)


class SolutionError(Exception):
    """A file that cannot be checked, with the one line that says why."""


@dataclass
class Solution:
    """The functions of the contract found in one place, and the state of each name."""

    functions: dict[str, Callable[..., Any]]
    source: Path | None = None
    own: bool = field(default=False)  # True for npsoftmax itself
    status: dict[str, str] = field(init=False)
    first: dict[str, FirstCall] = field(init=False)  # the FirstCall of each function

    def __post_init__(self):
        self.status = _Lazy(self._status)
        self.first = _Lazy(self._first_call)

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return self.functions[name]

    @property
    def written(self) -> list[str]:
        """The names that can be checked, in the contract's order."""
        return [name for name in CONTRACT if self.status[name] == WRITTEN]

    @contextlib.contextmanager
    def repaired(self, name):
        """Put npsoftmax's function, or pair, where the solution's own ones call one."""
        stem = name.removesuffix("_forward").removesuffix("_backward")
        right = _reference_functions()
        pair = name, f"{stem}_forward", f"{stem}_backward"
        places = {id(g): g for g in map(_globals, self.functions.values()) if g}
        before = [
            (place, each, place[each])
            for place in places.values()
            for each in dict.fromkeys(pair)
            if each in self.functions and place.get(each) is self.functions[each]
        ]
        try:
            for place, each, _ in before:
                place[each] = right[each]
            yield
        finally:
            for place, each, own in before:
                place[each] = own

    @classmethod
    def reference(cls) -> "Solution":
        """Return npsoftmax itself as a solution."""
        return cls(_reference_functions(), own=True)

    @classmethod
    def from_object(cls, obj: object) -> "Solution":
        """Return the solution in a function, several, a module or a dict."""
        if isinstance(obj, Solution):
            return obj
        if isinstance(obj, types.ModuleType):
            named = vars(obj)
        elif isinstance(obj, dict):
            named = obj
        else:
            functions = obj if isinstance(obj, list | tuple | set) else [obj]
            named = {getattr(each, "__name__", repr(each)): each for each in functions}
        return cls(_of_the_contract(named, "what was given"))

    def _status(self, name):
        if name not in self.functions:
            return MISSING
        if not self.own and _comes_from_npsoftmax(self.functions[name]):
            return REFERENCE
        return STUB if self.first[name].is_stub else WRITTEN

    def _first_call(self, name):
        """Run a function on inputs that fit together, and note what it runs.

        A backward whose forward fails is given None for a cache.
        """
        function = CONTRACT[name]
        inputs = function.ordinary(np.random.default_rng(0), 0)
        arguments = [inputs[key] for key in function.takes if key != "cache"]
        is_stub, ran, before = False, set(), sys.getprofile()

        def notice(frame, event, _):
            if event == "call":
                ran.add(frame.f_code)

        try:
            with quietly(), time_limit(FIRST_CALL):
                if function.forward:
                    arguments.append(self._first_cache(function.forward, inputs))
                sys.setprofile(notice)
                self.functions[name](*arguments)
        except NotImplementedError:
            is_stub = True
        except KeyboardInterrupt:
            raise
        except BaseException:  # the check itself will say so
            pass
        finally:
            sys.setprofile(before)
        return FirstCall(
            is_stub, _among(self.functions, ran - {_code(self.functions[name])}),
            _among(_reference_functions(), ran),
        )  # fmt: skip

    def _first_cache(self, forward, inputs):
        given = [inputs[key] for key in CONTRACT[forward].takes]
        try:
            return self.functions[forward](*given)[1]
        except KeyboardInterrupt:
            raise
        except BaseException:
            return None


def load_solution(path: str | Path) -> Solution:
    """Return the `Solution` in the Python file `path`. Raises SolutionError."""
    path = Path(path)
    code = _compiled(path)
    module = types.ModuleType(f"solution_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        with quietly():
            exec(code, vars(module))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise SolutionError(f"{path}{_place(error, path)}: {said(error)}") from error
    finally:
        sys.path.remove(folder)
    return Solution(_of_the_contract(vars(module), path), source=path)


def _compiled(path):
    if path.is_dir():
        raise SolutionError(
            f"{path} is a folder: name the file in it, "
            f"or check all of them with `npsoftmax grade {path}`"
        )
    if path.suffix == ".ipynb":
        raise SolutionError(
            f"{path} is a notebook: inside it, "
            "`from npsoftmax.checks import check; check(softmax)` checks a function"
        )
    try:
        return compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except OSError as error:
        raise SolutionError(f"{path}: {error.strerror.lower()}") from None
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        text = f": {error.text.strip()}" if error.text and error.text.strip() else ""
        raise SolutionError(f"{path}{line}: {error.msg}{text}") from None
    except (ValueError, UnicodeError) as error:
        raise SolutionError(f"{path} is not Python source: {error}") from None


def _of_the_contract(named, where):
    functions = {name: named[name] for name in CONTRACT if callable(named.get(name))}
    if functions:
        return functions
    names = [name for name in named if not name.startswith("_")]
    near = [
        f"`{name}` (did you mean `{match[0]}`?)"
        for name in names
        if (match := difflib.get_close_matches(name.lower(), CONTRACT, 1, 0.8))
    ]
    raise SolutionError(
        f"{where} defines none of the functions that can be checked"
        + (f", but {near[0]}" if near else "")
        + ": they are softmax, cross_entropy_forward and so on; "
        "`npsoftmax start FILE` writes a file with all of them to fill in"
    )


def _reference_functions():
    package = importlib.import_module("npsoftmax")
    return {name: getattr(package, name) for name in CONTRACT if hasattr(package, name)}


def _comes_from_npsoftmax(function):
    module = getattr(inspect.unwrap(function), "__module__", None) or ""
    return module == "npsoftmax" or module.startswith("npsoftmax.")


def _place(error, path):
    line = line_in(error, path)
    return f", line {line[0]}" if line else ""
