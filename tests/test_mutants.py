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
    survives = found.verdict == "survives"
    assert not survives or (mutant.function, mutant.change.right) in SURVIVE


NO_ANGLE = "at x = 0 and at W_y = 0 the gradient need only be finite"
SURVIVE = {  # (function, its right statement): why the check may let a change pass
    (
        "lsoftmax_forward",
        "g_prime = np.where((x_length == 0) | (w_length == 0), 1, g_prime)",
    ): NO_ANGLE,
    ("target_gradients", "return w, x"): NO_ANGLE,
    ("_mixed", "return (np.where(none, cos, g), np.where(none, 1, g_prime))"): NO_ANGLE,
}
