"""Keys of earlier versions: read with a line that names the new one, in files and on the command line."""

import json
from pathlib import Path

import pytest

from simulator import load_scenario
from simulator.errors import InputError
from simulator.scenario.strict_yaml import load_yaml
from tests.laws.harness import number

OLD = {
    "fooddelivery": [("stages.home.shows_parents", "level"), ("stages.menu.children_of", "within"),
                     ("item_types.main.precisions", "reads")],
    "audio": [("stages.queue.queue_of", "rest_of")],
    "shortvideo": [("stages.react.next.detour", "aside"), ("respond.react.acts.profile_visit.detour", "aside")],
    "jobs": [("choosers.employer.shortlist", "picks"), ("choosers.employer.capacity_of", "room")],
    "news": [("item_types.sport.remembered.revealed_by", "told_by")],
    "ecommerce": [("item_types.apparel.precisions", "reads")],
}  # fmt: skip


def old_file(name: str, folder: Path) -> Path:
    packaged = load_scenario(name).path
    content = load_yaml(packaged)
    for path, old in OLD[name]:
        *above, new = path.split(".")
        place = content
        for key in above:
            place = place[key]
        if new in place:  # of several item types one has it
            place[old] = place.pop(new)
    file = folder / f"{name}.yaml"
    file.write_text(json.dumps(content))  # which is YAML too
    (folder / f"{name}.sources.yaml").write_text(packaged.with_name(f"{name}.sources.yaml").read_text())
    return file


@pytest.mark.parametrize("name", OLD)
def test_old_keys_are_read_as_the_new_ones(name, tmp_path):
    file = old_file(name, tmp_path)
    with pytest.warns(FutureWarning, match=r"the key is called \w+ now"):
        old = load_scenario(file)
    assert old.model_dump() == load_scenario(name).model_dump()
    assert old.hash == load_scenario(name).hash


def test_old_paths_of_changes_are_read_as_the_new_ones():
    with pytest.warns(
        FutureWarning, match=r"scenario\.commit\.checkout\.bar is scenario\.commit\.checkout\.threshold now"
    ):
        changed = load_scenario(
            "fooddelivery", {"commit.checkout.bar": number(1.5, "utility"), "commit.checkout.search_cost": None}
        )
    assert changed.commit["checkout"].threshold.value == 1.5


def test_a_key_under_both_names_is_refused(tmp_path):
    file = old_file("audio", tmp_path)
    file.write_text(file.read_text().replace('"rest_of": "radio"', '"rest_of": "radio", "queue_of": "radio"'))
    with pytest.raises(InputError, match=r"stages\.queue\.rest_of and queue_of"):
        load_scenario(file)
