"""The checker is checked: every known mistake is caught by the property promised for
it; planted in other people's writings, it gets its name; right answers are right.
"""

import secrets
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from plantings import PLANTINGS, wrong_source
from solutions import one_hot

from npsoftmax import textbook
from npsoftmax.checks import CONTRACT, Solution, check_solution, load_solution
from npsoftmax.checks.edits import POSITIVE, callees, edited
from npsoftmax.checks.engine.ask import Asking
from npsoftmax.checks.engine.subject import Subject
from npsoftmax.checks.engine.trials import trials_of
from npsoftmax.checks.mistakes import MISTAKES

WRITINGS = [
    Path(textbook.__file__),
    *sorted(Path(__file__).with_name("solutions").glob("*.py")),
]
THOROUGH = settings.default.max_examples >= 1000
SEEDS = [secrets.randbelow(2**32) for _ in range(2)] if THOROUGH else [0]
RIGHT_EXAMPLES = 600 if THOROUGH else 20  # for each property of a right answer
EXAMPLES = 100 if THOROUGH else 10  # for each property of a wrong one
ROWS = {row.sentence: row for each in CONTRACT.values() for row in each.properties}

each_mistake = pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.name)
FIRST = {planting.mistake: planting for planting in reversed(PLANTINGS)}.values()
each_planting = pytest.mark.parametrize(
    "planting",
    PLANTINGS if THOROUGH else FIRST,
    ids=lambda planting: f"{planting.function}: {planting.mistake}",
)


def with_the_mistake(way):
    """Return the page with one way to make a mistake; an unknown is 1e-6, say."""
    names = edited(*way)
    for each in way:
        for name, domain in [each.unknown] if each.unknown else []:
            names[name] = 1e-6 if domain == POSITIVE else domain[0]
    return Solution.from_object(names)


@each_mistake
def test_a_known_mistake_is_seen_by_the_property_promised_for_it(mistake):
    row = ROWS[mistake.seen_by]
    solution = with_the_mistake(mistake.ways[0])
    assert not all(Asking(solution, seed, EXAMPLES).holds(row) for seed in SEEDS)


@each_mistake
def test_every_way_to_make_a_mistake_can_be_made_and_makes_one(mistake):
    for way in mistake.ways[1:]:
        solution = with_the_mistake(way)
        edits = {name for each in way for name in each.functions.split()}
        runs = [name for name in CONTRACT if edits & {*callees(name)}]
        assert any(differs(solution, name) for name in runs), way


def differs(solution, name):
    """Return whether a function is wrong on some further input, or a rare one."""
    trials, asking = trials_of(Subject(solution, name), seed=0), Asking(solution)
    rows = CONTRACT[name].asked()
    return not all(each.is_right for each in trials) or not all(map(asking.holds, rows))


@each_planting
def test_a_mistake_in_another_writing_is_found_and_named(planting):
    names = {"__name__": "planted"}
    exec(compile(wrong_source(planting), "planted.py", "exec"), names)
    for seed in SEEDS:
        (report,) = check_solution(
            Solution.from_object(names),
            only=[planting.function],
            seed=seed,
            examples=EXAMPLES,
            simplify=THOROUGH,
        )
        assert report.failure, f"nothing is found wrong with seed {seed}"
        cause = report.failure.cause
        known = {mistake.name for mistake in MISTAKES}
        assert cause == planting.mistake or (
            not planting.mistake and cause not in known
        )


IN_ANY = {  # what can go wrong in any function, done to its first result
    "sign": np.negative,
    "zero": np.zeros_like,
    "scaled by a constant": lambda value: 1.25 * value,
    "last row missing": lambda value: np.concatenate([value[:-1], 0 * value[-1:]]),
    "transposed": np.transpose,
    "float32 inside": lambda value: np.asarray(value, np.float32).astype(float),
}
WITH_ROWS = [  # backwards whose first gradient has two axes
    name for name in CONTRACT if name.endswith("backward") and name != "psi_backward"
]


@pytest.mark.parametrize("cause", IN_ANY)
@pytest.mark.parametrize("function", WITH_ROWS if THOROUGH else WITH_ROWS[::3])
def test_a_mistake_that_any_function_may_have_is_named(cause, function):
    def wrong(*inputs):
        given = getattr(one_hot, function)(*inputs)
        if isinstance(given, tuple):
            return IN_ANY[cause](given[0]), *given[1:]
        return IN_ANY[cause](given)

    solution = Solution.from_object(vars(one_hot) | {function: wrong})
    (report,) = check_solution(
        solution, only=function, examples=EXAMPLES, simplify=False
    )
    assert report.failure.cause == cause


def test_every_mistake_that_can_be_named_is_planted_in_another_writing():
    names = {mistake.name for mistake in MISTAKES}
    assert names - {planting.mistake for planting in PLANTINGS} == set()


def test_every_mistake_is_another_one():
    ways = [way for mistake in MISTAKES for way in mistake.ways]
    assert len(set(ways)) == len(ways)


@pytest.mark.parametrize("path", WRITINGS, ids=lambda path: path.stem)
def test_a_right_answer_has_every_property(path):
    solution = load_solution(path)
    for seed in SEEDS:
        reports = list(check_solution(solution, seed=seed, examples=RIGHT_EXAMPLES))
        accused = [str(report.failure) for report in reports if report.failure]
        assert not accused, f"seed {seed}: {accused}"
        assert [report.verdict for report in reports] == ["right"] * len(CONTRACT)
        assert not THOROUGH or sum(report.examples for report in reports) >= 100_000
