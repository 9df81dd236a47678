"""The platform's memory of what it sent: the last items of each user, whatever else was sent in between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from simulator.platform.recently_shown import RecentlyShown

_SLATES = st.lists(
    st.tuples(st.lists(st.integers(0, 4), min_size=1, max_size=4, unique=True), st.integers(0, 40)), max_size=30
)


def _remembered(sent: RecentlyShown, user: int) -> list[int]:
    users = np.array([user, user], dtype=np.uint32)
    start = np.concatenate(([0], np.cumsum(sent.sizes(users))))
    out = np.full(start[-1] + 2, 7, dtype=np.int32)
    sent.fill(users, start, out)
    assert out[start[-1] :].tolist() == [7, 7]  # what lies behind is not ours
    assert out[: start[1]].tolist() == out[start[1] : start[2]].tolist()
    return out[: start[1]].tolist()


@settings(max_examples=60, deadline=None)
@given(_SLATES, st.sampled_from([0, 1, 15, 16, 17, 40]))
def test_the_last_items_of_each_user_are_remembered_in_order(slates: list[tuple[list[int], int]], kept: int) -> None:
    sent = RecentlyShown(5, kept)
    history: dict[int, list[int]] = {user: [] for user in range(5)}
    item = 0
    for users, size in slates:
        rows = np.full((len(users), size + 1), -1, dtype=np.int32)
        for row, user in enumerate(users):
            rows[row, :size] = np.arange(item, item + size)
            history[user] += range(item, item + size)
            item += size
        sent.add(np.array(users, dtype=np.uint32), rows)
    again = RecentlyShown(5, kept)
    again.restore(sent.state())
    for user, items in history.items():
        expected = items[len(items) - min(len(items), kept) :]
        assert _remembered(sent, user) == expected
        assert _remembered(again, user) == expected


@pytest.mark.parametrize("kept", [10, 100])
def test_memory_does_not_grow_beyond_what_is_kept(kept: int) -> None:
    sent = RecentlyShown(2, kept)
    users = np.array([0], dtype=np.uint32)
    for k in range(1000):
        sent.add(users, np.full((1, 10), k, dtype=np.int32))
    assert sent.state()["blocks"].size <= 2 * kept + 32  # the ring, and the smaller ones that it outgrew
    assert sent.state()["count"].tolist() == [10_000, 0]
