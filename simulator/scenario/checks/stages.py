"""Surfaces, and the stages that are on them."""

from __future__ import annotations

from simulator.scenario.checks.rules import Breaches
from simulator.scenario.schema.scenario import Scenario


def surfaces(scenario: Scenario) -> Breaches:
    """Yield surfaces that a device cannot show, or that show something twice or before its time."""
    for name, surface in scenario.surfaces.items():
        key = f"surfaces.{name}"
        for device in scenario.devices:
            if device not in surface.visible:
                right = "expected the number of cards on its screen (0: nothing is seen)"
                yield f"{key}.visible.{device} is missing", right
        for kind, shown in surface.shows.items():
            if len(set(shown)) < len(shown):
                yield f"{key}.shows.{kind} repeats a modality", "expected each once"
        if surface.layout in ("autoplay", "none") and surface.shows.get("browse"):
            wrong = f"{key}.shows.browse on a surface with layout {surface.layout}"
            yield wrong, "expected []: nothing is seen of an item before it starts"
        if surface.editorial is not None and surface.editorial.slots > surface.slate:
            yield f"{key}.editorial.slots = {surface.editorial.slots}", f"expected at most the slate's {surface.slate}"


def screens(scenario: Scenario) -> Breaches:
    """Yield stages without the surface that they need, and surfaces that do not say what a stage shows."""
    for name, stage in scenario.stages.items():
        if stage.about is not None and stage.kind != "browse":
            yield f"stages.{name}.about: a {stage.kind} stage asks for no slate", "expected a browse stage"
        if stage.surface is None:
            if stage.kind in ("browse", "inspect"):
                yield f"stages.{name}.surface is missing", f"a {stage.kind} stage needs a surface"
        elif stage.kind not in scenario.surfaces[stage.surface].shows:
            right = f"stage {name} needs the list of modalities ([]: none)"
            yield f"surfaces.{stage.surface}.shows.{stage.kind} is missing", right
