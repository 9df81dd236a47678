"""A kernel that is needed a little later compiles in a process of its own, while the run begins.

Numba compiles under one lock, so a thread would gain nothing. The kernel comes back through the cache on disk. With
a full cache nothing is started.
"""

from __future__ import annotations

import base64
import importlib
import os
import pickle
import subprocess
import sys
from typing import Any

from simulator.kernel import cache_folder


class Ahead:
    """One kernel on its way, called later with arguments of these types.

    Args:
        dispatcher: a `kernel`, found by its name in its module.
        arguments: what it will be called with, or the like.
    """

    def __init__(self, dispatcher: Any, *arguments: Any) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        function = dispatcher.py_func
        file = f"{function.__module__.rpartition('.')[2]}.{function.__name__}-*.nbi"
        if any(cache_folder().rglob(file)) or (os.cpu_count() or 1) < 2:
            return
        from numba import typeof

        order = (function.__module__, function.__name__, tuple(map(typeof, arguments)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, base64.b85encode(pickle.dumps(order)).decode()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # what fails there is compiled, and says so, where the kernel is called
        )

    def ready(self) -> None:
        """Wait for it. Where that process could not do it, the caller's first call compiles it as any other."""
        if self._process is not None:
            self._process.wait()
            self._process = None


def main() -> None:
    """Compile the kernel that the argument names: a pickle, in base 85, of (module, name, types of its arguments)."""
    module, name, types = pickle.loads(base64.b85decode(sys.argv[1]))
    getattr(importlib.import_module(module), name).compile(types)


if __name__ == "__main__":
    main()
