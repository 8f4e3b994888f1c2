"""`npsoftmax grade`: whatever a file does, the others keep their points."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import class_of_forty as forty
import numpy as np
import pytest
from hypothesis import settings
from plantings import planted

import npsoftmax
from npsoftmax.__main__ import main
from npsoftmax.checks import CONTRACT
from npsoftmax.checks.grading import gradebook
from npsoftmax.checks.grading.points import Grade, Mark, decisive, share
from npsoftmax.checks.grading.submissions import Submission, find

THOROUGH = settings.default.max_examples >= 1000  # else, a few of each kind
A_FEW = ["ada", "Ida Moe (4711)", "oda", "tom", "uma", "bad_words", "leaves", "tells"]
FEW = ("--examples", "3", "--timeout", "4")


def grade(folder, *arguments):
    return main(["grade", str(folder), *map(str, arguments)])


def class_of(folder, **sources):
    """Write NAME.py for each source into a new folder; return the folder."""
    folder.mkdir(parents=True)
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    return folder


def in_a_process(folder, *arguments, **more):
    """Start `npsoftmax grade` as a person does, with a temporary folder of its own."""
    command = [sys.executable, "-m", "npsoftmax", "grade", *map(str, arguments)]
    (folder / "tmp").mkdir()
    environment = os.environ | {"TMPDIR": str(folder / "tmp")} | more
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=-1, stderr=-1, text=True
    )


def rows_of(path, key="file"):
    with open(path, newline="", encoding="utf-8") as file:
        return {row[key]: row for row in csv.DictReader(file)}


def files_of(path):
    return {each["file"]: each for each in json.loads(path.read_text())["files"]}


# ----------------------------------------------------------------------------- a class


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """What the JSON has of each student, and what is said of each in the CSV."""
    folder = tmp_path_factory.mktemp("class")
    names = forty.CLASS if THOROUGH else A_FEW
    forty.write({name: forty.CLASS[name] for name in names}, folder / "class")
    options = () if THOROUGH else FEW
    assert grade(folder / "class", "--out", folder / "marks", *options) == 1
    files = json.loads((folder / "marks.json").read_text())["files"]
    rows = rows_of(folder / "marks.csv", "student")
    return {each["student"]: each for each in files}, rows


@pytest.mark.parametrize("name", forty.CLASS if THOROUGH else A_FEW)
def test_a_student_loses_the_points_of_what_is_wrong_and_no_other(name, graded):
    files, rows = graded
    functions = files[name]["functions"]
    lost = {each for each in functions if functions[each]["percent"] < 100}
    assert lost == forty.CLASS[name].loses, files[name]["problem"]
    assert forty.CLASS[name].why in rows[name]["why"]


def test_every_student_of_the_class_has_one_row(graded):
    files, rows = graded
    assert set(files) == set(rows) == set(forty.CLASS if THOROUGH else A_FEW)


def test_zeros_and_what_npsoftmax_does_are_worth_nothing(graded):
    files, _ = graded
    assert files["tom"]["percent"] == files["uma"]["percent"] == 0


def test_one_mistake_is_charged_once_and_the_others_say_where_it_is(graded):
    files, _ = graded
    functions = files["oda"]["functions"]
    blame = {name for name, each in functions.items() if each["because"] == "psi"}
    assert blame == {"psi_forward", "lsoftmax_forward", "lsoftmax_backward"}
    assert files["oda"]["points"] == len(CONTRACT) - 1


def test_percent_are_the_points_of_the_functions(graded):
    for each in graded[0].values():
        points = [function["points"] for function in each["functions"].values()]
        assert each["points"] == pytest.approx(sum(points), abs=1e-3)
        assert each["percent"] == pytest.approx(100 * sum(points) / 19, abs=0.06)


# --------------------------------------------------------------------- what is counted


@pytest.mark.parametrize("name", CONTRACT)
def test_form_is_worth_nothing_beside_a_wrong_value(name):
    rows = [row.name for row in CONTRACT[name].asked()]
    assert share(name, rows) == 1
    assert share(name, [each for each in rows if each != decisive(name).name]) == 0
    assert 0 < share(name, [decisive(name).name]) < 1


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small class, for softmax alone: its exit code, CSV, JSON and feedback."""
    folder = tmp_path_factory.mktemp("run")
    students = class_of(
        folder / "students",
        ada=forty.PAGE,
        ben=planted("softmax", "no shift"),
        eve="import npsoftmax, numpy\ndef softmax(z, axis=-1):\n"
        "    return numpy.exp(npsoftmax.log_softmax(z, axis))\n",
        fay="def softmax(z, axis=-1):\n    raise NotImplementedError\n",
        gus=forty.with_lines("softmax", "z -= 0 * z + z.max(axis, keepdims=True)"),
    )
    (folder / "points.toml").write_text("softmax = 10  # for all\nrelu_forward = 2.5\n")
    options = "-k", "softmax", "--points", folder / "points.toml", "--examples", "5"
    out = "--out", folder / "marks", "--feedback", folder / "texts"
    code = grade(students, *out, *options)
    texts = {each.stem: each.read_text() for each in (folder / "texts").iterdir()}
    return code, rows_of(folder / "marks.csv"), files_of(folder / "marks.json"), texts


def test_points_are_those_of_the_file_for_what_it_names(run):
    _, rows, files, _ = run
    assert rows["ada.py"]["points"] == rows["ada.py"]["out_of"] == "10"
    assert [*files["ada.py"]["functions"]] == ["softmax"]


@pytest.mark.parametrize("name", ["ben.py", "gus.py"])
def test_beside_a_right_value_every_property_that_holds_counts(name, run):
    _, _, files, _ = run
    softmax = files[name]["functions"]["softmax"]
    assert 50 < softmax["percent"] < 100
    assert softmax["properties"]["softmax_gives_the_right_value"]
    assert not all(softmax["properties"].values())


def test_the_smallest_input_can_be_typed_in_and_really_fails(run):
    _, _, files, _ = run
    typed, wrong = {}, {}
    shown = files["ben.py"]["functions"]["softmax"]["input"]
    exec(shown.replace(", axis", "; axis"), typed)
    exec(planted("softmax", "no shift"), wrong)
    z, axis = np.array(typed["z"], dtype=float), typed["axis"]
    with np.errstate(all="ignore"):
        yours = wrong["softmax"](z, axis)
    assert not np.allclose(yours, npsoftmax.softmax(z, axis))


def test_a_function_that_lets_npsoftmax_help_is_pointed_at(run):
    _, rows, _, _ = run
    said = "softmax: calls npsoftmax's log_softmax: look at it"
    assert rows["eve.py"]["why"] == said
    assert rows["ada.py"]["why"] == ""


def test_a_stub_has_no_points_and_the_exit_code_is_1(run):
    code, rows, _, _ = run
    assert rows["fay.py"]["percent"] == "0"
    assert rows["fay.py"]["why"] == "softmax: not written yet"
    assert code == 1


def test_a_text_has_percentages_and_messages_and_never_the_right_line(run):
    _, _, _, texts = run
    assert texts["ada"].startswith("ada, ada.py: 100 %")
    assert "looks like   exp(z) without the shift" in texts["ben"]
    assert "the smallest input that fails" in texts["ben"]
    assert "z - z_max" not in texts["ben"]


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
        path.write_text("from shared import one" if path.stem == "uses" else "one = 1")
    every = find(folder)
    beside = {each.label: {*each.beside} for each in every.submissions}
    return beside, every.others, every.remarks


def test_a_flat_folder_has_a_student_for_each_file_and_helpers_for_all(tmp_path):
    names = "a.py", "B.PY", "c.ipynb", "uses.py", "shared.py", "notes.pdf", ".d.py"
    beside, others, _ = found(tmp_path, *names)
    assert [*beside] == ["a.py", "B.PY", "c.ipynb", "uses.py"]
    assert all(each == {"shared.py"} for each in beside.values())
    assert set(others) == {"shared.py", "notes.pdf", ".d.py"}


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


def test_a_zip_is_graded_as_its_folder_is(tmp_path, capsys):
    students = class_of(tmp_path / "week", ada=forty.PAGE, ben="def (")
    with zipfile.ZipFile(tmp_path / "week.zip", "w") as archive:
        for path in students.iterdir():
            archive.write(path, f"week/{path.name}")
    options = "--out", tmp_path / "marks", "-k", "relu_forward", *FEW
    assert grade(tmp_path / "week.zip", *options) == 1
    rows = rows_of(tmp_path / "marks.csv")
    assert {name: row["percent"] for name, row in rows.items()} == {
        "ada.py": "100",
        "ben.py": "0",
    }


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


@pytest.mark.parametrize(
    ("source", "score"), [(forty.PAGE, 19), (forty.MINUS_K, 18), ("def (", 0)]
)
def test_gradescope_reads_the_results(source, score, tmp_path):
    class_of(tmp_path / "submission", homework=source)
    options = "--format", "gradescope", "--out", tmp_path / "results", *FEW
    grade(tmp_path / "submission", *options)
    results = json.loads((tmp_path / "results.json").read_text())
    tests = results["tests"]
    assert results.keys() <= FIELDS
    assert results["score"] == sum(test["score"] for test in tests) == score
    assert sum(test["max_score"] for test in tests) == len(CONTRACT)
    for test in tests:
        assert test.keys() <= TEST_FIELDS
        assert test["status"] == ("passed" if test["score"] == 1 else "failed")
        assert test["output_format"] == "text"
        assert test["visibility"] == "visible"
    assert score or "line 1" in results["output"]


# ---------------------------------------------------------- the results stand, always


def test_a_child_left_behind_ends_with_its_file(tmp_path):
    trace = tmp_path / "trace"
    child = f"while 1: time.sleep(.02); open({str(trace)!r}, 'a').write('x')"
    students = class_of(
        tmp_path / "students",
        ada=f"{forty.PAGE}\nimport os, subprocess, sys, time\n"
        f'subprocess.Popen([sys.executable, "-c", "import time\\n{child}"])\n'
        f"while not os.path.exists({str(trace)!r}): time.sleep(.01)\n",
    )
    assert grade(students, "--out", tmp_path / "m", "-k", "relu_forward", *FEW) == 0
    size = trace.stat().st_size
    time.sleep(0.2)
    assert trace.stat().st_size == size


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_leaves_what_is_done_and_nothing_else(number, tmp_path):
    class_of(
        tmp_path / "students",
        ada="def (",
        ben=f"import pathlib, time\npathlib.Path('{tmp_path}/runs').touch()\n"
        "time.sleep(3600)\n",
    )
    options = "students", "--jobs", "1", "--timeout", "60", "-k", "relu_forward"
    process = in_a_process(tmp_path, *options)
    _wait_until((tmp_path / "runs").exists)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == (-number if number == signal.SIGKILL else 1)
    assert [*rows_of(tmp_path / "npsoftmax-grades.csv")] == ["ada.py"]
    _wait_until(lambda: not [*(tmp_path / "tmp").iterdir()])
    _wait_until(lambda: str(tmp_path) not in _running())


def _wait_until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def _running():
    """Return the folders in which the processes of this machine run."""
    links = Path("/proc").glob("[0-9]*/cwd")
    return " ".join(os.readlink(each) for each in links if os.access(each, os.R_OK))


def test_an_ascii_terminal_and_a_strange_name_stop_nothing(tmp_path):
    class_of(tmp_path / "students", ada="def (")
    strange = os.fsencode(tmp_path) + b"/students/\xe9\x1b[2J.py"
    with open(strange, "w") as file:
        file.write("def (")
    process = in_a_process(tmp_path, "students", *FEW, PYTHONIOENCODING="ascii")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert r"\udce9\x1b[2J.py" in out
    assert [*rows_of(tmp_path / "npsoftmax-grades.csv")] == [
        "ada.py",
        r"\udce9\x1b[2J.py",
    ]


def test_two_runs_in_one_folder_do_not_mix(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    class_of(tmp_path / "a", ada="def (")
    (tmp_path / "npsoftmax-grades.csv").touch()  # another run has claimed its name
    assert grade("a") == 2
    assert "--out NAME writes elsewhere" in capsys.readouterr().err
    assert (tmp_path / "npsoftmax-grades.csv").read_text() == ""
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "a",
        "npsoftmax-grades.csv",
    ]


@pytest.mark.parametrize("out", ["missing/marks", "/proc/marks"])
def test_a_folder_that_cannot_be_written_is_noticed_before_any_work(
    out, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    class_of(tmp_path / "a", ada="while True: pass")
    began = time.monotonic()
    assert grade("a", "--out", out) == 2
    assert time.monotonic() - began < 5
    assert capsys.readouterr().err.count("\n") == 1


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


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_file_that_exists_is_left_as_it_was(kind, tmp_path, capsys):
    students = class_of(tmp_path / "students", loops="while True: pass")
    (tmp_path / f"marks.{kind}").write_text("mine")
    assert grade(students, "--out", tmp_path / "marks") == 2
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / f"marks.{kind}").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_force_replaces_the_files(tmp_path):
    students = class_of(tmp_path / "students", broken="def (")
    (tmp_path / "marks.csv").write_text("mine")
    assert grade(students, "--out", tmp_path / "marks", "--force", *FEW) == 1
    assert "broken.py" in (tmp_path / "marks.csv").read_text()


@pytest.mark.skipif(not THOROUGH, reason="waits: HYPOTHESIS_PROFILE=thorough runs it")
def test_a_busy_machine_costs_no_right_file_a_point(tmp_path):
    forty.write(forty.RIGHT, tmp_path / "class")
    spinning = [
        subprocess.Popen([sys.executable, "-c", "while 1: 0"]) for _ in range(4)
    ]
    try:
        assert grade(tmp_path / "class", "--out", tmp_path / "marks") == 0
    finally:
        for each in spinning:
            each.kill()
            each.wait()


# ---------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    "option",
    [
        ("--timeout", "0"),
        ("--jobs", "0"),
        ("--examples", "x"),
        ("--examples", "-3"),
        ("-k", "relo"),
        ("--format", "html"),
    ],
)
def test_an_option_that_makes_no_sense_could_not_run(option, tmp_path):
    students = class_of(tmp_path / "students", broken="def (")
    assert grade(students, "--out", tmp_path / "marks", *option) == 2
    assert not (tmp_path / "marks.csv").exists()


def test_the_help_says_that_it_is_no_sandbox_and_what_is_one(capsys):
    assert main(["grade", "--help"]) == 0
    said = capsys.readouterr().out
    assert "not a sandbox against malice" in said
    assert "--network none" in said


# ---------------------------------------------------------------------------- the words


@pytest.fixture
def long_grade():
    mark = Mark("wrong", why="it is wrong " * 9, input="x = [[0, 1]], m = 2")
    submission = Submission("a" * 90, Path("a.py"), "homework.py", {})
    marks = {name: mark._replace(why=f"{name} {mark.why}") for name in CONTRACT}
    return Grade(submission, dict.fromkeys(CONTRACT, 1), marks)


def test_the_table_and_the_remarks_fit_into_80_columns(long_grade):
    report = gradebook.report([long_grade], {"x" * 200: "no file"}, ["note " * 40])
    assert max(map(len, report.splitlines())) <= 80
    assert long_grade.submission.student in report.replace("\n", "").replace(" ", "")


def test_a_name_of_a_file_is_not_cut(long_grade):
    long_grade.submission = long_grade.submission._replace(student="a" * 60)
    assert f"{'a' * 60}/homework.py" in gradebook.table([long_grade]).split()


def test_no_cell_of_the_csv_is_taken_for_a_formula(long_grade):
    long_grade.submission = long_grade.submission._replace(student="=1+1")
    text = gradebook.as_csv([long_grade])
    assert text.splitlines()[1].startswith("'=1+1,")


MINE = "import numpy as np\ndef mine(h): return np.maximum(h, 0), h > 0\n"


def test_grading_goes_by_the_contract_or_by_the_names_that_are_said(tmp_path):
    students = class_of(tmp_path / "students", ada=MINE)
    few = "-k", "relu_forward", "--examples", 5
    assert grade(students, *few, "--out", tmp_path / "a") == 1
    named = "--as", "relu_forward=mine"
    assert grade(students, *few, *named, "--out", tmp_path / "b") == 0
