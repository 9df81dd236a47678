"""How the engine's hot loops are compiled: one typed decorator, one on-disk cache.

Numba's own cache notices an edit only in the file that holds a kernel, not in the files that the kernel calls into.
The cache folder is therefore named by a hash of all source that can end up in a kernel; a second process with the
same source compiles nothing. Import this module before numba.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@cache
def source_hash() -> str:
    """Return the hash of the source of engine and recommenders, as it was when first asked (16 hexadecimal digits)."""
    digest = hashlib.sha256()
    here = Path(__file__).resolve().parents[2]
    for package in (here, here.parent / "recommenders"):
        for file in sorted(package.rglob("*.py")):
            digest.update(file.relative_to(here.parent).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Return the folder of the compiled kernels of this source; `NUMBA_CACHE_DIR` in the environment wins."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "beholder" / source_hash()


os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())

import numba  # noqa: E402  (the folder has to be named before numba reads its settings)

from simulator.engine.jit.linking import LinkedCompiler  # noqa: E402  (imports numba)

numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # type: ignore[attr-defined]  # numba may have been imported before


# Strict floating point. No reference counts (_nrt): kernels allocate nothing, and counting doubled their time.
# No entry from C, which nothing uses.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
_LINKED: dict[str, Any] = {"no_cpython_wrapper": True, "pipeline_class": LinkedCompiler}


_SCALARS: dict[str, Any] = {
    "int": numba.types.int64,
    "float": numba.types.float64,
    "bool": numba.types.boolean,
    "np.int64": numba.types.int64,
    "np.uint32": numba.types.uint32,
    "np.uint64": numba.types.uint64,
}


def _compiled(function: F, **options: Any) -> F:
    """Compile for numbers of the types that the function's annotations name, whatever other kernels hand over.

    Numba would compile a function anew for every mixture of integers that it is called with, and for every literal
    number: half of all time that compilation took.
    """
    compiled: Any = numba.njit(**{**_OPTIONS, **options})(function)
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    declared = [_SCALARS.get(function.__annotations__.get(name, "")) for name in names]
    general = compiled.get_call_template

    def get_call_template(args: Any, kws: Any) -> Any:
        typed = [given if own is None else own for given, own in zip(args, declared[: len(args)], strict=True)]
        return general(tuple(typed), kws)

    compiled.get_call_template = get_call_template
    found: F = compiled
    return found


def kernel(function: F) -> F:
    """Compile a module-level function: cached on disk, no global lock, strict floating point, numpy division.

    Machine code of its own it gets only where Python calls it; in other kernels it is as an `internal` function.
    """
    compiled: Any = _compiled(function, cache=True)
    within: Any = internal(function)
    compiled.get_call_template, compiled.get_overload = within.get_call_template, within.get_overload
    found: F = compiled
    return found


def part(function: F) -> F:
    """Compile a part of a kernel to be called at its address (see `function_pointers`): cached as kernels are."""
    return _compiled(function, cache=True, no_cpython_wrapper=True)


def internal(function: F) -> F:
    """Compile a function that only kernels call.

    It gets no entry from Python, and becomes machine code as a part of the kernels (`simulator.engine.jit.linking`).
    """
    return _compiled(function, **_LINKED)


def inlined(function: F) -> F:
    """Compile a function into the kernels that call it; it cannot be called from Python.

    For steps that take many arrays beside groups of tables: passed one by one they would cost more than the step does.
    LLVM puts them in place. Numba's own `inline="always"` compiles them anew for every call, stops at 30 arguments, and
    leaves out writes to an array that it believes nobody to read.
    """
    return _compiled(function, **_LINKED, forceinline=True)
