"""Requests that can be answered together: what kind of slates rows wait for, and groups of rows of one kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommenders.contract import Lists
from simulator.plan.compiler import Compiled
from simulator.platform.kernels.sorting import NONE
from simulator.platform.sorting import SortedLists
from simulator.population.parent_rows import Levels

Rows = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int64]


class Kind(NamedTuple):
    """What kind of slates rows wait for."""

    size: int  # items
    level: int  # of candidates
    order: int  # that a list is in; NONE
    server: int  # who makes them: 0 the recommender, else a policy of the platform


class RequestGroup(NamedTuple):
    """Hold pending requests that share slate size, candidate level and sort order, with what each may choose from."""

    chosen: Rows
    candidates: npt.NDArray[np.int32]  # what there is
    several: Lists | None  # the list that each row chooses from; None: all that there is
    criteria: npt.NDArray[np.float32] | None  # (rows, criteria): what their visits ask for; None without criteria
    size: int  # items that a recommender is asked for
    picks: npt.NDArray[np.int32]  # what editors fill, in the first places
    sorting: int  # number of the order that they ask for, which is no matter of a recommender's; NONE

    @property
    def asks(self) -> bool:
        """Return whether a recommender is asked: editors may fill every place."""
        return self.size > 0 and self.sorting == NONE

    @property
    def lists(self) -> Lists:
        """Return the lists that the rows choose from, or the one of all."""
        return Lists.common(self.candidates, len(self.chosen)) if self.several is None else self.several

    def rows(self, first: int, last: int) -> RequestGroup:
        """Return the rows first ... last - 1 of it."""
        if first == 0 and last >= len(self.chosen):
            return self
        several, criteria = self.several, self.criteria
        return RequestGroup(
            self.chosen[first:last],
            self.candidates,
            None if several is None else several.rows(slice(first, last)),
            None if criteria is None else criteria[first:last],
            self.size,
            self.picks,
            self.sorting,
        )


def batched(parts: Iterable[RequestGroup], most: int) -> Iterator[list[RequestGroup]]:
    """Yield groups together, as many at a time as have so many rows in all."""
    here: list[RequestGroup] = []
    rows = 0
    for part in parts:
        if here and rows + len(part.chosen) > most:
            yield here
            here, rows = [], 0
        here.append(part)
        rows += len(part.chosen)
    if here:
        yield here


def kinds_of_slates(
    compiled: Compiled, levels: Levels, sorting: SortedLists | None, servers: Numbers | None
) -> tuple[list[Kind], Numbers]:
    """Return the kinds of slates, and the number of each by stage and order, first without one."""
    stages, found = compiled.plan.stages, list[Kind]()
    of = levels.of(stages["shows_parents"])
    at = np.zeros((len(stages), 1 if sorting is None else 1 + len(sorting.stages)), dtype=np.int64)
    for stage, order in np.ndindex(*at.shape):
        given = order > 0 and sorting is not None and sorting.stages[order - 1, stage]
        server = 0 if given or servers is None else int(servers[stage])
        kind = Kind(int(stages["slate"][stage]), int(of[stage % len(of)]), order - 1 if given else NONE, server)
        if kind not in found:
            found.append(kind)
        at[stage, order] = found.index(kind)
    return found, at
