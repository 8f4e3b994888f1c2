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

import json
import os
import sys

from npsoftmax.commands import CommandError
from npsoftmax.commands.shared import add_options, chosen, need_hypothesis

ROWS = (
    "-k", "--as", "--columns", "--seed", "--examples",
    ("--json", None, None, "print the result as JSON, for programs"),
    ("-v --verbose", None, None,
     "each property, what functions print, and whole tracebacks"),
)  # fmt: skip


def add_arguments(parser):
    """Add the options of `npsoftmax check`."""
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help="a Python file (none: npsoftmax itself)"
    )
    add_options(parser, ROWS)


def run(args):
    """Check args.file. Returns 0 where something is written and right, else 1 or 2."""
    need_hypothesis("checking")
    names = chosen(args.names)
    from npsoftmax.checks.doors import notebook  # before a file can remove its folder
    from npsoftmax.checks.engine.load import Solution, SolutionError, load_solution

    folder = os.path.dirname(os.path.realpath(args.file or ""))
    sys.path.insert(0, folder)  # for what is imported inside of a function
    try:
        if args.file is not None:
            solution = load_solution(args.file, dict(args.called), args.columns)
        else:
            solution = Solution.reference()
        outcome = _shown(solution, names, args, notebook)
    except SolutionError as error:
        raise CommandError(error) from None
    finally:
        sys.path.remove(folder)
    if outcome.nothing_is_judged:
        return 2
    return 0 if outcome.nothing_is_wrong else 1


def _shown(solution, names, args, notebook):
    """Return the outcome, which has been printed."""
    asked = solution, names, args.seed, args.examples
    if args.json:
        outcome = notebook.quiet(*asked)
        data = notebook.as_data(outcome, args.seed, args.examples)
        print(json.dumps(data, indent=2))
        return outcome
    print(f"{args.file or 'npsoftmax itself'}, seed {args.seed}\n")
    return notebook.show(*asked, args.verbose, sys.stdout)
