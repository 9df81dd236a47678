"""Show how far a run has come in one line of a terminal.

The engine calls a function with a `Progress` now and then. On a terminal the line is rewritten in place; where the
output is a file or a pipe nothing is shown, so that logs of batch jobs stay short.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self, TextIO

from simulator.runtime.progress import Progress
from simulator.scenario.durations import duration_text

if TYPE_CHECKING:
    from tqdm import tqdm

REFRESH_SECONDS = 0.1


def rate_text(per_second: float) -> str:
    """Return a rate with three figures.

    >>> rate_text(1234567.0), rate_text(45200.0), rate_text(12.0)
    ('1.23 M/s', '45.2 k/s', '12/s')
    """
    if per_second >= 1e6:
        return f"{per_second / 1e6:.3g} M/s"
    if per_second >= 1e3:
        return f"{per_second / 1e3:.3g} k/s"
    return f"{per_second:.0f}/s"


class ProgressLine:
    """Shows `Progress` as one line that rewrites itself; call it with each report.

    Nothing is shown where `stream` is not a terminal. Use it as a context manager: leaving it ends the line.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._bar: tqdm[NoReturn] | None = None
        self._first: Progress | None = None
        self._drawn_at = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, progress: Progress) -> None:
        """Show `progress`, at most ten times a second (a changed note is shown at once)."""
        if not self._stream.isatty():
            return
        if self._bar is None or self._first is None:
            self._bar, self._first = self._open(progress), progress
        # A resumed run starts in the middle: the rate is that of this process, not of the whole run.
        wall = progress.wall - self._first.wall
        rate = (progress.events - self._first.events) / wall if wall > 0 else 0.0
        now = time.monotonic()
        if now - self._drawn_at < REFRESH_SECONDS and progress.simulated < progress.horizon and not progress.note:
            return
        self._drawn_at = now
        parts = [f"{progress.events:,} events", rate_text(rate)]
        if progress.note:
            parts.append(progress.note)
        self._bar.set_description_str(
            f"{duration_text(progress.simulated)} of {duration_text(progress.horizon)}", False
        )
        self._bar.set_postfix_str(" · ".join(parts), False)
        self._bar.n = min(progress.simulated, progress.horizon)
        self._bar.refresh()

    def _open(self, progress: Progress) -> tqdm[NoReturn]:
        from tqdm import tqdm  # here: a run in a pipe or in a notebook does not need it

        return tqdm(
            total=progress.horizon,
            initial=progress.simulated,
            file=self._stream,
            dynamic_ncols=True,
            leave=True,
            bar_format="{desc} {bar:24}{postfix} · left {remaining}",  # tqdm puts ", " before the postfix
        )

    def close(self) -> None:
        """End the line; whatever is printed next starts on a fresh one."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
