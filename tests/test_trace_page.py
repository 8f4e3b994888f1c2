"""The page of a trace: its data are the trace's, it needs no network, and going back
shows what was there before.
"""

import contextlib
import html
import inspect
import itertools
import json
import re

import browser
import numpy as np
import pytest

from npsoftmax import textbook
from npsoftmax.__main__ import main
from npsoftmax.trace import EXAMPLES, trace
from npsoftmax.trace.numbers import cells

LINES = inspect.getsource(textbook).splitlines()


@pytest.fixture(scope="module", params=EXAMPLES)
def traced(request):
    return trace(request.param)


@pytest.fixture(scope="module")
def data(traced):
    """The JSON block of the page."""
    pattern = r'(?s)<script type="application/json"[^>]*>(.*?)</script>'
    [block] = re.findall(pattern, traced.html())
    return json.loads(block)


# What is in the data


def test_the_numbers_are_those_that_the_functions_had_to_the_last_digit(traced, data):
    for step, shown in zip(traced.steps, data["steps"], strict=True):
        assert [name for name, *_ in shown["names"]] == list(step.after)
        for (_, _, value, _), right in zip(
            shown["names"], step.after.values(), strict=True
        ):
            if not isinstance(right, tuple):
                assert data["values"][value]["numbers"] == np.asarray(right).tolist()
                assert data["values"][value]["cells"] == cells(right)


def test_a_gradient_has_its_finite_difference_beside_it(traced, data):
    shown = [(i, row) for i, step in enumerate(data["steps"]) for row in step["rows"]]
    assert [(i, row["name"], row["note"]) for i, row in shown] == [
        (row.step, row.name, row.note) for row in traced.rows
    ]
    for (_, row), right in zip(shown, traced.rows, strict=True):
        assert ("numeric" in row) == (right.numeric is not None)
        if "numeric" in row:
            numeric = data["values"][row["numeric"]]["numbers"]
            assert numeric == right.numeric.tolist()
            assert row["difference"] == f"{right.difference:.0e}"


def test_the_lines_are_those_of_the_file(data):
    for function in data["functions"].values():
        for i, (code, comment, _) in enumerate(function["lines"]):
            line = LINES[function["first"] - 1 + i]
            assert code + comment == line.removesuffix("  # fmt: skip")


def test_the_cells_that_are_lit_are_those_that_differ_from_the_step_before(data):
    before = {}
    for step in data["steps"]:
        now = {name: data["values"][value] for name, _, value, _ in step["names"]}
        old = before.get(step["call"], {})
        changed = {name for name in now if now[name] != old.get(name)}
        assert changed <= set(step["writes"])
        for name in step["writes"]:
            assert step["changed"][name] == differing(old.get(name), now[name])
        before[step["call"]] = now


def differing(old, new):
    """Return which cells of a value are other than before, or all where it is new."""
    if "numbers" not in new:
        return []
    cells = np.atleast_2d(new["numbers"])
    if old is None or old.get("shape") != new["shape"]:
        return np.ones(cells.shape, bool).tolist()
    return (cells != np.atleast_2d(old["numbers"])).tolist()


def test_what_a_line_reads_stands_in_it_with_its_number(data):
    known = {}
    for step in data["steps"]:
        text = " ".join(LINES[step["lines"][0] - 1 : step["lines"][1]])
        for name, value in (each for each in step["formula"] if isinstance(each, list)):
            assert re.search(rf"\b{name}\b", text)
            assert name in step["reads"]
            assert value == known[step["call"]][name]
        known[step["call"]] = {name: value for name, _, value, _ in step["names"]}


@pytest.mark.parametrize("what", ["psi", "l-softmax", "mlp"])
def test_a_page_is_under_300_kb_and_asks_for_nothing_from_outside(what):
    page = trace(what, margin=100).html()  # the most steps
    assert len(page.encode()) < 300_000
    assert not re.search(r"https?:|//[a-z]|@import|url\(|src=|href=|fetch\(", page)


def test_the_same_numbers_give_the_same_page():
    assert trace("psi", angle=30).html() == trace("psi", angle=30).html()


def test_the_picture_has_a_point_for_each_row_that_has_an_angle():
    assert trace("psi").html().count("<circle") == 1
    assert trace("mlp").html().count("<circle") == 2
    assert trace("l-softmax", norms=(0, 1)).html().count("<circle") == 0
    assert "<svg" not in trace("softmax").html()


def test_a_notebook_s_cell_holds_the_page_itself_in_a_frame(traced):
    [inside] = re.findall(
        r"(?s)<iframe [^>]*srcdoc='([^']*)'></iframe>", traced._repr_html_()
    )
    assert html.unescape(inside) == traced.html()


# The command


def test_the_command_writes_the_page_and_never_over_a_file_unasked(tmp_path, capsys):
    path = tmp_path / "steps.html"
    assert main(["trace", "psi", "--html", str(path)]) == 0
    assert path.read_text() == trace("psi").html()
    capsys.readouterr()
    assert main(["trace", "softmax", "--html", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"npsoftmax: {path} exists: choose another, or add --force\n"
    )
    assert path.read_text() == trace("psi").html()
    assert main(["trace", "softmax", "--html", str(path), "--force"]) == 0
    assert path.read_text() == trace("softmax").html()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--step", "--html", "a.html"], "one of them"),
        (["--force"], "which is not given"),
        (["--html", "no/a.html"], "no/a.html cannot be written: No such file"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(
    options, words, tmp_path, capsys
):
    with contextlib.chdir(tmp_path):
        assert main(["trace", "psi", *options]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


# In a browser, which is slow to start: all pages in one, as the cells of a notebook


SCRIPT = """
const cells = Array.from(document.getElementsByTagName("iframe"));
const textIn = (id) => (frame) => frame.document.getElementById(id).innerText;
const keys = ["ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"];
let state = 7;
const random = (n) => (state = (state * 1103515245 + 12345) % 2147483648) % n;

// Walks at random in a page, and counts the steps that look unlike the first time.
function walk({document, KeyboardEvent}) {
  const byId = (id) => document.getElementById(id);
  const look = () => byId("runs").innerHTML + document.querySelector("main").innerHTML;
  const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", {key}));
  const at = () => parseInt(byId("count").textContent, 10) - 1, seen = [look()];
  while (!byId("next").disabled) { byId("next").click(); seen.push(look()); }
  let unlike = 0;
  for (let i = 0; i < 200; i++) {
    if (i % 3) press(keys[random(keys.length)]);
    else byId(["back", "next"][random(2)]).click();
    if (look() !== seen[at()]) unlike += 1;
    const here = at();
    press("ArrowRight");
    if (at() > here) press("ArrowLeft");
    if (at() !== here) unlike += 1;
  }
  press("Home");
  return [unlike, new Set(seen).size];
}

addEventListener("load", async () => {
  const frames = cells.map((cell) => cell.contentWindow);
  const walks = frames.map(walk);
  frames[0].document.getElementById("next").click();
  const counts = frames.map(textIn("count"));
  frames.forEach((frame, i) => (frame.location.hash = encodeURIComponent(names[i])));
  await new Promise((done) => setTimeout(done, 500));
  const opened = ["count", "line", "gradient"].map((id) => frames.map(textIn(id)));
  document.body.dataset.said = JSON.stringify({walks, counts, opened});
});
"""
OPENED = {  # a name to open each example at
    "softmax": "dz", "cross-entropy": "dz", "psi": "dpsi/dtheta", "l-softmax": "dW",
    "mlp": "dW1",
}  # fmt: skip


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the script says of the page of each example, all in one notebook."""
    if not browser.CHROMIUM:
        pytest.skip("there is no Chromium")
    frames = "".join(trace(what)._repr_html_() for what in EXAMPLES)
    names = json.dumps([OPENED[what] for what in EXAMPLES])
    path = tmp_path_factory.mktemp("browser") / "cells.html"
    script = f"<script>const names = {names};{SCRIPT}</script>"
    path.write_text(f"<!DOCTYPE html><title>cells</title>{frames}{script}")
    [words] = re.findall(r'<body data-said="([^"]*)"', browser.shown(path))
    return json.loads(html.unescape(words))


def test_a_random_walk_leaves_every_page_as_it_was(said):
    steps = [len(trace(what).steps) for what in EXAMPLES]
    assert said["walks"] == [[0, count] for count in steps]


def test_two_pages_of_one_notebook_do_not_touch_each_other(said):
    assert [int(count.split()[0]) for count in said["counts"]] == [2, 1, 1, 1, 1]


def test_a_page_opens_at_a_name_and_shows_its_numbers(said):
    shown = zip(*said["opened"], strict=True)
    for what, (count, line, gradient) in zip(EXAMPLES, shown, strict=True):
        traced, name = trace(what), OPENED[what]
        row = traced[name]
        assert count == f"{row.step + 1} of {len(traced.steps)}"
        assert f"{name}, by hand" in gradient
        assert f"relative difference\n{row.difference:.0e}" in gradient
        for number in itertools.chain(*cells(row.value)):
            assert number in line
            assert number in gradient
