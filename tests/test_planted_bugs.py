"""The checker is checked: every planted bug is caught by the property promised for it
and gets the diagnosis promised for it; right answers are never accused."""

import secrets
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from hypothesis import Phase, settings
from planted_bugs import BUGS, wrong_source

from npsoftmax.checks import check_solution, load_solution, runner
from npsoftmax.checks.contract import CONTRACT
from npsoftmax.checks.mistakes import MISTAKES
from npsoftmax.checks.properties import properties_of
from npsoftmax.checks.solution import Solution

SOLUTIONS = sorted(Path(__file__).with_name("solutions").glob("*.py"))
THOROUGH = settings.default.max_examples >= 1000
SEEDS = [secrets.randbelow(2**32) for _ in range(3)] if THOROUGH else [0]
RIGHT_EXAMPLES = 1000 if THOROUGH else 2  # for each property of a right answer
UNSHRUNK = SimpleNamespace(generate=Phase.generate, shrink=Phase.generate)
EXAMPLES = 100  # for each property of a wrong one: it ends with the first that fails

every_bug = pytest.mark.parametrize(
    "bug", BUGS, ids=[f"{bug.function}: {bug.mistake}" for bug in BUGS]
)


def with_the_bug(bug):
    names = {"__name__": "planted"}
    exec(compile(wrong_source(bug), "planted.py", "exec"), names)
    return Solution.from_object(names)


def promised_property(bug):
    name = f"{bug.function}_{bug.caught_by}"
    (row,) = [row for row in properties_of(bug.function) if row.name == name]
    return row


@every_bug
def test_a_planted_bug_is_caught_and_named_as_promised(bug):
    failures = [what_was_promised_asked(bug, seed) for seed in SEEDS]
    assert any(failures), f"nothing is found wrong with the seeds {SEEDS}"
    assert bug.diagnosis in [failure.cause for failure in failures if failure]


def what_was_promised_asked(bug, seed):
    """Return the failure of the promised property alone, without making it smaller."""
    row = promised_property(bug)
    with (
        mock.patch.object(runner, "properties_of", return_value=[row]),
        mock.patch.object(runner, "Phase", UNSHRUNK),
    ):
        (report,) = check_solution(
            with_the_bug(bug), only=[bug.function], seed=seed, examples=EXAMPLES
        )
    return report.failure


@pytest.mark.skipif(not THOROUGH, reason="minutes: HYPOTHESIS_PROFILE=thorough")
def test_the_whole_check_finds_every_bug_no_later_and_names_nothing_else():
    assert [bug for bug in BUGS if not found_by_the_whole_check(bug)] == [], SEEDS


def found_by_the_whole_check(bug):
    (report,) = check_solution(
        with_the_bug(bug), only=[bug.function], seed=SEEDS[0], examples=EXAMPLES
    )
    names = [row.name for row in properties_of(bug.function)]
    in_time = names[: names.index(promised_property(bug).name) + 1]
    found = report.failure
    return found and found.property in in_time and found.cause in (None, bug.diagnosis)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_a_right_answer_has_every_property(path):
    assert_never_accused(load_solution(path))


def test_the_reference_has_every_property_asked_of_students():
    assert_never_accused(Solution.reference())


def assert_never_accused(solution):
    reports = list(check_solution(solution, seed=SEEDS[0], examples=RIGHT_EXAMPLES))
    accused = [str(report.failure) for report in reports if report.failure]
    assert not accused, f"seed {SEEDS[0]}: {accused}"
    assert [report.verdict for report in reports] == ["right"] * len(CONTRACT)
    assert not THOROUGH or sum(report.examples for report in reports) >= 100_000


def test_there_is_a_planted_bug_in_every_function():
    assert {bug.function for bug in BUGS} == set(CONTRACT)


def test_every_mistake_that_can_be_named_is_planted_somewhere():
    names = {mistake.name for mistakes in MISTAKES.values() for mistake in mistakes}
    assert names - {bug.diagnosis for bug in BUGS} == set()


def test_every_planted_bug_is_another_one():
    assert len({wrong_source(bug) for bug in BUGS}) == len(BUGS) >= 60
