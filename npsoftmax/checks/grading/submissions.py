"""What teachers receive: whose file is which, and what comes along with it.

find(folder)               every submission in a folder, and what is none, and why
opened(path, folder)       the folder itself, or a zip's files in another
alone(submission, folder)  a copy of a submission and of its own helpers, nothing else

A file in the folder itself is its student's, who is called as the file is. A folder in
it is a student's, and so is what Moodle calls Name_ID_assignsubmission_file_. A helper
is a module that others import: in a student's folder whatever it defines; beside the
files of others only if it defines nothing that is asked for, and then it is everybody's.
"""

import re
import shutil
import zipfile
from pathlib import Path
from typing import NamedTuple

from npsoftmax.checks.layers import CONTRACT

MOST_BYTES = 1 << 30  # of a zip unpacked
MOST_COPIED = 64 << 20  # bytes of a file that comes along
MOODLE = re.compile(r"(.+)_(\d+)_assignsubmission_(?:file|onlinetext)(?:_(.*))?", re.S)
IMPORT = re.compile(r"(?<![.\w])(?:from\s+\.*([\w.]+)\s+import|import\s+([\w., \t]+))")
DEFINED = re.compile(r"\b(?:def|class)\s+(\w+)")
WORD = re.compile(r"[A-Z]?[a-z]+")
ASKED = {"entropy"} | {name.split("_")[0] for name in CONTRACT} - {"log", "cross"}


class Submission(NamedTuple):
    """A student's file, and the files that lie beside it, by their names there."""

    student: str
    path: Path
    name: str  # where it lies beside the others, such as homework.py
    beside: dict  # {name: Path}

    @property
    def label(self):
        """The student, and the file where its name says more."""
        same = Path(self.name).stem == self.student
        return self.name if same else f"{self.student}/{self.name}"


class Found(NamedTuple):
    submissions: list
    others: dict  # {name: why it is no submission}
    remarks: list  # lines


class SubmissionsError(Exception):
    """What cannot be graded at all, with the one line that says why."""


def find(folder, one_student=False):
    """Return the `Found` in a folder; it may be known to be one student's own."""
    others = {}
    if one_student:
        found = _of_one(folder.resolve().name, _files(folder, "", others), others)
    else:
        found = [*_flat(folder, others), *_folders(folder, others)]
    if not found:
        raise SubmissionsError(f"there are no .py files or notebooks in {folder}")
    found.sort(key=lambda each: (each.student.lower(), each.name))
    return Found(found, others, [*_several(found), *_of_another(found)])


def _flat(folder, others):
    """Return the submissions that lie in the folder itself."""
    files, of_moodle = {}, {}
    for name, path in _files(folder, "", others, deep=False).items():
        if match := MOODLE.fullmatch(name):
            of_moodle.setdefault(_moodle(match), {})[match[3] or name] = path
        else:
            files[name] = path
    helpers = {
        name: path
        for name, path in files.items()
        if _imported_by_others(name, files) and not _defines_what_is_asked(path)
    }
    others |= dict.fromkeys(helpers, "a helper, which others import")
    found = [
        each for student in of_moodle.items() for each in _of_one(*student, others)
    ]
    for name, path in files.items():
        if name in helpers or not _is_code(name):
            continue
        found.append(Submission(Path(name).stem, path, name, helpers))
    return found


def _folders(folder, others):
    """Return the submissions that lie in folders, one for each student."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not _hidden(path.name):
            match = MOODLE.fullmatch(path.name)
            files = _files(path, f"{path.name}/", others)
            of_one = _of_one(_moodle(match) if match else path.name, files, others)
            found += of_one
            if not of_one:
                others[path.name] = "no .py file or notebook is in it"
    return found


def _moodle(match):
    return f"{match[1]} ({match[2]})"


def _of_one(student, files, others):
    """Return the submissions among all the files of one student."""
    code = {name: path for name, path in files.items() if _is_code(name)}
    helpers = {name for name in code if _imported_by_others(name, code)}
    if len(helpers) == len(code):  # they import each other
        helpers = set()
    for name in helpers:
        others[f"{student}/{name}"] = "a helper, which another file imports"
    return [
        Submission(student, path, name, files)
        for name, path in code.items()
        if name not in helpers
    ]


def _files(folder, within, others, deep=True):
    """Return {name: path} of the files in a folder, by where they lie in it."""
    files = {}
    for path in sorted(folder.rglob("*") if deep else folder.iterdir()):
        name = path.relative_to(folder)
        if path.is_dir():
            continue
        if any(map(_hidden, name.parts)):
            others[f"{within}{name}"] = "hidden, or of a package"
            if path.name == "__init__.py":
                files[str(name)] = path
        elif not path.is_file():
            others[f"{within}{name}"] = "no file that can be read"
        else:
            files[str(name)] = path
            if not _is_code(path.name):
                others[f"{within}{name}"] = "no .py file or notebook"
    return files


def _hidden(name):
    return name.startswith((".", "__"))


def _is_code(name):
    path = Path(name)
    return path.suffix.lower() in (".py", ".ipynb") and path.name != "__init__.py"


def _several(found):
    """Yield a line for each student with more than one file."""
    for student in dict.fromkeys(each.student for each in found):
        names = [each.name for each in found if each.student == student]
        if len(names) > 1:
            yield f"{student} has {len(names)} files: {', '.join(names)}"


def _of_another(found):
    """Yield a line for each file that imports another student's."""
    for each in found:
        imports = _imports(_text(each.path)) - {Path(name).stem for name in each.beside}
        for other in found:
            if other.student != each.student and Path(other.name).stem in imports:
                yield (
                    f"{each.name} imports what {other.student} calls {other.name}: "
                    "a file runs without those of other students"
                )


# ------------------------------------------------------------- what a file looks like


def _text(path):
    try:
        with path.open("rb") as file:
            return file.read(MOST_COPIED).decode("utf-8", "replace")
    except OSError:
        return ""


def _imported_by_others(name, files):
    path = Path(name)
    if path.suffix.lower() != ".py":
        return False
    return any(
        path.stem in _imports(text)
        for other, text in ((each, _text(files[each])) for each in files)
        if other != name and _is_code(other)
    )


def _imports(text):
    """Return the names of all modules that a source, or a notebook, imports."""
    names = set()
    for source, listed in IMPORT.findall(text):
        for each in (source or listed).split(","):
            names.update(each.split(" as ")[0].strip().split("."))
    return names


def _defines_what_is_asked(path):
    words = {
        word.lower() for word in WORD.findall(" ".join(DEFINED.findall(_text(path))))
    }
    return not words.isdisjoint(ASKED)


# ----------------------------------------------------------------- zips, and copies


def opened(path, folder):
    """Return the folder that has the submissions, a zip's unpacked into an empty one."""
    if not path.exists():
        raise SubmissionsError(f"{path}: there is no such folder")
    if path.is_dir():
        return path
    if path.suffix.lower() != ".zip":
        raise SubmissionsError(
            f"{path} is a file; `npsoftmax check {path}` checks one file"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
            if size > MOST_BYTES:
                raise SubmissionsError(
                    f"{path} has {size >> 20} MiB: unpack it yourself"
                )
            archive.extractall(folder)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raise SubmissionsError(f"{path} cannot be unpacked: {error}") from None
    inside = [each for each in folder.iterdir() if not _hidden(each.name)]
    alone = len(inside) == 1 and inside[0].is_dir()
    return inside[0] if alone and not MOODLE.fullmatch(inside[0].name) else folder


def alone(submission, folder):
    """Copy a submission and what lies beside it into a folder; return its new path."""
    for name, path in (submission.beside | {submission.name: submission.path}).items():
        if path.stat().st_size <= MOST_COPIED:
            copy = folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    return folder / submission.name
