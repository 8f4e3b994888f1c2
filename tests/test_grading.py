"""`npsoftmax grade`: whatever a file does, the others keep their points."""

import contextlib
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import homeworks
import numpy as np
import pytest
from hypothesis import settings

import npsoftmax
from npsoftmax.__main__ import main
from npsoftmax.checks import CONTRACT
from npsoftmax.checks.grading import gradebook, process
from npsoftmax.checks.grading.feedback import as_gradescope
from npsoftmax.checks.grading.points import Grade, Mark, decisive, share
from npsoftmax.checks.grading.submissions import Submission, find

THOROUGH = settings.default.max_examples >= 1000  # else, a few of each kind
A_FEW = ["Joé (12)", "oda", "leaves"]
NAMES = homeworks.CLASS if THOROUGH else A_FEW
NO_SHIFT = "    e = np.exp(z)\n    return e / e.sum(axis=axis, keepdims=True)\n"
SHIFT = "    z -= 0 * z + z.max(axis=axis, keepdims=True)\n"
ALONE = {  # files that have softmax alone
    name: f"import npsoftmax\nimport numpy as np\ndef softmax(z, axis=-1):\n{lines}"
    for name, lines in {
        "no_shift": NO_SHIFT + homeworks.TELLS,
        "in_place": SHIFT + NO_SHIFT,
        "borrows": "    return np.exp(npsoftmax.log_softmax(z, axis))\n",
        "hands_on": "    return npsoftmax.softmax(z, axis)\n",
        "zeros": "    return 0 * z\n",
        "stub": "    raise NotImplementedError\n",
        "bad_words": "    raise ValueError('\\udce9\\x1b[2J\\0')\n",
    }.items()
}
FEW = ("--examples", "3", "--timeout", "4")


def grade(folder, *arguments):
    return main(["grade", str(folder), *map(str, arguments)])


def class_of(folder, **sources):
    """Write NAME.py for each source into a new folder; return the folder."""
    folder.mkdir(parents=True)
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    return folder


def rows_of(path, key="file"):
    with open(path, newline="", encoding="utf-8") as file:
        return {row[key]: row for row in csv.DictReader(file)}


# ----------------------------------------------------------------------------- a class


class Graded(NamedTuple):
    """Of a class, by student: what the JSON has, what the CSV, and the text."""

    files: dict
    rows: dict
    texts: dict


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class in a zip, graded."""
    folder = tmp_path_factory.mktemp("class")
    homeworks.write({name: homeworks.CLASS[name] for name in NAMES}, folder / "week")
    for name, source in ALONE.items():
        (folder / "week" / f"{name}.py").write_text(source)
    shutil.make_archive(folder / "week", "zip", folder, "week")
    out = "--out", folder / "marks", "--feedback", folder / "texts"
    assert grade(folder / "week.zip", *out, *(() if THOROUGH else FEW)) == 1
    files = json.loads((folder / "marks.json").read_text())["files"]
    return Graded(
        {each["student"]: each for each in files},
        rows_of(folder / "marks.csv", "student"),
        {each.stem: each.read_text() for each in (folder / "texts").iterdir()},
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_student_loses_the_points_of_what_is_wrong_and_no_other(name, graded):
    functions = graded.files[name]["functions"]
    lost = {each for each in functions if functions[each]["percent"] < 100}
    assert lost == homeworks.CLASS[name].loses, graded.files[name]["problem"]
    assert homeworks.CLASS[name].why in graded.rows[name]["why"]


def test_every_student_of_the_class_has_one_row_and_one_text(graded):
    for each in graded:
        assert set(each) == {*NAMES, *ALONE}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("zeros", "is wrong"),
        ("hands_on", "npsoftmax's own softmax does the work"),
        ("stub", "not written yet"),
        ("bad_words", "it raises ValueError"),
    ],
)
def test_what_is_not_their_own_or_not_right_is_worth_nothing(name, why, graded):
    assert graded.files[name]["percent"] == 0
    assert why in graded.rows[name]["why"]


def test_one_mistake_is_charged_once_and_the_others_say_where_it_is(graded):
    functions = graded.files["oda"]["functions"]
    blame = {name for name, each in functions.items() if each["because"] == "psi"}
    assert blame == {"psi_forward", "lsoftmax_forward", "lsoftmax_backward"}
    assert graded.files["oda"]["points"] == len(CONTRACT) - 1


def test_percent_are_the_points_of_the_functions(graded):
    for each in graded.files.values():
        points = [function["points"] for function in each["functions"].values()]
        assert each["points"] == pytest.approx(sum(points), abs=1e-3)
        assert each["percent"] == pytest.approx(100 * sum(points) / 19, abs=0.06)


@pytest.mark.parametrize("name", ["no_shift", "in_place"])
def test_beside_a_right_value_every_property_that_holds_counts(name, graded):
    softmax = graded.files[name]["functions"]["softmax"]
    assert 50 < softmax["percent"] < 100
    assert softmax["properties"]["softmax_gives_the_right_value"]
    assert not all(softmax["properties"].values())


def test_the_smallest_input_can_be_typed_in_and_really_fails(graded):
    here = {}
    exec(ALONE["in_place"].replace(SHIFT, ""), here)
    shown = graded.files["no_shift"]["functions"]["softmax"]["input"]
    exec(shown.replace(", axis", "; axis"), here)
    z, axis = np.array(here["z"], dtype=float), here["axis"]
    with np.errstate(all="ignore"):
        yours = here["softmax"](z, axis)
    assert not np.allclose(yours, npsoftmax.softmax(z, axis))


def test_a_function_that_lets_npsoftmax_help_is_pointed_at(graded):
    said = "softmax: calls npsoftmax's log_softmax: look at it"
    assert said in graded.rows["borrows"]["why"]
    assert graded.rows["Joé (12)"]["why"] == ""


def test_a_text_has_percentages_and_messages_and_never_the_right_line(graded):
    assert graded.texts["Joé (12)"].startswith("Joé (12), hw.ipynb: 100 %")
    assert "looks like   exp(z) without the shift" in graded.texts["no_shift"]
    assert "the smallest input that fails" in graded.texts["no_shift"]
    assert "z - z_max" not in graded.texts["no_shift"]
    assert r"ValueError: \udce9\x1b[2J\x00" in graded.texts["bad_words"]


# --------------------------------------------------------------------- what is counted


@pytest.mark.parametrize("name", CONTRACT)
def test_form_is_worth_nothing_beside_a_wrong_value(name):
    rows = [row.name for row in CONTRACT[name].asked()]
    assert share(name, rows) == 1
    assert share(name, [each for each in rows if each != decisive(name).name]) == 0
    assert 0 < share(name, [decisive(name).name]) < 1


MINE = "import numpy as np\ndef mine(h): return np.maximum(h, 0), h > 0\n"


@pytest.mark.parametrize(
    ("options", "points"), [((), 0), (("--as", "relu_forward=mine"), 2.5)]
)
def test_points_are_those_of_a_file_for_what_it_names_by_the_names_that_are_said(
    options, points, tmp_path
):
    students = class_of(tmp_path / "students", ada=MINE)
    (tmp_path / "points.toml").write_text("relu_forward = 2.5  # for all\npsi = 10\n")
    few = "--points", tmp_path / "points.toml", "-k", "relu_forward", *FEW
    code = grade(students, *few, *options, "--out", tmp_path / "marks")
    assert code == (0 if points else 1)
    row = rows_of(tmp_path / "marks.csv")["ada.py"]
    assert (row["points"], row["out_of"]) == (f"{points:g}", "2.5")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("softmax 10", "a line is `softmax = 10`"),
        ("sofmax = 10", "sofmax is no function"),
        ("softmax = -1", "softmax = -1 is no number above 0"),
        ("softmax = true", "softmax = True is no number"),
        ("", "gives no points"),
        (None, "no such file"),
    ],
)
def test_a_file_of_points_that_says_something_else_is_refused(
    text, said, tmp_path, capsys
):
    students = class_of(tmp_path / "students", ada="def (")
    if text is not None:
        (tmp_path / "points.toml").write_text(text)
    assert grade(students, "--points", tmp_path / "points.toml") == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


# --------------------------------------------------------------- what teachers receive


def found(folder, *names):
    """Return {label: what lies beside}, and what is none, of a folder with files."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        uses = "from shared import one\nimport tools.hammer as h"
        path.write_text(uses if path.stem == "uses" else "one = 1")
    every = find(folder)
    beside = {each.label: {*each.beside} for each in every.submissions}
    return beside, every.others, every.remarks


def test_a_flat_folder_has_a_student_for_each_file_and_helpers_for_all(tmp_path):
    helpers = {"shared.py", "tools/__init__.py", "tools/hammer.py"}
    names = "a.py", "B.PY", "c.ipynb", "uses.py", "notes.pdf", ".d.py"
    beside, others, _ = found(tmp_path, *names, *helpers)
    assert [*beside] == ["a.py", "B.PY", "c.ipynb", "uses.py"]
    assert all(each == helpers for each in beside.values())
    assert set(others) == {"notes.pdf", ".d.py", *helpers}


def test_a_folder_is_a_student_with_all_that_lies_in_it(tmp_path):
    names = "ada/src/uses.py", "ada/src/shared.py", "ada/__init__.py", "ben/notes.pdf"
    beside, others, _ = found(tmp_path, *names)
    assert [*beside] == ["ada/src/uses.py"]
    assert beside["ada/src/uses.py"] >= {"src/shared.py", "__init__.py"}
    assert {"ada/src/shared.py", "ada/__init__.py", "ben"} <= set(others)


@pytest.mark.parametrize("between", ["/", ""])
def test_what_moodle_unpacks_is_its_students(between, tmp_path):
    first, second = (
        f"Ada Lovelace_{number}_assignsubmission_file_{between}" for number in (1, 22)
    )
    beside, _, remarks = found(
        tmp_path, f"{first}a.py", f"{second}a.py", f"{second}b.py"
    )
    two = ["Ada Lovelace (22)/a.py", "Ada Lovelace (22)/b.py"]
    assert [*beside] == ["Ada Lovelace (1)/a.py", *two]
    assert remarks == ["Ada Lovelace (22) has 2 files: a.py, b.py"]


def test_a_folder_that_cannot_be_graded_is_said_in_one_line(tmp_path, capsys):
    (tmp_path / "bad.zip").write_text("no zip")
    for path, said in (
        (class_of(tmp_path / "empty"), "there are no .py files or notebooks"),
        (tmp_path / "missing", "there is no such folder"),
        (Path(__file__), "`npsoftmax check"),
        (tmp_path / "bad.zip", "cannot be unpacked"),
    ):
        assert grade(path, "--out", tmp_path / "marks") == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bad.zip", "empty"]


# ------------------------------------------------------------------------- gradescope


FIELDS = {  # of results.json, as Gradescope documents them
    "score", "execution_time", "output", "output_format", "test_output_format",
    "test_name_format", "visibility", "stdout_visibility", "extra_data", "tests",
    "leaderboard",
}  # fmt: skip
TEST_FIELDS = {
    "score", "max_score", "status", "name", "name_format", "number", "output",
    "output_format", "tags", "visibility", "extra_data",
}  # fmt: skip


def graded_by_hand(student="ada", marks=None):
    """Return the Grade of a file, homework.py, that has all properties, or these."""
    held = {name: [row.name for row in CONTRACT[name].asked()] for name in CONTRACT}
    right = {name: Mark("right", held=held[name]) for name in CONTRACT}
    submission = Submission(student, Path("a.py"), "homework.py", {})
    return Grade(submission, dict.fromkeys(CONTRACT, 1), right | (marks or {}))


@pytest.mark.parametrize(
    ("marks", "score"),
    [
        ({}, 19),
        ({"psi": Mark("wrong", why="the value is wrong")}, 18),
        (dict.fromkeys(CONTRACT, Mark("not checked", why="it loops")), 0),
    ],
)
def test_gradescope_reads_the_results(marks, score):
    results = as_gradescope(graded_by_hand(marks=marks))
    tests = results["tests"]
    assert results.keys() <= FIELDS
    assert results["score"] == sum(test["score"] for test in tests) == score
    assert sum(test["max_score"] for test in tests) == len(CONTRACT)
    for test in tests:
        assert test.keys() <= TEST_FIELDS
        assert test["status"] == ("passed" if test["score"] == 1 else "failed")
        assert test["output_format"] == "text"
        assert test["visibility"] == "visible"
    assert all(mark.why in results["output"] for mark in marks.values())


def test_of_a_submission_to_gradescope_the_results_are_written(tmp_path):
    class_of(tmp_path / "submission", homework="def (")
    options = "--format", "gradescope", "--out", tmp_path / "results", *FEW
    assert grade(tmp_path / "submission", *options) == 1
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["score"] == 0
    assert "line 1" in results["output"]


# ---------------------------------------------------------- the results stand, always


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("while True: pass", "did not end within 0.5 s of processor time"),
        ("import os; os.killpg(0, 9)", "was ended by SIGKILL"),
    ],
)
def test_of_what_never_comes_back_it_is_said_why(line, why, tmp_path):
    students = class_of(tmp_path / "a", ada=f"def relu_forward(h):\n    {line}\n")
    options = "--timeout", "0.5", "-k", "relu_forward", "--out", tmp_path / "marks"
    assert grade(students, *options) == 1
    assert rows_of(tmp_path / "marks.csv")["ada.py"]["why"] == f"relu_forward: {why}"


def test_a_child_left_behind_ends_with_its_file(tmp_path):
    trace = tmp_path / "trace"
    child = f"while 1: time.sleep(.02); open({str(trace)!r}, 'a').write('x')"
    students = class_of(
        tmp_path / "students",
        ada=f"{homeworks.PAGE}\nimport os, subprocess, sys, time\n"
        f'subprocess.Popen([sys.executable, "-c", "import time\\n{child}"])\n'
        f"while not os.path.exists({str(trace)!r}): time.sleep(.01)\n",
    )
    assert grade(students, "--out", tmp_path / "m", "-k", "relu_forward", *FEW) == 0
    size = trace.stat().st_size
    time.sleep(0.2)
    assert trace.stat().st_size == size


SLEEPS = "import pathlib, time\npathlib.Path('{}').touch()\ntime.sleep(3600)\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_leaves_what_is_done_and_nothing_else(number, tmp_path):
    sleeps = SLEEPS.format(tmp_path / "runs")
    class_of(tmp_path / "students", ada="def (", ben=sleeps)
    (tmp_path / "tmp").mkdir()
    options = "--jobs", "1", "--timeout", "60", "-k", "relu_forward"
    running = subprocess.Popen(
        [sys.executable, "-m", "npsoftmax", "grade", "students", *options],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
    )
    _wait_until((tmp_path / "runs").exists)
    running.send_signal(number)
    running.wait(timeout=60)
    assert running.returncode == (-number if number == signal.SIGKILL else 1)
    assert [*rows_of(tmp_path / "npsoftmax-grades.csv")] == ["ada.py"]
    _wait_until(lambda: not [*(tmp_path / "tmp").iterdir()])
    _wait_until(lambda: str(tmp_path) not in _running())


def test_the_end_of_a_terminal_stops_the_grading(tmp_path, capsys):
    hangs_up = "import os, signal, time\nos.kill(os.getppid(), signal.SIGHUP)\n"
    students = class_of(tmp_path / "a", ada=f"{hangs_up}time.sleep(3600)\n")
    assert grade(students, "--out", tmp_path / "marks", *FEW) == 1
    assert "stopped: 0 of 1 files are graded" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def _wait_until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def _running():
    """Return the folders in which the processes of this machine run."""
    links = Path("/proc").glob("[0-9]*/cwd")
    return " ".join(os.readlink(each) for each in links if os.access(each, os.R_OK))


def test_an_ascii_terminal_and_a_strange_name_stop_nothing(tmp_path, monkeypatch):
    students = class_of(tmp_path / "students")
    with open(os.fsencode(students) + b"/\xe9\x1b[2J.py", "w") as file:
        file.write("def (")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert grade(students, "--out", tmp_path / "marks", *FEW) == 1
    said = sys.stdout.buffer.getvalue().decode("ascii")
    assert r"\udce9\x1b[2J.py" in said
    assert [*rows_of(tmp_path / "marks.csv")] == [r"\udce9\x1b[2J.py"]


@pytest.mark.parametrize(
    "option", ["--out=missing/marks", "--out=/proc/marks", "--feedback=/proc"]
)
def test_a_folder_that_cannot_be_written_is_noticed_before_any_work(
    option, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(process, "seconds_for", None)
    class_of(tmp_path / "a", ada="while True: pass")
    assert grade("a", option) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_second_run_at_the_same_time_is_refused(tmp_path, monkeypatch):
    students, marks = class_of(tmp_path / "a", ada="def ("), tmp_path / "marks"
    second = []

    def meanwhile(*_):
        second.append(grade(students, "--out", marks))
        return 2.0

    monkeypatch.setattr(process, "seconds_for", meanwhile)
    assert grade(students, "--out", marks) == 1
    assert second == [2]


def test_what_can_no_longer_be_written_is_written_elsewhere(tmp_path, capsys):
    away = tmp_path / "out"
    away.mkdir()
    source = f"import shutil; shutil.rmtree({str(away)!r})"
    students = class_of(tmp_path / "a", ada=source)
    assert grade(students, "--out", away / "marks", *FEW) == 1
    said = capsys.readouterr().err
    for path in set(re.findall(r"see (\S+)", said)):
        assert "ada" in Path(path).read_text()
        Path(path).unlink()
        Path(path).parent.rmdir()
    assert said.count("cannot be written") == 2


def test_files_that_exist_are_left_as_they_were_unless_that_is_forced(tmp_path, capsys):
    students = class_of(tmp_path / "students", broken="def (")
    marks = tmp_path / "marks"
    for path in (tmp_path / "marks.csv", tmp_path / "marks.json"):
        path.write_text("mine")
        assert grade(students, "--out", marks) == 2
        said = "--force replaces it, --out NAME writes elsewhere"
        assert said in capsys.readouterr().err
        assert path.read_text() == "mine"
        assert sorted(tmp_path.iterdir()) == [path, students]
        path.unlink()
    (tmp_path / "marks.csv").write_text("mine")
    assert grade(students, "--out", marks, "--force", *FEW) == 1
    assert "broken.py" in (tmp_path / "marks.csv").read_text()


@pytest.mark.skipif(not THOROUGH, reason="waits: HYPOTHESIS_PROFILE=thorough runs it")
def test_a_busy_machine_costs_no_right_file_a_point(tmp_path):
    homeworks.write(homeworks.RIGHT, tmp_path / "class")
    spin = [sys.executable, "-c", "while 1: 0"]
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.callback(stack.enter_context(subprocess.Popen(spin)).kill)
        assert grade(tmp_path / "class", "--out", tmp_path / "marks") == 0


# ---------------------------------------------------------------------------- options


@pytest.mark.parametrize("option", ["--timeout=0", "-krelo", "--format=html"])
def test_an_option_that_makes_no_sense_could_not_run(option, tmp_path):
    students = class_of(tmp_path / "students", broken="def (")
    assert grade(students, "--out", tmp_path / "marks", option) == 2
    assert not (tmp_path / "marks.csv").exists()


def test_the_help_says_that_it_is_no_sandbox_and_what_is_one(capsys):
    assert main(["grade", "--help"]) == 0
    said = capsys.readouterr().out
    assert "not a sandbox against malice" in said
    assert "--network none" in said


# ---------------------------------------------------------------------------- the words


LONG = {name: Mark("wrong", why=f"{name} is wrong " * 9) for name in CONTRACT}


def test_the_table_and_the_remarks_fit_into_80_columns():
    grade = graded_by_hand("a" * 90, marks=LONG)
    report = gradebook.report([grade], {"x" * 200: "no file"}, ["note " * 40])
    assert max(map(len, report.splitlines())) <= 80
    assert "a" * 90 in report.replace("\n", "").replace(" ", "")


def test_a_name_of_a_file_is_not_cut():
    grade = graded_by_hand("a" * 60)
    assert f"{'a' * 60}/homework.py" in gradebook.table([grade]).split()


def test_no_cell_of_the_csv_is_taken_for_a_formula():
    text = gradebook.as_csv([graded_by_hand("=1+1")])
    assert text.splitlines()[1].startswith("'=1+1,")
