"""`npsoftmax grade`: whatever a file does, the others keep their points."""

import csv
import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from plantings import planted

import npsoftmax
from npsoftmax import textbook
from npsoftmax.__main__ import main
from npsoftmax.checks import CONTRACT
from npsoftmax.checks.grading import gradebook
from npsoftmax.checks.grading.process import Grade, Options, grade_file, grade_files

NAMES = ["logsumexp", "softmax", "relu_forward"]
OPTIONS = Options(examples=2, timeout=8.0, jobs=2)  # two seconds for a function
TEXTBOOK = Path(textbook.__file__)
RIGHT = TEXTBOOK.read_text(encoding="utf-8")
THOROUGH = settings.default.max_examples >= 1000  # else, one of each kind


def with_line_in(function, line):
    """Return the right source with one more line at the beginning of a function."""
    head = next(row for row in RIGHT.splitlines() if row.startswith(f"def {function}("))
    return RIGHT.replace(head, f"{head}\n    {line}")


IN_SOFTMAX = {  # what softmax does before it does what it should
    "loops": "while True: pass",
    "kills_its_group": "import os, signal; os.killpg(0, signal.SIGKILL)",
    "exits": "import ctypes; ctypes.CDLL(None)._exit(0)",
}
ON_LOADING = {  # what a file does when it is loaded, behind its right functions
    "syntax_error": "def (",
    "exits_hard": "import os; os._exit(0)",
}
HARMLESS = {  # what may not cost a point
    "prints": "print('x' * 1_000_000)\n"
    "import sys; sys.__stdout__.write('x' * 1_000_000)\n"
    """print('{"end": "softmax", "entry": {"points": 1000}}')""",
    "does_this_and_that": "import atexit, os, threading, time\n"
    "atexit.register(os._exit, 7)\n"
    "os.chdir('/')\n"
    "os.closerange(0, 100)\n"
    "threading.Thread(target=time.sleep, args=(3600,)).start()",
}
if THOROUGH:
    IN_SOFTMAX |= {
        "interrupts": "raise KeyboardInterrupt",
        "sleeps": "import time; time.sleep(3600)",
        "kills_itself": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "crashes": "import ctypes; ctypes.string_at(0)",
        "eats_memory": "a = [bytearray(1 << 30) for _ in range(1000)]",
    }
    ON_LOADING |= {
        "calls_exit": "exit()",
        "loops_on_loading": "while True: pass",
        "is_interrupted": "raise KeyboardInterrupt",
        "asks": "input()",
    }


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The grades of a class in which everybody has another idea, by their names."""
    folder = tmp_path_factory.mktemp("class")
    sources = {name: with_line_in("softmax", line) for name, line in IN_SOFTMAX.items()}
    for name, code in (ON_LOADING | HARMLESS).items():
        sources[name] = f"{RIGHT}\n{code}\n"
    paths = [folder / f"{name}.py" for name in sources]  # what waits, beside the rest
    for path, source in zip(paths, sources.values(), strict=True):
        path.write_text(source)
    return {each.path.stem: each for each in grade_files(paths, NAMES, OPTIONS)}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_right_file_has_all_points_whatever_else_it_does(name, graded):
    assert graded[name].problem == ""
    assert graded[name].points == graded[name].out_of > 0


@pytest.mark.parametrize("name", IN_SOFTMAX)
def test_a_function_that_never_comes_back_costs_its_own_points_alone(name, graded):
    functions = graded[name].functions
    assert functions["softmax"]["state"] == "stopped"
    assert functions["softmax"]["points"] == 0
    others = [functions[other] for other in NAMES if other != "softmax"]
    assert all(each["points"] == each["out_of"] for each in others)


@pytest.mark.parametrize("name", ON_LOADING)
def test_a_file_that_cannot_be_loaded_has_no_points_and_a_reason(name, graded):
    assert graded[name].points == 0
    assert graded[name].problem


def test_the_reason_says_what_has_happened(graded):
    why = {name: graded[name].functions["softmax"]["why"] for name in graded}
    assert why["loops"] == "did not end within 2 s"
    assert why["exits"] == "ended its own process, with exit code 0"
    assert why["kills_its_group"] == "was ended by SIGKILL"
    assert graded["syntax_error"].problem.startswith("syntax_error.py, line ")


def test_a_child_left_behind_ends_with_its_file(tmp_path):
    trace, path = tmp_path / "trace", tmp_path / "parent.py"
    path.write_text(f"""{RIGHT}
import os, subprocess, sys, time
child = "import time\\nwhile 1: time.sleep(.02); open({str(trace)!r}, 'a').write('x')"
subprocess.Popen([sys.executable, "-c", child])
while not os.path.exists({str(trace)!r}): time.sleep(.01)
""")
    assert grade_file(path, ["relu_forward"], OPTIONS).points > 0
    size = trace.stat().st_size
    time.sleep(0.2)
    assert trace.stat().st_size == size


@pytest.mark.skipif(not THOROUGH, reason="waits: HYPOTHESIS_PROFILE=thorough runs it")
def test_when_the_file_s_time_is_over_its_points_so_far_are_kept(tmp_path):
    path = tmp_path / "slow.py"
    path.write_text(with_line_in("relu_forward", "while True: pass"))
    options = Options(examples=2, timeout=6.0, share=1)
    grade = grade_file(path, ["softmax", "relu_forward", "psi"], options)
    assert grade.functions["softmax"]["points"] == grade.functions["softmax"]["out_of"]
    assert grade.functions["relu_forward"]["points"] == 0
    assert grade.functions["psi"]["why"] == "no time was left"
    assert grade.seconds < 7


# ------------------------------------------------------------------ the command's files


NO_SHIFT = planted("softmax", "no shift")
HANDS_ON = """
import npsoftmax
def softmax(z, axis=-1):
    return npsoftmax.softmax(z, axis)
"""
HELPS_ITSELF = """
import npsoftmax, numpy
def softmax(z, axis=-1):
    return numpy.exp(npsoftmax.log_softmax(z, axis))
"""
STUB = """
def softmax(z, axis=-1):
    raise NotImplementedError
"""


def class_of(folder, **sources):
    folder.mkdir()
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    return str(folder)


def grade(*arguments):
    return main(["grade", *map(str, arguments), "--examples", "5", "-k", "softmax"])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The exit code of a small class, and its files in the CSV and in the JSON."""
    folder = tmp_path_factory.mktemp("run")
    students = class_of(
        folder / "students",
        ada=RIGHT,
        ben=NO_SHIFT,
        cem="from npsoftmax import *",
        dot=HANDS_ON,
        eve=HELPS_ITSELF,
        fay=STUB,
    )
    code = grade(students, "--out", folder / "marks")
    with open(folder / "marks.csv", newline="", encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    with open(folder / "marks.json", encoding="utf-8") as file:
        files = {each["file"]: each for each in json.load(file)["files"]}
    return code, rows, files


def test_the_csv_and_the_json_have_every_file_in_order(run):
    _, rows, files = run
    names = ["ada.py", "ben.py", "cem.py", "dot.py", "eve.py", "fay.py"]
    assert list(rows) == list(files) == names


def test_points_are_the_sum_of_those_of_the_functions_and_of_the_properties(run):
    _, rows, files = run
    for name, each in files.items():
        row, functions = rows[name], each["functions"]
        assert int(row["points"]) == sum(int(row[function]) for function in functions)
        for function, entry in functions.items():
            assert int(row[function]) == entry["points"]
            assert entry["points"] == sum(entry["properties"].values())
            assert all(int(row[p]) == n for p, n in entry["properties"].items())


def test_a_right_file_has_every_point(run):
    _, _, files = run
    assert files["ada.py"]["points"] == files["ada.py"]["out_of"] > 0


def test_a_wrong_function_keeps_the_points_of_the_properties_it_has(run):
    _, _, files = run
    softmax = files["ben.py"]["functions"]["softmax"]
    assert 0 < softmax["points"] < softmax["out_of"]
    assert softmax["properties"]["softmax_gives_the_right_value"] > 0


def test_the_smallest_input_can_be_typed_in_and_really_fails(run):
    _, rows, _ = run
    typed = {}
    exec(rows["ben.py"]["smallest_input"].replace(", axis", "; axis"), typed)
    planted = {}
    exec(NO_SHIFT, planted)
    z, axis = np.array(typed["z"], dtype=float), typed["axis"]
    with np.errstate(all="ignore"):
        yours = planted["softmax"](z, axis)
    assert not np.allclose(yours, npsoftmax.softmax(z, axis))


@pytest.mark.parametrize("name", ["cem.py", "dot.py"])
def test_what_comes_from_npsoftmax_itself_has_no_points_and_it_is_said(name, run):
    _, _, files = run
    assert files[name]["points"] == 0
    assert files[name]["functions"]["softmax"]["state"] == "npsoftmax's own"


def test_a_function_that_lets_npsoftmax_help_is_pointed_at(run):
    _, rows, _ = run
    said = rows["eve.py"]["calls_npsoftmax"]
    assert said == "softmax calls npsoftmax's log_softmax: look at it"
    assert rows["ada.py"]["calls_npsoftmax"] == ""


def test_a_stub_has_no_points(run):
    _, _, files = run
    assert files["fay.py"]["functions"]["softmax"]["state"] == "not written yet"
    assert files["fay.py"]["points"] == 0


def test_the_exit_code_is_1_where_something_is_wrong(run):
    assert run[0] == 1


def test_the_exit_code_is_0_where_everything_is_right(tmp_path, capsys):
    students = class_of(tmp_path / "students", ada=RIGHT)
    assert grade(students, "--out", tmp_path / "marks") == 0
    printed = capsys.readouterr().out
    assert "ada.py" in printed
    assert "marks.csv" in printed


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_file_that_exists_is_left_as_it_was_before_any_work(kind, tmp_path, capsys):
    students = class_of(tmp_path / "students", loops="while True: pass")
    (tmp_path / f"marks.{kind}").write_text("mine")
    began = time.monotonic()
    assert grade(students, "--out", tmp_path / "marks") == 2
    assert time.monotonic() - began < 1
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / f"marks.{kind}").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_force_replaces_the_files(tmp_path):
    students = class_of(tmp_path / "students", broken="def (")
    (tmp_path / "marks.csv").write_text("mine")
    assert grade(students, "--out", tmp_path / "marks", "--force") == 1
    assert "broken.py" in (tmp_path / "marks.csv").read_text()


def test_a_folder_that_cannot_be_graded_is_said_in_one_line(tmp_path, capsys):
    empty = class_of(tmp_path / "empty")
    deeper = class_of(tmp_path / "deeper")
    class_of(tmp_path / "deeper" / "ada", homework=RIGHT)
    for folder, said in (
        (empty, "there are no *.py files"),
        (deeper, "one folder deeper"),
        (tmp_path / "missing", "there is no such folder"),
        (TEXTBOOK, "`npsoftmax check"),
    ):
        assert grade(folder, "--out", tmp_path / "marks") == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1


@pytest.mark.parametrize(
    "option", [("--timeout", "0"), ("--jobs", "0"), ("--examples", "x"), ("-k", "relo")]
)
def test_an_option_that_makes_no_sense_could_not_run(option, tmp_path):
    students = class_of(tmp_path / "students", broken="def (")
    assert main(["grade", students, "--out", str(tmp_path / "marks"), *option]) == 2


def test_the_help_says_that_it_is_not_a_sandbox(capsys):
    assert main(["grade", "--help"]) == 0
    assert "not a sandbox against malice" in capsys.readouterr().out


# ---------------------------------------------------------------------------- the words


@pytest.fixture
def long_grade():
    entry = {"points": 1, "out_of": 3, "why": "it is wrong " * 9, "state": "wrong"}
    entry |= {"input": "x = [[0, 1]], m = 2", "looks_like": None, "properties": {}}
    return Grade(Path("a" * 30 + ".py"), dict.fromkeys(CONTRACT, entry))


def test_the_table_and_the_remarks_fit_into_80_columns(long_grade):
    long_grade.path = Path("homework.py")
    lines = gradebook.report([long_grade]).splitlines()
    assert max(map(len, lines)) <= 80


def test_every_point_is_in_a_column_of_the_table(long_grade):
    row = gradebook.table([long_grade]).splitlines()[1]
    total, *groups = [int(cell.split("/")[0]) for cell in row.split()[:-1]]
    assert sum(groups) == total == len(CONTRACT)


def test_a_long_name_of_a_file_is_not_cut(long_grade):
    assert long_grade.path.name in gradebook.report([long_grade])
