"""What the command line says about the recommenders: their names, and the settings of one."""

from __future__ import annotations

import inspect

from recommenders.contract.settings import Choice, type_name
from recommenders.registry import accepted_parameters, available, find


def list_text(name: str | None = None) -> str:
    """List all recommenders, one per line, or all settings of one."""
    if name is not None:
        return _settings_text(name)
    lines = []
    for each in available():
        cls = find(each)
        first = (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " ")
        settings = ", ".join(accepted_parameters(cls)) or "none"
        lines.append(f"{each:<16} {first}\n{'':<16} settings: {settings}")
    return "\n".join(lines) + "\n\npython -m recommenders list NAME tells of one's settings\n"


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
