"""The whole of a scenario file as one validated model.

Attribute names are the keys of the YAML, but for ``from`` (``provenance``) and ``continue`` (``continue_``). Sections
that a scenario does not need are optional; whether the engine can run what is there is the engine's business.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from simulator.scenario import limits
from simulator.scenario.schema.catalog import (
    AnyModality,
    AttributeModality,
    Clock,
    ContentModality,
    Criterion,
    Device,
    DistanceModality,
    Facet,
    Idiosyncratic,
    ItemType,
    Outreach,
    Parent,
    PromiseModality,
    ReadoutModality,
    Sorting,
    Surface,
)
from simulator.scenario.schema.contexts import Context
from simulator.scenario.schema.distributions import Distribution
from simulator.scenario.schema.fulfilment import Chooser, Circumstance, FulfilParameters, Places, Promise, Resource
from simulator.scenario.schema.numbers import Count, Model, Name, Number, Profile
from simulator.scenario.schema.platform import Defaults, Label, Observation, Platform
from simulator.scenario.schema.quantities import Share, UtilityVariance
from simulator.scenario.schema.stages import (
    OUTCOMES,
    RARE_OUTCOMES,
    Act,
    BrowseParameters,
    CommitParameters,
    ConsumeParameters,
    ExperienceConsume,
    HazardConsume,
    InspectParameters,
    RespondParameters,
    Stage,
)
from simulator.scenario.schema.targets import Target
from simulator.scenario.schema.users import DeclaredInterests, Supply, User
from simulator.scenario.schema.verdicts import Verdicts

__all__ = [
    "OUTCOMES", "RARE_OUTCOMES", "Act", "AttributeModality", "BrowseParameters", "CommitParameters", "ContentModality",
    "DistanceModality", "Distribution", "ExperienceConsume", "FulfilParameters", "HazardConsume", "InspectParameters",
    "Label", "Number", "Observation", "Profile", "PromiseModality", "ReadoutModality", "RespondParameters", "Scenario",
    "Stage", "Target", "scenario_json_schema",
]  # fmt: skip


class Scenario(Model):
    """A scenario: everything that its file says, plus where it came from."""

    scenario: Name
    version: Count
    title: str
    orientation: Literal["content", "transaction"]
    summary: str

    defaults: Defaults
    clock: Clock

    facets: dict[Name, Facet] = Field(min_length=1, max_length=limits.ENTRIES)
    idiosyncratic: Idiosyncratic
    satiation_facet: Name
    item_types: dict[Name, ItemType] = Field(min_length=1, max_length=limits.ENTRIES)
    parents: dict[Name, Parent] = Field(default_factory=dict, max_length=limits.ENTRIES)
    modalities: dict[Name, AnyModality] = Field(min_length=1, max_length=limits.MODALITIES)
    common_error: UtilityVariance
    discount: Share | None = (
        None  # of what is not taste in what is shown: the share that its readers expect (default: 0)
    )

    devices: dict[Name, Device] = Field(min_length=1, max_length=limits.NAMED)
    surfaces: dict[Name, Surface] = Field(min_length=1, max_length=limits.NAMED)
    outreach: dict[Name, Outreach] = Field(default_factory=dict, max_length=limits.ENTRIES)
    criteria: dict[Name, Criterion] = Field(default_factory=dict, max_length=limits.ENTRIES)
    sorting: dict[Name, Sorting] = Field(default_factory=dict, max_length=limits.ENTRIES)
    contexts: dict[Name, Context] = Field(default_factory=dict, max_length=limits.ENTRIES)
    declared_interests: DeclaredInterests | None = None

    stages: dict[Name, Stage] = Field(min_length=1, max_length=limits.NAMED)
    browse: dict[Name, BrowseParameters] = Field(default_factory=dict)
    inspect: dict[Name, InspectParameters] = Field(default_factory=dict)
    commit: dict[Name, CommitParameters] = Field(default_factory=dict)
    fulfil: dict[Name, FulfilParameters] = Field(default_factory=dict)
    consume: dict[Name, ConsumeParameters] = Field(default_factory=dict)
    respond: dict[Name, RespondParameters] = Field(default_factory=dict)

    resources: dict[Name, Resource] = Field(default_factory=dict, max_length=limits.ENTRIES)
    places: Places | None = None
    circumstances: dict[Name, Circumstance] = Field(default_factory=dict, max_length=limits.ENTRIES)
    promises: dict[Name, Promise] = Field(default_factory=dict, max_length=limits.ENTRIES)
    choosers: dict[Name, Chooser] = Field(default_factory=dict, max_length=limits.ENTRIES)

    user: User
    supply: Supply
    observation: dict[Name, Observation]
    platform: Platform
    measures: list[Name] = Field(min_length=1, max_length=limits.ENTRIES)
    targets: dict[Name, Target] = Field(default_factory=dict, max_length=limits.ENTRIES)
    verdicts: Verdicts | None = None  # what differences are too small to matter, declared before any is found

    _path: Path | None = PrivateAttr(default=None)
    _shown: str = PrivateAttr(default="scenario")
    _hash: str = PrivateAttr(default="")
    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def path(self) -> Path | None:
        """Return the file that the scenario was read from; None for one made from a table in memory."""
        return self._path

    @property
    def shown(self) -> str:
        """Return how messages call the file."""
        return self._shown

    @property
    def hash(self) -> str:
        """Return SHA-256 of the content, whatever its layout and comments; sources do not count."""
        return self._hash

    @property
    def sources(self) -> dict[str, str]:
        """Return the sources by key, from the file beside it."""
        return self._sources


def content_hash(content: dict[str, Any]) -> str:
    """Return SHA-256 of a table of keys, the same for another order of keys, and for 15 and 15.0.

    >>> content_hash({"a": 15, "b": [1]}) == content_hash({"b": [1.0], "a": 15.0})
    True
    """

    def canonical(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: canonical(each) for key, each in value.items()}
        if isinstance(value, list):
            return [canonical(each) for each in value]
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value

    text = json.dumps(canonical(content), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def scenario_json_schema() -> dict[str, Any]:
    """Return the JSON schema of a scenario file, for editors."""
    schema = Scenario.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
