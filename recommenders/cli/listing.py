"""What the command line says about the recommenders: their names, and the settings of one."""

from __future__ import annotations

import inspect
import re

from recommenders.contract.settings import Choice, type_name
from recommenders.registry import accepted_parameters, available, find

MULTIMODAL = "multimodal"
"""What is said in place of a name for a table of the multimodal models."""


def list_text(name: str | None = None) -> str:
    """List all recommenders, one per line; those that are multimodal, as a table; or all settings of one."""
    if name == MULTIMODAL:
        return _multimodal_text()
    if name is not None:
        return _settings_text(name)
    lines = []
    for each in available():
        cls = find(each)
        first = (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " ")
        settings = ", ".join(accepted_parameters(cls)) or "none"
        lines.append(f"{each:<16} {first}\n{'':<16} settings: {settings}")
    return (
        "\n".join(lines)
        + "\n\npython -m recommenders list NAME tells of one's settings, list multimodal compares those\n"
    )


def _multimodal_text() -> str:
    """Return a table of the recommenders that read features on the trainer, one per line."""
    from recommenders.models.training.model import MultimodalModel

    rows = [("name", "form of features", "new items by", "reproducible", "source")]
    for name in available():
        cls = find(name)
        if issubclass(cls, MultimodalModel):
            source = re.search(r"\(([^()]* \d{4})\)", inspect.getdoc(cls) or "")
            form = str(accepted_parameters(cls)["normalise"].default)
            rows.append((name, form, cls.new_items, cls.reproducibility, source[1] if source else ""))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


def _settings_text(name: str) -> str:
    cls = find(name)
    lines = [f"{name}: {inspect.getdoc(cls) or ''}", "", f"reproducibility: {cls.reproducibility}", ""]
    for each in accepted_parameters(cls).values():
        default = "required" if each.required else f"default {each.default!r}"
        lines.append(f"  {each.name} ({type_name(each.kind)}, {default}): {each.meaning}")
        if isinstance(each.search, Choice):
            lines.append(f"      searched among {', '.join(map(str, each.search.values))}")
        elif each.search is not None:
            how = " by the logarithm" if each.search.log else ""
            lines.append(f"      searched in {each.search.low:g} ... {each.search.high:g}{how}")
    return "\n".join(lines) + "\n"
