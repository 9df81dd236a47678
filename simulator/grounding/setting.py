"""A setting grounded in a real folder: real items and users where the data tell, the scenario for the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.cluster.vq import kmeans2
from scipy.sparse import csr_matrix

from recommenders.contract import Positives
from simulator.config import RunConfig
from simulator.engine.randomness import SPACE, SUPPLY, TASTE, TIE, normals, uniforms
from simulator.engine.tables.tables import Items, StageKind, Users
from simulator.errors import InputError
from simulator.grounding.estimate import Grounding, ground, spread_of_activity
from simulator.grounding.folder import RealFolder, read_folder
from simulator.grounding.heldout import WEIGHTED, evaluate
from simulator.grounding.pilot import pilot_positives
from simulator.plan.compiler import Compiled, discount_of, expect
from simulator.population.bad_tails import direction
from simulator.population.catalog import TrueCatalog, contents, draw_catalog, public_catalog, told_topic
from simulator.population.parent_rows import listed, with_menus
from simulator.population.setting import Setting
from simulator.population.users import draw_users, match_scales, new_people
from simulator.scenario.durations import DAY
from simulator.scenario.events import CODE
from simulator.scenario.life_cycle import CREATOR

Float32 = npt.NDArray[np.float32]
MOST_SIGNAL = 0.98
_PILOT_HORIZON = 2 * DAY
_PASSES = 3  # pilots by which the length of a log is found: more time does not give as much more to everybody
_MOST_LONGER = 4.0  # times: what one pilot may add to the length of the next
_SPLITS = 4  # folds over which a pilot's learnability is averaged: one fold alone is mostly noise
_SHARES = (0.05, 0.2, 0.4, 0.6, 0.8)  # of the variance of utility that no model can learn: what is tried
_SPLIT, _CLUSTER = 201, 202  # what is drawn under SUPPLY: split of a pilot's pairs, first centres
_ROTATION = 900


def ground_setting(config: RunConfig, compiled: Compiled, say: Callable[[str], None]) -> Setting:
    """Ground catalog, users and warm log in a real folder.

    Raises:
        InputError: the folder or what is in it cannot be used.
    """
    say("reading the catalog")
    if compiled.shown_parents or listed(compiled) - {CREATOR}:
        raise InputError(
            "catalog", f"{compiled.scenario.shown} has stages of parents, which no folder tells", "another scenario"
        )
    if config.catalog is None:
        raise InputError("catalog", "no folder is given", "catalog=FOLDER")
    folder = read_folder(config.catalog, known=compiled.names.modalities)
    if folder.interactions is None:
        return _ungrounded(config, compiled, folder)
    if config.first_fit is not None:
        wrong = f"first_fit beside {config.catalog}, which has interactions"
        raise InputError("first_fit", wrong, "leave it out: with a log from before, the first fit is at time 0")
    say("grounding")
    width = sum(shape.dimensions for shape in compiled.facets)
    grounding = ground(folder, width, config.seed)
    compiled = _with_signals(compiled, grounding)
    catalog = _catalog(compiled, folder, _truth(compiled, grounding, config.seed), config.seed)
    n_users = config.users or folder.n_users
    crowd = _Crowd(_tastes(compiled, grounding, catalog.items, n_users, config.seed), _pace(grounding, n_users))
    say("calibrating")
    compiled, length, calibrated = _calibrated(compiled, catalog, crowd, grounding, config.seed)
    users = crowd.users(compiled, config.seed)
    facts = {
        "catalog": str(config.catalog),
        "items": folder.n_items,
        "real_users": folder.n_users,
        "assumed": [*folder.assumptions, *_ASSUMED],
        "grounding": grounding.summary(),
        "calibrated": calibrated,
    }
    ids = {"item": folder.item_ids, "user": folder.user_ids[np.arange(n_users) % folder.n_users]}
    return Setting(compiled, catalog, users, _warm_log(compiled, folder, n_users, catalog), length, facts, ids)


_ASSUMED = (
    "the latent axes of the log are turned at random and dealt out to the facets: the log does not name them",
    "content correlates with the truth as its features do, divided by the scenario's retention of the encoder",
    "the first dimension of the facet that users agree on most is the log of an item's real popularity",
    "topics are clusters of items along the axes of the satiation facet",
    "users come as often, beside the most active hundredth, as the real users have interactions beside theirs; the "
    "most active hundredth come as often as the scenario's users, and nobody's visits are longer or shorter for it",
    "a real interaction enters the platform's log as a completed play before the run",
    "durations, creators and types that the folder does not tell are drawn from the scenario",
)


def _ungrounded(config: RunConfig, compiled: Compiled, folder: RealFolder) -> Setting:
    """Set up without interactions: items and users are the scenario's, and only features are real."""
    defaults = compiled.scenario.defaults
    horizon, users = config.horizon or defaults.horizon, config.users or defaults.users
    catalog = draw_catalog(compiled, folder.n_items, horizon, config.seed)
    catalog = replace(
        catalog,
        public=public_catalog(
            catalog.items,
            catalog.published_at,
            folder.features,
            topic=told_topic(compiled.scenario),
            parents={name: catalog.public.columns[name] for name in compiled.scenario.parents},
        ),
    )
    all_users = draw_users(compiled, catalog.items, users, config.seed)
    note = (
        "no interactions: what features say of taste stays the scenario's estimate, and they are unrelated to it here"
    )
    facts = {"catalog": str(config.catalog), "items": folder.n_items, "assumed": [*folder.assumptions, note]}
    return Setting(compiled, catalog, all_users, None, horizon, facts, {"item": folder.item_ids})


# ---- items


def _with_signals(compiled: Compiled, grounding: Grounding) -> Compiled:
    """Return the compiled scenario with the estimated signal of the modalities that have real features."""
    shapes, cues = [], compiled.plan.cues.copy()
    for cue in compiled.cues:
        name = compiled.names.modalities[cue.modality]
        if name in grounding.signal:
            feature = getattr(compiled.scenario.modalities[name], "feature", None)
            retention = feature.retention.value if feature is not None else 1.0
            signal = min(max(grounding.signal[name].value, 0.0) / retention, MOST_SIGNAL)
            cue = replace(cue, signal=signal)
            bias = getattr(compiled.scenario.modalities[name], "bias", None)
            expect(cues[np.flatnonzero(cues["column"] == cue.column)[0]], discount_of(compiled.scenario), signal, bias)
        shapes.append(cue)
    return replace(compiled, cues=tuple(shapes), plan=compiled.plan._replace(cues=cues))


def _rotation(width: int, seed: int) -> npt.NDArray[np.float64]:
    """Draw a keyed rotation, (width, width)."""
    q, r = np.linalg.qr(normals(seed, SPACE, width, width, block=_ROTATION).astype(np.float64))
    return np.asarray(q * np.sign(np.diag(r)))


def _agreed(compiled: Compiled) -> int:
    """Return the facet that users agree on most."""
    return int(np.argmax([compiled.scenario.facets[shape.name].agreement.value for shape in compiled.facets]))


def _dealt(compiled: Compiled, vectors: npt.NDArray[np.float64]) -> Float32:
    """Deal vectors (n, sum of dimensions) to the padded columns of the facets."""
    out = np.zeros((len(vectors), compiled.latent_width), dtype=np.float32)
    first = 0
    for shape in compiled.facets:
        out[:, shape.offset : shape.offset + shape.dimensions] = vectors[:, first : first + shape.dimensions]
        first += shape.dimensions
    return out


def _truth(compiled: Compiled, grounding: Grounding, seed: int) -> Float32:
    """Return latent vectors of the real items, of unit variance per dimension on average."""
    turned = grounding.items.astype(np.float64) @ _rotation(grounding.items.shape[1], seed)
    turned -= turned.mean(axis=0)
    truth = _dealt(compiled, turned / max(float(turned.std()), 1e-9))
    logs = np.log(grounding.popularity)
    truth[:, compiled.facets[_agreed(compiled)].offset] = (logs - logs.mean()) / max(float(logs.std()), 1e-9)
    return truth


def _check_durations(folder: RealFolder, drawn: npt.NDArray[np.float32]) -> None:
    """Raise InputError where nobody has said the unit of durations, and seconds are unlikely by a factor of 1,000."""
    from recommenders.data.durations import likely_unit

    told = folder.columns["duration"]
    unit = None if folder.duration_said else likely_unit(told.astype(np.float64), drawn.astype(np.float64))
    if unit is not None:
        raise InputError(
            f"{folder.path}: durations",
            f"their median is {np.nanmedian(told):,.0f} s, the scenario's are {drawn.min():.0f} to {drawn.max():.0f} s",
            f"likely they are in {unit}: say so in mapping.yaml (units: {{duration: {unit}}}, or s if they are not)",
        )


def _catalog(compiled: Compiled, folder: RealFolder, truth: Float32, seed: int) -> TrueCatalog:
    drawn = draw_catalog(compiled, folder.n_items, DAY, seed)
    facts = drawn.items.state
    if "duration" in folder.columns:
        told = folder.columns["duration"]
        _check_durations(folder, facts["duration"])
        facts["duration"] = np.where(np.isfinite(told) & (told > 0.0), told, facts["duration"])
    n_creators = drawn.n_creators
    if "creator" in folder.columns:
        names, numbers = np.unique(folder.columns["creator"], return_inverse=True)
        facts["creator"], n_creators = numbers, len(names)
    topic = compiled.facets[compiled.names.facets.index(compiled.scenario.satiation_facet)]
    clusters = max(compiled.scenario.facets[topic.name].clusters, 1)
    block = truth[:, topic.offset : topic.offset + topic.dimensions].astype(np.float64)
    spread = uniforms(seed, SUPPLY, min(clusters, len(block)), _CLUSTER)
    _, facts["topic"] = kmeans2(block, block[(spread * len(block)).astype(np.int64)], minit="matrix")
    vectors = np.concatenate([truth, contents(compiled, truth, seed)], axis=1)
    facts["missing"] = 0  # real features are there, or the folder was refused
    items = drawn.items._replace(
        state=facts,
        vectors=vectors,
        published=np.zeros(folder.n_items),
        parent=np.full(folder.n_items, -1, dtype=np.int32),  # the folder does not tell who is whose sibling
    )
    items = with_menus(compiled, items, ())
    published_at = np.zeros(folder.n_items)
    public = public_catalog(items, published_at, folder.features, topic=told_topic(compiled.scenario))
    return TrueCatalog(items, published_at, n_creators, public)


# ---- users


class _Crowd(NamedTuple):
    """What the data say of the users, from which any number of worlds can start."""

    taste: Float32  # (n_users, latent_width)
    pace: Float32  # (n_users,)

    def users(self, compiled: Compiled, seed: int) -> Users:
        """Return the users who have lived through nothing yet."""
        return new_people(compiled, self.taste, seed, pace=self.pace)


def _pace(grounding: Grounding, n_users: int) -> Float32:
    """Return how often users come, over how often the scenario's do: by the activity of their real counterparts.

    The most active hundredth have 1 on average, so that nobody has to live more than a person can; who has no
    interaction counts as half of one.
    """
    activity = np.maximum(grounding.activity, 0.5)
    most = np.sort(activity)[-max(len(activity) // 100, 1) :].mean()
    pace: Float32 = (activity / most).astype(np.float32)[np.arange(n_users) % len(activity)]
    return pace


def _tastes(compiled: Compiled, grounding: Grounding, items: Items, n_users: int, seed: int) -> Float32:
    """Draw tastes of the real users from what their log tells of them; further users repeat them with other draws."""
    who = np.arange(n_users) % len(grounding.users)
    draw = normals(seed, TASTE, n_users, grounding.users.shape[1], block=_ROTATION).astype(np.float64)
    drawn = (grounding.users[who] + grounding.user_sd[who] * draw) @ _rotation(grounding.users.shape[1], seed)
    own = _dealt(compiled, drawn)
    taste = np.zeros_like(own)
    agreed = _agreed(compiled)
    for f, shape in enumerate(compiled.facets):
        part = slice(shape.offset, shape.offset + shape.dimensions)
        agreement = compiled.scenario.facets[shape.name].agreement.value
        common = direction(normals(seed, SPACE, 1, shape.dimensions, block=_ROTATION + 1 + f))
        if f == agreed:
            common = np.eye(1, shape.dimensions, dtype=np.float32)
        taste[:, part] = np.float32(np.sqrt(agreement)) * common + np.float32(np.sqrt(1.0 - agreement)) * direction(
            own[:, part]
        )
    scaled: Float32 = taste * match_scales(compiled, taste[:1024], items)
    return scaled


def _warm_log(
    compiled: Compiled, folder: RealFolder, n_users: int, catalog: TrueCatalog
) -> dict[str, npt.NDArray[np.generic]]:
    """Return the real interactions as rows of the platform log before time 0: completed plays, in their real order."""
    rows = folder.interactions
    if rows is None:
        raise InputError(str(folder.path), "has no interactions", "interactions.parquet")
    kept = rows.user < n_users
    user, item = rows.user[kept], rows.item[kept]
    order = np.argsort(rows.time[kept], kind="stable") if rows.time is not None else np.arange(len(user))
    user, item = user[order], item[order]
    time = -np.arange(len(user), 0, -1, dtype=np.float64) / 1024.0
    stage = int(np.flatnonzero(compiled.plan.stages["kind"] == StageKind.CONSUME)[0])
    n = len(user)
    return {
        "time": time,
        "logged_at": time,
        "user": user.astype(np.uint32),
        "item": item.astype(np.uint32),
        "event": np.full(n, CODE["complete"], dtype=np.uint8),
        "stage": np.full(n, stage, dtype=np.uint8),
        "surface": np.full(n, compiled.plan.stages["surface"][stage], dtype=np.uint8),
        "value": catalog.items.state["duration"][item].astype(np.float32),
    }


# ---- calibration


def _calibrated(
    compiled: Compiled, catalog: TrueCatalog, crowd: _Crowd, grounding: Grounding, seed: int
) -> tuple[Compiled, float, dict[str, Any]]:
    """Calibrate density by the length of a log, and learnability by the share of taste that no model can learn.

    Both are measured on pilots under a random policy, in which nobody leaves for good: they stand for a log whose users
    are known to have been there as long as it lasted. Learnability is Recall@20 of item neighbours in which a user
    weighs 1 / activity, over that of popularity: plain cosine neighbours say more about a few very active users.
    """
    per_user = grounding.density * catalog.n_items
    n_users, tick = len(crowd.taste), compiled.scenario.clock.tick.value
    staying = _staying(compiled)
    length = _PILOT_HORIZON
    for _ in range(_PASSES):
        found = pilot_positives(staying, catalog, crowd.users(compiled, seed), length, seed)
        factor = min(per_user * n_users / max(len(found), 1), _MOST_LONGER)
        length = max(float(np.ceil(length * factor / tick)) * tick, tick)
    target = grounding.held_out.to_popularity.get(WEIGHTED) if grounding.held_out is not None else None
    facts: dict[str, Any] = {
        "activity": {
            "measure": "positives of users who have any; top_1_percent: the share that the most active hundredth hold",
            "real": dict(grounding.interactions_per_user),
            "under a random policy": spread_of_activity(np.bincount(found.user, minlength=n_users)),
        },
        "density": {
            "real": grounding.density,
            "interactions_per_user_real": per_user,
            "knob": "length of the log, s, under a random policy",
            "value": length,
        },
    }
    tried: list[dict[str, float | None]] = []
    best, reached, distance = compiled, None, np.inf
    # a grid and not a search: how learnable a log is need not rise or fall with the share all the way
    for share in _SHARES if target is not None else ():
        candidate = with_idiosyncratic(compiled, share)
        pilot = _staying(candidate)
        pairs = pilot_positives(pilot, catalog, crowd.users(candidate, seed), length, seed)
        ratio = _learnability(pairs, n_users, catalog.n_items, seed)
        tried.append({"idiosyncratic": share, "ratio": ratio, "density": len(pairs) / (n_users * catalog.n_items)})
        if target is not None and ratio is not None and abs(ratio - target.value) < distance:
            best, reached, distance = candidate, tried[-1], abs(ratio - target.value)
    nearest = None if reached is None else reached["ratio"]
    within = target is not None and nearest is not None and target.low <= nearest <= target.high
    facts["learnability"] = {
        "measure": "recall@20 of item neighbours (a user weighs 1 / activity) over that of popularity",
        "real": target.as_list() if target is not None else None,
        "knob": "idiosyncratic share of the variance of utility",
        "nearest": reached,
        "within_the_real_interval": within,
        "used": "the nearest"
        if within
        else "the scenario's own share: no share that was tried comes within the interval",
        "tried": tried,
    }
    return best if within else compiled, length, facts


def _staying(compiled: Compiled) -> Compiled:
    """Return the same scenario, in which nobody leaves for good."""
    user_params = compiled.plan.user_params.copy()
    user_params["churn"] = 0.0
    return replace(compiled, plan=compiled.plan._replace(user_params=user_params))


def with_idiosyncratic(compiled: Compiled, share: float) -> Compiled:
    """Return a scenario with another share of taste that no model can learn; the facets keep their proportions."""
    user_params, weights = compiled.plan.user_params.copy(), compiled.plan.weights.copy()
    before = float(user_params["idiosyncratic"][0]) ** 2
    weights[:, : len(compiled.facets)] *= np.sqrt((1.0 - share) / max(1.0 - before, 1e-9))
    user_params["idiosyncratic"] = np.sqrt(share)
    return replace(compiled, plan=compiled.plan._replace(user_params=user_params, weights=weights))


def _learnability(pairs: Positives, n_users: int, n_items: int, seed: int) -> float | None:
    """Return the ratio of `_calibrated` on a log: the mean over folds that hold out a part of the pairs in turn."""
    if len(pairs) == 0:
        return None
    draw = uniforms(seed, SUPPLY, len(pairs), _SPLIT)

    def matrix(rows: npt.NDArray[np.bool_]) -> csr_matrix:
        return csr_matrix(
            (np.ones(int(rows.sum()), dtype=np.float32), (pairs.user[rows], pairs.item[rows])), shape=(n_users, n_items)
        )

    ratios = []
    for split in range(_SPLITS):
        held = (draw >= split / _SPLITS) & (draw < (split + 1) / _SPLITS)
        judged = evaluate(
            matrix(~held), matrix(held), {}, uniforms(seed, TIE, n_items, split), f"fold {split + 1} of {_SPLITS}"
        )
        if judged is not None and WEIGHTED in judged.to_popularity:
            ratios.append(judged.to_popularity[WEIGHTED].value)
    return float(np.mean(ratios)) if len(ratios) == _SPLITS else None
