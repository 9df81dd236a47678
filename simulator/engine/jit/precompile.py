"""Kernels that are needed a little later compile in a process of their own, while the run begins.

Numba compiles under one lock, so a thread would gain nothing. The kernels come back through the cache on disk. With a
full cache, or a single processor, nothing is started.
"""

from __future__ import annotations

import base64
import importlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from simulator.engine.jit.compile import cache_folder


class BackgroundCompiler:
    """A process that compiles what is ordered, one kernel after the other. It ends with whoever made it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: list[Any] = []  # kernels and rehearsals, in the order in which they will be done
        self._done = 0

    def submit(self, dispatcher: Any, *arguments: Any) -> None:
        """Have a kernel compiled.

        Args:
            dispatcher: a `kernel`, found by its name in its module.
            arguments: what it will be called with, or the like.
        """
        from numba import typeof

        types = tuple(map(typeof, arguments))
        if (os.cpu_count() or 1) < 2 or _cached(dispatcher, types):
            return
        function = dispatcher.py_func
        self._put(dispatcher, compile_kernel, function.__module__, function.__name__, types)

    def warm_up(self, call: Callable[[Any], None], argument: Any) -> None:
        """Have whatever `call(argument)` calls compiled, where other kernels are; left out where it cannot be sent."""
        if self._process is None:
            return
        try:
            pickle.dumps((call, argument))
        except (pickle.PicklingError, AttributeError, TypeError):
            return
        self._put(argument, call, argument)

    def _put(self, what: Any, do: Callable[..., None], *arguments: Any) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what fails there is compiled, and says so, where the kernel is called
                start_new_session=True,  # Ctrl-C is for the run, which stops when its tick is over
            )
        submit = base64.b85encode(pickle.dumps((do, arguments)))
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(submit + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it could not even begin: see `wait`
        self._orders.append(what)

    def wait(self, what: Any) -> None:
        """Wait for a kernel, or for a rehearsal.

        Where that process could not do it, the caller's first call compiles it as any other.
        """
        while any(what is ordered for ordered in self._orders[self._done :]):
            assert self._process is not None
            assert self._process.stdout is not None
            if not self._process.stdout.readline():
                self.close()
                return
            self._done += 1

    def close(self) -> None:
        """Stop: nothing more is needed. What is half done is lost: the cache has whole kernels only."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process, self._orders, self._done = None, [], 0


def _cached(dispatcher: Any, types: tuple[Any, ...]) -> bool:
    """Return whether the cache on disk has a kernel for arguments of these types."""
    from numba.core.caching import IndexDataCacheFile

    implementation = dispatcher._cache._impl
    key = dispatcher._cache._index_key(types, dispatcher.targetctx.codegen())
    base = implementation.filename_base
    for file in cache_folder().rglob(f"{base}.nbi"):
        stamp = implementation.locator.get_source_stamp()
        index = IndexDataCacheFile(str(file.parent), base, stamp)  # type: ignore[no-untyped-call]
        if key in index._load_index():  # type: ignore[no-untyped-call]
            return True
    return False


def compile_kernel(module: str, name: str, types: tuple[Any, ...]) -> None:
    """Compile the kernel of this name for arguments of these types."""
    getattr(importlib.import_module(module), name).compile(types)


def main() -> None:
    """Do what standard input orders, a line each: a pickle, in base 85, of (function, arguments).

    A line goes out for each that is done. When the input ends, nobody needs anything any more.
    """
    orders: queue.Queue[bytes] = queue.Queue()

    def listen() -> None:
        for line in sys.stdin.buffer:
            orders.put(line)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        do, arguments = pickle.loads(base64.b85decode(orders.get().strip()))
        do(*arguments)  # what fails ends this process: the rest is compiled where it is called
        sys.stdout.write("\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
