"""Functions that only kernels call become machine code once: in the kernel that they are linked into.

Numba optimises every function together with all that it calls, and again in each of its callers, and makes machine code
each time. What lies six calls deep would be worked on six times, and only the last of it is run.
"""

from __future__ import annotations

import gc
from typing import Any

from numba.core import compiler, event
from numba.core.codegen import JITCodeLibrary


class _Linked(JITCodeLibrary):
    """Code to be linked into a kernel, as it was written: nothing of it can be called, and it needs no environment."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()  # type: ignore[no-untyped-call]
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        return 0

    @property
    def codegen(self) -> _Linked:
        """Return who keeps a function's environment."""
        return self

    def set_env(self, env_name: str, env: Any) -> None:
        pass


class LinkedCompiler(compiler.Compiler):
    """Numba's compiler, for functions that are linked into kernels and not called by themselves."""

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *rest: Any) -> None:
        linked = library or _Linked(targetctx.codegen(), "linked")  # type: ignore[no-untyped-call]
        super().__init__(typingctx, targetctx, linked, *rest)  # type: ignore[no-untyped-call]


class _Undisturbed(event.Listener):
    """No collection of garbage while a kernel is compiled: it finds little in a million objects, again and again."""

    def __init__(self) -> None:
        self._depth, self._collects = 0, False

    def on_start(self, event: Any) -> None:
        if self._depth == 0:
            self._collects = gc.isenabled()
            gc.disable()
        self._depth += 1

    def on_end(self, event: Any) -> None:
        self._depth -= 1
        if self._depth == 0 and self._collects:
            gc.enable()


event.register("numba:compile", _Undisturbed())  # type: ignore[no-untyped-call]
