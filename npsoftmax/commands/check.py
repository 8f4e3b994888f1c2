"""Check the functions in a Python file, and say what is wrong with them.

FILE, a Python file or a notebook, defines any of the functions of the contract
(softmax, cross_entropy_forward, ...; `npsoftmax start FILE` writes a file with all of
them to fill in), or what people write in their place: softmax_loss(x, y),
affine_forward(x, w, b), a class with forward and backward. The first lines say how it
was read. Each function is run on drawn inputs; where it fails, the smallest input that
fails is shown, and the likely mistake. Without FILE, npsoftmax checks itself.

examples:
  npsoftmax check homework.py
  npsoftmax check homework.py -k softmax        one function
  npsoftmax check homework.py -k psi -v         with each property by name
  npsoftmax check homework.py --examples 500    more inputs for each property
  npsoftmax check mine.py --as cross_entropy=my_loss    by another name

Exit code: 0 what is written is right; 1 something is wrong; 2 nothing to judge.
"""

import argparse
import difflib
import importlib.util
import json
import sys
from pathlib import Path

from npsoftmax.checks.layers import CONTRACT
from npsoftmax.commands import CommandError
from npsoftmax.options import whole


def add_arguments(parser):
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help="a Python file (none: npsoftmax itself)"
    )
    parser.add_argument(
        "-k",
        metavar="NAME",
        dest="names",
        action="append",
        help="only the function NAME, or all with NAME in their name; may be repeated",
    )
    parser.add_argument(
        "--as",
        metavar="NAME=THEIRS",
        dest="called",
        action="append",
        type=pair,
        help="what goes by another name: --as cross_entropy=my_loss; may be repeated",
    )
    parser.add_argument(
        "--columns", action="store_true", help="a sample is a column, not a row"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="decides which inputs are drawn (0)"
    )
    parser.add_argument(
        "--examples",
        type=whole(1, 10**6),
        metavar="N",
        help="inputs for each property (30)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the result as JSON, for programs"
    )
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="each property, what functions print, and whole tracebacks",
    )


def run(args):
    """Check args.file. Returns 0 where something is written and right, else 1."""
    if importlib.util.find_spec("hypothesis") is None:
        raise CommandError(
            f"checking needs Hypothesis: {sys.executable} -m pip install hypothesis"
        )
    names = chosen(args.names)
    from npsoftmax.checks.doors import notebook  # before a file can remove its folder
    from npsoftmax.checks.engine.load import SolutionError
    from npsoftmax.terminal import printable

    folder = str(Path(args.file or "").resolve().parent)
    sys.path.insert(0, folder)  # for what is imported inside of a function
    try:
        return _checked(_solution(args), names, args, notebook)
    except SolutionError as error:
        raise CommandError(printable(error)) from None
    finally:
        sys.path.remove(folder)


def _solution(args):
    from npsoftmax.checks.engine.load import Solution, load_solution

    if not args.file:
        return Solution.reference()
    return load_solution(args.file, dict(args.called or ()), args.columns)


def _checked(solution, names, args, notebook):
    from npsoftmax.checks.engine.ask import EXAMPLES

    examples = args.examples or EXAMPLES
    if args.json:
        outcome = notebook.quiet(solution, names, args.seed, examples)
        print(json.dumps(notebook.as_data(outcome, args.seed, examples), indent=2))
    else:
        print(f"{args.file or 'npsoftmax itself'}, seed {args.seed}\n")
        outcome = notebook.show(
            solution, names, args.seed, examples, args.verbose, sys.stdout
        )
    if outcome.nothing_is_judged:
        return 2
    return 0 if outcome.nothing_is_wrong else 1


def chosen(words):
    """Return the functions that -k means: the one so called, else all with it."""
    if not words:
        return None
    names = []
    for word in words:
        within = [each for each in CONTRACT if word in each]
        found = [word] if word in CONTRACT else within
        if not found:
            near = difflib.get_close_matches(word, CONTRACT, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise CommandError(
                f"-k {word}: no function has that in its name{meant}\n"
                f"The names are {', '.join(CONTRACT)}"
            )
        names += found
    return names


def pair(text):
    """Return (NAME, THEIRS) of the argument NAME=THEIRS."""
    name, _, theirs = text.partition("=")
    if not name or not theirs:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=THEIRS")
    return name, theirs
