"""The homework: the file that `npsoftmax start` writes, and hints for it.

    homework(path)            the text of the file, with its own name in what it says
    hint(name, more=False)    a first hint for a function, or the first and the second

What a function's record says of itself becomes its docstring.
"""

import shlex
import textwrap
from pathlib import PurePath

from npsoftmax.checks.layers import CONTRACT

WIDTH = 79  # characters in a line of a hint

HEADER = '''"""Softmax and large-margin softmax by hand: the homework.

Fill in the functions from top to bottom. Take out a `raise NotImplementedError`,
write what belongs there, and have it checked; what is still missing is no mistake.

    npsoftmax check FILE
        every function you have written so far
    npsoftmax check FILE -k logsumexp
        one of them
    npsoftmax hint logsumexp
        a first hint; with --more a second

Sizes: N rows (one for each sample), D inputs, C classes. W is (D, C): a class is
a column. y holds labels, whole numbers from 0 to C-1. `d<name>` is the derivative
of the final loss by `<name>`, and has its shape.

Pairs: a forward returns its value and a cache; the cache is whatever you like, and
your backward gets it back as it was. A backward's first argument is the gradient by
the forward's value.

Rules: leave the arguments unchanged; float64 in, float64 back, float32 in, float32
back; whole numbers may be logits; N = 1 and C = 1 are batches too; logits up to
10,000, vectors of zeros, and norms from 1e-100 to 1e100 are welcome.
"""

import numpy as np
'''


def homework(path):
    """Return the homework's source, with `path` as the FILE of its commands."""
    text = HEADER.replace("check FILE", f"check {_quoted(path)}")
    return text + "".join(map(_stub, CONTRACT.values()))


def _stub(function):
    docstring = f'    """{function.stub}"""'
    body = "    raise NotImplementedError"
    return f"\n\ndef {function.signature}:\n{docstring}\n{body}\n"


def _quoted(path):
    """Return the path as a shell takes it, inside a docstring that stays Python."""
    name = path.as_posix() if isinstance(path, PurePath) else str(path)
    return shlex.quote(name).replace("\\", r"\\").replace('"', r"\"")


def hint(name, more=False):
    """Return the first hint for the function `name`, and with `more` the second too."""
    hints = CONTRACT[name].hints[: 2 if more else 1]
    return "\n\n".join(textwrap.fill(" ".join(text.split()), WIDTH) for text in hints)
