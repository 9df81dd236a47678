"""What each modality weighs where a model gives one of them a weight of its own."""

from __future__ import annotations

from collections.abc import Sequence


def first_and_rest(names: Sequence[str], first: str, share: float) -> dict[str, float]:
    """Return weights that sum to 1: `share` for the first, the rest alike; all alike without it, or without others.

    >>> first_and_rest(["image", "text"], "image", 0.1)
    {'image': 0.1, 'text': 0.9}
    """
    if first not in names or len(names) == 1:
        return dict.fromkeys(names, 1 / len(names))
    return {name: share if name == first else (1 - share) / (len(names) - 1) for name in names}
