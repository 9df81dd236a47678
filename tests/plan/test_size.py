"""What a world takes: memory is asked for before any of it is, and a visit has room for all that it may write."""

from __future__ import annotations

import pytest

import simulator
from simulator.engine.visit.advance import room_needed
from simulator.errors import InputError
from simulator.plan import size
from simulator.plan.compiler import compile_scenario
from simulator.population.catalog import draw_catalog
from simulator.population.users import bytes_per_user, draw_users
from simulator.scenario.load import available_scenarios, load_scenario, scenario_from
from simulator.scenario.strict_yaml import load_yaml


@pytest.mark.parametrize("name", available_scenarios())
def test_users_and_items_take_what_is_said(name):
    compiled = compile_scenario(load_scenario(name))
    catalog = draw_catalog(compiled, 400, 86400.0, 1)
    users = draw_users(compiled, catalog.items, 400, 1)
    assert bytes_per_user(users) == pytest.approx(size.bytes_of_user(compiled), rel=0.5)
    kept = sum(array.nbytes for array in catalog.items) / 400
    assert 0.5 * kept < size.bytes_of_item(compiled) < 4 * kept


def test_more_than_there_is_memory_for_is_refused_before_it_is_asked_for():
    compiled = compile_scenario(load_scenario("shortvideo"))
    with pytest.raises(InputError, match=r"items: 2,147,483,646 of them take .* GB of memory; at most .*: there are"):
        draw_catalog(compiled, 2**31 - 2, 86400.0, 1)
    items = draw_catalog(compiled, 40, 86400.0, 1).items
    with pytest.raises(InputError, match=r"users: 4,294,967,294 of them take"):
        draw_users(compiled, items, 2**32 - 2, 1)


def test_the_memory_of_a_container_counts(monkeypatch, tmp_path):
    (tmp_path / "memory.max").write_text("1000000\n")
    monkeypatch.setattr(size, "_LIMIT", tmp_path / "memory.max")
    size.memory.cache_clear()
    try:
        assert size.memory() == 1_000_000
        (tmp_path / "memory.max").write_text("max\n")
        size.memory.cache_clear()
        assert (size.memory() or 1e9) > 1_000_000
    finally:
        size.memory.cache_clear()


def test_a_visit_has_room_for_everything_that_users_may_do():
    scenario = load_scenario("shortvideo")
    assert scenario.path is not None
    usual = compile_scenario(scenario)
    content = load_yaml(scenario.path)
    acts, event = content["respond"]["react"]["acts"], content["observation"]["like"]
    for k in range(20):
        acts[f"act_{k}"], content["observation"][f"act_{k}"] = dict(acts["like"]), dict(event)
    many = compile_scenario(scenario_from(content, sources=scenario.sources))
    assert many.most_responses == usual.most_responses + 20
    slate = usual.largest_slate
    assert room_needed(slate, 0, many.most_responses) - room_needed(slate, 0, usual.most_responses) == 20 * (slate + 2)


def test_memory_that_runs_out_is_one_line(monkeypatch):
    def nothing_left(*_: object) -> None:
        raise MemoryError("Unable to allocate 1.46 TiB for an array")

    monkeypatch.setattr("simulator.setting_up.draw_users", nothing_left)
    with pytest.raises(InputError, match=r"memory: Unable to allocate 1\.46 TiB for an array; fewer users= or items="):
        simulator.run("shortvideo", "random", users=10, items=20, horizon="1h")
