"""`npsoftmax check FILE` and `pytest --solution FILE`, as a person runs them."""

import contextlib
import importlib.util
import io
import json
import sys
from pathlib import Path
from unittest import mock

import pytest

from npsoftmax import textbook
from npsoftmax.__main__ import main
from npsoftmax.checks import CONTRACT

pytest_plugins = ["pytester"]
TEXTBOOK = Path(textbook.__file__)

HOMEWORK = """
import numpy as np

def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)

def relu_forward(h):
    return abs(h), None

def relu_backward(da, cache):
    raise NotImplementedError
"""


@pytest.fixture
def homework(tmp_path, monkeypatch):
    """A file with a right function, a wrong one and a stub, in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "homework.py"
    path.write_text(HOMEWORK)
    return path


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """The exit code and the output of one whole check of that file, and its folder."""
    folder, screen = tmp_path_factory.mktemp("checked"), io.StringIO()
    (folder / "homework.py").write_text(HOMEWORK)
    with contextlib.chdir(folder), contextlib.redirect_stdout(screen):
        return main(["check", "homework.py"]), screen.getvalue(), folder


def run(capsys, *arguments):
    """Return the exit code, the output and the errors of a command."""
    code = main(["check", *arguments])
    return code, *capsys.readouterr()


# --------------------------------------------------------------------- the exit code


def test_a_complete_right_file_is_right(capsys):
    code, output, _ = run(capsys, str(TEXTBOOK), "--examples", "3")
    assert code == 0
    assert output.count(" right ") == len(CONTRACT)
    assert output.endswith(f"All {len(CONTRACT)} functions are right.\n")


def test_a_wrong_function_ends_with_1_and_the_message(checked):
    code, output, folder = checked
    assert code == 1
    assert "relu_forward            WRONG" in output
    assert "looks like   this is |h|, not max(h, 0)" in output
    assert "1 right, " in output
    assert "1 wrong" in output
    wide = [line for line in output.split("\n") if len(line) > 80]
    assert all("python -c" in line for line in wide)
    assert [path.name for path in folder.iterdir()] == ["homework.py"]


def test_what_is_not_written_yet_is_no_mistake(homework, capsys):
    code, output, _ = run(capsys, "homework.py", "-k", "softmax", "-k", "psi")
    assert code == 0
    assert output.endswith("2 functions: 1 right, 1 not written yet.\n")


def test_without_a_file_npsoftmax_checks_itself(capsys):
    code, output, _ = run(capsys, "-k", "relu", "--examples", "5")
    assert code == 0
    assert output.startswith("npsoftmax itself")
    assert output.endswith("All 2 functions are right.\n")


@pytest.mark.parametrize(
    ("path", "source", "words"),
    [
        ("none.py", None, "none.py: no such file or directory"),
        ("none.py", "def softmax(z:", "none.py, line 1: "),
        ("none.py", "import not_there_at_all", "line 1: ModuleNotFoundError"),
        ("none.py", "x = 1", "defines none of the functions that can be checked"),
        ("circle.py", None, "circle.py: too many levels of symbolic links"),
        ("a" * 300, None, "file name too long"),
        ("", None, ". is a folder: name the file in it"),
        ("--seed=-1", None, "--seed: -1 is not a whole number from 0"),
        ("--seed=x", None, "--seed: x is not a whole number from 0"),
    ],
)
def test_what_cannot_be_checked_ends_with_2_and_one_line(
    tmp_path, monkeypatch, capsys, path, source, words
):
    monkeypatch.chdir(tmp_path)
    Path("circle.py").symlink_to("circle.py")
    if source:
        Path("none.py").write_text(source)
    code, output, errors = run(capsys, path)
    assert code == 2
    assert output == ""
    assert errors.startswith("npsoftmax")
    assert words in errors
    assert errors.count("\n") == 1


def test_an_unknown_name_ends_with_2_and_the_names(capsys):
    code, _, errors = run(capsys, "-k", "sofmax")
    assert code == 2
    assert "there is no function sofmax; did you mean softmax? There are " in errors
    assert "lsoftmax_backward" in errors


def test_examples_are_at_least_one(capsys):
    code, _, errors = run(capsys, "--examples", "0")
    assert code == 2
    assert "0 is not a whole number from 1" in errors


def test_without_hypothesis_the_command_that_installs_it_is_said(capsys):
    with mock.patch.object(importlib.util, "find_spec", return_value=None):
        code, _, errors = run(capsys)
    assert code == 2
    assert errors == (
        "npsoftmax: checking needs Hypothesis: "
        f"{sys.executable} -m pip install hypothesis\n"
    )


# ------------------------------------------------------------------------ what it says


def test_a_whole_name_means_that_function_and_a_part_all_that_have_it(homework, capsys):
    _, whole, _ = run(capsys, "homework.py", "-k", "softmax")
    _, part, _ = run(capsys, "homework.py", "-k", "relu_")
    assert "It is right.\n" in whole
    assert "2 functions" in part


def test_json_has_all_that_the_message_has(homework, capsys):
    code, output, _ = run(capsys, "homework.py", "--json", "--seed", "7")
    result = json.loads(output)
    assert code == 1
    assert result["right"] is False
    assert result["seed"] == 7
    functions = {each["name"]: each for each in result["functions"]}
    assert list(functions) == list(CONTRACT)
    assert functions["softmax"]["verdict"] == "right"
    failure = functions["relu_forward"]["failure"]
    assert failure["cause"] == "absolute value"
    assert failure["inputs"] == {"h": [[-1.0]]}
    assert failure["yours"] == [[1.0]]
    assert failure["expected"] == [[0.0]]


def test_verbose_names_every_property_that_was_asked(homework, capsys):
    _, output, _ = run(capsys, "homework.py", "-k", "softmax", "-v")
    assert "holds   softmax sums to one" in output
    assert output.count("holds  ") == len(CONTRACT["softmax"].asked())


# ------------------------------------------------------------------------- the plugin


def test_pytest_asks_the_same_properties_of_a_file_in_any_folder(pytester):
    path = pytester.makepyfile(homework=HOMEWORK)
    few = "--solution-examples=5"
    ran = pytester.runpytest_inprocess("--solution", path, "-rs", "-v", few)
    output = ran.stdout.str()
    asked = [row for each in CONTRACT.values() for row in each.asked()]
    assert ran.ret == 1
    assert f"collected {len(asked)} items" in output
    assert "homework.py::softmax::sums_to_one PASSED" in output
    assert "homework.py::relu_forward::gives_the_right_value FAILED" in output
    assert "relu_forward_gives_the_right_value comes first" in output
    assert "not written yet: a stub so far" in output
    assert "looks like   this is |h|, not max(h, 0)" in output
    assert "Traceback" not in output


def test_pytest_says_in_one_line_why_a_file_cannot_be_checked(pytester):
    path = pytester.makepyfile(bad="import not_there_at_all")
    ran = pytester.runpytest_inprocess("--solution", path)
    assert ran.ret != 0
    assert "bad.py, line 1: ModuleNotFoundError" in ran.stdout.str()
    assert "Traceback" not in ran.stdout.str()


def test_without_the_option_the_plugin_loads_nothing_and_changes_nothing(pytester):
    pytester.makepyfile(
        "import sys\n"
        "def test_it():\n"
        "    assert 'npsoftmax.checks.doors.plugin' in sys.modules\n"
        "    for name in ('npsoftmax.checks.layers', 'npsoftmax.checks.engine.load',\n"
        "                 'hypothesis', 'matplotlib'):\n"
        "        assert name not in sys.modules\n"
    )
    ran = pytester.runpytest_subprocess("-q")
    ran.assert_outcomes(passed=1)
