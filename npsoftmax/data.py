"""In: where images and labels are. Out: pixels x (N, D) in 0..1, float32, and classes.

The 1,797 real digits of 8 x 8 pixels lie inside the package. Beside them people have
MNIST, or data of their own in one of its two forms:

    IDX     a folder of four files, each with a header: two bytes of 0; the type of an
            entry, 8 for an unsigned byte; the number of dimensions, 3 for images and 1
            for labels; then each dimension, 4 bytes, most significant first. Then the
            entries, last dimension fastest.
    .npz    one file of NumPy, as Keras has it: x_train, y_train, x_test, y_test

Nothing is reserved that a file does not fill: a header may promise anything. Whether
the headers fit together is seen before any entry is read.
"""

import contextlib
import gzip
import math
import re
import struct
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from importlib import resources
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from npsoftmax import memory

FOLDS = 5  # of the digits
IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
DIMENSIONS = {"x": 3, "y": 1}
GZIP_MAGIC = b"\x1f\x8b"
UNSIGNED_BYTE = 8
AT_ONCE = 2**20  # bytes


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
    """Data are missing or not what they should be; the message says which, and how."""


def load_digits(fold: int = 0) -> Dataset:
    """Return the bundled digits: D = 64 pixels, C = 10; 1,437 or 1,438 to train.

    The others, the fold, are to test on. Each of the 1,797 digits is in one fold of
    five, 0 to 4; each fold has as many of each digit, to one, from all of the source,
    so from all hands: digit for digit, images go to the folds in turn.
    """
    if fold not in range(FOLDS):
        raise ValueError(f"fold is {fold!r}, but the folds are 0 to {FOLDS - 1}")
    with resources.files("npsoftmax").joinpath("data/digits.npz").open("rb") as file:
        table = np.load(file)
        pixels, labels = table["pixels"], table["labels"]
    x = pixels.astype(np.float32) / np.float32(16)  # (1797, 64)
    y = labels.astype(np.int64)  # (1797,)
    fold_of = np.empty_like(y)  # (1797,)
    fold_of[np.argsort(y, kind="stable")] = np.arange(len(y)) % FOLDS
    test = fold_of == fold  # (1797,)
    return Dataset(x[~test], y[~test], x[test], y[test])


def load(path: str | Path) -> tuple[Dataset, list[int]]:
    """Return the Dataset of a folder of IDX files or of an .npz file, and its labels.

    Class c, 0 to C - 1, is the c-th of the labels, so that labels 1 to 10, or with gaps
    between them, leave no class without an image. IDX files may also lie in a folder
    `raw` or `.../raw` below, where torchvision puts them. Raises DataError, which names
    the file, what was expected and what was found.
    """
    path, shapes, arrays = Path(path), {}, {}
    with _named(path):
        sources = _npz(path) if path.suffix == ".npz" else _idx_folder(path)
    for part, source in sources.items():
        with _named(source.name), source.open() as file:
            shapes[part] = _shape(part, *source.header(file))
    _check_that_they_fit(sources, shapes)
    for part, source in sources.items():
        with _named(source.name):
            arrays[part] = _entries(source)
    _check_labels(sources, arrays["y_train"], arrays["y_test"])
    labels, y_train = np.unique(arrays["y_train"], return_inverse=True)
    y_test = np.searchsorted(labels, arrays["y_test"])
    x_train, x_test = _scaled(arrays.pop("x_train")), _scaled(arrays.pop("x_test"))
    return Dataset(x_train, y_train, x_test, y_test), labels.tolist()


class Source(NamedTuple):
    """Where one of the four arrays is."""

    name: str  # for a person: the file, and which array of it
    open: Callable[[], AbstractContextManager[BinaryIO]]
    header: Callable[[BinaryIO], tuple[tuple[int, ...], np.dtype]]  # reads it


@contextlib.contextmanager
def _named(name):
    """Raise DataError, which begins with the name, for whatever goes wrong inside."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except Exception as error:  # of the system, of gzip, zipfile or NumPy's own reader
        what = getattr(error, "strerror", None) or error
        raise DataError(f"{name} cannot be read: {what}") from None


def _idx_folder(folder: Path) -> dict[str, Source]:
    """Return the four arrays of a folder, or of the one folder `raw` below it."""
    if not folder.is_dir():
        is_there = folder.exists() or folder.is_symlink()
        found = "what is neither" if is_there else "nothing"
        raise DataError(
            f"expected a folder of IDX files or an .npz file, found {found}"
        )
    below = [p for p in (folder / "raw", *sorted(folder.glob("*/raw"))) if p.is_dir()]
    if below and not _idx_file(folder, "x_train"):
        if len(below) > 1:
            raise DataError(f"{' and '.join(map(str, below))}: name one")
        [folder] = below
    return {part: _idx(folder, part) for part in IDX_FILES}


def _idx(folder: Path, part: str) -> Source:
    path = _idx_file(folder, part)
    if path is None:
        there = sorted(entry.name for entry in folder.iterdir())
        found = ", ".join(there[:6]) + ", ..." * (len(there) > 6) or "nothing"
        raise DataError(
            f"expected {folder / IDX_FILES[part]}, with or without .gz; found in the "
            f"folder: {found}"
        )
    header = partial(_idx_header, dimensions=DIMENSIONS[part[0]])
    return Source(str(path), partial(_opened, path), header)


def _idx_file(folder: Path, part: str) -> Path | None:
    """Return the file of a part, under one of its customary names."""
    name = IDX_FILES[part].replace("-idx", "[-.]idx") + r"(\.gz)?"
    files = (p for p in folder.iterdir() if re.fullmatch(name, p.name) and p.is_file())
    return min(files, default=None)


def _opened(path: Path) -> BinaryIO:
    """Return the file's plain bytes; gzip data are known by their first two."""
    with path.open("rb") as file:
        zipped = file.read(2) == GZIP_MAGIC
    return gzip.open(path) if zipped else path.open("rb")


def _idx_header(file, dimensions):
    """Return the shape and type that the header of an IDX file says."""
    size = 4 + 4 * dimensions
    header, begin = _some(file, size), bytes([0, 0, UNSIGNED_BYTE, dimensions])
    if header[:4] != begin or len(header) < size:
        raise DataError(
            f"expected a header of {size} bytes that begins {begin.hex(' ')}, unsigned "
            f"bytes in {dimensions} dimension{'s' * (dimensions > 1)}, found "
            f"{header.hex(' ') or 'no bytes at all'}"
        )
    return struct.unpack(f">{dimensions}I", header[4:]), np.dtype(np.uint8)


def _npz(path: Path) -> dict[str, Source]:
    """Return the four arrays of an .npz file."""
    if not path.is_file():
        found = "what is no file" if path.exists() or path.is_symlink() else "nothing"
        raise DataError(f"expected an .npz file, found {found}")
    with zipfile.ZipFile(path) as archive:
        there = [name.removesuffix(".npy") for name in archive.namelist()]
    if not set(IDX_FILES) <= set(there):
        found = ", ".join(there[:6]) or "nothing"
        raise DataError(f"expected {', '.join(IDX_FILES)}, found {found}")
    return {
        part: Source(f"{path}: {part}", partial(_member, path, part), _npy_header)
        for part in IDX_FILES
    }


@contextlib.contextmanager
def _member(path, part):
    with zipfile.ZipFile(path) as archive, archive.open(f"{part}.npy") as file:
        yield file


def _npy_header(file):
    """Return the shape and type that the header of an array in an .npz file says."""
    if np.lib.format.read_magic(file) == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(file)
    if fortran and len(shape) > 1:
        raise DataError("expected rows first in memory, found columns first")
    return shape, dtype


def _entries(source: Source) -> np.ndarray:
    """Return the entries after the header; there must be as many as it promises."""
    with source.open() as file:
        shape, dtype = source.header(file)
        count = math.prod(shape)
        if lack := memory.lack(5 * count):  # a byte, and as float32
            raise DataError(f"{count:,} entries: it {lack}")
        expected = count * dtype.itemsize
        content = _some(file, expected + 1)
    if len(content) != expected:
        more = len(content) > expected
        found = "more" if more else f"only {len(content):,}"
        raise DataError(
            f"expected {expected:,} bytes after the header, for the shape {shape}, "
            f"found {found}: the file is {'too long' if more else 'cut off'}"
        )
    return np.frombuffer(content, dtype).reshape(shape)


def _shape(part, shape, dtype):
    """Return the shape; raise DataError unless images, x, or labels, y, can have it."""
    is_image = part[0] == "x"
    if len(shape) != DIMENSIONS[part[0]] or 0 in shape:
        what = "images, (N, rows, columns)" if is_image else "labels, (N,)"
        raise DataError(
            f"expected at least one entry and the shape of {what}, found the shape "
            f"{shape}"
        )
    if dtype != np.uint8 if is_image else dtype.kind not in "iu":
        entry = "an unsigned byte" if is_image else "an integer"
        raise DataError(f"each entry must be {entry}, but it is {dtype}")
    return shape


def _some(file: BinaryIO, count: int) -> bytearray:
    """Return `count` bytes, or those there are: what is not there is not reserved."""
    content = bytearray()
    while chunk := file.read(min(count - len(content), AT_ONCE)):
        content += chunk
    return content


def _check_that_they_fit(sources, shapes):
    """Raise DataError unless there is a label for each image, and one size of them."""
    names = {part: source.name for part, source in sources.items()}
    for x, y in (("x_train", "y_train"), ("x_test", "y_test")):
        images, labels = shapes[x][0], shapes[y][0]
        if images != labels:
            raise DataError(
                f"{names[y]}: expected {images:,} labels, one for each image "
                f"of {Path(names[x]).name}, found {labels:,}"
            )
    (_, *expected), (_, *found) = shapes["x_train"], shapes["x_test"]
    if expected != found:
        raise DataError(
            "{}: expected images of {} x {} pixels, as in the training part, found "
            "{} x {}".format(names["x_test"], *expected, *found)
        )


def _check_labels(sources, y_train, y_test):
    """Raise DataError unless there are two classes, and those to test on are known."""
    train, test = sources["y_train"].name, sources["y_test"].name
    labels = np.unique(y_train)
    if len(labels) < 2:
        raise DataError(
            f"{train}: every label is {labels[0]}, but one class alone can be told "
            "from nothing: expected two or more"
        )
    unknown = np.setdiff1d(y_test, labels)
    if len(unknown):
        raise DataError(
            f"{test}: expected labels that {Path(train).name} has, "
            f"{labels_in_words(labels)}; found {unknown[0]}"
        )


def labels_in_words(labels) -> str:
    """Return `1 to 10`, or `10 of 1 to 20` where there are gaps."""
    first, last = int(labels[0]), int(labels[-1])
    if last - first == len(labels) - 1:
        return f"{first} to {last}"
    return f"{len(labels)} of {first} to {last}"


def _scaled(pixels: np.ndarray) -> np.ndarray:
    """Return pixels (N, rows, columns) of 0..255 as rows (N, D) of 0..1, float32."""
    x = np.empty((len(pixels), pixels[0].size), np.float32)  # (N, D)
    return np.divide(pixels.reshape(x.shape), np.float32(255), out=x)  # (N, D)
