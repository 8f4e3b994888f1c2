"""The commands of the command line, one file each.

A command is a module with two functions: add_arguments(parser), and run(args), which
returns the exit code. The first line of its docstring stands in `npsoftmax --help`.
"""


class CommandError(Exception):
    """What the user asked for cannot be done; the message is all they will read."""
