"""Files as people write them: how each is read, and what is right and wrong in it.

The files in real/ have the conventions and the mistakes of public ones, in other words;
the verdicts were found by hand, for most before there was anything to read them.
"""

import functools
import json
import re
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from npsoftmax import textbook
from npsoftmax.__main__ import main
from npsoftmax.checks import Solution, SolutionError, check_solution, load_solution
from npsoftmax.checks.engine import ask
from npsoftmax.gradcheck import check_gradients

REAL = Path(__file__).with_name("real")
RIGHT, WRONG = "right", "wrong"
VERDICTS = {"+": RIGHT, "-": WRONG, "?": "cannot be checked"}

# A file and its options; then what its functions are: + right, - wrong, ? must wait.
TABLE = """
loss_of_probabilities: - softmax_loss: loss, + softmax_loss: gradient
linear_classifier_with_loops: + softmax_loss_naive: loss, + softmax_loss_naive: gradient
linear_classifier_shifted_by_one_number: - softmax_loss_vectorized: loss,
    - softmax_loss_vectorized: gradient
loss_layer_of_a_book: + softmax, - SoftmaxWithLoss.forward, - SoftmaxWithLoss.backward
loss_summed_over_the_batch: - CrossEntropy.loss, + CrossEntropy.grad
columns_and_an_edit_in_place --columns: - softmax, - cross_entropy, - softmax_backward
gradients_in_a_dict: - softmax_forward, - softmax_backward
columns_in_a_deep_net: - softmax, + softmax_backward
the_loss_is_the_last_node: + cross_entropy_forward, + cross_entropy_backward
slope_one_at_zero: + relu_forward, + relu_backward
layer_that_keeps_its_output: + Activation_Softmax.forward, + Activation_Softmax.backward
lone_softmax_of_columns: - softmax
cost_divided_by_the_classes --as cross_entropy=cost: - softmax, - cost, - cost_gradient
one_jacobian_for_the_batch --as softmax=prop: - prop, - prop_gradient
entropy_of_two_classes: - softmax, - average_cross_entropy
loss_stuck_at_87: - softmax_with_loss: loss, + softmax_with_loss: gradient
shift_above_the_line_only: - softmax
log_softmax_over_the_batch --as cross_entropy=loss_of: - loss_of
jacobian_times_gradient_by_p --as cross_entropy=cost: + softmax, - cost, - cost_gradient
one_hot_labels: + cross_entropy_forward, + cross_entropy_backward
no_shift_and_the_diagonal: - softmax_forward, - softmax_backward
lsoftmax_in_an_operator: - LSoftmaxOp.forward, - LSoftmaxOp.backward
lsoftmax_by_arccos: - lsoftmax_forward
eps_of_the_machine: - cross_entropy_forward, + cross_entropy_backward
probabilities_and_a_clash: + softmax, - cross_entropy, + softmax_backward
layers_in_a_window: + ReLULayer.forward, + ReLULayer.backward
names_that_are_not_there: - softmax_forward, ? softmax_backward, - affine_forward,
    ? affine_backward, + relu_forward, + relu_backward
bias_as_a_row: + linear_forward, + linear_backward, + relu, + relu_deriv
no_caches_and_a_relative_import: + affine_forward, + affine_backward
loss_class_that_is_given_all_twice: - SoftmaxCrossEntropyLoss.forward,
    - SoftmaxCrossEntropyLoss.backward
fully_connected_one_hot: - softmax_cross_entropy: loss,
    + softmax_cross_entropy: gradient, + fc_forward, + fc_backward
columns_and_a_main_that_loads: + linear_forward, + linear_backward
weights_go_into_the_object: + Affine.forward, + Affine.backward
modules_for_one_sample: + SoftMax.forward, + SoftMax.backward, - CrossEntropy.forward,
    - CrossEntropy.backward
"""
CASES = dict(re.findall(r"^(\w.*?): ((?:.|\n )+)", TABLE, re.MULTILINE))


def reports_on(solution):
    """Return the reports of what is written; no mistake is named, nothing trimmed."""
    with mock.patch.object(ask, "cause_of", return_value=None):
        reports = list(check_solution(solution, examples=20, simplify=False))
    return [each for each in reports if each.verdict != "not written yet"]


def verdicts(solution):
    """Return {function, as its writer calls it: the verdict}."""
    return {each.title: each.verdict for each in reports_on(solution)}


@functools.cache
def solution_of(case):
    """Return the solution in a file of real/, with the options after its name."""
    name, *options = case.split()
    names = dict(o.split("=") for o in options if "=" in o)
    return load_solution(REAL / f"{name}.py", names, "--columns" in options)


def functions_of(name, right="", wrong=""):
    """Return the names that a file of real/ defines, with a part of it changed."""
    names = {}
    exec((REAL / f"{name}.py").read_text().replace(right, wrong), names)
    return names


@pytest.mark.parametrize("case", CASES)
def test_every_function_is_judged_as_it_was_by_hand(case):
    found = re.findall(r"([-+?]) ([^,\n]+)", CASES[case])
    by_hand = {name: VERDICTS[mark] for mark, name in found}
    assert verdicts(solution_of(case)) == by_hand


def test_the_table_has_every_file_but_the_one_that_nobody_can_read():
    told = {case.split()[0] for case in CASES}
    files = {path.stem for path in REAL.glob("*.py")}
    assert files - told == {"loss_class_with_fixed_sizes"}


SENTENCES = [
    ("loss_of_probabilities", "softmax_loss(x, y) is read as cross_entropy_forward"),
    ("linear_classifier_with_loops", "with reg, 0.5 reg sum W^2 is added"),
    ("loss_summed_over_the_batch", "labels one-hot; a sum over the batch, not a mean"),
    ("slope_one_at_zero", "the slope of ReLU at 0 is 1: a choice, and accepted"),
    ("lone_softmax_of_columns", "right if each column is a sample: --columns"),
    ("columns_and_a_main_that_loads", "1/m inside dW and db"),
    ("columns_and_a_main_that_loads", "line 16: FileNotFoundError"),
    ("layers_in_a_window", "line 4: ModuleNotFoundError"),
    ("layers_in_a_window", "was not read: DenseLayer, SoftmaxCrossEntropy"),
    ("no_caches_and_a_relative_import", "images (N, d1, .., dk)"),
    ("bias_as_a_row", "b (1, C)"),
    ("modules_for_one_sample", "of logits (C,), a row at a time"),
    ("modules_for_one_sample", "probabilities (N, C) with a gradient by them"),
    ("lsoftmax_in_an_operator", "of x (N, D), W (C, D)"),
]


@pytest.mark.parametrize(("case", "words"), SENTENCES)
def test_the_first_lines_say_how_a_file_was_read(case, words):
    assert words in " | ".join(solution_of(case).said)


# ------------------------------------------------------ being read makes nothing right


def loss_of(names, source):
    """Return the verdicts on a loss and its gradient, written with some names."""
    functions = {"np": np}
    exec(source, functions)
    return set(verdicts(Solution.from_object([functions[n] for n in names])).values())


SUM = """
def {0}(z, y):
    d = z - z.max(axis=1, keepdims=True)
    log_p = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(y)), y].sum(), (log_p, y)

def {1}(dloss, cache):
    log_p, y = cache
    return dloss * (np.exp(log_p) - np.eye(log_p.shape[1])[y])
"""


def test_a_sum_is_wrong_by_the_contract_s_names_and_accepted_by_others():
    ours = "cross_entropy_forward", "cross_entropy_backward"
    theirs = "softmax_loss_forward", "softmax_loss_backward"
    assert WRONG in loss_of(ours, SUM.format(*ours))
    assert loss_of(theirs, SUM.format(*theirs)) == {RIGHT}


def test_a_sum_whose_gradient_is_a_mean_s_is_wrong_by_any_name():
    names = "softmax_loss_forward", "softmax_loss_backward"
    source = SUM.format(*names).replace("dloss *", "dloss / len(y) *")
    assert loss_of(names, source) == {RIGHT, WRONG}


@pytest.mark.parametrize(("given", "verdict"), [("axis", RIGHT), ("-1", WRONG)])
def test_an_axis_is_asked_for_where_a_function_has_one(given, verdict):
    names = {"np": np}
    exec(
        "def my_softmax(x, temperature=1.0, axis=-1):\n"
        f"    e = np.exp((x - x.max(axis={given}, keepdims=True)) / temperature)\n"
        "    return e / e.sum(axis=axis, keepdims=True)\n",
        names,
    )
    assert verdicts(Solution.from_object(names)) == {"my_softmax": verdict}


def test_a_weight_decay_that_the_gradient_forgets_is_wrong():
    names = functions_of("linear_classifier_with_loops", "dW + reg * W", "dW")
    *_, report = reports_on(Solution.from_object(names))
    assert report.failure.what.endswith("but not 1 reg W to the gradient")


def test_a_margin_that_a_function_has_not_is_not_asked_of_it():
    def large_margin_softmax(x, W, y, margin, lam):
        assert margin <= 4
        return textbook.lsoftmax_forward(x, W, y, margin, lam)

    solution = Solution.from_object(large_margin_softmax)
    assert "only m = 1, 2, 3, 4 are implemented" in solution.said[0]
    assert verdicts(solution) == {"large_margin_softmax": RIGHT}


# ------------------------------------------------------------------- in their own words


def test_a_message_shows_their_names_and_a_command_that_shows_it():
    *_, report = reports_on(solution_of("loss_layer_of_a_book"))
    message = report.failure.message
    assert "SoftmaxWithLoss.backward: the gradient dx is wrong" in message
    assert "dout = " in message
    assert 'layer = f["SoftmaxWithLoss"](); given = layer.forward(x, t); ' in message
    assert "print(layer.backward(dout))" in message


def test_a_mistake_that_changes_nothing_there_is_not_said_of_the_input_that_is_shown():
    """Its softmax has no shift, but what is shown is a gradient divided by C."""
    solution = solution_of("cost_divided_by_the_classes --as cross_entropy=cost")
    names = "softmax", "cross_entropy_backward"
    softmax, gradient = check_solution(solution, only=names)
    assert softmax.failure.cause == "no shift"
    assert "this is not its gradient" in gradient.failure.message
    assert gradient.failure.cause is None
    assert gradient.extreme is None  # that is softmax's


def test_two_functions_for_one_thing_are_both_judged():
    changed = functions_of("linear_classifier_with_loops", "- (label", "+ (label")
    both = functions_of("linear_classifier_with_loops")
    both["softmax_loss_vectorized"] = changed["softmax_loss_naive"]
    verdicts = [each.verdict for each in reports_on(Solution.from_object(both))]
    assert verdicts == [RIGHT, RIGHT, RIGHT, WRONG]


TO_PASTE = {
    (REAL / "loss_class_with_fixed_sizes.py").read_text(): """
def cross_entropy_forward(z, y):
    cache = SoftmaxCrossEntropyLossLayer()
    return cache.forward(logit, gt), cache

def cross_entropy_backward(dloss, cache):
    return cache.backward(dloss)
""",
    "def my_softmax(x, sizes): 1 / 0\ndef d_my_softmax(g, sizes): 1 / 0\n": """
def softmax_forward(z):
    value, cache = my_softmax(x, sizes)
    return value, cache

def softmax_backward(dp, cache):
    return d_my_softmax(dp, cache)
""",
}


@pytest.mark.parametrize("source", TO_PASTE, ids=["class", "functions"])
def test_what_nobody_can_read_ends_with_2_and_the_lines_to_paste(
    source, tmp_path, capsys
):
    (tmp_path / "theirs.py").write_text(source)
    assert main(["check", str(tmp_path / "theirs.py")]) == 2
    looks, _, lines = capsys.readouterr().err.partition("check again:\n")
    assert re.search(r"this looks like ours: (SoftmaxCross|my_softmax, d_my_)", looks)
    assert lines == TO_PASTE[source]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("softmax=probs", "softmax=probs: there is no probs in "),
        ("sofmax=prop", "sofmax=prop: sofmax is not one of softmax, "),
    ],
)
def test_an_option_that_names_nothing_is_said(option, words):
    with pytest.raises(SolutionError, match=words):
        solution_of(f"one_jacobian_for_the_batch --as {option}")


def test_a_gradient_may_be_named_as_well():
    def loss(scores, labels):
        return textbook.cross_entropy_forward(scores, labels)[0]

    def slope(scores, labels):
        _, cache = textbook.cross_entropy_forward(scores, labels)
        return textbook.cross_entropy_backward(1.0, cache)

    names = {"cross_entropy_forward": "loss", "cross_entropy_backward": "slope"}
    solution = Solution.from_object([loss, slope], names)
    assert verdicts(solution) == {"loss": RIGHT, "slope": RIGHT}


# ------------------------------------------------------------------------------- files


def cell(*lines, kind="code"):
    return {"cell_type": kind, "source": [f"{line}\n" for line in lines]}


def test_a_notebook_is_read_where_a_file_is(tmp_path):
    path = tmp_path / "homework.ipynb"
    cells = [
        cell("# softmax", kind="markdown"),
        cell("%matplotlib inline", "import numpy as np", "!pip install numpy"),
        cell("%%bash", "for i in 1 2; do", "  echo $i", "done"),
        cell("def softmax(x):", "    return np.exp(x) / 0", "softmax(np.nan)"),
    ]
    path.write_text(json.dumps({"cells": cells}))
    solution = load_solution(path)
    (report,) = check_solution(solution, only=["softmax"])
    assert report.verdict == WRONG
    assert "3 code cells in order, 6 lines with % or ! skipped" in solution.said[0]
    assert "f = runpy" not in report.failure.reproducer


def test_a_file_of_a_package_finds_it_from_its_root(tmp_path, monkeypatch):
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "tools.py").write_text("from numpy import exp")
    path = tmp_path / "common" / "layers.py"
    path.write_text(
        "from common.tools import exp\nfrom .tools import exp as e\n"
        "def softmax(x):\n"
        "    d = e(x - x.max(axis=1)[:, None])\n    return d / d.sum(axis=1)[:, None]\n"
    )
    monkeypatch.chdir(tmp_path)
    assert verdicts(load_solution(path)) == {"softmax": RIGHT}


def test_a_base_class_that_is_not_installed_costs_only_itself(tmp_path):
    path = tmp_path / "layers.py"
    path.write_text(
        "import torch_of_nowhere as nn\nimport numpy as np\n"
        "class Softmax(nn.Module):\n    def forward(self, x):\n"
        "        return np.exp(x - x.max()) / np.exp(x - x.max()).sum()\n"
    )
    assert verdicts(load_solution(path)) == {"Softmax.forward": RIGHT}


def test_check_gradients_takes_a_loss_with_its_gradient_and_a_class_in_one_line():
    softmax_loss = functions_of("loss_of_probabilities")["softmax_loss"]
    softmax = functions_of("layer_that_keeps_its_output")["Activation_Softmax"]
    x, y = np.array([[1.0, 2, 0], [0, -1, 3]]), np.array([1, 0])
    assert check_gradients(lambda x: softmax_loss(x, y), np.multiply, x)

    class Layer(softmax):
        def forward(self, x):
            super().forward(x)
            return self.output

        def backward(self, d):
            super().backward(d)
            return self.dinputs

    layer = Layer()
    assert check_gradients(
        lambda x: (layer.forward(x), 0), lambda d, _: layer.backward(d), x
    )


def test_the_class_of_a_cache_is_not_taken_for_a_layer():
    assert load_solution(textbook.__file__).said == []


@pytest.mark.parametrize(
    "line", ["print 'x'", "except ValueError, e:", "raise ValueError, 'no'", "1 <> 2"]
)
def test_python_2_is_named_as_that(tmp_path, line):
    path = tmp_path / "old.py"
    path.write_text(f"try:\n    pass\n{line}\n" if "except" in line else line)
    with pytest.raises(SolutionError, match="is Python 2: "):
        load_solution(path)


def test_a_class_that_raises_shows_the_line(tmp_path):
    path = tmp_path / "layer.py"
    path.write_text(
        "import numpy as np\nclass Softmax:\n    def forward(self, x):\n"
        "        if x.max() > 500:\n            raise ValueError('above 500')\n"
        "        e = np.exp(x)\n        return e / e.sum(axis=1, keepdims=True)\n"
    )
    [report] = check_solution(load_solution(path), only="softmax")
    assert report.failure.line == (5, "raise ValueError('above 500')")
