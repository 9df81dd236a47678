"""The engine's own models, each fitted to what the truth log holds for it, by its own likelihood.

A model takes a `Log` and returns estimates, or in words why the scenario has nothing to fit it to. `HELD` are the
numbers that the worlds are run with for it: what no log shows would otherwise move what is estimated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from analysis.validity.likelihood import LOG_WEIGHTS, NODES, Estimate, Floats, Parameter, fit, positive, probability
from analysis.validity.log import VISIT, Log, column, fed_stages, plays_by_itself
from analysis.validity.returning import returning
from simulator.scenario.schema.stages import HazardConsume

if TYPE_CHECKING:
    from simulator.scenario.schema.scenario import Scenario

HELD: dict[str, object] = {"user.return_goodwill": 0, "user.churn_goodwill": 0}
"""Goodwill is in no log: gaps between visits and churn do not depend on it in these worlds."""
FEWEST = 30
"""Events of a kind below which a model is not fitted: Wald's intervals would be those of no curvature."""
Found = list[Estimate] | str


def cards_of(scenario: Scenario) -> list[str]:
    """Return the browse stages with cards that decide as the first of them does: by the same numbers."""
    there = [
        name for name in scenario.browse
        if not plays_by_itself(scenario, name) and scenario.stages[name].card_event is None
    ]  # fmt: skip

    def numbers(name: str) -> tuple[float | str, ...]:
        block = scenario.browse[name]
        shape = (block.skim.value, block.read.value, block.position_decay.value, block.continue_.value)
        return (*shape, block.decays_over)

    return [name for name in there if numbers(name) == numbers(there[0])] if there else []


def examination(log: Log) -> Found:
    """Fit P(read | rank k) = seen * k^-decay by the cards that were read and those that were not."""
    stages = cards_of(log.scenario)
    if not stages:
        return "no stage shows cards"
    cards = log.cards(stages)
    block = log.scenario.browse[stages[0]]
    rank, read = np.log(column(cards, "rank")), cards["read"].to_numpy(dtype=bool)
    if read.sum() < FEWEST or np.unique(rank).size < 2:
        return f"{int(read.sum())} cards were read"

    def loss(x: Floats) -> float:
        log_p = np.minimum(special.log_expit(x[0]) - x[1] * rank, -1e-9)
        return -float(np.where(read, log_p, np.log(-np.expm1(log_p))).sum())

    seen = block.skim.value * block.read.value
    return fit(loss, [
        Parameter("examination.seen", seen, special.logit(max(read[rank == 0].mean(), 0.01)), probability),
        Parameter("examination.position_decay", block.position_decay.value, 0.5),
    ])  # fmt: skip


def going_on(log: Log) -> Found:
    """Fit the probability of the next screen, by screens of which nothing was taken."""
    leaving = [
        name for name in cards_of(log.scenario)
        if log.scenario.stages[name].next.get("leave") == "exit" and log.scenario.browse[name].suffices is None
    ]  # fmt: skip
    if not leaving:
        return "no stage with cards ends the visit where its user does not go on"
    rows = log.truth[[*VISIT, "time", "event", "stage"]]
    screen = ((rows["event"] == "impression") & rows["stage"].isin(leaving)).to_numpy()
    blocks = (
        rows.assign(screen=screen, left=(rows["event"] == "leave").to_numpy(), other=~screen)
        .groupby([*VISIT, "time"], observed=True)[["screen", "left", "other"]].any().reset_index()
    )  # fmt: skip
    after = blocks.groupby(VISIT, observed=True)[["screen", "left"]].shift(-1)
    alone = blocks["screen"] & ~blocks["other"] & after["screen"].notna()
    on = (after["screen"] == True)[alone].to_numpy()  # noqa: E712  # NaN is not true
    off = (after["left"] == True)[alone].to_numpy()  # noqa: E712
    n_on, n_off = int((on & ~off).sum()), int(off.sum())
    if min(n_on, n_off) < FEWEST:
        return f"{n_off} screens were the last without a choice"

    def loss(x: Floats) -> float:
        return -float(n_on * special.log_expit(x[0]) + n_off * special.log_expit(-x[0]))

    truth = log.scenario.browse[leaving[0]].continue_.value
    return fit(loss, [Parameter("browsing.continue", truth, np.log(n_on / n_off), probability)])


def acts(log: Log) -> Found:
    """Fit P(act) = sigma(logit(base) + slope * satisfaction) for each act, of users who follow nobody yet."""
    found: list[Estimate] = []
    for stage, play in plays_of(log.scenario).items():
        plays = log.ends([stage])
        plays = plays[plays["satisfaction"].notna()]
        follows = log.at(["follow"]).groupby("user")["time"].min()
        alone = ~(plays["time"] > plays["user"].map(follows).astype(float).fillna(np.inf))
        for name, act in log.scenario.respond[play].acts.items():
            rows = plays[alone] if act.positive else plays
            did = log.at([name])[["user", "case"]].drop_duplicates().assign(did=True)
            y = rows[["user", "case"]].merge(did, on=["user", "case"], how="left")["did"].notna().to_numpy()
            if min(int(y.sum()), int((~y).sum())) < FEWEST:
                continue
            x = column(rows, "satisfaction")

            def loss(b: Floats, y: Any = y, x: Any = x) -> float:
                odds = b[0] + b[1] * x
                return -float(special.log_expit(np.where(y, odds, -odds)).sum())

            found += fit(loss, [
                Parameter(f"acts.{name}.base", act.base.value, special.logit(y.mean()), probability),
                Parameter(f"acts.{name}.slope", act.slope.value, 0.0),
            ])  # fmt: skip
    return found or f"no act of a visit happened {FEWEST} times"


def plays_of(scenario: Scenario) -> dict[str, str]:
    """Return the consume stages that visits play, each with the respond stage that follows it."""
    return {
        name: follows for name, stage in scenario.stages.items()
        if stage.kind == "consume" and isinstance(scenario.consume.get(name), HazardConsume)
        and isinstance(follows := stage.next.get("complete"), str) and follows in scenario.respond
    }  # fmt: skip


def hazards_of(scenario: Scenario, stage: str) -> HazardConsume:
    """Return the numbers of a stage that visits play; `plays_of` has those."""
    block = scenario.consume[stage]
    if not isinstance(block, HazardConsume):
        raise TypeError(f"{stage} is played in no visit")
    return block


def leaving_at_sight(log: Log) -> Found:
    """Fit the hazard of leaving a play before it is judged, and how users' patience spreads, by survival.

    Plays that began by themselves are left before the judgment exactly where there is no belief. The hazard of a user
    is that of all over their patience (a lognormal frailty, integrated out); when a play would have been judged is in
    no log, so that the survivors are integrated over its distribution, which is taken from the scenario.
    """
    stages = list(plays_of(log.scenario)) if fed_stages(log.scenario) else []
    if not stages:
        return "no play begins by itself: of those that were chosen no log tells which were left before the judgment"
    patience = log.scenario.user.patience
    if patience.dist != "lognormal":
        return f"patience is {patience.dist}: the model's frailty is lognormal"
    block = hazards_of(log.scenario, stages[0])
    plays = log.ends(stages[:1])
    chosen = log.at(["open"])[["user", "case"]].drop_duplicates()
    plays = plays.merge(chosen, on=["user", "case"], how="left", indicator=True)
    plays = plays[plays["_merge"] == "left_only"].drop(columns="_merge")
    if log.scenario.contexts:  # which may have hazards of their own
        visits = log.at(["context"])[VISIT].drop_duplicates()
        plays = plays.merge(visits, on=VISIT, how="left", indicator=True)
        plays = plays[plays["_merge"] == "left_only"]
    factor = _leaving_factors(log, plays)
    watched, gone = column(plays, "value"), plays["belief"].isna().to_numpy()
    if gone.sum() < FEWEST:
        return f"{int(gone.sum())} plays were left at sight"
    groups = (
        pd.DataFrame({
            "user": column(plays, "user"), "factor": factor, "gone": gone, "time": np.where(gone, watched, 0.0),
        }).groupby(["user", "factor"]).agg(gone=("gone", "sum"), n=("gone", "size"), time=("time", "sum")).reset_index()
    )  # fmt: skip
    judged = block.judged_after.quantile((np.arange(256) + 0.5) / 256)
    scale, d, stayed, time = (column(groups, name) for name in ("factor", "gone", "n", "time"))
    stayed = stayed - d
    factors, of = np.unique(scale, return_inverse=True)
    owner = np.unique(column(groups, "user"), return_inverse=True)[1]

    def loss(x: Floats) -> float:
        each = x[0] - np.exp(x[1]) * NODES + np.log(factors)[:, None]  # log hazards, (factors, nodes)
        survival = np.log(np.exp(-np.exp(each)[:, :, None] * judged).mean(axis=2))
        terms = d[:, None] * each[of] - np.exp(each[of]) * time[:, None] + stayed[:, None] * survival[of]
        by_user = np.zeros((owner.max() + 1, NODES.size))
        np.add.at(by_user, owner, terms)
        return -float(special.logsumexp(by_user + LOG_WEIGHTS, axis=1).sum())

    at_sight, spread = block.leave_at_sight.value, float(patience.sigma or 0.0)
    median = float(patience.median or 1.0)
    return fit(loss, [
        Parameter("leaving.at_sight", at_sight / median, np.log(max(gone.mean(), 1e-3)), positive),
        Parameter("leaving.patience_spread", spread, np.log(0.3), positive),
    ])  # fmt: skip


def _leaving_factors(log: Log, plays: pd.DataFrame) -> Floats:
    """Return how many times the type of its item makes a play's hazards, shape (plays,)."""
    types = list(log.scenario.item_types.values())
    of_type = np.array([1.0 if kind.leaving is None else kind.leaving.value for kind in types])
    code = log.items["type"].to_numpy()[plays["item"].to_numpy(dtype=np.int64)]
    return np.asarray(of_type[np.minimum(code, len(types) - 1)])


def ratings(log: Log) -> Found:
    """Fit the thresholds and the noise of ratings, an ordered probit of satisfaction."""
    found: list[Estimate] = []
    for block in log.scenario.respond.values():
        rating = getattr(block, "rating", None)
        if rating is None:
            continue
        rows = log.at([rating.event])
        stars, satisfied = column(rows, "value"), column(rows, "satisfaction")
        known = np.isfinite(satisfied)
        stars, satisfied = stars[known].astype(np.int64), satisfied[known]
        counts = np.bincount(stars, minlength=rating.scale + 1)[1:]
        if counts.sum() < FEWEST or (counts == 0).any():
            return f"of {int(counts.sum())} ratings, by stars {', '.join(map(str, counts))}"
        starts = np.quantile(satisfied, np.cumsum(counts)[:-1] / counts.sum()) + 1e-3 * np.arange(counts.size - 1)

        def loss(x: Floats, s: Any = satisfied, y: Any = stars) -> float:
            cuts = np.concatenate(([-np.inf], x[:-1], [np.inf]))
            if (np.diff(cuts) <= 0).any():
                return 1e12
            z = (cuts[:, None] - s) / np.exp(x[-1])
            rows = np.arange(s.size)
            return -float(np.log(np.maximum(special.ndtr(z[y, rows]) - special.ndtr(z[y - 1, rows]), 1e-300)).sum())

        found += fit(loss, [
            *(Parameter(f"ratings.threshold_{k}", cut.value, at)
              for k, (cut, at) in enumerate(zip(rating.thresholds, starts, strict=True), 1)),
            Parameter("ratings.noise", rating.noise.value, np.log(0.5), positive),
        ])  # fmt: skip
    return found or "no stage has ratings"


def unattended(log: Log) -> Found:
    """Fit the share of plays that nobody looks at, in visits without a context of its own."""
    found: list[Estimate] = []
    for stage in plays_of(log.scenario):
        visits = log.at(["context"])[VISIT].drop_duplicates()
        ended = log.at(log.ends_of([stage]), [stage]).merge(visits, on=VISIT, how="left", indicator=True)
        ended = ended[ended["_merge"] == "left_only"]
        away = log.at(["unattended"])[["user", "case"]].drop_duplicates()
        hit, n = len(ended.merge(away, on=["user", "case"])), len(ended)
        if min(hit, n - hit) < FEWEST:
            continue

        def loss(x: Floats, hit: int = hit, n: int = n) -> float:
            return -float(hit * special.log_expit(x[0]) + (n - hit) * special.log_expit(-x[0]))

        truth = hazards_of(log.scenario, stage).unattended.value
        found += fit(loss, [Parameter("plays.unattended", truth, special.logit(hit / n), probability)])
    return found or f"nobody was away from {FEWEST} plays"


MODELS: dict[str, Callable[[Log], Found]] = {
    "examination": examination, "browsing": going_on, "acts": acts, "leaving": leaving_at_sight,
    "returning": returning, "ratings": ratings, "plays": unattended,
}  # fmt: skip
NOT_FITTED = {
    "choice on a screen": "attraction holds an appeal and a satiation that no log shows",
    "judged and known hazards": "gut and worth hold a satiation that no log shows, and J and K are in no log",
    "end of a visit": "budget and tolerance of a visit are in no log",
    "looking closer": "intents are in no log, and what was accepted has no row of its belief",
    "goodwill": "its level is in no log: returns and churn are fitted in worlds where it moves neither",
}
"""Models without a valid likelihood from what the log holds."""
