"""Gaps between visits: their distribution, how users' pace spreads, and who never comes back, by one likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from analysis.validity.likelihood import LOG_WEIGHTS, NODES, Estimate, Floats, Parameter, fit, positive, probability
from analysis.validity.log import Log, column

if TYPE_CHECKING:
    from simulator.scenario.schema.scenario import Scenario

_HOUR = 3600.0


def activity(scenario: Scenario, time: Floats) -> Floats:
    """Return the seconds of activity that have passed by these times since time 0, shape (n,)."""
    from simulator.plan.compiler import compile_scenario

    plan = compile_scenario(scenario).plan
    hours, starts_at = plan.hours, float(plan.starts_at[0])
    period = _HOUR * (hours.size - 1)

    def passed(clock: Floats) -> Floats:
        turn = np.floor(clock / period)
        return np.asarray(turn * hours[-1] + np.interp(clock - turn * period, _HOUR * np.arange(hours.size), hours))

    return passed(time + starts_at) - passed(np.array([starts_at]))


def returning(log: Log) -> list[Estimate] | str:
    """Fit the distribution of gaps, the spread of pace and the churn of a visit; who never came counts as well.

    A user's gaps are shortened by a pace of their own (a lognormal frailty, integrated out). The first visit comes
    after an exponential draw of the mean gap. Whoever is away at the end has left for good, or has not come back yet.
    """
    scenario = log.scenario
    user, gap = scenario.user, scenario.user.return_after
    if gap.dist not in ("weibull", "lognormal") or gap.low is not None or gap.high is not None:
        return f"gaps are {gap.dist}, or cut off: Weibull and lognormal ones are fitted"
    if user.pace is None or user.pace.dist != "lognormal":
        return "users have no lognormal pace of their own: when they first come says nothing of their gaps"
    if scenario.outreach or _puts_off(scenario):
        return "messages, or what was put off, bring users back too, and no log tells which visits they brought"
    visits = log.visits
    begin, end = (activity(scenario, column(visits, name)) for name in ("begin", "end"))
    who, session = column(visits, "user").astype(np.int64), column(visits, "session")
    horizon = float(activity(scenario, np.array([log.horizon]))[0])
    first = np.full(log.users, np.nan)
    first[who[session == 0]] = begin[session == 0]
    follows = np.append((who[1:] == who[:-1]) & (session[1:] == session[:-1] + 1), False)
    back = np.flatnonzero(follows)
    gaps, of_gap = begin[back + 1] - end[back], who[back]
    away = np.flatnonzero(~follows & np.isfinite(end))
    waits, of_wait = horizon - end[away], who[away]
    if gaps.size < 100:
        return f"{gaps.size} gaps between visits"
    weibull = gap.dist == "weibull"
    gaps = np.maximum(gaps, 1e-3)
    median = float(user.pace.median or 1.0)

    def loss(x: Floats) -> float:
        spread, churn, shape = np.exp(x[2]), special.expit(x[3]), np.exp(x[1])
        log_pace = np.log(median) + spread * NODES
        mean = np.exp(x[0]) * (special.gamma(1 + 1 / shape) if weibull else np.exp(shape**2 / 2))
        rate = np.exp(log_pace) / mean  # of first visits, (nodes,)
        came = np.isfinite(first)[:, None]
        when = np.where(np.isfinite(first), first, horizon)[:, None]
        terms = np.where(came, np.log(rate), 0.0) - rate * when
        density, _ = _gap_terms(np.log(gaps)[:, None] - x[0] + log_pace, shape, weibull)
        np.add.at(terms, of_gap, np.log1p(-churn) + density - np.log(gaps)[:, None])
        _, survival = _gap_terms(np.log(np.maximum(waits, 1e-3))[:, None] - x[0] + log_pace, shape, weibull)
        np.add.at(terms, of_wait, np.logaddexp(np.log(churn), np.log1p(-churn) + survival))
        return -float(special.logsumexp(terms + LOG_WEIGHTS, axis=1).sum())

    name, scale, shape = (
        ("scale", gap.scale, gap.shape) if weibull else ("median", gap.median, gap.sigma)
    )  # fmt: skip
    return fit(loss, [
        Parameter(f"returning.{name}", float(scale or 0), float(np.log(np.median(gaps))), positive),
        Parameter(f"returning.{'shape' if weibull else 'sigma'}", float(shape or 0), np.log(0.8), positive),
        Parameter("returning.pace_spread", float(user.pace.sigma or 0), np.log(0.6), positive),
        Parameter("returning.churn", user.churn.value, special.logit(0.02), probability),
    ])  # fmt: skip


def _gap_terms(z: Floats, shape: float, weibull: bool) -> tuple[Floats, Floats]:
    """Return log density (of the logarithm) and log survival of a gap, of its logarithm over the scale's."""
    if weibull:
        reach = np.exp(shape * z)
        return np.log(shape) + shape * z - reach, -reach
    u = z / shape
    return -0.5 * u * u - np.log(shape * np.sqrt(2 * np.pi)), special.log_ndtr(-u)


def _puts_off(scenario: Scenario) -> bool:
    pauses = any(getattr(block, "pause", None) is not None for block in scenario.consume.values())
    again = any(getattr(block, "again", None) is not None for block in scenario.respond.values())
    return pauses or again or any("defer" in stage.next for stage in scenario.stages.values())
