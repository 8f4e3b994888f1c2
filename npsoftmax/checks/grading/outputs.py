"""The files that grading writes: claimed at the beginning, so that another run at the
same time notices, and written anew with each grade; elsewhere rather than not at all.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

from npsoftmax.checks.grading import feedback, gradebook
from npsoftmax.checks.grading.points import GradingError
from npsoftmax.files import write_whole


class Outputs:
    """The table in NAME.csv and NAME.json, or Gradescope's results in NAME.json; and a
    text for each submission in a folder.
    """

    def __init__(self, name, submissions, folder=None, gradescope=False, force=False):
        endings = (".json",) if gradescope else (".csv", ".json")
        self.gradescope, self.force = gradescope, force
        self.texts = self._texts(Path(folder), submissions) if folder else {}
        self.paths, self.claimed = [Path(f"{name}{each}") for each in endings], []
        try:
            for path in self.paths:
                self._claim(path)
        except GradingError:
            self.give_back()
            raise

    def save(self, grades, latest, **about):
        """Write all that is known so far; `latest` is the grade that is new."""
        if self.gradescope:  # of several files of the student's the best counts
            best = max(grades, key=lambda grade: grade.percent())
            contents = [json.dumps(feedback.as_gradescope(best), indent=2) + "\n"]
        else:
            contents = gradebook.as_csv(grades), gradebook.as_json(grades, **about)
        self.paths = [*map(_written, self.paths, contents)]
        if self.texts:
            _written(self.texts[latest.submission.path], feedback.text(latest))

    def give_back(self):
        """Take what was claimed for nothing away again."""
        for path in self.claimed:
            path.unlink(missing_ok=True)

    def _claim(self, path):
        """Make sure that a file can be written: where there is none, by making it."""
        self._free(path)
        try:
            if os.path.lexists(path):
                _make_one_in(path.parent)
            else:
                write_whole(path, "")
                self.claimed.append(path)
        except OSError as error:
            raise _not_written(path, error) from None

    def _free(self, path):
        if os.path.lexists(path) and not self.force:
            raise GradingError(
                f"{path} exists already: "
                "--force replaces it, --out NAME writes elsewhere"
            )

    def _texts(self, folder, submissions):
        """Return {path of the submission: path of its text}."""
        texts = {}
        for each in submissions:
            stem = re.sub(r"[^\w.@() -]", "_", each.student)[:100]
            path = folder / f"{stem}.txt"
            if path in texts.values():
                path = folder / f"{stem} {len(texts)}.txt"
            self._free(path)
            texts[each.path] = path
        try:
            folder.mkdir(exist_ok=True)
            _make_one_in(folder)
        except OSError as error:
            raise _not_written(folder, error) from None
        return texts


def _make_one_in(folder):
    """Make a file in a folder, for a moment; raise OSError where none can be made."""
    tempfile.TemporaryFile(dir=folder).close()


def _not_written(path, error):
    reason = (error.strerror or str(error)).lower()
    return GradingError(f"{path} cannot be written: {reason}")


def _written(path, content):
    """Write a file anew, elsewhere rather than not at all; return where it is."""
    try:
        write_whole(path, content, replace=True)
        return path
    except OSError as error:
        elsewhere = Path(tempfile.mkdtemp(prefix="npsoftmax-grades-")) / path.name
        write_whole(elsewhere, content)
        reason = error.strerror or error
        print(f"{path} cannot be written: {reason}: see {elsewhere}", file=sys.stderr)
        return elsewhere
