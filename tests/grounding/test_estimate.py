"""What the grounding holds: reproducible, honest about what it cannot tell, and of use for a world."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.grounding.basis import halves
from simulator.grounding.estimate import Grounding, ground
from simulator.grounding.folder import Interactions, RealFolder, read_folder
from simulator.grounding.vectors import turned
from tests.grounding.worlds import Shape, log_matrix, world

SHAPE = Shape(users=3000, items=1500, interactions=40000, heavy=0.2, heavy_hold=0.5)
AXES = 8


@pytest.fixture(scope="module")
def made() -> tuple[RealFolder, np.ndarray]:
    folder, _, taste = world(1, SHAPE, image=0.3, audio=0.1, both=0.1)
    return folder, taste


@pytest.fixture(scope="module")
def grounded(made: tuple[RealFolder, np.ndarray]) -> Grounding:
    return ground(made[0], AXES, seed=3)


def vectors(grounding: Grounding) -> list[np.ndarray]:
    return [grounding.items, grounding.content, grounding.users, grounding.remainder, *grounding.parts.values()]


def without(log: Interactions, keep: np.ndarray) -> Interactions:
    return Interactions(log.user[keep], log.item[keep])


def test_the_same_arguments_give_the_same_result(made, grounded):
    again = ground(made[0], AXES, seed=3)
    for one, other in zip(vectors(grounded), vectors(again), strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.summary() == grounded.summary()


def test_the_order_of_the_log_and_repeats_do_not_matter(made, grounded):
    folder = made[0]
    order = np.random.default_rng(0).permutation(len(folder.interactions.user))
    shuffled = without(folder.interactions, np.concatenate([order, order[:100]]))
    again = ground(replace(folder, interactions=shuffled), AXES, seed=3)
    np.testing.assert_array_equal(again.items, grounded.items)
    assert any("100 repeated" in line for line in again.assumptions)


def test_another_seed_cuts_otherwise_and_agrees(made, grounded):
    other = ground(made[0], AXES, seed=4)
    assert not np.array_equal(other.items, grounded.items)
    for name, share in grounded.shares.alone.items():
        assert share.low <= other.shares.alone[name].value <= share.high


def test_shapes_types_and_order_of_axes(made, grounded):
    folder = made[0]
    assert grounded.items.shape == grounded.content.shape == (folder.n_items, AXES)
    assert grounded.users.shape == grounded.user_sd.shape == (folder.n_users, AXES)
    assert set(grounded.parts) == set(folder.features) == set(grounded.signal)
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in vectors(grounded))
    covariance = np.cov(grounded.items.T)
    assert np.all(np.diff(np.diag(covariance)) <= 1e-6)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-6)
    assert grounded.popularity.sum() == pytest.approx(1)
    assert grounded.popularity.min() > 0


def test_more_axes_than_the_data_have(made):
    small = ground(replace(made[0], features={}), 40, seed=0)
    assert small.items.shape == (SHAPE.items, 40)
    assert small.signal == {}
    assert small.shares.joint is None
    assert not small.content.any()


def test_item_vectors_follow_the_true_tastes(made, grounded):
    """Share of the estimates' variance within the space of the true tastes, against that of shuffled items."""
    taste = made[1] - made[1].mean(axis=0)
    base = np.linalg.qr(taste)[0]

    def explained(estimate: np.ndarray) -> float:
        centred = estimate - estimate.mean(axis=0)
        return float(((base.T @ centred) ** 2).sum() / (centred**2).sum())

    shuffled = explained(grounded.items[np.random.default_rng(0).permutation(SHAPE.items)])
    assert shuffled < 0.02
    assert explained(grounded.items) > 0.3
    assert explained(grounded.content) > 0.35  # half of all taste is what features tell


def test_content_carries_the_share_that_was_estimated(grounded):
    total = np.trace(np.cov(grounded.items.T))
    content = np.trace(np.cov(grounded.content.T))
    assert grounded.shares.joint is not None
    assert content / total == pytest.approx(grounded.shares.joint.value, abs=0.08)
    assert content + np.trace(grounded.remainder) == pytest.approx(total, rel=0.12)


def test_items_without_a_log_are_as_varied_as_others(made):
    """Their remainder is drawn, so they are no bland averages; the log tells nothing of them."""
    folder = made[0]
    cold = np.arange(SHAPE.items) % 4 == 0
    part = replace(folder, interactions=without(folder.interactions, ~cold[folder.interactions.item]))
    grounding = ground(part, AXES, seed=0)
    assert not grounding.reliability[cold].any()
    assert grounding.reliability[~cold].mean() > 0.2
    rest = grounding.items - grounding.content
    ratio = rest[cold].var(axis=0).sum() / rest[~cold].var(axis=0).sum()
    assert 0.75 < ratio < 1.35


def test_users_prefer_what_they_went_on_to_take(made, grounded):
    """Held-out pairs (the tenth that the keyed split sets aside) against items of other users' held-out pairs."""
    folder = made[0]
    rng = np.random.default_rng(5)
    hidden = rng.random(len(folder.interactions.user)) < 0.1
    grounding = ground(replace(folder, interactions=without(folder.interactions, ~hidden)), AXES, seed=0)
    user, item = folder.interactions.user[hidden], folder.interactions.item[hidden]
    chosen = (grounding.users[user] * grounding.items[item]).sum(axis=1)
    other = (grounding.users[user] * grounding.items[rng.permutation(item)]).sum(axis=1)
    better = (chosen > other).mean()
    assert better > 0.5 + 3 * 0.5 / np.sqrt(len(user))
    assert np.all(grounding.user_sd <= 1)
    few = np.bincount(user, minlength=folder.n_users) == 0
    assert few.any()


def test_features_of_other_items_tell_nothing(made):
    folder = made[0]
    rng = np.random.default_rng(0)
    shuffled = {name: matrix[rng.permutation(SHAPE.items)] for name, matrix in folder.features.items()}
    grounding = ground(replace(folder, features=shuffled), AXES, seed=3)
    for share in grounding.shares.alone.values():
        assert share.low < 0 < share.high
        assert abs(share.value) < 0.05


def test_a_log_without_taste_calibrates_no_signal():
    folder, _, _ = world(0, replace(SHAPE, interest_sd=0.0, own_sd=0.0), image=0.3)
    grounding = ground(folder, AXES, seed=0)
    assert grounding.shares.total.low <= 0
    assert grounding.signal == {}
    assert any("no taste beyond chance" in line for line in grounding.assumptions)
    json.dumps(grounding.summary(), allow_nan=False)


def test_the_same_features_twice_add_nothing(made):
    folder = made[0]
    twins = {"audio": folder.features["image"], "image": folder.features["image"]}
    shares = ground(replace(folder, features=twins), AXES, seed=3).shares
    assert shares.joint is not None
    assert shares.joint.value == pytest.approx(shares.alone["image"].value, abs=1e-6)
    assert shares.beyond["image"].value == pytest.approx(0, abs=1e-6)
    assert shares.alone["image"].low > 0.2


def test_the_summary_is_json_and_says_what_it_rests_on(made, grounded):
    summary = json.loads(json.dumps(grounded.summary(), allow_nan=False))
    assert set(summary["calibrated"]["signal"]) == {"audio", "image", "noise"}
    assert any("precision" in line for line in summary["cannot_tell"])
    assert "8:1:1" in summary["held_out"]["split"]
    pairs = len(made[0].interactions.user)
    assert summary["calibrated"]["density"] == pytest.approx(pairs / (SHAPE.users * SHAPE.items))
    assert grounded.learnability == pytest.approx(summary["held_out"]["to_popularity"]["item neighbours"][0], abs=1e-6)


def test_too_little_to_ground(made):
    folder = made[0]
    with pytest.raises(InputError, match=r"interactions\.parquet: not there"):
        ground(replace(folder, interactions=None), AXES, seed=0)
    with pytest.raises(InputError, match="items have two training interactions"):
        ground(replace(folder, interactions=without(folder.interactions, np.arange(200))), AXES, seed=0)
    with pytest.raises(InputError, match="dimensions"):
        ground(folder, 0, seed=0)


def test_a_log_in_which_no_user_takes_two_items(made):
    folder = made[0]
    n = 4000
    lonely = Interactions(np.arange(n, dtype=np.uint32), np.arange(n, dtype=np.uint32) % SHAPE.items)
    with pytest.raises(InputError, match="whom the other half knows"):
        ground(replace(folder, n_users=n, interactions=lonely), AXES, seed=0)


def test_the_tiktok_set(data_root: Path):
    """On real data: both modalities tell something, neither much; neighbours that heavy users do not drown are best."""
    folder = read_folder(data_root / "short_video" / "tiktok", known=("cover", "video", "audio"))
    grounding = ground(folder, 32, seed=0)
    assert any("frames of the video" in line for line in grounding.assumptions)
    assert grounding.density == pytest.approx(0.0011, abs=0.00005)
    for name in ("video", "audio"):
        assert grounding.shares.alone[name].low > 0
        assert grounding.shares.beyond[name].low > 0
        assert grounding.shares.alone[name].high < 0.2
    assert grounding.held_out is not None
    recall = grounding.held_out.recall
    assert recall["popularity"].low > recall["chance"].value
    assert recall["content neighbours: video"].low > recall["chance"].value
    ratios = grounding.held_out.to_popularity
    assert ratios["item neighbours, a user weighs 1 / activity"].low > 1
    assert ratios["item neighbours"].high < 1  # plain cosine: a hundred users hold most of the log


def test_one_half_is_turned_onto_the_axes_of_the_other(made):
    """A rotation of all coordinates is undone by the users whom both know."""
    rng = np.random.default_rng(0)
    half, _ = halves(log_matrix(made[0]), AXES, rng.random(SHAPE.items), rng.standard_normal(SHAPE.users))
    rotation = np.linalg.qr(rng.standard_normal((AXES, AXES)))[0]
    spun = replace(half, users=half.users @ rotation, total=half.total @ rotation)
    back = turned(spun, half)
    np.testing.assert_allclose(back.users, half.users, atol=1e-9)
    np.testing.assert_allclose(back.total, half.total, atol=1e-9)
