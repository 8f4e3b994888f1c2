"""The trace: its lines are the caches' own, its gradients stand beside differences."""

import io
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npsoftmax import (
    Params,
    cross_entropy_forward,
    lsoftmax_backward,
    lsoftmax_forward,
    mlp_backward,
    mlp_forward,
    psi,
    psi_prime,
    softmax_forward,
)
from npsoftmax.__main__ import main
from npsoftmax.trace import (
    COS,
    CROSS_ENTROPY,
    EXAMPLES,
    LINEAR,
    LSOFTMAX,
    PSI,
    RELU,
    SOFTMAX,
    Trace,
    trace,
)

LAYERS = (COS, SOFTMAX, CROSS_ENTROPY, PSI, LSOFTMAX, LINEAR, RELU)
PARAMS = ("W1", "b1", "W2", "b2", "W3", "b3", "W4")

# A central difference with h = 2^-17 is off by h^2 |f'''| / 6 = 1e-11 |f'''| and by
# rounding, eps |f| / h = 3e-11 |f|. |f'''| is at most about m^3 = 64 here and |f| at
# most 14 where |f'| is 1 or more: 2e-9 in all.
DIFFERENCES = 2e-9
EPS = np.finfo(float).eps

margins, angles = st.integers(1, 8), st.integers(0, 180)


def values(traced):
    return {row.name: row.value for row in traced.rows}


@pytest.mark.parametrize("what", EXAMPLES)
def test_every_gradient_agrees_with_its_differences(what):
    first, *others = trace(what).backward
    assert first.difference is None  # it is given
    for row in others:
        assert row.difference < DIFFERENCES, row


@pytest.mark.parametrize("what", EXAMPLES)
def test_the_relative_difference_is_that_of_the_two_values_shown(what):
    for row in trace(what).backward[1:]:
        largest = max(abs(row.value).max(), abs(row.numeric).max())
        assert row.difference == abs(row.value - row.numeric).max() / largest
        assert row.numeric.shape == row.value.shape == row.shape


def test_every_field_of_softmax_s_cache_is_a_line_in_its_order():
    shown = values(trace("softmax", seed=3))
    _, cache = softmax_forward(shown["z"])
    assert [name for name in shown if name in cache._fields] == list(cache._fields)
    for name, value in cache._asdict().items():
        np.testing.assert_array_equal(shown[name], value)


def test_every_field_of_the_caches_of_l_softmax_is_a_line():
    shown = values(trace("l-softmax", margin=3, angle=100, lam=5))
    z, margin_cache = lsoftmax_forward(*(shown[name] for name in LSOFTMAX.inputs))
    _, loss_cache = cross_entropy_forward(z, shown["y"])
    fields = margin_cache._asdict() | loss_cache._asdict()
    for name in fields.keys() - {"x_scale", "W_scale"}:  # shown where they are not 1
        np.testing.assert_array_equal(shown[name], fields[name])


def test_scales_are_shown_where_they_are_not_1():
    assert "x_scale" not in values(trace("l-softmax"))
    assert np.frexp(values(trace("l-softmax", norms=(1e-150, 1)))["x_scale"])[0] == 0.5


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.forward.__name__)
def test_every_symbol_of_a_layer_has_its_formula(layer):
    gradients = ["d" + symbol for symbol in layer.inputs[: layer.gradients]]
    symbols = {*layer.inputs, layer.output, *gradients}
    assert symbols - layer.formulas.keys() <= {"h"}  # ReLU's input has its own line


@pytest.mark.parametrize("what", EXAMPLES)
def test_every_line_has_a_formula(what):
    assert all(row.formula for row in trace(what).rows)


def test_the_backward_of_the_mlp_is_that_of_mlp_backward():
    shown = values(trace("mlp", margin=2, lam=0.5, seed=7))
    params = Params(*(shown[name] for name in PARAMS))
    loss, cache = mlp_forward(params, shown["x"], shown["y"], m=2, lam=0.5)
    assert shown["loss"] == loss
    for name, gradient in zip(PARAMS, mlp_backward(1.0, cache), strict=True):
        np.testing.assert_array_equal(shown["d" + name], gradient)


def test_the_gradients_of_l_softmax_are_those_of_lsoftmax_backward():
    shown = values(trace("l-softmax", margin=4, angle=30, seed=1))
    _, cache = lsoftmax_forward(*(shown[name] for name in LSOFTMAX.inputs))
    dx, dW = lsoftmax_backward(shown["dz"], cache)
    np.testing.assert_array_equal(shown["dx"], dx)
    np.testing.assert_array_equal(shown["dW"], dW)


@given(margins, angles)
def test_psi_is_traced_at_its_angle(m, degrees):
    shown, theta = values(trace("psi", margin=m, angle=degrees)), np.radians(degrees)
    # theta and its cos are rounded to eps, which moves psi and its slope by m^2 times
    # as much at most; they themselves are right to 16 eps and 8 eps m^2.
    assert abs(shown["psi"] - psi(theta, m)) <= 24 * m**2 * EPS
    assert abs(shown["dtheta"] - psi_prime(theta, m)) <= 24 * m**2 * EPS


@given(margins, angles)
def test_the_note_on_k_names_the_piece_that_holds_the_angle(m, degrees):
    row = trace("psi", margin=m, angle=degrees)["k"]
    k = int(row.value)
    assert 180 * k / m - 1e-9 <= degrees <= 180 * (k + 1) / m + 1e-9
    if m > 1:
        assert f"[{180 * k / m:g}, {180 * (k + 1) / m:g}], so k = {k}:" in row.note
        on_a_knot = 0 < degrees < 180 and degrees * m % 180 == 0
        assert ("is the knot" in row.note) == on_a_knot


@given(margins, angles, st.sampled_from([(2, 1), (0, 1), (1, 0), (1e-150, 1e150)]))
def test_a_difference_that_is_far_off_has_a_note_that_says_why(m, degrees, norms):
    for row in trace("l-softmax", margin=m, angle=degrees, norms=norms).backward[1:]:
        assert row.difference < 1e-6 or row.note


@given(st.sampled_from(["cross-entropy", "mlp"]), st.integers(0, 10**6))
def test_so_has_one_of_a_drawn_example(what, seed):
    for row in trace(what, seed=seed).backward[1:]:
        assert row.difference < 1e-6 or row.note


@pytest.mark.parametrize("name", ["dh2", "da1", "db2"])
def test_a_difference_on_the_kink_of_relu_says_so(name):
    traced = trace("mlp", seed=20)
    assert np.abs(traced["h2"].value).min() < 1e-15
    assert "h2 is on a kink" in traced[name].note
    assert "an entry of h2 is 0" in traced["active2"].note


def test_a_vector_of_length_zero_is_said_to_have_no_angle():
    assert "no angle exists" in trace("l-softmax", norms=(0, 1))["k"].note


@given(st.sampled_from(list(EXAMPLES)), st.integers(0, 99))
def test_no_line_is_wider_than_80_columns(what, seed):
    seeds = {} if what == "psi" else {"seed": seed}
    assert max(map(len, str(trace(what, **seeds)).splitlines())) <= 80


def test_the_same_seed_gives_the_same_trace_and_another_seed_another():
    assert str(trace("mlp", seed=4)) == str(trace("mlp", seed=4))
    assert str(trace("mlp", seed=4)) != str(trace("mlp", seed=5))


@pytest.mark.parametrize("what", EXAMPLES)
def test_the_text_has_every_name_formula_and_shape(what):
    traced = trace(what)
    words = " ".join(str(traced).split())
    for row in traced.rows:
        assert f" {row.name} " in words
        assert all(word in words for word in row.formula.split())
    assert repr(traced) == str(traced)


@pytest.mark.parametrize("what", EXAMPLES)
def test_a_notebook_shows_a_table_with_a_line_for_each_row(what):
    traced = trace(what)
    page = traced._repr_html_()
    assert page.count("<tr>") == page.count("</tr>") == len(traced.rows) + 3
    assert all(f"<code>{row.name}</code>" in page for row in traced.rows)


def test_html_is_escaped():
    assert "h1 &gt; 0" in trace("mlp")._repr_html_()


def test_a_row_is_found_by_its_name():
    assert trace("psi", angle=180, margin=2)["psi"].value == -3
    with pytest.raises(KeyError, match="dy is not in this trace: z, y"):
        trace("cross-entropy")["dy"]


WRONG = (
    (("sofmax",), {}, "no trace of 'sofmax': softmax, cross-entropy"),
    (("psi",), {"angle": 181}, "angle is 181, but it must be 0 to 180"),
    (("psi",), {"angle": -1}, "angle is -1"),
    (("psi",), {"angle": "x"}, "angle is 'x'"),
    (("psi",), {"margin": 2.5}, "m is 2.5, but the margin is an integer"),
    (("psi",), {"margin": 101}, "m is 101, but the margin is an integer"),
    (("psi",), {"lam": 1}, "psi has no lam: only margin, angle"),
    (("softmax",), {"angle": 1}, "softmax has no angle: only seed"),
    (("l-softmax",), {"norms": (1, -2)}, "norms is -2"),
    (("l-softmax",), {"norms": (1, 2, 3)}, "must be two numbers"),
    (("l-softmax",), {"norms": (1, 1e200)}, r"norms is 1e\+200"),
    (("l-softmax",), {"lam": float("nan")}, "lam is nan"),
    (("mlp",), {"seed": -1}, "seed is -1"),
    (("mlp",), {"seed": 1.5}, "seed is 1.5"),
)


@pytest.mark.parametrize(("args", "options", "words"), WRONG)
def test_a_wrong_argument_is_named_with_what_it_may_be(args, options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        trace(*args, **options)


# ------------------------------------------------------------------- the command line


@pytest.mark.parametrize("what", EXAMPLES)
def test_the_command_prints_the_trace(what, capsys):
    assert main(["trace", what]) == 0
    assert capsys.readouterr().out == f"{trace(what)}\n"


def test_the_command_s_options_are_those_of_the_function(capsys):
    options = ["--margin", "2", "--angle", "30", "--lam", "5", "--seed", "3"]
    assert main(["trace", "l-softmax", *options, "--norms", "3", "0.5"]) == 0
    expected = trace("l-softmax", margin=2, angle=30, lam=5, seed=3, norms=(3, 0.5))
    assert capsys.readouterr().out == f"{expected}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["sofmax"], ["psi", "--angle", "200"], ["psi", "--margin", "two"]]
)
def test_what_cannot_be_traced_is_one_clear_line(arguments, capsys):
    assert main(["trace", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("npsoftmax: ")
    assert printed.err.count("\n") == 1


def stepped(monkeypatch, capsys, typed):
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert main(["trace", "psi", "--step"]) == 0
    return capsys.readouterr().out


def test_each_enter_shows_one_line_more(monkeypatch, capsys):
    for enters in range(8):
        shown = stepped(monkeypatch, capsys, "\n" * enters)
        names = [row.name for row in trace("psi").forward]
        assert all(f"\n     {name} " in shown or f")  {name} " in shown
                   for name in names[: enters + 1])  # fmt: skip
        assert not any(f")  {name} " in shown for name in names[enters + 1 :])


def test_q_and_the_end_of_input_leave_politely(monkeypatch, capsys):
    assert stepped(monkeypatch, capsys, "q\n" + "\n" * 50).count(" cos ") == 0
    assert stepped(monkeypatch, capsys, "\n" * 50).count("dtheta") == 1


def test_ctrl_c_leaves_politely(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupted)
    assert main(["trace", "mlp", "--step"]) == 0
    assert capsys.readouterr().err == ""


def test_a_trace_s_rows_are_data():
    traced = trace("cross-entropy")
    assert isinstance(traced, Trace)
    assert traced.rows == traced.forward + traced.backward
    assert traced["dz"].equation == "(3)"
    assert traced["dz"].shape == (2, 3)
