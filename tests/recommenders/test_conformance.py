"""The public check: all that is registered passes it, and each way to break the contract fails it."""

from __future__ import annotations

import zipfile
from typing import ClassVar

import gymnasium
import numpy as np
import pytest

from recommenders.agents.agent_file import Description, write_description
from recommenders.check import RecommenderConformance, check_recommender, synthetic_world
from recommenders.check.rules import RULES
from recommenders.contract import Label, Recommender, RecommenderError
from recommenders.contract.item_encoder import ItemEncoder
from recommenders.models.bandits import Thompson
from recommenders.models.popularity import Popularity
from recommenders.models.random import Random
from recommenders.models.training.model import MultimodalModel, TorchModel
from recommenders.registry import accepted_parameters, available, create, find
from tests.recommenders.breaking import (
    Batchy,
    Boasting,
    Careless,
    Deaf,
    Drifting,
    Exits,
    Foreign,
    Forgetful,
    Greedy,
    Hesitant,
    Joined,
    Meddling,
    Nameless,
    Newest,
    Overheard,
    Pickled,
    Prying,
    Remembering,
    Replacing,
    Scattered,
    Scoring,
    Short,
    Twice,
    Unavailable,
    Unequal,
    Unsure,
)

LABELS = [Label("like", ("like",)), Label("long_view", ("skip", "complete"), 18.0, "duration")]


# Small and quick, where a model would train for long; and what has no default.
SMALL = {"epochs": 3, "factors": 6, "iterations": 5, "hidden": 12, "draws": 4}
NEEDED = {
    "contentknn": {"modality": "audio"},
    "declared": {"column": "type"},
    "relevance": {"column": "type"},
    "pipeline": {"recall": "itemknn", "rerank": "puresvd(factors=4)", "depth": 20},
    "ensemble": {"members": "itemknn+ease+popularity", "weights": "1+2+0.5"},
    "filtered": {"member": "userknn", "column": "duration", "at_least": 60},
    "exploring": {"member": "itemknn", "epsilon": 0.3},
    "exploringplaces": {"member": "itemknn", "epsilon": 0.3},
    "ab": {"treated": "itemknn", "control": "random"},
    "implicit": {"model": "AlternatingLeastSquares(factors=6)"},
    "lenskit": {"model": "ItemKNNScorer(max_nbrs=10)"},
    "cornac": {"model": "BPR(k=6)"},
}


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label.name)
@pytest.mark.parametrize("name", available())
def test_everything_registered_keeps_the_contract(name, label, tmp_path):
    parameters = {key: SMALL[key] for key in accepted_parameters(find(name)) if key in SMALL}
    if issubclass(find(name), TorchModel):  # a fit per rule: one epoch of two modalities says as much as three of five
        parameters |= {"epochs": 1} | ({"modality": "cover+audio"} if issubclass(find(name), MultimodalModel) else {})
    if name == "composed":
        file = tmp_path / "mine.yaml"
        file.write_text("pipeline: {recall: {itemknn: {neighbors: 9}}, rerank: {exploring: {member: ease}}, depth: 15}")
        parameters = {"file": str(file)}
    if name in ("implicit", "lenskit", "cornac"):
        pytest.importorskip(name, reason=f"{name} is not installed: pip install -e '.[{name}]'")
    if name == "sb3":
        parameters = {"path": str(an_agent(tmp_path / "agent.zip", label))}
    check_recommender(lambda: create(name, {**parameters, **NEEDED.get(name, {})}, seed=3, label=label))


@pytest.mark.parametrize("normalize", ["minmax", "zscore"])
def test_ensembles_of_scores_keep_the_contract(normalize):
    parameters = {"members": "itemknn+ease+popularity+contentknn(modality=audio)", "normalize": normalize}
    check_recommender(lambda: create("ensemble", parameters, seed=3, label=LABELS[0]))


def an_agent(path, label):
    """The file of an agent that was never trained, for the world of the check."""
    sb3 = pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed: pip install -e '.[rl]'")
    world = synthetic_world(label=label)
    encoder = ItemEncoder.of(world.catalog, 4)
    says = {stage: dict.fromkeys(label.events) for stage in world.log.names["stage"]}
    about = Description("stable_baselines3", "PPO", "query", "any", world.log.names, says, 0.0, 10, 5)
    env = gymnasium.Env()
    env.observation_space = gymnasium.spaces.Box(-10, 20, (about.width(encoder.columns),), np.float32)
    env.action_space = gymnasium.spaces.Box(-1, 1, (encoder.columns,), np.float32)
    sb3.PPO("MlpPolicy", env, seed=0, device="cpu").save(path)
    with zipfile.ZipFile(path, "a") as archive:
        write_description(archive, about, encoder)
    return path


def none(*_, **__):
    return None


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (none, "check_recommender: recommender: it makes None; expected a new Recommender"),
        (lambda: 1 / 0, "check_recommender: recommender: making one raises ZeroDivisionError: division by zero .test_"),
        (Exits, "check_recommender: exits: recommend raises SystemExit: 4 .breaking.py, line"),
        (Prying, "it changes what it was given: recommend raises ValueError: cannot set WRITEABLE"),
        (Replacing, "it changed requests.slate_size; copy what you want to change"),
        (lambda: Scoring(lambda n: [1.0]), "its scores are a list; expected an array, float32"),
        (lambda: Scoring(lambda n: np.ones((n, 3))), "its scores have shape .37, 3.; expected .37, 120."),
        (lambda: Scoring(lambda n: np.ones((n, 120), int)), "its scores are int64; expected float32"),
        (lambda: Scoring(lambda n: np.full((n, 120), -np.inf)), "its scores hold infinity; expected numbers, NaN"),
        (lambda: Scoring(lambda n: np.full((n, 120), np.nan)), "its scores are NaN for every item of every request"),
        (Boasting, "its chances of all candidates do not add up(.|\n)*its chances are other than its propensities"),
        (lambda: Overheard(label=LABELS[0]), "learns from other rows; reads = 'log'"),
        (Deaf, "update raises KeyError: 'event'"),
        (Newest, "shown lately, though"),
        (Nameless, "Nameless has no name"),
        (Unsure, "reproducibility is 'mostly'"),
        (Twice, "twice"),
        (Foreign, "got item 10000"),
        (Unavailable, "it is not a candidate"),
        (Short, "its slates have shape"),
        (Batchy, "the same requests asked alone get other slates"),
        (Drifting, "asked twice the same, it answers differently"),
        (Unequal, "two that were made and fitted alike answer differently"),
        (Joined, "requests of several lists get other slates in one batch than list by list"),
        (Scattered, "scattered: .* .on several lists.; it is not a candidate"),
        (Hesitant, "takes_lists is 'sometimes'; expected True or False"),
        (Meddling, "it changes what it was given: recommend raises .* read-only .breaking.py, line"),
        (Greedy, "it changes what it was given: fit raises .* read-only .breaking.py, line"),
        (lambda: Remembering(label=LABELS[0]), "it remembers the first fit"),
        (lambda: Forgetful(label=LABELS[0]), "restored from its state, it answers differently"),
        (lambda: Pickled(label=LABELS[0]), r"state\(\)\['label'\] is an array of object; expected plain numpy arrays"),
    ],
)
def test_each_broken_rule_is_found(factory, message):
    with pytest.raises(RecommenderError, match=message):
        check_recommender(factory)


def test_all_breaches_are_named_at_once_and_each_once():
    with pytest.raises(RecommenderError) as found:
        check_recommender(Careless)
    first, *lines = str(found.value).splitlines()
    assert first == "check_recommender: careless: breaks the contract in 4 ways"
    for part in ("takes_lists is 'yes'", "got item 10000", "state() is None", "its scores are a list"):
        assert len([line for line in lines if part in line]) == 1, part


class TestPopularity(RecommenderConformance):
    recommender = Popularity


class TestThompson(RecommenderConformance):
    recommender = Thompson
    parameters: ClassVar = {"draws": 4}


def test_the_inherited_tests_are_one_per_rule_and_find_what_is_broken():
    class Inherits(RecommenderConformance):
        recommender = Careless

    tests = {name.removeprefix("test_"): getattr(Inherits(), name) for name in dir(Inherits) if "test_" in name}
    assert tests.keys() == RULES.keys()
    for rule in ("declarations", "state", "scores", "slates"):
        with pytest.raises(RecommenderError, match="check_recommender: careless: "):
            tests[rule]()


def test_what_a_base_says_of_its_answers_is_void_where_a_subclass_answers_itself():
    class Own(Popularity):
        def recommend(self, requests):
            return super().recommend(requests)

    class Restated(Own):
        takes_lists = True

        def scores(self, requests):
            return Popularity.scores(self, requests)

    world = synthetic_world(label=LABELS[0])
    for kind, says in ((Popularity, True), (Own, False), (Restated, True)):
        made = kind(label=LABELS[0])
        made.fit(world.log, world.catalog)
        assert made.takes_lists is says
        assert (made.scores(world.requests) is not None) is says
    thompson = Thompson(label=LABELS[0])
    assert thompson.scores(world.requests) is None


@pytest.mark.parametrize("normalize", ["minmax", "zscore"])
def test_an_ensemble_of_scores_refuses_a_member_that_has_none(normalize):
    with pytest.raises(RecommenderError, match=f"thompson gives no scores, which normalize={normalize} adds up"):
        create("ensemble", {"members": "thompson+popularity", "normalize": normalize}, label=LABELS[0])


class Dice(Recommender):
    """Honest about its unkeyed luck."""

    name = "dice"
    learns = False

    def recommend(self, requests):
        keyed = Random(seed=int(np.random.default_rng().integers(2**32)))
        return keyed.recommend(requests)


def test_an_admitted_lack_of_reproducibility_is_allowed():
    check_recommender(Dice)


def test_synthetic_worlds_have_positives_a_cold_user_and_all_parts_of_a_request():
    world = synthetic_world(label=LABELS[1])
    pairs = world.log.positives(LABELS[1], world.catalog)
    assert len(pairs) > 200
    assert world.requests.user[-1] not in pairs.user
    assert (world.requests.recently_shown >= 0).any()
    assert (world.requests.events_value > 0).any()
