"""The notebooks, as their reader needs them: they run, without Jupyter and in seconds;
what is shown is asserted; nothing is left unsolved; the figures say what they show.
"""

import ast
import contextlib
import functools
import inspect
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
from decimal import getcontext
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
import pytest
from hypothesis import settings
from matplotlib import pyplot

from npsoftmax import textbook
from npsoftmax.checks import check
from npsoftmax.checks.layers import CONTRACT

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = [
    "01_survive_a_logit_of_1000",
    "02_derive_p_minus_y",
    "03_trust_a_gradient_check",
    "04_put_a_margin_on_the_angle",
    "05_differentiate_psi_by_pieces",
    "06_train_the_tiny_mlp",
    "07_exercises",
    "07_solutions",
]
LESSONS = NAMES[:6]

every_notebook = pytest.mark.parametrize("name", NAMES)
every_lesson = pytest.mark.parametrize("name", LESSONS)


# --------------------------------------------------------------------------- reading


@functools.cache
def notebook(name):
    return json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))


def text(cell):
    return "".join(cell["source"])


def cells(name, kind):
    return [cell for cell in notebook(name)["cells"] if cell["cell_type"] == kind]


code_cells = functools.partial(cells, kind="code")
prose_cells = functools.partial(cells, kind="markdown")


# --------------------------------------------------------------------------- running

FEWER_EXAMPLES = 5  # of 25: what is committed and a run in a kernel stand all of them
SECONDS = 60  # of the processor; the longest, 6, trains eleven networks


class Shown(NamedTuple):
    """What a cell would show: what it prints, its last expression, its figures."""

    printed: str
    value: object
    figures: int


def run(sources, folder):
    """Run the cells in order, in one fresh namespace; return what each has Shown."""
    namespace = {"__name__": "notebook"}
    pyplot.close("all")
    with contextlib.chdir(folder):
        return [run_cell(source, namespace) for source in sources]


def run_cell(source, namespace):
    tree, value, printed = ast.parse(source), None, io.StringIO()
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), namespace)
        if last:
            expression = ast.Expression(last.value)
            value = eval(compile(expression, "cell", "eval"), namespace)
    figures = len(pyplot.get_fignums())
    pyplot.close("all")
    return Shown(printed.getvalue(), value, figures)


def no_connection(*args):
    raise AssertionError("a notebook opens a connection")


@pytest.fixture(autouse=True)
def without_a_display_or_a_network_and_with_fewer_examples(monkeypatch):
    matplotlib.use("agg")
    monkeypatch.setattr(socket.socket, "connect", no_connection)
    monkeypatch.setitem(check.__kwdefaults__, "examples", FEWER_EXAMPLES)


@every_notebook
def test_every_notebook_runs_from_top_to_bottom_and_leaves_no_trace(name, tmp_path):
    before, began = global_settings(), time.process_time()
    shown = run([text(cell) for cell in code_cells(name)], tmp_path)
    assert time.process_time() - began <= SECONDS
    assert list(tmp_path.iterdir()) == []
    assert global_settings() == before
    for cell, now in zip(code_cells(name), shown, strict=True):
        assert_committed_outputs_show_as_much(cell, now)


def global_settings():
    style = dict(matplotlib.rcParams)
    return np.geterr(), np.get_printoptions(), getcontext().prec, style


def assert_committed_outputs_show_as_much(cell, now):
    outputs = cell["outputs"]
    kinds = [kind for each in outputs for kind in each.get("data", ["printed"])]
    silent = hasattr(now.value, "_ipython_display_")
    assert ("printed" in kinds) == bool(now.printed), text(cell)
    assert kinds.count("image/png") >= now.figures, text(cell)
    assert ("text/plain" in kinds) >= (now.value is not None and not silent), text(cell)


# ------------------------------------------------------------------------- exercises

EXERCISE = "raise NotImplementedError"


def functions_in(cell):
    """Return the source of each function defined in a cell, by its name."""
    tree = ast.parse(text(cell)).body
    return {
        node.name: ast.get_source_segment(text(cell), node)
        for node in tree
        if isinstance(node, ast.FunctionDef)
    }


def solved(cell):
    """Return an exercise's source with the solution in place of its stub."""
    source = text(cell)
    for name, stub in functions_in(cell).items():
        for solution in code_cells("07_solutions"):
            if EXERCISE in stub and name in functions_in(solution):
                written = "\n\n\n".join(functions_in(solution).values())
                source = source.replace(stub, written)
    return source


def outcomes_of_exercises(sources, folder):
    """Return what `check` says in the cells that are exercises, as true or false."""
    shown = zip(run(sources, folder), code_cells("07_exercises"), strict=True)
    return [bool(each.value) for each, cell in shown if EXERCISE in text(cell)]


def test_every_exercise_fails_while_it_is_unsolved_and_says_so(tmp_path):
    cells = code_cells("07_exercises")
    assert outcomes_of_exercises(map(text, cells), tmp_path) == [False] * 11
    for cell in cells:
        if EXERCISE in text(cell):
            assert "not written yet" in "".join(cell["outputs"][0]["text"])


def test_every_exercise_passes_with_its_solution_filled_in(tmp_path):
    sources = [solved(cell) for cell in code_cells("07_exercises")]
    assert not any(EXERCISE in source for source in sources)
    sources[0] += "\n" + text(code_cells("07_solutions")[0])  # what they import
    assert outcomes_of_exercises(sources, tmp_path) == [True] * 11


def test_the_solutions_are_the_page_s_functions_word_for_word():
    for cell in code_cells("07_solutions"):
        for name, source in functions_in(cell).items():
            if not name.startswith(("mlp", "check")):
                assert ast.dump(without_docstring(source)) == ast.dump(
                    without_docstring(inspect.getsource(getattr(textbook, name)))
                )


def without_docstring(source):
    (function,) = ast.parse(source).body
    if ast.get_docstring(function):
        del function.body[0]
    return function


def test_only_the_exercises_leave_something_to_be_written():
    for name in NAMES:
        for cell in code_cells(name):
            assert (EXERCISE in text(cell)) <= (name == "07_exercises")


def test_the_exercises_and_what_they_leave_out_are_the_homework():
    names = {name for cell in code_cells("07_exercises") for name in functions_in(cell)}
    asked = names & set(CONTRACT)
    (reason,) = [
        text(c) for c in prose_cells("07_exercises") if "these eleven" in text(c)
    ]
    assert len(asked) == 10
    assert f"has {len(CONTRACT)} functions" in reason


# ------------------------------------------------------------------------------ form


def test_the_folder_holds_these_notebooks_and_no_others():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == NAMES


@every_notebook
def test_a_cell_is_short_enough_to_be_read_at_a_glance(name):
    lines = [text(cell).splitlines() for cell in code_cells(name)]
    most = max(sum(bool(line) for line in cell) for cell in lines)
    assert most <= (17 if name == "07_solutions" else 15)  # 17: lsoftmax_forward


@every_lesson
def test_what_a_cell_shows_or_prints_is_asserted_in_it(name):
    for cell in code_cells(name):
        if cell["outputs"] and "image/png" not in str(cell["outputs"]):
            printing_source = set(re.findall(r"print\((\w+)", text(cell)))
            assert "assert " in text(cell) or printing_source == {"getsource"}


@every_notebook
def test_every_figure_says_what_it_shows_to_those_who_do_not_see_it(name):
    for cell in code_cells(name):
        for output in cell["outputs"]:
            if "image/png" in output.get("data", {}):
                words = output["metadata"]["image/png"]["alt"].split()
                assert len(words) >= 12


@every_notebook
def test_every_notebook_is_committed_as_run_from_top_to_bottom_with_lasting_ids(name):
    cells = notebook(name)["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert not any(cell["metadata"].get("execution") for cell in cells)
    counts = [cell["execution_count"] for cell in code_cells(name)]
    assert counts == list(range(1, len(counts) + 1))
    shown = [each for cell in code_cells(name) for each in cell["outputs"]]
    kinds = {each.get("name", each["output_type"]) for each in shown}
    assert kinds <= {"stdout", "display_data", "execute_result"}


@every_notebook
def test_every_notebook_says_what_you_will_do_and_need_and_what_comes_next(name):
    first, last = text(prose_cells(name)[0]), text(prose_cells(name)[-1])
    assert first.startswith(f"# {int(name[:2])}. ")
    assert "**What you will do**" in first
    assert "**What you need**" in first
    assert "## On your own" in last
    (following,) = re.findall(r"Next: \[.*?\]\((.*?)\)", last)
    at = NAMES.index(name)
    assert following == (f"{NAMES[at + 1]}.ipynb" if name in LESSONS else "README.md")


@every_notebook
def test_every_link_to_a_file_leads_to_it(name):
    for cell in prose_cells(name):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text(cell)):
            assert (FOLDER / target).is_file(), target


def test_the_readme_lists_the_notebooks_in_their_order():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    positions = [readme.index(f"({name}.ipynb)") for name in NAMES]
    assert positions == sorted(positions)


def test_the_walk_with_the_debugger_works_as_it_is_written(tmp_path):
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    (walk,) = re.findall(r"```pycon\n(.*?)```", readme, flags=re.DOTALL)
    typed = re.findall(r"^(?:>>>|\(Pdb\)) (.*)$", walk, flags=re.MULTILINE)
    promised = re.findall(r"^(?!>>>|\(Pdb\))(.+)$", walk, flags=re.MULTILINE)
    session = subprocess.run(
        [sys.executable, "-q", "-i"],
        input="\n".join(typed) + "\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    shown = re.sub(r"(?m)^((>>>|\(Pdb\)) )*", "", session.stdout).splitlines()
    assert len(typed) == 10
    assert [line for line in shown if line in promised] == promised
    assert "Error" not in session.stdout + session.stderr


def test_the_glossary_has_every_name_of_the_page():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    glossary = readme[readme.index("## Glossary") : readme.index("## Beside")]
    rows = re.findall(r"^\| (.*?) \|.*?\|(.*)\|$", glossary, flags=re.MULTILINE)
    explained = set(re.findall(r"`(\w+)`", " ".join(map(" ".join, rows))))
    assert names_of_the_page() <= explained | {"N", "C", "cos", "psi_cache"}


def names_of_the_page():
    """Return the fields of its caches and all that its functions take and assign."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(textbook))):
        match node:
            case ast.Name(name, ast.Store()) | ast.arg(name):
                found.add(name)
    gradients = {name for name in found if re.fullmatch("d[a-zA-Z_]+", name)}
    return found - {"cache", "axis", "_"} - {g for g in gradients if g[1:] in found}


@pytest.mark.skipif(
    settings.default.max_examples < 1000, reason="seconds: HYPOTHESIS_PROFILE=thorough"
)
def test_the_command_that_runs_them_gives_the_same_file_twice(tmp_path):
    pytest.importorskip("nbconvert", reason="it comes with the extra `notebooks`")
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^(jupyter nbconvert .*?)```", readme, re.M | re.S)
    source = "import time\nfor i in range(3):\n    print(i)\n    time.sleep(0.3)"
    cells = [code_cells("02_derive_p_minus_y")[0] | {"source": source, "outputs": []}]
    path = tmp_path / "notebooks" / "prints.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps(notebook("02_derive_p_minus_y") | {"cells": cells}))
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    written = []
    for _ in range(2):
        subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=os.environ | {"PATH": programs},
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        written.append(path.read_bytes())
    assert written[0] == written[1]
    (cell,) = json.loads(written[0])["cells"]
    assert len(cell["outputs"]) == 1  # not one for each line that came late
