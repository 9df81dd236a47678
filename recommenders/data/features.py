"""Feature files: one matrix of numbers per file, a row per item."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from recommenders.contract.errors import RecommenderError

Matrix = npt.NDArray[np.float32]

_ZIP = b"PK\x03\x04"
_LARGEST = 2**36  # bytes of one matrix: 64 GiB, far more than real features have
# What zipfile, zlib and numpy raise for files that are cut, overwritten, encrypted or packed in a way they do not know.
_DAMAGE = (ValueError, OSError, EOFError, KeyError, TypeError, RuntimeError, MemoryError, OverflowError, SyntaxError,
           zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error)  # fmt: skip


def feature_files(folder: Path) -> dict[str, Path]:
    """Return feature name -> file, from ``features/NAME.npz|npy`` and ``NAME_feat.npz``, in order of name.

    Raises:
        RecommenderError: two files hold features of one name.
    """
    files: dict[str, Path] = {}
    inside = [(file.stem, file) for file in sorted((folder / "features").glob("*")) if file.suffix in (".npz", ".npy")]
    beside = [(file.name.removesuffix("_feat.npz"), file) for file in sorted(folder.glob("*_feat.npz"))]
    for name, file in [*inside, *beside]:
        if name in files:
            wrong = f"two files hold the features '{name}': {files[name].name} and {file.name}"
            raise RecommenderError(str(folder), wrong, "keep one")
        files[name] = file
    return dict(sorted(files.items()))


def read_features(file: Path) -> Matrix:
    """Return one finite float32 matrix (items, dimensions) of an npz (key ``feat``, or its only array) or npy file.

    Raises:
        RecommenderError: it is damaged, or holds anything else.
    """
    try:
        array = _array(file)
    except _DAMAGE as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise RecommenderError(str(file), f"cannot be read ({said})", "expected an intact file of numbers") from error
    if array.ndim != 2 or array.dtype.kind not in "iufb" or 0 in array.shape:
        raise RecommenderError(
            str(file),
            f"holds {array.dtype.name} values of shape {array.shape}",
            "expected numbers of shape (items, dimensions)",
        )
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        bad = np.flatnonzero(~finite)
        wrong = f"{len(bad)} rows hold NaN or infinity, the first is row {bad[0]}"
        raise RecommenderError(str(file), wrong, "expected finite numbers in every row")
    with np.errstate(over="ignore"):
        features = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(features).all():
        raise RecommenderError(
            str(file), "some numbers are too large for 32-bit floats", "expected features of a moderate scale"
        )
    return features


def _array(file: Path) -> npt.NDArray[Any]:
    with file.open("rb") as raw:
        packed = raw.read(4) == _ZIP
        raw.seek(0)
        if packed != (file.suffix == ".npz"):
            other = ".npz" if packed else ".npy"
            raise ValueError(f"it is called {file.suffix}, and begins as {other} does: rename it if it is one")
        if not packed:
            return _read(raw, file.stat().st_size)
        with zipfile.ZipFile(raw) as archive:
            names = {name.removesuffix(".npy"): name for name in archive.namelist() if name.endswith(".npy")}
            key = "feat" if "feat" in names else next(iter(names)) if len(names) == 1 else None
            if key is None:
                there = ", ".join(names) or ", ".join(archive.namelist()) or "none"
                raise RecommenderError(str(file), f"holds the arrays {there}", "expected one array, or the key 'feat'")
            with archive.open(names[key]) as member:
                return _read(member, archive.getinfo(names[key]).file_size)


def _read(raw: IO[bytes], size: int) -> npt.NDArray[Any]:
    """Read one array in numpy's format; raise ValueError where it claims more than is there."""
    version = np.lib.format.read_magic(raw)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(raw)
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    claimed = dtype.itemsize
    for length in shape:
        claimed *= int(length)
    if claimed > _LARGEST:
        raise ValueError(f"its header claims {claimed:,} bytes, more than {_LARGEST:,}")
    if claimed > size:
        raise ValueError(f"its header claims {claimed:,} bytes, and there are {size:,}")
    raw.seek(0)
    return np.asarray(np.lib.format.read_array(raw, allow_pickle=False))
