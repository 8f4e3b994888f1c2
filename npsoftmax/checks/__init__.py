"""Properties of softmax and L-Softmax, run on any implementation.

In a notebook:

    from npsoftmax.checks import check
    check(softmax)                          one function, several, a module or a dict
    check(loss, names={"cross_entropy": "loss"})        by another name

For programs:

    load_solution(path, names, columns)     a Solution, from a file or a notebook;
                                            raises SolutionError, with one clear line
    Solution.from_object(obj)               from functions, a module or a dict
        .said                               how it was read, in sentences
    Solution.reference()                    npsoftmax itself
        .functions, .status[name]           "written", "stub", "missing" or
                                            "reference's own"
    check_solution(solution, *, only=None, seed=0, examples=..., demand="student",
                   progress=None)           yields a FunctionReport for each function
    FunctionReport                          name, verdict ("right", "wrong", "not
                                            written yet", "npsoftmax's own", "cannot
                                            be checked"), passed (names), total,
                                            failure (or None), note, examples, seconds
    Failure                                 property, gate, what, inputs, yours,
                                            expected, cause (a short name, or None),
                                            diagnosis (a sentence, or None),
                                            reproducer; str() is the message
    CONTRACT                                name -> Function: signature, takes, gives,
                                            forward, properties, and all else

Nothing is imported before it is used, so that pytest can load the plugin for nothing.
"""

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from npsoftmax.checks.doors.notebook import check as check
    from npsoftmax.checks.engine.ask import check_solution as check_solution
    from npsoftmax.checks.engine.load import Solution as Solution
    from npsoftmax.checks.engine.load import SolutionError as SolutionError
    from npsoftmax.checks.engine.load import load_solution as load_solution
    from npsoftmax.checks.engine.report import Failure as Failure
    from npsoftmax.checks.engine.report import FunctionReport as FunctionReport
    from npsoftmax.checks.layers import CONTRACT as CONTRACT

_HOMES = {
    "check": "doors.notebook",
    "load_solution": "engine.load",
    "Solution": "engine.load",
    "SolutionError": "engine.load",
    "check_solution": "engine.ask",
    "FunctionReport": "engine.report",
    "Failure": "engine.report",
    "CONTRACT": "layers",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise ImportError(
            f"the checks need Hypothesis: {sys.executable} -m pip install hypothesis"
        ) from None
