"""Forty students: right ones in several writings, mistakes, notebooks, hostile files.

    python tests/class_of_forty.py FOLDER       writes the class into a new folder

A student has files, by their names in the folder, and what is to come of them: the
functions that lose points, the others having every point. Forms differ, too: some files
lie in the folder itself, some in a folder of their own, some as Moodle unpacks them.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from plantings import planted

from npsoftmax import textbook
from npsoftmax.checks import CONTRACT

EVERY = frozenset(CONTRACT)
SOLUTIONS = Path(__file__).parent / "solutions"
LOOPS, HOT = ((SOLUTIONS / f"{n}.py").read_text("utf-8") for n in ("loops", "one_hot"))
PAGE = "".join(  # without what it asserts, so that a mistake in psi goes on and on
    line
    for line in Path(textbook.__file__).read_text("utf-8").splitlines(keepends=True)
    if not line.startswith("    assert")
)


class Student(NamedTuple):
    files: dict  # {name in the folder: source}
    loses: frozenset = frozenset()  # the functions that have not every point
    why: str = ""  # what the problem or the functions that lose are said to have


def students(**files):
    """Return {name: Student} of files NAME.py: the source, what it loses, and why."""
    return {
        name: Student({f"{name}.py": source}, frozenset(loses), "".join(why))
        for name, (source, loses, *why) in files.items()
    }


def with_lines(function, *lines, source=PAGE):
    """Return the source with lines at the beginning of a function."""
    head = next(
        row for row in source.splitlines() if row.startswith(f"def {function}(")
    )
    return source.replace(head, "\n    ".join([head, *lines]))


def notebook(*cells):
    cells = [
        {"cell_type": "code", "source": each.splitlines(keepends=True)}
        | {"metadata": {}, "outputs": [], "execution_count": None}
        for each in cells
    ]
    return json.dumps(
        {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )


def changed(right, wrong, source=PAGE):
    assert right in source
    return source.replace(right, wrong)


def calls_of(source, helper):
    """Return the source in which every function calls a helper first."""
    for name in CONTRACT:
        source = with_lines(name, "helper()", source=source)
    return f"{helper}\n\n\n{source}"


def zeros():
    """Return functions with results of the right form, and nothing but zeros."""
    forms = {
        "logsumexp": "np.zeros(np.max(z, axis=axis).shape)",
        "cross_entropy_forward": "0.0, (z,)",
        "linear_forward": "np.zeros((len(x), W.shape[1])), (x, W, b)",
        "lsoftmax_forward": "np.zeros((len(x), W.shape[1])), (x, W)",
        "linear_backward": "tuple(a if a is None else 0 * a for a in cache)",
        "lsoftmax_backward": "tuple(0 * a for a in cache)",
    }
    lines = ["import numpy as np"]
    for name, function in CONTRACT.items():
        first = "cache[0]" if function.forward else function.takes[0]
        pair = f", ({first},)" if function.gives[-1] == "cache" else ""
        form = forms.get(name, f"np.zeros_like({first}, dtype=float){pair}")
        lines.append(f"def {function.signature}:\n    return {form}")
    return "\n\n\n".join(lines)


def wrapper():
    """Return functions that hand everything on to npsoftmax."""
    return "import npsoftmax\n" + "".join(
        f"\n\ndef {f.signature}:\n    return npsoftmax.{name}({', '.join(f.takes)})\n"
        for name, f in CONTRACT.items()
    )


SINGLE = f"""
def in_single_precision(function):
    def single(value):
        return np.float32(value) if isinstance(value, np.ndarray | float) else value
    def inner(*arguments, **named):
        given = function(*arguments, **named)
        return tuple(map(single, given)) if type(given) is tuple else single(given)
    return inner
for name in {list(CONTRACT)}:
    globals()[name] = in_single_precision(globals()[name])
"""
SLOW = "def helper():\n    return sum(range(20_000))"
SOFTMAX = {"softmax"}
LOOPING = {
    "softmax", "softmax_forward", "softmax_backward", "logsumexp", "log_softmax",
    "log_softmax_forward", "log_softmax_backward", "cross_entropy_forward",
    "cross_entropy_backward",
}  # fmt: skip
MOODLE = "{}_assignsubmission_file_/"
STUBS = "".join(
    f"def {f.signature}:\n    raise NotImplementedError\n" for f in CONTRACT.values()
)

RIGHT = students(
    ada=(PAGE, ()),
    ben=(LOOPS, ()),
    cem=(HOT, ()),
    kim=(calls_of(PAGE, SLOW), ()),
    lea=(f"import numpy as np\nnp.seterr(all='raise')\n{PAGE}", ()),
    scipy=(PAGE, ()),
    tokenize=(LOOPS, ()),
    mia=(f"{PAGE}\nprint('\\x1b[2J\\0' * 100_000)\n", ()),
    ned=(
        f"{PAGE}\nimport atexit, os, threading, time\natexit.register(os._exit, 7)\n"
        "os.chdir('/')\nos.closerange(0, 100)\n"
        "threading.Thread(target=time.sleep, args=(3600,)).start()\n",
        (),
    ),
) | {
    "Dora": Student({"Dora.PY": PAGE}),
    "eve": Student({"eve.ipynb": notebook("import numpy as np\n", PAGE)}),
    "fay": Student({"fay.ipynb": notebook("# Homework", *HOT.split("\n\n\n"))}),
    "gil": Student({"gil/homework.py": PAGE, "gil/notes.txt": "mine"}),
    "hal": Student(
        {
            "hal/homework.py": with_lines("softmax", "from mine import one; one()"),
            "hal/mine.py": "def one():\n    return 1\n",
            "hal/__init__.py": "",
        }
    ),
    "Ida Moe (4711)": Student({f"{MOODLE.format('Ida Moe_4711')}hw.py": LOOPS}),
    "Joé (12)": Student({f"{MOODLE.format('Joé_12')}hw.ipynb": notebook(PAGE)}),
}
MISTAKEN = students(
    oda=(changed("np.cos(m * theta) - 2 * k", "np.cos(m * theta) - k"), {"psi"},
         "k is subtracted, not 2k"),
    pat=(planted("softmax", "no shift"), {"softmax"}, "exp(z) without"),
    quy=(planted("relu_backward", "mask of da"), {"relu_backward"}),
    ron=(planted("linear_backward", "wrong axis"), {"linear_backward"}),
    sam=(planted("psi_prime", "m forgotten"), {"psi_prime"}),
    tom=(zeros(), EVERY, "is wrong"),
    uma=(wrapper(), EVERY, "npsoftmax's own"),
    val=(PAGE + SINGLE, EVERY, "float32"),
    wes=(STUBS, EVERY, "not written yet"),
    xia=("def (", EVERY, "line 1"),
    yan=("def Softmx(z):\n    return z\n", EVERY, "defines none of"),
    zoe=("from ada import *", EVERY, "No module named 'ada'"),
)  # fmt: skip
NO_WORDS = """
class E({}):
    def __str__(self):
        raise self
    __repr__ = __str__
"""
TELLS = """
import os
for number in range(3, 1024):
    try:
        os.write(number, b'{"mark": "softmax", "entry": {"held": ["all"]}}\\n3\\n')
    except OSError:
        pass
"""
REMOVES = "shutil.rmtree(os.path.dirname(os.getcwd()), ignore_errors=True)"
HOSTILE = students(
    bad_words=(with_lines("softmax", "raise ValueError('\\udce9\\x1b[2J\\0')"),
               SOFTMAX, "raises ValueError"),
    no_words=(NO_WORDS.format("BaseException") + with_lines("softmax", "raise E"),
              SOFTMAX, "raises E"),
    skips=(with_lines("softmax", "import pytest; pytest.skip('not today')"),
           SOFTMAX, "raises Skipped"),
    leaves=(with_lines("softmax", "import ctypes; ctypes.CDLL(None)._exit(0)"),
            SOFTMAX, "ended its own process, with exit code 0"),
    kills=(with_lines("softmax", "import os; os.killpg(0, 9)"),
           SOFTMAX, "was ended by SIGKILL"),
    loops=(changed("    z_max = np.max", "    while True: pass\n    z_max = np.max"),
           LOOPING, "did not end"),
    loops_on_loading=(f"{PAGE}\nwhile True: pass", EVERY),
    grows=(with_lines("softmax", "a = [b' ' * (1 << 28) for _ in range(1000)]"),
           SOFTMAX, "more memory"),
    gone=(f"{PAGE}\nimport os, shutil\n{REMOVES}\n", ()),
    tells=(planted("softmax", "no shift") + TELLS, SOFTMAX),
    exits=(f"import os; os._exit(0)\n{PAGE}", EVERY, "exit"),
    nothing=("", EVERY, "defines none of"),
)  # fmt: skip
CLASS = RIGHT | MISTAKEN | HOSTILE


def write(class_, folder):
    """Write the files of some students into a new folder."""
    for student in class_.values():
        for name, source in student.files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, encoding="utf-8")


if __name__ == "__main__":
    write(CLASS, sys.argv[1])
    print(f"{len(CLASS)} students in {sys.argv[1]}")
