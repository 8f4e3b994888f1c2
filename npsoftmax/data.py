"""In: a file of images and labels. Out: pixels x (N, D) in 0..1, float32, and labels y.

Two sources: the 1,797 real digits of 8 x 8 pixels that lie inside the package, and any
folder in the IDX format, such as MNIST or Fashion-MNIST:

    bytes 0, 1    0
    byte  2       the type of an entry: 8 for an unsigned byte
    byte  3       the number of dimensions: 3 for images, 1 for labels
    then          each dimension, 4 bytes, most significant byte first
    then          the entries, last dimension fastest
"""

import gzip
import math
import struct
import zlib
from importlib import resources
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

DIGITS_TO_TEST = 397
GZIP_MAGIC = b"\x1f\x8b"
UNSIGNED_BYTE = 8


class Dataset(NamedTuple):
    """Images to train and to test on, each image a row of D pixels in 0..1."""

    x_train: np.ndarray  # (N, D)    float32
    y_train: np.ndarray  # (N,)      int64
    x_test: np.ndarray  # (N', D)   float32
    y_test: np.ndarray  # (N',)     int64

    @property
    def classes(self) -> int:
        """Return C, one more than the largest label to train on."""
        return int(self.y_train.max()) + 1


class DataError(ValueError):
    """A file of data is missing or is not what it should be; the message says which."""


def load_digits() -> Dataset:
    """Return the bundled digits: D = 64 pixels, C = 10, 1,400 to train, 397 to test.

    The 397 are spread evenly over the source's 1,797 rows, so that both parts hold all
    hands, and no random number is needed: row i is for testing where 397 i modulo 1797
    is below 397. That takes exactly 397 rows, for 397 and 1797 have no common divisor.
    """
    with resources.files("npsoftmax").joinpath("data/digits.npz").open("rb") as file:
        table = np.load(file)
        pixels, labels = table["pixels"], table["labels"]
    x = pixels.astype(np.float32) / np.float32(16)  # (1797, 64)
    y = labels.astype(np.int64)  # (1797,)
    test = np.arange(len(y)) * DIGITS_TO_TEST % len(y) < DIGITS_TO_TEST  # (1797,)
    return Dataset(x[~test], y[~test], x[test], y[test])


def load_idx_folder(folder: str | Path) -> Dataset:
    """Return the four IDX files of `folder`: train-images, train-labels, t10k-....

    A name ends in `-idx3-ubyte` or `.idx3-ubyte` (images) or `-idx1-ubyte` or
    `.idx1-ubyte` (labels), with or without `.gz`. Raises DataError, which names the
    file, what was expected and what was found.
    """
    folder = Path(folder)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise DataError(f"{folder}: expected a folder of IDX files, found {found}")
    paths = [_find(folder, part, kind) for part, kind in _PARTS]
    pixels_train, y_train = _read_pair(*paths[:2])
    pixels_test, y_test = _read_pair(*paths[2:])
    _check_that_test_fits_train(paths, pixels_train, y_train, pixels_test, y_test)
    return Dataset(_scale(pixels_train), y_train, _scale(pixels_test), y_test)


def read_idx(path: str | Path, dimensions: int) -> np.ndarray:
    """Return the unsigned bytes of one IDX file as an array of so many `dimensions`.

    Raises DataError for a missing, truncated, overlong or wrong file.
    """
    path = Path(path)
    try:
        with _open(path) as file:
            shape = _read_shape(file, path, dimensions)
            return _read_entries(file, path, shape)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, FileNotFoundError):
            raise DataError(f"{path}: expected an IDX file, found nothing") from None
        raise DataError(f"{path}: expected a readable file, found: {error}") from None


_PARTS = (
    ("train", "images-idx3"),
    ("train", "labels-idx1"),
    ("t10k", "images-idx3"),
    ("t10k", "labels-idx1"),
)


def _find(folder: Path, part: str, kind: str) -> Path:
    """Return the path of the first customary name that exists in `folder`."""
    stem = f"{part}-{kind}"
    names = [f"{stem}-ubyte", f"{stem}-ubyte".replace("-idx", ".idx")]
    names += [f"{name}.gz" for name in names]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    there = sorted(entry.name for entry in folder.iterdir())
    found = ", ".join(there[:6]) + (", ..." if len(there) > 6 else "") or "nothing"
    raise DataError(
        f"{folder / names[0]}: expected this file, with or without .gz; "
        f"found in the folder: {found}"
    )


def _open(path: Path) -> BinaryIO:
    """Return an open file of plain bytes; its name and its first bytes must agree."""
    with path.open("rb") as file:
        start = file.read(2)
    if path.suffix == ".gz":
        if start != GZIP_MAGIC:
            raise DataError(
                f"{path}: expected gzip data, which begins with the bytes 1f 8b, "
                f"found {_hex(start)}; if it is not compressed, drop .gz from its name"
            )
        return gzip.open(path, "rb")
    if start == GZIP_MAGIC:
        raise DataError(
            f"{path}: expected plain IDX data, found gzip data (bytes 1f 8b); "
            "add .gz to its name"
        )
    return path.open("rb")


def _read_shape(file: BinaryIO, path: Path, dimensions: int) -> tuple[int, ...]:
    """Return the shape an IDX file announces, after a check of its first bytes."""
    expected = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    magic = file.read(4)
    if magic != expected:
        kind = "images (3 dimensions)" if dimensions == 3 else "labels (1 dimension)"
        raise DataError(
            f"{path}: expected the first bytes {_hex(expected)}, unsigned bytes of "
            f"{kind}, found {_hex(magic)}"
        )
    sizes = file.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise DataError(
            f"{path}: expected a header of {4 + 4 * dimensions} bytes, "
            f"found only {4 + len(sizes)}: the file is cut off"
        )
    shape = struct.unpack(f">{dimensions}I", sizes)
    if 0 in shape:
        raise DataError(f"{path}: expected at least one entry, found the shape {shape}")
    return shape


def _read_entries(file: BinaryIO, path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Return the entries after the header; there must be as many as `shape` says."""
    expected = math.prod(shape)
    content = file.read(expected)
    if len(content) < expected:
        raise DataError(
            f"{path}: expected {expected:,} bytes after the header, for the shape "
            f"{shape}, found only {len(content):,}: the file is cut off"
        )
    if file.read(1):
        raise DataError(
            f"{path}: expected {expected:,} bytes after the header, for the shape "
            f"{shape}, found more: the file is too long"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read_pair(images: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels (N, rows, columns) uint8 and labels (N,) int64 that belong."""
    pixels = read_idx(images, 3)
    y = read_idx(labels, 1).astype(np.int64)
    if len(pixels) != len(y):
        raise DataError(
            f"{labels}: expected {len(pixels):,} labels, one for each image of "
            f"{images.name}, found {len(y):,}"
        )
    return pixels, y


def _check_that_test_fits_train(paths, pixels_train, y_train, pixels_test, y_test):
    """Raise DataError if the test part has other image sizes or unknown classes."""
    _, train_labels, test_images, test_labels = paths
    if pixels_train.shape[1:] != pixels_test.shape[1:]:
        expected, found = pixels_train.shape[1:], pixels_test.shape[1:]
        raise DataError(
            f"{test_images}: expected images of {expected[0]} x {expected[1]} pixels, "
            f"as in the training part, found {found[0]} x {found[1]}"
        )
    if y_test.max() > y_train.max():
        raise DataError(
            f"{test_labels}: expected labels 0 to {y_train.max()}, those of "
            f"{train_labels.name}, found {y_test.max()}"
        )


def _scale(pixels: np.ndarray) -> np.ndarray:
    """Return pixels (N, rows, columns) of 0..255 as rows (N, D) of 0..1, float32."""
    x = np.empty((len(pixels), pixels[0].size), np.float32)  # (N, D)
    return np.divide(pixels.reshape(x.shape), np.float32(255), out=x)  # (N, D)


def _hex(some_bytes: bytes) -> str:
    """Return bytes as a person reads them: `00 00 08 03`."""
    return some_bytes.hex(" ") or "no bytes at all"
