"""What a terminal can do more than a file: colours, and a line written anew.

In: a stream. Out: functions that use what it can, and plain text where it cannot.
"""

import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from typing import TextIO

CODES = {"bold": "1", "faint": "2", "good": "32", "bad": "31"}
NOT_THE_OLD_CONSOLE = {"WT_SESSION", "ANSICON", "CONEMUANSI", "TERM"}


def takes_codes(stream: TextIO) -> bool:
    """Return whether ANSI codes do something on the stream, and are not shown as text.

    They do on a terminal, unless TERM is dumb; on Windows, whose old console shows them
    as text, on one that says by a variable that it is none of those.
    """
    speaks = sys.platform != "win32" or not NOT_THE_OLD_CONSOLE.isdisjoint(os.environ)
    return stream.isatty() and speaks and os.environ.get("TERM") != "dumb"


def painter(stream: TextIO) -> Callable[[str, str], str]:
    """Return a function (text, look) that gives `text` its look on this stream.

    look: bold, faint, good or bad. Text stays as it is where the stream takes no codes,
    or where NO_COLOR is set (https://no-color.org).
    """
    if os.environ.get("NO_COLOR") or not takes_codes(stream):
        return lambda text, look: text
    return lambda text, look: f"\033[{CODES[look]}m{text}\033[0m"


def plus_minus(stream: TextIO) -> str:
    """Return the sign, or +- where the stream's encoding does not have it."""
    sign = "\N{PLUS-MINUS SIGN}"
    try:
        sign.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "+-"
    return sign


def columns(stream: TextIO) -> int:
    """Return how wide a line may be: that of the terminal, from 40; 80 elsewhere."""
    width = shutil.get_terminal_size().columns if stream.isatty() else 80
    return max(width, 40)


class LiveLine:
    """One line of a terminal that is written anew; on any other stream, nothing."""

    def __init__(self, stream: TextIO):
        self.stream = stream
        self.live = takes_codes(stream)

    def show(self, text: str) -> None:
        """Write `text` over the line, cut to the terminal's width."""
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            self.stream.write(f"\r\033[K{text[:width]}")
            self.stream.flush()

    def clear(self) -> None:
        """Take the line away again."""
        self.show("")

    def say(self, text: str) -> None:
        """Write a line that stays, on any stream; nobody may be there to read it."""
        self.clear()
        with contextlib.suppress(OSError):
            print(text, file=self.stream, flush=True)


def printable(text):
    """Return text that every terminal and file can take: the rest is as in \\x1b."""
    return "".join(
        each if each in "\n\t" or each.isprintable() else ascii(each)[1:-1]
        for each in str(text)
    )
