"""Going back: what is opened again was had before, nobody recommended it, and what was better is opened more often."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.errors import InputError
from tests.engine.visit.test_picks import ROW, SLATE, written
from tests.laws.harness import number

WORLD: dict[str, Any] = {"users": 200, "items": 150, "horizon": "2d", "first_fit": "1d", "seed": 4}


def again(content: dict[str, Any], probability: float, temperature: float, stage: str = "home") -> None:
    rule = {
        "probability": number(probability, "probability"), "temperature": number(temperature, "utility"),
        "event": "again",
    }  # fmt: skip
    content["browse"][stage] = {**content["browse"][stage], "reopen": rule}
    content["observation"]["again"] = ROW
    for name, entry in (("home", 0.7), ("search", 0.1), ("radio", 0.1)):
        if name in content["stages"]:
            content["stages"][name]["entry"] = number(entry, "share")


def lived(folder: Path, probability: float, temperature: float) -> pd.DataFrame:
    path = written(folder, "audio", again, probability, temperature)
    return simulator.run(path, "random", **WORLD).truth.sort_values("time", kind="stable")


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[float, pd.DataFrame]:
    """Worlds by the temperature of the choice: the best almost always, or anything."""
    return {t: lived(tmp_path_factory.mktemp("again"), 0.6, t) for t in (0.05, 50.0)}


def test_what_is_opened_again_was_had_before_and_was_not_recommended(heard):
    truth = heard[50.0]
    back = truth[truth["event"] == "again"]
    assert len(back) > 60
    assert back["propensity"].isna().all()
    had = truth[truth["event"].isin(["skip", "complete"])].groupby(["user", "item"])["time"].min()
    first = had.loc[pd.MultiIndex.from_frame(back[["user", "item"]])]
    assert (first.to_numpy() <= back["time"].to_numpy()).all()
    shown = set(truth[truth["event"] == "impression"][SLATE].itertuples(index=False, name=None))
    assert not shown & set(back[SLATE].itertuples(index=False, name=None))


def test_it_is_played_and_a_slate_comes_before_the_next(heard):
    truth = heard[50.0]
    back, opened = (truth[truth["event"] == event] for event in ("again", "open"))
    both = back.merge(opened, on=[*SLATE, "item"])
    assert len(both) == len(back)
    assert not both.duplicated(["user", "case_y"]).any()
    for _, own in back.groupby(["user", "session"])["request"]:
        assert (np.diff(own.astype(int)) > 1).all()


def test_the_better_it_was_the_more_often_it_is_opened_again(heard):
    best, any_of_them = (heard[t][lambda rows: rows["event"] == "again"]["utility"].mean() for t in (0.05, 50.0))
    assert best > any_of_them + 0.3


def test_some_go_back_in_a_later_visit(heard):
    truth = heard[50.0]
    back = truth[truth["event"] == "again"]
    played = truth[truth["event"].isin(["skip", "complete"])]
    earlier = back.merge(played, on=["user", "item"], suffixes=("", "_then"))
    assert (earlier["session_then"] < earlier["session"]).any()


def no_way(content: dict[str, Any]) -> None:
    again(content, 0.0, 1.0)
    del content["browse"]["home"]["reopen"], content["observation"]["again"]


def test_who_never_goes_back_lives_as_if_there_was_no_way(tmp_path):
    short = WORLD | {"horizon": "12h", "first_fit": "6h"}
    logs = [
        simulator.run(path, "random", **short).manifest["log"]["truth"]
        for path in (written(tmp_path / "a", "audio", again, 0.0, 1.0), written(tmp_path / "b", "audio", no_way))
    ]
    assert logs[0] == logs[1]
    assert logs[0]["rows"] > 1000


def test_a_way_back_to_what_nobody_remembers_is_refused(tmp_path):
    path = written(tmp_path, "news", again, 0.5, 1.0, "front")
    with pytest.raises(InputError, match=r"browse\.front\.reopen: nothing is remembered item by item"):
        simulator.run(path, "random", users=5, items=30, horizon="1h", first_fit="20min")
