"""`npsoftmax figures`: lists, writes, and never over a file unasked."""

import re
import subprocess
import sys
from unittest import mock

import pytest
from untrained import run_of

from npsoftmax import experiment, plots
from npsoftmax.__main__ import main
from npsoftmax.commands import figures, shared

STARTS = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


@pytest.fixture(autouse=True)
def _small_figures(monkeypatch):
    monkeypatch.setitem(plots.STYLE, "savefig.dpi", 20)


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def jacobian(folder, *options):
    return main(["figures", "jacobian", "--out", str(folder), *options])


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


def test_every_figure_is_drawn_and_written_from_one_training(
    tmp_path, capsys, monkeypatch
):
    def content_of(figure, kind):
        return f"{type(figure).__name__} with {len(figure.axes)} axes"

    trained = mock.create_autospec(experiment.trained)
    trained.return_value = [run_of(m) for m in figures.MARGINS]
    monkeypatch.setattr(figures, "trained", trained)
    monkeypatch.setattr(plots, "content_of", content_of)
    folder = tmp_path / "new" / "folder"
    assert main(["figures", "--out", str(folder)]) == 0
    printed = capsys.readouterr()
    assert listing(folder) == sorted(f"{name}.png" for name in figures.GALLERY)
    assert printed.out.startswith(f"{len(figures.GALLERY)} figures are in {folder}: ")
    assert trained.call_count == printed.err.count("Training") == 1
    for path in folder.iterdir():
        assert re.fullmatch(r"CaptionedFigure with [1-9]\d* axes", path.read_text())


@pytest.mark.parametrize("kind", STARTS)
def test_a_figure_is_written_in_its_format_and_over_another_only_with_force(
    kind, tmp_path, capsys
):
    path = tmp_path / f"jacobian.{kind}"
    path.write_text("mine")
    assert jacobian(tmp_path, "--format", kind) == 2
    error = capsys.readouterr().err
    assert error == f"npsoftmax: {path} exists: choose another, or add --force\n"
    assert path.read_text() == "mine"
    assert jacobian(tmp_path, "--format", kind, "--force") == 0
    assert path.read_bytes().startswith(STARTS[kind])
    assert capsys.readouterr().err == ""  # no training


def test_a_file_that_cannot_be_written_is_said(tmp_path, monkeypatch, capsys):
    full = mock.Mock(side_effect=OSError(28, "No space left on device"))
    monkeypatch.setattr(shared, "write_whole", full)
    assert jacobian(tmp_path) == 2
    said = f"{tmp_path}/jacobian.png cannot be written: No space left on device"
    assert capsys.readouterr().err == f"npsoftmax: {said}\n"


def test_an_unknown_name_is_one_line_with_the_nearest_and_the_names_there_are(capsys):
    assert main(["figures", "psi", "jacobain"]) == 2
    said = "npsoftmax: there is no figure jacobain; did you mean jacobian? There are ov"
    printed = capsys.readouterr().err
    assert printed.startswith(said)
    assert printed.count("\n") == 1


def test_the_derivative_of_the_example_is_right():
    from npsoftmax.gradcheck import complex_step

    for x in (0.1, 0.7, 1.5):
        numeric = complex_step(figures.hard_to_differentiate, x)
        assert abs(figures.its_derivative(x) - numeric) < 1e-14 * abs(numeric)


@pytest.mark.parametrize(
    "folder",
    ["a" * 300, "circle", "circle/below", "dangling", "file", "file/below", "/proc/a"],
)
def test_a_folder_that_cannot_be_is_one_line_before_anything_is_drawn(
    folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plots, "jacobian", None)
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "file").write_text("mine")
    assert jacobian(folder) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert re.search(r"is no folder that can be written: \w+", line)
    assert listing(tmp_path) == ["circle", "dangling", "file"]
