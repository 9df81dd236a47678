"""Worlds of which measures are kept: what happens to the others when one fails, and how a command ends then."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import kept_worlds
from analysis.__main__ import main
from analysis.kept_worlds import World, WorldsFailed
from recommenders.contract import RecommenderError
from simulator.errors import InputError

WORLDS = [World(n, f"w{n}", "shortvideo", {"seed": n}) for n in range(4)]


def live(world: World[int]) -> dict[str, float]:
    """Fail in the ways in which worlds do: as a recommender, and by a fault of the code."""
    if world.question == 0:
        raise RecommenderError("recommender odd", "cannot learn", "another log")
    if world.question == 2:
        raise ZeroDivisionError("by zero")
    return {"measure": float(world.question)}


def test_a_world_that_fails_leaves_the_others_alone(tmp_path: Path):
    with pytest.raises(WorldsFailed) as caught:
        kept_worlds.run(WORLDS, live, tmp_path, 1)
    assert str(caught.value).splitlines() == [
        "2 of 4 worlds failed",
        "  w0: recommender odd: cannot learn; another log",
        "  w2: ZeroDivisionError('by zero')",
    ]
    assert isinstance(caught.value.__cause__, RecommenderError)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w1.json", "w3.json"]


def test_a_folder_that_can_have_no_such_name_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="expected a folder that you may write to"):
        kept_worlds.run(WORLDS, live, tmp_path / ("a" * 300), 1)


def test_a_command_says_which_worlds_failed_and_how_it_goes_on(tmp_path: Path, capsys):
    words = ["elasticity", "scenario=shortvideo", "modalities=cover", "seed=0", "workers=1", "users=5", "items=20"]
    words += ["horizon=5min", "recommender=contentknn(modality=nix)", f"output={tmp_path}"]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert "worlds failed\n" in said
    assert "as-it-is-s0: recommender contentknn: the catalog has no features of modality 'nix'" in said
    assert f"once that is mended, the same command with output={tmp_path} continues" in said
    with pytest.raises(WorldsFailed):
        main([*words, "--debug"])
