"""The setting up of a world: who and what is there at time 0, and what recommenders are handed of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from recommenders.contract import Catalog
from simulator.config import RunConfig
from simulator.plan.compiler import Compiled
from simulator.population.blinded import blinded, blinding
from simulator.population.catalog import draw_catalog
from simulator.population.likeness import likeness
from simulator.population.reservations import with_reservations
from simulator.population.setting import Setting
from simulator.population.users import draw_users


def set_up(config: RunConfig, compiled: Compiled, say: Callable[[str], None]) -> Setting:
    """Make the setting that a configuration asks for: drawn from the scenario, or grounded in a real folder.

    Raises:
        InputError: there is no memory for so much, or the folder cannot be used.
    """
    setting = _grounded_or_drawn(config, compiled, say)
    expecting = with_reservations(setting.compiled, setting.users, setting.catalog.items, config.seed)
    known = {"likeness": likeness(setting.compiled, setting.users, setting.catalog.items)}
    return replace(setting, compiled=expecting, facts=setting.facts | known)


def _grounded_or_drawn(config: RunConfig, compiled: Compiled, say: Callable[[str], None]) -> Setting:
    if config.catalog is not None:
        from simulator.grounding.setting import ground_setting  # reads files and estimates: only where it is wanted

        return ground_setting(config, compiled, say)
    defaults = compiled.scenario.defaults
    horizon = config.horizon or defaults.horizon
    catalog = draw_catalog(compiled, config.items or defaults.items, horizon, config.seed)
    users = draw_users(compiled, catalog.items, config.users or defaults.users, config.seed)
    return Setting(compiled, catalog, users, None, horizon, {"catalog": "drawn from the scenario"})


def hand_out(setting: Setting, config: RunConfig) -> tuple[Setting, Catalog]:
    """Return the setting, with what is kept from recommenders among its facts, and the catalog that they are handed.

    Raises:
        InputError: features are to be kept from them that are not there.
    """
    public = setting.catalog.public
    blind = blinding(config.blinded_features, list(public.features))
    if blind:
        setting = replace(setting, facts=setting.facts | {"blinded_features": blind})
    return setting, blinded(public, blind, setting.compiled.names.modalities, config.seed).sealed()
