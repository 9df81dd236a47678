"""Every scenario x stage (and so surface) x device x modality that runs, by what is hidden there and what is read."""

from __future__ import annotations

from typing import NamedTuple

from simulator.engine.tables.tables import Layout, StageKind
from simulator.scenario.life_cycle import beside_visits
from tests.laws.harness import compiled_of, runnable


class Case(NamedTuple):
    """One modality at one stage on one device."""

    name: str  # of the scenario
    stage: int
    device: int
    modality: int

    @property
    def kind(self) -> StageKind:
        """Kind of the stage."""
        return StageKind(compiled_of(self.name).plan.stages["kind"][self.stage])

    @property
    def visible(self) -> bool:
        """Whether the screen shows the modality."""
        return bool(compiled_of(self.name).plan.screens[self.stage, self.device, 0] >> self.modality & 1)

    @property
    def on_a_menu(self) -> bool:
        """Whether the cards are those of a menu or a queue."""
        row = compiled_of(self.name).plan.stages[self.stage]
        return bool(self.kind == StageKind.BROWSE and (row["children_of"] >= 0 or row["queue_of"] >= 0))

    @property
    def never_opened(self) -> bool:
        """Whether it is a menu or a queue on a device without a screen, where nobody can open it."""
        return self.on_a_menu and compiled_of(self.name).plan.screens[self.stage, self.device, 1] == 0

    @property
    def plays_by_itself(self) -> bool:
        """Whether the next item starts without being judged: an autoplay feed, or a device without a screen."""
        plan = compiled_of(self.name).plan
        if self.kind != StageKind.BROWSE or self.on_a_menu:
            return False
        return plan.stages["layout"][self.stage] == Layout.AUTOPLAY or plan.screens[self.stage, self.device, 1] == 0

    @property
    def modality_name(self) -> str:
        """Name of the modality."""
        return compiled_of(self.name).names.modalities[self.modality]

    @property
    def shows_number(self) -> bool:
        """Whether the modality shows a number that is worth something: a price, a promised time, an age."""
        return self.modality_name in compiled_of(self.name).names.attribute_effects

    @property
    def says(self) -> bool:
        """Whether the modality says anything about what an item is worth (a count alone does not)."""
        row = compiled_of(self.name).plan.modalities[self.modality]
        return self.shows_number or bool(row["end_cue"] > row["first_cue"])

    @property
    def readable(self) -> bool:
        """Whether anybody can have time for it, after what comes before it and is read by all.

        What was read on a card costs nothing in later stages, so that only cards can leave no time for anybody.
        """
        plan, modalities = compiled_of(self.name).plan, compiled_of(self.name).scenario.modalities
        left = float(plan.stages["attention"][self.stage])
        seen = int(plan.screens[self.stage, self.device, 0])
        for m, (modality, row) in enumerate(zip(modalities.values(), plan.modalities, strict=True)):
            if m == self.modality:
                return bool(row["reading"] <= left)
            known = self.kind != StageKind.BROWSE
            if (
                seen >> m & 1
                and not known
                and row["salience"] >= 1.0
                and modality.coverage is None
                and modality.types is None
                and row["reading"] <= left
            ):
                left -= float(row["reading"])
        raise AssertionError("no such modality")


def label(case: Case) -> str:
    """Name of a case in reports of tests."""
    names = compiled_of(case.name).names
    return f"{case.name}-{names.stages[case.stage]}-{names.devices[case.device]}-{case.modality_name}"


def _cases() -> list[Case]:
    """All of them; what a case (an order, an application) walks through, nobody looks at."""
    found = []
    for name in runnable():
        names, beside = compiled_of(name).names, beside_visits(compiled_of(name).scenario)
        found += [
            Case(name, stage, device, modality)
            for stage in range(len(names.stages))
            if names.stages[stage] not in beside
            for device in range(len(names.devices))
            for modality in range(len(names.modalities))
        ]
    return found


CASES = _cases()
HIDDEN = [case for case in CASES if not case.visible]
FEEDS = [case for case in CASES if case.plays_by_itself]
RESPOND = [case for case in CASES if case.kind == StageKind.RESPOND]
SEEN = [case for case in CASES if case.visible and not case.plays_by_itself and case.kind != StageKind.RESPOND]
"""Something is read there: not in a feed that plays by itself, and not where users only respond."""
READ = [case for case in SEEN if case.readable]
NO_TIME = [case for case in SEEN if not case.readable]
"""On the screen, and yet nobody ever has the time to read it."""


def of_kind(kind: StageKind) -> list[Case]:
    """Cases in which something that says anything is read, by kind of stage."""
    return [case for case in READ if case.kind == kind and case.says]
