"""The README is true: what it shows is printed, what it names is there, and what it
says to type works as it stands. The commands that install, train or test for minutes
are those that `.ci/run` takes from the same text.
"""

import io
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import readme

import npsoftmax
from npsoftmax import plots
from npsoftmax.__main__ import main
from npsoftmax.checks.homework import homework

ROOT = readme.README.parent
TEXT = readme.README.read_text(encoding="utf-8")
NOTEBOOKS = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
PROGRAMS = "npsoftmax|pytest|pip|python3?|py|jupyter|source"
FOR_WINDOWS = {"py -m venv .venv"}
IN_A_SHELL = (
    "pytest",
    "npsoftmax hint",
)  # the others, which are alike, in this process
OF_MINUTES = {
    'pip install ".[notebooks]"',
    "jupyter notebook notebooks",
    "pytest",
    "python",
}
RIGHT = """\
import numpy as np

def psi_prime(theta, m):
    return -m * np.abs(np.sin(m * theta))
"""


def blocks(text):
    """Return the shell commands that stand in blocks of their own."""
    return re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def commands(text):
    """Return the commands that stand within lines, in their order."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(rf"`((?:{PROGRAMS})(?: [^`]+)?)`", text)


SHORT = [
    command
    for command in dict.fromkeys(commands(TEXT) + commands(NOTEBOOKS))
    if command not in FOR_WINDOWS | OF_MINUTES
]


def test_each_block_is_what_its_command_prints():
    for mark, printed in readme.shown():
        assert readme.block(TEXT, mark) == printed


def test_the_example_prints_what_its_comment_says():
    printed, comment = readme.example(TEXT)
    assert printed == comment


@pytest.mark.parametrize("command", SHORT)
def test_each_command_works_as_it_stands(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(plots.STYLE, "savefig.dpi", 30)
    write_images(tmp_path / "FOLDER")
    (tmp_path / "FOLDER" / "ada.py").write_text(RIGHT)
    if "start" not in command:
        (tmp_path / "homework.py").write_text(f"{homework('homework.py')}\n{RIGHT}")
    not_all_written = command == "npsoftmax grade FOLDER"
    if command.startswith(IN_A_SHELL):
        code, printed = in_a_shell(command)
    else:
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        code, printed = main(command.split()[1:]), capsys.readouterr().out
    assert code == (1 if not_all_written else 0), printed
    assert printed


def in_a_shell(command):
    """Return the exit code and output in a shell that finds the programs from here."""
    programs = Path(sys.executable).parent
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], env=os.environ | {"PATH": path},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout


def write_images(folder):
    """Write ten images of 2 x 2 pixels, of ten classes, in the IDX format."""
    folder.mkdir()
    for part in ("train", "t10k"):
        labels = struct.pack(">HBBI", 0, 8, 1, 10) + bytes(range(10))
        images = struct.pack(">HBB3I", 0, 8, 3, 10, 2, 2) + bytes(range(0, 240, 6))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(images)


def test_every_command_is_run_here_or_on_a_new_machine():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    known = set(commands(TEXT) + commands(NOTEBOOKS))
    assert set(SHORT) | OF_MINUTES | FOR_WINDOWS == known
    assert "blocks README.md" in ci
    assert "blocks notebooks/README.md" in ci
    for command in OF_MINUTES - {"python"}:
        assert command in ci or any(command in block for block in blocks(NOTEBOOKS))


def test_what_it_says_of_the_table_is_what_the_intervals_say():
    _, pairs = readme.recorded()
    assert [pair.m for pair in pairs] == [2, 3, 4]
    assert readme.report.reading(pairs).replace("\n", " ") in " ".join(TEXT.split())


def test_what_it_says_of_mnist_is_what_was_measured():
    assert readme.mnist_in_short() in " ".join(TEXT.split())
    page = readme.MNIST.read_text(encoding="utf-8")
    assert readme.block(page, "npsoftmax") == readme.mnist()


def test_every_file_it_names_is_there_and_none_is_a_link_that_breaks_elsewhere():
    names = re.findall(r"`(\S+\.(?:py|md))`", TEXT + NOTEBOOKS)
    for name in set(names) - {"homework.py"}:
        places = [ROOT, ROOT / "npsoftmax", ROOT / "tests"]
        assert any((place / name).is_file() for place in places), name
    assert not re.findall(r"(?<!!)\[[^]]*\]\((?!https?:)", TEXT)


def test_each_line_of_the_page_that_it_shows_has_the_number_it_says():
    page = Path(npsoftmax.textbook.__file__).read_text(encoding="utf-8").splitlines()
    rows = re.findall(r"^\| (\(\d+\)).*?\| `(.*?)` \|", TEXT, flags=re.MULTILINE)
    assert [number for number, _ in rows] == [f"({n})" for n in range(1, 11)]
    for number, code in rows:
        (line,) = {line.strip() for line in page if line.strip().startswith(code)}
        assert number in line.removeprefix(code)


def test_the_example_has_twelve_lines_and_the_readme_about_100():
    code = re.search(r"```python\n(.*?)```", TEXT, flags=re.DOTALL).group(1)
    assert len(code.splitlines()) <= 12
    assert 60 <= len(TEXT.splitlines()) <= 116
