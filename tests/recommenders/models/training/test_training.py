"""The trainer: what is held out, when it ends, what it keeps, and that stopping and going on changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recommenders.contract import Catalog, RecommenderError
from recommenders.contract.log import distinct_pairs
from recommenders.contract.stopping import Stopped, stopping_by
from recommenders.evaluation.offline import POSITIVE, log_of
from recommenders.models.training import loop
from recommenders.models.training.features import normalised
from recommenders.models.training.inputs import inputs_of
from recommenders.models.training.negatives import Sampler
from recommenders.models.training.validation import HeldOut
from recommenders.registry import create
from recommenders.rehearsal import rehearse

N_USERS, N_ITEMS = 120, 60
BRIEF = {"epochs": 12, "floor": 2, "patience": 12, "rate": 0.02, "factors": 8, "held_out": 0.1}


def community_pairs(n=1500, seed=0):
    random = np.random.default_rng(seed)
    users = random.integers(0, N_USERS, n)
    items = random.integers(0, N_ITEMS // 5, n) * 5 + users % 5
    return distinct_pairs(users, items, np.arange(n, dtype=float), N_ITEMS)


PAIRS = community_pairs()
LOG = log_of(PAIRS, N_USERS, N_ITEMS)
FEATURES = {"image": np.eye(5, dtype=np.float32)[np.arange(N_ITEMS) % 5]}
CATALOG = Catalog(N_ITEMS, {}, FEATURES)


def fitted(name="lightgcn", log=LOG, **parameters):
    recommender = create(name, {**BRIEF, **parameters}, seed=1, label=POSITIVE)
    recommender.fit(log, CATALOG)
    return recommender


def network_of(name, given, parameters):
    """The untrained network of a model, drawn with one luck."""
    model = create(name, {**BRIEF, **parameters}, label=POSITIVE)
    with loop.luck(5):
        return model.network(given, model.config)


def pairs(users, items):
    return set(zip(users.tolist(), items.tolist(), strict=True))


def same(a, b):
    return all(np.array_equal(a.learned[key], b.learned[key]) for key in a.learned)


def test_what_is_held_out_is_one_positive_of_some_users_and_not_trained_on():
    given = inputs_of(PAIRS, N_USERS, N_ITEMS, 0.1, 0, torch.device("cpu"))
    assert len(np.unique(given.held_users)) == given.held_users.size == int(0.1 * len(PAIRS))
    held, trained = pairs(given.held_users, given.held_items), pairs(given.users, given.items)
    assert not held & trained
    assert held | trained == pairs(PAIRS.user, PAIRS.item)
    assert inputs_of(PAIRS, N_USERS, N_ITEMS, 0.0, 0, torch.device("cpu")).held_users.size == 0


def test_negatives_were_never_had_and_each_positive_comes_once():
    given = inputs_of(PAIRS, N_USERS, N_ITEMS, 0.0, 0, torch.device("cpu"))
    batches = list(Sampler(given, 100).epoch())
    users, positives, negatives = (np.concatenate([np.asarray(batch[part]) for batch in batches]) for part in range(3))
    had = pairs(given.users, given.items)
    assert users.size == len(had)
    assert pairs(users, positives) == had
    assert not pairs(users, negatives) & had


def test_recall_of_what_is_held_out_equals_a_plain_count():
    given = inputs_of(PAIRS, N_USERS, N_ITEMS, 0.1, 0, torch.device("cpu"))
    scores = np.random.default_rng(4).normal(size=(N_USERS, N_ITEMS)).astype(np.float32)
    hits = 0
    for user, item in zip(given.held_users, given.held_items, strict=True):
        own = scores[user].copy()
        own[given.items[given.users == user]] = -np.inf
        hits += item in np.argsort(-own)[:20]
    found = HeldOut(given).recall(lambda rows: torch.from_numpy(scores[np.asarray(rows)]))
    assert found == pytest.approx(hits / given.held_users.size)


def test_two_fits_of_a_seed_agree_and_leave_torchs_luck_alone():
    before = torch.get_rng_state()
    first = fitted()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert same(first, fitted())


@pytest.mark.parametrize("name", ["lightgcn", "freedom", "vbpr"])
def test_a_fit_that_was_stopped_goes_on_to_the_same_vectors(name, tmp_path):
    whole = fitted(name)
    asked = iter([False] * 60 + [True] * 10_000)
    with pytest.raises(Stopped), stopping_by(lambda: next(asked)):
        fitted(name, checkpoint=str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 1
    again = fitted(name, checkpoint=str(tmp_path))
    assert same(whole, again)
    assert again.training.epochs == whole.training.epochs
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_fit_is_not_taken(tmp_path):
    asked = iter([False] * 60 + [True] * 10_000)
    with pytest.raises(Stopped), stopping_by(lambda: next(asked)):
        fitted(checkpoint=str(tmp_path))
    assert same(fitted(rate=0.01), fitted(rate=0.01, checkpoint=str(tmp_path)))


def test_a_damaged_checkpoint_is_one_line(tmp_path):
    asked = iter([False] * 60 + [True] * 10_000)
    with pytest.raises(Stopped), stopping_by(lambda: next(asked)):
        fitted(checkpoint=str(tmp_path))
    next(tmp_path.iterdir()).write_bytes(b"PK nothing")
    with pytest.raises(RecommenderError, match=r"is no checkpoint of a fit .*; remove it: the fit begins anew"):
        fitted(checkpoint=str(tmp_path))


def judged_as(monkeypatch, figures):
    """Let validation find these figures, one per epoch."""
    told = iter(figures)
    monkeypatch.setattr(loop.HeldOut, "recall", lambda self, scores: next(told))


def test_a_popularity_hump_does_not_end_training_before_the_floor(monkeypatch):
    hump = [0.1, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 0.4, 0.1, 0.1]
    judged_as(monkeypatch, hump)
    account = fitted(floor=9, patience=3).training
    assert (account.best_epoch, account.recall) == (10, 0.4)
    judged_as(monkeypatch, hump)
    account = fitted(floor=0, patience=3).training
    assert (account.best_epoch, account.epochs) == (2, 5)


def test_the_best_epoch_is_what_is_kept(monkeypatch):
    judged_as(monkeypatch, [0.1, 0.5, 0.1])
    kept = fitted(epochs=3)
    judged_as(monkeypatch, [0.1, 0.5])
    assert same(kept, fitted(epochs=2))


def test_a_fit_that_is_still_improving_at_its_end_says_so(monkeypatch):
    judged_as(monkeypatch, [0.1, 0.2, 0.3])
    assert fitted(epochs=3).training.improving
    judged_as(monkeypatch, [0.3, 0.2, 0.1])
    assert not fitted(epochs=3).training.improving


def test_a_loss_that_is_no_number_ends_a_fit_with_a_line():
    with pytest.raises(RecommenderError, match=r"mfbpr: its loss is (nan|inf) in epoch \d+; expected a lower rate"):
        fitted("mfbpr", rate=1e30)


def test_a_warm_refit_begins_with_the_last_tables_and_costs_a_fifth():
    recommender = fitted(warm=True)
    cold = recommender.training
    recommender.fit(LOG, CATALOG)
    assert (recommender.training.warm, cold.warm) == (True, False)
    assert recommender.training.epochs <= 3
    assert recommender.training.recall >= 0.8 * cold.recall
    resumed = create("lightgcn", {**BRIEF, "warm": True}, seed=1, label=POSITIVE)
    resumed.restore(fitted(warm=True).state())
    resumed.fit(LOG, CATALOG)
    assert same(recommender, resumed)


def test_a_rehearsal_is_one_epoch():
    recommender = create("vbpr", {}, label=POSITIVE)
    rehearse(recommender)
    assert recommender.training.epochs == 1


@pytest.mark.parametrize("mode", ["remove", "noise", "noise_resample", "shuffle"])
def test_what_is_taken_away_changes_a_model_in_every_mode(mode):
    full, less = fitted("vbpr"), fitted("vbpr", drop="image", drop_mode=mode)
    assert not same(full, less)


def test_without_content_a_model_is_its_model_of_interactions_alone():
    assert same(fitted("vbpr", drop="all"), fitted("vbpr", modality="none"))
    given = inputs_of(PAIRS, N_USERS, N_ITEMS, 0.0, 0, torch.device("cpu"))
    batch = next(Sampler(given, 100).epoch())
    for name, own, alone, without in (
        ("vbpr", {"regularization": 0}, "mfbpr", {"regularization": 0}),
        ("freedom", {"pruned": 0}, "lightgcn", {"regularization": 0}),
    ):
        networks = [network_of(name, given, own), network_of(alone, given, without)]
        torch.testing.assert_close(*(network.loss(batch) for network in networks), rtol=0, atol=0)
        for ours, theirs in zip(*(network.vectors() for network in networks), strict=True):
            assert torch.equal(ours, theirs)


def test_an_unknown_modality_to_drop_is_one_line():
    with pytest.raises(RecommenderError, match=r"drop: .*'imge'.*image"):
        create("vbpr", {"drop": "imge"}, label=POSITIVE).check(CATALOG)


def test_features_are_centred_and_of_one_scale():
    x = torch.randn(50, 4) * torch.tensor([1.0, 5.0, 0.1, 2.0]) + 30
    made = normalised(x, "standard")
    torch.testing.assert_close(made.mean(0), torch.zeros(4), atol=1e-4, rtol=0)
    assert made.square().mean().item() == pytest.approx(1, abs=1e-4)
    torch.testing.assert_close(normalised(x, "unit").norm(dim=1), torch.ones(50))
    assert normalised(x, "none") is x


def test_a_log_without_positives_is_fitted_all_the_same():
    empty = log_of(PAIRS.take(np.zeros(len(PAIRS), bool)), N_USERS, N_ITEMS)
    recommender = fitted(log=empty)
    assert recommender.training.epochs == 0
    assert recommender.learned["items"].shape == (N_ITEMS, BRIEF["factors"])


def test_a_gpu_that_is_not_there_is_one_line():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(RecommenderError, match="device: torch sees no GPU; expected device=cpu or auto"):
        fitted(device="cuda")
