"""Which modality each feature file of a catalog describes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from recommenders.contract.names import did_you_mean
from simulator.errors import InputError

# What a feature's name usually means where no modality has that name: the modality and the assumption behind it.
_USUAL: dict[str, tuple[tuple[str, str], ...]] = {
    "image": (("video", "taken from frames of the video"), ("cover", "taken from the cover")),
    "visual": (("video", "taken from frames of the video"), ("cover", "taken from the cover")),
    "frame": (("video", "taken from frames of the video"),),
    "frames": (("video", "taken from frames of the video"),),
    "acoustic": (("audio", "made of the sound"),),
    "sound": (("audio", "made of the sound"),),
    "text": (("caption", "made of the caption"), ("title", "made of the title")),
    "textual": (("caption", "made of the caption"), ("title", "made of the title")),
}


def match_modalities(
    where: str,
    names: Collection[str],
    told: Mapping[str, str | None],
    known: Collection[str] | None,
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Match feature names to modalities, and say in plain words what was assumed on the way.

    `told` is the user's own map (None leaves a feature out); `known` are the scenario's modalities, None where no
    scenario is there to ask. Order: told, equal name, usual meaning. Raises InputError for names that do not exist, for
    features that fit no modality, and for two features of one modality.
    """
    for name, modality in told.items():
        if name not in names:
            raise InputError(
                where, f"a modality is named for the features '{name}', which are not there", nearest(name, names)
            )
        if modality is not None and known is not None and modality not in known:
            raise InputError(
                where,
                f"the features '{name}' are given to '{modality}', which is no modality",
                nearest(modality, known),
            )
    chosen: dict[str, str] = {}
    assumptions: list[str] = []
    for name in names:
        if name in told:
            modality = told[name]
            if modality is None:
                assumptions.append(f"the features '{name}' were left out, as asked")
                continue
        elif known is not None and name in known:
            modality = name
        else:
            usual = [(to, why) for to, why in _USUAL.get(name.lower(), ()) if known is None or to in known]
            if usual:
                modality, why = usual[0]
                assumptions.append(f"the features '{name}' describe the modality '{modality}': assumed to be {why}")
            elif known is None:
                modality = name
            else:
                raise InputError(
                    where,
                    f"the features '{name}' fit none of the modalities {', '.join(sorted(known))}",
                    f"say which in mapping.yaml (modalities: {{{name}: MODALITY}}), or null to leave them out",
                )
        taken = next((other for other, to in chosen.items() if to == modality), None)
        if taken is not None:
            raise InputError(
                where, f"the features '{taken}' and '{name}' both describe '{modality}'", "map one of them to null"
            )
        chosen[name] = modality
    return chosen, tuple(assumptions)


def nearest(name: str, among: Iterable[str]) -> str:
    """Return a sentence with the closest name that exists."""
    options = list(among)
    return did_you_mean(name, options, "'{}'".format).rstrip() or f"there are: {', '.join(options) or 'none'}"
