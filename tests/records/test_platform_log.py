"""What a recommender is fitted on: exactly what has arrived, in the order of arrival, however it came in."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st

from recommenders.contract import COLUMNS, Catalog, Label
from recommenders.models.bandits import LinUCB
from recommenders.models.popularity import Popularity
from simulator.engine.tables.tables import EVENT
from simulator.records.log_writer import to_table
from simulator.records.needed_rows import NeededRows, needed_rows
from simulator.records.platform_log import PlatformMemory
from simulator.scenario.events import EVENTS

NAMES = {"surface": ("wall", "page"), "device": ("phone",), "stage": ("look", "act"), "event": EVENTS}
LIKED, SKIPPED = Label("liked", ("like",)), Label("skipped", ("skip",))


def rows(n: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    made = np.zeros(n, dtype=EVENT)
    made["time"] = np.floor(generator.uniform(0, 100, n) * 8) / 8
    made["logged_at"] = made["time"] + generator.integers(1, 40, n)
    made["user"], made["item"] = generator.integers(0, 5, n), generator.integers(0, 9, n)
    made["event"], made["position"] = generator.integers(0, len(EVENTS), n), generator.integers(0, 4, n)
    made["value"] = np.where(generator.uniform(size=n) < 0.3, np.nan, generator.normal(size=n))
    made["surface"], made["stage"], made["case"] = generator.integers(0, 2, n), 1, 0xFFFFFFFF
    made["item"][::7], made["stage"][::7], made["position"][::7] = 0xFFFFFFFF, 255, 0xFFFF
    made["belief"] = 77.0
    return made


def same(a, b) -> None:
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(a, column.name), getattr(b, column.name), err_msg=column.name)


def memory() -> PlatformMemory:
    return PlatformMemory(NAMES, 5, 9)


@given(
    st.integers(0, 120), st.lists(st.integers(0, 120), max_size=5), st.lists(st.floats(0, 150), min_size=1, max_size=5)
)
def test_how_rows_came_in_and_when_it_was_asked_does_not_matter(n, cuts, times):
    made = rows(n)
    at_once = memory()
    at_once.take(made)
    piecewise = memory()
    for part in np.split(made, sorted(min(cut, n) for cut in cuts)):
        piecewise.take(part)
    for time in sorted(times):
        log = piecewise.arrived(time)
        assert len(log) == (made["logged_at"] <= time).sum()
        assert (log.logged_at <= time).all()
        order = np.lexsort([log.position, log.event, log.time, log.user, log.logged_at])
        assert (order == np.arange(len(log))).all()
    final = sorted(times)[-1]
    same(at_once.arrived(final), piecewise.arrived(final))


KEYS = ("logged_at", "user", "time", "event", "position")


@pytest.mark.parametrize("scale", [1.0, 1 / 3, 1e-9, 1e12])
def test_rows_are_in_the_order_of_all_keys_whatever_their_times_are(scale):
    made = rows(3000)
    made["time"] *= scale
    made["logged_at"] = np.floor(made["logged_at"]) * scale  # many rows to a time
    made["logged_at"][:5] = [-7.0 * scale, 0.0, -7.0 * scale, np.nextafter(0.0, 1.0), 0.0]
    made["visible"] = np.arange(3000)
    store = memory()
    for part in np.array_split(made, 7):
        store.take(part)
        assert len(store.arrived(-np.inf)) == 0  # what has yet to arrive is put in order once more with what comes
    expected = np.lexsort([made[key] for key in reversed(KEYS)])
    np.testing.assert_array_equal(store.arrived(np.inf).visible, made["visible"][expected])


def test_records_that_never_arrive_are_in_no_log():
    made = rows(200)
    made["logged_at"][::3] = np.nan
    store = memory()
    store.take(made)
    assert len(store.arrived(np.inf)) == 200 - len(made[::3])
    store.take(rows(10))
    assert len(store.arrived(np.inf)) == 200 - len(made[::3]) + 10


def test_since_gives_what_came_between():
    store = memory()
    store.take(rows(200))
    whole = store.arrived(60.0)
    late = store.since(30.0, 60.0)
    assert len(late) == ((whole.logged_at > 30.0) & (whole.logged_at <= 60.0)).sum() > 10
    assert late.logged_at.min() > 30.0
    assert len(store.since(60.0, 60.0)) == 0


def test_rows_that_come_later_but_arrived_before_a_fit_to_come_are_not_lost():
    store = memory()
    made = rows(100)
    store.take(made[:50])
    before = len(store.arrived(20.0))
    store.take(made[50:][made[50:]["logged_at"] > 20.0])
    assert len(store.arrived(200.0)) == 50 + (made[50:]["logged_at"] > 20.0).sum()
    assert before == (made[:50]["logged_at"] <= 20.0).sum()


def test_part_files_give_back_the_same_rows(tmp_path):
    made = rows(150)
    direct, through = memory(), memory()
    direct.take(made)
    for number, part in enumerate(np.array_split(made, 3)):
        pq.write_table(to_table(part, NAMES, truth=False), tmp_path / f"{number}.parquet")
    through.read(sorted(tmp_path.glob("*.parquet")))
    same(direct.arrived(1000.0), through.arrived(1000.0))


def test_a_log_handed_out_is_not_changed_by_what_comes_later():
    store = memory()
    made = rows(80)
    store.take(made)
    early = store.arrived(50.0)
    kept = {column.name: getattr(early, column.name).copy() for column in COLUMNS}
    store.arrived(1000.0)
    for name, values in kept.items():
        np.testing.assert_array_equal(getattr(early, name), values)


def test_no_column_of_the_truth_is_kept():
    store = memory()
    store.take(rows(20))
    assert not hasattr(store.arrived(1000.0), "belief")


def test_columns_from_elsewhere():
    store = memory()
    store.take_columns(
        {
            "time": np.array([-5.0, -9.0]),
            "logged_at": np.array([-4.0, -8.0]),
            "user": np.array([1, 2], np.uint32),
            "item": np.array([3, 4], np.uint32),
            "event": np.array([0, 0], np.uint8),
        }
    )
    log = store.arrived(0.0)
    assert log.user.tolist() == [2, 1]
    assert np.isnan(log.value).all()
    with pytest.raises(AttributeError):
        _ = log.utility


@pytest.mark.parametrize("at_least", [None, 0.5])
def test_a_memory_of_positives_keeps_these_and_no_other_rows(at_least):
    catalog = Catalog(9, {"bar": np.linspace(0.0, 1.0, 9, dtype=np.float32)})
    label = Label("liked", ("like", "skip"), at_least, None if at_least is None else "bar")
    made = rows(300)
    recorded = made["logged_at"] < 90.0
    whole = memory()
    thin = PlatformMemory(NAMES, 5, 9, NeededRows((label,), NAMES, catalog))
    for store in (whole, thin):
        store.take(made[:120], recorded[:120])
        store.take(made[120:], recorded[120:])
    log, kept = whole.arrived(80.0), thin.arrived(80.0)
    assert 0 < len(kept) < len(log) / 5
    names = {NAMES["event"][code] for code in np.unique(kept.event)}
    assert names == {"like", "skip"}
    for one, other in zip(*(vars(each.positives(label, catalog)).values() for each in (log, kept)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.flatnonzero(thin.needed.events).tolist() == sorted(NAMES["event"].index(name) for name in names)


@pytest.mark.parametrize(
    ("learners", "needed"),
    [
        ([Popularity(label=LIKED)], (LIKED,)),
        ([Popularity(label=LIKED), Popularity(label=LIKED)], (LIKED,)),
        ([Popularity(label=LIKED), Popularity(label=SKIPPED)], (LIKED, SKIPPED)),
        ([Popularity(label=LIKED), LinUCB(label=LIKED)], None),
        ([Popularity()], None),
    ],
)
def test_what_is_needed_is_what_all_learners_read(learners, needed):
    found = needed_rows(learners, NAMES, Catalog(9))
    assert (None if found is None else found.labels) == needed
