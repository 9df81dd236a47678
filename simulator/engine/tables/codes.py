"""The numbers that stand for words in tables, rows and keys. A number, once used, keeps its meaning."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Where a visit's row stands."""

    AWAY = 0
    ACTIVE = 1
    NEEDS_SLATE = 2
    GONE = 3


class StageKind(IntEnum):
    """The six kinds of stages."""

    BROWSE = 0
    INSPECT = 1
    COMMIT = 2
    FULFIL = 3
    CONSUME = 4
    RESPOND = 5


class SharedEvent(IntEnum):
    """Events that kernels record of themselves; a code is the place in `simulator.scenario.events.EVENTS`."""

    IMPRESSION = 0
    OPEN = 1
    SEEK = 4
    FOLLOW = 8
    HESITATE = 11
    REJECT = 12
    TOLERATE = 13
    UNATTENDED = 14
    LEAVE = 15


class Layout(IntEnum):
    """How a surface lays items out, and so how they are examined and compared."""

    AUTOPLAY = 0
    GRID = 1
    LIST = 2


class About(IntEnum):
    """The item that a slate is asked for next to."""

    LAST = 1  # what the visit was at before: the article just read, the product just looked at
    SEED = 2  # what the user last chose from cards: the song that a radio began with


OUTCOMES: dict[str, tuple[str, ...]] = {
    "browse": ("select", "exhausted", "leave"),
    "inspect": ("accept", "reject", "leave"),
    "commit": ("confirm", "abandon", "defer"),
    "consume": ("complete", "skip", "pause"),
    "respond": ("continue", "leave", "detour"),
}
"""Outcome numbers of the kinds that visits run; `defer`, `pause` and `detour` need no successor."""


BY_CREATOR = 1 << 20
"""In place of a kind of parent: what is shown is all that one creator made."""


MOST_PICKS = 8
"""Items of a basket at the most."""


class CardColumn(IntEnum):
    """Columns of the scratch table: one row per card of a screen."""

    ATTRACTION = 0  # what enters the comparison: belief, risk, appeal, satiation
    BELIEF = 1
    BELIEF_SD = 2
    ATTENDED = 3
    UTILITY = 4
    EXAMINED = 5


SCRATCH_WIDTH = 6


class AtEnd(IntEnum):
    """What follows the end of a play, whatever its viewer does."""

    UNSAID = 0  # who attends may play it again; what nobody attends to is played over and over
    NEXT = 1  # the next item: who attends may play it again
    AGAIN = 2  # the same item, until its viewer leaves


class Draw(IntEnum):
    """What a draw of `randomness.DECISION` decides, within (user, visit, request, slot)."""

    DEVICE = 0
    ENTRY = 1
    BUDGET = 2
    TOLERANCE = 3
    CHOICE = 4
    SECONDS = 5
    CONTINUE = 6
    ACCEPT = 7
    HESITATE = 8
    UNATTENDED = 9
    UNATTENDED_SECONDS = 10
    JUDGED = 11
    KNOWN = 12
    HAZARD = 13
    TOLERATE = 14
    TOLERATED_SECONDS = 15
    SEEK = 16
    SEEK_SHARE = 17
    LOOP = 18
    LOOP_PART = 19
    LEAVE = 20
    RETURN = 21
    CHURN = 22
    SUCCESSOR = 23
    CONFIRM = 24
    DEFER = 25
    FORGET = 26
    DEFER_DELAY = 27
    BASKET = 28
    OFF_PLATFORM = 29
    SUFFICES = 30
    PAUSE = 31
    NOTE = 48  # + number of the note
    SKIM = 32
    READ = 33
    LOOK_AND_LEAVE = 34
    LEAVE_BY_SHARE = 35
    ATTEND = 40  # + k: the lucks of modalities 4 k .. 4 k + 3, 16 bits each
    CONTEXT = 56  # which; + 1: whether it is stated
    PAUSE_DELAY = 58
    MUTE = 59  # in the place of the slot: number of the modality
    BRACKET = 60
    INTENT = 61
    REOPEN = 62  # + 1: what
    REOPENED = 63
    ACT_GATE = 127  # which act is the first that is worth a thought
    ACT = 128  # + number of the act
    ACT_SECONDS = 192  # + number of the act
    COST = 224  # + number of the cost in its stage


class Tally(IntEnum):
    """Integer sums that the measures are made from."""

    VISITS = 0
    REQUESTS = 1
    IMPRESSIONS = 2
    PLAYS = 3
    JUDGED_PLAYS = 4  # attended, so a response was possible
    WATCHED = 5  # 1/1024 s
    SATISFACTION = 6  # FIXED
    REGRET = 7  # FIXED
    REGRETTED = 8  # items over which regret was summed
    SILENT = 9
    POSITIVE = 10  # plays with an act that is positive
    UTILITY = 11  # FIXED, over plays
    CHURNED = 12
    VISIT_SECONDS = 13  # 1/1024 s
    EXAMINED = 14
    PRESENCE_IN_DAYS = 15  # user-days with at least one visit
    LABEL = 16  # + number of the label, up to 16 of them
    EVENT = 32  # + number of the event, up to 64 of them
    VALUE = 96  # + number of the event: its values added up, 1/1024; of events outside of plays
