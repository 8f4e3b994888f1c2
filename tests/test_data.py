"""The bundled digits, and the data that people have."""

import gzip
import io
import os
import struct
import tracemalloc
import zipfile

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal

from npsoftmax import memory
from npsoftmax.data import FOLDS, IDX_FILES, DataError, load, load_digits

# The digits


@pytest.mark.parametrize("fold", range(FOLDS))
def test_a_fold_is_a_fifth_of_each_digit_to_one_and_the_rest_is_to_train(fold):
    digits = load_digits(fold)
    tested = np.bincount(digits.y_test)
    total = tested + np.bincount(digits.y_train)
    # The class distribution in optdigits.names, which comes with the source.
    assert list(total) == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (np.abs(tested - total / FOLDS) < 1).all()
    assert digits.classes == 10
    for x, y in (digits[:2], digits[2:]):
        assert x.shape == (len(y), 64)
        assert x.dtype == np.float32
        assert (x.min(), x.max()) == (0, 1)
        assert_array_equal(16 * x, np.round(16 * x))


def test_each_digit_is_in_the_test_part_of_one_fold_alone():
    tested = [load_digits(fold).x_test for fold in range(FOLDS)]
    all_of_them = np.concatenate([load_digits().x_train, load_digits().x_test])
    assert sorted(map(bytes, np.concatenate(tested))) == sorted(map(bytes, all_of_them))


def test_a_fold_that_is_none_is_an_error_that_says_which_there_are():
    with pytest.raises(ValueError, match="fold is 5, but the folds are 0 to 4"):
        load_digits(5)


# What people have


def small_set():
    return {
        "x_train": np.arange(30, dtype=np.uint8).reshape(5, 2, 3),
        "y_train": np.arange(5, dtype=np.uint8),
        "x_test": np.arange(12, dtype=np.uint8).reshape(2, 2, 3),
        "y_test": np.array([4, 0], np.uint8),
    }


def header(*shape):
    return struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape)


def write_folder(folder, dot="-", ending="", zipped=False, **changed):
    """Write IDX files; bytes go in as they are, and nothing for None."""
    for part, content in (small_set() | changed).items():
        if isinstance(content, np.ndarray):
            content = header(*content.shape) + content.tobytes()
            content = gzip.compress(content) if zipped else content
        if content is not None:
            name = IDX_FILES[part].replace("-idx", f"{dot}idx") + ending
            (folder / name).write_bytes(content)


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        assert a.dtype == b.dtype
        assert_array_equal(a, b)


@st.composite
def parts(draw):
    """Draw what one may have, small: images, and labels of two classes or more."""
    shapes = array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=5)
    x = draw(arrays(np.uint8, shapes))
    y = draw(arrays(np.uint8, len(x)).filter(lambda y: len(set(y.tolist())) > 1))
    return {"x_train": x, "y_train": y, "x_test": x[:1], "y_test": y[:1]}


@given(
    parts=parts(),
    save=st.sampled_from([np.savez, np.savez_compressed]),
    kind=st.sampled_from([np.uint8, np.int64, np.dtype(">i4")]),
)
def test_images_are_rows_from_0_to_1_and_classes_0_to_c_whatever_the_labels(
    tmp_path_factory, parts, save, kind
):
    folder = tmp_path_factory.mktemp("any")
    write_folder(folder, **parts)
    as_keras = {n: a if n[0] == "x" else a.astype(kind) for n, a in parts.items()}
    save(folder / "any.npz", **as_keras)
    dataset, labels = load(folder)
    assert_same(dataset, load(folder / "any.npz")[0])
    assert dataset.x_train.dtype == np.float32
    x, y = parts["x_train"], parts["y_train"].tolist()
    assert_array_equal(np.round(255 * dataset.x_train), x.reshape(len(y), -1))
    assert labels == sorted(set(y))
    assert [labels[c] for c in dataset.y_train] == y
    assert labels[dataset.y_test[0]] == y[0]
    assert dataset.classes == len(labels)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("dot", ["-", "."])
def test_a_folder_is_read_under_each_customary_name_zipped_or_not(
    tmp_path, dot, ending, zipped
):
    np.savez(tmp_path / "same.npz", **small_set())
    write_folder(tmp_path, dot, ending, zipped)
    assert_same(load(tmp_path)[0], load(tmp_path / "same.npz")[0])


@pytest.mark.parametrize("below", ["raw", "MNIST/raw", "FashionMNIST/raw"])
def test_a_folder_above_torchvision_s_is_as_good(tmp_path, below):
    (tmp_path / below).mkdir(parents=True)
    write_folder(tmp_path / below)
    assert len(load(tmp_path)[0].x_train) == 5


# What no one should have


def idx(**contents):
    """Return what writes a folder of IDX files with these changes, and gives it."""

    def write(folder):
        write_folder(folder, **contents)
        return folder

    return write


def wide(*pixels):
    """Return what writes headers of images so large, and no pixel."""
    return idx(x_train=header(5, *pixels), x_test=header(2, *pixels))


def npz(**changed):
    """Return what writes an .npz file, and gives its path.

    An array of None is left out; bytes go in as they are, in place of an array.
    """

    def write(folder):
        with zipfile.ZipFile(folder / "data.npz", "w") as archive:
            for name, part in (small_set() | changed).items():
                if isinstance(part, np.ndarray):
                    content = io.BytesIO()
                    np.save(content, part)
                    part = content.getvalue()
                if part is not None:
                    archive.writestr(f"{name}.npy", part)
        return folder / "data.npz"

    return write


def npy(description, version=b"\x01\x00"):
    text = description.encode().ljust(117) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text


def promised(shape):
    return npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}")


def pipes(folder):
    """Write what would be waited for without an end, if it were opened."""
    write_folder(folder, x_train=None)
    for name in (IDX_FILES["x_train"], "pipe.npz"):
        os.mkfifo(folder / name)
    return folder


def circle(folder):
    (folder / "a").symlink_to(folder / "b")
    (folder / "b").symlink_to(folder / "a")
    return folder / "a"


def two_raw(folder):
    for name in ("FashionMNIST", "MNIST"):
        (folder / name / "raw").mkdir(parents=True)
    return folder


ZIPPED = gzip.compress(header(5, 2, 3) + np.random.default_rng(0).bytes(30))
BOMB = gzip.compress(header(5, 2, 3) + bytes(2**26))
OBJECTS = np.array([{}] * 5, dtype=object)
HOSTILE = {
    "images cut off": (
        idx(x_train=header(5, 2, 3) + bytes(29)), "expected 30 bytes .*only 29.*cut off"
    ),
    "a byte more": (idx(x_train=header(5, 2, 3) + bytes(31)), "found more.*too long"),
    "half a header": (
        idx(x_train=header(5, 2, 3)[:6]), "header of 16 bytes.*found 00 00 08 03 00 00$"
    ),
    "nothing in it": (idx(x_train=b""), "begins 00 00 08 03.*found no bytes at all"),
    "floats": (
        idx(y_test=b"\0\0\x0d\1" + bytes(12)), "begins 00 00 08 01.*found 00 00 0d 01"
    ),
    "labels of images": (idx(y_test=header(2, 2, 3) + bytes(12)), "in 1 dimension,"),
    "gzip data cut off": (idx(x_train=ZIPPED[:30]), "images.* cannot be read: Comp"),
    "a checksum cut off": (idx(x_train=ZIPPED[:-4]), "images.* cannot be read: Comp"),
    "gzip data that are no data": (
        idx(x_train=b"\x1f\x8b" + bytes(20)), "images.* cannot be read: Unknown comp"
    ),
    "gzip of nothing": (idx(x_train=gzip.compress(b"")), "no bytes at all"),
    "64 MB of zeros in 64 KB of gzip": (idx(x_train=BOMB), "found more"),
    "images without a pixel": (idx(x_test=header(2, 0, 3)), "at least one entry"),
    "a test image of another size": (
        idx(x_test=header(2, 3, 2) + bytes(12)), "images of 2 x 3 .* found 3 x 2"
    ),
    "a label less": (
        idx(y_train=header(4) + b"1234"), "labels.*: expected 5 labels.*images.*found 4"
    ),
    "a label never trained on": (
        idx(y_test=header(2) + b"\1\7"), "t10k-labels.* train-labels.*0 to 4; found 7"
    ),
    "one class alone": (idx(y_train=header(5) + b"\3" * 5), "every label is 3, .* one"),
    "2^31 x 2^15 x 2^15 in 19 bytes": (
        idx(x_train=header(2**31, 2**15, 2**15) + b"123"), "expected 2,147,483,648 lab"
    ),
    "5 x 2^31 x 2^15, as many labels": (
        wide(2**31, 2**15), "needs .* GB, but this mach"
    ),
    "2^32 - 1 labels promised": (idx(y_train=header(2**32 - 1)), "found 4,294,967,295"),
    "10 MB promised, none there": (
        wide(2**20, 2), "expected 10,485,760 bytes .* found only 0"
    ),
    "images that are cut off, and a label less": (
        idx(x_train=gzip.compress(header(6, 2, 3))), "expected 6 labels.* found 5"
    ),
    "a pipe in place of images": (pipes, "expected .*, with or without .gz"),
    "a pipe named .npz": (lambda f: pipes(f) / "pipe.npz", "found what is no file"),
    "links in a circle": (circle, "found what is neither"),
    "a name of 300 characters": (lambda f: f / ("a" * 300), "too long"),
    "a path of 10,000 characters": (lambda f: f / ("a/" * 5000), "too long"),
    "an empty folder": (lambda f: f, "found in the folder: nothing"),
    "two folders of torchvision": (two_raw, "FashionMNIST/raw and .*MNIST/raw: name"),
    "no such folder": (lambda f: f / "x", "expected a folder .* found nothing"),
    "a file as a folder": (lambda f: npz()(f) / "x", "found nothing"),
    "nothing at all": (lambda f: f / "none.npz", "an .npz file, found nothing"),
    "a folder named .npz": (lambda f: f.rename(f.with_suffix(".npz")), "is no file"),
    "an .npz that is no zip": (
        lambda f: f / "no.npz" if (f / "no.npz").write_bytes(b"PK?") else f, "not a zip"
    ),
    "an .npz without y_test": (npz(y_test=None), "expected x_train, y_train, x"),
    "pickled objects": (npz(y_train=OBJECTS), "must be an integer, but it is object"),
    "pixels that are not bytes": (npz(x_train=np.zeros((5, 2, 3))), "it is float64"),
    "labels that are words": (npz(y_train=np.array(["a"] * 5)), "but it is <U1"),
    "images in four dimensions": (
        npz(x_train=np.zeros((5, 2, 3, 1), np.uint8)), r"shape \(5, 2, 3, 1\)"
    ),
    "columns first": (
        npz(x_train=np.asfortranarray(np.zeros((5, 2, 3), np.uint8))), "columns first"
    ),
    "2^60 images promised in .npz": (
        npz(x_train=promised((2**60, 2, 3))), "expected 1,152,921,504,606,846,976 lab"
    ),
    "a negative size": (npz(x_train=promised((-5, 2, 3))), "found|cannot"),
    "a header that is Python": (npz(x_train=npy("__import__('os')")), "x_train cannot"),
    "a header of another year": (npz(x_train=npy("{}", b"\x09\x00")), "cannot be read"),
    "an array that is cut off": (npz(x_train=promised((5, 2, 3)) + b"1"), "cut off"),
    "an array that is too long": (
        npz(x_train=promised((5, 2, 3)) + bytes(40)), "found more: the file is too long"
    ),
    "an array of no bytes": (npz(x_train=b""), "x_train cannot be read: EOF"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_data_are_one_line_that_says_what_is_wrong(what, tmp_path):
    write, words = HOSTILE[what]
    path = write(tmp_path)
    tracemalloc.start()
    with pytest.raises(DataError, match=words) as caught:
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert peak < 2**23  # bytes: nothing is reserved that is not there


@pytest.mark.parametrize("part", IDX_FILES)
def test_a_missing_file_is_named_with_what_is_there_instead(tmp_path, part):
    write_folder(tmp_path, **{part: None})
    (tmp_path / "renamed").touch()
    with pytest.raises(DataError, match=f"expected .*{IDX_FILES[part]}.* renamed"):
        load(tmp_path)


@pytest.mark.parametrize("refused", ["iterdir", "open", "is_file", "is_dir"])
def test_what_may_not_be_read_is_named(tmp_path, monkeypatch, refused):
    write_folder(tmp_path)

    def refuse(path, *mode):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(f"pathlib.Path.{refused}", refuse)
    with pytest.raises(DataError, match=f"{tmp_path}.* cannot be read: Permission"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("write", "good"), [(idx, header(5, 2, 3)), (npz, promised((5, 2, 3)))]
)
@given(content=st.binary(max_size=200))
def test_any_bytes_in_place_of_images_are_read_or_are_one_line(
    tmp_path_factory, write, good, content
):
    folder = tmp_path_factory.mktemp("any")
    path = write(x_train=good[: len(content)] + content)(folder)
    said = said_of(path)
    assert said.startswith(str(folder))
    assert "\n" not in said


def said_of(path):
    """Return the error that loading raises, or the path where it raises none."""
    try:
        load(path)
    except DataError as error:
        return str(error)
    return str(path)


def test_what_the_machine_s_memory_cannot_hold_is_refused_with_what_it_has(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(memory, "physical", lambda: 100)
    write_folder(tmp_path)
    with pytest.raises(DataError, match=r"30 entries: it needs 0\.0 GB, but this mach"):
        load(tmp_path)
