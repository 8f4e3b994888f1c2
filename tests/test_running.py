"""Where a run may go wrong outside of the mathematics: one line, or right."""

import io
import os
import signal
import subprocess
import sys
from typing import NamedTuple

import pytest
from untrained import run_of

from npsoftmax import experiment, plots
from npsoftmax.__main__ import main

RUN = f"{sys.executable} -m npsoftmax"
FIGURES = f"{RUN} figures"
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
    "a reader that has seen enough": Case(
        f'({FIGURES}; echo "code $?" >&2) | true', 0, "code 1"
    ),
    "no docstrings": Case(
        f"{sys.executable} -OO -m npsoftmax train --help", 0, "usage: npsoftmax train"
    ),
    "a backend that is none, a home that is not there, another warning filter": Case(
        f"{RUN} figures jacobian --out .", 0, "1 figure is in .", "jacobian.png",
        {"MPLBACKEND": "nonsense", "HOME": "/nowhere", "PYTHONWARNINGS": "error"},
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
    assert ended.stderr.count("\n") <= 1
    if case.figure:
        assert (tmp_path / case.figure).read_bytes().startswith(PICTURE)


@pytest.mark.parametrize(
    ("options", "left"), [([], ["npsoftmax.png"]), (["--no-figure", "--json"], [])]
)
def test_a_full_disk_for_the_table_leaves_the_figure(
    options, left, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(plots.STYLE, "savefig.dpi", 30)
    monkeypatch.setattr(experiment, "trained", lambda *_: (run_of(m) for m in (1, 2)))
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["train", *options]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "npsoftmax: cannot write: No space left on device"
    assert [path.name for path in tmp_path.iterdir()] == ["npsoftmax.png"][
        len(options) :
    ]


@pytest.mark.parametrize(
    ("closed", "code", "output", "errors"),
    [
        (["stdout"], 2, "", "standard output is closed"),
        (["stderr"], 0, "writes them", ""),
        (["stdout", "stderr"], 2, "", ""),
    ],
)
def test_what_is_closed_is_said_or_does_not_matter(
    closed, code, output, errors, monkeypatch, capsys
):
    for name in closed:
        monkeypatch.setattr(sys, name, None)
    assert main(["figures"]) == code
    printed = capsys.readouterr()
    assert output in printed.out
    assert errors in printed.err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_a_terminal_cannot_show_is_shown_by_its_number(encoding, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding))
    assert main(["--data", "\N{GREEK SMALL LETTER PSI}"]) == 2
    sys.stderr.flush()
    assert rb"\u03c8: expected a folder" in sys.stderr.buffer.getvalue()


def test_ctrl_c_keeps_what_is_done(tmp_path):
    command = f"{RUN} --epochs 1 --seeds 5000 --jobs 1 --no-figure"
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
    assert first.startswith("1 of 20000: seed 0, m = 1, test error")
    assert running.returncode == 1
    assert output.splitlines()[1].startswith("softmax")
    assert "networks" in errors.splitlines()[-1]
    assert "Traceback" not in errors
