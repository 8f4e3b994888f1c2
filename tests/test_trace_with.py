"""Other functions beside the page's: a right one is never marked, of a wrong one the
line that is wrong.
"""

import inspect
from pathlib import Path

import numpy as np
import pytest

from npsoftmax import textbook
from npsoftmax.__main__ import main
from npsoftmax.trace import EXAMPLES, trace

PAGE = inspect.getsource(textbook)
RIGHT = sorted((Path(__file__).parent / "solutions").glob("*.py"))


def marked(traced):
    """Return the row at which the functions part first, or None."""
    rows = [row for row in traced.rows if row.yours and row.yours.first]
    return rows[0] if rows else None


@pytest.mark.parametrize("what", EXAMPLES)
@pytest.mark.parametrize(
    "path", [Path(textbook.__file__), *RIGHT], ids=lambda p: p.stem
)
def test_a_right_file_is_never_marked(what, path):
    traced = trace(what, yours=path)
    assert not [row for row in traced.rows if row.yours and row.yours.parts]
    assert traced.yours[0].startswith("Your functions agree with the page in ")


EDITS = (  # an example, a line of the page, what stands there instead, what it gives
    ("cross-entropy", "e = np.exp(d)", "e = np.exp(2 * d)", "e"),
    ("cross-entropy", "log_p_y = log_p[np.arange(len(y)), y]",
     "log_p_y = log_p[:, 1]", "log_p_y"),
    ("cross-entropy", "loss = -np.mean(log_p_y)", "loss = -np.sum(log_p_y)", "loss"),
    ("cross-entropy", "return dloss * (p - onehot) / N", "return p - onehot", "dz"),
    ("softmax", "p = e / e_sum", "p = e / e_sum.max() / 2", "p"),
    ("softmax", "return p * (dp - weighted)", "return p * dp", "dz"),
    ("l-softmax", "x_hat = x / np.where(x_norm > 0, x_norm, 1)", "x_hat = x", "x_hat"),
    ("l-softmax", "f_y = w_norm * x_norm * g", "f_y = x_norm * g + w_norm", "f_y"),
    ("l-softmax", "g = (lam * c + psi_y) / (1 + lam)", "g = psi_y", "g"),
    ("l-softmax", "z[np.arange(len(y)), y] = f_y[:, 0]",
     "z[np.arange(len(y)), y] = 2 * f_y[:, 0]", "z"),
    ("l-softmax", "k = np.floor(m * theta / np.pi)",
     "k = np.floor(m * theta / np.pi) - 1", "k"),
    ("l-softmax", "dx = dz_others @ W.T + dz_y * df_dx", "dx = dz_others @ W.T", "dx"),
    ("mlp", "return da * active", "return da", "dh2"),
)  # fmt: skip


def edited(line, instead, tmp_path):
    """Write the page with every such line edited, and without its own assertion."""
    assert line in PAGE
    path = tmp_path / "mine.py"
    path.write_text(
        PAGE.replace(line, instead).replace("assert np.allclose", "lambda: np.allclose")
    )
    return path


@pytest.mark.parametrize(("what", "line", "instead", "name"), EDITS)
def test_a_wrong_line_is_the_first_that_is_marked(what, line, instead, name, tmp_path):
    lam = {"lam": 1} if what == "l-softmax" else {}
    row = marked(trace(what, **lam, yours=edited(line, instead, tmp_path)))
    assert row.name == name
    assert line in PAGE.splitlines()[row.line - 1]


def test_of_a_wrong_backward_only_the_gradients_are_known(tmp_path):
    line, instead = "df_dx = w_norm * (g * x_hat + ", "df_dx = w_norm * (0 * x_hat + "
    assert (
        marked(trace("l-softmax", yours=edited(line, instead, tmp_path))).name == "dx"
    )


def test_a_name_that_means_something_else_is_no_mistake(tmp_path):
    """d without the shift is not the page's, but the loss is."""
    traced = trace(
        "cross-entropy", yours=edited("d = z - z_max", "d = z - 1.0", tmp_path)
    )
    assert marked(traced) is None


def test_functions_may_be_given_themselves():
    def cross_entropy_forward(z, y):
        loss, cache = textbook.cross_entropy_forward(z, y)
        return 2 * loss, cache

    row = marked(trace("cross-entropy", yours=cross_entropy_forward))
    assert row.name == "loss"
    assert row.yours.value == 2 * row.value


FAILING = {
    "raise ValueError('no z')": "cross_entropy_forward raises ValueError: no z",
    "raise NotImplementedError": "cross_entropy_forward is not written yet",
    "return 1.0": "cross_entropy_forward gives 1 instead of 2 things",
}


@pytest.mark.parametrize("body", FAILING)
def test_a_function_that_gives_nothing_to_compare_is_named(body, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(f"def cross_entropy_forward(z, y):\n    {body}\n")
    assert FAILING[body] in trace("cross-entropy", yours=path).yours


def test_what_a_person_s_error_says_stays_words_on_the_page():
    def softmax_forward(z):
        raise ValueError("</script><script>")

    page = trace("softmax", yours=softmax_forward).html()
    assert page.count("<script") == page.count("</script>") == 2


def test_what_cannot_be_called_at_all_is_named():
    words = trace("psi", yours=textbook.softmax_forward).yours
    assert words == ("psi_forward is not among yours",)


def test_another_shape_and_no_numbers_part_too():
    def of(value):
        def softmax_forward(z):
            return value, None

        traced = trace("softmax", yours=softmax_forward)
        assert traced.html()
        return marked(traced)

    assert of([0.6, 0.2, 0.1]).name == "p"
    assert of([[0.6, 0.4, np.nan]]).name == "p"
    assert of("p").yours.value is None


def test_the_command_marks_the_line_in_the_text_and_on_the_page(tmp_path, capsys):
    path = edited("e = np.exp(d)", "e = np.exp(2 * d)", tmp_path)
    assert main(["trace", "softmax", "--with", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "Your functions part from the page first at e: textbook.py line" in printed
    before, _, after = printed.partition("       > yours, which parts here first:\n")
    assert before.rstrip().splitlines()[-1].endswith("np.exp(d)")
    assert "0.1353   0.0183" in after.splitlines()[0]
    assert max(map(len, printed.splitlines())) <= 80
    page = tmp_path / "steps.html"
    assert main(["trace", "softmax", "--with", str(path), "--html", str(page)]) == 0
    step = marked(trace("softmax", yours=path)).step
    assert f'"parting":{step}' in page.read_text()


def test_a_file_that_cannot_be_loaded_is_one_clear_line(tmp_path, capsys):
    assert main(["trace", "psi", "--with", str(tmp_path / "no.py")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
