"""Which column plays which role: the names under which data sets know users, items, times, ratings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from recommenders.contract.errors import RecommenderError
from recommenders.contract.names import did_you_mean

ROLES: dict[str, tuple[str, ...]] = {
    "user": (
        "user_id", "user", "userid", "user-id", "uid", "viewer_id", "visitor_id", "visitorid", "customer_id",
        "reviewerid", "reviewer_id", "personid",
    ),
    "item": (
        "item_id", "item", "itemid", "iid", "movieid", "movie_id", "video_id", "photo_id", "product_id", "article_id",
        "parent_asin", "asin", "isbn", "book_id", "business_id", "track_id", "artistid", "contentid",
    ),
    "value": (
        "rating", "ratings", "value", "score", "stars", "overall", "book-rating", "review_score", "weight",
        "watch_ratio", "play_count",
    ),
    "time": (
        "timestamp", "time", "timestamp_s", "ts", "time_ms", "timestamp_ms", "unix_time", "unixreviewtime",
        "event_time", "datetime", "date", "t_dat",
    ),
    "split": ("split", "x_label", "fold"),
    "event": ("event", "event_type", "eventtype", "behavior", "behaviour", "action"),
    "duration": ("duration", "duration_s", "duration_ms", "video_duration", "video_duration_ms"),
    "type": ("type", "item_type", "category", "video_type"),
    "creator": ("creator", "creator_id", "author", "author_id"),
}  # fmt: skip
"""Names that are tried for each role, whatever their case, the likeliest first."""

OF_INTERACTIONS = ("user", "item", "value", "time", "split", "event")
OF_ITEMS = ("item", "duration", "type", "creator")
ALIASES = {"rating": "value"}
"""Other words for a role."""

# Part of a name that makes one look twice.
_LOOKS = {"time": ("time", "date"), "value": ("rating", "stars"), "event": ("event", "behavior", "behaviour")}


def role_of(word: str, where: str, among: Iterable[str] = ROLES) -> str:
    """Return the role of that name. Raises RecommenderError where there is none."""
    role = ALIASES.get(word, word)
    if role not in among:
        hint = did_you_mean(word, among, repr)
        raise RecommenderError(where, f"{word!r} is no role of a column", f"{hint}there are: {', '.join(among)}")
    return role


def known_names() -> set[str]:
    """Return all names that some role is known by, in lower case."""
    return {name for role in OF_INTERACTIONS for name in ROLES[role]}


def bare(name: str) -> str:
    """Return a column's name without the type that RecBole writes behind it, in lower case.

    >>> bare("user_id:token"), bare("UserID")
    ('user_id', 'userid')
    """
    head, sign, kind = name.rpartition(":")
    plain = head if sign and kind in ("token", "float", "token_seq", "float_seq") else name
    return plain.strip().lower()


def find_role(role: str, columns: Iterable[str], first: Iterable[str] = ()) -> str | None:
    """Return the column that plays a role: the first of the names given, else the first by a known name, else None."""
    columns = list(columns)
    for name in first:
        if name in columns:
            return name
    there: dict[str, str] = {}
    for name in columns:
        there.setdefault(bare(name), name)
    return next((there[name] for name in ROLES[role] if name in there), None)


def unused(columns: Iterable[str], chosen: Mapping[str, str]) -> list[str]:
    """Return the columns that look like a time, a value or an event, and play no role."""
    taken = set(chosen.values())
    names = {role: set(ROLES[role]) for role in _LOOKS}
    return [
        name
        for name in columns
        if name not in taken
        and any(bare(name) in names[role] or any(p in bare(name) for p in parts) for role, parts in _LOOKS.items())
    ]
