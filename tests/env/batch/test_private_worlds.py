"""Orders of users who have a world to themselves."""

from __future__ import annotations

import gymnasium
import numpy as np

import simulator.env
from simulator.env.batch import private_worlds as orders
from simulator.env.rewards import REWARDS

simulator.env.register()
ITEMS, SLATE = 60, 30
FOOD = {"items": 600, "slate": 20}


def lived(name, n, steps, **settings):
    """What n lifetimes show in so many steps: counts of events, what was felt, and who ended; and the environment."""
    env = gymnasium.make_vec(
        f"beholder/{name}-v1", num_envs=n,
        **({"items": ITEMS, "slate": SLATE, "episode": "lifetime", "horizon": "60d"} | settings),
    )  # fmt: skip
    env.reset(seed=3)
    rng = np.random.default_rng(0)
    askable, slate = env.fleet.context.askable, env.fleet.context.slate
    shown = [env.step(rng.permuted(np.tile(askable, (n, 1)), axis=1)[:, :slate]) for _ in range(steps)]
    counts = np.array([info["events"] for *_, info in shown])
    felt = np.array([info["rewards"][:, REWARDS.index("truth_satisfaction")] for *_, info in shown])
    ended = np.array([terminated | truncated for _, _, terminated, truncated, _ in shown])
    return counts, felt, ended, env


def test_goodwill_is_that_of_who_ordered_and_of_nobody_else():
    _, felt, ended, env = lived("FoodDelivery", 128, 12, **FOOD)
    there = ~ended.any(axis=0)  # others have come in the place of those who left
    judged = (felt != 0).any(axis=0)
    state = env.fleet.users.state
    moved = state["goodwill"] != state["own_goodwill"]
    assert (judged & there).sum() >= 5
    assert (~judged & there).sum() >= 5
    assert (moved == judged)[there].all()


def test_room_is_made_where_more_orders_are_open_than_there_was_room_for(monkeypatch):
    wide = lived("Ecommerce", 64, 400)
    monkeypatch.setattr(orders, "_SLOTS", 1)
    narrow = lived("Ecommerce", 64, 400)
    assert narrow[3].fleet._worlds.orders.cases.shape[1] > 1
    assert all(np.array_equal(a, b) for a, b in zip(wide[:3], narrow[:3], strict=True))


def test_records_wait_until_they_arrive_however_many(monkeypatch):
    wide = lived("Ecommerce", 128, 150)
    monkeypatch.setattr(orders, "_WAITING", orders.AT_ONCE)
    narrow = lived("Ecommerce", 128, 150)
    assert narrow[3].fleet._worlds.orders.waiting.shape[1] > orders.AT_ONCE
    assert all(np.array_equal(a, b) for a, b in zip(wide[:3], narrow[:3], strict=True))


def test_an_order_has_one_terminal_state_at_the_most():
    counts, _, ended, env = lived("FoodDelivery", 48, 60, **FOOD)
    codes = {name: code for code, name in enumerate(env.events)}
    total = counts.sum(axis=(0, 1))
    closed = total[codes["delivered"]] + total[codes["refused"]] + total[codes["cancelled"]]
    assert total[codes["order"]] > 30
    assert 0 < closed <= total[codes["order"]]
    assert ended.any()
