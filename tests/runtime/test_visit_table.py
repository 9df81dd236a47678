"""The table of visits: slots are handed out and taken back, and which one a visit has never matters."""

from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from simulator.engine.tables.tables import FOLLOWED, USER, Status, Users
from simulator.engine.visit.due import BLOCK, reschedule
from simulator.runtime.visit_table import VisitTable


def crowd(due: list[float]) -> Users:
    n = len(due)
    state = np.zeros(n, dtype=USER)
    state["due"], state["row"] = due, -1
    return Users(
        state,
        np.zeros((n, 8), np.float32),
        np.zeros((n, 2), np.float32),
        np.zeros((n, FOLLOWED), np.uint32),
    )


def test_arrivals_get_rows_in_the_order_of_users():
    users, table = crowd([50.0, 5.0, np.inf, 7.0]), VisitTable(3)
    rows = table.due(users, 10.0)
    assert table.rows.state["user"][rows].tolist() == [1, 3]
    assert table.rows.state["clock"][rows].tolist() == [5.0, 7.0]
    assert (table.rows.state["status"][rows] == Status.AWAY).all()
    assert users.state["row"].tolist()[0] == users.state["row"].tolist()[2] == -1
    assert (table.rows.slate["item"][rows] == -1).all()


def test_those_with_nothing_to_do_yet_are_left_out():
    users, table = crowd([1.0, 2.0]), VisitTable(3)
    rows = table.due(users, 10.0)
    table.rows.state["status"][rows] = Status.ACTIVE
    table.rows.state["clock"][rows] = [30.0, 12.0]
    table.release(users)
    assert table.rows.state["user"][table.due(users, 20.0)].tolist() == [1]
    assert table.rows.state["user"][table.due(users, 40.0)].tolist() == [0, 1]


def test_slots_of_ended_visits_are_used_again():
    users, table = crowd([1.0] * 700), VisitTable(2)
    rows = table.due(users, 2.0)
    capacity = len(table.rows.state)
    for _ in range(5):
        table.rows.state["status"][rows] = Status.AWAY
        table.rows.state["clock"][rows] = 3.0
        users.state["due"] = 3.0
        table.release(users)
        assert (users.state["row"] == -1).all()
        rows = table.due(users, 4.0)
        assert len(rows) == len(set(rows.tolist())) == 700
    assert len(table.rows.state) == capacity


@given(
    st.lists(st.sampled_from([Status.ACTIVE, Status.AWAY, Status.GONE]), min_size=1, max_size=60), st.integers(0, 1500)
)
def test_a_checkpoint_of_the_open_visits_restores_them(statuses, idle):
    n = len(statuses)
    all_users, table = crowd([1.0] * n + [np.inf] * idle), VisitTable(2)
    rows = table.due(all_users, 2.0)
    table.rows.state["status"][rows] = [int(s) for s in statuses]
    table.rows.state["streak"][rows] = np.arange(n)
    table.rows.memory[rows, 0] = np.arange(n)
    table.rows.slate["item"][rows, 1] = np.arange(n)
    table.release(all_users)
    users, kept = table.compacted(all_users)
    is_open = [u for u, status in enumerate(statuses) if status == Status.ACTIVE]
    assert users.tolist() == is_open
    fresh = VisitTable(2)
    other = crowd([1.0] * n + [np.inf] * idle)
    fresh.restore(other, users, kept)
    slots = fresh.open_rows(other)
    assert fresh.rows.state["user"][slots].tolist() == is_open
    assert fresh.rows.state["streak"][slots].tolist() == is_open
    assert fresh.rows.memory[slots, 0].tolist() == is_open
    assert fresh.rows.slate["item"][slots, 1].tolist() == is_open
    assert np.flatnonzero(other.state["row"] >= 0).tolist() == is_open
    # and there is room for more
    other.state["due"][other.state["row"] < 0] = 5.0
    more = fresh.due(other, 6.0)
    assert len(set(more.tolist())) == len(more)


def looked_at_one_by_one(users: Users, table: VisitTable, end: float) -> list[int]:
    """Users with something to do before `end`."""
    clock, row = users.state["due"].copy(), users.state["row"]
    clock[row >= 0] = table.rows.state["clock"][row[row >= 0]]
    return np.flatnonzero(clock < end).tolist()


@given(st.integers(0, 2**32 - 1), st.integers(1, 5 * BLOCK), st.floats(0.5, 60.0))
def test_nobody_is_passed_over(seed, n, pause):
    """Whatever became of their visits, and whoever was called back, dismissed, or taken back from a checkpoint."""
    rng = np.random.default_rng(seed)
    all_users, table = crowd(rng.exponential(pause, n).tolist()), VisitTable(2)
    for end in np.arange(1.0, 31.0):
        awaited = looked_at_one_by_one(all_users, table, end)
        rows = table.due(all_users, end)
        state = table.rows.state
        assert state["user"][rows].tolist() == awaited
        for row in rows:
            state["status"][row] = rng.choice([Status.ACTIVE, Status.AWAY, Status.GONE], p=[0.4, 0.5, 0.1])
            state["clock"][row] = end + rng.exponential(pause if state["status"][row] == Status.AWAY else 1.0)
            if state["status"][row] != Status.ACTIVE:
                gone = state["status"][row] == Status.GONE
                all_users.state["due"][state["user"][row]] = np.inf if gone else state["clock"][row]
        table.release(all_users)
        away = np.flatnonzero(all_users.state["row"] < 0)
        for user in rng.choice(away, min(len(away), 2), replace=False):
            if rng.random() < 0.5:
                reschedule(all_users.state, user, end + rng.exponential(3.0), table.earliest(all_users))
            else:
                all_users.state["due"][user] = np.inf
        if rng.random() < 0.2:
            users, kept = table.compacted(all_users)
            before = all_users.state["due"].copy()
            all_users.state["due"] = rng.exponential(30.0, n)  # of the world that is continued in
            if rng.random() < 0.5:
                table = VisitTable(2)
            table.due(all_users, end)
            all_users.state["due"] = before
            table.restore(all_users, users, kept)
