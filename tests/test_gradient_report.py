"""What a gradient check is given, and what it says: inputs and options of any kind,
arrays that are edited, gradients that do not fit, and the lines of a report.
"""

import dataclasses
import functools
import math
import re

import numpy as np
import pytest
from gradient_cases import CUBE, RIGHT, SQUARE, named, sloped, times, wrong

from npsoftmax import init_params
from npsoftmax.gradcheck import check_gradients

LINEAR, CROSS_ENTROPY = named("linear"), named("cross_entropy")
TANH = sloped(np.tanh, lambda x: 1 - np.tanh(x) ** 2)
HALF = np.array([0.5])


# What is edited


def subtracting_forward(z, y):
    z -= z.max(axis=1, keepdims=True)
    return CROSS_ENTROPY[0](z, y)


def sorting_forward(z, y):
    y.sort()
    return CROSS_ENTROPY[0](z, y)


def greedy_backward(dloss, cache):
    cache.d[:] *= 2
    return CROSS_ENTROPY[1](dloss, cache)


def doubling_backward(d_output, cache):
    d_output *= 2
    return d_output


@pytest.mark.parametrize(
    ("forward", "backward", "inputs", "role", "line"),
    [
        (subtracting_forward, CROSS_ENTROPY[1], 2, "forward", "`z -= z.max"),
        (sorting_forward, CROSS_ENTROPY[1], 2, "forward", "`y.sort"),
        (CROSS_ENTROPY[0], greedy_backward, 2, "backward", "`cache.d"),
        (lambda x: (2 * x, None), doubling_backward, 1, "backward", "`d_output"),
    ],
)
def test_an_edit_of_an_input_the_cache_or_the_cotangent_is_wrong_and_named(
    forward, backward, inputs, role, line
):
    z, y = np.array([[1.0, 2.0], [0.0, -3.0]]), np.array([1, 0])
    report = check_gradients(forward, backward, (z, y)[:inputs])
    assert report.verdict == "wrong"
    assert report.problems[0].startswith(f"{role} edits an array it was given")
    assert line in report.problems[0]
    assert (z.tolist(), y.tolist()) == ([[1, 2], [0, -3]], [1, 0])


# What is given


def test_every_array_of_params_is_checked_by_its_name():
    rng = np.random.default_rng(0)
    params = init_params(rng, D=3, H=(4, 3), F=2, C=3)
    batch = rng.normal(size=(4, 3)), np.array([0, 1, 2, 1]), 3, 1.0
    report = check_gradients(*named("mlp"), (params, *batch), wrt="params")
    assert report.verdict == "right", report
    assert list(report.errors) == [f"params.{name}" for name in params._fields]
    assert [e.shape for e in report.errors.values()] == [p.shape for p in params]


@pytest.mark.parametrize(
    ("x", "integers"),
    [(3, True), (3.0, False), ([1, 2], True), ([1.0], False), (np.array([1, 2]), True)],
)
def test_numbers_and_integers_are_differentiated_as_floats(x, integers):
    report = check_gradients(*SQUARE(), x)
    assert report.verdict == "right", report
    assert ("integers, differentiated as floats: x" in report.notes) == integers


def test_a_forward_that_gives_float32_for_float64_is_noted():
    def forward(x):
        return np.tanh(x.astype(np.float32)), x

    report = check_gradients(forward, TANH()[1], np.array([0.3, -1.2]))
    assert "of float64 inputs forward makes float32" in str(report)


@pytest.mark.parametrize("none", [(), (None,)])
def test_none_stands_for_a_gradient_without_an_input(none):
    report = check_gradients(*LINEAR, (np.eye(2), np.ones((2, 3)), *none))
    assert (report.verdict, [*report.errors]) == ("right", ["x", "W"])


def test_none_or_another_shape_for_an_input_is_wrong():
    def backward(dz, cache):
        dx, dW, db = LINEAR[1](dz, cache)
        return None, dW.T, db

    inputs = np.eye(2), np.ones((2, 3)), np.ones(3)
    report = check_gradients(LINEAR[0], backward, inputs)
    assert report.verdict == "wrong"
    assert report.problems == (
        "the gradient by x is None",
        "the gradient by W has shape (3, 2), but W has (2, 3)",
    )


@pytest.mark.parametrize("wrt", ["scale", 1, ["scale"]])
def test_options_are_held_and_wrt_chooses(wrt):
    def forward(x, scale, power=2):
        return scale * x**power, (x, scale, power)

    def backward(d_output, cache):
        x, scale, power = cache
        return np.sum(d_output * x**power)

    inputs, cubic = (np.array([1.0, 2.0]), 2.5), functools.partial(forward, power=3)
    report = check_gradients(cubic, backward, inputs, wrt=wrt)
    assert (report.verdict, [*report.errors]) == ("right", ["scale"])


def test_a_cache_may_be_a_dataclass_or_a_dict():
    @dataclasses.dataclass
    class Cache:
        x: np.ndarray
        many: object

    def forward(x):
        return x**2, {"cache": Cache(x, [None, "text"])}

    def backward(d, cache):
        return 2 * d * cache["cache"].x

    assert check_gradients(forward, backward, HALF).verdict == "right"


@pytest.mark.parametrize(
    ("message", "pair", "inputs", "options"),
    [
        ("method is 'magic', but it is one of", TANH(), HALF, {"method": "magic"}),
        ("wrt is 'w', but the inputs are x", TANH(), HALF, {"wrt": "w"}),
        ("wrt is 2.5, but the inputs are x, or 0 to 0", TANH(), HALF, {"wrt": 2.5}),
        ("wrt is True, but the inputs are x", TANH(), HALF, {"wrt": True}),
        ("wrt is 7, but the inputs are x", TANH(), HALF, {"wrt": [0, 7]}),
        ("cotangent has shape (3,)", TANH(), HALF, {"cotangent": [1, 2, 3]}),
        ("cotangent is 0", TANH(), HALF, {"cotangent": [0]}),
        ("cotangent is 'one', but it must be an", TANH(), HALF, {"cotangent": "one"}),
        ("cotangent has type complex128", TANH(), HALF, {"cotangent": [1j]}),
        ("cotangent holds nan", TANH(), HALF, {"cotangent": [np.nan]}),
        ("rng is -1, but it must be a seed", TANH(), HALF, {"rng": -1}),
        ("rng is 'seed', but it must be a seed", TANH(), HALF, {"rng": "seed"}),
        ("directions is 0, but it must be an", TANH(), HALF, {"directions": 0}),
        ("x[1] is nan, but a gradient is", TANH(), np.array([1, np.nan]), {}),
        ("x[0, 0] is inf, but a gradient is", TANH(), np.array([[np.inf]]), {}),
        ("no input is an array of floating", LINEAR, (1, np.array([1])), {}),
        ("a forward gives (output, cache)", (np.tanh, None), HALF, {}),
        ("forward gave a float, but", (lambda x: 1.0, None), HALF, {}),
        ("forward gave an output of type int64", (lambda x: (1, x), None), HALF, {}),
        ("gave 1 gradients, but 2 are wanted, by x, W",
         (LINEAR[0], lambda dz, c: dz), (np.eye(2), np.eye(2)), {}),
    ],
)  # fmt: skip
def test_what_cannot_be_checked_is_an_error_that_helps(message, pair, inputs, options):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        check_gradients(*pair, inputs, **options)


def test_large_arrays_are_checked_along_a_few_directions():
    calls, rng = [], np.random.default_rng(0)

    def forward(x, W):
        calls.append(0)
        return LINEAR[0](x, W)

    def forgetful(dz, cache):
        dx, dW, _ = LINEAR[1](dz, cache)
        dW[7, 11] *= 1.001
        return dx, dW

    inputs = rng.normal(size=(5, 100)), rng.normal(size=(100, 40))
    right = check_gradients(forward, LINEAR[1], inputs, directions=3)
    assert right.verdict == "right", right
    assert len(calls) < 100
    unseen = r"of 4000 entries of W: an error of one entry below \de-\d+ is not seen"
    assert re.search(unseen, " ".join(right.notes))
    report = check_gradients(forward, forgetful, inputs, directions=3)
    assert report.verdict == "wrong", report
    assert [c.name for c in report.inputs if c.wrong.any()] == ["W along v"]


# The report


def test_a_report_is_true_only_if_the_gradient_is_right():
    x = np.array([1.0, 2.0])
    assert check_gradients(*TANH(), x)
    assert not check_gradients(*wrong(TANH, times(-1))(), x)
    assert not check_gradients(*named("relu"), 0 * x, method="central")


def test_the_same_seed_gives_the_same_report():
    reports = [str(check_gradients(*CUBE(), HALF, rng=seed)) for seed in (3, 3, 4)]
    assert reports[0] == reports[1] != reports[2]


def test_the_worst_entry_is_the_wrong_one():
    layer, W = wrong(lambda: LINEAR, times(1 + 1e-6, (2, 3)), which=1)(), np.eye(3, 4)
    ones = np.ones((3, 4))
    report = check_gradients(*layer, (np.eye(3), W, W[0]), cotangent=ones)
    name, index, analytic, numeric, tolerance, step = report.worst
    assert (name, index, report.worst.label) == ("W", (2, 3), "W[2, 3]")
    assert analytic == numeric * (1 + 1e-6)
    assert abs(report.worst.error) > tolerance > 0
    assert report.errors["W"][2, 3] == report.worst.error
    assert step == 2.0 ** round(math.log2(step))


def test_a_report_says_what_is_wrong_what_is_right_and_what_is_held():
    def forward(x, W, y, scale):
        return scale * (x @ W)[:, y], (x, W, y, scale)

    def backward(dz, cache):
        x, W, y, scale = cache
        return (1 + 1e-10) * scale * dz @ W[:, y].T, scale * x.T @ dz

    x, W = np.arange(1, 11, dtype=np.float32)[None] / 8, np.ones((10, 1))
    report = check_gradients(forward, backward, (x, W, [0], 2.5), cotangent=[[1]])
    assert (
        str(report)
        == """\
backward: the gradient is WRONG
  gradient by       analytic  numeric  difference  tolerance
  x[0, 0]      2.50000000025      2.5    +2.5e-10      3e-13
  x[0, 1]      2.50000000025      2.5    +2.5e-10      3e-13
  x[0, 2]      2.50000000025      2.5    +2.5e-10      3e-13
  x[0, 3]      2.50000000025      2.5    +2.5e-10      3e-13
  x[0, 4]      2.50000000025      2.5    +2.5e-10      3e-13
  x[0, 5]      2.50000000025      2.5    +2.5e-10      3e-13
  and 4 more of 20 entries are wrong
  looks like  gradient by x: every entry is 1.0000000001 times what it should be
  right       gradient by W
  note        lifted to float64 for this check: x
  held        y, scale
  how         complex step, h = 2^-103 to 2^-100, all 20 entries"""
    )


def test_where_both_are_nan_is_said():
    (case,) = [c for c in RIGHT if c.name == "log of a negative number"]
    assert "nan or inf both times, so not compared: x[0]" in str(case.report())


def test_a_wide_table_has_its_names_on_lines_of_their_own():
    def forward(a_name_as_long_as_any_name_in_a_program_may_be):
        return TANH()[0](a_name_as_long_as_any_name_in_a_program_may_be)

    backward = wrong(TANH, times(1 + 1e-10))()[1]
    text = str(check_gradients(forward, backward, np.array([[0.3]])))
    assert "\n  a_name_as_long_as_any_name_in_a_program_may_be[0, 0]\n" in text
    assert max(map(len, text.splitlines())) <= 80
