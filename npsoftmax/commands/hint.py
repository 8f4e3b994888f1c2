"""Give a hint for one function.

The first hint asks the question that leads there; with --more a second one says how.

examples:
  npsoftmax hint                   the names there are
  npsoftmax hint psi
  npsoftmax hint psi --more
"""

from npsoftmax.checks.homework import hint
from npsoftmax.checks.layers import CONTRACT
from npsoftmax.commands.shared import unknown


def add_arguments(parser):
    """Add the options of `npsoftmax hint`."""
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="a function, such as softmax_backward"
    )
    parser.add_argument("--more", action="store_true", help="a second, longer hint too")


def run(args):
    """Print one hint, or two, or the names that have one."""
    if args.name is None:
        names = "\n  ".join(CONTRACT)
        print(f"npsoftmax hint NAME [--more], where NAME is one of\n  {names}")
        return 0
    if args.name not in CONTRACT:
        raise unknown("function", args.name, CONTRACT)
    print(f"{args.name}\n\n{hint(args.name, args.more)}")
    if not args.more:
        print(f"\nOne more: npsoftmax hint {args.name} --more")
    return 0
