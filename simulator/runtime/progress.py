"""What a run reports of how far it has come."""

from __future__ import annotations

from typing import NamedTuple


class Progress(NamedTuple):
    """Where a run stands.

    Attributes:
        simulated: simulated time reached, in seconds since the start of the run.
        horizon: simulated time at which the run ends, in seconds.
        events: rows written to the truth log so far (counted, also where the log itself is left out).
        wall: seconds of wall time since this process began the run.
        note: what is going on, in a word or two ("fitting itemknn"); empty most of the time.
    """

    simulated: float
    horizon: float
    events: int
    wall: float
    note: str = ""
