"""The grammar of treatments: what texts, mappings and files compile to, and what is said of those that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.treatments import Level, compile_treatment, hidden, joined, read_clauses
from recommenders.contract.errors import RecommenderError
from simulator import check_scenario
from simulator.config import CHANGE_PREFIX
from simulator.errors import InputError
from simulator.scenario.load import available_scenarios, load_scenario

SHOP = "ecommerce"
BASE = {"users": 5, "recommender": "popularity"}


def changed(settings) -> dict[str, object]:
    return {key.removeprefix(CHANGE_PREFIX): value for key, value in settings.items() if key.startswith(CHANGE_PREFIX)}


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("", {}),
        ("as-it-is", {}),
        ("hide=description", {"scenario.surfaces.detail.shows.inspect":
                              ["image", "title", "price", "rating", "n_reviews", "delivery_date"]}),
        ("hide=n_reviews@results:blank",
         {"scenario.surfaces.results.shows.browse": ["image", "title", "price", "rating", "delivery_date"],
          "scenario.surfaces.results.hidden.phone": []}),
        ("hide=image@home+hide=title@home", {"scenario.surfaces.home.shows.browse": ["price"]}),
        ("noise=image:0.5", {"scenario.modalities.image.tells.style.precision": 3 / 1.5**2,
                             "scenario.modalities.image.tells.fit.precision": 1 / 1.5**2}),
        ("noise=image:0", {}),
        ("serves=home,search", {"scenario.platform.serves": "home,search"}),
        ("label=click", {"scenario.platform.label": "click"}),
        ("features=-image", {"features.image": "shuffle"}),
        ("features=-image,-title:remove", {"features.image": "remove", "features.title": "remove"}),
        ("features.image=noise", {"features.image": "noise"}),
        ("log_from=runs/seen-s{seed}", {"log_from": "runs/seen-s{seed}"}),
        ("recommender=itemknn(neighbors=50)", {"recommender": "itemknn", "recommender.neighbors": 50}),
        ("recommender=itemknn+neighbors=50", {"recommender": "itemknn", "recommender.neighbors": 50}),
        ("recommender=ensemble(members=itemknn+bpr(factors=8))+users=1e+3",
         {"recommender": "ensemble", "recommender.members": "itemknn+bpr(factors=8)", "users": 1000}),
        ("user.leave.base=-3", {"scenario.user.leave.base": -3}),
        ("scenario.user.leave.base=-3+horizon=2d", {"scenario.user.leave.base": -3, "horizon": "2d"}),
    ],
)  # fmt: skip
def test_a_text_compiles_to_settings_of_a_run(text, settings):
    found = compile_treatment(text, SHOP, BASE)
    assert found.settings.keys() == settings.keys()
    for key, value in settings.items():
        assert found.settings[key] == (pytest.approx(value) if isinstance(value, float) else value)
    assert found.name == (text or "as-it-is")


@pytest.mark.parametrize("name", available_scenarios())
def test_every_modality_that_is_shown_can_be_hidden_as_text(name):
    scenario = load_scenario(name)
    for modality in {each for surface in scenario.surfaces.values() for one in surface.shows.values() for each in one}:
        assert changed(compile_treatment(f"hide={modality}", name).settings) == hidden(scenario, modality)


def test_a_mapping_and_a_file_are_diffs_of_the_scenario(tmp_path: Path):
    given = {
        "hide": {"image": ["results", "home"]},
        "noise": {"title": 0.5},
        "features": {"image": "noise"},
        "user": {"leave": {"base": {"value": -3}}},
        "modalities.image.bias": {"dist": "constant", "value": 0, "unit": "utility", "from": "estimate"},
        "scenario": {"platform": {"policies": {"search": {"recommender": "popularity"}}}},
        "label": "click",
    }
    found = dict(compile_treatment(given, SHOP, BASE).settings)
    assert found["scenario.user.leave.base.value"] == -3
    assert found["scenario.modalities.image.bias"] == given["modalities.image.bias"]
    assert found["scenario.platform.policies.search.recommender"] == "popularity"
    assert found["features.image"] == "noise"
    assert "scenario.surfaces.home.shows.browse" in found
    assert "scenario.surfaces.detail.shows.inspect" not in found
    path = tmp_path / "diff.yaml"
    path.write_text("hide: image@home\nuser: {leave: {base: -3}}\n")
    both = compile_treatment(f"{path}+serves=home", SHOP).settings
    assert both == compile_treatment("hide=image@home+user.leave.base=-3+serves=home", SHOP).settings


def test_a_level_takes_the_place_of_what_it_sets():
    base = {"users": 9, "recommender": "ease", "recommender.largest": 3, "label": "order"}
    level = compile_treatment("recommender=itemknn(neighbors=5)+label=click", SHOP, base)
    assert level.over(base) == {"users": 9, "scenario.platform.label": "click", "recommender": "itemknn",
                                "recommender.neighbors": 5}  # fmt: skip
    assert Level("none").over({"users": 9}) == {"users": 9}


def test_what_goes_on_by_a_hidden_modality_is_noted():
    note = "sorting.best_rated still goes by it"
    assert compile_treatment("hide=rating", SHOP).notes == (note,)
    assert compile_treatment("hide=rating@results", SHOP).notes == ("rating is still shown on detail, also_bought",)
    assert compile_treatment("hide=rating@results+hide=rating", SHOP).notes[1:] == (note,)


def test_treatments_are_joined_to_one_that_is_checked_as_a_whole():
    image, title = (compile_treatment(f"hide={name}@home", SHOP) for name in ("image", "title"))
    assert joined([image, title], SHOP, {}).settings == {"scenario.surfaces.home.shows.browse": ["price"]}
    twice = [Level("a", {"users": 3}), Level("b", {"users": 4})]
    with pytest.raises(InputError, match=r"treatment a \+ b: users is given twice"):
        joined(twice, SHOP, {})
    check_scenario(load_scenario(SHOP, changed(joined([image, title], SHOP, {}).settings)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hide=imge", "unknown modality 'imge'; did you mean image?"),
        ("hide=image@reslts", "unknown surface 'reslts'; did you mean results?"),
        ("hide=image,title@also_bought", "also_bought does not show title; expected one of results"),
        ("hide=image@checkout", "checkout does not show image; expected one of results, home"),
        ("hide=description+hide=description", "no surface shows description"),
        ("hide=image,", "hide=image, has an empty part"),
        ("hide=image@results:reflowed", "how many cards fit on a screen once the slot is closed; say it yourself: "
                                        "hide=...+surfaces.results.visible.phone=CARDS"),
        ("hide=image:blnk", "'blnk'; did you mean blank?"),
        ("noise=price:0.5", "price is read as it stands, and has no precision to lose; expected one of image"),
        ("noise=image", "noise=image; expected by how much misreadings spread further"),
        ("noise=image:-1", "noise=image:-1; expected by how much"),
        ("features=image", "features=image; expected features=-image"),
        ("features=-imge", "unknown modality 'imge'; did you mean image?"),
        ("features=-price", "price has no features, so no recommender reads any; expected one of image, title"),
        ("features=-image:shufle", "'shufle'; did you mean shuffle?"),
        ("usrs=10", "unknown key 'usrs'; did you mean users?"),
        ("usr.leave.base=1", "unknown key 'usr'; did you mean user?"),
        ("user.leve.base=1", "no key 'leve'; did you mean leave?"),
        ("user.leave.base=low", "user.leave.base.value = low; expected a number"),
        ("users=-1", "users = -1"),
        ("seed=3", "seed is no treatment"),
        ("output=x", "output is no treatment"),
        ("recommender=ease+recommender=random", "recommender is given twice"),
        ("users=3+users=4", "users is given twice"),
        ("label=click+scenario.platform.label=order", "scenario.platform.label is given twice"),
        ("label=clic", "platform.label = clic; did you mean click?"),
        ("recommender=itemkn", "unknown recommender 'itemkn'; did you mean itemknn?"),
        ("stages.search.entry=0.9", "shares of entry add up to 1.3"),
        ("hide image", "'hide image' is no part of a treatment; expected key=value"),
        ("absent.yaml", "absent.yaml: no such file"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line_with_the_nearest(text, message):
    with pytest.raises(InputError) as refused:
        compile_treatment(text, SHOP, BASE)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_recommender_that_does_not_take_its_parameters_is_refused():
    with pytest.raises(RecommenderError, match=r"itemknn.neigbors: is no parameter of it; did you mean"):
        compile_treatment("recommender=itemknn(neigbors=3)", SHOP)


def test_a_plus_in_brackets_quotes_and_numbers_belongs_to_the_value():
    assert [each.value for each in read_clauses("recommender=ensemble(members=a+b=c)+label='a+b=c'+x=1e+3")] == [
        "ensemble(members=a+b=c)", "a+b=c", 1000
    ]  # fmt: skip
