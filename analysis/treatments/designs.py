"""Lay out experiments: factors with levels, the worlds of a design, and contrasts with one number per seed.

A cell of a design is one level of each factor; a world is a cell with a seed. All cells of a seed share users, items,
tastes and luck, so an effect is a weighted sum of cells within a seed, and its units of inference are the seeds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from typing import Any, Literal

import numpy as np

from analysis.arms import seeded
from analysis.kept_worlds import values
from analysis.statistics import Floats
from analysis.treatments.clauses import AS_IT_IS
from analysis.treatments.grammar import Level, joined
from simulator.errors import InputError, check_known
from simulator.records.run_folder import safe_name

GRID, PAIRED = "grid", "paired"
Cell = tuple[str, ...]
"""One level of each factor, by name, in the order of the factors."""
_LONGEST = 60


@dataclass(frozen=True)
class Factor:
    """Hold one thing that is varied: its name, and its levels, of which the first is the reference."""

    name: str
    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        names = self.names
        if not names or len(set(names)) < len(names):
            raise InputError(f"factor {self.name}", f"levels {', '.join(names) or '(none)'}", "expected each once")

    @property
    def names(self) -> list[str]:
        """Return the names of the levels."""
        return [level.name for level in self.levels]

    @property
    def reference(self) -> str:
        """Return the name of the first level, which the others are compared with."""
        return self.levels[0].name


@dataclass(frozen=True)
class DesignWorld:
    """Hold one world of a design.

    Attributes:
        place: name of its folder or file.
        cell: level of each factor.
        seed: of the world.
        settings: as `simulator.run` takes them, the seed among them.
    """

    place: str
    cell: Cell
    seed: int
    settings: Mapping[str, object]


@dataclass(frozen=True)
class Contrast:
    """Hold a weighted sum of cells: an effect.

    Attributes:
        name: in words: `image: hidden - shown`.
        order: how many factors differ: 1 for an effect, 2 for a difference of differences, 0 for a mean.
        weights: of cells, none of them zero.
    """

    name: str
    order: int
    weights: Mapping[Cell, float]


@dataclass(frozen=True)
class Design:
    """Hold factors, seeds, and which cells are run.

    Attributes:
        factors: any number, in the order of a cell's levels.
        seeds: of the worlds; the same for all cells.
        kind: GRID for all combinations of levels; PAIRED for each level alone, all other factors at their first.
    """

    factors: tuple[Factor, ...]
    seeds: tuple[int, ...]
    kind: Literal["grid", "paired"] = "grid"

    def __post_init__(self) -> None:
        check_known("design", "kind", [self.kind], (GRID, PAIRED))
        for what, found in (("factor", [factor.name for factor in self.factors]), ("seed", list(self.seeds))):
            if len(set(found)) < len(found) or (what == "seed" and not found):
                raise InputError("design", f"{what}s {', '.join(map(str, found)) or '(none)'}", "expected each once")
        places = [self.place(cell) for cell in self.cells]
        if len(set(places)) < len(places):
            twice = next(place for place in places if places.count(place) > 1)
            raise InputError("design", f"two cells would share the place {twice}", "give a level another name")

    @property
    def reference(self) -> Cell:
        """Return the cell in which every factor is at its first level."""
        return tuple(factor.reference for factor in self.factors)

    @property
    def cells(self) -> list[Cell]:
        """Return the cells that are run, the last factor varying fastest."""
        cells = [tuple(cell) for cell in product(*(factor.names for factor in self.factors))]
        if self.kind == GRID:
            return cells
        return [cell for cell in cells if sum(a != b for a, b in zip(cell, self.reference, strict=True)) <= 1]

    def place(self, cell: Cell, seed: int | None = None) -> str:
        """Return the name of a cell's worlds, or of one of them; levels that do nothing are left out."""
        names = [name for name in cell if name != AS_IT_IS] or [AS_IT_IS]
        place = "-".join(map(_short, names))
        return place if seed is None else f"{place}-s{seed}"

    def level(self, cell: Cell, scenario: str, base: Mapping[str, object]) -> Level:
        """Return what is done to a cell's worlds: its levels as one treatment, compiled and checked together.

        Args:
            cell: level of each factor.
            scenario: name or path.
            base: settings of all worlds.

        Raises:
            InputError: two levels set one thing, or the scenario does not hang together with all of them.
        """
        levels = [f.levels[f.names.index(name)] for f, name in zip(self.factors, cell, strict=True)]
        return joined([level for level in levels if level.settings], scenario, base)

    def worlds(self, scenario: str, base: Mapping[str, object]) -> list[DesignWorld]:
        """Return all worlds, in order of cells, then seeds. `{seed}` in a text of a setting stands for the world's.

        Args:
            scenario, base: as in `level`, which says what is raised.
        """
        found = []
        for cell in self.cells:
            settings = self.level(cell, scenario, base).over(base)
            for seed in self.seeds:
                own = {**seeded(settings, seed), "seed": seed}
                found.append(DesignWorld(self.place(cell, seed), cell, seed, own))
        return found

    def contrast(
        self,
        of: Mapping[str, str | tuple[str, str]] | Sequence[str] = (),
        at: Mapping[str, str] | None = None,
    ) -> Contrast:
        """Return the effect of one factor, or the interaction of several: a difference of differences of any order.

        Args:
            of: factors that differ, each with the level that is looked at, or (level, level that it is compared with);
                a name alone stands for the second level. Compared with the first level unless said.
            at: factors that are held at a level; over all others the effect is averaged, each level counting the same
                (in a paired design they are held at their first).

        Raises:
            InputError: a factor or level is unknown, stands in both, or a cell that is needed is not run.
        """
        chosen = self._chosen(of)
        held = dict(at or {})
        check_known("contrast", "factor", [*chosen, *held], [factor.name for factor in self.factors])
        parts: list[dict[str, float]] = []
        for factor in self.factors:
            if factor.name in chosen and factor.name in held:
                raise InputError("contrast", f"{factor.name} is both compared and held", "expected one of both")
            if factor.name in chosen:
                level, against = chosen[factor.name]
                check_known(f"contrast of {factor.name}", "level", [level, against], factor.names)
                if level == against:
                    raise InputError("contrast", f"{factor.name}: {level} against itself", "expected two levels")
                parts.append({level: 1.0, against: -1.0})
            elif factor.name in held or self.kind == PAIRED:
                level = held.get(factor.name, factor.reference)
                check_known(f"contrast at {factor.name}", "level", [level], factor.names)
                parts.append({level: 1.0})
            else:
                parts.append(dict.fromkeys(factor.names, 1.0 / len(factor.names)))
        weights = {tuple(cell): prod(part[name] for part, name in zip(parts, cell, strict=True))
                   for cell in product(*parts)}  # fmt: skip
        there = set(self.cells)
        for cell in weights:
            if cell not in there:
                right = f"expected a {GRID}, or effects of single factors"
                raise InputError("contrast", f"the design is {self.kind} and has no {' + '.join(cell)}", right)
        names = [f"{factor}: {level} - {against}" for factor, (level, against) in chosen.items()]
        name = names[0] if len(names) == 1 else " x ".join(f"({each})" for each in names)
        where = ", ".join(f"{factor} = {level}" for factor, level in held.items())
        return Contrast(f"{name or 'mean'}{f' at {where}' if where else ''}", len(chosen), weights)

    def contrasts(self, order: int = 2) -> list[Contrast]:
        """Return the effect of each level against its factor's first, then interactions of up to `order` factors."""
        orders = range(1, (1 if self.kind == PAIRED else min(order, len(self.factors))) + 1)
        return [
            self.contrast({factor.name: level for factor, level in zip(factors, levels, strict=True)})
            for factors in (group for size in orders for group in combinations(self.factors, size))
            for levels in product(*(factor.names[1:] for factor in factors))
        ]

    def effect(self, contrast: Contrast, found: Mapping[str, Mapping[str, Any]], measure: str) -> Floats:
        """Return a contrast of a measure, one number per seed; NaN where a world that it needs has none.

        Args:
            contrast: of this design.
            found: measures of worlds, by their place.
            measure: its name.
        """
        return self.weighed(contrast, lambda cell: values(found, [self.place(cell, s) for s in self.seeds], measure))

    def weighed(self, contrast: Contrast, of: Callable[[Cell], Floats]) -> Floats:
        """Return a contrast of what `of` says of each cell, one number per seed."""
        total = np.zeros(len(self.seeds))
        for cell, weight in contrast.weights.items():
            total = total + weight * of(cell)
        return total

    def _chosen(self, of: Mapping[str, str | tuple[str, str]] | Sequence[str]) -> dict[str, tuple[str, str]]:
        by_name = {factor.name: factor for factor in self.factors}
        check_known("contrast", "factor", of, by_name)
        if isinstance(of, Mapping):
            return {
                name: (each, by_name[name].reference) if isinstance(each, str) else each for name, each in of.items()
            }
        alone = [name for name in of if len(by_name[name].levels) < 2]
        if alone:
            raise InputError("contrast", f"{alone[0]} has one level", "expected a factor with two or more")
        return {name: (by_name[name].names[1], by_name[name].reference) for name in of}


def _short(name: str) -> str:
    """Return a name as part of a folder's; one that is too long is told apart by a few letters of its hash."""
    safe = safe_name(name)
    return safe if len(safe) <= _LONGEST else f"{safe[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
