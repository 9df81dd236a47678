"""The file of a trained agent, which `simulator.env.agents.save.save_agent` writes.

It is what the library writes (a zip of the policy) with two members more: a description of what the agent was told and
how (names of codes, what each event says, shape of its answers), and the encoder of its items.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommenders.agents.user_features import CONTEXT
from recommenders.contract import RecommenderError
from recommenders.contract.item_encoder import ItemEncoder

DESCRIPTION, ENCODER = "beholder.json", "beholder.npz"
FORMAT = 1
CODES = ("surface", "device", "stage")
"""Codes that a flat observation holds as one-hot vectors, in this order."""

LIBRARIES = {"stable_baselines3": "stable-baselines3", "sb3_contrib": "sb3-contrib"}


@dataclass(frozen=True)
class Description:
    """Describe the observations and the answers that an agent was trained with.

    Attributes:
        library, algorithm: where its class is, e.g. stable_baselines3 and PPO.
        answers: `query` (a point in the space of item vectors), `scores` (of every item) or `slate` (item numbers).
        scenario: that it was trained in.
        names: of the codes of surface, device, stage and event.
        says: per stage, per event that is remembered: what it says about a liking; None: the share that was consumed.
        starts_at: what the clock showed at the beginning, s after a Monday's midnight.
        slate: the most places of a slate.
        history: events of an observation.
    """

    library: str
    algorithm: str
    answers: str
    scenario: str
    names: Mapping[str, tuple[str, ...]]
    says: Mapping[str, Mapping[str, float | None]]
    starts_at: float
    slate: int
    history: int

    def to_json(self) -> str:
        """Return the description as text."""
        return json.dumps({"format": FORMAT, **vars(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Description:
        """Read a description from text; ValueError or TypeError where it is something else."""
        values = json.loads(text)
        if values.pop("format", None) != FORMAT:
            raise ValueError("format")
        values["names"] = {name: tuple(codes) for name, codes in values["names"].items()}
        return cls(**values)

    def width(self, columns: int) -> int:
        """Return the length of a flat observation for items of so many columns."""
        return CONTEXT + sum(len(self.names[name]) for name in CODES) + 2 * columns + self.history


def read_agent(path: Path, where: str) -> tuple[Description, ItemEncoder]:
    """Read the description and the item encoder of an agent's file.

    Raises:
        RecommenderError: there is no such file, or it is none that `save_agent` wrote.
    """
    right = "a file that simulator.env.agents.save.save_agent wrote"
    if not path.is_file():
        raise RecommenderError(where, f"{path} is no file", right)
    try:
        with zipfile.ZipFile(path) as archive:
            description = Description.from_json(archive.read(DESCRIPTION).decode())
            with np.load(io.BytesIO(archive.read(ENCODER))) as arrays:
                encoder = ItemEncoder.from_arrays(arrays)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise RecommenderError(where, f"{path} does not describe an agent ({error})", right) from None
    if description.library not in LIBRARIES:
        raise RecommenderError(
            where, f"{path} names the library {description.library}", f"one of {', '.join(LIBRARIES)}"
        )
    return description, encoder


def write_description(archive: zipfile.ZipFile, description: Description, encoder: ItemEncoder) -> None:
    """Add both to the archive that the library wrote."""
    arrays, plain = io.BytesIO(), encoder.arrays()
    np.savez(arrays, **plain)  # type: ignore[arg-type]  # numpy's stub takes every keyword for its flag
    archive.writestr(DESCRIPTION, description.to_json())
    archive.writestr(ENCODER, arrays.getvalue())
