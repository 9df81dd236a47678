"""Reading feature files, and which modality each of them describes."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.errors import InputError
from simulator.grounding.tables import nearest

Matrix = npt.NDArray[np.float32]

# What a feature's name usually means where no modality has that name: the modality and the assumption behind it.
_USUAL: dict[str, tuple[tuple[str, str], ...]] = {
    "image": (("video", "taken from frames of the video"), ("cover", "taken from the cover")),
    "visual": (("video", "taken from frames of the video"), ("cover", "taken from the cover")),
    "frame": (("video", "taken from frames of the video"),),
    "frames": (("video", "taken from frames of the video"),),
    "acoustic": (("audio", "made of the sound"),),
    "sound": (("audio", "made of the sound"),),
    "text": (("caption", "made of the caption"), ("title", "made of the title")),
    "textual": (("caption", "made of the caption"), ("title", "made of the title")),
}


def feature_files(folder: Path) -> dict[str, Path]:
    """Feature name -> file, from ``features/NAME.npz|npy`` and ``NAME_feat.npz``, in order of name."""
    files: dict[str, Path] = {}
    inside = [(file.stem, file) for file in sorted((folder / "features").glob("*")) if file.suffix in (".npz", ".npy")]
    beside = [(file.name.removesuffix("_feat.npz"), file) for file in sorted(folder.glob("*_feat.npz"))]
    for name, file in [*inside, *beside]:
        if name in files:
            raise InputError(
                str(folder), f"two files hold the features '{name}': {files[name].name} and {file.name}", "keep one"
            )
        files[name] = file
    return dict(sorted(files.items()))


def read_features(file: Path) -> Matrix:
    """One finite float32 matrix (items, dimensions) from an npz (key ``feat``, or its only array) or npy file."""
    try:
        loaded: Any = np.load(file, allow_pickle=False)
        if file.suffix == ".npz":
            with loaded as archive:
                names = list(archive.files)
                key = "feat" if "feat" in names else names[0] if len(names) == 1 else None
                if key is None:
                    raise InputError(
                        str(file),
                        f"holds the arrays {', '.join(names) or 'none'}",
                        "expected one array, or the key 'feat'",
                    )
                array = archive[key]
        else:
            array = loaded
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zipfile.LargeZipFile) as problem:
        raise InputError(
            str(file), f"cannot be read ({str(problem).splitlines()[0]})", "expected an intact file of numbers"
        ) from problem
    if array.ndim != 2 or array.dtype.kind not in "iufb" or 0 in array.shape:
        raise InputError(
            str(file),
            f"holds {array.dtype.name} values of shape {array.shape}",
            "expected numbers of shape (items, dimensions)",
        )
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        bad = np.flatnonzero(~finite)
        raise InputError(
            str(file),
            f"{len(bad)} rows hold NaN or infinity, the first is row {bad[0]}",
            "expected finite numbers in every row",
        )
    with np.errstate(over="ignore"):
        features = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(features).all():
        raise InputError(
            str(file), "some numbers are too large for 32-bit floats", "expected features of a moderate scale"
        )
    return features


def match_modalities(
    where: str,
    names: Collection[str],
    told: Mapping[str, str | None],
    known: Collection[str] | None,
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Feature name -> modality, and in plain words what was assumed on the way.

    `told` is the user's own map (None leaves a feature out); `known` are the scenario's modalities, None where no
    scenario is there to ask. Order: told, equal name, usual meaning. Raises InputError for names that do not exist, for
    features that fit no modality, and for two features of one modality.
    """
    for name, modality in told.items():
        if name not in names:
            raise InputError(
                where, f"a modality is named for the features '{name}', which are not there", nearest(name, names)
            )
        if modality is not None and known is not None and modality not in known:
            raise InputError(
                where,
                f"the features '{name}' are given to '{modality}', which is no modality",
                nearest(modality, known),
            )
    chosen: dict[str, str] = {}
    assumptions: list[str] = []
    for name in names:
        if name in told:
            modality = told[name]
            if modality is None:
                assumptions.append(f"the features '{name}' were left out, as asked")
                continue
        elif known is not None and name in known:
            modality = name
        else:
            usual = [(to, why) for to, why in _USUAL.get(name.lower(), ()) if known is None or to in known]
            if usual:
                modality, why = usual[0]
                assumptions.append(f"the features '{name}' describe the modality '{modality}': assumed to be {why}")
            elif known is None:
                modality = name
            else:
                raise InputError(
                    where,
                    f"the features '{name}' fit none of the modalities {', '.join(sorted(known))}",
                    f"say which in mapping.yaml (modalities: {{{name}: MODALITY}}), or null to leave them out",
                )
        taken = next((other for other, to in chosen.items() if to == modality), None)
        if taken is not None:
            raise InputError(
                where, f"the features '{taken}' and '{name}' both describe '{modality}'", "map one of them to null"
            )
        chosen[name] = modality
    return chosen, tuple(assumptions)
