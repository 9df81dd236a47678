"""Which of the platform's records a run needs for those who learn from them: all, or what may be a positive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recommenders.contract import Catalog, Label, Recommender, least_values
from simulator.engine.tables.tables import EVERY_EVENT

NO_LEAST = np.empty(0)
"""In place of values that rows need: they need none."""


@dataclass(frozen=True)
class NeededRows:
    """Records that count as positives by one of several labels, and perhaps a few that do not.

    Attributes:
        labels: what counts.
        names: names of the codes of records.
        catalog: with the columns that labels name.
    """

    labels: tuple[Label, ...]
    names: Mapping[str, tuple[str, ...]]
    catalog: Catalog

    @cached_property
    def events(self) -> npt.NDArray[np.uint8]:
        """Return flags of the events of these records, by their codes, as in `Output.wanted`."""
        named = {event for label in self.labels for event in label.events}
        flags = np.zeros_like(EVERY_EVENT)
        flags[[code for code, name in enumerate(self.names["event"]) if name in named]] = 1
        return flags

    @cached_property
    def least(self) -> npt.NDArray[np.float64]:
        """Return the value that a record needs, by its item, (n_items,); NO_LEAST where any may count."""
        if len(self.labels) != 1 or self.labels[0].at_least is None:
            return NO_LEAST
        return np.broadcast_to(least_values(self.labels[0], self.catalog), self.catalog.n_items).astype(np.float64)


def needed_rows(
    learners: Sequence[Recommender], names: Mapping[str, tuple[str, ...]], catalog: Catalog
) -> NeededRows | None:
    """Return what these learners need of the platform's records; None where that may be any of them."""
    labels = {learner.label: None for learner in learners if learner.reads == "positives"}
    if None in labels or any(learner.reads != "positives" for learner in learners):
        return None
    return NeededRows(tuple(label for label in labels if label is not None), names, catalog)
