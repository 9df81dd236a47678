"""Law 1 and trust: who attended to a modality learns how far to trust it, and nobody else does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.engine.tables.case_row import CASE
from simulator.engine.tables.tables import EVENT, MAX_SCREEN, N_TALLIES, NO_CASE, SCRATCH_WIDTH, Array, Output, Users
from simulator.runtime.cases import Cases
from simulator.scenario.life_cycle import beside_visits
from tests.laws.changes import bias_moved
from tests.laws.harness import Bench, bench, compiled_of, runnable, step, threshold
from tests.laws.screens import RESPOND, label

WITH_CASES = [name for name in runnable() if compiled_of(name).world is not None]
LEARNED = [
    (name, modality)
    for name in WITH_CASES
    for modality in range(len(compiled_of(name).names.modalities))
    if compiled_of(name).plan.modalities["trust"][modality] >= 0
]


@pytest.mark.parametrize("case", RESPOND, ids=label)
def test_trust_is_learned_by_those_who_attended_and_by_nobody_else(case):
    name, stage, device, modality = case
    of = bench(name)
    rows = threshold(of, stage, device)
    attended = rows.state["attended"] >> modality & 1 == 1
    trust = int(of.compiled.plan.modalities["trust"][modality])
    learns = trust >= 0
    # of which nothing can be learned, no trust is kept: then it is that in others which does not move
    columns = [trust] if learns else list(range(int(of.compiled.plan.user_params["first_topic"][0])))
    before = step(of, rows).users.satiation_trust[:, columns]
    after = step(of.with_items(bias_moved(of, modality, 2.0)), rows).users.satiation_trust[:, columns]
    assert np.array_equal(before[~attended], after[~attended])
    if learns and case.visible:
        assert attended.sum() > 50
        assert (after[attended] > before[attended]).all(), "more was promised, and nothing more was met"
    else:
        assert np.array_equal(before, after)


def _through_the_world(of: Bench, attended: Array) -> tuple[Users, Array]:
    """Everybody's one case, to its end: the users afterwards, and who has met what they got."""
    compiled = of.compiled
    users = Users(*(array.copy() for array in of.users))
    users.state["due"] = 0.0
    n, n_items = len(users.state), len(of.items.state)
    shared: Any = compiled.world
    shared = shared._replace(choosers=shared.choosers.copy(), steps=shared.steps.copy(), stages=shared.stages.copy())
    shared.choosers["threshold"] = -100.0  # everybody is taken, and all goes well: all have something to judge
    shared.steps["passes"], shared.steps["withdraws"] = 1.0, 0.0
    shared.stages["cancel"], shared.stages["cancel_late"], shared.stages["skipped"] = 0.0, 0.0, 0.0
    shared.stages["expires_after"] = np.inf
    cases = Cases(
        compiled.scenario, shared, compiled.plan, users, of.items, int(of.items.state["creator"].max()) + 1,
        of.items.parent, np.zeros(n_items), 400 * 86400.0, of.seed,
    )  # fmt: skip
    messages = np.zeros(n, dtype=CASE)
    messages["created"] = 3600.0 * (1 + np.arange(n) % 200)
    messages["user"], messages["item"] = np.arange(n), np.arange(n) % n_items
    messages["parent_case"], messages["amount"], messages["attended"] = NO_CASE, 1, attended
    first = next(stage.starts["confirm"] for stage in compiled.scenario.stages.values() if stage.starts)
    messages["stage"] = compiled.names.stages.index(first)
    cases.post(messages)
    tallies, counters = np.zeros(N_TALLIES, np.int64), np.zeros((n_items, 1 + len(compiled.names.counters)), np.int64)
    written: list[Array] = []
    buffer = np.zeros(8192, dtype=EVENT)
    cases.run(
        400 * 86400.0,
        lambda room: Output(buffer, tallies, counters, np.zeros((MAX_SCREEN, SCRATCH_WIDTH))),
        lambda n: written.append(buffer[:n].copy()),
    )
    records = np.concatenate(written)
    met = np.zeros(n, dtype=bool)
    met[records["user"][records["event"] == compiled.names.codes["experience"]]] = True
    return users, met


@pytest.mark.parametrize(("name", "modality"), LEARNED, ids=lambda x: str(x))
def test_trust_is_learned_from_what_was_ordered_by_those_who_attended(name, modality):
    of = bench(name)
    attended = np.random.default_rng(3).integers(0, 2, len(of.users.state)).astype(np.uint32) << np.uint32(modality)
    before, met = _through_the_world(of, attended)
    after, met_too = _through_the_world(of.with_items(bias_moved(of, modality, 2.0)), attended)
    assert np.array_equal(met, met_too)
    reads = (attended != 0) & met
    assert reads.sum() > 50
    trust = int(of.compiled.plan.modalities["trust"][modality])
    assert (after.satiation_trust[reads, trust] > before.satiation_trust[reads, trust]).all()
    assert np.array_equal(after.satiation_trust[~reads], before.satiation_trust[~reads])
    others = np.delete(np.arange(of.users.satiation_trust.shape[1]), trust)
    assert np.array_equal(after.satiation_trust[:, others], before.satiation_trust[:, others])
    assert np.array_equal(before.satiation_trust[~reads, trust], of.users.satiation_trust[~reads, trust])


def test_every_scenario_with_cases_has_something_to_learn_from():
    assert {name for name, _ in LEARNED} == set(WITH_CASES)
    assert all(beside_visits(compiled_of(name).scenario) for name in WITH_CASES)
