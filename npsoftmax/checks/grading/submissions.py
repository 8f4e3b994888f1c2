"""What teachers receive: whose file is which, and what comes along with it.

find(folder)               every submission in a folder, and what is none, and why
opened(path, folder)       the folder itself, or a zip's files in another
alone(submission, folder)  a copy of a submission and of its own helpers, nothing else

A file in the folder itself is its student's, who is called as the file is. A folder in
it is a student's, and so is what Moodle calls Name_ID_assignsubmission_file_. A helper
is a module that others import: in a student's folder whatever it defines; beside the
files of others only if it defines nothing that is asked for; then it is everybody's.
"""

import re
import shutil
import zipfile
from pathlib import Path
from typing import NamedTuple

from npsoftmax.checks.grading.points import GradingError
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


def find(folder, one_student=False):
    """Return the `Found` in a folder; it may be known to be one student's own."""
    files, others = _files(folder)
    flat, folders = ({}, {folder.resolve().name: files}) if one_student else _by(files)
    shared = _shared(flat, folders)
    others |= dict.fromkeys(shared, "a helper, which others import")
    found = [
        Submission(Path(name).stem, flat[name], name, shared)
        for name in _code(flat) - shared.keys()
    ]
    for student, files in folders.items():
        code, helpers = _code(files), _imported(files)
        if helpers == code:  # they import each other
            helpers = set()
        for name in sorted(helpers):
            others[f"{student}/{name}"] = "a helper, which another file imports"
        found += [Submission(student, files[n], n, files) for n in code - helpers]
        if not code:
            others[student] = "no .py file or notebook is in it"
    if not found:
        raise GradingError(f"there are no .py files or notebooks in {folder}")
    found.sort(key=lambda each: (each.student.lower(), each.name))
    return Found(found, others, list(_several(found)))


def _files(folder):
    """Return {name: path} of all files, deep down, and why others are none."""
    files, others = {}, {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_dir():
            continue
        if not path.is_file():
            others[name.as_posix()] = "no file that can be read"
        elif path.name != "__init__.py" and any(map(_hidden, name.parts)):
            others[name.as_posix()] = "hidden, or made by a program"
        else:
            files[name.as_posix()] = path
    none = sorted(files.keys() - _code(files))
    others |= dict.fromkeys(none, "no .py file or notebook")
    return files, others


def _hidden(name):
    return name.startswith((".", "__"))


def _by(files):
    """Return the files in the folder itself, and {student: files} of the others."""
    flat, folders = {}, {}
    for name, path in files.items():
        first, _, rest = name.partition("/")
        if match := MOODLE.fullmatch(first):
            first, rest = f"{match[1]} ({match[2]})", rest or match[3] or first
        if rest:
            folders.setdefault(first, {})[rest] = path
        else:
            flat[name] = path
    return flat, folders


def _shared(flat, folders):
    """Return what files of the folder itself import, and is nobody's work; a package,
    too, which is then no student's folder.
    """
    shared = {n: flat[n] for n in sorted(_imported(flat)) if not _is_work(flat[n])}
    imports = set().union(*(_imports(flat[name]) for name in _code(flat)))
    for name in sorted(imports & folders.keys()):
        if not any(map(_is_work, folders[name].values())):
            files = folders.pop(name)
            shared |= {f"{name}/{each}": path for each, path in files.items()}
    return shared


def _code(names):
    """Return those names that can be a submission."""
    endings = ".py", ".ipynb"
    code = {name for name in names if name.lower().endswith(endings)}
    return {name for name in code if Path(name).name != "__init__.py"}


def _several(found):
    """Yield a line for each student with more than one file."""
    for student in dict.fromkeys(each.student for each in found):
        names = [each.name for each in found if each.student == student]
        if names[1:]:
            yield f"{student} has {len(names)} files: {', '.join(names)}"


# ------------------------------------------------------------- what a file looks like


def _text(path):
    try:
        with path.open("rb") as file:
            return file.read(MOST_COPIED).decode("utf-8", "replace")
    except OSError:
        return ""


def _imported(files):
    """Return the names of the .py files that others of these files import."""
    imports = {name: _imports(files[name]) for name in _code(files)}
    return {
        name
        for name in imports
        if name.endswith(".py")
        and any(Path(name).stem in imports[each] for each in imports if each != name)
    }


def _imports(path):
    """Return the names of all modules that a source, or a notebook, imports."""
    names = set()
    for source, listed in IMPORT.findall(_text(path)):
        for each in (source or listed).split(","):
            names.update(each.split(" as ")[0].strip().split("."))
    return names


def _is_work(path):
    """Return whether a file defines what could be asked for."""
    words = WORD.findall(" ".join(DEFINED.findall(_text(path))))
    return not ASKED.isdisjoint(word.lower() for word in words)


# ----------------------------------------------------------------- zips, and copies


def opened(path, folder):
    """Return the folder that has the submissions: a zip is unpacked into another."""
    if not path.exists():
        raise GradingError(f"{path}: there is no such folder")
    if path.is_dir():
        return path
    if path.suffix.lower() != ".zip":
        raise GradingError(
            f"{path} is a file; `npsoftmax check {path}` checks one file"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
            if size > MOST_BYTES:
                raise GradingError(f"{path} has {size >> 20} MiB: unpack it yourself")
            archive.extractall(folder)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raise GradingError(f"{path} cannot be unpacked: {error}") from None
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
