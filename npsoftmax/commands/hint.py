"""Give a hint for one function.

The first hint asks the question that leads there; with --more a second one says how.

examples:
  npsoftmax hint                   the names there are
  npsoftmax hint psi
  npsoftmax hint psi --more
"""

import difflib

from npsoftmax.checks.homework import hint
from npsoftmax.checks.layers import CONTRACT
from npsoftmax.commands import CommandError


def add_arguments(parser):
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="a function, such as softmax_backward"
    )
    parser.add_argument("--more", action="store_true", help="a second, longer hint too")


def run(args):
    """Print one hint, or two, or the names that have one."""
    if args.name is None:
        print(f"npsoftmax hint NAME [--more], where NAME is one of\n{_names()}")
        return 0
    if args.name not in CONTRACT:
        raise CommandError(_unknown(args.name))
    print(f"{args.name}\n\n{hint(args.name, args.more)}")
    if not args.more:
        print(f"\nOne more: npsoftmax hint {args.name} --more")
    return 0


def _unknown(name):
    near = difflib.get_close_matches(name.lower(), CONTRACT, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"there is no function {name}.{meant} The names are\n{_names()}"


def _names():
    return "\n".join(f"  {name}" for name in CONTRACT)
