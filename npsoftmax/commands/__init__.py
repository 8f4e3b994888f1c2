"""The commands of the command line, one file each.

A command is a module with two functions: add_arguments(parser), and run(args), which
returns the exit code. The first line of its docstring stands in `npsoftmax --help`.
"""

import argparse


class CommandError(Exception):
    """What the user asked for cannot be done; the message is all they will read."""


def count(text):
    """Return the number of an option such as --examples: a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return int(text)
