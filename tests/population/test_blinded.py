"""Blinded features: what recommenders are handed instead, and that users' world stays what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import simulator
from recommenders.contract import Catalog, LazyFeatures
from recommenders.contract.errors import RecommenderError
from recommenders.models.popularity import Popularity
from simulator.config import RunConfig, resolve
from simulator.errors import InputError
from simulator.platform.policies import declared_label
from simulator.population.blinded import blinded, blinding
from simulator.records.run_folder import resumed_config
from simulator.scenario.load import load_scenario
from tests.laws.harness import assert_same_log
from tests.refusals import refused

WORLD: dict[str, Any] = {"users": 50, "items": 150, "horizon": "4h", "first_fit": "2h", "refit": "1h", "seed": 2}
KNOWN = ("text", "image")


def catalog(n: int = 400, columns: int = 1500) -> Catalog:
    """Items of three types, with wide features of two modalities that differ between types."""
    draw = np.random.default_rng(0)
    kind = draw.integers(0, 3, n).astype(np.uint8)
    made = {name: (draw.normal(2.0, 3.0, (n, columns)) + kind[:, None]).astype(np.float32) for name in KNOWN}
    return Catalog(n, {"type": kind}, LazyFeatures({name: lambda name=name: made[name] for name in KNOWN}))


def test_shuffled_rows_change_places_within_their_type():
    public = catalog()
    told = blinded(public, {"image": "shuffle"}, KNOWN, seed=1)
    np.testing.assert_array_equal(told.features["text"], public.features["text"])
    rows = {row.tobytes(): item for item, row in enumerate(public.features["image"])}
    whose = np.array([rows[row.tobytes()] for row in told.features["image"]])
    assert sorted(whose) == list(range(400))
    np.testing.assert_array_equal(public.columns["type"][whose], public.columns["type"])
    assert (whose == np.arange(400)).mean() < 0.05
    again, other = (blinded(public, {"image": "shuffle"}, KNOWN, seed).features["image"] for seed in (1, 2))
    np.testing.assert_array_equal(again, told.features["image"])
    assert (other != again).any()
    both = blinded(public, {"image": "shuffle", "text": "shuffle"}, KNOWN, seed=1)
    texts = {row.tobytes(): item for item, row in enumerate(public.features["text"])}
    assert ([texts[row.tobytes()] for row in both.features["text"]] != whose).mean() > 0.9  # not the same way


def test_noise_has_the_mean_and_the_spread_of_each_dimension_and_nothing_else():
    public = catalog()
    true, noise = public.features["image"], blinded(public, {"image": "noise"}, KNOWN, seed=1).features["image"]
    assert (noise.shape, noise.dtype) == (true.shape, np.float32)
    error = true.std(axis=0) / np.sqrt(len(true))
    assert (np.abs(noise.mean(axis=0) - true.mean(axis=0)) < 5 * error).all()
    np.testing.assert_allclose(noise.std(axis=0) / true.std(axis=0), 1.0, atol=0.2)
    told = [np.corrcoef(noise[:, d], true[:, d])[0, 1] for d in range(50)]
    assert abs(np.mean(told)) < 5 / np.sqrt(50 * 400)
    texts = blinded(public, {"text": "noise"}, KNOWN, seed=1).features["text"]
    alike = [np.corrcoef(noise[:, d], texts[:, e])[0, 1] for d in range(0, 1500, 100) for e in range(1500)]
    assert np.max(np.abs(alike)) < 0.4  # no column of one modality is one of the other's


def test_removed_features_are_not_there_and_nothing_is_made_before_it_is_asked_for():
    made = []

    def maker():
        made.append("image")
        return np.ones((3, 2), np.float32)

    public = Catalog(3, {"type": np.zeros(3, np.uint8)}, LazyFeatures({"text": maker, "image": maker}))
    told = blinded(public, {"text": "remove", "image": "shuffle"}, KNOWN, seed=1).sealed()
    assert list(told.features) == ["image"]
    assert made == []
    assert told.features["image"].shape == (3, 2)


@pytest.mark.parametrize(
    ("asked", "modes"),
    [
        ({}, {}),
        ({"all": "shuffle"}, {"text": "shuffle", "image": "shuffle"}),
        ({"all": "shuffle", "image": "keep"}, {"text": "shuffle"}),
        ({"image": "noise", "all": "remove"}, {"text": "remove", "image": "noise"}),
        ({"image": "keep"}, {}),
    ],
)
def test_a_modality_s_own_word_goes_before_that_for_all(asked, modes):
    assert blinding(asked, KNOWN) == modes


class Onlooker(Popularity):
    """Reads no features for its slates, and keeps the catalogs that it is handed."""

    name = "onlooker"

    def fit(self, log, catalog):
        super().fit(log, catalog)
        self.seen = catalog


def onlooker() -> Onlooker:
    return Onlooker(label=declared_label(load_scenario("shortvideo")))


@pytest.mark.parametrize("mode", ["shuffle", "noise", "remove"])
def test_users_live_in_the_same_world(mode, tmp_path):
    who, plain = onlooker(), onlooker()
    result = simulator.run(
        "shortvideo", who, **WORLD, blinded_features={"all": mode}, features=True, output=tmp_path / "run"
    )
    other = simulator.run("shortvideo", plain, **WORLD)
    assert_same_log(result.truth, other.truth)
    names = sorted(plain.seen.features)
    assert sorted(who.seen.features) == ([] if mode == "remove" else names)
    assert result.manifest["setting"]["blinded_features"] == dict.fromkeys(names, mode)
    assert "blinded_features" not in other.manifest["setting"]
    modalities = other.manifest["setting"]["likeness"]["modalities"]
    files = {name: np.load(tmp_path / f"run/features/{name}.npy") for name in names}
    written = Catalog(150, {"type": result.items["type"].to_numpy()}, files)
    again = blinded(written, dict.fromkeys(names, mode), modalities, WORLD["seed"]).features
    for name, handed in who.seen.features.items():  # what was handed out can be had again from the run's folder
        np.testing.assert_array_equal(again[name], handed)
    for name in names:
        true = plain.seen.features[name]
        np.testing.assert_array_equal(files[name], true)  # they describe the items
        if mode != "remove":
            assert (who.seen.features[name] != true).mean() > 0.9


def test_a_model_of_content_is_blinded_and_one_that_needs_what_is_removed_refuses():
    def lived(**blinded: str):
        settings = {**WORLD, "serves": "all", "recommender_parameters": {"modality": "cover"}}
        return simulator.run("shortvideo", "contentknn", **settings, blinded_features=blinded).manifest["log"]

    plain = lived()
    assert lived(caption="shuffle") == plain
    assert lived(cover="keep") == plain
    assert lived(cover="shuffle") != plain
    with pytest.raises(RecommenderError, match=r"contentknn.*no features of modality 'cover'"):
        lived(cover="remove")


def test_features_of_a_real_catalog_are_blinded(tmp_path):
    folder = tmp_path / "catalog"
    (folder / "features").mkdir(parents=True)
    np.save(folder / "features/cover.npy", np.random.default_rng(0).normal(size=(150, 8)).astype(np.float32))
    who, plain = onlooker(), onlooker()
    settings = {**WORLD, "items": None, "catalog": folder}
    simulator.run("shortvideo", who, **settings, **{"features.cover": "shuffle"})
    simulator.run("shortvideo", plain, **settings)
    blind, true = who.seen.features["cover"], plain.seen.features["cover"]
    assert (blind != true).any()
    np.testing.assert_array_equal(np.sort(blind, axis=0), np.sort(true, axis=0))
    with pytest.raises(InputError, match=r"features.caption: unknown modality with features 'caption'"):
        simulator.run("shortvideo", "random", **settings, **{"features.caption": "shuffle"})


def test_settings_are_written_and_read_back(tmp_path):
    config = resolve(
        [("scenario", "shortvideo"), ("features", "yes"), ("features.cover", "shuffle"), ("features.all", "keep")]
    )
    assert config == RunConfig(
        scenario="shortvideo", features=True, blinded_features={"cover": "shuffle", "all": "keep"}
    )
    path = tmp_path / "config.yaml"
    path.write_text(config.to_yaml())
    assert RunConfig.from_yaml(path) == config
    assert "features.cover=shuffle" in config.to_arguments()
    resumed = resumed_config(RunConfig(resume=tmp_path), {})
    assert resumed == replace(config, output=tmp_path, resume=tmp_path)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("features.covr=shuffle", "unknown modality with features 'covr'; did you mean cover?"),
        ("features.likes=shuffle", "unknown modality with features 'likes'"),
        ("features.cover=blur", "features.cover = blur; expected one of shuffle, noise, remove, keep"),
        ("feature.cover=noise", "unknown setting 'feature.cover'; did you mean "),
        ("features.=noise", "unknown modality with features ''"),
    ],
)
def test_what_is_not_there_is_refused(word, says, tmp_path, capsys):
    begins = word.startswith("features.") and "blur" not in word
    line = refused(
        capsys, "scenario=shortvideo", "recommender=random", "users=50", "items=100", "horizon=2h", word,
        f"output={tmp_path / 'run'}", head=begins,
    )  # fmt: skip
    assert says in line
    assert not (tmp_path / "run").exists()
