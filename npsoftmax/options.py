"""Options of a command line: text goes in, a number in bounds or a pair comes out.

CHECKING has the options that `check` and `grade` share with `pytest --solution`.
"""

import argparse
import contextlib
import math
import sys


def whole(low, high):
    """Return the argparse type of whole numbers from `low` to `high`."""
    return _bounded(int, low, high, f"a whole number from {low} to {high:,}")


def positive(high=math.inf):
    """Return the argparse type of finite numbers above 0, up to `high`."""
    limit = "" if math.isinf(high) else f" and up to {high:g}"
    most = min(high, sys.float_info.max)
    return _bounded(float, math.ulp(0.0), most, f"a number above 0{limit}")


def _bounded(kind, low, high, wanted):
    def number(text):
        with contextlib.suppress(ValueError):
            if low <= kind(text) <= high:
                return kind(text)
        short = text if len(text) <= 24 else f"{text[:21]}..."
        raise argparse.ArgumentTypeError(f"{short} is not {wanted}")

    return number


def pair(text):
    """Return (NAME, THEIRS) of the argument NAME=THEIRS."""
    name, _, theirs = text.partition("=")
    if not name or not theirs:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=THEIRS")
    return name, theirs


CHECKING = {
    "as": {
        "metavar": "NAME=THEIRS", "type": pair, "action": "append", "default": [],
        "help": "what goes by another name: cross_entropy=my_loss; may be repeated",
    },
    "columns": {"action": "store_true", "help": "a sample is a column, not a row"},
    "seed": {
        "metavar": "N", "type": whole(0, 2**63), "default": 0,
        "help": "decides which inputs are drawn (0)",
    },
    "examples": {
        "metavar": "N", "type": whole(1, 10**6), "default": 30,
        "help": "inputs for each property (30)",
    },
}  # fmt: skip
