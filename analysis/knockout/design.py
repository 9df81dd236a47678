"""The worlds of a knock-out: two that leave logs, four models that are learned from them, eight worlds that are served.

    {users see it | do not} x {the recommender uses it | does not} x {its log is of users who saw it | who did not}

All worlds of a seed have the same users, items and tastes. A recommender that does not use the modality is handed its
features shuffled among items of a type: as many numbers, distributed alike, that say nothing of the item.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import pandas as pd

from analysis.arms import Arm, read_arm
from analysis.kept_worlds import World, changes_of
from analysis.knockout.reading import check_reads
from analysis.offline import SPLITS_OF_LOGS
from analysis.stability.designs import design as moved_numbers
from analysis.treatments import hidden, shown
from recommenders.evaluation.protocol import Tries
from simulator.cli.listing import check_recommender_name
from simulator.cli.run import check_recommender_parameters
from simulator.config import CHANGE_PREFIX, FEATURES_PREFIX, PARAMETER_PREFIX, complete, resolve
from simulator.errors import InputError, check_known
from simulator.platform.oracle import ORACLES
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
        InputError: a setting is wrong; nobody is shown the modality; the scenario needs it; or a recommender
            does not read it.
        RecommenderError: a recommender does not take its parameters.
    """
    own = changes_of(settings)
    as_it_is = _showing(scenario, modality, own)
    check_known("knockout", "split", [split], SPLITS_OF_LOGS)
    for name, given in (("recommender", recommenders), ("seed", seeds)):
        if not given or len(set(given)) < len(given):
            raise InputError("knockout", f"{name}={','.join(map(str, given))}", "expected each once")
    arms, logged_by = [read_arm(text) for text in recommenders], read_arm(logging)
    for arm in (*arms, logged_by):
        check_recommender_name(arm.recommender)
        if arm is not logged_by and arm.recommender in ORACLES:
            raise InputError("knockout", f"{arm.name} learns from no log", "expected a recommender that does")
        if arm is not logged_by and tries > 1 and not Tries(arm.recommender, arm.parameters, 0, 0).ranges:
            raise InputError("knockout", f"tries={tries}: {arm.name} has no settings to try", "leave it out")
        asked = [("scenario", scenario), *_of(arm).items(), *settings.items()]
        check_recommender_parameters(complete(resolve(asked, where="knockout"), as_it_is.defaults.model_dump()))
    readable = getattr(as_it_is.modalities[modality], "feature", None) is not None
    if readable and "catalog" not in settings:  # whose features are whatever the folder has
        for arm in arms:
            check_reads(arm, as_it_is, modality)
    draws: list[int | None] = list(range(outer)) or [None]
    found = Plan(as_it_is, modality, arms, readable, list(seeds), draws, pd.DataFrame(), [], [], [], [])
    rows: list[dict[str, float]] = []
    left: dict[str, None] = {}
    for draw in draws:
        changes: dict[str, object] = {}
        if draw is not None:
            numbers, out = moved_numbers(scenario, draw, own)
            changes, left = _prefixed(numbers), left | dict.fromkeys(out)
            rows.append(numbers)
        hide = _hiding(scenario, modality, {**own, **changes_of(changes)})
        for seed in seeds:
            same = _SameSeed(scenario, modality, readable, {**settings, **changes}, hide, draw, seed)
            found.logs.extend(same.logs(logged_by))
            for arm in arms:
                found.judged.extend(same.judged(arm, split, tries))
                found.served.extend(same.served(arm, found.cells(), tries))
    return replace(found, numbers=_moved(rows), left_out=list(left))


@dataclass(frozen=True)
class _SameSeed:
    """Lay out the worlds of one seed and draw; `hide` are the settings that hide the modality from users."""

    scenario: str
    modality: str
    readable: bool
    shared: Mapping[str, object]
    hide: Mapping[str, object]
    draw: int | None
    seed: int

    def logs(self, arm: Arm) -> Iterator[World[Logged]]:
        """Yield the worlds that leave logs."""
        for sees in (False, True):
            world = {**self._world(sees, arm), "log": "platform", "features": self.readable}
            asked = Logged(sees, self.draw, self.seed)
            yield World(asked, log_place(sees, self.draw, self.seed), self.scenario, world)

    def judged(self, arm: Arm, split: str, tries: int) -> Iterator[World[Judged]]:
        """Yield the models that are judged on these logs."""
        for uses, learned in product((False, True) if self.readable else (False,), (False, True)):
            log, blind = log_place(learned, self.draw, self.seed), self._blind(uses)
            told = {**self.shared, "recommender": arm.name, "split": split, "tries": tries, "seed": self.seed}
            place = judged_place(arm, uses, learned, self.draw, self.seed)
            yield World(Judged(arm, uses, log, blind, split, tries, self.seed), place, self.scenario, told)

    def served(self, arm: Arm, cells: Iterable[Cell], tries: int) -> Iterator[World[Served]]:
        """Yield the worlds that are served by models of these logs."""
        for cell in cells:
            world = {**self._world(cell.sees, arm), "refit": _NEVER}
            world.pop("first_fit", None)  # it is at time 0
            world |= {FEATURES_PREFIX + name: how for name, how in self._blind(cell.uses).items()}
            tuned = judged_place(arm, cell.uses, cell.learned, self.draw, self.seed) if tries else ""
            asked = Served(self.modality, log_place(cell.learned, self.draw, self.seed), tuned)
            yield World(asked, served_place(arm, cell, self.draw, self.seed), self.scenario, world)

    def _world(self, sees: bool, arm: Arm) -> dict[str, object]:
        return {**self.shared, **({} if sees else self.hide), **_of(arm), "seed": self.seed}

    def _blind(self, uses: bool) -> dict[str, str]:
        return {self.modality: "shuffle"} if self.readable and not uses else {}


def _showing(scenario: str, modality: str, own: Mapping[str, object]) -> Scenario:
    """Return the scenario as it is asked for. Raises InputError where it is wrong, or shows no such modality."""
    from simulator import check_scenario

    found = load_scenario(scenario, dict(own))
    check_scenario(found)
    check_known(found.shown, "modality", [modality], list(found.modalities))
    if modality not in shown(found):
        raise InputError(found.shown, f"no surface shows {modality}", f"expected one of {', '.join(shown(found))}")
    return found


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
