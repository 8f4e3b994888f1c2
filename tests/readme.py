"""What the README shows is what the commands print: `python tests/readme.py` writes it
anew between its marks, and test_readme.py compares.

The table comes from digits.json, which `npsoftmax train --json` printed.
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
from npsoftmax.commands import train
from npsoftmax.metrics import Measures

README = Path(__file__).parent.parent / "README.md"
RECORD = Path(__file__).parent / "digits.json"
MISTAKE = ("cross_entropy_backward", "one-hot in column y[0]")
BLOCK = r"(<!-- {} -->\n```text\n)(.*?)(```\n)"


def main():
    text = README.read_text(encoding="utf-8")
    for mark, printed in shown():
        text = re.sub(BLOCK.format(mark), rf"\g<1>{escaped(printed)}\g<3>", text,
                      flags=re.DOTALL)  # fmt: skip
    README.write_text(text, encoding="utf-8")


def shown():
    """Yield the mark of each block, and what its command prints."""
    yield "npsoftmax", table()
    yield "npsoftmax check", failure()


def block(text, mark):
    """Return what stands in the README behind a mark."""
    return re.search(BLOCK.format(mark), text, flags=re.DOTALL).group(2)


def escaped(printed):
    return printed.replace("\\", r"\\")


def recorded_runs():
    """Return the Runs of digits.json, without their parameters."""
    return [
        experiment.Run(
            run["m"], run["seed"], Measures(**run["train"]), Measures(**run["test"]), ()
        )
        for run in json.loads(RECORD.read_text(encoding="utf-8"))["runs"]
    ]


def table():
    """Return the table, without the differences seed by seed, for length."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    rows, _differences, _reading = train._report(recorded_runs(), stream).split("\n\n")
    return f"{rows}\n"


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
