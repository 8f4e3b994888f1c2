"""A class of forty: right files in several writings, mistakes, notebooks, and worse.

    python tests/homeworks.py FOLDER       writes them all into a new folder

A student has files, by their names in the folder, and what is to come of them: the
functions that lose points, the others having every point. Forms differ, too: some files
lie in the folder itself, some in a folder of their own, some as Moodle unpacks them.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from plantings import PLANTINGS, planted, wrong_source

from npsoftmax import textbook
from npsoftmax.checks import CONTRACT

EVERY = frozenset(CONTRACT)
LOOPS = (Path(__file__).parent / "solutions" / "loops.py").read_text("utf-8")
PAGE = "".join(  # without what it asserts, so that a mistake in psi goes on and on
    line
    for line in Path(textbook.__file__).read_text("utf-8").splitlines(keepends=True)
    if not line.startswith("    assert")
)


BACKWARD = [  # psi's shares a line with L-Softmax's, in each writing
    each
    for each in PLANTINGS
    if each.function.endswith("_backward") and each.function != "psi_backward"
]


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


def with_lines(function, *lines):
    """Return the page with lines at the beginning of a function."""
    [head] = [row for row in PAGE.splitlines() if row.startswith(f"def {function}(")]
    return PAGE.replace(head, "\n    ".join([head, *lines]))


def changed(right, wrong):
    """Return the page with another text in place of one."""
    assert right in PAGE
    return PAGE.replace(right, wrong)


def with_results(form):
    """Return the page with every array or number `value` of a result in this form."""
    return f"""{PAGE}
def in_another_form(function):
    def formed(value):
        return {form} if isinstance(value, np.ndarray | float) else value
    def inner(*arguments, **named):
        given = function(*arguments, **named)
        return tuple(map(formed, given)) if type(given) is tuple else formed(given)
    return inner
for name in {list(CONTRACT)}:
    globals()[name] = in_another_form(globals()[name])
"""


def notebook(*cells):
    cells = [
        {"cell_type": "code", "source": each.splitlines(keepends=True)}
        | {"metadata": {}, "outputs": [], "execution_count": None}
        for each in cells
    ]
    return json.dumps(
        {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )


MOODLE = "Joé_12_assignsubmission_file_/hw.ipynb"
RIGHT = students(
    scipy=(PAGE, ()),
    tokenize=(LOOPS, ()),
    kim=(with_results("value + 0 * sum(range(10_000))"), ()),  # right, but slow
    mia=(f"{PAGE}\nprint('\\x1b[2J\\0' * 100_000)\n", ()),
    ned=(
        f"{PAGE}\nimport atexit, os, threading, time\natexit.register(os._exit, 7)\n"
        "os.chdir('/')\nos.closerange(0, 100)\n"
        "threading.Thread(target=time.sleep, args=(3600,)).start()\n",
        (),
    ),
) | {
    "Dora": Student({"Dora.PY": PAGE}),
    "hal": Student(
        {
            "hal/homework.py": with_lines("softmax", "from mine import one; one()"),
            "hal/mine.py": "def one():\n    return 1\n",
            "hal/__init__.py": "",
        }
    ),
    "Joé (12)": Student({MOODLE: notebook("# Homework", *LOOPS.split("\n\n\n"))}),
}
STUBS = "".join(
    f"def {f.signature}:\n    raise NotImplementedError\n" for f in CONTRACT.values()
)
HANDS_ON = "import npsoftmax\n" + "".join(
    f"def {f.signature}:\n    return npsoftmax.{name}({', '.join(f.takes)})\n"
    for name, f in CONTRACT.items()
)
MISTAKEN = students(
    oda=(changed("np.cos(m * theta) - 2 * k", "np.cos(m * theta) - k"), {"psi"},
         "k is subtracted, not 2k"),
    quy=(planted("relu_backward", "mask of da"), {"relu_backward"}),
    tom=(with_results("0 * value"), EVERY, "is wrong"),
    uma=(HANDS_ON, EVERY, "npsoftmax's own"),
    val=(with_results("np.float32(value)"), EVERY, "float32"),
    wes=(STUBS, EVERY, "not written yet"),
    xia=("def (", EVERY, "line 1"),
    yan=("def Softmx(z):\n    return z\n", EVERY, "defines none of"),
    zoe=("from quy import *", EVERY, "No module named 'quy'"),
)  # fmt: skip
MISTAKEN |= students(
    **{
        f"planted_{number}": (wrong_source(each), {each.function}, each.function)
        for number, each in enumerate(BACKWARD[:70:5])
    }
)
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
SOFTMAX = {"softmax"}
LOOPING = {
    "softmax", "softmax_forward", "softmax_backward", "logsumexp", "log_softmax",
    "log_softmax_forward", "log_softmax_backward", "cross_entropy_forward",
    "cross_entropy_backward",
}  # fmt: skip
HOSTILE = students(
    leaves=(with_lines("softmax", "import ctypes; ctypes.CDLL(None)._exit(0)"),
            SOFTMAX, "ended its own process, with exit code 0"),
    kills=(with_lines("softmax", "import os; os.killpg(0, 9)"),
           SOFTMAX, "was ended by SIGKILL"),
    loops=(changed("    z_max = np.max", "    while True: pass\n    z_max = np.max"),
           LOOPING, "did not"),
    loops_on_loading=(f"{PAGE}\nwhile True: pass", EVERY),
    grows=(with_lines("softmax", "a = [bytes(1 << 28) for _ in range(1000)]"),
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
