"""What students get: a text each, and what Gradescope shows of it.

text(grade)             what is right, percentages, the messages of `npsoftmax check`
as_gradescope(grade)    the results.json of Gradescope, for one submission

Neither says what the right line would be. The fields are those of
https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from npsoftmax.checks.grading.gradebook import percent, reasons
from npsoftmax.terminal import printable


def text(grade):
    """Return the text for one student."""
    submission = grade.submission
    lines = [
        f"{submission.student}, {submission.name}: {percent(grade.percent())} %",
        "",
    ]
    if grade.problem:
        lines += [grade.problem, ""]
    for name in grade.marks:
        share = percent(100 * grade.share_of(name))
        lines.append(f"  {name:23} {share:>5} %   {_state(grade, name)}".rstrip())
    for mark in grade.marks.values():
        if mark.message and not mark.because:
            lines += ["", "", mark.message]
    return printable("\n".join(lines)) + "\n"


def _state(grade, name):
    mark = grade.marks[name]
    if mark.because:
        return f"it will do when {mark.because} is right"
    return mark.state if mark.message else mark.why or mark.state


def as_gradescope(grade):
    """Return the results.json of one submission: a test for each function."""
    return {
        "score": round(grade.points(), 4),
        "execution_time": round(grade.seconds, 1),
        "output": printable("\n".join(reasons(grade))),
        "output_format": "text",
        "visibility": "visible",
        "tests": [_test(grade, *each) for each in enumerate(grade.marks, 1)],
    }


def _test(grade, number, name):
    mark = grade.marks[name]
    return {
        "score": round(grade.points_of(name), 4),
        "max_score": grade.weights[name],
        "status": "passed" if grade.share_of(name) == 1 else "failed",
        "name": name,
        "number": str(number),
        "output": mark.message or _state(grade, name),
        "output_format": "text",
        "visibility": "visible",
    }
