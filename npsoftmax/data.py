"""In: where images and labels are. Out: pixels x (N, D) in 0..1, float32, and classes.

The 1,797 real digits of 8 x 8 pixels lie inside the package. Beside them people have
MNIST, or data of their own in one of its two forms:

    IDX     a folder of four files, each with a header: two bytes of 0; the type of an
            entry, 8 for an unsigned byte; the number of dimensions, 3 for images and 1
            for labels; then each dimension, 4 bytes, most significant first. Then the
            entries, last dimension fastest.
    .npz    one file of NumPy, as Keras has it: x_train, y_train, x_test, y_test

Headers are compared before pixels are read, and nothing is reserved that a file does
not fill: a header may promise anything.
"""

import gzip
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from npsoftmax import memory

FOLDS = 5  # of the digits
PARTS = ("x_train", "y_train", "x_test", "y_test")
IDX_STEMS = dict(
    zip(
        PARTS,
        ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3",
         "t10k-labels-idx1"),
        strict=True,
    )
)  # fmt: skip
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
    path = Path(path)
    try:
        arrays = _npz(path) if path.suffix == ".npz" else _idx_folder(path)
        _check_headers(arrays)
        y_train, y_test = _entries(arrays["y_train"]), _entries(arrays["y_test"])
        labels, y_train, y_test = _classes(arrays, y_train, y_test)
        x_train, x_test = (_scaled(_entries(arrays[x])) for x in ("x_train", "x_test"))
    except OSError as error:  # unreadable, too long a name, links in a circle
        what = error.strerror or error
        raise DataError(f"{error.filename or path} cannot be read: {what}") from None
    return Dataset(x_train, y_train, x_test, y_test), labels


class Array(NamedTuple):
    """An array in a file, of which only the header was read."""

    name: str  # for a person: the file, and which array of it
    open: Callable[[], BinaryIO]
    start: int  # bytes before the entries
    shape: tuple[int, ...]
    dtype: np.dtype


# ------------------------------------------------------------------------------- IDX


def _idx_folder(folder: Path) -> dict[str, Array]:
    """Return the four arrays of a folder, or of the one folder `raw` below it."""
    if not folder.is_dir():
        is_there = folder.exists() or folder.is_symlink()
        found = "what is neither" if is_there else "nothing"
        raise DataError(
            f"{folder}: expected a folder of IDX files or an .npz file, found {found}"
        )
    below = [p for p in (folder / "raw", *sorted(folder.glob("*/raw"))) if p.is_dir()]
    if not any((folder / name).is_file() for name in _names("x_train")) and below:
        if len(below) > 1:
            raise DataError(f"{folder}: {' and '.join(map(str, below))}: name one")
        folder = below[0]
    return {part: _idx(_find(folder, part), 3 - 2 * (part[0] == "y")) for part in PARTS}


def read_idx(path: str | Path, dimensions: int) -> np.ndarray:
    """Return the unsigned bytes of one IDX file as an array of so many `dimensions`.

    Raises DataError for a truncated, overlong or wrong file.
    """
    return _entries(_idx(Path(path), dimensions))


def _names(part: str) -> list[str]:
    """Return the customary names of a part's file."""
    plain = f"{IDX_STEMS[part]}-ubyte"
    names = [plain, plain.replace("-idx", ".idx")]
    return names + [f"{name}.gz" for name in names]


def _find(folder: Path, part: str) -> Path:
    """Return the path of the first customary name that exists in `folder`."""
    for name in _names(part):
        if (folder / name).is_file():
            return folder / name
    there = sorted(entry.name for entry in folder.iterdir())
    found = ", ".join(there[:6]) + (", ..." if len(there) > 6 else "") or "nothing"
    raise DataError(
        f"{folder / _names(part)[0]}: expected this file, with or without .gz; "
        f"found in the folder: {found}"
    )


def _idx(path: Path, dimensions: int) -> Array:
    """Return what the header of an IDX file says, after a check of its first bytes."""
    open_it = _opener(path)
    with open_it() as file:
        header = _some(file, 4 + 4 * dimensions, path)
    expected = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    if header[:4] != expected:
        kind = "images (3 dimensions)" if dimensions == 3 else "labels (1 dimension)"
        raise DataError(
            f"{path}: expected the first bytes {_hex(expected)}, unsigned bytes of "
            f"{kind}, found {_hex(header[:4])}"
        )
    if len(header) < 4 + 4 * dimensions:
        raise DataError(
            f"{path}: expected a header of {4 + 4 * dimensions} bytes, "
            f"found only {len(header)}: the file is cut off"
        )
    shape = struct.unpack(f">{dimensions}I", header[4:])
    return Array(str(path), open_it, len(header), shape, np.dtype(np.uint8))


def _opener(path: Path) -> Callable[[], BinaryIO]:
    """Return how to open a file of plain bytes; name and first bytes must agree."""
    with path.open("rb") as file:
        start = file.read(2)
    if path.suffix != ".gz":
        if start == GZIP_MAGIC:
            raise DataError(
                f"{path}: expected plain IDX data, found gzip data (bytes 1f 8b); "
                "add .gz to its name"
            )
        return lambda: path.open("rb")
    if start != GZIP_MAGIC:
        raise DataError(
            f"{path}: expected gzip data, which begins with the bytes 1f 8b, "
            f"found {_hex(start)}; if it is not compressed, drop .gz from its name"
        )
    return lambda: gzip.open(path, "rb")


# ------------------------------------------------------------------------------ .npz


def _npz(path: Path) -> dict[str, Array]:
    """Return the four arrays of an .npz file, by its headers."""
    if not path.is_file():
        found = "what is no file" if path.exists() or path.is_symlink() else "nothing"
        raise DataError(f"{path}: expected an .npz file, found {found}")
    try:
        there = zipfile.ZipFile(path).namelist()
    except zipfile.BadZipFile as error:
        raise DataError(f"{path}: expected an .npz file, found: {error}") from None
    missing = [part for part in PARTS if f"{part}.npy" not in there]
    if missing:
        found = ", ".join(name.removesuffix(".npy") for name in there[:6]) or "nothing"
        raise DataError(f"{path}: expected {', '.join(PARTS)}, found {found}")
    return {part: _npy(path, part) for part in PARTS}


def _npy(path: Path, part: str) -> Array:
    """Return what the header of one array in an .npz file says."""
    name = f"{path}: {part}"

    def open_it():
        return zipfile.ZipFile(path).open(f"{part}.npy")

    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        with open_it() as file:
            version = np.lib.format.read_magic(file)
            shape, fortran, dtype = readers[version](file)
            start = file.tell()
    except _BROKEN as error:
        raise DataError(f"{name}: expected an array, found: {error}") from None
    wanted = "an unsigned byte" if part[0] == "x" else "an integer"
    if dtype != np.uint8 if part[0] == "x" else dtype.kind not in "iu":
        raise DataError(f"{name}: each entry must be {wanted}, but it is {dtype}")
    if fortran and len(shape) > 1:
        raise DataError(f"{name}: expected rows first in memory, found columns first")
    return Array(name, open_it, start, shape, dtype)


_BROKEN = (
    ValueError, KeyError, EOFError, SyntaxError, RecursionError, NotImplementedError,
    RuntimeError, zlib.error, zipfile.BadZipFile, tokenize.TokenError, struct.error,
)  # fmt: skip


# ------------------------------------------------------------------- headers, entries


def _check_headers(arrays: dict[str, Array]) -> None:
    """Raise DataError unless the arrays belong together and fit into memory."""
    for part, array in arrays.items():
        dimensions = 3 if part[0] == "x" else 1
        if len(array.shape) != dimensions or 0 in array.shape:
            what = "images, (N, rows, columns)" if dimensions == 3 else "labels, (N,)"
            raise DataError(
                f"{array.name}: expected at least one entry and the shape of {what}, "
                f"found the shape {array.shape}"
            )
    for x, y in (("x_train", "y_train"), ("x_test", "y_test")):
        images, labels = arrays[x], arrays[y]
        if images.shape[0] != labels.shape[0]:
            raise DataError(
                f"{labels.name}: expected {images.shape[0]:,} labels, one for each "
                f"image of {Path(images.name).name}, found {labels.shape[0]:,}"
            )
    expected, found = arrays["x_train"].shape[1:], arrays["x_test"].shape[1:]
    if expected != found:
        raise DataError(
            f"{arrays['x_test'].name}: expected images of {expected[0]} x "
            f"{expected[1]} pixels, as in the training part, found {found[0]} x "
            f"{found[1]}"
        )
    pixels = sum(math.prod(arrays[x].shape) for x in ("x_train", "x_test"))
    if lack := memory.lack(5 * pixels):  # a byte, and as float32
        raise DataError(f"{arrays['x_train'].name}: {pixels:,} pixels: it {lack}")


def _entries(array: Array) -> np.ndarray:
    """Return the entries after the header; there must be as many as it promises."""
    expected = math.prod(array.shape) * array.dtype.itemsize
    with array.open() as file:
        _some(file, array.start, array.name)
        content = _some(file, expected, array.name)
        more = _some(file, 1, array.name)
    if len(content) < expected or more:
        found = "more" if more else f"only {len(content):,}"
        cause = "the file is too long" if more else "the file is cut off"
        raise DataError(
            f"{array.name}: expected {expected:,} bytes after the header, for the "
            f"shape {array.shape}, found {found}: {cause}"
        )
    return np.frombuffer(content, array.dtype).reshape(array.shape)


def _some(file: BinaryIO, count: int, name) -> bytearray:
    """Return `count` bytes, or those there are: what is not there is not reserved."""
    content = bytearray()
    try:
        while chunk := file.read(min(count - len(content), AT_ONCE)):
            content += chunk
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise DataError(f"{name}: expected a readable file, found: {error}") from None
    return content


def _classes(arrays, y_train, y_test):
    """Return the labels there are, and both parts' classes, int64."""
    labels, classes = np.unique(y_train, return_inverse=True)
    name = arrays["y_train"].name
    if len(labels) < 2:
        raise DataError(
            f"{name}: every label is {labels[0]}, but one class alone can be told from "
            "nothing: expected two or more"
        )
    unknown = np.setdiff1d(y_test, labels)
    if len(unknown):
        raise DataError(
            f"{arrays['y_test'].name}: expected labels that {Path(name).name} has, "
            f"{labels_in_words(labels)}; found {unknown[0]}"
        )
    tested = np.searchsorted(labels, y_test)  # (N',)
    return labels.tolist(), classes.astype(np.int64), tested.astype(np.int64)


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


def _hex(some_bytes: bytes) -> str:
    """Return bytes as a person reads them: `00 00 08 03`."""
    return bytes(some_bytes).hex(" ") or "no bytes at all"
