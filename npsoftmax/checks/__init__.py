"""Properties of softmax and L-Softmax, run on any implementation.

In a notebook:

    from npsoftmax.checks import check
    check(softmax)                          one function, several, a module or a dict
    check(loss, names={"cross_entropy": "loss"})        by another name

For programs; help() of each says more:

    load_solution(path)         a `Solution`, from a file or a notebook;
                                raises SolutionError, with one clear line
    Solution.from_object(obj)   from functions, a module or a dict
    Solution.reference()        npsoftmax itself
    check_solution(solution)    yields a `FunctionReport` for each function, with its
                                verdict, and a `Failure` or None; str() is the message
    CONTRACT                    name -> Function: all that is known of one

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
