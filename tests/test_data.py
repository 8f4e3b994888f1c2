"""The bundled digits, and the reader of IDX files."""

import gzip
import struct

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from npsoftmax.data import DataError, load_digits, load_idx_folder, read_idx

NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def test_the_digits_are_1400_to_train_and_397_to_test():
    digits = load_digits()
    assert digits.x_train.shape == (1400, 64)
    assert digits.y_train.shape == (1400,)
    assert digits.x_test.shape == (397, 64)
    assert digits.y_test.shape == (397,)
    assert digits.classes == 10


def test_pixels_are_float32_from_0_to_1_in_sixteenths():
    digits = load_digits()
    for x in (digits.x_train, digits.x_test):
        assert x.dtype == np.float32
        assert (x.min(), x.max()) == (0, 1)
        np.testing.assert_array_equal(16 * x, np.round(16 * x))


def test_there_are_as_many_of_each_digit_as_the_source_says():
    digits = load_digits()
    counts = np.bincount(digits.y_train) + np.bincount(digits.y_test)
    # The class distribution in optdigits.names, which comes with the source.
    assert list(counts) == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_no_image_is_in_both_parts():
    digits = load_digits()
    train = {image.tobytes() for image in digits.x_train}
    assert not train & {image.tobytes() for image in digits.x_test}


def test_each_digit_has_its_share_in_the_test_part_as_in_a_random_split():
    digits = load_digits()
    tested = np.bincount(digits.y_test)
    total = tested + np.bincount(digits.y_train)
    share = 397 / 1797
    # In a random split the count is hypergeometric, with this standard deviation.
    deviation = np.sqrt(total * share * (1 - share) * (1797 - total) / 1796)
    assert (np.abs(tested - share * total) < 3 * deviation).all()


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
    dataset = load_idx_folder(tmp_path)
    expected = small_set()
    np.testing.assert_allclose(
        dataset.x_train, expected["x_train"].reshape(5, 6) / 255, rtol=1e-7
    )
    np.testing.assert_array_equal(dataset.y_test, expected["y_test"])
    assert dataset.x_test.dtype == np.float32


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: expected a folder .* found nothing"):
        load_idx_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named_with_what_is_there_instead(tmp_path, name):
    write_folder(tmp_path)
    (tmp_path / NAMES[name]).rename(tmp_path / "renamed")
    with pytest.raises(DataError, match=f"{NAMES[name]}: expected .* renamed"):
        load_idx_folder(tmp_path)


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
        load_idx_folder(tmp_path)


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
        ("y_test", np.full(2, 7), "y_test: expected labels 0 to 4.*found 7"),
        ("x_train", np.zeros((0, 2, 3)), "x_train: expected at least one entry"),
    ],
)
def test_files_that_do_not_belong_together_are_named(tmp_path, name, entries, message):
    write_folder(tmp_path)
    write_idx(tmp_path / NAMES[name], entries.astype(np.uint8))
    for short, full in NAMES.items():
        message = message.replace(short, full)
    with pytest.raises(DataError, match=message):
        load_idx_folder(tmp_path)


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
