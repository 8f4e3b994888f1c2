"""The homework that `npsoftmax start` writes, and the hints."""

import ast
import inspect
import re
import warnings
from pathlib import PureWindowsPath

import numpy as np
import pytest

import npsoftmax
from npsoftmax.__main__ import main
from npsoftmax.checks import CONTRACT
from npsoftmax.checks.homework import hint, homework

STUBS = {}
exec(homework("homework.py"), STUBS)
every_function = pytest.mark.parametrize("name", CONTRACT)


def test_the_homework_has_every_function_of_the_contract_in_its_order(tmp_path):
    path = tmp_path / "homework.py"
    assert main(["start", str(path)]) == 0
    tree = ast.parse(path.read_text())
    written = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert written == list(CONTRACT)


@every_function
def test_a_stub_takes_what_the_reference_takes_gives_shapes_and_is_not_written(name):
    stub, reference = STUBS[name], getattr(npsoftmax, name)
    assert takes(stub) == takes(reference)
    assert name + str(inspect.signature(stub)) == CONTRACT[name].signature
    assert "->" in stub.__doc__
    with pytest.raises(NotImplementedError):
        stub(*CONTRACT[name].takes)


def takes(function):
    """Return the names of what a function takes, and the defaults."""
    parameters = inspect.signature(function).parameters.values()
    return [(each.name, each.default) for each in parameters]


def test_start_says_what_to_do_next_with_the_name_of_the_file(tmp_path, capsys):
    path = tmp_path / "my homework.py"
    main(["start", str(path)])
    command = f"npsoftmax check '{path}'"
    assert command in capsys.readouterr().out
    assert command in path.read_text()


def test_start_never_overwrites_a_file(tmp_path, capsys):
    path = tmp_path / "homework.py"
    path.write_text("three evenings of work")
    assert main(["start", str(path)]) == 2
    assert path.read_text() == "three evenings of work"
    assert "exists: it is left" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["homework", "homework.txt", "missing/homework.py"])
def test_start_refuses_a_name_it_cannot_use_with_one_line(name, tmp_path, capsys):
    assert main(["start", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("npsoftmax: ")
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (PureWindowsPath(r"C:\Users\me\homework.py"), "C:/Users/me/homework.py"),
        ('a"""b.py', '\'a"""b.py\''),
        ("back\\", "'back\\'"),
        ("\\N{x}.py", "'\\N{x}.py'"),
        ("a b.py", "'a b.py'"),
    ],
)
def test_the_homework_is_python_whatever_its_name_and_says_that_name(path, named):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        docstring = ast.get_docstring(ast.parse(homework(path)))
    assert f"npsoftmax check {named}\n" in docstring


def test_the_homework_is_plain_ascii_in_lines_of_88():
    text = homework("homework.py")
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 88
    assert "noqa" not in text


@every_function
def test_the_first_hint_offers_the_second_and_more_gives_both(name, capsys):
    assert main(["hint", name]) == 0
    first = capsys.readouterr().out
    assert f"npsoftmax hint {name} --more" in first
    assert main(["hint", name, "--more"]) == 0
    both = capsys.readouterr().out
    assert hint(name) in first
    assert hint(name) in both
    assert min(map(len, CONTRACT[name].hints)) > 60
    assert max(map(len, both.splitlines())) <= 80


def test_an_unknown_name_gets_the_nearest_name_and_all_names(capsys):
    assert main(["hint", "softmax_bakward"]) == 2
    error = capsys.readouterr().err
    assert "did you mean softmax_backward?" in error
    assert all(name in error for name in CONTRACT)


def test_hint_without_a_name_lists_the_names(capsys):
    assert main(["hint"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in CONTRACT)


# The examples to try on paper, each read out of its hint and done by the reference.

NUMBERS = r"(\[[^=]*\])"
DZ = rf"{NUMBERS} gives dz = {NUMBERS}"


def on_paper(name, pattern):
    found = re.search(pattern, hint(name, more=True).replace("\n", " "))
    return [np.array(ast.literal_eval(_fractions(text))) for text in found.groups()]


def _fractions(text):
    return re.sub(r"(\d+)/(\d+)", lambda f: str(int(f[1]) / int(f[2])), text)


@pytest.mark.parametrize(("name", "d"), [("softmax", "dp"), ("log_softmax", "dlog_p")])
def test_the_example_of_a_softmax_s_backward_is_right(name, d):
    z, by_value, dz = on_paper(f"{name}_backward", rf"z = {NUMBERS}, {d} = {DZ}")
    _, cache = getattr(npsoftmax, f"{name}_forward")([z])
    backward = getattr(npsoftmax, f"{name}_backward")
    np.testing.assert_allclose(backward([by_value], cache), [dz])


def test_the_example_of_cross_entropy_backward_is_right():
    z, y, dz = on_paper("cross_entropy_backward", rf"z = {NUMBERS}, y = {DZ}")
    _, cache = npsoftmax.cross_entropy_forward(z, y)
    np.testing.assert_allclose(npsoftmax.cross_entropy_backward(1.0, cache), dz)


def test_the_example_of_log_softmax_is_right():
    z, log_p = on_paper("log_softmax", rf"For {NUMBERS} this gives {NUMBERS}\.")
    np.testing.assert_allclose(npsoftmax.log_softmax(z), log_p)


def test_the_example_of_psi_is_right():
    text = hint("psi", more=True).replace("\n", " ")
    m = int(re.search(r"m = (\d+): psi", text)[1])
    examples = re.findall(r"psi\((\d+)(?: degrees)?\) = (-?\d+)", text)
    degrees, values = np.array(examples, dtype=float).T
    np.testing.assert_allclose(npsoftmax.psi(np.radians(degrees), m), values)
    assert len(values) == 3
