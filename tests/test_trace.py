"""The trace: its lines are the page's own, its gradients stand beside differences."""

import contextlib
import inspect
import io
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npsoftmax import Params, mlp_backward, mlp_forward, psi, psi_prime, textbook
from npsoftmax.__main__ import main
from npsoftmax.trace import EXAMPLES, trace

SOURCE = inspect.getsource(textbook).splitlines()
PARAMS = ("W1", "b1", "W2", "b2", "W3", "b3", "W4")

# A central difference with h = 2^-17 is off by h^2 |f'''| / 6 = 1e-11 |f'''| and by
# rounding, eps |f| / h = 3e-11 |f|. |f'''| is at most about m^3 = 64 here and |f| at
# most 14 where |f'| is 1 or more: 2e-9 in all.
DIFFERENCES = 2e-9
EPS = np.finfo(float).eps

margins, angles = st.integers(1, 8), st.integers(0, 180)


@pytest.fixture(scope="module", params=EXAMPLES)
def traced(request):
    return trace(request.param)


def gradients(traced):
    return [row for row in traced.backward if row.numeric is not None]


def test_every_gradient_agrees_with_the_differences_that_are_shown(traced):
    for row in gradients(traced):
        assert row.difference < DIFFERENCES, row
        largest = max(abs(row.value).max(), abs(row.numeric).max())
        assert row.difference == abs(row.value - row.numeric).max() / largest
        assert row.numeric.shape == row.value.shape == row.shape


def test_every_gradient_that_the_page_s_backwards_return_is_among_them(traced):
    shown = {row.name: row.value for row in gradients(traced)}
    for run in traced.runs:
        backward = getattr(textbook, f"{run.layer}_backward")
        again = backward(run.cotangent, run.forward_in(textbook)(*run.arguments)[1])
        again = again if isinstance(again, tuple) else (again,)
        for name, gradient in zip(run.inputs, again, strict=False):
            assert np.array_equal(shown[run.name(f"d{name}")], gradient)


def test_every_field_of_every_cache_is_a_line(traced):
    shown = [(row.name, row.value) for row in traced.rows]
    for run in traced.runs:
        for name, value in fields(run.cache):
            assert any(same(each, (run.name(name), value)) for each in shown), name


def fields(cache):
    """Yield (name, value) of a cache's fields, a cache inside it in its place."""
    for name, value in cache._asdict().items():
        yield from fields(value) if isinstance(value, tuple) else [(name, value)]


def same(a, b):
    """Return whether two values are equal throughout, tuples by their entries."""
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b)


def test_every_array_that_a_line_of_the_page_computes_is_shown(traced):
    for step in (step for step in traced.steps if not step.is_entry):
        for name, value in step.writes.items():
            shown = any(same(row.value, value) for row in traced.rows)
            assert shown or isinstance(value, tuple), (step.function, name)


def test_a_line_is_the_page_s_own_and_gives_the_value_that_is_shown(traced):
    """Run once more, by itself, on what it has read."""
    for step in traced.steps:
        line = step.statement
        lines, expression = SOURCE[line.line - 1 : line.last], "".join(line.right)
        assert line.left.split()[0] in lines[0]
        code = "".join(text.partition("#")[0] for text in lines)
        assert expression.replace(" ", "") in code.replace(" ", "")
        if line.left not in ("def", "assert"):
            value = eval(expression, vars(textbook), dict(step.before))
            shown = tuple(step.writes.values())
            if "," not in line.left:
                assert same(shown, (value,))
            elif "[" not in line.left:  # z[i, j] = .. computes a part of z
                assert same(shown, value[: len(shown)])


def test_of_two_names_in_one_line_each_has_its_own_side_of_it():
    traced = trace("psi")
    assert traced["U_before"].formula == "U"
    assert traced["U"].formula == "2 * c * U - U_before"


def test_steps_go_into_a_function_once_for_the_same_arguments():
    steps = trace("psi").steps
    (piece,) = [step for step in steps if step.is_entry and step.function == "piece"]
    ((caller, line),) = piece.callers  # psi_forward calls it, and psi once more
    assert caller == "psi_forward"
    assert "k = piece(theta, m)  # (5)" in SOURCE[line - 1]


def test_the_mlp_of_the_trace_is_the_one_that_trains():
    rows = trace("mlp", margin=2, lam=0.5, seed=7).rows
    shown = {row.name: row.value for row in rows}
    params = Params(*(shown[name] for name in PARAMS))
    loss, cache = mlp_forward(params, shown["x"], shown["y"], m=2, lam=0.5)
    np.testing.assert_allclose(shown["loss"], loss, rtol=64 * EPS)
    for name, gradient in zip(PARAMS, mlp_backward(1.0, cache), strict=True):
        room = 64 * EPS * max(1, abs(gradient).max())
        np.testing.assert_allclose(shown["d" + name], gradient, rtol=0, atol=room)


def test_a_debugger_that_watches_is_back_afterwards():
    def watch(frame, event, arg):
        return None

    def under_a_debugger():
        sys.settrace(watch)
        trace("softmax")
        seen.append(sys.gettrace())

    seen = []
    thread = threading.Thread(target=under_a_debugger)  # its own settrace
    thread.start()
    thread.join()
    assert seen == [watch]


@given(margins, angles)
def test_psi_is_traced_at_its_angle_and_the_note_on_k_names_the_piece(m, degrees):
    traced, theta = trace("psi", margin=m, angle=degrees), np.radians(degrees)
    # theta and its cos are rounded to eps, which moves psi and its slope by m^2 times
    # as much at most; they themselves are right to 16 eps and 8 eps m^2.
    assert abs(traced["psi"].value - psi(theta, m)) <= 24 * m**2 * EPS
    assert abs(traced["dpsi/dtheta"].value - psi_prime(theta, m)) <= 24 * m**2 * EPS
    k, note = int(traced["k"].value), traced["k"].note
    assert 180 * k / m - 1e-9 <= degrees <= 180 * (k + 1) / m + 1e-9
    if m > 1:
        assert f"[{180 * k / m:g}, {180 * (k + 1) / m:g}], so k = {k}:" in note
        on_a_knot = 0 < degrees < 180 and degrees * m % 180 == 0
        assert ("is the knot" in note) == on_a_knot


many_margins, seeds = st.integers(1, 100), st.integers(0, 10**6)
lengths = st.sampled_from([0, 1e-150, 0.5, 1, 2, 1e150])
OPTIONS = {
    "l-softmax": {
        "margin": many_margins, "angle": angles, "norms": st.tuples(lengths, lengths),
        "lam": st.sampled_from([0, 5, 1e6]),
    },
    "psi": {"margin": many_margins, "angle": angles},
    "mlp": {"margin": many_margins, "lam": st.integers(0, 5), "seed": seeds},
    "cross-entropy": {"seed": seeds},
    "softmax": {"seed": seeds},
}  # fmt: skip
any_trace = st.sampled_from(list(OPTIONS)).flatmap(
    lambda what: st.tuples(st.just(what), st.fixed_dictionaries(OPTIONS[what]))
)


@given(any_trace)
def test_a_difference_far_off_has_a_note_and_no_line_is_wider_than_80_columns(example):
    what, options = example
    traced = trace(what, **options)
    assert all(row.difference < 1e-6 or row.note for row in gradients(traced))
    assert max(map(len, str(traced).splitlines())) <= 80


@pytest.mark.parametrize("name", ["dh2", "da1", "db2"])
def test_a_difference_on_the_kink_of_relu_says_so(name):
    traced = trace("mlp", seed=20)
    assert np.abs(traced["h2"].value).min() < 1e-15
    assert "h2 is on a kink" in traced[name].note
    assert "an entry of h2 is 0" in traced["active2"].note


@given(margins, st.sampled_from([0, 180]))
def test_where_the_cosines_end_the_complex_step_takes_the_place_of_differences(m, end):
    row = trace("psi", margin=m, angle=end)["dcos"]
    assert "a cosine ends here: the complex step" in row.note
    assert row.difference < DIFFERENCES


def test_a_vector_of_length_zero_is_said_to_have_no_angle():
    assert "no angle exists" in trace("l-softmax", norms=(0, 1))["k"].note


def test_the_same_seed_gives_the_same_trace_and_another_seed_another():
    assert str(trace("mlp", seed=4)) == str(trace("mlp", seed=4))
    assert str(trace("mlp", seed=4)) != str(trace("mlp", seed=5))


def test_the_text_has_every_name_formula_and_shape(traced):
    words = " ".join(str(traced).split())
    for row in traced.rows:
        assert f" {row.name} " in words
        assert all(word in words for word in row.formula.split())
    assert repr(traced) == str(traced)


def test_a_trace_s_rows_are_data_and_found_by_their_names():
    traced = trace("cross-entropy")
    assert traced.rows == traced.forward + traced.backward
    assert (traced["dz"].equation, traced["dz"].shape) == ("(3)", (2, 3))
    assert trace("psi", angle=180, margin=2)["psi"].value == -3
    with pytest.raises(KeyError, match="dy is not in this trace: z, y"):
        traced["dy"]


WRONG = (
    ("sofmax", {}, "no trace of 'sofmax': softmax, cross-entropy"),
    ("psi", {"angle": 181}, "angle is 181, but it must be 0 to 180"),
    ("psi", {"angle": -1}, "angle is -1"),
    ("psi", {"angle": "x"}, "angle is 'x'"),
    ("psi", {"margin": 2.5}, "m is 2.5, but the margin is an integer"),
    ("psi", {"margin": 101}, "m is 101, but the margin is an integer"),
    ("psi", {"lam": 1}, "psi has no lam: only margin, angle"),
    ("softmax", {"angle": 1}, "softmax has no angle: only seed"),
    ("l-softmax", {"norms": (1, -2)}, "norms is -2"),
    ("l-softmax", {"norms": (1, 2, 3)}, "must be two numbers"),
    ("l-softmax", {"norms": (1, 1e200)}, r"norms is 1e\+200"),
    ("l-softmax", {"lam": float("nan")}, "lam is nan"),
    ("mlp", {"seed": -1}, "seed is -1"),
    ("mlp", {"seed": 1.5}, "seed is 1.5"),
)


@pytest.mark.parametrize(("what", "options", "words"), WRONG)
def test_a_wrong_argument_is_named_with_what_it_may_be(what, options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        trace(what, **options)


# ------------------------------------------------------------------- the command line


def test_the_command_prints_the_trace_with_the_options_of_the_function(capsys):
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


@given(st.lists(st.sampled_from(["", "", "b", "q"]), max_size=30))
def test_enter_shows_the_next_line_b_the_one_before_and_q_leaves(answers):
    blocks, at, expected = list(trace("softmax").blocks()), 0, []
    for answer in [*answers, "q"]:  # so does the end of what is typed
        expected.append(blocks[at])
        at = max(at - 1, 0) if answer == "b" else at + 1
        if answer == "q" or at == len(blocks):
            break
    typed = io.StringIO("".join(f"{answer}\n" for answer in answers))
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(io.StringIO()) as printed,
    ):
        patch.setattr(sys, "stdin", typed)
        assert main(["trace", "softmax", "--step"]) == 0
    shown = printed.getvalue().partition("leaves.\n\n")[2]
    assert shown.rstrip() == "\n".join(expected).rstrip()


def test_ctrl_c_leaves_politely(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupted)
    assert main(["trace", "mlp", "--step"]) == 0
    assert capsys.readouterr().err == ""
