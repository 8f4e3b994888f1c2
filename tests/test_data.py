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

from npsoftmax import memory
from npsoftmax.data import FOLDS, DataError, load, load_digits, read_idx

NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
every_fold = pytest.mark.parametrize("fold", range(FOLDS))


@every_fold
def test_a_fold_is_a_fifth_of_the_digits_and_the_rest_is_to_train(fold):
    digits = load_digits(fold)
    assert len(digits.y_test) in (359, 360)
    assert len(digits.y_train) == 1797 - len(digits.y_test)
    assert digits.x_train.shape == (len(digits.y_train), 64)
    assert digits.x_test.shape == (len(digits.y_test), 64)
    assert digits.classes == 10


@every_fold
def test_pixels_are_float32_from_0_to_1_in_sixteenths(fold):
    digits = load_digits(fold)
    for x in (digits.x_train, digits.x_test):
        assert x.dtype == np.float32
        assert (x.min(), x.max()) == (0, 1)
        np.testing.assert_array_equal(16 * x, np.round(16 * x))


def test_there_are_as_many_of_each_digit_as_the_source_says():
    digits = load_digits()
    counts = np.bincount(digits.y_train) + np.bincount(digits.y_test)
    # The class distribution in optdigits.names, which comes with the source.
    assert list(counts) == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_each_digit_is_in_the_test_part_of_one_fold_alone():
    tested = [load_digits(fold).x_test for fold in range(FOLDS)]
    all_of_them = np.concatenate([load_digits().x_train, load_digits().x_test])
    assert sorted(map(bytes, np.concatenate(tested))) == sorted(map(bytes, all_of_them))


@every_fold
def test_each_fold_has_a_fifth_of_each_digit_to_one(fold):
    digits = load_digits(fold)
    tested = np.bincount(digits.y_test)
    total = tested + np.bincount(digits.y_train)
    assert (np.abs(tested - total / FOLDS) < 1).all()


def test_a_fold_that_is_none_is_an_error_that_says_which_there_are():
    with pytest.raises(ValueError, match="fold is 5, but the folds are 0 to 4"):
        load_digits(5)


def bytes_of_any_shape(dimensions):
    shapes = array_shapes(min_dims=dimensions, max_dims=dimensions, max_side=6)
    return arrays(np.uint8, shapes)


some_bytes = st.sampled_from([1, 3]).flatmap(bytes_of_any_shape)


@given(entries=some_bytes, zipped=st.booleans())
def test_what_is_written_as_idx_is_read_back(tmp_path_factory, entries, zipped):
    path = tmp_path_factory.mktemp("idx") / ("some-ubyte" + ".gz" * zipped)
    write_idx(path, entries)
    np.testing.assert_array_equal(read_idx(path, entries.ndim), entries)


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("dot", ["-", "."])
def test_a_folder_is_read_under_each_customary_name(tmp_path, dot, ending):
    for name, entries in small_set().items():
        file_name = NAMES[name].replace("-idx", f"{dot}idx") + ending
        write_idx(tmp_path / file_name, entries)
    dataset, labels = load(tmp_path)
    expected = small_set()
    np.testing.assert_allclose(
        dataset.x_train, expected["x_train"].reshape(5, 6) / 255, rtol=1e-7
    )
    np.testing.assert_array_equal(dataset.y_test, expected["y_test"])
    assert dataset.x_test.dtype == np.float32
    assert labels == [0, 1, 2, 3, 4]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: expected a folder .* found nothing"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named_with_what_is_there_instead(tmp_path, name):
    write_folder(tmp_path)
    (tmp_path / NAMES[name]).rename(tmp_path / "renamed")
    with pytest.raises(DataError, match=f"{NAMES[name]}: expected .* renamed"):
        load(tmp_path)


def cut_off(content):
    return content[:-1]


def one_byte_more(content):
    return content + b"\0"


def only_half_a_header(content):
    return content[:6]


def empty(content):
    return b""


def of_floats(content):
    return content[:2] + b"\x0d" + content[3:]


def of_other_dimensions(content):
    return content[:3] + b"\x02" + content[4:]


def compressed(content):
    return gzip.compress(content)


DAMAGES = {
    cut_off: "expected (30|5) bytes after the header.*found only (29|4).*cut off",
    one_byte_more: "expected (30|5) bytes after the header.*found more.*too long",
    only_half_a_header: "expected a header of (16|8) bytes, found only 6",
    empty: "expected the first bytes 00 00 08 0[13].*found no bytes at all",
    of_floats: "expected the first bytes 00 00 08 0[13].*found 00 00 0d 0[13]",
    of_other_dimensions: "expected the first bytes 00 00 08 0[13].*found 00 00 08 02",
    compressed: "expected plain IDX data, found gzip data.*add .gz to its name",
}


@pytest.mark.parametrize("name", ["x_train", "y_train"])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_file_is_named_with_what_was_expected(tmp_path, damage, name):
    write_folder(tmp_path)
    path = tmp_path / NAMES[name]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=f"{path.name}: {DAMAGES[damage]}"):
        load(tmp_path)


def test_a_file_that_is_not_gzip_is_told_to_drop_its_ending(tmp_path):
    path = tmp_path / "labels.gz"
    write_idx(tmp_path / "labels", np.arange(3, dtype=np.uint8))
    (tmp_path / "labels").rename(path)
    with pytest.raises(DataError, match=r"labels.gz: expected gzip data.*found 00 00;"):
        read_idx(path, 1)


@pytest.mark.parametrize("keep", [30, -4], ids=["data", "checksum"])
def test_gzip_data_that_is_cut_off_is_named(tmp_path, keep):
    path = tmp_path / "images.gz"
    noise = np.random.default_rng(0).integers(0, 256, (9, 9, 9), dtype=np.uint8)
    write_idx(path, noise)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"images.gz: expected a readable file, found:"):
        read_idx(path, 3)


@pytest.mark.parametrize(
    ("name", "entries", "message"),
    [
        ("y_train", np.zeros(4), "y_train: expected 5 labels.*x_train, found 4"),
        ("x_test", np.zeros((2, 3, 2)), "x_test: expected images of 2 x 3 .* 3 x 2"),
        ("y_test", np.full(2, 7), "y_test: expected labels .* 0 to 4; found 7"),
        ("x_train", np.zeros((0, 2, 3)), "x_train: expected at least one entry"),
        ("y_train", np.full(5, 3), "y_train: every label is 3, .* one class alone"),
    ],
)
def test_files_that_do_not_belong_together_are_named(tmp_path, name, entries, message):
    write_folder(tmp_path)
    write_idx(tmp_path / NAMES[name], entries.astype(np.uint8))
    for short, full in NAMES.items():
        message = message.replace(short, full)
    with pytest.raises(DataError, match=message):
        load(tmp_path)


def small_set():
    return {
        "x_train": np.arange(30, dtype=np.uint8).reshape(5, 2, 3),
        "y_train": np.arange(5, dtype=np.uint8),
        "x_test": np.arange(12, dtype=np.uint8).reshape(2, 2, 3),
        "y_test": np.array([4, 0], np.uint8),
    }


def write_folder(folder):
    for name, entries in small_set().items():
        write_idx(folder / NAMES[name], entries)


def write_idx(path, entries):
    header = struct.pack(f">4B{entries.ndim}I", 0, 0, 8, entries.ndim, *entries.shape)
    content = header + entries.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


# ------------------------------------------------------------------- what people have


@pytest.mark.parametrize("below", ["raw", "MNIST/raw", "FashionMNIST/raw"])
def test_a_folder_above_torchvision_s_is_as_good(tmp_path, below):
    (tmp_path / below).mkdir(parents=True)
    write_folder(tmp_path / below)
    assert len(load(tmp_path)[0].x_train) == 5


def test_of_two_such_folders_one_must_be_named(tmp_path):
    for name in ("FashionMNIST", "MNIST"):
        (tmp_path / name / "raw").mkdir(parents=True)
    with pytest.raises(DataError, match=r"FashionMNIST/raw and .*MNIST/raw: name one"):
        load(tmp_path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.dtype(">i4")])
def test_a_file_as_keras_has_it_is_the_same_data(tmp_path, save, kind):
    write_folder(tmp_path)
    parts = small_set()
    parts = {n: a if n[0] == "x" else a.astype(kind) for n, a in parts.items()}
    save(tmp_path / "mnist.npz", **parts)
    for one, other in zip(
        load(tmp_path)[0], load(tmp_path / "mnist.npz")[0], strict=True
    ):
        np.testing.assert_array_equal(one, other)


@given(labels=st.lists(st.integers(0, 255), min_size=2, unique=True))
def test_classes_are_0_to_c_whatever_the_labels_and_none_is_empty(
    tmp_path_factory, labels
):
    path = tmp_path_factory.mktemp("labels") / "any.npz"
    images, y = np.zeros((len(labels), 1, 1), np.uint8), np.array(labels, np.uint8)
    np.savez(path, x_train=images, y_train=y, x_test=images[:1], y_test=y[:1])
    dataset, found = load(path)
    assert found == sorted(labels)
    assert [found[c] for c in dataset.y_train] == labels
    assert found[dataset.y_test[0]] == labels[0]
    assert set(dataset.y_train.tolist()) == set(range(dataset.classes))


# ------------------------------------------------------ what no one should have


def header(*shape):
    return struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape)


def idx(**contents):
    """Return what writes these bytes over a good folder's, and gives its path."""

    def write(folder):
        write_folder(folder)
        for name, content in contents.items():
            (folder / NAMES[name]).write_bytes(content)
        return folder

    return write


def zipped(name, content):
    def write(folder):
        write_folder(folder)
        (folder / NAMES[name]).unlink()
        (folder / f"{NAMES[name]}.gz").write_bytes(content)
        return folder

    return write


def npz(**changed):
    """Return what writes an .npz file, and gives its path.

    An array of None is left out; bytes go in as they are, in place of an array.
    """

    def write(folder):
        parts = small_set() | changed
        with zipfile.ZipFile(folder / "data.npz", "w") as archive:
            for name, part in parts.items():
                if part is not None:
                    content = io.BytesIO()
                    np.save(content, np.zeros(1) if isinstance(part, bytes) else part)
                    whole = part if isinstance(part, bytes) else content.getvalue()
                    archive.writestr(f"{name}.npy", whole)
        return folder / "data.npz"

    return write


def npy(description, version=b"\x01\x00"):
    text = description.encode().ljust(117) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text


def promised(shape):
    return npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}")


def pipe(name=None):
    def write(folder):
        write_folder(folder)
        path = folder / (NAMES.get(name, name) or "pipe")
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        return folder if name in NAMES else path

    return write


def circle(folder):
    (folder / "a").symlink_to(folder / "b")
    (folder / "b").symlink_to(folder / "a")
    return folder / "a"


BOMB = gzip.compress(header(5, 2, 3) + bytes(2**26))
OBJECTS = np.array([{}] * 5, dtype=object)
HOSTILE = {
    "2^31 x 2^15 x 2^15 in 19 bytes": (
        idx(x_train=header(2**31, 2**15, 2**15) + b"123"),
        "expected 2,147,483,648 labels, one for each image .* found 5",
    ),
    "the same with as many labels promised": (
        idx(
            x_train=header(2**31, 2**15, 2**15), y_train=header(2**31),
            x_test=header(2, 2**15, 2**15),
        ),
        "needs .* GB, but this machine has",
    ),
    "2^32 - 1 cubed": (
        idx(
            x_train=header(*[2**32 - 1] * 3), y_train=header(2**32 - 1),
            x_test=header(2, *[2**32 - 1] * 2),
        ),
        "needs .* GB, but this machine has",
    ),
    "2^32 - 1 labels promised": (idx(y_train=header(2**32 - 1)), "found 4,294,967,295"),
    "a side of 2^32 - 1 to test": (
        idx(x_test=header(2, 2, 2**32 - 1)), "found 2 x 4294967295"
    ),
    "8 MB promised, none there": (
        idx(x_train=header(5, 2**20, 2), x_test=header(2, 2**20, 2)),
        "expected 10,485,760 bytes .* found only 0",
    ),
    "64 MB of zeros in 64 KB of gzip": (zipped("x_train", BOMB), "found more"),
    "gzip data that are no data": (
        zipped("x_train", b"\x1f\x8b" + bytes(20)), "readable file, found"
    ),
    "gzip of nothing": (zipped("x_train", gzip.compress(b"")), "no bytes at all"),
    "a name of gzip and nothing in it": (zipped("y_test", b""), "no bytes at all"),
    "images without a pixel": (idx(x_test=header(2, 0, 3)), "at least one entry"),
    "labels of images": (idx(y_test=header(2, 2, 3) + bytes(12)), "labels .1 dim"),
    "a test image of another size": (idx(x_test=header(2, 3, 2) + bytes(12)), "3 x 2"),
    "a label never trained on": (idx(y_test=header(2) + b"\1\7"), "0 to 4; found 7"),
    "one class alone": (idx(y_train=header(5) + b"\3" * 5), "every label is 3"),
    "a pipe in place of images": (pipe("x_train"), "expected this file"),
    "a pipe in place of a folder": (pipe(), "found what is neither"),
    "a pipe named .npz": (pipe("pipe.npz"), "found what is no file"),
    "links in a circle": (circle, "found what is neither"),
    "a file below a circle": (lambda f: circle(f) / "x", "found nothing"),
    "a name of 300 characters": (lambda f: f / ("a" * 300), "too long"),
    "an .npz name of 300 characters": (lambda f: f / ("a" * 300 + ".npz"), "too long"),
    "a path of 10,000 characters": (lambda f: f / ("a/" * 5000), "too long"),
    "an empty folder": (lambda f: f, "found in the folder: nothing"),
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
    "labels that are complex": (npz(y_test=np.zeros(2, complex)), "it is complex128"),
    "images in four dimensions": (
        npz(x_train=np.zeros((5, 2, 3, 1), np.uint8)), r"shape \(5, 2, 3, 1\)"
    ),
    "labels in two": (npz(y_train=np.zeros((5, 1), int)), r"found the shape \(5, 1\)"),
    "columns first": (
        npz(x_train=np.asfortranarray(np.zeros((5, 2, 3), np.uint8))), "columns first"
    ),
    "2^60 images promised in .npz": (
        npz(x_train=promised((2**60, 2, 3))), "expected 1,152,921,504,606,846,976 la"
    ),
    "a negative size": (npz(x_train=promised((-5, 2, 3))), "found"),
    "a header that is Python": (npz(x_train=npy("__import__('os')")), "array, found"),
    "a header that is no Python": (npz(x_train=npy("{(")), "expected an array, found"),
    "a header of another year": (npz(x_train=npy("{}", b"\x09\x00")), "array, found"),
    "an array that is cut off": (npz(x_train=promised((5, 2, 3)) + b"1"), "cut off"),
    "an array that is too long": (
        npz(x_train=promised((5, 2, 3)) + bytes(40)), "found more: the file is too long"
    ),
    "an array of no bytes": (npz(x_train=b""), "expected an array, found"),
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


@pytest.mark.parametrize("refused", ["iterdir", "open", "is_file", "is_dir"])
def test_what_may_not_be_read_is_named(tmp_path, monkeypatch, refused):
    if refused in ("open", "is_file"):
        write_folder(tmp_path)

    def refuse(path, *mode):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(f"pathlib.Path.{refused}", refuse)
    with pytest.raises(DataError, match=f"{tmp_path}.* cannot be read: Permission"):
        load(tmp_path)


@given(st.binary(max_size=60))
def test_any_bytes_in_place_of_images_are_read_or_are_one_line(
    tmp_path_factory, content
):
    folder = tmp_path_factory.mktemp("any")
    written = idx(x_train=header(5, 2, 3)[: len(content) % 17] + content)(folder)
    assert str(folder) in said_of(written)


@given(st.binary(max_size=200))
def test_any_bytes_in_an_npz_are_read_or_are_one_line(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("any")
    written = npz(x_train=promised((5, 2, 3))[: len(content)] + content)(folder)
    assert str(folder) in said_of(written)


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
    monkeypatch.setattr(memory, "physical", lambda: 200)
    write_folder(tmp_path)
    with pytest.raises(
        DataError, match=r"42 pixels: it needs 0\.0 GB, but this machine"
    ):
        load(tmp_path)
