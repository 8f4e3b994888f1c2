"""The page of a trace: its data are the caches', it needs no network, and going back
shows what was there before.
"""

import contextlib
import html
import inspect
import json
import re
from urllib.parse import quote

import browser
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npsoftmax import textbook
from npsoftmax.__main__ import main
from npsoftmax.trace import EXAMPLES, trace
from npsoftmax.trace.numbers import cells

every_example = pytest.mark.parametrize("what", EXAMPLES)
in_a_browser = pytest.mark.skipif(not browser.CHROMIUM, reason="there is no Chromium")


def data_in(page):
    """Return the JSON block of a page."""
    [block] = re.findall(
        r'(?s)<script type="application/json"[^>]*>(.*?)</script>', page
    )
    return json.loads(block)


def fields(cache):
    """Yield (name, value) of a cache's fields, a cache inside it in its place."""
    for name, value in cache._asdict().items():
        if isinstance(value, tuple):
            yield from fields(value)
        else:
            yield name, value


# What is in the data


@given(
    st.sampled_from(["softmax", "cross-entropy", "l-softmax", "mlp"]),
    st.integers(0, 99),
)
def test_the_numbers_are_those_of_the_caches_to_the_last_digit(what, seed):
    traced = trace(what, seed=seed)
    data = data_in(traced.html())
    for run in traced.runs:
        shown = shown_by(data, run.forward)
        for name, value in fields(run.cache):
            name = {"psi": "psi_c", "loss": "loss"}.get(name, name)
            assert shown[name] == np.asarray(value).tolist(), name


def shown_by(data, steps):
    """Return the numbers of each name as the last of these steps has them."""
    found = {}
    for i in steps:
        for name, _, value, _ in data["steps"][i]["names"]:
            found[name] = data["values"][value].get("numbers")
    return found


@given(st.integers(1, 100), st.integers(0, 180))
def test_so_are_those_of_psi(m, degrees):
    data = data_in(trace("psi", margin=m, angle=degrees).html())
    value, cache = textbook.psi_forward(np.cos(np.radians(float(degrees))), m)
    shown = shown_by(data, range(len(data["steps"])))
    assert shown["psi_c"] == value
    assert shown["dpsi_dc"] == textbook.psi_backward(1.0, cache)
    for name, number in fields(cache._replace(psi=0)):
        assert name == "psi" or shown[name] == number


@every_example
def test_a_gradient_has_its_finite_difference_beside_it(what):
    traced = trace(what)
    data = data_in(traced.html())
    beside = {
        (i, row["name"]): data["values"][row["numeric"]]["numbers"]
        for i, step in enumerate(data["steps"])
        for row in step["rows"]
        if "numeric" in row
    }
    assert beside == {
        (row.step, row.name): row.numeric.tolist()
        for row in traced.rows
        if row.numeric is not None
    }


@every_example
def test_the_lines_are_those_of_the_file(what):
    lines = inspect.getsource(textbook).splitlines()
    for function in data_in(trace(what).html())["functions"].values():
        for i, (code, comment, _) in enumerate(function["lines"]):
            line = lines[function["first"] - 1 + i]
            assert code + comment == line.removesuffix("  # fmt: skip")


@every_example
def test_the_cells_that_are_lit_are_those_that_differ_from_the_step_before(what):
    data, before = data_in(trace(what).html()), {}
    for step in data["steps"]:
        now = {name: data["values"][value] for name, _, value, _ in step["names"]}
        old = before.get(step["call"], {})
        assert {name for name in now if now[name] != old.get(name)} <= set(
            step["writes"]
        )
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


@every_example
def test_what_a_line_reads_stands_in_it_with_its_number(what):
    data, lines = data_in(trace(what).html()), inspect.getsource(textbook).splitlines()
    known = {}
    for step in data["steps"]:
        text = " ".join(lines[step["lines"][0] - 1 : step["lines"][1]])
        for name, value in (
            piece for piece in step["formula"] if isinstance(piece, list)
        ):
            assert re.search(rf"\b{name}\b", text)
            assert name in step["reads"]
            assert value == known[step["call"]][name]
        known[step["call"]] = {name: value for name, _, value, _ in step["names"]}


@given(st.sampled_from(list(EXAMPLES)), st.sampled_from([1, 4, 100]))
def test_a_page_is_under_300_kb_and_asks_for_nothing_from_outside(what, m):
    options = {"margin": m} if "margin" in EXAMPLES[what][1] else {}
    page = trace(what, **options).html()
    assert len(page.encode()) < 300_000
    assert not re.search(r"https?:|//[a-z]|@import|url\(|src=|href=|fetch\(", page)


def test_the_same_numbers_give_the_same_page():
    assert trace("mlp", seed=3).html() == trace("mlp", seed=3).html()


def test_the_picture_has_a_point_for_each_row_that_has_an_angle():
    assert trace("psi").html().count("<circle") == 1
    assert trace("mlp").html().count("<circle") == 2
    assert trace("l-softmax", norms=(0, 1)).html().count("<circle") == 0
    assert "<svg" not in trace("softmax").html()


# In a cell of a notebook


def test_a_notebook_s_cell_holds_the_page_itself_in_a_frame():
    traced = trace("cross-entropy")
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


@pytest.mark.parametrize("options", [["--step", "--html", "a.html"], ["--force"]])
def test_options_that_do_not_go_together_are_named(options, tmp_path, capsys):
    with contextlib.chdir(tmp_path):
        assert main(["trace", "psi", *options]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["trace", "psi", "--html", str(tmp_path / "no" / "a.html")]) == 2
    assert "cannot be written: No such file" in capsys.readouterr().err


# In a browser, which is slow to start: many pages in one, as the cells of a notebook


def notebook(path, traces, script):
    """Write a page with a frame for each trace, and a script that is given them."""
    frames = "".join(traced._repr_html_() for traced in traces)
    path.write_text(f"""<!DOCTYPE html><title>cells</title>{frames}<script>
const cells = document.getElementsByTagName("iframe");
const frames = () => Array.from(cells, (cell) => cell.contentWindow);
const say = (words) => document.body.setAttribute("data-said", words);
addEventListener("load", () => {{ {script} }});
</script>""")
    return path


WALK = """
// Walks at random in each page, and counts the steps that look unlike the first time.
const keys = ["ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"];
let state = 7;
const random = (n) => (state = (state * 1103515245 + 12345) % 2147483648) % n;
say(frames().map(({document, KeyboardEvent}) => {
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
  return `${unlike} of 200 over ${new Set(seen).size}`;
}));
"""


@in_a_browser
def test_a_random_walk_leaves_every_cell_as_it_was(tmp_path):
    traces = [trace(what) for what in EXAMPLES]
    page = notebook(tmp_path / "walk.html", traces, WALK)
    said = ",".join(f"0 of 200 over {len(traced.steps)}" for traced in traces)
    assert f'data-said="{said}"' in browser.shown(page)


@in_a_browser
def test_two_pages_of_one_notebook_do_not_touch_each_other(tmp_path):
    script = """
    const pages = frames().map((frame) => frame.document);
    pages[0].getElementById("next").click();
    say(pages.map((page) => page.getElementById("count").textContent));
    """
    page = notebook(tmp_path / "two.html", [trace("psi"), trace("softmax")], script)
    assert 'data-said="2 of 25,1 of 12"' in browser.shown(page)


@in_a_browser
@pytest.mark.parametrize(
    ("what", "name"), [("l-softmax", "dW"), ("psi", "dpsi/dtheta")]
)
def test_the_page_opens_at_a_line_and_shows_its_numbers(what, name, tmp_path):
    traced, path = trace(what), tmp_path / "steps.html"
    path.write_text(traced.html())
    row = traced[name]
    text = browser.words(browser.shown(path, quote(name, safe="")))
    assert f"{row.step + 1} of {len(traced.steps)}" in text
    assert f"{name}, by hand" in text
    assert f"relative difference {row.difference:.0e}" in text
    assert all(
        number in text for cells_of_row in cells(row.value) for number in cells_of_row
    )
