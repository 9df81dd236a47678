"""The worlds of a knock-out: two that leave logs, four models that are learned from them, eight worlds that are served.

    {users see it | do not} x {the recommender uses it | does not} x {its log is of users who saw it | who did not}

All worlds of a seed have the same users, items and tastes. A recommender that does not use the modality is handed its
features shuffled among items of a type: as many numbers, distributed alike, that say nothing of the item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import pandas as pd

from analysis.arms import Arm, read_arm
from analysis.kept_worlds import World, changes_of
from analysis.stability.designs import design as moved_numbers
from analysis.treatments import hidden, shown
from recommenders.evaluation.splits import SPLITS
from simulator.cli.listing import check_recommender_name
from simulator.cli.run import check_recommender_parameters
from simulator.config import CHANGE_PREFIX, PARAMETER_PREFIX, complete, resolve
from simulator.errors import InputError, check_known
from simulator.records.run_folder import safe_name
from simulator.scenario.load import load_scenario
from simulator.scenario.schema.scenario import Scenario

FACTORS = ("sees", "uses", "learned")
"""The axes of a cube, in order: users see it, the recommender uses it, its log is of users who saw it."""
_NEVER = 365.0 * 100 * 86_400
"""Between two fits, s: the model that was learned from the log is kept."""


class Cell(NamedTuple):
    """One world of the eight: whether its users see the modality, its recommender uses it, its log's users saw it."""

    sees: bool
    uses: bool
    learned: bool


CELLS = tuple(Cell(*levels) for levels in product((False, True), repeat=len(FACTORS)))


@dataclass(frozen=True)
class Logged:
    """Ask for the log of a world whose users see the modality, or do not."""

    sees: bool
    draw: int | None
    seed: int


@dataclass(frozen=True)
class Judged:
    """Ask how well a recommender does offline on such a log, and with which settings, of as many as are tried."""

    arm: Arm
    uses: bool
    log: str
    blind: Mapping[str, str]
    split: str
    tries: int
    seed: int


@dataclass(frozen=True)
class Served:
    """Ask what users live through in a world that a recommender serves which was learned from such a log."""

    modality: str
    log: str
    tuned: str


@dataclass(frozen=True)
class Plan:
    """All worlds of a knock-out.

    Attributes:
        scenario: as it is asked for, before anything is hidden.
        modality: that is knocked out.
        arms: recommenders that serve.
        readable: whether recommenders can be handed features of the modality.
        seeds, draws: of the worlds; a draw is a number of a design of estimates that are moved, None leaves them.
        numbers: what each draw makes of the estimates, a row per draw; empty without draws.
        logs, judged, served: the worlds, in the order in which they can be run.
        left_out: numbers that some draw could not move.
    """

    scenario: Scenario
    modality: str
    arms: Sequence[Arm]
    readable: bool
    seeds: Sequence[int]
    draws: Sequence[int | None]
    numbers: pd.DataFrame
    logs: list[World[Logged]]
    judged: list[World[Judged]]
    served: list[World[Served]]
    left_out: list[str]

    @property
    def outer(self) -> bool:
        """Return whether estimates are drawn, so that draws are what is counted."""
        return self.draws[0] is not None

    def cells(self) -> Iterator[Cell]:
        """Yield the worlds that there are: where nobody can be handed the modality, only those without it."""
        yield from (cell for cell in CELLS if self.readable or not cell.uses)


def log_place(sees: bool, draw: int | None, seed: int) -> str:
    """Return where the log of a world lies, below the folder of the knock-out."""
    return f"logs/{_case(draw)}{'saw' if sees else 'did-not'}-s{seed}"


def judged_place(arm: Arm, uses: bool, learned: bool, draw: int | None, seed: int) -> str:
    """Return where the offline measures of a model lie."""
    return f"judged/{safe_name(arm.name)}/{_case(draw)}{_used(uses)}-{_from(learned)}-s{seed}"


def served_place(arm: Arm, cell: Cell, draw: int | None, seed: int) -> str:
    """Return where the measures of a served world lie."""
    seen = "seen" if cell.sees else "hidden"
    return f"served/{safe_name(arm.name)}/{_case(draw)}{seen}-{_used(cell.uses)}-{_from(cell.learned)}-s{seed}"


def _case(draw: int | None) -> str:
    return "" if draw is None else f"d{draw}-"


def _used(uses: bool) -> str:
    return "used" if uses else "shuffled"


def _from(learned: bool) -> str:
    return "log-saw" if learned else "log-did-not"


def plan(
    scenario: str,
    modality: str,
    recommenders: Sequence[str],
    logging: str,
    seeds: Sequence[int],
    settings: Mapping[str, object],
    split: str,
    tries: int,
    outer: int,
) -> Plan:
    """List all worlds. Nothing is run or written.

    Args:
        scenario: name or path.
        modality: that is knocked out; some surface has to show it.
        recommenders: that serve, one knock-out each; parameters in brackets.
        logging: the recommender of the worlds that leave the logs.
        seeds: of the worlds.
        settings: of all worlds, as `simulator.run` takes them.
        split: of the logs, for what is judged offline.
        tries: sets of settings that are tried per model, offline, the given ones first; 0 tries none.
        outer: how many draws of the scenario's estimates there are, each moved by a fifth; 0 leaves them as they are.

    Raises:
        InputError: a setting is wrong; nobody is shown the modality; the scenario needs it.
        RecommenderError: a recommender does not take its parameters.
    """
    from simulator import check_scenario

    own = changes_of(settings)
    as_it_is = load_scenario(scenario, own)
    check_scenario(as_it_is)
    check_known(as_it_is.shown, "modality", [modality], list(as_it_is.modalities))
    if modality not in shown(as_it_is):
        right = f"expected one of {', '.join(shown(as_it_is))}"
        raise InputError(as_it_is.shown, f"no surface shows {modality}", right)
    check_known("knockout", "split", [split], SPLITS)
    if not recommenders or len(set(recommenders)) < len(recommenders):
        raise InputError("knockout", f"recommender={','.join(recommenders)}", "expected each once")
    if not seeds or len(set(seeds)) < len(seeds):
        raise InputError("knockout", f"seed={','.join(map(str, seeds))}", "expected each once")
    arms = [read_arm(text) for text in recommenders]
    logged_by = read_arm(logging)
    for arm in (*arms, logged_by):
        check_recommender_name(arm.recommender)
        given = [("scenario", scenario), *_of(arm).items(), *settings.items()]
        config = complete(resolve(given, where="knockout"), as_it_is.defaults.model_dump())
        check_recommender_parameters(config)
    readable = getattr(as_it_is.modalities[modality], "feature", None) is not None
    draws: list[int | None] = list(range(outer)) or [None]
    logs: list[World[Logged]] = []
    judged: list[World[Judged]] = []
    served: list[World[Served]] = []
    left: dict[str, None] = {}
    rows: list[dict[str, float]] = []
    blind = {modality: "shuffle"}
    for draw in draws:
        changes: dict[str, object] = {}
        if draw is not None:
            numbers, out = moved_numbers(scenario, draw, own)
            changes, left = _prefixed(numbers), left | dict.fromkeys(out)
            rows.append(numbers)
        hide = _hiding(scenario, modality, {**own, **changes_of(changes)})
        shared = {**settings, **changes}
        for seed in seeds:
            for sees in (False, True):
                place = log_place(sees, draw, seed)
                world = {**shared, **({} if sees else hide), **_of(logged_by), "seed": seed}
                world |= {"log": "platform", "features": readable}
                logs.append(World(Logged(sees, draw, seed), place, scenario, world))
            for arm in arms:
                for uses, learned in product((False, True) if readable else (False,), (False, True)):
                    what = Judged(
                        arm, uses, log_place(learned, draw, seed), {} if uses or not readable else blind, split, tries,
                        seed,
                    )  # fmt: skip
                    told = {"recommender": arm.name, "split": split, "tries": tries, **changes, "seed": seed}
                    judged.append(World(what, judged_place(arm, uses, learned, draw, seed), scenario, told))
                for cell in CELLS:
                    if cell.uses and not readable:
                        continue
                    world = {**shared, **({} if cell.sees else hide), **_of(arm), "seed": seed, "refit": _NEVER}
                    world.pop("first_fit", None)  # it is at time 0
                    if readable and not cell.uses:
                        world[f"features.{modality}"] = blind[modality]
                    tuned = judged_place(arm, cell.uses, cell.learned, draw, seed)
                    asked = Served(modality, log_place(cell.learned, draw, seed), tuned if tries else "")
                    served.append(World(asked, served_place(arm, cell, draw, seed), scenario, world))
    return Plan(as_it_is, modality, arms, readable, list(seeds), draws, _moved(rows), logs, judged, served, list(left))


def _hiding(scenario: str, modality: str, own: Mapping[str, object]) -> dict[str, object]:
    """Return the settings that hide a modality. Raises InputError where the scenario needs it to be seen."""
    from simulator import check_scenario

    changes = hidden(load_scenario(scenario, dict(own)), modality)
    try:
        check_scenario(load_scenario(scenario, {**own, **changes}))
    except InputError as error:
        wrong = f"without {modality}: {error.wrong}"
        raise InputError(error.where, wrong, error.right) from error
    return _prefixed(changes)


def _moved(rows: list[dict[str, float]]) -> pd.DataFrame:
    """Return the numbers that every draw moves, a row per draw, and only those that differ between draws."""
    frame = pd.DataFrame(rows).dropna(axis=1)
    return frame.loc[:, frame.nunique() > 1]


def _of(arm: Arm) -> dict[str, object]:
    return {"recommender": arm.recommender} | {PARAMETER_PREFIX + key: value for key, value in arm.parameters.items()}


def _prefixed(changes: Mapping[str, object]) -> dict[str, object]:
    return {CHANGE_PREFIX + key: value for key, value in changes.items()}
