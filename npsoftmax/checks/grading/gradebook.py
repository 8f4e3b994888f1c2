"""Grades to words: the table on the terminal, the CSV and the JSON.

table(grades)         a row for each file, points by layer
remarks(grade)        what is wrong in one file, a line for each function
as_csv(grades)        a row for each file, points for each function and property
as_json(grades, ...)  everything, for programs
"""

import csv
import io
import json
import textwrap

from npsoftmax.checks.layers import LAYERS

WIDTH = 79  # characters in a line


def table(grades):
    """Return the table: points in all and by layer, and the file's name at the end."""
    names = list(grades[0].functions)
    groups = {head: _members(layer, names) for head, layer in LAYERS.items()}
    groups = {head: members for head, members in groups.items() if members}
    heads = ["points", *groups, "file"]
    rows = [[*_cells(grade, groups), grade.path.name] for grade in grades]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    widths[-1] = 0  # the names stand at the end, however long they are
    return "\n".join(
        "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        for row in [heads, *rows]
    )


def _cells(grade, groups):
    cells = [f"{_number(grade.points)}/{_number(grade.out_of)}"]
    for members in groups.values():
        entries = [grade.functions[name] for name in members]
        got, best = (sum(e[key] for e in entries) for key in ("points", "out_of"))
        cells.append(f"{_number(got)}/{_number(best)}")
    return cells


def _members(layer, names):
    return [each.name for each in layer.FUNCTIONS if each.name in names]


def _number(points):
    return f"{points:g}"


def remarks(grade):
    """Return the lines that say what one file lost its points for, or none."""
    if grade.problem:
        return _wrapped([f"{grade.path.name}: {grade.problem}"])
    entries = grade.functions
    lines = [_remark(name, each) for name, each in entries.items() if each["why"]]
    lines += [f"  {remark}" for remark in borrowed(grade)]
    silent = [name for name, e in entries.items() if not (e["why"] or e["points"])]
    for state in dict.fromkeys(entries[name]["state"] for name in silent):
        names = [name for name in silent if entries[name]["state"] == state]
        said = ", ".join(names) if len(names) < len(entries) else "every function"
        lines.append(f"  {state}, no points: {said}")
    return _wrapped([grade.path.name, *lines]) if lines else []


def borrowed(grade):
    """Return which functions have points, and call npsoftmax's own all the same."""
    return [
        f"{name} calls npsoftmax's {', '.join(entry['calls'])}: look at it"
        for name, entry in grade.functions.items()
        if entry.get("calls") and entry["points"]
    ]


def _remark(name, entry):
    parts = [f"  {name}: {entry['why']}"]
    if entry.get("input"):
        parts.append(f"for {entry['input']}")
    if entry.get("looks_like"):
        parts.append(f"-- looks like: {entry['looks_like']}")
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


def report(grades):
    """Return the table, and below it what is wrong in each file."""
    lines = [line for grade in grades for line in remarks(grade)]
    return "\n".join([table(grades), *([""] if lines else []), *lines])


def as_csv(grades):
    """Return the CSV: a row for each file, a column for each function and property."""
    names = list(grades[0].functions)
    each = [grade.functions[name] for grade in grades for name in names]
    properties = list(dict.fromkeys(p for entry in each for p in entry["properties"]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*CSV_HEAD, *names, *properties])
    writer.writerows(_csv_row(grade, names, properties) for grade in grades)
    return text.getvalue()


CSV_HEAD = (
    "file", "points", "out_of", "problem", "calls_npsoftmax",
    "first_wrong", "what", "smallest_input", "looks_like",
)  # fmt: skip


def _csv_row(grade, names, properties):
    entries = grade.functions
    first = next((n for n in names if entries[n]["state"] in ("wrong", "stopped")), "")
    wrong = entries.get(first, {})
    points = {p: n for e in entries.values() for p, n in e["properties"].items()}
    return [
        *(grade.path.name, grade.points, grade.out_of, grade.problem),
        "; ".join(borrowed(grade)),
        *(first, *(wrong.get(key) or "" for key in ("why", "input", "looks_like"))),
        *(entries[name]["points"] for name in names),
        *(points[each] for each in properties),
    ]


def as_json(grades, **about):
    """Return the JSON: `about` the run, and each file with all of its functions."""
    files = [
        {
            "file": grade.path.name,
            "points": grade.points,
            "out_of": grade.out_of,
            "problem": grade.problem,
            "seconds": round(grade.seconds, 1),
            "functions": grade.functions,
        }
        for grade in grades
    ]
    return json.dumps({**about, "files": files}, indent=2) + "\n"
