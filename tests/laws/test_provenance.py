"""Law 5: numbers carry provenance, and reports list what they assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import simulator
from simulator.errors import InputError
from simulator.scenario.checks.check import check_scenario
from simulator.scenario.load import available_scenarios, load_scenario
from simulator.scenario.schema.targets import role_of
from tests.laws.harness import edited, runnable

PROVENANCES = {"sourced", "calibrated", "estimate"}
FIELDS = {"value", "dist", "profile"}


def _file(name: str) -> dict[str, object]:
    return yaml.safe_load(Path(str(load_scenario(name).path)).read_text())


def _numbers(value: object, path: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    """Everything in a file that is written as a number of the world: it has a value, a distribution or a profile."""
    if isinstance(value, dict):
        if value.keys() & FIELDS and not isinstance(value.get("value"), dict) and not path.startswith("targets."):
            yield path, value
        else:
            for key, each in value.items():
                yield from _numbers(each, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _numbers(each, f"{path}.{index}")


@pytest.mark.parametrize("name", available_scenarios())
def test_every_number_says_where_it_comes_from(name):
    numbers = dict(_numbers(_file(name)))
    assert len(numbers) > 100
    for path, claim in numbers.items():
        assert claim.get("from") in PROVENANCES, path
        assert claim.get("unit"), path
        if claim["from"] != "estimate":
            assert claim.get("see"), path
    check_scenario(load_scenario(name))  # which looks every source up


@pytest.mark.parametrize("name", available_scenarios())
def test_no_claim_about_the_world_hides_among_plain_numbers(name):
    """A real number without provenance is a setting; they are few, and known."""
    plain = Counter()

    def walk(value: object, key: str) -> None:
        if isinstance(value, dict):
            if value.keys() & FIELDS and not isinstance(value.get("value"), dict):
                return
            for inner, each in value.items():
                walk(each, str(inner))
        elif isinstance(value, list):
            for each in value:
                walk(each, key)
        elif isinstance(value, float):
            plain[key] += 1

    walk({k: v for k, v in _file(name).items() if k != "targets"}, "")
    assert not plain, f"numbers with a fraction and without provenance: {dict(plain)}"


@pytest.mark.parametrize("name", runnable())
def test_the_manifest_counts_what_a_run_rests_on(name):
    """Bounds of verdicts are choices: no run rests on them."""
    result = simulator.run(name, "random", users=20, items=40, horizon="1h", log="metrics")
    claims = [claim for path, claim in _numbers(_file(name)) if not path.startswith("verdicts.")]
    counted = Counter(str(claim["from"]) for claim in claims)
    assert result.manifest["provenance"] == {kind: counted[kind] for kind in sorted(PROVENANCES)}
    assert sum(result.manifest["provenance"].values()) == len(claims)


@pytest.mark.parametrize("name", runnable())
def test_the_manifest_lists_targets_with_source_and_role(name):
    result = simulator.run(name, "random", users=20, items=40, horizon="1h", log="metrics")
    targets = result.manifest["targets"]
    assert set(targets) == set(_file(name).get("targets", {}))
    for target, told in targets.items():
        assert told["role"] == role_of(target)
        assert told["see"] in load_scenario(name).sources


def test_the_manifest_names_the_setting_and_what_the_engine_was():
    manifest = simulator.run("shortvideo", "random", users=20, items=40, horizon="1h", log="metrics").manifest
    assert manifest["setting"]
    assert manifest["scenario"]["hash"] == load_scenario("shortvideo").hash
    assert len(manifest["versions"]["engine"]) == 16


@pytest.mark.parametrize(
    ("number", "wrong"),
    [
        ({"value": 0.1, "unit": "share"}, "from"),
        ({"value": 0.1, "unit": "share", "from": "guess"}, "guess"),
        ({"value": 0.1, "unit": "share", "from": "sourced"}, "see"),
        ({"value": 0.1, "unit": "share", "from": "sourced", "see": "nowhere"}, "nowhere"),
        ({"value": 0.1, "unit": "share", "from": "calibrated", "see": "no_such_target"}, "no_such_target"),
        (0.1, "0.1"),
    ],
)
def test_a_number_without_provenance_is_refused(number, wrong, tmp_path):
    path = edited(tmp_path, {"supply.fresh": number})
    with pytest.raises(InputError, match=wrong) as caught:
        check_scenario(load_scenario(path))
    assert "supply.fresh" in str(caught.value)
