"""The words and tables a person reads: a line for a function, the message of a failure.

In go the reports of the engine; out comes text of at most 80 columns (the command to
paste aside, which cannot be broken).
"""

import shlex
import textwrap
from collections import Counter

import numpy as np

from npsoftmax.checks.engine.safely import said
from npsoftmax.checks.paper import counted, exactly

WIDTH = 78  # of a message, which stands two columns in
LABEL = 15  # columns of `  looks like   `
MOST_ENTRIES = 6


# ------------------------------------------------------------- one line a function

LOOKS = {"right": "good", "wrong": "bad"}


def line(report, paint=lambda text, look: text):
    """Return the line of one function: its verdict, and what there is to know."""
    verdict = f"{report.verdict.upper() if report.failure else report.verdict:17}"
    painted = paint(verdict, LOOKS.get(report.verdict, "faint"))
    first = f"  {report.title or report.name:23} {painted} {_detail(report)}".rstrip()
    note = report.note if report.verdict == "right" else ""
    return f"{first}\n      {note}" if note else first


def _detail(report):
    if report.verdict == "right":
        return f"{report.total:2} properties, {report.examples} examples"
    if report.because:
        return f"because it calls {report.because}"
    if not report.failure:
        return report.note
    extreme = ", wrong on extreme inputs only" * report.only_extreme
    return f"{len(report.passed)} of {report.total} properties hold{extreme}"


def details(report):
    """Yield a line for each property that was asked, and what the function printed."""
    for name in report.passed:
        word = "waits" if name in report.waits else "holds"
        words = name.removeprefix(f"{report.name}_").replace("_", " ")
        yield f"      {word}   {report.name} {words}"
    if report.failure:
        yield f"      FAILS   {report.failure.row.sentence}"
    if report.printed:
        yield "      it printed (the first lines):"
        yield from (f"        {text}" for text in report.printed.splitlines()[:5])


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
    return said_of(text) if names else ""


def summary(reports):
    """Return the sentence at the end: how many are right, wrong, not written yet."""
    counts, number = Counter(report.verdict for report in reports), len(reports)
    if counts["right"] == number:
        return f"All {number} functions are right." if number > 1 else "It is right."
    order = sorted(counts, key=lambda each: (each != "right", each != "wrong"))
    parts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in order)
    text = f"{counted(number, 'function')}: {parts}."
    causes = Counter(report.because for report in reports if report.because)
    for first, _ in causes.most_common(1):
        n = causes.total()
        others = "another calls it" if n == 1 else f"{n} others call it"
        text += f"\nBegin with {first}: {others}."
    return text


# ------------------------------------------------------------- the message of a failure


def message(failure):
    """Return all there is to say of a failure: what, where, why perhaps, what to do."""
    adapter = failure.adapter
    first = f"{adapter.title}: {adapter.renamed(failure.what)}"
    parts = [
        textwrap.fill(first, WIDTH, subsequent_indent="  "),
        _context(failure),
        _exception(failure),
        _inputs(failure),
        _table(failure),
        _explanation(failure),
    ]
    return "\n".join(part for part in parts if part)


_CONTEXT = {  # by the gate, and by whether the loss of a gradient is right
    "stability": "Ordinary inputs are right. What does not hold: {title} {words}.",
    ("own gradient", True): "Your {forward} is right, only the gradient is wrong.",
    ("own gradient", False): "Your {forward} is wrong too, "
    "and this is not its gradient.",
    ("gradient", True): "Your {forward} is right, only the gradient is wrong here.",
    ("gradient", False): "Your gradient is right for your {forward}, but that is "
    "wrong: repair it first, and this will do.",
}


def _context(failure):
    """Return what is known beside: of ordinary inputs, or of the loss of a gradient."""
    key = failure.gate, bool(failure.loss_is_right)
    text = _CONTEXT.get(failure.gate) or _CONTEXT.get(key, "")
    return said_of(text.format(**_names(failure)))


def _names(failure):
    """Return what a sentence about a failure may name."""
    return {
        "title": failure.adapter.title,
        "words": failure.row.words,
        "sentence": failure.row.sentence,
        "forward": failure.solution.title(failure.adapter.function.forward),
        "signature": failure.adapter.function.signature,
    }


def said_of(text):
    """Return a sentence set in by two columns, on lines of `WIDTH`."""
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
    for name, value in failure.adapter.shown(failure.inputs).items():
        start = f"      {name} = "
        lines.append(start + shown(value).replace("\n", "\n" + " " * len(start)))
    about = failure.adapter.function.about(failure.inputs)
    return "\n".join([*lines, *(f"      {words}" for words in about)])


def shown(value):
    """Return a value as text: arrays as nested lists, numbers with up to six digits."""
    if not isinstance(value, np.ndarray):
        return _number(value) if isinstance(value, float | int) else repr(value)
    if value.ndim == 0:
        return _number(value)
    if value.ndim == 1:
        return f"[{', '.join(map(_number, value))}]"
    if value.ndim == 2:
        cells = [[_number(v) for v in row] for row in value]
        rows = [f"[{', '.join(row)}]" for row in _in_columns(cells)]
    else:
        rows = [shown(part).replace("\n", "\n ") for part in value]
    return "[" + ",\n ".join(rows) + "]"


def _in_columns(cells):
    """Yield rows of texts, each column as wide as its widest, set to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield [text.rjust(w) for text, w in zip(row, widths, strict=True)]


def _number(value):
    return exactly(value) if np.isfinite(value) else str(float(value))


# ---------------------------------------------------------------------------- table


def _table(failure):
    """Return yours, expected and the difference of at most six wrong entries."""
    if failure.table is None:
        return ""
    name, *arrays = failure.table
    is_number = not np.ndim(arrays[0])
    yours, expected, wrong = map(np.atleast_1d, map(failure.adapter.laid_out, arrays))
    where = [tuple(map(int, index)) for index in np.argwhere(wrong)]
    pairs = [(yours[index], expected[index]) for index in where[:MOST_ENTRIES]]
    digits = _digits_to_tell_apart(pairs)
    heading = "before" if failure.gate == "inputs" else "expected"
    labels = [failure.adapter.renamed(name)]
    cells = [("yours", heading, "difference")]
    for index, (a, b) in zip(where, pairs, strict=False):
        labels.append("" if is_number else f"[{', '.join(map(str, index))}]")
        cells.append((_digits(a, digits), _digits(b, digits), _difference(a, b)))
    width = max(map(len, labels))
    lines = [
        f"      {label:{width}}   {'   '.join(row)}".rstrip()
        for label, row in zip(labels, _in_columns(cells), strict=True)
    ]
    return "\n".join(["", *lines, *_rest(len(where), wrong.size)])


def _rest(wrong, size):
    more, good = wrong - MOST_ENTRIES, size - wrong
    if more > 0:
        yield f"      {more} more {'is' if more == 1 else 'are'} wrong"
    if good > 0:
        yield f"      {good} other {'entry agrees' if good == 1 else 'entries agree'}"


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
    lines, found = [""], failure.found
    if found:
        on = f" (holds on {found.confirmed} further inputs too)" * bool(found.confirmed)
        lines += _labelled("looks like", found.words + on)
        for i, text in enumerate(found.line.splitlines()):
            lines += _labelled("" if i else "as if", text)
    lines += _labelled("on paper", _on_paper(failure))
    lines += _labelled("how we know", _how(failure))
    first, *rest = failure.reproducer.split("\n")  # which cannot be broken
    lines.append(f"  {'try it':{LABEL - 2}}{first}")
    lines += [" " * LABEL + each for each in rest]
    lines += _labelled("a hint", f"npsoftmax hint {failure.function}")
    return "\n".join(lines)


def _labelled(label, text):
    return textwrap.wrap(
        text or "",
        WIDTH,
        initial_indent=f"  {label:{LABEL - 2}}",
        subsequent_indent=" " * LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _on_paper(failure):
    """Return how the first wrong entry goes on paper, or None.

    "expected" may be the slope of another loss than that on paper.
    """
    function = failure.adapter.function
    of_theirs = failure.gate == "own gradient" and not failure.loss_is_right
    if failure.table is None or failure.adapter.is_theirs or of_theirs:
        return None
    name, yours, _, wrong = failure.table
    if name not in function.gives or not np.any(wrong):
        return None
    index = tuple(map(int, np.argwhere(wrong)[0])) if np.ndim(yours) else ()
    return function.on_paper(failure.inputs, name, index)


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
    if failure.how:
        return failure.how
    if failure.adapter.is_theirs and failure.gate in ("call", "types"):
        return "it was called as the first lines say"
    if failure.gate == "inputs" and failure.table is None:
        return "it was called twice, or with arrays that cannot be written to"
    return _HOW[failure.gate].format(**_names(failure))


# ------------------------------------------------------------------- the reproducer


def reproducer(failure):
    """Return what one can paste to see yours: a command for a file, else some lines."""
    solution, adapter = failure.solution, failure.adapter
    given = adapter.given(failure.call or failure.inputs)
    from_file = solution.source and solution.runs
    lines = list(adapter.calls(given, 'f["{}"]'.format if from_file else str))
    if failure.gate == "inputs":  # a second time, and what is left of the arguments
        arrays = [
            name for name, value in given.items() if isinstance(value, np.ndarray)
        ]
        lines += [lines[-1], f"print({', '.join(arrays)})"]
    lines = [*_assignments(given), *lines]
    if from_file:
        start = "import runpy, numpy as np"
        lines.insert(0, f"f = runpy.run_path({_quoted(solution.source)})")
    elif solution.own:
        names = filter(None, (adapter.function.forward, adapter.function.name))
        start = f"import numpy as np; from npsoftmax import {', '.join(names)}"
    else:
        return "\n".join(["import numpy as np", *lines])
    return f"python -c {shlex.quote('; '.join([start, *lines]))}"


def _quoted(path):
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _assignments(given):
    for name, value in given.items():
        if isinstance(value, np.ndarray):
            numbers = repr(value.tolist()).replace("nan", "np.nan")
            yield f"{name} = np.array({numbers})"
        else:
            yield f"{name} = {value!r}"
