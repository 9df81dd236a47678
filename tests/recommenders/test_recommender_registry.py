"""Recommenders by name, entry point or import path, and the check of their parameters."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from recommenders import registry
from recommenders.contract import Label, Recommender, RecommenderError
from recommenders.registry import available, create, find


class Odd(Recommender):
    """Takes parameters of several types, one of them without default."""

    name = "odd"

    def __init__(self, depth: int, *, mode: str | None = None, rate: float = 1.0, deep: bool = False) -> None:
        super().__init__()
        self.depth, self.mode, self.rate, self.deep = depth, mode, rate, deep


class Lame:
    """Cannot recommend."""

    def fit(self) -> None:
        """Do nothing."""


HERE = f"{__name__}:Odd"


def test_names_create_recommenders_with_seed_and_label():
    label = Label("like", ("like",))
    knn = create("itemknn", {"neighbors": 7, "shrink": 3}, seed=5, label=label)
    assert (knn.config.neighbors, knn.config.shrink, knn.seed, knn.label) == (7, 3.0, 5, label)
    assert isinstance(knn.config.shrink, float)
    assert create("random", seed=4).seed == 4


def test_an_import_path_needs_no_registration():
    odd = create(HERE, {"depth": 2, "mode": None, "rate": 2, "deep": True})
    assert (odd.depth, odd.mode, odd.rate, odd.deep) == (2, None, 2.0, True)


def test_entry_points_are_found_and_cannot_take_our_names(monkeypatch):
    points = [
        EntryPoint("odd", HERE, registry.ENTRY_POINTS),
        EntryPoint("random", HERE, registry.ENTRY_POINTS),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.ENTRY_POINTS else [])
    assert set(available()) == {*registry._OURS, "odd"}
    assert find("odd") is Odd
    assert find("random").__name__ == "Random"


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("itemkn", {}, r"recommender: 'itemkn' is not known; did you mean 'itemknn'\? there are: ab, asysvd, "),
        ("zzz", {}, "'zzz' is not known; there are: ab, asysvd"),
        ("no_such_package.models:Mine", {}, "cannot import 'no_such_package.models'"),
        ("recommenders.models.neighbors:ItemKN", {}, r"has no class 'ItemKN'; did you mean 'ItemKNN'\?"),
        (f"{__name__}:Lame", {}, "Lame: is no recommender; expected a class derived from"),
        ("itemknn", {"neighbours": 5}, r"itemknn.neighbours: is no parameter of it; did you mean 'neighbors'\? it takes"
         r": neighbors: int = 100, shrink: float = "),
        ("itemknn", {"neighbors": 2.5}, "itemknn.neighbors: is 2.5; expected int"),
        ("itemknn", {"neighbors": True}, "itemknn.neighbors: is True; expected int"),
        ("itemknn", {"shrink": "much"}, "itemknn.shrink: is 'much'; expected float"),
        ("random", {"label": "like"}, "random.label: is no parameter of it; it takes: none"),
        ("contentknn", {}, "contentknn.modality: is missing; it takes: modality: str, centre: bool = True"),
        (HERE, {}, "depth: is missing"),
        (HERE, {"depth": 1, "deep": 1}, "deep: is 1; expected bool"),
        (HERE, {"depth": 1, "mode": 3}, r"mode: is 3; expected str \| None"),
    ],
)  # fmt: skip
def test_wrong_names_and_parameters_say_what_would_be_right(name, parameters, message):
    with pytest.raises(RecommenderError, match=message):
        create(name, parameters)


def test_naming_recommenders_imports_nothing_heavy():
    heavy = "('numpy', 'numba', 'scipy', 'pandas', 'pyarrow', 'torch', 'simulator')"
    code = f"import sys, recommenders.registry as r; r.available(); print(*[m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
