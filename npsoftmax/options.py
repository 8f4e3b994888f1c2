"""Numbers as options of a command line: text goes in, a number in bounds comes out."""

import argparse
import math
import sys


def whole(low, high):
    """Return the argparse type of whole numbers from `low` to `high`."""

    def whole_number(text):
        short = text if len(text) <= 24 else f"{text[:21]}..."
        digits = text if len(text) < 100 else "9" * 99
        if not digits.isascii() or not digits.isdecimal():
            wanted = f"a whole number from {low}"
        elif not low <= int(digits) <= high:
            wanted = f"a whole number from {low} to {high:,}"
        else:
            return int(digits)
        raise argparse.ArgumentTypeError(f"{short} is not {wanted}")

    return whole_number


def positive(high=math.inf):
    """Return the argparse type of finite numbers above 0, up to `high`."""

    def positive_number(text):
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not 0 < number <= min(high, sys.float_info.max):
            limit = "" if math.isinf(high) else f" and up to {high:g}"
            raise argparse.ArgumentTypeError(f"{text} is not a number above 0{limit}")
        return number

    return positive_number
