"""Mistakes that a program made: each is found, or stands here with its reason."""

import functools

import pytest
from hypothesis import settings
from mutants import WRITINGS, outcome, solution_of, some

THOROUGH = settings.default.max_examples >= 1000
MUTANTS = some(1.0 if THOROUGH else 0.001, seed=0)


@functools.cache
def original(writing):
    return solution_of(WRITINGS[writing])


@pytest.mark.parametrize(
    "mutant", MUTANTS, ids=lambda m: f"{m.function}: {m.change.wrong}"
)
def test_a_mutant_is_found_wrong_or_is_the_same(mutant):
    found = outcome(mutant, original(mutant.writing))
    assert (
        found.verdict != "survives" or (mutant.function, mutant.change.wrong) in SURVIVE
    )


SURVIVE = {  # (function, wrong statement): why the check may let it pass
    (
        "lsoftmax_forward",
        "g_prime = np.where((x_length == 0) | (g_prime == 0), 1, g_prime)",
    ): "at W_y = 0 the gradient need only be finite",
    (
        "lsoftmax_forward",
        "g_prime = np.where((psi_y == 0) | (w_length == 0), 1, g_prime)",
    ): "at x = 0 it need only be finite; psi is 0 to the last digit for m = 1 alone",
}
