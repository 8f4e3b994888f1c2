"""The engine of the checks: what it makes of functions that are wrong, odd or missing.

What it must find in each function is in test_mistakes.py, and what it draws in
test_draws.py. Here functions are wrong on purpose and as short as can be.
"""

import contextlib
import functools
import io
import subprocess
import sys
import warnings
from dataclasses import replace
from types import ModuleType
from unittest import mock

import numpy as np
import pytest
from solutions import one_hot

import npsoftmax
from npsoftmax.checks import (
    CONTRACT,
    Solution,
    SolutionError,
    check,
    check_solution,
    load_solution,
)
from npsoftmax.checks.agree import Kind, Wrong, agree
from npsoftmax.checks.contract import GATES
from npsoftmax.checks.engine import ask
from npsoftmax.checks.engine.safely import quietly
from npsoftmax.checks.engine.smaller import trimmed
from npsoftmax.checks.engine.subject import Subject
from npsoftmax.checks.words import line, messages, summary


def report_on(name, *functions, examples=10, **options):
    """Return the report on one function; missing ones are npsoftmax's own."""
    named = {each: getattr(npsoftmax, each) for each in CONTRACT}
    named |= {function.__name__: function for function in functions}
    (report,) = check_solution(
        Solution.from_object(named), only=[name], examples=examples, **options
    )
    return report


def failure_of(name, *functions, **options):
    report = report_on(name, *functions, **options)
    assert report.verdict == "wrong"
    return report.failure


@functools.cache
def failure_of_minus_p():
    return failure_of("softmax", minus_p)


def softmax_of_the_batch(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum()


def minus_p(z, axis=-1):
    return -npsoftmax.softmax(z, axis)


minus_p.__name__ = "softmax"


def renamed(name, function):
    """Return the function under a name of the contract."""
    function.__name__ = name
    return function


# ------------------------------------------------------------------------ the table


def test_no_two_properties_have_one_name():
    names = [row.name for each in CONTRACT.values() for row in each.properties]
    repeated = {name for name in names if names.count(name) > 1}
    assert not repeated


def test_the_properties_of_a_function_are_in_the_order_of_the_gates():
    for name in CONTRACT:
        gates = [GATES.index(row.gate) for row in CONTRACT[name].asked()]
        assert gates == sorted(gates)


@pytest.mark.parametrize("name", CONTRACT)
def test_npsoftmax_itself_has_every_property_asked_of_it(name):
    (report,) = check_solution(
        Solution.reference(), only=[name], examples=3, demand="reference"
    )
    assert report.verdict == "right", str(report.failure)
    assert report.passed == [row.name for row in CONTRACT[name].asked("reference")]


@pytest.mark.parametrize("name", [n for n, f in CONTRACT.items() if not f.forward])
def test_the_definitions_are_not_npsoftmax_but_agree_with_it(name):
    """So that a comparison of npsoftmax with "expected" is one of two calculations."""
    reference = Subject(Solution.reference(), name)
    assert "npsoftmax" not in CONTRACT[name].right.__code__.co_names
    inputs = CONTRACT[name].ordinary(np.random.default_rng(0), 0)
    for result, (value, slack) in CONTRACT[name].expected(inputs).items():
        agree(result, reference.results(**inputs)[result], value, slack)


# ------------------------------------------------------------------- what is compared


@pytest.mark.parametrize("wrong", [1 + 1e-9, np.nan, np.inf, -1.0])
def test_a_number_that_is_off_is_not_agreed_with(wrong):
    with pytest.raises(Wrong, match="p is wrong"):
        agree("p", np.array([wrong]), np.array([1.0]))


def test_a_few_roundings_are_agreed_with():
    agree("p", np.array([1 + 4e-16]), np.array([1.0]))


def test_where_nothing_but_finite_is_asked_an_inf_is_still_wrong():
    agree("dx", np.array([5.0]), np.array([1.0]), np.inf)
    with pytest.raises(Wrong):
        agree("dx", np.array([np.inf]), np.array([1.0]), np.inf)


def test_a_result_that_would_broadcast_is_of_the_wrong_shape():
    with pytest.raises(Wrong, match=r"has shape \(1, 2\).* must have shape \(2, 2\)"):
        agree("p", np.ones((1, 2)), np.ones((2, 2)))


# --------------------------------------------------------------------------- verdicts


def test_what_is_missing_or_a_stub_is_not_written_yet():
    def softmax(z, axis=-1):
        raise NotImplementedError

    reports = {
        each.name: each for each in check_solution(Solution.from_object(softmax))
    }
    assert {each.verdict for each in reports.values()} == {"not written yet"}
    assert reports["softmax"].note == "a stub so far"
    assert reports["psi"].note == ""


def test_what_comes_from_npsoftmax_is_not_the_student_s():
    (report,) = check_solution(
        Solution.from_object(npsoftmax.softmax), only=["softmax"]
    )
    assert report.verdict == "npsoftmax's own"
    assert report.passed == []


def test_a_backward_without_its_forward_says_what_it_needs():
    def softmax_backward(dp, cache):
        return dp

    (report,) = check_solution(
        Solution.from_object(softmax_backward), only=["softmax_backward"]
    )
    assert report.verdict == "cannot be checked"
    assert "softmax_forward" in report.note


def test_a_backward_whose_forward_gives_no_cache_waits_for_it():
    def relu_forward(h):
        return np.maximum(h, 0)

    def relu_backward(da, cache):
        return da

    solution = Solution.from_object([relu_forward, relu_backward])
    forward, backward = check_solution(solution, only=["relu_forward", "relu_backward"])
    assert forward.verdict == "wrong"
    assert "instead of 2 things: a, cache" in forward.failure.what
    assert backward.verdict == "cannot be checked"
    assert backward.note == "first repair relu_forward"


def test_an_unknown_name_is_an_error_that_lists_the_names():
    with pytest.raises(
        ValueError, match="softmaxx is not in the contract: logsumexp, "
    ):
        list(check_solution(Solution.reference(), only=["softmaxx"]))


# ------------------------------------------------------------------------------ gates


def test_a_function_is_asked_no_further_than_its_first_failure():
    softmax = renamed("softmax", softmax_of_the_batch)
    report = report_on("softmax", softmax)
    rows = [row.name for row in CONTRACT["softmax"].asked()]
    asked = len(report.passed)
    assert report.passed == rows[:asked]
    assert report.failure.property == rows[asked]
    assert report.failure.gate == "value"


def test_a_right_loss_with_a_wrong_gradient_is_told_from_a_wrong_loss():
    def cross_entropy_backward(dloss, cache):
        return -npsoftmax.cross_entropy_backward(dloss, cache)

    failure = failure_of("cross_entropy_backward", cross_entropy_backward)
    assert failure.loss_is_right
    text = " ".join(str(failure).split())
    assert "Your cross_entropy_forward is right, only the gradient is wrong." in text


def test_a_right_gradient_of_a_wrong_loss_is_told_from_a_wrong_gradient():
    def cross_entropy_forward(z, y):
        loss, cache = npsoftmax.cross_entropy_forward(z, y)
        return len(y) * loss, cache

    def cross_entropy_backward(dloss, cache):
        return len(cache.y) * npsoftmax.cross_entropy_backward(dloss, cache)

    both = (cross_entropy_forward, cross_entropy_backward)
    failure = failure_of("cross_entropy_backward", *both)
    assert failure.gate == "gradient"
    text = " ".join(str(failure).split())
    assert "Your gradient is right for your cross_entropy_forward, but that is" in text
    assert failure.cause is None


def squeezed_logsumexp(z, axis=-1):
    m = z.max(axis=axis, keepdims=True)
    return np.log(np.exp(z - m).sum(axis)) + m.squeeze()


def softmax_along_axis_1(z, axis=-1):
    return npsoftmax.softmax(z, 1 if z.ndim > 1 else 0)


WRONG_IN_3D = {"logsumexp": squeezed_logsumexp, "softmax": softmax_along_axis_1}


@pytest.mark.parametrize("name", WRONG_IN_3D)
def test_however_few_inputs_are_drawn_three_dimensions_are_among_them(name):
    wrong = renamed(name, WRONG_IN_3D[name])
    assert failure_of(name, wrong, examples=1).inputs["z"].ndim > 1


# --------------------------------------------------------------------------- messages


def sum_of_the_losses(z, y):
    loss, cache = npsoftmax.cross_entropy_forward(z, y)
    return len(y) * loss, cache


def test_a_gradient_that_is_right_on_paper_is_right_beside_a_wrong_forward():
    def cross_entropy_backward(dloss, cache):
        return one_hot.cross_entropy_backward(dloss, cache)

    def cross_entropy_forward(z, y):
        loss, cache = one_hot.cross_entropy_forward(z, y)
        return loss * len(y), cache

    forward = cross_entropy_forward
    report = report_on("cross_entropy_backward", forward, cross_entropy_backward)
    assert report.verdict == "right"
    assert len(report.passed) == report.total
    assert report.waits == ["cross_entropy_backward_is_the_gradient_of_its_own_forward"]
    assert "right on paper: your cross_entropy_forward is wrong" in line(report)


def test_nothing_is_shown_on_paper_that_contradicts_what_is_expected():
    def cross_entropy_backward(dloss, cache):
        return -npsoftmax.cross_entropy_backward(dloss, cache)

    forward = renamed("cross_entropy_forward", sum_of_the_losses)
    failure = failure_of("cross_entropy_backward", forward, cross_entropy_backward)
    assert failure.gate == "own gradient"
    assert "on paper" not in str(failure)


def test_a_right_backward_is_not_accused_of_what_its_forward_writes_in_place():
    def relu_forward(h):
        h[h < 0] = 0
        return h, h

    def relu_backward(da, cache):
        return da * (cache > 0)

    functions = relu_forward, relu_backward
    assert report_on("relu_backward", *functions).verdict == "right"
    assert failure_of("relu_forward", *functions).cause == "in-place edit"


def test_a_backward_that_writes_into_its_cotangent_is_wrong():
    def relu_backward(da, cache):
        da[~cache.active] = 0
        return da

    assert failure_of("relu_backward", relu_backward).cause == "in-place edit"


def test_the_smallest_failing_input_is_small_enough_for_paper():
    def cross_entropy_backward(dloss, cache):
        dz = npsoftmax.cross_entropy_backward(dloss, cache)
        return dz * len(cache.y)

    inputs = failure_of("cross_entropy_backward", cross_entropy_backward).inputs
    assert inputs["z"].shape == (2, 2)
    assert set(inputs["z"].ravel()) <= {0, 1}
    assert inputs["dloss"] == 1


def test_rows_and_classes_that_play_no_part_are_left_out_and_the_plane_stays():
    inputs = {"x": np.ones((3, 2)), "W": np.ones((2, 4)), "y": np.array([3, 0, 1])}
    smallest = trimmed(CONTRACT["lsoftmax_forward"], inputs, lambda given: True)
    assert {name: value.shape for name, value in smallest.items()} == {
        "x": (1, 2),
        "W": (2, 1),
        "y": (1,),
    }


def test_a_message_has_all_its_parts():
    def cross_entropy_backward(dloss, cache):
        p = np.exp(cache.d)
        p /= p.sum(axis=1, keepdims=True)
        p[:, cache.y[0]] -= 1
        return dloss * p / len(p)

    failure = failure_of("cross_entropy_backward", cross_entropy_backward)
    text = str(failure)
    for part in (
        "cross_entropy_backward: the gradient dz is wrong",
        "the smallest input that fails",
        "y = [0, 1]",
        "yours    expected   difference",
        "2 other entries agree",
        "looks like   the 1 is subtracted in column y[0] of every row",
        "on paper     dz[1, 0] = p / N = 0.5 / 2 = 0.25",
        "differences of your cross_entropy_forward",
        "try it ",
        "a hint       npsoftmax hint cross_entropy_backward",
    ):
        assert part in text, text


def test_at_most_six_wrong_entries_are_shown_and_the_others_counted():
    table = ("p", np.ones((2, 4)), np.zeros((2, 4)), np.ones((2, 4), bool))
    text = str(replace(failure_of_minus_p(), wrong=Wrong(Kind.VALUE, "p", table)))
    assert text.count("1.000000") == 6
    assert "2 more are wrong" in text


def test_numbers_have_the_digits_that_tell_them_apart():
    table = ("p", np.array(0.5 + 1e-9), np.array(0.5), np.array(True))
    wrong = Wrong(Kind.VALUE, "p is wrong", table)
    assert "0.500000001" in str(replace(failure_of_minus_p(), wrong=wrong))


def test_no_line_of_a_message_is_wider_than_80_columns_but_the_one_to_paste():
    def lsoftmax_forward(x, W, y, m, lam=0.0):
        z, cache = npsoftmax.lsoftmax_forward(x, W, y, m, lam)
        return z + 1, cache

    for failure in (
        failure_of("lsoftmax_forward", lsoftmax_forward),
        failure_of_minus_p(),
    ):
        lines = str(failure).split("\n")
        wide = [line for line in lines if len(line) > 78 and "python -c" not in line]
        assert not wide
        assert any("try it" in line for line in lines)


def test_a_person_s_exception_is_shown_with_their_line_and_no_traceback():
    def softmax(z, axis=-1):
        return np.exp(z) / np.ones(7)

    failure = failure_of("softmax", softmax)
    text = str(failure)
    assert "softmax: it raises ValueError" in text
    assert "operands could not be broadcast" in text
    assert "return np.exp(z) / np.ones(7)" in text
    assert "Traceback" not in text
    assert "hypothesis" not in text.lower()


def test_a_long_exception_is_cut():
    def softmax(z, axis=-1):
        raise RuntimeError("no " * 10_000)

    assert len(str(failure_of("softmax", softmax))) < 2000


def odd_functions():
    def gives_none(z, axis=-1):
        np.exp(z)

    def gives_a_list(z, axis=-1):
        return npsoftmax.softmax(z, axis).tolist()

    def gives_a_pair(z, axis=-1):
        return npsoftmax.softmax(z, axis), None

    def gives_text(z, axis=-1):
        return np.full(z.shape, "p")

    def gives_complex(z, axis=-1):
        return npsoftmax.softmax(z, axis) + 0j

    def takes_too_much(z, axis, more):
        return npsoftmax.softmax(z)

    def exits(z, axis=-1):
        sys.exit(1)

    def recurses(z, axis=-1):
        return recurses(z, axis)

    def asks(z, axis=-1):
        return input("z? ")

    def has_a_memory(z, axis=-1, calls=[]):  # noqa: B006
        calls.append(1)
        return npsoftmax.softmax(z, axis) + len(calls)

    return [
        (gives_none, "it gives None instead of p: is its `return` missing?"),
        (gives_a_list, "p is a list, not an array of shape"),
        (gives_a_pair, "it gives 2 things instead of one: p"),
        (gives_text, "p is <U1, but float64 went in"),
        (gives_complex, "p is complex128, but float64 went in and must come back"),
        (takes_too_much, "called as softmax(z, axis=-1): it is softmax(z, axis, more)"),
        (exits, "it raises SystemExit"),
        (recurses, "it raises RecursionError"),
        (asks, "it raises EOFError"),
        (has_a_memory, "gives something else when it is called a second time"),
    ]


@pytest.mark.parametrize(
    ("function", "words"),
    odd_functions(),
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_an_odd_function_gets_one_clear_message(function, words):
    def softmax(z, axis=-1):
        return function(z, axis)

    if function.__name__ == "takes_too_much":
        softmax = renamed("softmax", function)
    message = " ".join(failure_of("softmax", softmax).what.split())
    assert words in message.replace("<lambda>", "softmax")


def test_what_a_function_prints_is_kept_from_the_screen(capfd):
    def softmax(z, axis=-1):
        print("here I am")
        print("and here", file=sys.stderr)
        return one_hot.softmax(z, axis)

    report = report_on("softmax", softmax)
    assert report.verdict == "right"
    assert report.printed.startswith("here I am")
    assert len(report.printed) <= 20_000
    assert capfd.readouterr() == ("", "")


def test_a_warning_is_no_mistake_in_a_student_s_function():
    def softmax(z, axis=-1):
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        np.log(np.zeros(1))
        return one_hot.softmax(z, axis)

    assert report_on("softmax", softmax).verdict == "right"


def test_a_warning_is_a_mistake_in_npsoftmax():
    def softmax(z, axis=-1):
        np.log(np.zeros(1))
        return npsoftmax.softmax(z, axis)

    failure = failure_of("softmax", softmax, demand="reference")
    assert "RuntimeWarning" in failure.what


def test_a_function_that_draws_lots_gets_a_message_too():
    rng = np.random.default_rng(0)

    def softmax(z, axis=-1):
        return npsoftmax.softmax(z, axis) * (1 + (rng.random() < 0.3))

    assert report_on("softmax", softmax).verdict == "wrong"


def test_ctrl_c_in_a_function_is_not_swallowed():
    def softmax(z, axis=-1):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report_on("softmax", softmax)


def test_what_stands_at_the_keyboard_and_on_the_screen_comes_back():
    before = sys.stdin, sys.stdout, sys.stderr
    with pytest.raises(ZeroDivisionError), quietly():
        _ = 1 / 0
    assert (sys.stdin, sys.stdout, sys.stderr) == before


# -------------------------------------------------------------------- the same again


def test_the_same_seed_draws_the_same_and_another_seed_something_else():
    def noted(seed):
        seen = []

        def softmax(z, axis=-1):
            seen.append(z.tobytes())
            return npsoftmax.softmax(z, axis)

        report_on("softmax", softmax, seed=seed, examples=5)
        return seen

    assert noted(1) == noted(1)
    assert noted(1) != noted(2)


def test_more_examples_are_drawn_when_they_are_asked_for():
    few, many = (
        report_on("psi", renamed("psi", lambda theta, m: one_hot.psi(theta, m)), **more)
        for more in ({"examples": 5}, {"examples": 40})
    )
    assert few.verdict == many.verdict == "right"
    assert many.examples > 4 * few.examples


# --------------------------------------------------------------------- the reproducer


WRONG_FILE = """
import numpy as np

def softmax(z, axis=-1):
    return np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True)

def cross_entropy_forward(z, y):
    p = softmax(z - z.max(axis=1, keepdims=True))
    return -np.log(p[np.arange(len(y)), y]).sum(), (p, y)

def cross_entropy_backward(dloss, cache):
    p, y = cache
    return dloss * (p - np.eye(p.shape[1])[y]) / 7
"""


@pytest.mark.parametrize("name", ["softmax", "cross_entropy_forward"])
def test_the_command_in_a_message_shows_what_the_message_says(tmp_path, name):
    path = tmp_path / "my file's $name.py"
    path.write_text(WRONG_FILE)
    (report,) = check_solution(load_solution(path), only=[name])
    command = report.failure.reproducer
    assert "\n" not in command
    command = command.replace("python -c", f"{sys.executable} -W ignore -c", 1)
    ran = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=True
    )
    shown = np.array(ran.stdout.replace("[", " ").replace("]", " ").split(), float)
    assert np.allclose(shown, np.ravel(report.failure.yours), rtol=1e-6, equal_nan=True)


def test_the_command_for_a_backward_runs_its_forward_first(tmp_path):
    path = tmp_path / "homework.py"
    path.write_text(WRONG_FILE)
    (report,) = check_solution(load_solution(path), only=["cross_entropy_backward"])
    names = {}
    code = report.failure.reproducer.removeprefix("python -c ").strip("'")
    screen = io.StringIO()
    with contextlib.redirect_stdout(screen):
        exec(code, names)
    yours = names["f"]["cross_entropy_backward"](names["dloss"], names["cache"])
    assert np.array_equal(yours, report.failure.yours)
    assert str(yours) in screen.getvalue()


def test_for_a_function_without_a_file_there_are_lines_to_paste():
    failure = failure_of("softmax", renamed("softmax", softmax_of_the_batch))
    names, screen = {"softmax": softmax_of_the_batch}, io.StringIO()
    with contextlib.redirect_stdout(screen):
        exec(failure.reproducer, names)
    assert str(softmax_of_the_batch(failure.inputs["z"])) in screen.getvalue()


# ---------------------------------------------------------------------- the diagnosis


def test_a_mistake_nobody_knows_gets_no_name():
    def softmax(z, axis=-1):
        return (1 - npsoftmax.softmax(z, axis)) ** 1.1

    failure = failure_of("softmax", softmax)
    assert failure.cause is None
    assert "looks like" not in str(failure)


def test_a_mistake_that_explains_only_some_inputs_gets_no_name():
    def softmax(z, axis=-1):
        p = npsoftmax.softmax(z, axis)
        return -p if z.size < 30 else p + 1

    assert failure_of("softmax", softmax).cause is None


def test_an_unknown_factor_is_named_with_its_size():
    def softmax(z, axis=-1):
        return 1.25 * npsoftmax.softmax(z, axis)

    failure = failure_of("softmax", softmax)
    assert failure.cause == "scaled by a constant"
    assert failure.diagnosis == "p is 1.25 times what it should be"


# ----------------------------------------------------------------- what can be checked


def test_a_file_is_loaded_without_a_trace_beside_it(tmp_path):
    path = tmp_path / "homework.py"
    path.write_text("import numpy\ndef softmax(z, axis=-1): return z\nprint('hello')")
    solution = load_solution(path)
    assert solution.status["softmax"] == "written"
    assert solution.status["psi"] == "missing"
    assert [each.name for each in tmp_path.iterdir()] == ["homework.py"]


def test_a_file_finds_the_modules_beside_it(tmp_path):
    (tmp_path / "my_helpers.py").write_text("two = 2")
    path = tmp_path / "homework.py"
    path.write_text("from my_helpers import two\ndef softmax(z, axis=-1): return two")
    before = list(sys.path)
    assert load_solution(path)["softmax"](0) == 2
    assert sys.path == before


def test_a_file_may_have_dataclasses_as_caches(tmp_path):
    path = tmp_path / "homework.py"
    path.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "import numpy as np\n"
        "@dataclass\n"
        "class Cache:\n    mask: np.ndarray\n"
        "def relu_forward(h): return np.maximum(h, 0), Cache(h > 0)\n"
        "def relu_backward(da, cache): return da * cache.mask\n"
    )
    reports = check_solution(
        load_solution(path), only=["relu_forward", "relu_backward"]
    )
    assert [report.verdict for report in reports] == ["right", "right"]


BAD_FILES = [
    ("def softmax(z:\n  pass", r"line 1: .*def softmax\(z:"),
    ("import numpy\nimport not_there_at_all", "line 2: ModuleNotFoundError: No module"),
    ("1 / 0", "line 1: ZeroDivisionError: division by zero"),
    ("import sys\nsys.exit(3)", r"line 2: the code calls exit\(\)"),
    ("sofmax = lambda z: z", r"none of the .* `sofmax` \(did you mean `softmax`\?\)"),
    ("softmax = 3", "none of the functions that can be checked"),
    ("", "none of the functions that can be checked"),
    ("\0", "homework.py"),
    ("x = '\xe9'", "homework.py.*utf-8"),
]


@pytest.mark.parametrize(("source", "words"), BAD_FILES)
def test_a_file_that_cannot_be_checked_gets_one_clear_line(tmp_path, source, words):
    path = tmp_path / "homework.py"
    path.write_bytes(source.encode("latin-1"))
    with pytest.raises(SolutionError, match=words) as caught:
        load_solution(path)
    assert "\n" not in str(caught.value)
    assert "homework.py" in str(caught.value)


def test_a_file_that_is_not_there_is_said_to_be_not_there(tmp_path):
    with pytest.raises(SolutionError, match=r"none\.py: no such file"):
        load_solution(tmp_path / "none.py")


def test_a_folder_is_told_where_to_go(tmp_path):
    with pytest.raises(SolutionError, match=r"is a folder.*`npsoftmax grade "):
        load_solution(tmp_path)


# ---------------------------------------------------------------------- in a notebook


def right_softmax(z, axis=-1):
    return one_hot.softmax(z, axis)


right_softmax.__name__ = "softmax"


def as_module():
    module = ModuleType("mine")
    module.softmax = right_softmax
    return module


@pytest.mark.parametrize(
    "given", [right_softmax, [right_softmax], {"softmax": right_softmax}, as_module()]
)
def test_check_takes_a_function_several_a_dict_or_a_module(given):
    screen = io.StringIO()
    outcome = check(given, stream=screen, examples=5)
    assert outcome
    assert list(outcome.reports) == ["softmax"]
    assert screen.getvalue().split()[:2] == ["softmax", "right"]


def test_check_prints_the_message_and_is_false_for_a_wrong_function():
    screen = io.StringIO()
    outcome = check(minus_p, stream=screen)
    assert not outcome
    assert "WRONG" in screen.getvalue()
    assert "looks like   p has the wrong sign" in screen.getvalue()
    assert outcome["softmax"].failure.cause == "sign"


def test_check_is_false_for_what_is_not_written_yet():
    def softmax(z, axis=-1):
        raise NotImplementedError

    outcome = check(softmax, stream=io.StringIO())
    assert not outcome
    assert outcome.nothing_is_wrong


def test_without_hypothesis_check_says_the_command_that_installs_it():
    code = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "from npsoftmax.checks import check\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = ran.stderr.strip().split("\n")[-1]
    assert last.endswith(f"Hypothesis: {sys.executable} -m pip install hypothesis")


def test_check_of_a_function_with_another_name_says_what_can_be_checked():
    def sofmax(z):
        return z

    with pytest.raises(SolutionError, match=r"`sofmax` \(did you mean `softmax`\?\)"):
        check(sofmax)


# ---------------------------------------------------------------- one mistake at a time


SHARED = """
import numpy as np

def softmax(z, axis=-1):
    e = np.exp(z - np.max(z))
    return e / np.sum(e, axis=axis, keepdims=True)

def log_softmax(z, axis=-1):
    return np.log(softmax(z, axis) + 1e-12)

def softmax_forward(z):
    p = softmax(z)
    return p, p

def softmax_backward(dp, cache):
    return cache * (dp - np.sum(dp * cache, axis=1, keepdims=True))

def psi(theta, m):
    while m > 3:
        theta = theta + 0
    return np.cos(theta)
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    path = tmp_path_factory.mktemp("shared") / "homework.py"
    path.write_text(SHARED)
    with mock.patch.object(ask, "LIMIT", 0.5):
        return {each.name: each for each in check_solution(load_solution(path))}


def test_what_is_wrong_only_because_of_a_callee_says_so(shared):
    assert shared["softmax"].because == ""
    assert shared["softmax_forward"].because == "softmax"
    assert shared["log_softmax"].because == ""  # its eps is its own
    assert messages(shared["softmax_forward"]) == []


def test_the_end_says_where_to_begin(shared):
    assert "Begin with softmax: 2 others call it." in summary(shared.values())


def test_what_fails_on_extreme_inputs_only_is_called_that(shared):
    assert shared["softmax"].only_extreme
    assert "wrong on extreme inputs only" in line(shared["softmax"])


def test_a_failure_on_extreme_inputs_hides_none_on_ordinary_ones():
    def relu_like(dp, cache):
        z = cache.d
        p = np.exp(z + 700) / np.exp(z + 700).sum(axis=1, keepdims=True)
        return p * dp

    report = report_on("softmax_backward", renamed("softmax_backward", relu_like))
    assert report.failure.gate == "own gradient"
    assert report.failure.cause == "row sum missing"


def test_a_function_that_does_not_come_back_is_named_with_its_line(shared):
    failure = shared["psi"].failure
    assert "did not come back" in failure.what
    assert "theta" in failure.line[1] or "while" in failure.line[1]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("softmax", lambda z, axis=0: one_hot.softmax(z, axis)),
        ("logsumexp", lambda z, axis=1: one_hot.logsumexp(z, min(axis, z.ndim - 1))),
        (
            "lsoftmax_forward",
            lambda x, W, y, m, lam=1.0: one_hot.lsoftmax_forward(x, W, y, m, lam),
        ),
    ],
)
def test_a_wrong_default_is_seen(name, wrong):
    failure = failure_of(name, renamed(name, wrong))
    assert "by_default" in failure.property
    assert "whose default is" in str(failure)


def test_the_slope_of_psi_is_m_squared_at_both_ends():
    def psi_backward(dpsi, cache):
        slope = np.where(np.abs(cache[0]) == 1, 2 * cache[1], cache[2])
        return dpsi * slope

    def psi_forward(cos, m):
        value, cache = one_hot.psi_forward(cos, m)
        return value, (cos, m, cache.slope)

    assert report_on("psi_forward", psi_forward).verdict == "right"
    assert failure_of("psi_backward", psi_forward, psi_backward).gate == "gradient"


def test_one_array_that_is_given_back_each_time_is_wrong():
    kept = {}

    def softmax(z, axis=-1):
        p = kept.setdefault(z.shape, np.empty(z.shape))
        p[...] = one_hot.softmax(z, axis)
        return p

    assert "one and the same array" in failure_of("softmax", softmax).what


def test_a_number_is_shown_in_full_where_rounding_hides_the_point():
    def psi_forward(cos, m):
        return one_hot.psi(np.arccos(cos), m), (cos, m)

    assert "cos = [1.0000000000000002]" in str(failure_of("psi_forward", psi_forward))


def test_two_mistakes_at_once_are_both_named():
    def log_softmax(z, axis=-1):
        e = np.exp(z)
        return np.log(e / e.sum(axis=axis, keepdims=True))

    failure = failure_of("log_softmax", log_softmax)
    assert {*failure.cause.split(", ")} == {"no shift", "log of softmax"}


def test_a_cause_that_gives_nan_explains_nan_and_the_input_stays_the_smallest():
    def softmax(z, axis=-1):
        e = np.exp(z)
        return e / e.sum(axis=axis, keepdims=True)

    failure = failure_of("softmax", softmax)
    assert failure.cause == "no shift"
    assert failure.inputs["z"].size == 1
    assert np.isnan(failure.yours)


def test_a_change_nobody_has_listed_is_shown_beside_the_line_of_the_page():
    def cross_entropy_backward(dloss, cache):
        return (dloss + cache.p - cache.one_hot) / len(cache.p)

    failure = failure_of(
        "cross_entropy_backward", one_hot.cross_entropy_forward, cross_entropy_backward
    )
    assert "for `return dloss * (p - onehot) / N`" in " ".join(str(failure).split())


@pytest.mark.parametrize(
    ("eps", "words"),
    [
        (1e-8, "eps = 1e-08"),
        (1e-20, "eps = 1e-20"),
        (2.0**-52, "eps = 2.2e-16, the spacing of float64 at 1"),
        (float(np.finfo(np.float32).tiny), "the smallest normal float32"),
    ],
)
def test_a_small_number_in_the_logarithm_is_named_exactly(eps, words):
    def log_softmax(z, axis=-1):
        return np.log(one_hot.softmax(z, axis) + eps)

    failure = failure_of("log_softmax", log_softmax)
    assert failure.cause == "eps in the logarithm"
    assert words in failure.diagnosis
