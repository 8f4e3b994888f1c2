"""Where a run may go wrong outside of the mathematics: one line, or right."""

import os
import signal
import subprocess
import sys
from typing import NamedTuple

import pytest

RUN = f"{sys.executable} -m npsoftmax"
QUICK = f"{RUN} --epochs 1 --seeds 1 --margins 1 2 --jobs 1"
FIGURES = f"{RUN} figures"
JACOBIAN = f"{RUN} figures jacobian --out out"
PICTURE = b"\x89PNG"


class Case(NamedTuple):
    """A command of the shell, its exit code, words on stderr or stdout, a figure."""

    command: str
    code: int
    words: str
    figure: str = ""
    variables: dict | None = None


CASES = {
    "a full disk": Case(f"{FIGURES} > /dev/full", 2, "cannot write: No space left"),
    "a full disk for the table": Case(
        f"{QUICK} > /dev/full", 2, "cannot write: No space left", "npsoftmax.png"
    ),
    "a full disk for JSON": Case(
        f"{QUICK} --no-figure --json > /dev/full", 2, "cannot write: No space left"
    ),
    "closed standard output": Case(f"{FIGURES} >&-", 2, "standard output is closed"),
    "closed standard error": Case(f"{FIGURES} 2>&-", 0, "writes them"),
    "both closed": Case(f"{FIGURES} >&- 2>&-", 2, ""),
    "a reader that has seen enough": Case(
        f"{QUICK} 2>/dev/null | head -1", 0, "wedge", "npsoftmax.png"
    ),
    "a backend that is none": Case(
        JACOBIAN, 0, "1 figure is in out", "out/jacobian.png",
        {"MPLBACKEND": "nonsense"},
    ),
    "no docstrings": Case(
        f"{sys.executable} -OO -m npsoftmax figures", 0, "writes them"
    ),
    "help without docstrings": Case(
        f"{sys.executable} -OO -m npsoftmax train --help", 0, "usage: npsoftmax train"
    ),
    "no home": Case(
        f"unset HOME; {JACOBIAN}", 0, "1 figure is in out", "out/jacobian.png"
    ),
    "a home that is not there": Case(
        JACOBIAN, 0, "1 figure is in out", "out/jacobian.png", {"HOME": "/nowhere"}
    ),
    "a terminal of ASCII": Case(
        f"{RUN} --data \N{LATIN SMALL LETTER U WITH DIAERESIS}",
        2, "\\xfc: expected a folder", "", {"PYTHONIOENCODING": "ascii"},
    ),
    "a code page of Windows": Case(
        f"{RUN} --data \N{GREEK SMALL LETTER PSI}",
        2, "\\u03c8: expected a folder", "", {"PYTHONIOENCODING": "cp1252"},
    ),
    "another warning filter": Case(
        JACOBIAN, 0, "1 figure is in out", "out/jacobian.png",
        {"PYTHONWARNINGS": "error"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_what_surrounds_a_run_leads_to_one_line_or_to_what_was_asked(what, tmp_path):
    case = CASES[what]
    ended = subprocess.run(
        case.command,
        shell=True,
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(sys.path)}
        | (case.variables or {}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == case.code
    assert case.words in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    if case.figure:
        assert (tmp_path / case.figure).read_bytes().startswith(PICTURE)


def test_ctrl_c_keeps_what_is_done(tmp_path):
    command = f"{RUN} --epochs 30 --seeds 50 --jobs 1 --no-figure"
    running = subprocess.Popen(
        command.split(" "),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    first, _ = running.stderr.readline(), running.stderr.readline()  # one is kept
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to all of them
    output, errors = running.communicate(timeout=60)
    assert first.startswith("1 of 200: seed 0, m = 1, test error")
    assert running.returncode == 1
    assert output.splitlines()[1].startswith("softmax")
    assert "networks" in errors.splitlines()[-1]
    assert "Traceback" not in errors
