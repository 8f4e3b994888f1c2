"""Files for people: written whole or not at all, and never over another unasked."""

import os
import tempfile
from pathlib import Path


def write_whole(path, content, replace=False):
    """Write `content`, text or bytes, to the file `path`, whole or not at all.

    Raises FileExistsError where `path` exists and `replace` is False; OSError where it
    cannot be written, and then whatever was at `path` is as it was.
    """
    path = Path(path)
    if not replace and os.path.lexists(path):
        raise FileExistsError(f"{path} exists already")
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".npsoftmax-")
    try:
        with open(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(draft, 0o666 & ~_umask())
        if replace:
            os.replace(draft, path)
        else:
            _name(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)


def _name(draft, path):
    """Give the draft its name, unlike os.replace never over another file."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: claim the name first
        path.open("x").close()
        os.replace(draft, path)


def _umask():
    umask = os.umask(0)
    os.umask(umask)
    return umask
