"""The platform log: its columns, and what counts as a positive."""

from __future__ import annotations

import numpy as np
import pytest

from recommenders.contract import COLUMNS, Catalog, Columns, Label, LazyFeatures, PlatformLog, RecommenderError
from tests.recommenders.little import NAMES, log_of_likes

WATCHED = Label("long_view", ("skip", "like"), at_least=18.0, or_item="duration")


def log_with(**columns: list[float]) -> PlatformLog:
    arrays = {name: np.asarray(values).astype(getattr(Columns, name).dtype) for name, values in columns.items()}
    return PlatformLog.from_columns(arrays, NAMES, n_users=4, n_items=3)


def test_every_column_is_documented_and_has_its_own_name():
    assert [column.name for column in COLUMNS] == [
        "time", "logged_at", "user", "session", "request", "item", "position", "case", "surface", "device", "stage",
        "event", "value", "propensity", "policy_version", "visible",
    ]  # fmt: skip
    assert all(column.meaning and column.unit for column in COLUMNS)


def test_columns_not_given_are_absent_where_they_may_be():
    log = log_with(time=[1.0, 2.0])
    assert log.item.tolist() == [Columns.item.absent] * 2
    assert np.isnan(log.value).all()
    assert log.session.tolist() == [0, 0]


def test_positives_are_distinct_pairs_with_their_first_time_sorted():
    log = log_with(time=[5, 3, 9, 1], user=[2, 2, 0, 2], item=[1, 1, 2, 0], event=[1, 1, 1, 1])
    pairs = log.positives(Label("like", ("like",)), Catalog(3))
    assert list(zip(pairs.user.tolist(), pairs.item.tolist(), pairs.time.tolist(), strict=True)) == [
        (0, 2, 9.0), (2, 0, 1.0), (2, 1, 3.0),
    ]  # fmt: skip
    assert pairs.weight.tolist() == [1, 1, 1]


def test_the_first_time_is_found_among_many():
    random = np.random.default_rng(0)
    user, item, time = random.integers(0, 4, 300), random.integers(0, 3, 300), random.uniform(0, 9, 300)
    log = log_with(time=time, user=user, item=item, event=[1] * 300)
    pairs = log.positives(Label("like", ("like",)), Catalog(3))
    first = [time[(user == u) & (item == i)].min() for u in range(4) for i in range(3)]
    assert pairs.time.tolist() == first


def test_a_bar_is_lowered_to_the_items_own_column():
    catalog = Catalog(3, {"duration": np.array([10, 30, 18], np.float32)})
    log = log_with(
        time=[0] * 6,
        user=[0, 1, 2, 3, 0, 1],
        item=[0, 0, 1, 1, 2, 2],
        event=[2] * 6,
        value=[10, 9.9, 18, 17.9, 18, np.nan],
    )
    pairs = log.positives(WATCHED, catalog)
    assert list(zip(pairs.user.tolist(), pairs.item.tolist(), strict=True)) == [(0, 0), (0, 2), (2, 1)]


def test_events_without_item_or_of_another_kind_are_no_positives():
    log = log_with(time=[0, 1], user=[0, 1], item=[Columns.item.absent, 1], event=[1, 0])
    assert len(log.positives(Label("like", ("like",)), Catalog(3))) == 0


@pytest.mark.parametrize(
    ("label", "catalog", "message"),
    [
        (Label("x", ("buy",)), Catalog(3), "label x: the log knows no event 'buy'; it has: impression, like, skip"),
        (WATCHED, Catalog(3), "label long_view: the catalog has no column 'duration'; it has: none"),
    ],
)
def test_a_label_that_does_not_fit_says_what_there_is(label, catalog, message):
    with pytest.raises(RecommenderError) as error:
        log_of_likes([(0, 1)], 2, 3).positives(label, catalog)
    assert str(error.value) == message


def test_bad_columns_are_refused():
    with pytest.raises(RecommenderError, match=r"log.colour: is no column"):
        PlatformLog.from_columns({"colour": np.zeros(1)}, NAMES, 1, 1)
    with pytest.raises(RecommenderError, match=r"log.user: has 2 rows; log.time has 1"):
        PlatformLog.from_columns({"time": np.zeros(1), "user": np.zeros(2, np.uint32)}, NAMES, 1, 1)
    with pytest.raises(RecommenderError, match=r"log.user: has type float64; expected uint32"):
        PlatformLog.from_columns({"time": np.zeros(1), "user": np.zeros(1)}, NAMES, 1, 1)
    with pytest.raises(RecommenderError, match="says nothing of the codes of 'event'"):
        PlatformLog.from_columns({"time": np.zeros(1)}, {k: v for k, v in NAMES.items() if k != "event"}, 1, 1)
    with pytest.raises(RecommenderError, match="at_least"):
        Label("x", ("like",), or_item="duration")


def test_features_are_made_once_and_only_when_asked_for():
    made = []

    def cover() -> np.ndarray:
        made.append("cover")
        return np.ones((3, 2))

    features = LazyFeatures({"cover": cover, "audio": cover})
    assert list(features) == ["cover", "audio"]
    assert made == []
    assert features["cover"] is features["cover"]
    assert made == ["cover"]
    assert features["cover"].dtype == np.float32


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({}, "the catalog has no features of modality 'cover'; it has: none at all"),
        ({"audio": np.ones((3, 1))}, "it has: audio"),
        ({"cover": np.ones((2, 1))}, r"has shape \(2, 1\); expected \(3, dimensions\)"),
        ({"cover": np.array([[1], [np.nan], [2]])}, "holds NaN or infinity"),
    ],
)
def test_unfit_features_are_refused(features, message):
    with pytest.raises(RecommenderError, match=message):
        Catalog(3, {}, features).feature("cover", "recommender x")


def test_catalog_columns_must_have_one_value_per_item():
    with pytest.raises(RecommenderError, match=r"catalog.columns.duration: has shape \(2,\); expected \(3,\)"):
        Catalog(3, {"duration": np.zeros(2)})
