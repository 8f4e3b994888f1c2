"""In: the name of a layer and a few numbers. Out: a Trace, every line of the page
textbook.py that a hand-sized example runs, forward and back, with its numbers.

Nothing that a Trace shows is written here, or computed again: its lines are the page's,
the values are those its functions have while they run, and each gradient stands beside
its finite difference.

    stepping.py     runs functions of a module, a line at a time
    passes.py       a forward through some layers, and its backward
    examples.py     which layers, on which numbers
    differences.py  a gradient once more, by differences
    beside.py       a person's functions on the same numbers
    numbers.py      their text, and how far two are apart
    lines.py        a row for each value, with what is to be said of it
    text.py         the rows in a terminal
    page.py         the steps as data for page.html, which goes both ways
    picture.py      psi, with the angles on it
"""

from collections.abc import Iterator
from dataclasses import dataclass

from npsoftmax.trace import page, text
from npsoftmax.trace.beside import beside
from npsoftmax.trace.examples import EXAMPLES, example
from npsoftmax.trace.lines import Row, remarks_on, rows_of
from npsoftmax.trace.passes import Run, run_both
from npsoftmax.trace.stepping import Step

__all__ = ["EXAMPLES", "Row", "Step", "Trace", "trace"]


@dataclass(frozen=True)
class Trace:
    """A forward and its backward, line by line; print it, or show it in a notebook."""

    title: str
    runs: tuple[Run, ...]
    steps: tuple[Step, ...]
    rows: tuple[Row, ...]
    yours: tuple[str, ...] = ()  # what a comparison with other functions has found

    @property
    def forward(self) -> tuple[Row, ...]:
        """The rows of the forward."""
        end = self.runs[-1].forward.stop
        return tuple(row for row in self.rows if row.step < end)

    @property
    def backward(self) -> tuple[Row, ...]:
        """The rows of the backward, the first of which is given."""
        return self.rows[len(self.forward) :]

    def __getitem__(self, name: str) -> Row:
        """Return the last row of a name, such as trace["dz"]."""
        for row in reversed(self.rows):
            if row.name == name:
                return row
        names = ", ".join(dict.fromkeys(row.name for row in self.rows))
        raise KeyError(f"{name} is not in this trace: {names}")

    def html(self) -> str:
        """Return a page that steps both ways: a whole HTML file, for any browser."""
        return page.page(self)

    def _repr_html_(self) -> str:
        return page.frame(self)

    def blocks(self, paint=lambda text, look: text) -> Iterator[str]:
        """Yield the text of the Trace, a row at a time, the headings with the first.

        paint(text, look): gives text a look, such as `npsoftmax.terminal.painter`.
        """
        return text.blocks(self, paint)

    def __str__(self) -> str:
        return "\n".join(self.blocks())

    __repr__ = __str__


def trace(
    what, *, margin=None, angle=None, norms=None, lam=None, seed=None, yours=None
) -> Trace:
    """Return the Trace of a hand-sized example, in float64.

    what: "softmax", "cross-entropy", "psi", "l-softmax" or "mlp".

    margin: an integer, 1 to 100 (default 4); angle: degrees between the features and
    their class's weight, 0 to 180 (default 150); norms: |x| and |W_y|, 0 or 1e-150 to
    1e150 (default 2, 1); lam: from 0 (default 0); seed: draws the other numbers,
    instead of those chosen by hand.

    yours: other functions to be shown beside the page's, a path or what
    `npsoftmax.checks.check` takes; they have the names of `npsoftmax start FILE`. The
    first value by which they part from the page is marked.

    Raises ValueError or TypeError for an argument that is not one of these, or that
    this example does not have.
    """
    options = {
        "margin": margin, "angle": angle, "norms": norms, "lam": lam, "seed": seed
    }  # fmt: skip
    title, runs, cotangent = example(what, options)
    steps = run_both(runs, cotangent)
    values, words = beside(yours, runs, steps)
    remarks = remarks_on(runs, steps, cotangent)
    rows = rows_of(steps, runs, remarks, values)
    return Trace(title, tuple(runs), tuple(steps), tuple(rows), words)
