"""The main job, `npsoftmax`: its result, its table, its figure, and its manners."""

import contextlib
import io
import json
import math
import re
import statistics
import tracemalloc
from pathlib import Path
from typing import NamedTuple

import matplotlib.image
import numpy as np
import pytest
from hypothesis import settings

from npsoftmax import experiment, plots
from npsoftmax.__main__ import build_parser, command_names, main
from npsoftmax.data import Dataset
from npsoftmax.metrics import Measures
from npsoftmax.mlp import init_params
from npsoftmax.training import DivergenceError, Settings

RECORD = Path(__file__).parent / "digits.json"  # the README's table
THOROUGH = settings.get_current_profile_name() == "thorough"
SEEDS = 5 if THOROUGH else 2
all_seeds = pytest.mark.skipif(
    not THOROUGH, reason="on digits.json in test_readme.py; HYPOTHESIS_PROFILE=thorough"
)
QUICK = ["train", "--epochs", "1", "--seeds", "1", "--margins", "1", "2", "--no-figure"]


class Outcome(NamedTuple):
    code: int
    output: str
    errors: str


@pytest.fixture(scope="module")
def main_job(tmp_path_factory):
    """Run `npsoftmax` once, with its figure and its numbers as JSON.

    With all its seeds in the long run, and in CI; else with the first two of them.
    """
    path = tmp_path_factory.mktemp("main") / "npsoftmax.png"
    outcome = run_command("--json", "--out", str(path), "--seeds", str(SEEDS))
    assert outcome.code == 0, outcome.errors
    return json.loads(outcome.output), outcome.errors, path


@all_seeds
@pytest.mark.parametrize("m", [2, 3, 4])
def test_each_margin_makes_at_most_four_fifths_of_the_errors_of_softmax(main_job, m):
    fields, _, _ = main_job
    assert mean_of(fields, m, "test_error") <= 0.8 * mean_of(fields, 1, "test_error")


@all_seeds
@pytest.mark.parametrize("m", [2, 3, 4])
def test_each_margin_has_at_most_three_fifths_of_the_angle_of_softmax(main_job, m):
    fields, _, _ = main_job
    assert mean_of(fields, m, "to_weight") <= 0.6 * mean_of(fields, 1, "to_weight")


def test_the_readme_shows_what_the_main_job_gives(main_job):
    """To the digit only on one machine with one NumPy; here, to 3 standard errors.

    Those of the difference of two means, one over 5 seeds and one over SEEDS; of twice
    the deviation recorded, since one over 5 seeds is below half the true one in 1 case
    of 11 (chi-squared with 4 degrees of freedom below 1).
    """
    fields, _, _ = main_job
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    assert fields["settings"] == recorded["settings"]
    for measure in ("test_error", "to_weight", "within", "between"):
        for row, shown in zip(fields["rows"], recorded["rows"], strict=True):
            error = (1 / 5 + 1 / SEEDS) ** 0.5 * 2 * shown[measure]["deviation"]
            difference = abs(row[measure]["mean"] - shown[measure]["mean"])
            assert difference <= 3 * error, (row["m"], measure)


def test_every_network_of_the_main_job_learns_its_own_digits(main_job):
    fields, _, _ = main_job
    assert max(run["train"]["error"] for run in fields["runs"]) < 0.01


def test_the_numbers_of_the_table_follow_from_those_of_the_runs(main_job):
    fields, _, _ = main_job
    for row in fields["rows"]:
        errors = [r["test"]["error"] for r in fields["runs"] if r["m"] == row["m"]]
        assert len(errors) == SEEDS
        assert row["test_error"]["mean"] == pytest.approx(statistics.mean(errors))
        assert row["test_error"]["deviation"] == pytest.approx(statistics.stdev(errors))


def test_the_table_and_the_sentence_say_the_numbers(main_job):
    fields, words, _ = main_job
    for row in fields["rows"]:
        name = "softmax" if row["m"] == 1 else f"m = {row['m']}"
        mean, deviation = (100 * value for value in row["test_error"].values())
        cell = f"{mean:.1f} \N{PLUS-MINUS SIGN} {deviation:.1f}"
        assert re.search(f"^{name} .* {cell}", words, re.MULTILINE)
    fewer = 1 - mean_of(fields, 2, "test_error") / mean_of(fields, 1, "test_error")
    assert f"m = 2 makes {100 * fewer:.0f} % fewer" in words


def test_differences_by_seed_are_those_of_the_runs(main_job):
    fields, _, _ = main_job
    errors = {(r["m"], r["seed"]): r["test"]["error"] for r in fields["runs"]}
    for pairs in fields["minus_softmax"]:
        for seed, difference in zip(pairs["seeds"], pairs["error"], strict=True):
            assert difference == errors[pairs["m"], seed] - errors[1, seed]


def test_the_figure_is_a_picture_with_something_on_it(main_job):
    _, _, path = main_job
    picture = matplotlib.image.imread(path)
    assert picture.shape[0] > 1000
    assert picture.shape[1] > 1500
    assert 0.02 < np.mean(picture[..., :3].min(axis=2) < 0.9) < 0.5


def test_the_figure_has_a_column_for_each_margin_and_a_row_for_each_part():
    a, b, c, d = map(panel, "abcd")
    figure = plots.figure_of_features([a, b], [c, d])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["a", "b", "c", "d"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["train", "", "test", ""]
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["0", "1", "2"]


def test_each_dot_has_its_place_and_its_class_s_colour():
    features = panel("any")
    axes = plots.draw_features(plots.new_figure()[1][0, 0], features)
    [dots] = axes.collections
    drawn = {
        (*place, *colour[:3])
        for place, colour in zip(dots.get_offsets(), dots.get_facecolors(), strict=True)
    }
    colours = [matplotlib.colors.to_rgb(c) for c in plots.class_colours(3)]
    expected = {(*x, *colours[y]) for x, y in zip(features.x, features.y, strict=True)}
    assert drawn == expected


def test_each_ray_points_where_its_weight_does():
    features = panel("any")
    axes = plots.draw_features(plots.new_figure()[1][0, 0], features)
    rays = [line.get_xydata() for line in axes.lines if len(line.get_xydata()) == 2]
    for ray, w in zip(rays, features.W.T, strict=True):
        assert ray[0].tolist() == [0, 0]
        np.testing.assert_allclose(np.arctan2(*ray[1]), np.arctan2(*w), rtol=1e-12)


@pytest.mark.parametrize("F", [1, 2, 3, 32])
def test_features_of_any_number_have_a_place_in_the_plane(F):
    rng = np.random.default_rng(F)
    plane, note = plots.plane_of(rng.normal(size=(F, 4)))
    assert plane.shape == (F, 2)
    # A shadow: no feature is longer in the plane than it was; in two dimensions, equal.
    lengths = np.linalg.svd(plane, compute_uv=False)
    np.testing.assert_allclose(lengths[: min(F, 2)], 1, rtol=1e-12)
    assert bool(note) == (F != 2)


# Source of the matrices: G. Machado, M. Oliveira and L. Fernandes, "A Physiologically-
# based Model for Simulation of Color Vision Deficiency" (2009), at full severity.
EYES = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.mark.parametrize("eyes", EYES)
def test_any_two_colours_of_digits_can_be_told_apart(eyes):
    srgb = np.array([matplotlib.colors.to_rgb(c) for c in plots.class_colours(10)])
    light = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = oklab(np.clip(light @ np.transpose(EYES[eyes]), 0, 1))
    first, second = np.triu_indices(10, k=1)
    # A just noticeable difference is about 0.02.
    assert np.linalg.norm(seen[first] - seen[second], axis=1).min() > 0.12


def test_the_same_seed_gives_the_same_table():
    assert run_command(*QUICK).output == run_command(*QUICK).output


def test_without_a_command_it_trains():
    assert run_command(*QUICK[1:]).output == run_command(*QUICK).output


def test_without_softmax_there_is_a_table_and_no_comparison():
    outcome = run_command(*QUICK, "--margins", "3")
    assert outcome.code == 0
    assert "m = 3" in outcome.output
    assert "softmax" not in outcome.output


def test_no_figure_is_replaced_and_the_new_one_s_name_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "npsoftmax.png").write_text("mine")
    outcome = run_command(*QUICK[:-1])
    assert (tmp_path / "npsoftmax.png").read_text() == "mine"
    assert "npsoftmax-2.png" in outcome.output
    assert (tmp_path / "npsoftmax-2.png").read_bytes().startswith(b"\x89PNG")


def test_a_chosen_file_that_exists_is_refused_before_training(tmp_path, monkeypatch):
    (tmp_path / "mine.png").write_text("mine")
    monkeypatch.setattr(experiment, "trained", None)
    outcome = run_command(*QUICK[:-1], "--out", str(tmp_path / "mine.png"))
    assert outcome.code == 2
    assert "mine.png exists: choose another --out, or add --force" in outcome.errors


def test_with_force_the_chosen_file_is_replaced(tmp_path):
    path = tmp_path / "mine.svg"
    path.write_text("mine")
    assert run_command(*QUICK[:-1], "--out", str(path), "--force").code == 0
    assert "<svg" in path.read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["mine.svg"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--margins", "0"], "--margins: 0 is not a whole number from 1"),
        (["--margins", "2.5"], "--margins: 2.5 is not a whole number from 1"),
        (["--margins", "2", "2"], "has a margin twice"),
        (["--seeds", "many"], "--seeds: many is not a whole number from 1"),
        (["--lam-min", "0"], "--lam-min: 0 is not a number above 0"),
        (["--lam-min", "2000"], "2000 is not a number above 0 and up to 1000"),
        (["--rate", "nan"], "--rate/--lr: nan is not a number above 0"),
        (["--out", "figure.docx"], "figure.docx: the figure is a .png, .pdf or .svg"),
        (["--out", "no/such/folder.png"], "no folder no/such that can be written"),
        (["--data", "no/such/folder"], "no/such/folder: expected a folder"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_one_clear_line(
    arguments, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    outcome = run_command(*QUICK[:-1], *arguments)
    assert outcome.code == 2
    assert message in outcome.errors.splitlines()[-1]
    assert outcome.output == ""
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_with_the_results_so_far(monkeypatch):
    monkeypatch.setattr(experiment, "trained", two_runs_and_then(KeyboardInterrupt))
    outcome = run_command(*QUICK, "--seeds", "3")
    assert outcome.code == 1
    assert "stopped after 2 of 6 networks" in outcome.errors
    assert "m = 2" in outcome.output
    assert "50 % fewer" in outcome.output


def test_ctrl_c_before_the_first_result_says_so(monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(experiment, "trained", interrupted)
    outcome = run_command(*QUICK)
    assert outcome.code == 1
    assert "stopped after 0 of 2 networks" in outcome.errors
    assert outcome.output == ""


def test_a_diverging_run_says_which_and_leaves_the_results_so_far(monkeypatch):
    error = DivergenceError("training diverged; try a lower rate")
    monkeypatch.setattr(experiment, "trained", two_runs_and_then(error))
    outcome = run_command(*QUICK, "--seeds", "2")
    assert outcome.code == 1
    assert "seed 1, m = 1: training diverged; try a lower rate" in outcome.errors
    assert "m = 2" in outcome.output


def test_a_rate_that_is_too_high_ends_with_the_advice_and_no_warning():
    outcome = run_command(*QUICK, "--rate", "1000", "--epochs", "3")
    assert outcome.code == 1
    assert "learning rate below 1000" in outcome.errors


def test_json_is_all_there_is_on_standard_output_and_knows_no_nan():
    outcome = run_command(*QUICK, "--json")
    fields = json.loads(outcome.output, parse_constant=pytest.fail)
    assert fields["rows"][0]["test_error"]["deviation"] is None


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colours_only_on_a_terminal_and_not_with_no_color(monkeypatch, no_color):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")
    assert "\033" not in run_command(*QUICK).output
    assert ("\033[1m" in run_command(*QUICK, stream=Terminal).output) == (not no_color)


def test_on_a_terminal_one_line_is_written_anew_elsewhere_a_line_for_each_network(
    monkeypatch,
):
    monkeypatch.setenv("TERM", "xterm")
    live = run_command(*QUICK, stream=Terminal).errors
    assert live.count("\n") == 0
    assert "seed 0, m = 2, epoch   1  lambda" in live
    assert live.endswith("\r\033[K")
    plain = run_command(*QUICK).errors
    assert re.fullmatch(
        r"1 of 2: seed 0, m = 1, test error \d+\.\d%\n"
        r"2 of 2: seed 0, m = 2, test error \d+\.\d%\n",
        plain,
    )


def test_the_sentence_is_true_also_where_a_margin_does_not_help():
    rows = [
        row(1, error=0.10, angle=10.0),
        row(2, error=0.10, angle=5.0),
        row(3, error=0.12, angle=12.0),
    ]
    assert experiment.reading(rows) == (
        "Against softmax, on images not trained on, m = 2 makes as many and m = 3 20 % "
        "more errors; the mean angle to the own class's weight is 50 % smaller and 20 "
        "% larger."
    )


def test_a_set_with_no_errors_at_all_can_be_compared():
    rows = [row(1, error=0.0, angle=10.0), row(2, error=0.1, angle=math.nan)]
    assert "m = 2 makes more errors" in experiment.reading(rows)
    assert "weight is unknown" in experiment.reading(rows)


def test_training_needs_little_more_memory_than_the_images():
    x = np.zeros((6_000, 784), np.float32)
    x[:, 0] = y = np.arange(len(x)) % 10
    settings = Settings(epochs=1, batch=512)
    tracemalloc.start()
    list(experiment.trained(Dataset(x, y, x[:100], y[:100]), [4], [0], settings))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.5 * x.nbytes


def test_help_names_each_command_and_shows_examples():
    outcome = run_command("--help")
    assert outcome.code == 0
    for name in command_names():
        assert re.search(rf"^ +{name} +\w", outcome.output, re.MULTILINE)
    assert "examples:" in outcome.output


@pytest.mark.parametrize("name", command_names())
def test_each_command_explains_itself(name):
    outcome = run_command(name, "--help")
    assert outcome.code == 0
    assert outcome.output.startswith(f"usage: npsoftmax {name}")


@pytest.mark.parametrize("words", [[], *([name] for name in command_names())])
def test_no_line_of_help_is_wider_than_80_columns(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = run_command(*words, "--help").output.splitlines()
    assert max(map(len, lines)) <= 80


def test_the_table_is_no_wider_than_80_columns(main_job):
    _, words, _ = main_job
    assert max(map(len, words.splitlines())) <= 80


def test_each_default_in_the_help_of_train_is_the_one_in_force():
    args = build_parser().parse_args(["train"])
    text = " ".join(run_command("train", "--help").output.split())
    assert f"(default: {' '.join(map(str, args.hidden))})" in text
    assert f"(default: {' '.join(map(str, args.margins))})" in text
    assert f"each from its own seed (default: {args.seeds})" in text


def test_an_unknown_command_is_an_error_that_names_the_known_ones():
    outcome = run_command("trian")
    assert outcome.code == 2
    assert "train" in outcome.errors


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


class File(io.StringIO):
    encoding = "utf-8"


def run_command(*arguments, stream=File):
    """Run the command line in this process and return what it wrote."""
    output, errors = stream(), stream()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = main(arguments)
    return Outcome(code, output.getvalue(), errors.getvalue())


def mean_of(fields, m, name):
    [row] = [row for row in fields["rows"] if row["m"] == m]
    return row[name]["mean"]


def panel(title):
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(20, 2)), rng.normal(size=(2, 3))
    return plots.Features(x, np.arange(20) % 3, W, title)


def row(m, error, angle):
    one = experiment.Spread(0.0, 0.0)
    error, angle = experiment.Spread(error, 0.0), experiment.Spread(angle, 0.0)
    return experiment.Row(m, (0,), one, error, angle, one, one)


def two_runs_and_then(error):
    """Return a stand-in for experiment.trained: softmax, a better m = 2, an error."""

    def trained(*arguments):
        params = init_params(np.random.default_rng(0))
        for m, rate in ((1, 0.2), (2, 0.1)):
            measures = Measures(rate, 5.0, 4.0, 30.0, 0)
            yield experiment.Run(m, 0, measures, measures, params)
        raise error

    return trained


def oklab(light):
    """Return linear RGB light (N, 3) in OKLab (B. Ottosson, 2020)."""
    to_cones = np.array([
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ])  # fmt: skip
    to_lab = np.array([
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ])  # fmt: skip
    return np.cbrt(light @ to_cones.T) @ to_lab.T
