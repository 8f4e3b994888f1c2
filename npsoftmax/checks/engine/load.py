"""A person's file or functions, loaded: what is written, a stub, missing, not theirs.

load_solution(path)         from a file, which is run once
Solution.from_object(obj)   from a function, several, a module or a dict
Solution.reference()        npsoftmax itself
"""

import contextlib
import difflib
import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import npsoftmax
from npsoftmax.checks.conventions import FAMILIES
from npsoftmax.checks.engine.adapter import Adapter, AsIs
from npsoftmax.checks.engine.read import Readings, adapter_to_paste
from npsoftmax.checks.engine.safely import codes_run, quietly, time_limit
from npsoftmax.checks.engine.source import SolutionError, run_file
from npsoftmax.checks.engine.subject import first_arguments
from npsoftmax.checks.generic import float32_for_float32
from npsoftmax.checks.layers import CONTRACT
from npsoftmax.checks.layers.softmax import whole_logits

WRITTEN = "written"
STUB = "stub"
MISSING = "missing"
REFERENCE = "reference's own"

OTHER_TYPES = float32_for_float32, whole_logits
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


def _of(function, attribute):
    return getattr(inspect.unwrap(function), attribute, None)


def _among(functions, codes):
    return tuple(n for n, each in functions.items() if _of(each, "__code__") in codes)


@dataclass
class Solution:
    """The functions of the contract found in one place, and the state of each name."""

    functions: dict[str, Callable[..., Any]]
    source: Path | None = None
    own: bool = field(default=False)  # True for npsoftmax itself
    said: list = field(default_factory=list)  # how it was read, in sentences
    more: list = field(default_factory=list)  # solutions, of what is there twice
    is_read: bool = False  # some function is not as the contract has it
    runs: bool = True  # the file can be run as a whole
    status: dict[str, str] = field(init=False)
    first: dict[str, FirstCall] = field(init=False)  # the FirstCall of each function

    def __post_init__(self):
        self.status = _Lazy(self._status)
        self.first = _Lazy(self._first_call)

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return self.functions[name]

    def adapter(self, name):
        """Return how a function is called, and what it is called in what is said."""
        function = self.functions.get(name)
        return function if isinstance(function, Adapter) else AsIs(name)

    def title(self, name):
        """Return what a person calls a function of the contract."""
        return self.adapter(name).title

    def asked(self, name, demand):
        """Return the properties asked of a function; of others', only of float64."""
        rows = CONTRACT[name].asked(demand)
        if self.adapter(name).is_theirs:
            rows = [row for row in rows if row.test not in OTHER_TYPES]
        return rows

    @property
    def written(self) -> list[str]:
        """The names that can be checked, in the contract's order."""
        return [name for name in CONTRACT if self.status[name] == WRITTEN]

    @contextlib.contextmanager
    def repaired(self, name):
        """Put npsoftmax's function, or pair, where the solution's own ones call one."""
        stem = name.removesuffix("_forward").removesuffix("_backward")
        pair = {name, f"{stem}_forward", f"{stem}_backward"} & {*self.functions}
        repairs = [self._own_and_right(each) for each in pair]
        with contextlib.ExitStack() as stack:
            for place in (_of(each, "__globals__") for each in self.functions.values()):
                for own, right in repairs if place else ():
                    if right and place.get(own.__name__) is own:
                        stack.callback(place.__setitem__, own.__name__, own)
                        place[own.__name__] = right
            yield

    def _own_and_right(self, name):
        """Return a function, and one that is right and called as that is, or None."""
        adapter = self.adapter(name)
        if adapter.is_theirs:
            return adapter.__wrapped__, adapter.repaired()
        return self.functions[name], _reference_functions()[name]

    @classmethod
    def reference(cls) -> "Solution":
        """Return npsoftmax itself as a solution."""
        return cls(_reference_functions(), own=True)

    @classmethod
    def from_object(
        cls,
        obj: object,
        names: Mapping[str, str] | None = None,
        columns: bool = False,
    ) -> "Solution":
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
        return _read(named, "what was given", names, columns)

    def _status(self, name):
        if name not in self.functions:
            return MISSING
        module = _of(self.functions[name], "__module__") or ""
        if not self.own and module.split(".")[0] == "npsoftmax":
            return REFERENCE
        return STUB if self.first[name].is_stub else WRITTEN

    def _first_call(self, name):
        """Run a function on inputs that fit together, and note what it runs."""
        is_stub, ran = False, set()
        try:
            with quietly(), time_limit(FIRST_CALL):
                arguments = first_arguments(name, self.functions)
                with codes_run() as ran:
                    self.functions[name](*arguments)
        except NotImplementedError:
            is_stub = True
        except KeyboardInterrupt:
            raise
        except BaseException:  # the check itself will say so
            pass
        others = ran - {_of(self.functions[name], "__code__")}
        borrows = _among(_reference_functions(), ran)
        return FirstCall(is_stub, _among(self.functions, others), borrows)


def load_solution(
    path: str | Path,
    names: Mapping[str, str] | None = None,
    columns: bool = False,
    read: bool = True,
) -> Solution:
    """Return the `Solution` in a Python file or notebook. Raises SolutionError.

    names: {name of the contract: theirs}. columns: a sample is a column. read: also
    what is not written as the contract says, and what is left of a file that fails.
    """
    path = Path(path)
    named, remarks, failures = run_file(path)
    if read:
        said = [*remarks, *failures]
        solution = _read(named, path, names, columns, said)
    elif failures:
        raise SolutionError(failures[0])
    else:
        solution = _by_the_contract(named, path, names)
    for each in (solution, *solution.more):
        each.source, each.runs = path, not remarks + failures
    return solution


def _by_the_contract(named, where, names):
    named = named | {ours: named.get(theirs) for ours, theirs in (names or {}).items()}
    functions = {name: named[name] for name in CONTRACT if callable(named.get(name))}
    if not functions:
        raise SolutionError(_nothing_of_ours(named, where))
    return Solution(functions)


def _read(named, where, names=None, columns=False, said=()):
    """Return what is found, by the contract or as others write it."""
    for ours, theirs in (names or {}).items():
        if not callable(named.get(theirs)):
            raise SolutionError(f"{ours}={theirs}: there is no {theirs} in {where}")
        known = [*(each.name for each in FAMILIES), *CONTRACT]
        if ours not in known:
            what = f"{ours}={theirs}: {ours} is not one of {', '.join(known)}"
            raise SolutionError(what)
    readings = Readings(named, names, columns)
    if not readings.functions and readings.unread:
        raise SolutionError(adapter_to_paste(where, readings))
    if not readings.functions:
        raise SolutionError(said[-1] if said else _nothing_of_ours(named, where))
    unread = f"looks like one of ours, and was not read: {', '.join(readings.unread)}"
    return Solution(
        readings.functions,
        said=[*said, *readings.said, *([unread] if readings.unread else [])],
        more=[Solution(functions) for functions in readings.more],
        is_read=bool(readings.said),
    )


def _nothing_of_ours(named, where):
    near = [
        f", but `{name}` (did you mean `{match[0]}`?)"
        for name in named
        if not name.startswith("_")
        and (match := difflib.get_close_matches(name.lower(), CONTRACT, 1, 0.8))
    ]
    return (
        f"{where} defines none of the functions that can be checked{''.join(near[:1])}"
        ": they are softmax, cross_entropy_forward and so on; "
        "`npsoftmax start FILE` writes a file with all of them to fill in"
    )


def _reference_functions():
    return {name: getattr(npsoftmax, name) for name in CONTRACT}
