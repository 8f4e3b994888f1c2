"""Files as people write them: how each is read, and what is right and wrong in it.

The files in real/ have the conventions and the mistakes of public ones, in other words.
Every function is judged as it was by hand, before the reader could read it.
"""

import io
from pathlib import Path

import pytest

from npsoftmax.checks import SolutionError, check_solution, load_solution
from npsoftmax.checks.doors import notebook

REAL = Path(__file__).parent / "real"

# file, options, {function: verdict}, words of the first lines
TABLE = [
    ("loss_of_probabilities", {}, "softmax_loss: loss WRONG, gradient right", "logits"),
]


def judged(name, names=None, columns=False):
    """Return the solution in a file, and {function: right or wrong} of it."""
    solution = load_solution(REAL / f"{name}.py", names, columns)
    reports = check_solution(solution, examples=10)
    return solution, {each.title: each.verdict for each in reports}
