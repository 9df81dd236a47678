"""Reading scenarios: by name from the package ``scenarios``, or by path."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulator.errors import InputError
from simulator.scenario.messages import as_input_error, nearest, shown_value
from simulator.scenario.overrides import with_changes
from simulator.scenario.renamed import renamed_content, renamed_path
from simulator.scenario.schema.scenario import Scenario, content_hash
from simulator.scenario.strict_yaml import load_yaml

_PACKAGE = "scenarios"  # data only, so without __init__.py
_SOURCES = ".sources"


def _folders() -> list[Path]:
    """Return the folders of the packaged scenarios.

    ``importlib.resources.files`` of Python 3.11 fails on a package without ``__init__.py`` under an editable install,
    because such a package's path then holds an entry that is no folder; so the entries are asked for directly.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    entries = spec.submodule_search_locations if spec is not None else None
    return [Path(entry) for entry in entries or () if Path(entry).is_dir()]


def _packaged() -> dict[str, Path]:
    """Return the files of the packaged scenarios by name, sorted; of two the first on the path, as for modules."""
    folders = reversed(_folders())
    files = [file for folder in folders for file in folder.glob("*.yaml") if not file.stem.endswith(_SOURCES)]
    return {file.stem: file for file in sorted(files, key=lambda file: file.stem)}


def available_scenarios() -> list[str]:
    """Return the names of the scenarios that come with the package."""
    return list(_packaged())


def title_of(name: str) -> str:
    """Return the title of a packaged scenario, without checking the whole file: it stands in a line of its own.

    >>> title_of("jobs")
    'Jobs'
    """
    with _packaged()[name].open(encoding="utf-8") as lines:
        found = next(line for line in lines if line.startswith("title:"))
    return found.removeprefix("title:").split("#")[0].strip().strip("'\"")


def _is_path(name_or_path: str) -> bool:
    return "/" in name_or_path or os.sep in name_or_path or name_or_path.endswith((".yaml", ".yml"))


def _read_sources(path: Path, shown: str) -> dict[str, str]:
    """Return the sources beside a scenario; none if the file is not there (then every ``see`` is an error of check)."""
    file = path.with_name(path.stem + _SOURCES + ".yaml")
    if not file.exists():
        return {}
    shown_file = str(Path(shown).with_name(file.name))
    table = load_yaml(file, shown_file)
    for key, text in table.items():
        if not isinstance(text, str):
            raise InputError(shown_file, f"{key} = {shown_value(text)}", "expected a text: where the number comes from")
    return table


def scenario_from(content: dict[str, Any], shown: str = "scenario", sources: dict[str, str] | None = None) -> Scenario:
    """Return a scenario from a table of keys as a file holds it. Raises InputError naming ``shown``, key and value."""
    try:
        scenario = Scenario.model_validate(content)
    except ValidationError as error:
        raise as_input_error(error, shown) from error
    scenario._shown = shown
    scenario._hash = content_hash(content)
    scenario._sources = dict(sources or {})
    return scenario


def load_scenario(name_or_path: str | Path, changes: Mapping[str, object] | None = None) -> Scenario:
    """Read a scenario by name or by path (anything with a slash, or ending in .yaml or .yml).

    ``changes`` are made to the file's content first (``simulator.scenario.overrides``).

    Only the schema is checked here; ``check_scenario`` looks at whether it hangs together. Raises InputError for an
    unknown name (with the nearest and the list), a missing or unreadable file, and whatever the schema forbids.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or _is_path(text):
        path, shown = Path(text), text
    else:
        packaged = _packaged()
        if text not in packaged:
            right = nearest(text, list(packaged)) + ", or a path to a YAML file"
            raise InputError("scenario", f"unknown scenario {text!r}", right)
        path, shown = packaged[text], f"{_PACKAGE}/{text}.yaml"
    renamed = {renamed_path(key): value for key, value in (changes or {}).items()}
    content = with_changes(renamed_content(load_yaml(path, shown), shown), renamed, shown)
    scenario = scenario_from(content, shown, _read_sources(path, shown))
    scenario._path = path.resolve()
    return scenario
