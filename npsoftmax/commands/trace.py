"""Step through a forward and its backward, line by line, forward and back.

What is traced is small enough for paper: softmax, cross-entropy, psi, l-softmax, or
mlp, the whole network. Each line is one of npsoftmax/textbook.py, with the number of
its equation, a name, a shape and a value; each gradient stands beside its finite
difference. As a page, --html FILE, it needs a browser and no network.

examples:
  npsoftmax trace psi --angle 150              which piece of psi, and why
  npsoftmax trace l-softmax --margin 2 --lam 5 --norms 3 1
  npsoftmax trace mlp --step                   a line at a time
  npsoftmax trace psi --with homework.py       yours beside the page's
  npsoftmax trace l-softmax --html steps.html  a page; steps.html#dW opens at dW

In a notebook: from npsoftmax.trace import trace; trace("psi", margin=4, angle=150)
"""

import contextlib
import sys
from pathlib import Path

from npsoftmax.commands import CommandError
from npsoftmax.commands.shared import add_options, check_free, save
from npsoftmax.terminal import painter
from npsoftmax.trace import EXAMPLES, trace


def number(text):
    """Return text as an int or a float where it is one, else as it is."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


ROWS = (  # of the numbers, trace() says what they may be
    ("--margin", number, "M", "the margin m, 1 to 100 (default: 4)"),
    ("--angle", number, "DEGREES",
     "between features and the weight of their class, 0 to 180 (default: 150)"),
    ("--norms", number, ("X", "W"), "the lengths |x| and |W_y| (default: 2 1)"),
    ("--lam", number, "L", "lambda, how much of the cosine is mixed in (default: 0)"),
    ("--seed", number, "S", "draw the other numbers from this seed"),
    ("--step", None, None,
     "one line at a time: Enter for the next, b for the one before, q to leave"),
    ("--with", str, "FILE",
     "show the functions of a file of yours beside the page's, and mark the first line "
     "where they part"),
    ("--html", Path, "FILE",
     "write a page that steps forward and back, for any browser"),
    "--force",
)  # fmt: skip


def add_arguments(parser):
    """Add the options of `npsoftmax trace`."""
    parser.add_argument(
        "what", metavar="WHAT", nargs="?", help=f"what to trace: {', '.join(EXAMPLES)}"
    )
    add_options(parser, ROWS)


def run(args):
    """Print the Trace that was asked for, at once or in steps, or write its page."""
    if args.what is None:
        raise CommandError(f"say what to trace: {', '.join(EXAMPLES)}")
    if args.step and args.html:
        raise CommandError(
            "--step is for the terminal, --html for a browser: one of them"
        )
    if args.force and not args.html:
        raise CommandError("--force replaces the FILE of --html, which is not given")
    traced = _traced(vars(args))
    if args.html:
        check_free(args.html, force=args.force)
        save(args.html, traced.html(), args.force)
        print(f"{args.html}: {len(traced.steps)} steps, to be opened in a browser")
        return 0
    blocks = list(traced.blocks(painter(sys.stdout)))
    if args.step:
        _step_through(blocks)
    else:
        print("\n".join(blocks))
    return 0


def _traced(args):
    """Return the Trace of the options as they were typed."""
    from npsoftmax.checks import SolutionError

    options = {name: args[name] for name in ("margin", "angle", "norms", "lam", "seed")}
    try:
        return trace(args["what"], **options, yours=args["with"])
    except (ValueError, TypeError, SolutionError) as error:
        raise CommandError(error) from None


def _step_through(blocks):
    """Print a block for each Enter, the one before for each b, until q or the end."""
    print("Enter shows the next line, b the one before, q leaves.\n")
    i = 0
    while i < len(blocks):
        print(blocks[i], end="", flush=True)
        try:
            answer = input().strip().lower()
        except (EOFError, KeyboardInterrupt):
            print()
            return
        if answer in ("q", "quit"):
            return
        i = max(i - 1, 0) if answer in ("b", "back") else i + 1
        if not sys.stdin.isatty():  # a terminal has shown the Enter itself
            print()
