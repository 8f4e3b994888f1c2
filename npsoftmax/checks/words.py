"""The words and tables a person reads: a line for a function, the message of a failure.

In go the reports of engine/ask.py; out comes text of at most 80 columns (the command to
paste aside, which cannot be broken).
"""

import shlex
import textwrap

import numpy as np

from npsoftmax.checks.engine.safely import said
from npsoftmax.checks.layers import CONTRACT
from npsoftmax.checks.paper import counted, exactly

WIDTH = 78  # of a message, which stands two columns in
LABEL = 15  # columns of `  looks like   `
MOST_ENTRIES = 6


# ------------------------------------------------------------- one line a function

LOOKS = {"right": "good", "wrong": "bad"}


def line(report, paint=lambda text, look: text):
    """Return the line of one function: its verdict, and what there is to know."""
    verdict = f"{report.verdict.upper() if report.failure else report.verdict:17}"
    if report.verdict == "right":
        detail = f"{report.total:2} properties, {report.examples} examples"
    elif report.because:
        detail = f"because it calls {report.because}"
    elif report.failure:
        detail = f"{len(report.passed)} of {report.total} properties hold"
        detail += ", wrong on extreme inputs only" * report.only_extreme
    else:
        detail = report.note
    painted = paint(verdict, LOOKS.get(report.verdict, "faint"))
    first = f"  {report.name:23} {painted} {detail}".rstrip()
    if report.verdict == "right" and report.note:
        return f"{first}\n      {report.note}"
    return first


def details(report):
    """Yield a line for each property that was asked, and what the function printed."""
    for name in report.passed:
        word = "waits" if name in report.waits else "holds"
        yield f"      {word}   {_sentence(report.name, name)}"
    if report.failure:
        yield f"      FAILS   {report.failure.row.sentence}"
    if report.printed:
        yield "      it printed (the first lines):"
        yield from (f"        {text}" for text in report.printed.splitlines()[:5])


def _sentence(function, name):
    return f"{function} {name.removeprefix(f'{function}_').replace('_', ' ')}"


def messages(report):
    """Return what there is to say of a function that is wrong by itself."""
    failures = [] if report.because else [report.failure, report.extreme]
    return [indented(failure.message) for failure in failures if failure]


def indented(text):
    """Return a message set off from the lines around it."""
    return "\n" + "\n".join(f"  {line}".rstrip() for line in text.split("\n")) + "\n"


def not_written(reports):
    """Return the paragraph that lists what is not written yet; empty if all is."""
    names = [each.name for each in reports if each.verdict == "not written yet"]
    text = f"not written yet: {', '.join(names)}"
    return _said_of(text) if names else ""


def summary(reports):
    """Return the sentence at the end: how many are right, wrong, not written yet."""
    verdicts = [report.verdict for report in reports]
    order = sorted(set(verdicts), key=lambda each: (each != "right", each != "wrong"))
    counts = {verdict: verdicts.count(verdict) for verdict in order}
    number = len(verdicts)
    causes = [report.because for report in reports if report.because]
    first = max(causes, key=causes.count, default="")
    others = "another calls it" if len(causes) == 1 else f"{len(causes)} others call it"
    begin = f"\nBegin with {first}: {others}." if first else ""
    if counts.get("right") == number:
        return f"All {number} functions are right." if number > 1 else "It is right."
    parts = [f"{count} {verdict}" for verdict, count in counts.items()]
    return f"{counted(number, 'function')}: {', '.join(parts)}.{begin}"


# ------------------------------------------------------------- the message of a failure


def message(failure):
    """Return all there is to say of a failure: what, where, why perhaps, what to do."""
    parts = [
        textwrap.fill(
            f"{failure.function}: {failure.what}", WIDTH, subsequent_indent="  "
        ),
        _context(failure),
        _exception(failure),
        _inputs(failure),
        _table(failure),
        _explanation(failure),
    ]
    return "\n".join(part for part in parts if part)


def _context(failure):
    """Return what is known beside: of ordinary inputs, or of the loss of a gradient."""
    forward = CONTRACT[failure.function].forward
    if failure.gate == "stability":
        return _said_of(
            f"Ordinary inputs are right. What does not hold: {failure.row.sentence}."
        )
    if failure.gate not in ("own gradient", "gradient"):
        return ""
    if failure.gate == "own gradient" and failure.loss_is_right:
        return _said_of(f"Your {forward} is right, only the gradient is wrong.")
    if failure.gate == "own gradient":
        return _said_of(f"Your {forward} is wrong too, and this is not its gradient.")
    if failure.loss_is_right:
        return _said_of(f"Your {forward} is right, only the gradient is wrong here.")
    return _said_of(
        f"Your gradient is right for your {forward}, but that is wrong: "
        "repair it first, and this will do."
    )


def _said_of(text):
    return textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def _exception(failure):
    if failure.error is None:
        return ""
    lines = [f"  {text}" for text in textwrap.wrap(said(failure.error), WIDTH - 2)]
    if failure.line:
        number, text = failure.line
        lines.append(f"  line {number}: {text}"[:WIDTH])
    return "\n".join(lines)


# --------------------------------------------------------------------------- inputs


def _inputs(failure):
    """Return the smallest failing input, each array as one writes it, and its sizes."""
    lines = ["", "  the smallest input that fails"]
    for name, value in failure.inputs.items():
        lines += _assigned(name, value)
    about = CONTRACT[failure.function].about(failure.inputs)
    lines += [f"      {words}" for words in about]
    return "\n".join(lines)


def _assigned(name, value):
    start = f"      {name} = "
    rows = shown(value).split("\n")
    return [start + rows[0], *(" " * len(start) + row for row in rows[1:])]


def shown(value):
    """Return a value as text: arrays as nested lists, numbers with up to six digits."""
    if not isinstance(value, np.ndarray):
        return _number(value) if isinstance(value, float | int) else repr(value)
    if value.ndim == 0:
        return _number(value)
    if value.ndim == 1:
        return f"[{', '.join(map(_number, value))}]"
    rows = [shown(row).replace("\n", "\n ") for row in value]
    if value.ndim == 2:
        rows = _aligned(value)
    return "[" + ",\n ".join(rows) + "]"


def _aligned(matrix):
    cells = [[_number(v) for v in row] for row in matrix]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "[" + ", ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) + "]"
        for row in cells
    ]


def _number(value):
    return exactly(value) if np.isfinite(value) else str(float(value))


# ---------------------------------------------------------------------------- table


def _table(failure):
    """Return yours, expected and the difference of at most six wrong entries."""
    if failure.table is None:
        return ""
    name, yours, expected, wrong = failure.table
    yours, expected, wrong = map(np.atleast_1d, (yours, expected, wrong))
    where = [tuple(map(int, index)) for index in np.argwhere(wrong)]
    rows = [(yours[index], expected[index]) for index in where[:MOST_ENTRIES]]
    labels = [_label(failure.table[1], index) for index in where[:MOST_ENTRIES]]
    digits = _digits_to_tell_apart(rows)
    cells = [
        (label, _digits(a, digits), _digits(b, digits), _difference(a, b))
        for label, (a, b) in zip(labels, rows, strict=True)
    ]
    cells.insert(0, (name, "yours", _heading(failure), "difference"))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [""]
    for label, *numbers in cells:
        columns = (n.rjust(w) for n, w in zip(numbers, widths[1:], strict=True))
        lines.append(f"      {label:{widths[0]}}   {'   '.join(columns)}".rstrip())
    return "\n".join([*lines, *_rest(len(where), wrong.size)])


def _heading(failure):
    return "before" if failure.gate == "inputs" else "expected"


def _rest(wrong, size):
    more, good = wrong - MOST_ENTRIES, size - wrong
    if more > 0:
        yield f"      {more} more {'is' if more == 1 else 'are'} wrong"
    if good > 0:
        yield f"      {good} other {'entry agrees' if good == 1 else 'entries agree'}"


def _label(array, index):
    return f"[{', '.join(map(str, index))}]" if np.ndim(array) else ""


def _digits_to_tell_apart(rows):
    for digits in range(6, 17):
        if all(_digits(a, digits) != _digits(b, digits) for a, b in rows):
            return digits
    return 17


def _digits(value, digits):
    value = float(value) + 0.0  # no minus before a zero
    text = f"{value:.{digits}f}" if 1e-3 <= abs(value) < 1e3 and digits < 9 else ""
    return text or f"{value:.{digits}g}"


def _difference(a, b):
    return f"{float(a) - float(b):+.3g}" if np.isfinite(a) and np.isfinite(b) else ""


# ---------------------------------------------------------------------- explanation


def _explanation(failure):
    lines = [""]
    if failure.found:
        on = f" (holds on {failure.found.confirmed} further inputs too)"
        words = failure.diagnosis + (on if failure.found.confirmed else "")
        lines += _labelled("looks like", words)
        if failure.found.line:
            lines += _labelled("as if", failure.found.line)
    paper = _on_paper(failure)
    if paper:
        lines += _labelled("on paper", paper)
    lines += _labelled("how we know", _how(failure))
    if failure.reproducer:
        lines += _unbroken("try it", failure.reproducer)
    lines += _labelled("a hint", f"npsoftmax hint {failure.function}")
    return "\n".join(lines)


def _labelled(label, text):
    start = f"  {label:{LABEL - 2}}"
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _unbroken(label, text):
    first, *rest = text.split("\n")
    return [f"  {label:{LABEL - 2}}{first}", *(" " * LABEL + each for each in rest)]


def _on_paper(failure):
    if failure.table is None:
        return None
    name, yours, _, wrong = failure.table
    if name not in CONTRACT[failure.function].gives:
        return None
    if np.ndim(yours) and not np.any(wrong):
        return None
    index = tuple(map(int, np.argwhere(wrong)[0])) if np.ndim(yours) else ()
    if failure.gate == "own gradient" and not failure.loss_is_right:
        return None  # "expected" is the slope of another loss than that on paper
    return CONTRACT[failure.function].on_paper(failure.inputs, name, index)


_HOW = {
    "call": "it was called as the contract says: {signature}",
    "types": "it was called as {signature}, with arrays of float64",
    "float32": "it was called as {signature}, with arrays of float32",
    "inputs": "its arguments were compared before and after the call",
    "value": '"expected" is the definition, number by number',
    "stability": '"expected" is the definition, number by number',
    "invariants": "this must be true: {sentence}",
    "own gradient": 'five-point differences of your {forward} agree with "expected"',
    "gradient": '"expected" is by npsoftmax, and the complex step agrees with it',
}


def _how(failure):
    function = CONTRACT[failure.function]
    if failure.how:
        return failure.how
    if failure.gate == "inputs" and failure.table is None:
        return "it was called twice, or with arrays that cannot be written to"
    return _HOW[failure.gate].format(
        signature=function.signature,
        forward=function.forward,
        sentence=failure.row.sentence,
    )


# ------------------------------------------------------------------- the reproducer


def reproducer(failure):
    """Return what one can paste to see yours: a command for a file, else two lines."""
    names, solution, given = [failure.function], failure.solution, _given(failure)
    if forward := CONTRACT[failure.function].forward:
        names.insert(0, forward)
    lines = [*_assignments(given), *_calls(failure.function, given)]
    if failure.gate == "inputs":
        lines += [lines[-1], *_prints(given)]
    if solution.source:
        f = f"f = runpy.run_path({_quoted(solution.source)})"
        code = "; ".join(["import runpy, numpy as np", f, *lines])
        for name in names:
            code = code.replace(f"{name}(", f'f["{name}"](')
        return f"python -c {shlex.quote(code)}"
    if solution.own:
        code = f"import numpy as np; from npsoftmax import {', '.join(names)}"
        return f"python -c {shlex.quote('; '.join([code, *lines]))}"
    return "\n".join(["import numpy as np", *lines])


def _given(failure):
    """Return the arguments of the last call at the smallest input, by their names."""
    function = CONTRACT[failure.function]
    names = function.takes
    if function.forward:
        names = (*CONTRACT[function.forward].takes, function.takes[0])
    given = failure.call or failure.inputs
    return {name: given[name] for name in names if name in given}


def _quoted(path):
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _assignments(given):
    for name, value in given.items():
        if isinstance(value, np.ndarray):
            numbers = repr(value.tolist()).replace("nan", "np.nan")
            yield f"{name} = np.array({numbers})"
        else:
            yield f"{name} = {value!r}"


def _prints(given):
    """Return what shows a change in place: the arguments, printed after the calls."""
    names = [name for name, value in given.items() if isinstance(value, np.ndarray)]
    return [f"print({', '.join(names)})"]


def _calls(name, given):
    """Return the lines that call a function with what is given, its forward first."""
    function = CONTRACT[name]
    if function.forward:
        takes = CONTRACT[function.forward].takes
        yield f"_, cache = {function.forward}({_listed(takes, given)})"
        yield f"print({name}({function.takes[0]}, cache))"
    else:
        value = "[0]" if function.gives[-1] == "cache" else ""
        yield f"print({name}({_listed(function.takes, given)}){value})"


def _listed(takes, given):
    return ", ".join(each for each in takes if each in given)
