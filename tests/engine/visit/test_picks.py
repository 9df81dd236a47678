"""Several picks from one slate: a basket from a grid is a case for each item, songs are queued and play in turn."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.errors import InputError
from simulator.scenario.load import load_scenario
from simulator.scenario.strict_yaml import load_yaml
from tests.laws.harness import number

ROW = {"observer": "platform", "probability": number(1, "probability"), "lag": number(1, "s")}
SLATE = ["user", "session", "request"]
SHOP: dict[str, Any] = {"users": 400, "items": 200, "horizon": "6d", "first_fit": "1d", "seed": 4}
RADIO: dict[str, Any] = {"users": 200, "items": 150, "horizon": "12h", "first_fit": "6h", "seed": 4}


def picks(count: float, **more: Any) -> dict[str, Any]:
    return {"number": number(count, "items"), "event": "take", **more}


def shop(content: dict[str, Any], count: float = 3) -> None:
    """From the home grid straight to the checkout, with as many products as somebody is after."""
    content["stages"]["home"] |= {"entry": number(0.999, "share"), "events": {"select": "basket"}}
    content["stages"]["search"]["entry"] = number(0.001, "share")
    content["stages"]["home"]["next"]["select"] = "checkout"
    content["stages"]["checkout"]["next"] = {"confirm": "exit", "abandon": "home"}
    content["stages"]["checkout"]["events"] = {"confirm": "order", "abandon": "abandon"}
    content["stages"]["checkout"].pop("wait")
    for key in ("basket", "bracket", "defer"):
        content["commit"]["checkout"].pop(key)
    for stage in ("spare", "tried"):
        del content["stages"][stage], content["fulfil"][stage]
    content["user"] |= {"intents": {}, "groups": {}}
    content["browse"]["home"] = dict(content["browse"]["home"])  # the file says that other stages are as this one
    home, checkout = content["browse"]["home"], content["commit"]["checkout"]
    for block, fixed, value in ((home, "outside_option", 0.3), (checkout, "threshold", -1.0)):
        block.pop("search_cost", None)
        block[fixed] = number(value, "utility")
    home["picks"] = picks(count)
    content["observation"] |= {"take": ROW, "basket": ROW}
    del content["observation"]["defer"]
    content["measures"] = ["impressions", "visits"]
    for target in content["targets"].values():  # what they are compared with does not happen here
        target.pop("measure", None)


def queue(content: dict[str, Any], count: float | None = 3) -> None:
    """From the shelves, songs are queued, and play one after the other."""
    seldom = dict.fromkeys(("queue", "show_page"), number(0.001, "share"))
    content["stages"]["react"]["next"]["continue"] = {"home": number(0.998, "share"), **seldom}
    content["stages"]["home"]["entry"] = number(0.997, "share")
    for name in ("search", "radio", "mix"):
        content["stages"][name]["entry"] = number(0.001, "share")
    if count is not None:
        content["browse"]["home"] = {**content["browse"]["home"], "picks": picks(count)}
        content["observation"]["take"] = ROW
    content["measures"] = ["impressions", "visits"]
    for target in content["targets"].values():  # what they are compared with does not happen here
        target.pop("measure", None)


def written(folder: Path, name: str, edit: Callable[..., None], *settings: Any) -> Path:
    original = Path(str(load_scenario(name).path))
    content = load_yaml(original, name)
    edit(content, *settings)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "edited.yaml").write_text(json.dumps(content))
    shutil.copy(original.with_name(f"{name}.sources.yaml"), folder / "edited.sources.yaml")
    return folder / "edited.yaml"


@pytest.fixture(scope="module")
def bought(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = written(tmp_path_factory.mktemp("shop"), "ecommerce", shop)
    return simulator.run(path, "random", **SHOP).truth.sort_values("time", kind="stable")


def test_what_is_taken_was_shown_there_and_never_more_than_somebody_is_after(bought):
    taken = bought[bought["event"] == "take"]
    assert len(taken) > 200
    shown = bought[bought["event"] == "impression"].set_index([*SLATE, "position", "item"])
    same = shown.loc[pd.MultiIndex.from_frame(taken[[*SLATE, "position", "item"]])]
    assert np.array_equal(same["propensity"], taken["propensity"])
    assert np.array_equal(same["belief"], taken["belief"])
    assert (taken["propensity"] > 0).all()
    sizes = taken.groupby(SLATE).size()
    assert (sizes > 1).mean() > 0.3
    assert (sizes == 3).mean() > 0.2


def test_a_basket_is_one_decision_and_a_case_for_each_item(bought):
    orders = bought[bought["event"] == "order"]
    assert len(orders) > 100
    baskets = orders.groupby([*SLATE, "time"])
    assert baskets.size().max() == 3
    assert baskets["parent_case"].apply(lambda own: own.isna().sum() == 1).all()
    for _, basket in baskets:
        first = basket["case"][basket["parent_case"].isna()].iloc[0]
        assert (basket["parent_case"].dropna() == first).all()
    taken = set(bought[bought["event"] == "take"][[*SLATE, "position", "item"]].itertuples(index=False, name=None))
    assert set(orders[[*SLATE, "position", "item"]].itertuples(index=False, name=None)) <= taken
    assert not orders.duplicated(["user", "case"]).any()
    reserved = bought[bought["event"] == "reserved"].merge(orders, on=["user", "case"], suffixes=("", "_order"))
    assert (reserved["item"] == reserved["item_order"]).all()
    assert reserved["parent_case"].notna().sum() > 20
    assert reserved["parent_case"].equals(reserved["parent_case_order"])
    assert (orders["value"] > 0).all()  # its own price
    assert orders.groupby([*SLATE, "time"])["value"].nunique().max() > 1


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[float | None, pd.DataFrame]:
    found = {}
    for count in (None, 1, 3):
        path = written(tmp_path_factory.mktemp(f"queue{count}"), "audio", queue, count)
        truth = simulator.run(path, "random", **RADIO).truth
        found[count] = truth.sort_values(["time", "user", "event", "position"], kind="stable")
    return found


def test_who_is_after_one_takes_what_they_would_have_selected(heard):
    """Everything else in the world is the same to the last bit."""
    one, none = heard[1], heard[None]
    assert (one["event"] == "take").sum() == (one["event"] == "open").sum() > 100
    rest = one[one["event"] != "take"].reset_index(drop=True)
    for name in none.columns:
        left, right = rest[name].to_numpy(), none[name].reset_index(drop=True).to_numpy()
        assert np.array_equal(left.astype(str), right.astype(str)), name


def test_what_is_queued_plays_in_turn(heard):
    truth = heard[3]
    taken, opened = (truth[truth["event"] == event] for event in ("take", "open"))
    both = taken.merge(opened, on=[*SLATE, "position", "item"], suffixes=("", "_open"))
    assert len(both) > 0.6 * len(taken)  # who leaves leaves the rest behind
    assert len(both) > 0.95 * len(opened)  # few are from the queue of the radio, or from the page of a show
    assert (both["time_open"] >= both["time"]).all()
    played = truth[truth["event"].isin(["skip", "complete"])].merge(opened, on=[*SLATE, "position"])
    assert (played["item_x"] == played["item_y"]).all()
    later = both.sort_values("time_open").groupby([*SLATE, "time"])["position"]
    assert later.apply(lambda own: own.is_monotonic_increasing).all()
    assert later.size().max() == 3


@pytest.mark.parametrize(
    ("name", "edit", "change", "wrong"),
    [
        ("audio", queue, ("stages", "react", "next", "continue", "home", "radio"), "react.next.continue does not lead"),
        ("ecommerce", shop, ("stages", "home", "next", "select", "detail"), "stages.home.next.select = detail"),
        ("ecommerce", shop, ("browse", "home", "picks", "number", number(40, "items")), "browse.home.picks.number"),
    ],
)  # fmt: skip
def test_picks_that_would_come_to_nothing_are_refused(tmp_path, name, edit, change, wrong):
    path = written(tmp_path, name, edit)
    content = json.loads(path.read_text())
    place = content
    *way, last, value = change
    for key in way:
        place = place[key]
    if last == "home":  # the same share leads elsewhere
        place[value] = place.pop(last)
    else:
        place[last] = value
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=wrong):
        simulator.run(path, "random", users=5, items=30, horizon="1d", first_fit="1d")
