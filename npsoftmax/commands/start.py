"""Write the homework: a file with every function to fill in.

The file has all the functions of softmax and L-Softmax, each with its shapes and its
equation, and none of them written yet. Fill them in from top to bottom, and let
`npsoftmax check FILE` look at them as often as you like. A file that is already there
is never overwritten.

example:
  npsoftmax start homework.py
"""

import shlex
from pathlib import Path

from npsoftmax.checks.homework import homework
from npsoftmax.checks.layers import CONTRACT
from npsoftmax.commands import CommandError
from npsoftmax.commands.shared import check_free, save


def add_arguments(parser):
    """Add the options of `npsoftmax start`."""
    parser.add_argument(
        "file", metavar="FILE", help="the file to write, such as homework.py"
    )


def run(args):
    """Write the homework to args.file and say what to do next."""
    path = Path(args.file)
    if path.suffix != ".py":
        name = shlex.quote(f"{path}.py")
        raise CommandError(f"a Python file ends in .py: npsoftmax start {name}")
    check_free(path, instead="it is left as it is; choose another name")
    save(path, homework(path))
    names = list(CONTRACT)
    quoted = shlex.quote(str(path))
    print(
        f"{path} is written: {len(names)} functions to fill in, from {names[0]} to "
        f"{names[-1]}.\n\n"
        "Check what you have written, as often as you like; ask for a hint:\n"
        f"  npsoftmax check {quoted}\n"
        f"  npsoftmax hint {names[0]}"
    )
    return 0
