"""How much memory the users and items of a world take, before any of it is asked for."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from simulator.engine.tables import tables as layout
from simulator.engine.tables.case_tables import UNIT, Per
from simulator.errors import InputError
from simulator.plan.compiler import Compiled

_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container, in bytes, or the word max
_DRAWN = 8  # bytes of one uniform number


@cache
def memory() -> int | None:
    """Return the memory of this machine, or of the container, bytes; None where nothing tells."""
    found = []
    if hasattr(os, "sysconf"):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    if _LIMIT.exists() and (text := _LIMIT.read_text().strip()).isdigit():
        found.append(int(text))
    return min(found, default=None)


def check_room(compiled: Compiled, what: str, n: int) -> None:
    """Check that so many users or items (`what`) fit the memory of this machine.

    Raises:
        InputError: what they are, without anything that happens to them, takes more than all of it.
    """
    there = memory()
    each = bytes_of_user(compiled) if what == "users" else bytes_of_item(compiled)
    if there is not None and n * each > there:
        wrong = f"{n:,} of them take {n * each / 1e9:,.1f} GB of memory"
        raise InputError(what, wrong, f"at most {there // each:,}: there are {there / 1e9:,.1f} GB")


def bytes_of_user(compiled: Compiled) -> int:
    """Return the memory that a user takes, bytes."""
    plan, scenario = compiled.plan, compiled.scenario
    topics = scenario.facets[scenario.satiation_facet].clusters
    numbers = compiled.latent_width + int(plan.user_params["first_topic"][0]) + topics + len(plan.attribute_effects)
    numbers += layout.FOLLOWED + len(scenario.promises) + 4  # a place, and where what was sent lately is kept
    own = layout.USER.itemsize + 4 * numbers + _DRAWN
    if (plan.types["kind"] >= 0).any():
        own += layout.PARENTS_REMEMBERED * layout.PARENT_HISTORY.itemsize
    if (plan.types["known"] > 0).any():
        own += layout.ITEMS_REMEMBERED * layout.ITEM_MEMORY.itemsize
    return own + _units_per(compiled, Per.USER) * UNIT.itemsize


def bytes_of_item(compiled: Compiled) -> int:
    """Return the memory that an item takes while it is drawn, bytes, with its share of the creators."""
    names = compiled.names
    width = compiled.latent_width + compiled.content_width
    numbers = 2 * width  # the parts, and all of them side by side
    numbers += 2 * len(names.modalities) + len(names.published_counters) + len(names.attributes) + 2
    numbers += len(compiled.plan.attribute_effects) + len(compiled.scenario.promises)
    own = layout.ITEM.itemsize + 4 * numbers + 2 * _DRAWN + 8 * (1 + len(names.counters))
    of_creator = 4 * max(shape.dimensions for shape in compiled.facets) + _DRAWN
    of_creator += _units_per(compiled, Per.CREATOR) * UNIT.itemsize
    return (
        own
        + _units_per(compiled, Per.ITEM) * UNIT.itemsize
        + round(compiled.scenario.supply.creators.value * of_creator)
    )


def _units_per(compiled: Compiled, per: Per) -> int:
    """Return how many resources there are that have one unit for each of something."""
    return 0 if compiled.world is None else int((compiled.world.resources["per"] == per).sum())
