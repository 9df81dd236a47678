"""An A/B test inside one platform beside two worlds: what interference does to the answer.

Three worlds per seed: everybody gets the control recommender, everybody the treated one, and one platform deals its
users to both (`ab`, recommenders/compose). In that one the groups share couriers, stock and log, so that each may feel
what the other does; the two worlds share nothing. The gap between the two answers is the interference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import kept_worlds
from analysis.kept_worlds import World, changes_of, values
from analysis.statistics import LEVEL, Floats, compare, mean
from analysis.treatments import Level, compile_treatment
from recommenders.compose.ab import is_treated
from recommenders.members import create_member
from simulator.errors import InputError
from simulator.records.run_folder import safe_name
from simulator.scenario.load import load_scenario

if TYPE_CHECKING:
    from simulator.scenario.schema.scenario import Scenario

TREATED, CONTROL, INSIDE = "treated", "control", "inside"
COLUMNS = (
    "measure", "control", "treated", "pairs", "one_world", "one_world_low", "one_world_high", "two_worlds",
    "two_worlds_low", "two_worlds_high", "gap", "gap_low", "gap_high", "gap_p",
)  # fmt: skip
RECOMMENDER = "recommender"
_PER = ("visit", "user")
_FIXED = ("satisfaction", "late_share", "visits_per_user")
_RATIO, _MEAN = re.compile(r"(\w+?)_per_(\w+)"), re.compile(r"mean_(\w+)")


@dataclass(frozen=True)
class Deal:
    """Hold what a world of an A/B test is measured for.

    Attributes:
        measures: by name; see `measured`.
        share: of users who are treated; None in a world where all get the same.
        salt: of the deal.
    """

    measures: tuple[str, ...]
    share: float | None = None
    salt: int = 0


def measured(truth: pd.DataFrame, users: int, name: str) -> float:
    """Measure a group of users on the rows of a truth log that are theirs; NaN where there is nothing to divide by.

    Args:
        truth: the rows.
        users: of the group.
        name: `A_per_B` of events A and B (or B `visit`, `user`), `mean_A` of an event's values, `visits_per_user`,
            `satisfaction` (mean of what was felt), or `late_share` (of what was promised and done, done later).
    """
    if name == "satisfaction":
        return mean(truth["satisfaction"].to_numpy(dtype=np.float64, na_value=np.nan))
    if name == "late_share":
        own = ["user", "case"]
        promised = truth.loc[truth["event"] == "promised", [*own, "value"]]
        done = truth.loc[truth["event"] == "done", [*own, "value"]]
        both = promised.merge(done, on=own, suffixes=("_promised", "_done"))
        return mean(both["value_done"] > both["value_promised"])
    if match := _MEAN.fullmatch(name):
        return mean(truth.loc[truth["event"] == match[1], "value"])
    above, _, below = name.partition("_per_")
    return _ratio(_count(truth, users, above), _count(truth, users, below))


def _count(truth: pd.DataFrame, users: int, what: str) -> int:
    if what == "user":
        return users
    if what in ("visit", "visits"):
        return len(truth[["user", "session"]].drop_duplicates())
    return int((truth["event"] == what).sum())


def _ratio(above: float, below: float) -> float:
    return above / below if below else float("nan")


def measures_of(scenario: Scenario, named: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the measures of an A/B test: those named, or what of the scenario's own can be told of a group.

    Raises:
        InputError: a measure is none of a group of users.
    """
    from simulator.plan.compiler import compile_scenario

    events = set(compile_scenario(scenario).names.events)

    def bears(name: str) -> bool:
        ratio, value = _RATIO.fullmatch(name), _MEAN.fullmatch(name)
        return (
            name in _FIXED
            or (value is not None and value[1] in events)
            or (ratio is not None and ratio[1] in events and ratio[2] in events | set(_PER))
        )

    own = [name for name in scenario.measures if bears(name)]
    for name in named:
        if not bears(name):
            wrong = f"{name} cannot be told of a group of users"
            right = f"expected EVENT_per_EVENT, EVENT_per_visit, EVENT_per_user, mean_EVENT, {', '.join(_FIXED)}"
            raise InputError(scenario.shown, wrong, f"{right}; of the scenario's own: {', '.join(own)}")
    return tuple(named or own)


def live(world: World[Deal]) -> dict[str, float]:
    """Run a world and measure it: everybody together, or each group by its name and a slash."""
    import simulator

    settings = dict(world.settings)
    named = str(settings.pop(RECOMMENDER))
    result = simulator.run(world.scenario, named, log="full", **settings)  # type: ignore[arg-type]
    truth, deal = result.truth, world.question
    users = int(result.manifest["users"])
    if deal.share is None:
        return {name: measured(truth, users, name) for name in deal.measures}
    dealt = is_treated(np.arange(users), deal.share, deal.salt)
    rows = dealt[truth["user"].to_numpy(dtype=np.int64)]
    groups = ((TREATED, truth[rows], int(dealt.sum())), (CONTROL, truth[~rows], int((~dealt).sum())))
    return {f"{group}/{name}": measured(own, n, name) for group, own, n in groups for name in deal.measures}


def only_recommender(given: str, scenario: str, settings: Mapping[str, object]) -> str:
    """Return the recommender that a treatment names, with its parameters in brackets.

    Raises:
        InputError: the treatment does something else too: one platform cannot yet do that to some of its users.
    """
    level: Level = compile_treatment(given, scenario, settings)
    others = [clause.key for clause in level.clauses if clause.key != RECOMMENDER]
    if others or not level.clauses:
        wrong = f"{given}: {', '.join(others) or 'nothing'} cannot be done to some users of one platform yet"
        raise InputError("abtest", wrong, "expected recommender=NAME; experiment compares worlds that differ in more")
    return str(level.clauses[0].value)


def plan(
    scenario: str,
    treated: str,
    control: str,
    seeds: Sequence[int],
    settings: Mapping[str, object],
    measures: Sequence[str] = (),
    share: float = 0.5,
) -> tuple[tuple[str, ...], list[World[Deal]]]:
    """List the measures and all worlds. Nothing is run or written.

    Args:
        scenario: name or path.
        treated, control: treatments that name a recommender: `recommender=itemknn(neighbors=50)`.
        seeds: of the worlds; each is also the salt of its deal.
        settings: of all worlds, as `simulator.run` takes them.
        measures: as in `measured`; what of the scenario's own can be told of a group, unless given.
        share: of users who are treated inside one platform.

    Raises:
        InputError: a treatment names no recommender alone, both are the same, or a measure is none of a group.
        RecommenderError: a recommender does not take its parameters.
    """
    members = {TREATED: only_recommender(treated, scenario, settings),
               CONTROL: only_recommender(control, scenario, settings)}  # fmt: skip
    if members[TREATED] == members[CONTROL]:
        raise InputError("abtest", f"both groups get {members[TREATED]}", "expected two recommenders")
    for arm, text in members.items():
        create_member(text, 0, None, f"abtest {arm}")  # who cannot be a member says so now
    names = measures_of(load_scenario(scenario, changes_of(settings)), measures)
    worlds = []
    for seed in seeds:
        dealt = {"recommender.share": share, "recommender.salt": seed}
        ab = {RECOMMENDER: "ab", **{f"recommender.{arm}": text for arm, text in members.items()}, **dealt}
        worlds.append(World(Deal(names, share, seed), _place(INSIDE, seed), scenario, {**settings, **ab, "seed": seed}))
        for arm in (CONTROL, TREATED):
            alone = compile_treatment(f"{RECOMMENDER}={members[arm]}", scenario, settings).over(settings)
            worlds.append(World(Deal(names), _place(arm, seed), scenario, {**alone, "seed": seed}))
    return names, worlds


def run(
    scenario: str,
    treated: str,
    control: str,
    seeds: Sequence[int],
    settings: Mapping[str, object],
    folder: Path,
    workers: int,
    *,
    measures: Sequence[str] = (),
    share: float = 0.5,
    report: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> pd.DataFrame:
    """Run all worlds that are not there yet, in processes of their own, and return the table of `compared`.

    Args:
        scenario, treated, control, seeds, settings, measures, share: as in `plan`, which says what else is raised.
        folder: where each world leaves its measures.
        workers, report, stop: as in `analysis.kept_worlds.run`, which says what else is raised.
    """
    names, worlds = plan(scenario, treated, control, seeds, settings, measures, share)
    found = kept_worlds.run(worlds, live, folder, workers, report, stop)
    return compared(found, names, seeds)


def compared(found: Mapping[str, kept_worlds.Measures], measures: Sequence[str], seeds: Sequence[int]) -> pd.DataFrame:
    """Return `COLUMNS`, a row per measure: both effects and their gap, means over seeds with t intervals.

    `one_world` is the treated group less the control group of one platform, `two_worlds` a world in which all are
    treated less one in which none is, and `gap` the first less the second. A seed counts where it has all of them.
    """

    def of(arm: str, name: str) -> Floats:
        return values(found, [_place(arm, seed) for seed in seeds], name)

    rows = []
    for name in measures:
        one = of(INSIDE, f"{TREATED}/{name}") - of(INSIDE, f"{CONTROL}/{name}")
        two = of(TREATED, name) - of(CONTROL, name)
        missing = np.isnan(one - two)
        one[missing] = two[missing] = np.nan
        none = np.where(missing, np.nan, 0.0)
        inside, apart, gap = (compare(a, b, LEVEL) for a, b in ((one, none), (two, none), (one, two)))
        effects = [number for each in (inside, apart, gap) for number in (each.difference, *each.interval)]
        rows.append((name, mean(of(CONTROL, name)), mean(of(TREATED, name)), gap.n, *effects, gap.p))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _place(arm: str, seed: int) -> str:
    return f"worlds/{safe_name(arm)}-s{seed}"
