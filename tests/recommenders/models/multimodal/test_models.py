"""Every multimodal model on planted worlds: what it learns, what it makes of content, and what is left without."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recommenders.contract import Catalog
from recommenders.contract.log import distinct_pairs
from recommenders.evaluation.offline import POSITIVE, log_of
from recommenders.models.training.inputs import inputs_of
from recommenders.models.training.loop import luck
from recommenders.models.training.negatives import Sampler
from recommenders.registry import create, find
from tests.recommenders.little import ask

MODELS = ("vbpr", "mmgcn", "grcn", "dualgnn", "lattice", "micro", "slmrec", "bm3", "freedom", "mgcn", "lgmrec", "gume")
OF_CONTENT = tuple(name for name in MODELS if find(name).new_items == "content")
N_USERS, N_ITEMS, WARM = 100, 80, 60
CHANCE = 1 / 5


def world():
    """Communities of users and items, of which the last twenty items nobody had; two modalities tell of communities."""
    random = np.random.default_rng(2)
    users = random.integers(0, N_USERS, 1200)
    items = random.integers(0, 16, 1200) * 5 + users % 5
    warm = items < WARM
    pairs = distinct_pairs(users[warm], items[warm], np.zeros(warm.sum()), N_ITEMS)
    looks, sounds = (
        (np.eye(5)[np.arange(N_ITEMS) % 5] @ random.normal(size=(5, d)) + random.normal(0, 0.05, (N_ITEMS, d))).astype(
            "f4"
        )
        for d in (8, 6)
    )
    return pairs, {"image": looks, "audio": sounds}


PAIRS, FEATURES = world()
LOG = log_of(PAIRS, N_USERS, N_ITEMS)
BRIEF = {"factors": 16, "epochs": 40, "rate": 0.01, "held_out": 0, "modality": "all"}


def fitted(name, features=FEATURES, **parameters):
    recommender = create(name, {**BRIEF, **parameters}, seed=3, label=POSITIVE)
    recommender.fit(LOG, Catalog(N_ITEMS, {}, features))
    return recommender


def of_own_community(recommender, first, last):
    """The share of slates of four, of these items, that is of the user's own community."""
    slates = recommender.recommend(ask(N_ITEMS, users=range(N_USERS), slate_size=4, candidates=range(first, last)))
    return (slates.items % 5 == (np.arange(N_USERS) % 5)[:, None]).mean()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_learns_communities_and_cold_items_where_content_reaches_them(name):
    recommender = fitted(name)
    assert of_own_community(recommender, 0, WARM) > 3 * CHANCE
    cold = of_own_community(recommender, WARM, N_ITEMS)
    assert (cold > 2 * CHANCE) == (name in OF_CONTENT), cold
    if name in OF_CONTENT:
        noise = of_own_community(fitted(name, drop="all", drop_mode="noise"), WARM, N_ITEMS)
        assert noise < 1.6 * CHANCE, noise


def network_of(name, given, **parameters):
    known = find(name).Config.described()
    settings = {key: value for key, value in {**BRIEF, **parameters}.items() if key in known}
    model = create(name, settings, label=POSITIVE)
    with luck(5):
        return model.network(given, model.config)


@pytest.mark.parametrize("modalities", [[], ["image"], ["image", "audio"], ["image", "audio", "text"]])
@pytest.mark.parametrize("name", MODELS)
def test_any_number_of_modalities_gives_finite_losses_and_gradients_to_all(name, modalities):
    all_of_them = {**FEATURES, "text": FEATURES["image"][:, ::-1].copy()}
    features = {name: all_of_them[name] for name in modalities}
    given = inputs_of(PAIRS, N_USERS, N_ITEMS, 0, 0, torch.device("cpu"))
    given = given.with_features({m: torch.from_numpy(x) for m, x in features.items()})
    network = network_of(name, given)
    network.start_epoch(0)
    loss = network.loss(next(Sampler(given, 200).epoch()))
    loss.backward()
    assert torch.isfinite(loss)
    for key, value in network.named_parameters():
        untouched = value.grad is None or not value.grad.abs().sum() > 0
        alone = len(features) < 2 and (
            "fusion" in key or "attention" in key or key == "logits"
        )  # one modality has all the weight
        cancels = key.endswith("bias")  # from the difference of a positive and a negative
        assert not untouched or value.numel() == 0 or alone or cancels or not features, key
    network.eval()
    with torch.no_grad():
        first, second = network.vectors(), network.vectors()
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)  # nothing is drawn when it is asked
        assert torch.isfinite(a).all()


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("mgcn", {}),
        ("lgmrec", {"regularization": 1e-4}),
        ("gume", {"layers": 2, "regularization": 1e-4}),
        ("freedom", {}),
    ],
)
def test_without_content_the_vectors_are_lightgcns(name, own):
    given = inputs_of(PAIRS, N_USERS, N_ITEMS, 0, 0, torch.device("cpu"))
    ours, alone = network_of(name, given, **own), network_of("lightgcn", given)
    for a, b in zip(ours.vectors(), alone.vectors(), strict=True):
        torch.testing.assert_close(a, b)
