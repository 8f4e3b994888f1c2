"""Files are written whole or not at all, and never over another unasked."""

import contextlib
import os
from unittest import mock

import pytest

from npsoftmax.files import write_whole


def test_a_file_holds_exactly_the_text(tmp_path):
    write_whole(tmp_path / "a.txt", "two\nlines\r\n")
    assert (tmp_path / "a.txt").read_bytes() == b"two\nlines\r\n"


def no_check():
    """Let a file come at the last moment: it is not there when one looks."""
    return mock.patch("os.path.lexists", return_value=False)


def no_links():
    return mock.patch("os.link", side_effect=PermissionError)


@pytest.mark.parametrize("where", [contextlib.nullcontext, no_check, no_links])
def test_a_file_that_exists_is_left_as_it_was(where, tmp_path):
    path = tmp_path / "a.txt"
    with where():
        write_whole(path, "old")
        with pytest.raises(FileExistsError):
            write_whole(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_file_is_replaced_when_that_is_asked_for(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    write_whole(path, "new", replace=True)
    assert path.read_text() == "new"


@pytest.mark.parametrize("replace", [False, True])
def test_nothing_is_left_behind_when_writing_fails(replace, tmp_path):
    path = tmp_path / "a.txt"
    if replace:
        path.write_text("old")
    before = os.listdir(tmp_path)
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "long " * 10_000 + "\ud800", replace=replace)
    assert os.listdir(tmp_path) == before
    assert not replace or path.read_text() == "old"


def test_a_file_may_be_read_by_whoever_the_umask_lets(tmp_path):
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a.txt", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640
