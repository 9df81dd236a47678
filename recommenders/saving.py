"""Recommenders on disk, without pickle: ``recommender.json`` says what it is, ``state.npz`` holds what it learned."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from recommenders.contract import (
    CONTRACT_VERSION,
    Label,
    Recommender,
    RecommenderError,
    calling,
    parameters_of,
    validate_state,
)
from recommenders.registry import create, name_of

DESCRIPTION = "recommender.json"
STATE = "state.npz"
_READS = (1, CONTRACT_VERSION)  # what was saved under 1 is what is saved now


def save(recommender: Recommender, folder: str | Path) -> None:
    """Write a fitted recommender to a folder, which is made if it is not there.

    Raises:
        RecommenderError: its state holds something other than plain arrays.
    """
    folder = Path(folder)
    with calling(recommender, "state"):
        given: object = recommender.state()
    state = validate_state(given, recommender.name)
    description = {
        "contract": CONTRACT_VERSION,
        "recommender": name_of(type(recommender)),
        "parameters": parameters_of(recommender),
        "seed": recommender.seed,
        "label": None if recommender.label is None else asdict(recommender.label),
        "reproducibility": recommender.reproducibility,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n")
    with (folder / STATE).open("wb") as file:
        np.savez(file, **state)  # type: ignore[arg-type]  # the stub takes keyword arrays for its own options


def load(folder: str | Path) -> Recommender:
    """Load the recommender that :func:`save` wrote, ready to recommend.

    Raises:
        RecommenderError: there is none, it is damaged, or it was written under another version of the contract.
    """
    folder = Path(folder)
    try:
        described: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text())
        with np.load(folder / STATE, allow_pickle=False) as archive:
            state = {name: archive[name] for name in archive.files}
        version, name = described["contract"], described["recommender"]
        given, seed, label = described["parameters"], described["seed"], described["label"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RecommenderError(str(folder), f"holds no recommender ({error})", "expected what save wrote") from error
    if version not in _READS:
        raise RecommenderError(
            str(folder), f"was saved under contract {version}", f"this is contract {CONTRACT_VERSION}: fit it again"
        )
    if label is not None:
        label["events"] = tuple(label["events"])
    recommender = create(name, given, seed=seed, label=None if label is None else Label(**label))
    with calling(recommender, "restore"):
        recommender.restore(state)
    return recommender
