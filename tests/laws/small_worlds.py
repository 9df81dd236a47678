"""A small world of every scenario, in which all that can happen happens."""

from __future__ import annotations

from typing import Any

WORLDS: dict[str, dict[str, Any]] = {
    "audio": {"horizon": "12h", "first_fit": "6h", "refit": "3h"},
    "ecommerce": {"users": 500, "horizon": "16d", "first_fit": "4d", "refit": "4d"},
    "fooddelivery": {"users": 250, "horizon": "4d", "first_fit": "1d", "items": 400},
    "jobs": {"horizon": "40d", "first_fit": "8d", "refit": "8d"},
    "news": {"horizon": "18h", "first_fit": "6h", "refit": "6h"},
    "shortvideo": {"horizon": "8h", "first_fit": "4h", "refit": "2h"},
}


def settings(name: str, **more: object) -> dict[str, Any]:
    """Settings of the small world of a scenario."""
    return {"users": 80, "items": 150, "seed": 3, **WORLDS[name], **more}
