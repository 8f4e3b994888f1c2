"""The command line: `npsoftmax`, the same as `python -m npsoftmax`."""

import argparse
import errno
import importlib
import io
import os
import sys
import textwrap
from importlib import metadata

from npsoftmax.commands import CommandError
from npsoftmax.terminal import printable

DEFAULT = "train"
COMMANDS = ("train", "trace", "figures", "start", "check", "hint", "grade")
FULL = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG)
DESCRIPTION = """\
Softmax and large-margin softmax by hand, in NumPy, every gradient checked.

Without a command, npsoftmax trains: a tiny network on 1,797 real digits, with softmax
and with the margins m = 2, 3 and 4; 10 to 30 seconds, one table, one figure.
"""
EPILOG = """\
examples:
  npsoftmax                               the same as npsoftmax train
  npsoftmax --margins 1 4                 softmax beside one margin only
  npsoftmax trace psi --angle 150         one angle, line by line, and back
  npsoftmax figures --out figures         every figure of the notebooks
  npsoftmax start homework.py             the functions, for you to fill in
  npsoftmax check homework.py             what is right, what is wrong, and why
  npsoftmax grade homeworks               a folder of such files

`npsoftmax COMMAND --help` explains each command.
Exit code: 0 all right, 1 something is wrong, 2 could not run.
"""


def main(argv=None):
    """Run the command line on `argv`, by default sys.argv[1:]; return the exit code.

    0 all right; 1 something is wrong; 2 could not run, and stderr says why.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        _prepare_streams()
        args = build_parser().parse_args(_with_command(argv))
        code = args.run(args)
        sys.stdout.flush()
        return code
    except SystemExit as stop:  # argparse has already said why
        return stop.code or 0
    except CommandError as error:
        return _said(error, 2)
    except KeyboardInterrupt:
        return _said("stopped", 1)
    except MemoryError:
        return _said("this needs more memory than there is", 2)
    except OSError as error:
        has_no_reader = isinstance(error, BrokenPipeError) or (
            sys.platform == "win32" and error.errno == errno.EINVAL
        )
        if not has_no_reader and error.errno not in FULL:
            raise
        # What is still unwritten goes nowhere, so that the end finds nothing to do.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1 if has_no_reader else _said(f"cannot write: {error.strerror}", 2)


def _said(what, code):
    print(f"npsoftmax: {printable(what)}", file=sys.stderr)
    return code


def _prepare_streams():
    """Make every character one that can be written, and figures ones for files."""
    if sys.stderr is None:  # it was closed
        sys.stderr = io.StringIO()
    if sys.stdout is None:
        raise CommandError("standard output is closed: open it, or > FILE")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    os.environ["MPLBACKEND"] = "agg"  # whatever it was, these figures are files


def _with_command(argv):
    """Return argv with the default command in front where it names none."""
    for_all = {"-h", "--help", "--version"}
    names_one = argv and (argv[0] in for_all or not argv[0].startswith("-"))
    return argv if names_one else [DEFAULT, *argv]


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, for people and for scripts."""

    def error(self, message):
        said = printable(message).replace("\n", " ")
        self.exit(2, f"{self.prog}: {said}; {self.prog} --help says more\n")


def build_parser():
    """Return the parser of the command line, with every command there is."""
    form = {"formatter_class": argparse.RawDescriptionHelpFormatter}
    parser = Parser(
        "npsoftmax", description=_in_80_columns(DESCRIPTION), epilog=EPILOG, **form
    )
    version = f"npsoftmax {metadata.version('npsoftmax')}"
    parser.add_argument("--version", action="version", version=version)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"npsoftmax.commands.{name}")
        text = _in_80_columns(module.__doc__ or f"(-OO leaves out what {name} is.)")
        first = text.splitlines()[0]
        words = first[0].lower() + first[1:].rstrip(".")
        command = subparsers.add_parser(name, help=words, description=text, **form)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _in_80_columns(text):
    """Return the text with its paragraphs filled anew; indented lines stay."""
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(p if "\n  " in p else textwrap.fill(p, 79) for p in paragraphs)


if __name__ == "__main__":
    sys.exit(main())
