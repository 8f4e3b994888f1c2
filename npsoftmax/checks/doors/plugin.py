"""`pytest --solution FILE`: the properties of the contract, run on anybody's file.

In goes the path; out comes one test for each property, FILE::function::property, with
the message of `npsoftmax check` where it fails. After the first failure the rest of a
function is skipped. Without the option this plugin does nothing.
"""

import sys
from pathlib import Path

import pytest

from npsoftmax.options import CHECKING


def pytest_addoption(parser):
    """Add --solution, and the options that `npsoftmax check` has, too."""
    group = parser.getgroup("npsoftmax", "softmax and L-Softmax, anybody's")
    group.addoption(
        "--solution", metavar="FILE", help="check the functions in this file"
    )
    for name, option in CHECKING.items():
        group.addoption(f"--solution-{name}", **option)


def pytest_configure(config):
    """Make the solution what is collected, beside the paths that are asked for."""
    solution = config.getoption("solution")
    if not solution:
        return
    try:
        import hypothesis  # noqa: F401
    except ImportError:
        raise pytest.UsageError(
            f"--solution needs Hypothesis: {sys.executable} -m pip install hypothesis"
        ) from None
    asked_for = config.args_source is pytest.Config.ArgsSource.ARGS
    config.args = [*(config.args if asked_for else []), solution]


def pytest_report_header(config):
    """Return the line that says what is checked."""
    solution = config.getoption("solution")
    return f"solution: {solution}, checked by npsoftmax" if solution else None


def pytest_pycollect_makemodule(module_path, parent):
    """Return the collector of the solution in place of that of a test module."""
    if _is_solution(module_path, parent.config):
        return SolutionFile.from_parent(parent, path=module_path)
    return None


def pytest_collect_file(file_path, parent):
    """Return the collector of a solution whose name does not end in .py."""
    if file_path.suffix != ".py" and _is_solution(file_path, parent.config):
        return SolutionFile.from_parent(parent, path=file_path)
    return None


def _is_solution(path, config):
    solution = config.getoption("solution")
    return bool(solution) and path == Path(solution).absolute()


def pytest_sessionfinish(session):
    """Say that nothing was tested where a solution has nothing that could be judged."""
    judged = session.testsfailed or getattr(session.config, "solution_judged", False)
    if session.config.getoption("solution") and not judged:
        session.exitstatus = session.exitstatus or pytest.ExitCode.NO_TESTS_COLLECTED


class SolutionFile(pytest.File):
    """The file: it has the properties of the functions of the contract."""

    def collect(self):
        """Yield a test for each property of each function, gate after gate."""
        from npsoftmax.checks.engine.ask import Asking
        from npsoftmax.checks.engine.load import SolutionError, load_solution
        from npsoftmax.checks.layers import CONTRACT
        from npsoftmax.terminal import printable

        sys.path.insert(0, str(self.path.parent))  # as pytest does for a test module
        option = self.config.getoption
        names = dict(option("solution_as"))
        given = option("solution"), names, option("solution_columns")
        try:
            solution = load_solution(*given)
        except SolutionError as error:
            raise self.CollectError(printable(error)) from None
        draws = option("solution_seed"), option("solution_examples")
        self.asking = Asking(solution, *draws)
        for each in CONTRACT.values():
            for row in each.asked():
                name = f"{each.name}::{row.name.removeprefix(f'{each.name}_')}"
                yield PropertyTest.from_parent(self, name=name, row=row)

    def report(self, name):
        """Return the report of a function, which is checked when it is first asked."""
        return self.asking.known.get(name) or self.asking.report(name)


class PropertyFailed(Exception):
    """A property that does not hold; its text is the whole message."""


class PropertyTest(pytest.Item):
    """One property of one function."""

    def __init__(self, *, row, **more):
        super().__init__(**more)
        self.row = row

    def runtest(self):
        """Say what the check has found of this property; skip what it has not asked."""
        report = self.parent.report(self.row.function)
        if report.failure and report.failure.row == self.row:
            why = f"It is wrong because it calls {report.because}.\n\n"
            raise PropertyFailed(why * bool(report.because) + report.failure.message)
        if self.row.name in report.waits:
            pytest.skip(report.note)
        if self.row.name not in report.passed:
            first = report.failure and f"{report.failure.property} comes first"
            note = f": {report.note}" if report.note else ""
            pytest.skip(first or f"{report.verdict}{note}")
        self.config.solution_judged = True

    def repr_failure(self, excinfo):
        """Return the message alone, without a traceback."""
        if isinstance(excinfo.value, PropertyFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        """Return where the test is, and the sentence that it asks."""
        return self.path, None, self.row.sentence
