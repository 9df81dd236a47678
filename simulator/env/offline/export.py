"""Files of logged episodes in the forms that offline learning reads: Open Bandit's Parquet, and Minari."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recommenders.contract.settings import one_of
from simulator.env.errors import EnvInputError
from simulator.env.offline.collect import Episode, Episodes
from simulator.env.settings import checked_argument
from simulator.env.wrappers import FlatObservation, ItemAction
from simulator.records.run_folder import write_atomic


def to_open_bandit(found: Episodes, folder: str | os.PathLike[str]) -> None:
    """Write Parquet files in the manner of the Open Bandit Dataset (Saito et al., NeurIPS 2021) into a folder.

    `logged.parquet`, a row for each place of each slate:

        episode, step   int32     number of the episode, and of the slate in it
        timestamp       float64   s of simulated time
        item_id         int32
        position        int16     from 1
        click           uint8     see `Episode.clicked`
        propensity_score float32  of the item given those before it in the slate: a slate's is the product of its rows
        reward          float32   of the whole slate
        user_feature_0 ... float32  the flat observation

    `item_context.parquet`: item_id, item_feature_0 ... (`recommenders.contract.item_encoder.item_features`).
    `potential.parquet`, where it was collected: episode, step, item_id, reward (see `Episode.potential`).

    Raises:
        InputError: a file is there already, or the folder cannot be written to.
    """
    target = Path(folder)
    logged, potential = _logged_columns(found), _potential_columns(found)
    features = found.env.context.features
    items = {"item_id": np.arange(len(features), dtype=np.int32)}
    items |= {f"item_feature_{d}": features[:, d] for d in range(features.shape[1])}
    files = {"logged": logged, "item_context": items} | ({"potential": potential} if potential else {})
    paths = {name: target / f"{name}.parquet" for name in files}
    for path in paths.values():
        if path.exists():
            raise EnvInputError("to_open_bandit", f"{path} exists", "another folder")
    target.mkdir(parents=True, exist_ok=True)
    for name, columns in files.items():
        file = io.BytesIO()
        pq.write_table(pa.table(columns), file)
        write_atomic(paths[name], file.getvalue())


def _logged_columns(found: Episodes) -> dict[str, npt.NDArray[Any]]:
    parts: list[dict[str, npt.NDArray[Any]]] = []
    for number, episode in enumerate(found.episodes):
        step, place = np.nonzero(episode.shown >= 0)
        parts.append({
            "episode": np.full(len(step), number, np.int32), "step": step.astype(np.int32),
            "timestamp": episode.time[step], "item_id": episode.shown[step, place],
            "position": (place + 1).astype(np.int16), "click": episode.clicked[step, place],
            "propensity_score": episode.propensity[step, place], "reward": episode.rewards[step].astype(np.float32),
            **{f"user_feature_{d}": episode.observations[step, d] for d in range(episode.observations.shape[1])},
        })  # fmt: skip
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _potential_columns(found: Episodes) -> dict[str, npt.NDArray[Any]]:
    parts: list[dict[str, npt.NDArray[Any]]] = []
    for number, episode in enumerate(found.episodes):
        if episode.potential is None:
            return {}
        step, item = np.nonzero(~np.isnan(episode.potential))
        parts.append({
            "episode": np.full(len(step), number, np.int32), "step": step.astype(np.int32),
            "item_id": item.astype(np.int32), "reward": episode.potential[step, item],
        })  # fmt: skip
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def to_minari(found: Episodes, dataset_id: str, actions: str = "slate") -> Any:
    """Make a Minari data set of the episodes, with flat observations; `infos` holds `propensity` and `shown`.

    `recover_environment()` of what is loaded makes the environment again, with the wrappers that give it the data's
    observations and actions. A scenario file has to lie where it lay.

    Args:
        found: from `collect`.
        dataset_id: as Minari has them, e.g. `platform/uniform-v0`.
        actions: `slate`, int64 (places,) in a MultiDiscrete; or `item`, one int64 in a Discrete (`slate=1` only), which
            is what learners take that choose among a finite number (d3rlpy).

    Returns:
        The `minari.MinariDataset`.

    Raises:
        InputError: Minari is not installed, or `item` is asked of longer slates.
    """
    form = checked_argument("actions", actions, one_of("slate", "item"))
    env: Any = FlatObservation(found.env)
    env = ItemAction(env) if form == "item" else env
    try:
        import minari
        from minari.data_collector import EpisodeBuffer
    except ImportError as error:
        raise EnvInputError(
            "to_minari", f"needs Minari ({error})", "python -m pip install 'beholder[offline]'"
        ) from None
    buffers = [
        EpisodeBuffer(
            id=number, seed=episode.seed, observations=list(episode.observations),
            actions=list(episode.actions[:, 0] if form == "item" else episode.actions),
            rewards=episode.rewards.tolist(), terminations=[False] * (len(episode.rewards) - 1) + [episode.terminated],
            truncations=[False] * (len(episode.rewards) - 1) + [episode.truncated], infos=_infos(episode),
        )
        for number, episode in enumerate(found.episodes)
    ]  # fmt: skip
    about = f"beholder {found.env.settings.scenario}, {found.policy}"
    return minari.create_dataset_from_buffers(
        dataset_id, buffers, env=env, data_format="arrow", algorithm_name=found.policy, description=about,
    )  # fmt: skip


def _infos(episode: Episode) -> dict[str, npt.NDArray[Any]]:
    """Return infos as Minari has them: the first is that of the reset, which has nothing to tell."""
    nothing = np.full((1, episode.shown.shape[1]), -1)
    found: dict[str, npt.NDArray[Any]] = {
        "propensity": np.concatenate([np.full(nothing.shape, np.nan, np.float32), episode.propensity]),
        "shown": np.concatenate([nothing.astype(np.int32), episode.shown]),
    }
    if episode.potential is not None:
        none = np.full((1, episode.potential.shape[1]), np.nan, np.float32)
        found["potential"] = np.concatenate([none, episode.potential])
    return found
