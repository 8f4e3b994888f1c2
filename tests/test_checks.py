"""The engine of the checks: what it makes of functions that are wrong, odd or missing.

What it must find in each function is in test_mistakes.py, and what it draws in
test_draws.py. Here functions are wrong on purpose and as short as can be.
"""

import contextlib
import functools
import importlib
import io
import itertools
import shlex
import sys
import warnings
from dataclasses import replace
from types import ModuleType
from unittest import mock

import numpy as np
import pytest
from solutions import one_hot

import npsoftmax
from npsoftmax import checks
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
from npsoftmax.checks.layers import LAYERS
from npsoftmax.checks.words import line, messages, summary


def solution_of(name, function, forward=None):
    """Return one_hot.py with one function, and perhaps its forward, changed."""
    changed = {name: function} | ({CONTRACT[name].forward: forward} if forward else {})
    return Solution.from_object(vars(one_hot) | changed)


@functools.cache
def report_on(name, function, forward=None, **options):
    options = {"only": name, "examples": 10, "simplify": False} | options
    (report,) = check_solution(solution_of(name, function, forward), **options)
    return report


def failure_of(name, function, forward=None, **options):
    report = report_on(name, function, forward, **options)
    assert report.verdict == "wrong"
    return report.failure


def smallest_failure_of(name, function):
    return failure_of(name, function, simplify=True)


def in_one_line(failure):
    return " ".join(str(failure).split())


def minus_p(z, axis=-1):
    return -one_hot.softmax(z, axis)


def plain_softmax(z, axis=-1):
    e = np.exp(z)
    return e / e.sum(axis=axis, keepdims=True)


def softmax_of_the_batch(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum()


def sum_of_the_losses(z, y):
    loss, cache = one_hot.cross_entropy_forward(z, y)
    return len(y) * loss, cache


def gradient_of_the_sum(dloss, cache):
    return len(cache.p) * one_hot.cross_entropy_backward(dloss, cache)


def minus_dz(dloss, cache):
    return -one_hot.cross_entropy_backward(dloss, cache)


# ------------------------------------------------------------------------ the table


def test_no_two_properties_have_one_name():
    names = [row.name for each in CONTRACT.values() for row in each.properties]
    assert len(set(names)) == len(names)


def test_the_properties_of_a_function_are_in_the_order_of_the_gates():
    for each in CONTRACT.values():
        gates = [GATES.index(row.gate) for row in each.properties]
        assert gates == sorted(gates)


@pytest.mark.parametrize("name", CONTRACT)
def test_npsoftmax_itself_has_every_property_asked_of_it(name):
    (report,) = check_solution(
        Solution.reference(), only=[name], examples=3, demand="reference"
    )
    assert report.verdict == "right", str(report.failure)
    assert report.passed == [row.name for row in CONTRACT[name].asked("reference")]


def test_no_layer_has_its_definitions_from_npsoftmax():
    """So that a comparison of npsoftmax with "expected" is one of two calculations."""
    borrowed = {id(npsoftmax), *(id(getattr(npsoftmax, name)) for name in CONTRACT)}
    for layer in LAYERS.values():
        assert borrowed.isdisjoint(map(id, vars(layer).values()))


# ------------------------------------------------------------------- what is compared


@pytest.mark.parametrize("wrong", [1 + 1e-9, np.nan, np.inf, -1.0])
def test_a_number_that_is_off_by_more_than_roundings_is_not_agreed_with(wrong):
    agree("p", np.array([1 + 4e-16]), np.array([1.0]))
    with pytest.raises(Wrong, match="p is wrong"):
        agree("p", np.array([wrong]), np.array([1.0]))


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
    report = report_on("softmax", npsoftmax.softmax)
    assert report.verdict == "npsoftmax's own"
    assert report.passed == []


def test_a_backward_without_its_forward_says_what_it_needs():
    solution = Solution.from_object({"softmax_backward": one_hot.softmax_backward})
    (report,) = check_solution(solution, only="softmax_backward")
    assert report.verdict == "cannot be checked"
    assert "softmax_forward" in report.note


def test_a_backward_whose_forward_gives_no_cache_waits_for_it():
    solution = solution_of("relu_forward", lambda h: np.maximum(h, 0))
    forward, backward = check_solution(solution, only=["relu_forward", "relu_backward"])
    assert forward.verdict == "wrong"
    assert "instead of 2 things: a, cache" in forward.failure.what
    assert backward.verdict == "cannot be checked"
    assert backward.note == "first repair relu_forward"


def test_an_unknown_name_is_an_error_that_lists_the_names():
    words = "softmaxx is not in the contract: logsumexp, "
    with pytest.raises(ValueError, match=words):
        list(check_solution(Solution.reference(), only=["softmaxx"]))


# ------------------------------------------------------------------------------ gates


def test_a_function_is_asked_no_further_than_its_first_failure():
    report = report_on("softmax", softmax_of_the_batch)
    rows = [row.name for row in CONTRACT["softmax"].asked()]
    asked = len(report.passed)
    assert report.passed == rows[:asked]
    assert report.failure.property == rows[asked]
    assert report.failure.gate == "value"


def test_a_right_loss_with_a_wrong_gradient_is_told_from_a_wrong_loss():
    failure = failure_of("cross_entropy_backward", minus_dz)
    assert failure.loss_is_right
    words = "Your cross_entropy_forward is right, only the gradient is wrong."
    assert words in in_one_line(failure)


def test_a_right_gradient_of_a_wrong_loss_is_told_from_a_wrong_gradient():
    both = gradient_of_the_sum, sum_of_the_losses
    failure = failure_of("cross_entropy_backward", *both)
    assert failure.gate == "gradient"
    words = "Your gradient is right for your cross_entropy_forward, but that is"
    assert words in in_one_line(failure)
    assert failure.cause is None


def test_a_gradient_that_is_right_on_paper_is_right_beside_a_wrong_forward():
    both = one_hot.cross_entropy_backward, sum_of_the_losses
    report = report_on("cross_entropy_backward", *both)
    assert report.verdict == "right"
    assert len(report.passed) == report.total
    assert report.waits == ["cross_entropy_backward_is_the_gradient_of_its_own_forward"]
    assert "right on paper: your cross_entropy_forward is wrong" in line(report)


def test_nothing_is_shown_on_paper_that_contradicts_what_is_expected():
    failure = failure_of("cross_entropy_backward", minus_dz, sum_of_the_losses)
    assert failure.gate == "own gradient"
    assert "on paper" not in str(failure)


def test_a_right_backward_is_not_accused_of_what_its_forward_writes_in_place():
    def forward(h):
        h[h < 0] = 0
        return h, h

    def backward(da, cache):
        return da * (cache > 0)

    assert report_on("relu_backward", backward, forward).verdict == "right"
    assert failure_of("relu_forward", forward).cause == "in-place edit"


def test_a_failure_on_extreme_inputs_hides_none_on_ordinary_ones():
    def backward(dp, cache):
        e = np.exp(cache + 700)
        return e / e.sum(axis=1, keepdims=True) * dp

    def forward(z):
        return one_hot.softmax(z), z - z.max(axis=1, keepdims=True)

    failure = failure_of("softmax_backward", backward, forward)
    assert failure.gate == "own gradient"
    assert failure.cause == "row sum missing"


def squeezed_logsumexp(z, axis=-1):
    m = z.max(axis=axis, keepdims=True)
    return np.log(np.exp(z - m).sum(axis)) + m.squeeze()


def softmax_along_axis_1(z, axis=-1):
    return one_hot.softmax(z, 1 if z.ndim > 1 else 0)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("logsumexp", squeezed_logsumexp), ("softmax", softmax_along_axis_1)],
)
def test_however_few_inputs_are_drawn_three_dimensions_are_among_them(name, wrong):
    assert failure_of(name, wrong, examples=1).inputs["z"].ndim > 1


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
    failure = failure_of(name, wrong)
    assert "by_default" in failure.property
    assert "whose default is" in str(failure)


def test_the_slope_of_psi_is_m_squared_at_both_ends():
    def forward(cos, m):
        value, cache = one_hot.psi_forward(cos, m)
        return value, (cos, m, cache.slope)

    def backward(dpsi, cache):
        cos, m, slope = cache
        return dpsi * np.where(np.abs(cos) == 1, 2 * m, slope)

    asking = ask.Asking(solution_of("psi_backward", backward, forward))
    rows = CONTRACT["psi_backward"].asked()
    failing = [row.gate for row in rows if not asking.holds(row)]
    assert failing == ["gradient"]


# --------------------------------------------------------------------------- messages


def test_the_smallest_failing_input_is_small_enough_for_paper():
    inputs = smallest_failure_of("cross_entropy_backward", gradient_of_the_sum).inputs
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
    def backward(dloss, cache):
        p = cache.p.copy()
        p[:, cache.one_hot[0]] -= 1
        return dloss * p / len(p)

    text = str(smallest_failure_of("cross_entropy_backward", backward))
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
    wrong = Wrong(Kind.VALUE, "p", table)
    text = str(replace(failure_of("softmax", minus_p), wrong=wrong))
    assert text.count("1.000000") == 6
    assert "2 more are wrong" in text


def test_numbers_have_the_digits_that_tell_them_apart():
    table = ("p", np.array(0.5 + 1e-9), np.array(0.5), np.array(True))
    wrong = Wrong(Kind.VALUE, "p is wrong", table)
    failure = replace(failure_of("softmax", minus_p), wrong=wrong)
    assert "0.500000001" in str(failure)


def test_a_number_is_shown_in_full_where_rounding_hides_the_point():
    def psi_forward(cos, m):
        return one_hot.psi(np.arccos(cos), m), (cos, m)

    assert "cos = [1.0000000000000002]" in str(
        smallest_failure_of("psi_forward", psi_forward)
    )


def test_no_line_of_a_message_is_wider_than_80_columns_but_the_one_to_paste():
    def doubled(x, W, y, m, lam=0.0):
        z, cache = one_hot.lsoftmax_forward(x, W, y, m, lam)
        return 2 * z, cache

    for name, wrong in (("softmax", minus_p), ("lsoftmax_forward", doubled)):
        lines = str(smallest_failure_of(name, wrong)).split("\n")
        wide = [line for line in lines if len(line) > 78 and "python -c" not in line]
        assert not wide
        assert any("try it" in line for line in lines)


def test_a_person_s_exception_is_shown_with_their_line_and_no_traceback():
    def softmax(z, axis=-1):
        return np.exp(z) / np.ones(7)

    text = str(failure_of("softmax", softmax))
    assert "softmax: it raises ValueError" in text
    assert "operands could not be broadcast" in text
    assert "return np.exp(z) / np.ones(7)" in text
    assert "Traceback" not in text
    assert "hypothesis" not in text.lower()


def test_a_long_exception_is_cut():
    def softmax(z, axis=-1):
        raise RuntimeError("no " * 10_000)

    assert len(str(failure_of("softmax", softmax))) < 2000


def calls_itself(z, axis=-1):
    return calls_itself(z, axis)


def gives_one_array(z, axis=-1, kept={}):  # noqa: B006
    p = kept.setdefault(z.shape, np.empty(z.shape))
    p[...] = one_hot.softmax(z, axis)
    return p


def gives_another_each_time(z, axis=-1, calls=itertools.count()):  # noqa: B008
    return one_hot.softmax(z, axis) + next(calls)


ODD = {  # what is said of it, and a softmax
    "p is a list, not": lambda z, axis: one_hot.softmax(z, axis).tolist(),
    "it gives 2 things instead of one: p": lambda z, axis=-1: (z, None),
    "p is complex128, but float64": lambda z, axis: one_hot.softmax(z, axis) + 0j,
    "softmax(z, axis=-1): it is softmax(z, axis, more)": lambda z, axis, more: z,
    "it raises RecursionError": calls_itself,
    "it raises EOFError": lambda z, axis: input("z? "),
    "something else when it is called a second time": gives_another_each_time,
    "it gives one and the same array at each call": gives_one_array,
}


@pytest.mark.parametrize("words", ODD)
def test_an_odd_function_gets_one_clear_message(words):
    message = " ".join(failure_of("softmax", ODD[words], examples=3).what.split())
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


def test_a_warning_is_no_mistake_in_a_student_s_function_but_in_npsoftmax():
    def softmax(z, axis=-1):
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        np.log(np.zeros(1))
        return one_hot.softmax(z, axis)

    assert report_on("softmax", softmax).verdict == "right"
    assert "Warning" in failure_of("softmax", softmax, demand="reference").what


def test_a_function_that_draws_lots_gets_a_message_too():
    rng = np.random.default_rng(0)

    def softmax(z, axis=-1):
        return one_hot.softmax(z, axis) * (1 + (rng.random() < 0.3))

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
            return one_hot.softmax(z, axis)

        report_on("softmax", softmax, seed=seed, examples=5)
        return seen

    assert noted(1) == noted(1)
    assert noted(1) != noted(2)


def test_more_examples_are_drawn_when_they_are_asked_for():
    few, many = (report_on("psi", one_hot.psi, examples=n) for n in (5, 40))
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


def printed_by(code, **names):
    screen = io.StringIO()
    with contextlib.redirect_stdout(screen), np.errstate(all="ignore"):
        exec(code, names)
    return screen.getvalue()


@pytest.mark.parametrize(
    "name", ["softmax", "cross_entropy_forward", "cross_entropy_backward"]
)
def test_the_command_in_a_message_shows_what_the_message_says(tmp_path, name):
    path = tmp_path / "my file's $name.py"
    path.write_text(WRONG_FILE)
    (report,) = check_solution(load_solution(path), only=[name])
    command = report.failure.reproducer
    assert "\n" not in command
    python, option, code = shlex.split(command)
    assert (python, option) == ("python", "-c")
    assert printed_by(code) == f"{report.failure.yours}\n"


def test_for_a_function_without_a_file_there_are_lines_to_paste():
    failure = failure_of("softmax", softmax_of_the_batch)
    printed = printed_by(failure.reproducer, softmax=softmax_of_the_batch)
    assert printed == f"{softmax_of_the_batch(failure.inputs['z'])}\n"


# ---------------------------------------------------------------------- the diagnosis


def of_the_others(z, axis=-1):
    return (1 - one_hot.softmax(z, axis)) ** 1.1


def minus_p_of_few(z, axis=-1):
    p = one_hot.softmax(z, axis)
    return -p if z.size < 30 else p + 1


@pytest.mark.parametrize("softmax", [of_the_others, minus_p_of_few])
def test_what_no_mistake_explains_on_all_inputs_gets_no_name(softmax):
    failure = failure_of("softmax", softmax)
    assert failure.cause is None
    assert "looks like" not in str(failure)


def test_an_unknown_factor_is_named_with_its_size():
    failure = failure_of("softmax", lambda z, axis: 1.25 * one_hot.softmax(z, axis))
    assert failure.cause == "scaled by a constant"
    assert failure.diagnosis == "p is 1.25 times what it should be"


def test_two_mistakes_at_once_are_both_named():
    def log_softmax(z, axis=-1):
        return np.log(plain_softmax(z, axis))

    failure = failure_of("log_softmax", log_softmax)
    assert {*failure.cause.split(", ")} == {"no shift", "log of softmax"}


def test_a_cause_that_gives_nan_explains_nan_and_the_input_stays_the_smallest():
    failure = smallest_failure_of("softmax", plain_softmax)
    assert failure.cause == "no shift"
    assert failure.inputs["z"].size == 1
    assert np.isnan(failure.yours)


def test_a_change_nobody_has_listed_is_shown_beside_the_line_of_the_page():
    def backward(dloss, cache):
        return (dloss + cache.p - cache.one_hot) / len(cache.p)

    failure = failure_of("cross_entropy_backward", backward)
    assert "for `return dloss * (p - onehot) / N`" in in_one_line(failure)


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


def test_a_cause_seen_in_all_results_explains_inputs_where_one_of_them_is_none():
    def linear_backward(dz, cache):
        gradients = one_hot.linear_backward(dz, cache)
        return tuple(None if each is None else -each for each in gradients)

    failure = failure_of("linear_backward", linear_backward, one_hot.linear_forward)
    assert failure.cause == "sign"


# ----------------------------------------------------------------- what can be checked


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


@pytest.mark.parametrize(
    ("name", "words"),
    [("none.py", r"none\.py: no such file"), ("", "is a folder.*`npsoftmax grade ")],
)
def test_what_is_no_file_is_said_to_be_none(tmp_path, name, words):
    with pytest.raises(SolutionError, match=words):
        load_solution(tmp_path / name)


# ---------------------------------------------------------------------- in a notebook


MODULE = ModuleType("mine")
MODULE.softmax = one_hot.softmax


@pytest.mark.parametrize(
    "given",
    [one_hot.softmax, [one_hot.softmax], {"softmax": one_hot.softmax}, MODULE],
)
def test_check_takes_a_function_several_a_dict_or_a_module(given):
    screen = io.StringIO()
    outcome = check(given, stream=screen, examples=5)
    assert outcome
    assert list(outcome.reports) == ["softmax"]
    assert screen.getvalue().split()[:2] == ["softmax", "right"]


def test_check_prints_the_message_and_is_false_for_a_wrong_function():
    screen = io.StringIO()
    outcome = check({"softmax": minus_p}, stream=screen)
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
    missing = ModuleNotFoundError(name="hypothesis")
    command = f"Hypothesis: {sys.executable} -m pip install hypothesis"
    with (
        mock.patch.object(importlib, "import_module", side_effect=missing),
        pytest.raises(ImportError, match=command),
    ):
        _ = checks.check


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
    with mock.patch.object(ask, "LIMIT", 0.3):
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


def test_a_function_that_does_not_come_back_is_named_with_its_line(shared):
    failure = shared["psi"].failure
    assert "did not come back" in failure.what
    assert "theta" in failure.line[1] or "while" in failure.line[1]
