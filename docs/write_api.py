"""Write docs/api.md: the public names of the project, with their signatures and what their docstrings say first.

    python docs/write_api.py            write the page
    python docs/write_api.py --check    exit code 1 where the page is not what the docstrings say

Signatures are taken from the source, so that the page is the same on every machine.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import math
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/api.md"
PROJECT = ("simulator", "recommenders", "analysis")
WIDE = 100
HEAD = """\
# Public names

What a user of Beholder imports. Everything else may change without notice. This page is written from the docstrings by
`python docs/write_api.py`; more stands in the source that each name links to.
"""
MODULES = (
    "simulator", "simulator.env", "simulator.env.settings", "simulator.env.wrappers", "recommenders.contract",
    "recommenders.registry", "recommenders.check", "analysis",
)  # fmt: skip
CLASSES_ONLY = ("simulator.env.settings",)  # its functions serve its class


def first_paragraph(docstring: str | None) -> str:
    """Return the first paragraph of a docstring in one line, as Markdown."""
    text = " ".join(inspect.cleandoc(docstring or "").split("\n\n")[0].split())
    text = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", text)
    return text.replace("``", "`")


def public_names(module: ModuleType) -> list[str]:
    """Return what a module exports: its `__all__`, or else the classes and functions that it defines."""
    if hasattr(module, "__all__"):
        return sorted((name for name in module.__all__ if not name.startswith("_")), key=str.lower)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or (inspect.isfunction(value) and module.__name__ not in CLASSES_ONLY))
        and value.__module__ == module.__name__
    ]


def home_of(module: ModuleType, name: str) -> ModuleType:
    """Return the module that defines a name which another one exports."""
    value = getattr(module, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        return sys.modules[value.__module__]
    path = getattr(module, "_MODULE_OF", {}).get(name)  # a constant does not know where it is from
    return module if path is None else importlib.import_module(path)


def source_of(value: Any) -> Any:
    """Return the syntax tree of a class or function."""
    return ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]


def call_text(name: str, function: ast.FunctionDef, bound: bool, wide: float = WIDE) -> str:
    """Return a function's signature as it is called, on one line of at most `wide` or with a line per parameter."""
    arguments = function.args
    if bound:
        (arguments.posonlyargs or arguments.args).pop(0)
    after = f" -> {ast.unparse(function.returns)}" if function.returns is not None and name != "__init__" else ""
    return laid_out(name, _parameters(arguments), after, wide)


def _parameters(arguments: ast.arguments) -> list[str]:
    """Return each parameter with its type and default."""
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    found = [_parameter(each, default) for each, default in zip(plain, defaults, strict=True)]
    if arguments.vararg is not None:
        found.append(f"*{_parameter(arguments.vararg, None)}")
    elif arguments.kwonlyargs:
        found.append("*")
    found += [_parameter(each, value) for each, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    if arguments.kwarg is not None:
        found.append(f"**{_parameter(arguments.kwarg, None)}")
    return found


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    kind = f": {ast.unparse(argument.annotation)}" if argument.annotation is not None else ""
    return f"{argument.arg}{kind}" + (f" = {ast.unparse(default)}" if default is not None else "")


def laid_out(name: str, parameters: list[str], after: str = "", wide: float = WIDE) -> str:
    """Return a call on one line where it fits, else with a line per parameter."""
    line = f"{name}({', '.join(parameters)}){after}"
    if len(line) <= wide:
        return line
    return "\n".join([f"{name}(", *(f"    {each}," for each in parameters), f"){after}"])


def class_text(name: str, value: type) -> str:
    """Return how a class is made: by its fields, or by the constructor of the nearest class of the project."""
    for each in value.__mro__:
        if each.__module__.split(".")[0] not in PROJECT:
            continue
        tree = source_of(each)
        for part in tree.body:
            if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                return call_text(name, part, bound=True).removesuffix(" -> None")
        fields = [part for part in tree.body if isinstance(part, ast.AnnAssign) and _is_field(part)]
        if fields and not hasattr(value, "_abc_impl"):
            return laid_out(name, [_field(part) for part in fields])
    return name


def _field(part: ast.AnnAssign) -> str:
    """Return a field with its type and default; a default that is made by a call is not shown."""
    default = (
        "" if part.value is None else " = " + ("..." if isinstance(part.value, ast.Call) else ast.unparse(part.value))
    )
    return f"{ast.unparse(part.target)}: {ast.unparse(part.annotation)}{default}"


def _is_field(part: ast.AnnAssign) -> bool:
    return not ast.unparse(part.target).startswith("_") and "ClassVar" not in ast.unparse(part.annotation)


def members_of(value: type) -> Iterator[tuple[str, str]]:
    """Yield signature and meaning of the public methods and properties that a class itself defines."""
    for part in source_of(value).body:
        if not isinstance(part, ast.FunctionDef) or part.name.startswith("_"):
            continue
        marks = {ast.unparse(each).split(".")[-1] for each in part.decorator_list}
        if "setter" in marks:
            continue
        meaning = first_paragraph(ast.get_docstring(part))
        if marks & {"property", "cached_property"}:
            yield part.name, meaning
        else:
            yield call_text(part.name, part, bound="staticmethod" not in marks, wide=math.inf), meaning


def constant_text(home: ModuleType, name: str) -> tuple[str, str]:
    """Return the assignment of a constant, and what the string below it says."""
    body = ast.parse(inspect.getsource(home)).body
    for part, following in zip(body, [*body[1:], None], strict=True):
        targets = part.targets if isinstance(part, ast.Assign) else [getattr(part, "target", None)]
        if any(isinstance(each, ast.Name) and each.id == name for each in targets):
            said = following.value if isinstance(following, ast.Expr) else None
            text = ast.unparse(part)
            meaning = said.value if isinstance(said, ast.Constant) else ""
            return text if len(text) <= WIDE else f"{name} = ...", first_paragraph(str(meaning))
    return name, ""


def entry(module: ModuleType, name: str) -> list[str]:
    """Return the lines about one name."""
    value, home = getattr(module, name), home_of(module, name)
    source = Path(inspect.getsourcefile(home) or "").resolve().relative_to(ROOT).as_posix()
    members: list[tuple[str, str]] = []
    if inspect.isclass(value):
        text, meaning, members = class_text(name, value), first_paragraph(value.__doc__), list(members_of(value))
    elif inspect.isfunction(value):
        text, meaning = call_text(name, source_of(value), bound=False), first_paragraph(value.__doc__)
    else:
        text, meaning = constant_text(home, name)
    lines = ["", f"### {name}", "", "```text", text, "```", ""]
    lines.append(f"{meaning} ([source](../{source}))" if meaning else f"[source](../{source})")
    if members:
        lines += ["", *(f"- `{signature}`: {said}" for signature, said in members)]
    return lines


def environments() -> list[str]:
    """Return a table of the ids that Gymnasium knows after `import simulator.env`."""
    from gymnasium.envs.registration import registry

    from simulator.env.registration import NAMESPACE

    lines = ["", "| id | scenario |", "|---|---|"]
    for known, spec in sorted(registry.items()):
        if spec.namespace == NAMESPACE:
            lines.append(f"| `{known}` | {spec.kwargs.get('scenario', 'any: `scenario=NAME` or the path of a file')} |")
    return lines


def page() -> str:
    """Return the page."""
    lines = [HEAD.rstrip()]
    for path in MODULES:
        module = importlib.import_module(path)
        lines += ["", f"## {path}", "", first_paragraph(module.__doc__)]
        if path == "simulator.env":
            lines += environments()
        for name in public_names(module):
            lines += entry(module, name)
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write the page, or say whether it is up to date."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"error: {' '.join(arguments)}: unknown; expected nothing or --check\n")
        return 2
    found = page()
    if not arguments:
        PAGE.write_text(found)
    elif not PAGE.exists() or PAGE.read_text() != found:
        sys.stderr.write("docs/api.md is not what the docstrings say; write it anew: python docs/write_api.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))  # this folder's code, wherever it is called from
    sys.exit(main(sys.argv[1:]))
