"""`npsoftmax figures`: lists, writes all or none, and never over a file unasked."""

import re
import subprocess
import sys

import pytest

from npsoftmax import plots
from npsoftmax.__main__ import main
from npsoftmax.commands import figures
from npsoftmax.training import settings_for

STARTS = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def test_without_out_every_figure_is_listed_and_none_is_written(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["figures"]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    words = " ".join(printed.split())
    for name, picture in figures.GALLERY.items():
        assert f"{name} {picture.shows}" in words
    assert listing(tmp_path) == []


def test_listing_does_not_load_matplotlib():
    code = (
        "import sys; from npsoftmax.__main__ import main; main(['figures']); "
        "sys.exit('matplotlib' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert ended.returncode == 0


def test_every_figure_is_written_from_one_training(tmp_path, capsys, monkeypatch):
    def short(m, N):
        return settings_for(m, N)._replace(epochs=1)

    monkeypatch.setattr(figures, "settings_for", short)
    monkeypatch.setitem(plots.STYLE, "savefig.dpi", 40)
    folder = tmp_path / "new" / "folder"
    assert main(["figures", "--out", str(folder)]) == 0
    printed = capsys.readouterr()
    assert listing(folder) == sorted(f"{name}.png" for name in figures.GALLERY)
    assert printed.out.startswith(f"{len(figures.GALLERY)} figures are in {folder}: ")
    assert printed.err.count("Training") == 1
    for path in folder.iterdir():
        assert path.read_bytes().startswith(STARTS["png"])


@pytest.mark.parametrize("file_format", STARTS)
def test_a_figure_is_written_in_the_format_asked_for(file_format, tmp_path, capsys):
    options = ["--out", str(tmp_path), "--format", file_format]
    assert main(["figures", "jacobian", *options]) == 0
    content = (tmp_path / f"jacobian.{file_format}").read_bytes()
    assert content.startswith(STARTS[file_format])
    assert capsys.readouterr().err == ""  # no training


def test_a_file_that_is_there_is_left_alone_and_no_other_is_written(tmp_path, capsys):
    (tmp_path / "jacobian.png").write_text("mine")
    assert main(["figures", "two-classes", "jacobian", "--out", str(tmp_path)]) == 2
    assert listing(tmp_path) == ["jacobian.png"]
    assert (tmp_path / "jacobian.png").read_text() == "mine"
    printed = capsys.readouterr()
    assert "jacobian.png exists" in printed.err
    assert printed.err.count("\n") == 1


def test_force_replaces_it(tmp_path):
    (tmp_path / "jacobian.png").write_text("mine")
    assert main(["figures", "jacobian", "--out", str(tmp_path), "--force"]) == 0
    assert (tmp_path / "jacobian.png").read_bytes().startswith(STARTS["png"])


def test_where_one_file_cannot_be_written_none_is_left(tmp_path, monkeypatch, capsys):
    write_whole = figures.write_whole

    def full_disk(path, content, replace):
        if path.name == "jacobian.png":
            raise OSError(28, "No space left on device")
        write_whole(path, content, replace)

    monkeypatch.setattr(figures, "write_whole", full_disk)
    assert main(["figures", "annealing", "jacobian", "--out", str(tmp_path)]) == 2
    assert listing(tmp_path) == []
    assert "No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize("names", [["jacobain"], ["psi", "nothing"]])
def test_an_unknown_name_is_one_line_with_the_names_there_are(names, capsys):
    assert main(["figures", *names]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"npsoftmax: there is no figure {names[-1]}: overflow, ")
    assert printed.count("\n") == 1


def test_a_file_is_no_folder(tmp_path, capsys):
    (tmp_path / "taken").write_text("")
    assert main(["figures", "--out", str(tmp_path / "taken")]) == 2
    assert "is a file, but it must be a folder" in capsys.readouterr().err


def test_the_derivative_of_the_example_is_right():
    from npsoftmax.gradcheck import complex_step

    for x in (0.1, 0.7, 1.5):
        numeric = complex_step(figures.hard_to_differentiate, x)
        assert abs(figures.its_derivative(x) - numeric) < 1e-14 * abs(numeric)


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("a" * 300, "File name too long"),
        ("circle", "is a file, but it must be a folder"),
        ("circle/below", "no folder .* that can be written"),
        ("dangling", "is a file, but it must be a folder"),
        ("file", "is a file, but it must be a folder"),
        ("file/below", "no folder .* that can be written"),
        ("/proc/new", "cannot be written to"),
    ],
)
def test_a_folder_that_cannot_be_is_one_line(
    folder, words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "file").write_text("mine")
    assert main(["figures", "jacobian", "--out", folder]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert re.search(words, line)
    assert listing(tmp_path) == ["circle", "dangling", "file"]
