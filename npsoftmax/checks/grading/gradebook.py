"""Grades to words: the table on the terminal, the CSV and the JSON.

table(grades)              a row for each file, in percent, by layer
remarks(grade)             what is wrong in one file, a line for each function
as_csv(grades)             the same for a spreadsheet: percent by function, and why
as_json(grades, ...)       everything, each property too, for programs
"""

import csv
import io
import json
import textwrap

from npsoftmax.checks.layers import CONTRACT, LAYERS, functions_of
from npsoftmax.terminal import printable

WIDTH = 79  # characters in a line


def table(grades):
    """Return the table: percent in all and by layer, and the student at the end."""
    names = list(grades[0].weights)
    groups = {head: _members(layer, names) for head, layer in LAYERS.items()}
    groups = {head: members for head, members in groups.items() if members}
    rows = [["percent", *groups, "student"]]
    for grade in grades:
        parts = [grade.percent(), *map(grade.percent, groups.values())]
        rows.append([*map(percent, parts), printable(grade.submission.label)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    lines = ["  ".join([*map(str.rjust, cells, widths), name]) for *cells, name in rows]
    return "\n".join(_wrapped(lines))


def _members(layer, names):
    return [each.name for each in functions_of(layer) if each.name in names]


def percent(number):
    """Return a percentage with a digit behind the point where it has one, never up to
    100 or down to 0.
    """
    rounded = min(max(round(number, 1), 0.1), 99.9) if 0 < number < 100 else number
    return f"{rounded:g}"


def remarks(grade):
    """Return the lines that say what one file lost its points for, or none."""
    label = printable(grade.submission.label)
    if grade.problem:
        named = grade.problem.startswith(label)
        return _wrapped([grade.problem if named else f"{label}: {grade.problem}"])
    lines = [f"  {reason}" for reason in reasons(grade)]
    return _wrapped([label, *lines]) if lines else []


def reasons(grade):
    """Return lines that say why functions have not every point, or are to be looked at;
    those that have the same reason are together. A file's own problem is the only one.
    """
    if grade.problem:
        return [grade.problem]
    same = {}
    for name, mark in grade.marks.items():
        if why := _reason(grade, name, mark):
            same.setdefault(why, []).append(name)
    if len(grade.marks) > 1 and [*grade.marks] in same.values():
        return [f"every function: {why}" for why in same]
    return [f"{', '.join(names)}: {why}" for why, names in same.items()]


def _reason(grade, name, mark):
    if mark.because:
        said = f"fails only because {mark.because}, which it calls, is wrong"
        return f"{said}: counted beside a right one" if grade.share_of(name) else said
    if mark.borrows and grade.share_of(name):
        return f"calls npsoftmax's {', '.join(mark.borrows)}: look at it"
    if grade.share_of(name) == 1:
        return ""
    parts = [mark.why or mark.state]
    if mark.input:
        parts.append(f"for {mark.input}")
    if mark.looks_like:
        parts.append(f"-- looks like: {mark.looks_like}")
    return " ".join(parts)


def _wrapped(lines):
    """Return lines of WIDTH, with no break inside of `m = 2`."""
    return [
        textwrap.fill(
            line.replace(" = ", "\0=\0"),
            WIDTH,
            subsequent_indent=" " * 6,
            break_on_hyphens=False,
        ).replace("\0", " ")
        for line in lines
    ]


def report(grades, others=(), notes=()):
    """Return the table, and below it what is wrong in each file, and what is none."""
    lines = [line for grade in grades for line in remarks(grade)]
    lines += _wrapped(printable(note) for note in notes)
    for why in dict.fromkeys(dict(others).values()):
        names = [name for name, reason in others.items() if reason == why]
        lines += _wrapped([f"not graded, {why}: {printable(', '.join(names))}"])
    return "\n".join([table(grades), *([""] if lines else []), *lines])


def as_csv(grades):
    """Return the CSV: a row for each file, percent in all and for each function."""
    names = list(grades[0].weights) if grades else []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["student", "file", "percent", "points", "out_of", *names, "why"])
    for grade in grades:
        row = [
            *(grade.submission.student, grade.submission.name),
            *(percent(grade.percent()), f"{grade.points():.6g}"),
            f"{sum(grade.weights.values()):g}",
            *(percent(100 * grade.share_of(name)) for name in grade.weights),
            "; ".join(reasons(grade)),
        ]
        writer.writerow(map(_cell, row))
    return text.getvalue()


def _cell(text):
    """Return text that no spreadsheet takes for a formula."""
    return "'" * text.startswith(("=", "+", "-", "@")) + printable(text)


def as_json(grades, **about):
    """Return the JSON: `about` the run, and each file with all of its functions."""
    return json.dumps({**about, "files": [*map(_as_data, grades)]}, indent=2) + "\n"


def _as_data(grade):
    return {
        "student": grade.submission.student,
        "file": grade.submission.name,
        "percent": round(grade.percent(), 1),
        "points": round(grade.points(), 4),
        "out_of": sum(grade.weights.values()),
        "problem": grade.problem,
        "seconds": round(grade.seconds, 1),
        "functions": {
            name: {
                "percent": round(100 * grade.share_of(name), 1),
                "points": round(grade.points_of(name), 4),
                "out_of": grade.weights[name],
                **{k: v for k, v in mark._asdict().items() if k != "held"},
                "properties": {
                    row.name: row.name in mark.held for row in CONTRACT[name].asked()
                },
            }
            for name, mark in grade.marks.items()
        },
    }
