"""Which package may know which: arrows point one way, heavy packages load late, and no code names a scenario."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("numba", "torch", "pandas", "pyarrow", "scipy", "sklearn")
# simulator may import these modules of recommenders, and nothing else of it.
CONTRACT = {
    "recommenders.contract", "recommenders.registry",
    "recommenders.members",  # policies of a platform's own, as text
    "recommenders.rehearsal", "recommenders.command_line",
    "recommenders.contract.places",  # what manifests and warnings say of popularity in place of a model
    # what trained agents are told of items and users, in environments as in runs, and the file that says so
    "recommenders.inequality",  # of exposure, as of recommendations
    "recommenders.data",  # one reader of the tables that people bring
    "recommenders.contract.item_encoder", "recommenders.agents.user_features", "recommenders.agents.agent_file",
}  # fmt: skip
# No scenario of the design may be named in code, whether its file is there yet or not. (The others are ordinary words.)
DISTINCTIVE = {"ecommerce", "shortvideo", "fooddelivery"}


def _files(*packages: str) -> list[Path]:
    found = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    assert found, f"no file in {packages}"
    return found


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[str]:
    """Names of all modules that a file imports, at any depth; `from a import b` counts as `a` and `a.b`."""
    package = _module(path).split(".") if path.name == "__init__.py" else _module(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(
                [*(package[: len(package) - node.level + 1] if node.level else []), *filter(None, [node.module])]
            )
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


# The story, from the bottom up: a package may import those of earlier lines, and its own modules.
ORDER = {
    "simulator": (
        "errors version part", "scenario engine", "config plan", "population records", "platform", "runtime",
        "grounding", "setting_up", "world", "api cli env", "__main__ __init__",
    ),
    "recommenders": (
        "contract values inequality", "command_line registry", "members saving", "models", "data compose agents check",
        "rehearsal evaluation", "cli", "__main__ __init__",
    ),
}  # fmt: skip


def _modules(package: str) -> dict[str, Path]:
    return {_module(path): path for path in _files(package)}


def _known_imports(path: Path, known: dict[str, Path]) -> set[str]:
    """The most exact modules that a file imports: of `from a import b`, `a.b` where that is a module."""
    names = {name for name in _imports(path) if name in known} - {_module(path)}
    # A package whose module is imported is not imported for its own sake.
    return {name for name in names if not any(other.startswith(f"{name}.") for other in names)}


@pytest.mark.parametrize("package", ORDER)
def test_no_arrow_runs_back_up(package):
    level = {room: n for n, rooms in enumerate(ORDER[package]) for room in rooms.split()}
    known = _modules(package)

    def room(name: str) -> str:
        return name.split(".")[1] if "." in name else "__init__"

    assert {room(name) for name in known} == set(level), "every package and module has its place in the story"
    back = [
        f"{name} imports {other}"
        for name, path in known.items()
        for other in _known_imports(path, known)
        if other != package and room(other) != room(name) and level[room(other)] >= level[room(name)]
    ]
    assert back == []


@pytest.mark.parametrize("package", [*ORDER, "analysis"])
def test_modules_import_each_other_in_no_circle(package):
    known = _modules(package)
    graph = {name: _known_imports(path, known) for name, path in known.items()}
    while graph:
        leaves = [name for name, others in graph.items() if not others & graph.keys()]
        assert leaves, f"a circle among {sorted(graph)}"
        for name in leaves:
            del graph[name]


def test_the_engine_knows_arrays_and_no_class_of_the_project():
    project = re.compile(r"(simulator(?!\.engine\b)|recommenders|analysis|scenarios)(\..*)?")
    assert _breaches(("simulator/engine",), project) == []


def _breaches(packages: tuple[str, ...], forbidden: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _files(*packages)
        for name in _imports(path)
        if forbidden.fullmatch(name)
    ]


def test_recommenders_know_neither_the_simulator_nor_the_analysis():
    assert _breaches(("recommenders",), re.compile(r"(simulator|analysis)(\..*)?")) == []


def test_the_simulator_does_not_know_the_analysis():
    assert _breaches(("simulator",), re.compile(r"analysis(\..*)?")) == []


def test_the_simulator_knows_only_the_contract_of_recommenders():
    breaches = []
    for path in _files("simulator"):
        names = [name for name in _imports(path) if name == "recommenders" or name.startswith("recommenders.")]
        for name in names:
            allowed = any(name == module or name.startswith(f"{module}.") for module in CONTRACT)
            # `from recommenders import registry` yields "recommenders" too: fine if all that it takes is allowed.
            if not allowed and name != "recommenders":
                breaches.append(f"{path.relative_to(ROOT)} imports {name}")
        if "recommenders" in names and not any(name in CONTRACT for name in names):
            breaches.append(f"{path.relative_to(ROOT)} imports recommenders")
    assert breaches == []


def test_only_the_clock_imports_simpy():
    users = {
        str(path.relative_to(ROOT)) for path in _files("simulator", "recommenders") if "simpy" in set(_imports(path))
    }
    assert users <= {"simulator/runtime/clock.py"}


def test_scenarios_are_data():
    assert list((ROOT / "scenarios").rglob("*.py")) == []
    assert {path.suffix for path in (ROOT / "scenarios").iterdir()} == {".yaml"}


WORDS = {"audio", "jobs", "news"}
"""Names of scenarios that are words of the code as well: a kind of modality, work for threads."""


def test_no_code_names_a_scenario():
    names = DISTINCTIVE | {path.stem for path in (ROOT / "scenarios").glob("*.yaml") if "." not in path.stem}
    names -= WORDS
    pattern = re.compile(rf"\b({'|'.join(sorted(names))})\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _files("simulator", "recommenders")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "import sys; from simulator.__main__ import main; assert main(['--help']) == 0",
        "import sys; from simulator.__main__ import main; assert main(['--list']) == 0",
        "import sys; from simulator.__main__ import main; assert main(['scenario=absent']) == 2",
        "import sys, simulator, simulator.config, simulator.scenario.load, recommenders.registry",
    ],
    ids=["--help", "--list", "bad input", "import"],
)
def test_heavy_packages_are_not_loaded(code):
    heavy = f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{heavy}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize("words", [["--help"], ["--shw"], ["scenario=a", "users=0"]], ids=" ".join)
def test_what_is_said_at_once_needs_neither_arrays_nor_schemas(words):
    code = (
        f"import sys; from simulator.__main__ import main; main({words})\n"
        "print([name for name in ('numpy', 'pydantic') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_lazy_names_are_there_and_unknown_ones_are_not():
    import simulator

    for name in simulator.__all__:
        assert getattr(simulator, name) is not None
        assert name in dir(simulator)
    with pytest.raises(AttributeError, match="has no attribute 'rnu'"):
        _ = simulator.rnu  # type: ignore[attr-defined]
