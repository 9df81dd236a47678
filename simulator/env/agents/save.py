"""Trained agents of Stable-Baselines3 into files that `recommender=sb3` of a run reads."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from recommenders.agents.agent_file import Description, write_description
from recommenders.contract.item_encoder import ItemEncoder
from simulator.env.context import EnvContext
from simulator.env.errors import EnvInputError
from simulator.env.rewards import ITEM_EVENT
from simulator.records.run_folder import write_atomic

WHERE = "save_agent"


def save_agent(model: Any, env: Any, path: str | os.PathLike[str]) -> None:
    """Write a trained agent, and what it was told of users and items, so that a run can take it as its recommender.

    `python -m simulator scenario=NAME recommender=sb3 recommender.path=PATH` then judges it like any other. The run's
    items should be those of the training: `seed=` the environment's `catalog_seed`, `items=` as many.

    Args:
        model: an algorithm of stable_baselines3 or sb3_contrib.
        env: the environment that it was trained in, or one with equal settings: single or vector, wrapped or not.
        path: of the file; a file that is there is replaced.

    Raises:
        InputError: the model's observations are not the flat ones of this environment, or its actions are neither
            queries, nor scores, nor slates.
    """
    context = _scene_of(env)
    columns = context.features.shape[1]
    space = model.action_space
    if hasattr(space, "nvec"):
        answers = "slate"
    elif space.shape == (columns,):
        answers = "query"
    elif space.shape == (context.catalog.n_items,):
        answers = "scores"
    else:
        raise EnvInputError(
            WHERE, f"the model answers with {space}", "queries, scores or slates, see simulator.env.wrappers"
        )
    names, library = context.compiled.names, type(model).__module__.partition(".")[0]
    description = Description(
        library=library, algorithm=type(model).__name__, answers=answers, scenario=context.compiled.scenario.scenario,
        names=names.by_column,
        says=_says(context), starts_at=float(context.plan.starts_at[0]), slate=context.slate,
        history=context.settings.history,
    )  # fmt: skip
    if model.observation_space.shape != (description.width(columns),):
        raise EnvInputError(
            WHERE, f"the model observes {model.observation_space}",
            f"the flat form of this environment, {description.width(columns)} numbers (FlatObservation)",
        )  # fmt: skip
    file = io.BytesIO()
    model.save(file)
    with zipfile.ZipFile(file, "a") as archive:
        write_description(archive, description, ItemEncoder.of(context.catalog.public, context.settings.features))
    write_atomic(Path(path), file.getvalue())


def _scene_of(env: Any) -> EnvContext:
    for one in (env, getattr(env, "unwrapped", None), getattr(env, "inner", None), *getattr(env, "envs", ())):
        context = getattr(getattr(one, "unwrapped", one), "context", None)
        if isinstance(context, EnvContext):
            return context
    raise EnvInputError(WHERE, f"{env} is no environment of this package", "a beholder/... id, or a vector of them")


def _says(context: EnvContext) -> dict[str, dict[str, float | None]]:
    """Return what every event that is remembered says about a liking, by stage; None: the share that was consumed."""
    names, tables = context.compiled.names, context.tables
    found: dict[str, dict[str, float | None]] = {}
    for s, stage in enumerate(names.stages):
        for e, event in enumerate(names.events):
            if tables.marks[s, e] & ITEM_EVENT:
                says = float(tables.signal[s, e])
                found.setdefault(stage, {})[event] = None if np.isnan(says) else says
    return found
