"""What the README shows is what the commands print: `python tests/readme.py` writes it
anew between its marks, and test_readme.py compares.

The table comes from digits.json, which `npsoftmax train --json` printed; what is said
of MNIST, here and in mnist.md, from mnist.json, which the command in mnist.md printed.
"""

import contextlib
import io
import json
import re
import tempfile
from pathlib import Path

import plantings

from npsoftmax import __main__ as command_line
from npsoftmax import experiment
from npsoftmax.commands import report
from npsoftmax.intervals import Interval

README = Path(__file__).parent.parent / "README.md"
RECORD = Path(__file__).parent / "digits.json"
MNIST = Path(__file__).parent / "mnist.md"
MISTAKE = ("cross_entropy_backward", "one-hot in column y[0]")


def main():
    write(README, shown())
    write(MNIST, [("npsoftmax", mnist())])


def write(path, blocks):
    """Put what is printed now behind the marks of a file."""
    text = path.read_text(encoding="utf-8")
    for mark, printed in blocks:
        text = text.replace(block(text, mark), printed)
    path.write_text(text, encoding="utf-8")


def shown():
    """Yield the mark of each block, and what its command prints."""
    yield "npsoftmax", table()
    yield "npsoftmax check", failure()


def block(text, mark):
    """Return what stands in a text behind a mark."""
    pattern = rf"<!-- {mark} -->\n```text\n(.*?)```\n"
    return re.search(pattern, text, flags=re.DOTALL).group(1)


def recorded(path=RECORD):
    """Return the Rows and Pairs of a file that `npsoftmax train --json` printed."""
    fields = json.loads(path.read_text(encoding="utf-8"))
    rows = [experiment.Row(**_with(experiment.Spread, row)) for row in fields["rows"]]
    pairs = [
        experiment.Pair(**_with(Interval, pair)) for pair in fields["minus_softmax"]
    ]
    return rows, pairs


def _with(kind, fields):
    """Return the fields, those that are dicts as this kind of NamedTuple."""
    return {
        name: kind(**value) if isinstance(value, dict) else value
        for name, value in fields.items()
    }


def page():
    return report.Page.of(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))


def table():
    """Return the table, without the words and the pairs below it, for length."""
    return f"{report.table(recorded()[0], page())}\n"


def mnist():
    """Return all that was printed on MNIST, without what to do next."""
    return f"{report.report(*recorded(MNIST.with_suffix('.json')), page())}\n"


def mnist_in_short():
    """Return what the README says of MNIST."""
    softmax, *margins = recorded(MNIST.with_suffix(".json"))[0]
    errors = report.listed([f"{100 * row.test_error.mean:.2f}" for row in margins])
    angles = report.listed([f"{row.to_weight.mean:.1f}" for row in margins])
    of_softmax = f"{softmax.to_weight.mean:.1f} degrees and "
    of_softmax += f"{100 * softmax.test_error.mean:.2f} % errors"
    return f"softmax: {of_softmax}; m = 2, 3 and 4: {angles} degrees, {errors} %"


def example(text):
    """Return what the README's Python prints, and the comment that says so."""
    code = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL).group(1)
    return printed_by(lambda: exec(code, {})), code.rsplit("# ", 1)[1]


def failure():
    """Return what `npsoftmax check` says of a file with one mistake, up to its name."""
    function, mistake = MISTAKE
    source = plantings.planted(function, mistake)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("homework.py").write_text(source, encoding="utf-8")
        words = printed_by(
            lambda: command_line.main(["check", "homework.py", "-k", function])
        )
    return words[words.index(f"  {function}: ") : words.index("    how we know")]


def printed_by(action):
    """Return what the action prints."""
    words = io.StringIO()
    with contextlib.redirect_stdout(words):
        action()
    return words.getvalue()


if __name__ == "__main__":
    main()
