"""Where one change of one of their own lines makes a function right, it is named."""

import pytest
from mutants import solution_of

from npsoftmax.checks import check_solution, words

RIGHT = """
import numpy as np

class Softmax:
    def of_rows(self, z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def times(self, p, dp):
        return p * dp

def softmax_forward(z):
    return Softmax().of_rows(z), z

def softmax_backward(dp, cache):
    p = Softmax().of_rows(cache)
    weighted = Softmax().times(p, dp)
    total = 0.0 * weighted[:, 0]
    for j in range(p.shape[1]):
        total += weighted[:, j]
    return weighted - p * total[:, None]
"""
FOR = "    for j in range(p.shape[1]):\n        total += weighted[:, j]\n"


def reports_of(right, wrong):
    assert RIGHT.count(right) == 1
    solution = solution_of(RIGHT.replace(right, wrong))
    names = "softmax_forward", "softmax_backward"
    return {each.name: each for each in check_solution(solution, only=names)}


@pytest.mark.parametrize(
    ("right", "wrong", "where"),
    [
        ("return p * dp", "return dp * dp", "times, line 10"),
        ("total[:, None]", "p[:, None].sum()", None),  # is not one change
        ("range(p.shape[1])", "range(1 + p.shape[1])", None),  # it raises there
        ("range(p.shape[1])", "range(1, p.shape[1])",
         "softmax_backward, line 18 or 19"),
        ("0.0 * weighted", "0.5 * weighted", "softmax_backward, line 18"),
        ("softmax_forward(z):\n    return Softmax().of_rows(z), z",
         "softmax_forward(z):\n    return Softmax().of_rows(z), 2 * z",
         "softmax_forward, line 13"),
    ],
)  # fmt: skip
def test_the_line_with_the_mistake_is_named(right, wrong, where):
    failure = reports_of(right, wrong)["softmax_backward"].failure
    named = failure.found and failure.found.repair and failure.cause
    assert named == where


def test_what_one_line_makes_wrong_is_one_message():
    reports = reports_of("np.exp(z -", "np.exp(z *")
    backward = reports["softmax_backward"]
    assert "one change makes it right" in str(reports["softmax_forward"].failure)
    assert backward.because == "of_rows, line 6"
    assert words.messages(backward) == []


def test_what_is_still_wrong_after_one_change_is_named_as_two_mistakes():
    """Without `+ 0.001`, exp(z) still overflows."""
    source = "import numpy as np\ndef softmax(z, axis=-1):\n    e = np.exp(z)\n"
    source += "    return e / (e.sum(axis=axis, keepdims=True) + 0.001)\n"
    [report] = check_solution(solution_of(source), only="softmax")
    assert report.failure.cause == "no shift, eps in the denominator"


def test_the_functions_are_as_they_were_after_the_search():
    solution = solution_of(RIGHT.replace("return p * dp", "return p + dp"))
    before = solution["softmax_backward"].__code__
    [report] = check_solution(solution, only="softmax_backward")
    assert report.failure.found.repair
    assert solution["softmax_backward"].__code__ is before


def test_a_change_that_never_comes_back_ends_no_search():
    """Of `j += 2`, say: `j *= 2`, before `j += 1`, which is right."""
    loop = "    j = 0\n    while j < p.shape[1]:\n        total += weighted[:, j]\n"
    source = RIGHT.replace(FOR, f"{loop}        j += 2\n")
    [report] = check_solution(solution_of(source), only="softmax_backward")
    assert report.failure.cause == "softmax_backward, line 22"


def test_a_function_on_a_line_with_another_is_judged_without_its_line():
    source = "import numpy as np\nsoftmax = lambda z, axis=-1: z ** 3; one = 1\n"
    [report] = check_solution(solution_of(source), only="softmax")
    assert report.failure
    assert not report.failure.found
