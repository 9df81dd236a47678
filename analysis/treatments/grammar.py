"""Compile treatments: from text, mapping or file to settings of a run, with notes on what goes on beside them.

A treatment says what is done to a world: `hide=image`, `noise=image:0.5`, `features=-image`, `serves=home`,
`recommender=itemknn(neighbors=50)`, `log_from=RUN`, any setting of a run, or any path of its scenario. Several are
joined by `+`. What it compiles to are the settings that `simulator.run` takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import starmap
from pathlib import Path

from analysis.arms import read_arm
from analysis.treatments.clauses import AS_IT_IS, SHORTHANDS, WHERE, Clause, read_clauses
from analysis.treatments.modalities import check_shown, hidden, left, noisier, shown, surfaces_with
from recommenders.contract.names import unknown_name
from simulator.cli.listing import check_recommender_name
from simulator.cli.run import check_recommender_parameters
from simulator.config import CHANGE_PREFIX, KNOWN, PARAMETER_PREFIX, SHORT, complete, resolve
from simulator.errors import InputError, check_known
from simulator.scenario.load import load_scenario
from simulator.scenario.schema.catalog import ContentModality
from simulator.scenario.schema.scenario import Scenario
from simulator.scenario.strict_yaml import load_yaml

BLANK, REFLOWED = "blank", "reflowed"
BLINDINGS = ("shuffle", "noise", "remove")
"""How a recommender is kept from a modality's features: shuffled across items within their type, unless said."""
LOG_FROM, FEATURE_PREFIX = "log_from", "features."
_RUNS_OWN = ("scenario", "seed", "output", "resume", "log", "features", "threads", "window", "batch", "checkpoint")
"""Settings that are no treatment: what world it is, and what changes nothing in it."""
_SETTINGS = [name for name in KNOWN if name not in _RUNS_OWN]


_NUMBER = {"from", "dist"}
"""Keys of a number: one that is written with unit and provenance is given as a whole."""


@dataclass(frozen=True)
class Level:
    """Hold a treatment that is ready to run: one level of a factor.

    Attributes:
        name: what tables and folders call it.
        settings: of a run, as `simulator.run` takes them, by full names (`scenario.platform.label`, not `label`).
        notes: what the treatment does not change, or where it leaves something to go on unseen, in words.
        clauses: that it was compiled from; none where its settings were made by hand.
    """

    name: str
    settings: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    clauses: tuple[Clause, ...] = ()

    def over(self, base: Mapping[str, object]) -> dict[str, object]:
        """Return the settings of a run with the treatment in their place; another recommender takes no parameters over.

        >>> Level("b", {"recommender": "bpr"}).over({"recommender": "ease", "recommender.l2": 3, "users": 9})
        {'users': 9, 'recommender': 'bpr'}
        """
        kept = {SHORT.get(key, key): value for key, value in base.items()}
        if "recommender" in self.settings:
            owned = ("recommender", "recommender_parameters")
            kept = {k: v for k, v in kept.items() if k not in owned and not k.startswith(PARAMETER_PREFIX)}
        return {**kept, **self.settings}


def compile_treatment(
    given: str | Path | Mapping[str, object],
    scenario: str,
    settings: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Level:
    """Compile a treatment of a scenario, and check it; nothing is run.

    Args:
        given: as in `analysis.treatments.clauses.read_clauses`.
        scenario: name or path.
        settings: of the worlds that are treated, as `simulator.run` takes them.
        name: of the level; its text unless given.

    Raises:
        InputError: a key, modality, surface or recommender is unknown (with the nearest), no surface shows a modality,
            a value is wrong, or the treated scenario does not hang together.
        RecommenderError: a recommender does not take its parameters.
    """
    texts = map(str, given) if isinstance(given, Mapping) else [str(given)]
    called = name or "+".join(texts) or AS_IT_IS
    return _compiled(called, read_clauses(given), scenario, settings or {})


def joined(levels: Sequence[Level], scenario: str, settings: Mapping[str, object]) -> Level:
    """Return several levels as one treatment, compiled and checked together: two may hide from one surface.

    Raises:
        InputError: as in `compile_treatment`; or two of them set one thing.
    """
    if len(levels) < 2:
        return levels[0] if levels else Level(AS_IT_IS)
    clauses = [clause for level in levels for clause in level.clauses or starmap(Clause, level.settings.items())]
    return _compiled(" + ".join(level.name for level in levels), clauses, scenario, settings)


def _compiled(name: str, clauses: Sequence[Clause], scenario: str, settings: Mapping[str, object]) -> Level:
    compiler = _Compiler(scenario, settings)
    try:
        for clause in clauses:
            compiler.take(clause)
        compiler.check()
    except InputError as error:
        where = f"{WHERE} {name}" if error.where == WHERE else f"{WHERE} {name}: {error.where}"
        raise InputError(where, error.wrong, error.right) from error
    return Level(name, compiler.own, tuple(dict.fromkeys(compiler.notes)), tuple(clauses))


class _Compiler:
    """Gather the settings of a treatment, clause by clause: each sees the scenario as those before it left it."""

    def __init__(self, scenario: str, base: Mapping[str, object]) -> None:
        self._scenario = scenario
        self._base = base
        self.own: dict[str, object] = {}
        self.notes: list[str] = []
        self._named: set[str] = set()
        path = load_scenario(scenario).path
        self._content = load_yaml(path) if path is not None else {}

    def take(self, clause: Clause) -> None:
        """Add what a clause compiles to."""
        key, value = clause.key, clause.value
        if key in SHORTHANDS:
            {"hide": self._hide, "noise": self._noise, "features": self._features}[key](str(value))
        elif key == "recommender":
            arm = read_arm(str(value))
            self._set("recommender", arm.recommender)
            for name, each in arm.parameters.items():
                self._set(PARAMETER_PREFIX + name, each)
        elif key.startswith(FEATURE_PREFIX):
            self._blind(key.removeprefix(FEATURE_PREFIX), str(value))
        elif key == CHANGE_PREFIX[:-1] and isinstance(value, Mapping):
            for name, each in value.items():
                self._set(f"{CHANGE_PREFIX}{name}", each)
        else:
            self._set(self._full_name(key), value)

    def check(self) -> None:
        """See that the treated worlds can be: their scenario hangs together, and the recommender takes what it gets."""
        from simulator import check_scenario

        # The run of `log_from` may have the seed in its name, or be yet to come: a world sees to it when it begins.
        applied = {key: value for key, value in self._applied().items() if key not in ("seed", LOG_FROM)}
        config = resolve([("scenario", self._scenario), *applied.items()], where=WHERE)
        scenario = self._now()
        check_scenario(scenario)
        if any(key == "recommender" or key.startswith(PARAMETER_PREFIX) for key in self.own):
            config = complete(config, scenario.defaults.model_dump())
            check_recommender_name(config.recommender)
            check_recommender_parameters(config)

    def _set(self, name: str, value: object) -> None:
        """Set what a name or, where a table is given as a diff of one that is there, each name below it stands for."""
        if name in self._named:
            raise InputError(WHERE, f"{name} is given twice", "give it once")
        if isinstance(value, Mapping) and isinstance(self._at(name), Mapping) and not _NUMBER & value.keys():
            for key, each in value.items():
                self._set(f"{name}.{key}", each)
            return
        self._named.add(name)
        self.own[name] = value

    def _at(self, name: str) -> object:
        """Return what a scenario's file has at a path; None where there is nothing."""
        place: object = self._content
        for key in name.removeprefix(CHANGE_PREFIX).split("."):
            place = place.get(key) if isinstance(place, Mapping) else None
        return place

    def _applied(self) -> dict[str, object]:
        return Level("", self.own).over(self._base)

    def _now(self) -> Scenario:
        """Return the scenario as what was taken so far leaves it."""
        applied = self._applied().items()
        changes = {key.removeprefix(CHANGE_PREFIX): value for key, value in applied if key.startswith(CHANGE_PREFIX)}
        return load_scenario(self._scenario, changes)

    def _full_name(self, key: str) -> str:
        """Return a key's full name as a setting of a run. Raises InputError: there is none; with the nearest."""
        first = key.partition(".")[0]
        if key in SHORT:
            return SHORT[key]
        if key in _SETTINGS or key == LOG_FROM or key.startswith((PARAMETER_PREFIX, CHANGE_PREFIX)):
            return key
        if key in _RUNS_OWN:
            raise InputError(WHERE, f"{key} is no treatment", "it says which world it is, or changes nothing in it")
        places = list(type(self._now()).model_fields)
        if first in places:
            return CHANGE_PREFIX + key
        parameters = [PARAMETER_PREFIX + name for name in self._parameters()]
        if PARAMETER_PREFIX + key in parameters:
            return PARAMETER_PREFIX + key
        known = [*SHORTHANDS, *SHORT, LOG_FROM, *_SETTINGS, *parameters, *places]
        raise InputError(WHERE, *unknown_name("key", first, known))

    def _parameters(self) -> list[str]:
        """Return the parameters of the recommender, where the settings name one that is there."""
        from recommenders import registry

        named = self._applied().get("recommender")
        if not isinstance(named, str) or (":" not in named and named not in registry.available()):
            return []
        return list(registry.accepted_parameters(registry.find(named)))

    def _hide(self, text: str) -> None:
        what, colon, mode = text.partition(":")
        names, at, where = what.partition("@")
        modalities, surfaces = _words("hide", names), _words("hide", where) if at else []
        scenario = self._now()
        check_shown(scenario, modalities)
        check_known(scenario.shown, "surface", surfaces, list(scenario.surfaces))
        if colon:
            _check_place_kept(mode.strip(), text, surfaces or list(scenario.surfaces), scenario)
        for name in modalities:
            there = surfaces_with(scenario, name)
            for surface in surfaces:
                if surface not in there:
                    raise InputError(scenario.shown, f"{surface} does not show {name}", f"expected {_or(there)}")
            self._change(hidden(scenario, name, surfaces or None))
            still = [surface for surface in there if surfaces and surface not in surfaces]
            self.notes += [f"{name} is still shown on {', '.join(still)}"] if still else left(scenario, name)

    def _noise(self, text: str) -> None:
        scenario = self._now()
        pairs = [part.partition(":") for part in _words("noise", text)]
        names = [name.strip() for name, _, _ in pairs]
        check_shown(scenario, names)
        for name, (_, _, by) in zip(names, pairs, strict=True):
            growth = _growth(name, by)
            changes = noisier(scenario, name, 1.0 + growth)
            if not changes:
                bearing = [each for each in shown(scenario) if noisier(scenario, each)]
                wrong = f"{name} is read as it stands, and has no precision to lose"
                raise InputError(scenario.shown, wrong, f"expected {_or(bearing)}")
            self._change(changes if growth else {})

    def _features(self, text: str) -> None:
        names, colon, how = text.partition(":")
        for name in _words("features", names):
            if not name.startswith("-"):
                right = f"expected features=-{name.lstrip('+')}: modalities that the recommender does not use"
                raise InputError(WHERE, f"features={text}", right)
            self._blind(name.removeprefix("-").strip(), how.strip() if colon else BLINDINGS[0])

    def _blind(self, modality: str, how: str) -> None:
        scenario = self._now()
        check_known(scenario.shown, "modality", [modality], list(scenario.modalities))
        kinds = scenario.modalities.items()
        read = [name for name, kind in kinds if isinstance(kind, ContentModality) and kind.feature is not None]
        if modality not in read:
            wrong = f"{modality} has no features, so no recommender reads any"
            raise InputError(scenario.shown, wrong, f"expected {_or(read)}")
        check_known(WHERE, f"way to keep features of {modality} from a recommender", [how], BLINDINGS)
        self.own[FEATURE_PREFIX + modality] = how

    def _change(self, changes: Mapping[str, object]) -> None:
        self.own |= {CHANGE_PREFIX + key: value for key, value in changes.items()}


def _check_place_kept(mode: str, text: str, surfaces: Sequence[str], scenario: Scenario) -> None:
    """Raise InputError unless the slot's place is kept: no scenario says how much of a card a modality takes.

    As many cards stand on a screen as `visible` says, whatever they show; that is a slot that stays, and is blank.
    """
    check_known(WHERE, f"layout of hide={text}", [mode], (BLANK, REFLOWED))
    if mode == REFLOWED:
        surface = surfaces[0]
        device = next(iter(scenario.surfaces[surface].visible))
        wrong = f"hide={text}: the scenario does not say how many cards fit on a screen once the slot is closed"
        raise InputError(WHERE, wrong, f"say it yourself: hide=...+surfaces.{surface}.visible.{device}=CARDS")


def _growth(modality: str, text: str) -> float:
    try:
        growth = float(text)
    except ValueError:
        growth = -1.0
    if not -1.0 < growth < float("inf"):
        right = f"expected by how much misreadings spread further, above -1: noise={modality}:0.5"
        raise InputError(WHERE, f"noise={modality}:{text}" if text else f"noise={modality}", right)
    return growth


def _words(key: str, text: str) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise InputError(WHERE, f"{key}={text} has an empty part", "expected names with commas between them")
    return words


def _or(names: Sequence[str]) -> str:
    return f"one of {', '.join(names)}" if names else "another scenario: here there is none"
