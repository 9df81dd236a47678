"""The command that deals two recommenders to the users of one platform, and holds that against two worlds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.commands.words import (
    SIZES,
    going_on,
    names,
    one_of,
    read_settings,
    say,
    say_counted,
    seeds,
    share_reader,
    table_of,
)
from recommenders.command_line import WHERE, read_pairs
from recommenders.contract.settings import Settings, setting, whole_number
from simulator.cli.arguments import read_value
from simulator.cli.signals import to_stderr
from simulator.config import CHANGE_PREFIX, to_path
from simulator.errors import InputError
from simulator.records.run_folder import safe_name, write_atomic

_SIZES = (*SIZES, "first_fit")
_HEADER = [
    "measure",
    "control",
    "treated",
    "one world",
    "low",
    "high",
    "two worlds",
    "low",
    "high",
    "gap",
    "low",
    "high",
]
_COLUMNS = (
    "measure", "control", "treated", "one_world", "one_world_low", "one_world_high", "two_worlds", "two_worlds_low",
    "two_worlds_high", "gap", "gap_low", "gap_high",
)  # fmt: skip


@dataclass(frozen=True)
class AbtestSettings(Settings):
    """What an A/B test takes, besides the settings that all its worlds share."""

    scenario: str = ""
    treatment: str = ""
    control: str = ""
    share: float = setting(0.5, read=share_reader("a share above 0 and below 1, such as 0.5", whole=False))
    seed: tuple[int, ...] = setting(tuple(range(10)), read=seeds)
    measures: tuple[str, ...] = setting((), read=names("measures"))
    workers: int | None = setting(None, read=whole_number(1))
    output: Path | None = setting(None, read=to_path)


def abtest(words: Sequence[str]) -> int:
    """Run an A/B test inside one platform beside two worlds, print and write the table (`abtest`)."""
    given = read_pairs(words, InputError)
    shared = {key: text for key, text in given.items() if key in _SIZES or key.startswith(CHANGE_PREFIX)}
    chosen = read_settings(AbtestSettings, {key: text for key, text in given.items() if key not in shared}, _SIZES)
    for key in ("scenario", "treatment", "control"):
        if not getattr(chosen, key):
            right = (
                'expected scenario=NAME treatment="recommender=A" control="recommender=B"; --help shows all settings'
            )
            raise InputError(WHERE, f"no {key} is given", right)
    scenario = one_of("scenario", chosen.scenario, "seed")
    settings = {key: read_value(key, one_of(key, text, "seed")) for key, text in shared.items()}
    output = chosen.output or Path("runs") / safe_name(f"abtest-{Path(scenario).stem}")
    from analysis import abtest as testing

    asked = (scenario, chosen.treatment, chosen.control, chosen.seed, settings)
    measures, worlds = testing.plan(*asked, chosen.measures, chosen.share)
    to_stderr(f"{len(worlds)} worlds, {len(measures)} measures · to {output}")
    with going_on(output) as stop:
        found = testing.run(
            *asked, output, chosen.workers or os.cpu_count() or 1,
            measures=measures, share=chosen.share, report=say_counted, stop=stop,
        )  # fmt: skip
    write_atomic(output / "abtest.csv", found.to_csv(index=False))
    say(f"{chosen.treatment} less {chosen.control} · {chosen.share:g} of the users of one world, and two worlds\n\n")
    say(table_of(found, _HEADER, _COLUMNS) + "\n\n")
    say("control, treated: means of the two worlds; gap: the effect in one world less that between two\n")
    say(f"{len(chosen.seed)} seeds; 95 % intervals over seeds (Student's t), none of one seed\n")
    say(f"written to {output}\n")
    return 0
