"""What a served world of a knock-out says: what users lived through, what they were served, who saw the modality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.elasticity import card_events, decisions, judge
from analysis.statistics import mean
from simulator.scenario.life_cycle import asking_stages, own_policies

if TYPE_CHECKING:
    from simulator.records.result import RunResult
    from simulator.scenario.schema.scenario import Scenario

OFFLINE = ("recall@20", "ndcg@20", "hit_rate@20")
RUN = ("satisfaction", "regret", "visits_per_user_day", "minutes_per_user_day", "day_1_retention", "churned_share")
"""Measures of a run that are taken over where its scenario has them."""
SERVED_WORTH, SERVED_BELIEF, SERVED_NEW = "utility_of_served", "belief_of_served", "new_share_of_served"
SERVED_OPENED = "opened_per_served"
SAW, ATTENDED = "decisions_that_saw_it", "decisions_that_attended_to_it"
SEEN = "rows_that_show_it"
WHY = (SEEN, SAW, ATTENDED, "cards_that_show_it", "cards_attended_to_with_it", "belief_sd_of_cards")
BY = "|"
"""Between a measure and the group of cards or users that it is taken over, as in `utility_of_served|device=phone`."""
_CARD = ["user", "session", "request", "item", "position"]
_THING = ["user", "item"]


def measured(result: RunResult, scenario: Scenario, modality: str, logged: pd.Series) -> dict[str, float]:
    """Measure a served world.

    Args:
        result: of the run, with its truth log.
        scenario: of the run.
        modality: that is knocked out.
        logged: positives that each user left in the log that the recommender was learned from, by user.

    Returns:
        Measures by name; those of a group have its name behind a `BY`.
    """
    truth = result.truth
    label = scenario.platform.labels[scenario.platform.label]
    bit = np.uint32(1 << list(scenario.modalities).index(modality))
    found = judge(truth, result.items, label, card_events(scenario), result.metrics["visits"])
    found |= {name: result.metrics[name] for name in RUN if name in result.metrics}
    cards = truth[truth["event"].isin(card_events(scenario))]
    served = with_groups(cards[cards["surface"].isin(served_surfaces(scenario))], result.items, logged)
    opened = _opened(truth, served)
    lived = _lived(truth)
    found |= {
        SERVED_WORTH: mean(served["utility"]),
        SERVED_BELIEF: mean(_there(served["belief"])),
        SERVED_NEW: float((served["age"] == "new").mean()) if len(served) else np.nan,
        SERVED_OPENED: float(opened.mean()) if len(served) else np.nan,
        **_why(truth, decisions(truth, label, result.items), cards, bit),
    }
    for group, rows in groups(served):
        found[f"{SERVED_WORTH}{BY}{group}"] = mean(rows["utility"])
        found[f"{SERVED_OPENED}{BY}{group}"] = float(opened[rows.index].mean()) if len(rows) else np.nan
    for group, rows in groups(with_groups(lived, result.items, logged)):
        found[f"satisfaction{BY}{group}"] = mean(rows["satisfaction"])
    return found


def served_surfaces(scenario: Scenario) -> set[str]:
    """Return the surfaces of the stages whose slates the recommender makes; what plays by itself plays there, too."""
    others = own_policies(scenario)
    surfaces = (scenario.stages[name].surface for name in asking_stages(scenario) if name not in others)
    return {surface for surface in surfaces if surface is not None}


def with_groups(rows: pd.DataFrame, items: pd.DataFrame, logged: pd.Series) -> pd.DataFrame:
    """Return rows of a truth log with a column per kind of group.

    The kinds are the item's age and type, how much the user left in the log, whether the visit is the user's first, and
    whether the card is the first of its request; device and surface are there already.
    """
    item = rows["item"].to_numpy(dtype=np.int64)
    own = items.iloc[item]
    left = logged.reindex(rows["user"].astype(np.int64)).fillna(0).to_numpy()
    some = logged[logged > 0]
    usual = float(some.median()) if len(some) else 0.0
    activity = np.select([left == 0, left <= usual], ["none in the log", "few"], "many")
    return rows.assign(
        age=np.where(own["published_at"].to_numpy() > 0, "new", "known") if "published_at" in own else "known",
        type=own["type"].to_numpy() if "type" in own else 0,
        user_log=activity,
        place=np.where(rows["position"].to_numpy(dtype=np.float64, na_value=np.nan) == 0, "first", "later"),
    )


GROUPS = ("device", "surface", "age", "type", "user_log", "place")


def groups(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the name and the rows of every group."""
    for kind in GROUPS:
        for name, part in rows.groupby(kind, observed=True):
            yield f"{kind}={name}", part


def _opened(truth: pd.DataFrame, cards: pd.DataFrame) -> pd.Series:
    """Return whether each card was opened, or its play gone through or liked, with the index of the cards."""
    chosen = truth[truth["event"].isin(("open", "complete", "like"))][_CARD].drop_duplicates().assign(opened=True)
    found = cards[_CARD].merge(chosen, on=_CARD, how="left")["opened"].notna()
    return pd.Series(found.to_numpy(), index=cards.index)


def _lived(truth: pd.DataFrame) -> pd.DataFrame:
    """Return one row per thing that was lived through, the last that says how it was."""
    felt = truth[truth["satisfaction"].notna() & truth["item"].notna()]
    return felt.drop_duplicates(_CARD, keep="last")


def _why(truth: pd.DataFrame, chosen: pd.DataFrame, cards: pd.DataFrame, bit: np.uint32) -> dict[str, float]:
    """Return in how many decisions and cards the modality was visible, and attended to."""
    before = truth[truth["visible"].notna() & truth["item"].notna()]
    masks = {name: (before[name].fillna(0).to_numpy(dtype=np.uint32) & bit) > 0 for name in ("visible", "attended")}
    masks["visible"] |= masks["attended"]  # an opening shows the item itself, and what was attended to on the way to it
    things = before[_THING].assign(time=before["time"], **masks)
    wanted = chosen[[*_THING, "time"]].rename(columns={"time": "decided"})
    merged = wanted.reset_index(names="decision").merge(things, on=_THING)
    merged = merged[merged["time"] <= merged["decided"]]
    each = merged.groupby("decision")[["visible", "attended"]].any().reindex(wanted.index, fill_value=False)
    looked = cards[cards["attended"].fillna(0).to_numpy(dtype=np.uint32) > 0]
    share: Mapping[str, float] = {
        name: float(each[column].mean()) if len(each) else np.nan
        for name, column in ((SAW, "visible"), (ATTENDED, "attended"))
    }
    return {
        **share,
        SEEN: _with(truth, "visible", bit),
        "cards_that_show_it": _with(cards, "visible", bit),
        "cards_attended_to_with_it": _with(looked, "attended", bit),
        "belief_sd_of_cards": mean(_there(cards["belief_sd"])),
    }


def _with(rows: pd.DataFrame, column: str, bit: np.uint32) -> float:
    if not len(rows):
        return float("nan")
    return float(((rows[column].fillna(0).to_numpy(dtype=np.uint32) & bit) > 0).mean())


def _there(column: pd.Series) -> np.ndarray:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)
