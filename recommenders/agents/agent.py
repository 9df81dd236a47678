"""Agents of Stable-Baselines3, trained in the environments, as recommenders."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from recommenders.agents.agent_file import CODES, LIBRARIES, Description, read_agent
from recommenders.agents.user_features import CONTEXT, remember, tell_context, tell_interest
from recommenders.contract import Label, PlatformLog, RecommenderError, Reproducibility, Settings, setting
from recommenders.models.kernel import kernel
from recommenders.models.ranker import BLOCK, Batch, Learning, Ranker, product


@dataclass(frozen=True)
class AgentSettings(Settings):
    """Settings of :class:`Sb3Agent`."""

    path: str = setting(meaning="file of the agent, as simulator.env.agents.save.save_agent writes it")
    deterministic: bool = setting(True, "answer with the policy's mode; otherwise draw, which no seed repeats")


class Sb3Agent(Ranker):
    """An agent of Stable-Baselines3 (or sb3-contrib), which keeps what it was trained to know of every user.

    Records of finished visits count as they arrive; of the visit at hand it knows what the request says was consumed,
    and whatever else has arrived. Nothing is learned here: fitting reads the log, and takes the file's policy.
    """

    name: ClassVar[str] = "sb3"
    needs = "nothing"
    Config: ClassVar[type[Settings]] = AgentSettings
    config: AgentSettings

    def __init__(self, *, seed: int = 0, label: Label | None = None, **parameters: Any) -> None:
        super().__init__(seed=seed, label=label, **parameters)
        self.reproducibility: Reproducibility = "same machine" if self.config.deterministic else "none"  # type: ignore[misc]
        self._where = f"recommender {self.name}"
        self.description, self._encoder = read_agent(Path(self.config.path), f"{self._where}.path")
        self._model: Any = None

    # ---- what has been logged

    def learn(self, data: Learning) -> dict[str, np.ndarray]:
        """Encode the items, and fill every user's memory."""
        self._check(data.log.names, data.n_items)
        items = self._encoder.encode(data.catalog, self._where)
        duration = data.catalog.columns.get("duration", np.zeros(data.n_items, np.float32)).astype(np.float32)
        self.learned = {"items": items, "duration": duration, "session": np.zeros(0, np.int64)}
        for when in ("now", "before"):
            self._keep(when, _empty(0, self.description.history, items.shape[1]))
        self._hear(data.log)
        return self.learned

    def update(self, events: PlatformLog) -> None:
        """Take in what has arrived."""
        self._hear(events)

    def _check(self, names: Mapping[str, tuple[str, ...]], n_items: int) -> None:
        known = self.description
        for code in (*CODES, "event"):
            if tuple(names[code]) != tuple(known.names[code]):
                raise RecommenderError(
                    f"{self._where}.path", f"was trained in {known.scenario}, where {code} is one of "
                    f"{', '.join(known.names[code])}", f"a scenario with these, not {', '.join(names[code])}",
                )  # fmt: skip
        if known.answers == "scores" and (items := int(self.model.action_space.shape[0])) != n_items:
            raise RecommenderError(
                f"{self._where}.path", f"scores {items} items", f"expected a catalog of as many, not {n_items}"
            )

    def _hear(self, log: PlatformLog) -> None:
        """Take records into the memories of their users, in the order of their arrival."""
        learned, table = self.learned, self._says()
        says, remembered = table[0][log.stage, log.event], table[1][log.stage, log.event]
        rows = np.flatnonzero(remembered & (log.item < len(learned["items"])))
        n = max(log.n_users, len(learned["session"]))
        more = _empty(n - len(learned["session"]), self.description.history, learned["items"].shape[1])
        for when in ("now", "before"):
            self._keep(when, Memory(*(np.concatenate(both) for both in zip(self._kept(when), more, strict=True))))
        learned["session"] = np.concatenate([learned["session"], np.full(len(more.item), -1, np.int64)])
        user, session, item, event = (a[rows].astype(np.int64) for a in (log.user, log.session, log.item, log.event))
        records = _Records(user, session, item, event, np.nan_to_num(log.value[rows]), says[rows])
        own = learned["items"], learned["duration"], learned["session"]
        _hear_all(records, *own, self._kept("now"), self._kept("before"))

    def _kept(self, when: str) -> Memory:
        """Return every user's memory as of now, or as it was `before` what their latest visit consumed."""
        return Memory(*(self.learned[f"{when}_{name}"] for name in Memory._fields))

    def _keep(self, when: str, memory: Memory) -> None:
        self.learned |= {f"{when}_{name}": array for name, array in memory._asdict().items()}

    def _says(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what each (stage, event) says of a liking, float32, and whether it is remembered."""
        known = self.description
        says, remembered = (
            np.zeros((256, 256), np.float32),
            np.zeros((256, 256), bool),
        )  # any codes, those of nothing too
        for stage, events in known.says.items():
            for event, value in events.items():
                at = known.names["stage"].index(stage), known.names["event"].index(event)
                says[at], remembered[at] = np.nan if value is None else value, True
        return says, remembered

    # ---- answers

    @property
    def model(self) -> Any:
        """Return the policy, read from its file when it is first asked.

        Raises:
            RecommenderError: its library is not installed, or cannot read the file.
        """
        if self._model is None:
            self._model = _load(Path(self.config.path), self.description, f"{self._where}.path")
        return self._model

    def score(self, batch: Batch) -> np.ndarray:
        """Return inner products with the query, the agent's own scores, or its slate from the first place down."""
        n, items = len(batch.requests), self.learned["items"]
        observations = self.observed(batch)
        padded = np.zeros((BLOCK, observations.shape[1]), np.float32)
        padded[:n] = observations
        answers = np.asarray(self.model.predict(padded, deterministic=self.config.deterministic)[0])[:n]
        if self.description.answers == "query":
            return product(answers.astype(np.float32), items.T)
        if self.description.answers == "scores":
            return np.asarray(answers, np.float32).reshape(n, len(items))
        scores = np.full((n, len(items)), np.nan, np.float32)
        for place in range(answers.shape[1])[::-1]:  # an item that is named twice has the better place
            rows = np.flatnonzero(answers[:, place] < len(items))
            scores[rows, answers[rows, place].astype(np.int64)] = -float(place)
        return scores

    def observed(self, batch: Batch) -> np.ndarray:
        """Return the flat observations of a batch's users, float32 (n, width)."""
        requests, known, learned = batch.requests, self.description, self.learned
        n, columns = len(requests), learned["items"].shape[1]
        context, interest = np.zeros((n, CONTEXT), np.float32), np.zeros((n, 2 * columns), np.float32)
        memory = _empty(n, known.history, columns)
        inside = requests.user < len(learned["session"])
        users = requests.user[inside].astype(np.int64)
        again = learned["session"][users] == requests.session[inside]
        for own, now, before in zip(memory, self._kept("now"), self._kept("before"), strict=True):
            rows = now[users]
            rows[again] = before[users[again]]
            own[inside] = rows
        numbers = requests.session.astype(np.int64), requests.request.astype(np.int64)
        request_rows = _RequestRows(requests.time, *numbers, requests.events_item, requests.events_value)
        share = min(requests.slate_size, known.slate) / known.slate
        _tell_all(request_rows, known.starts_at, share, learned["items"], memory, context, interest)
        codes = [np.eye(len(known.names[name]), dtype=np.float32)[getattr(requests, name)] for name in CODES]
        return np.concatenate([context, *codes, interest, memory.value], axis=1, dtype=np.float32)


class _Records(NamedTuple):
    """Hold records of the log as `_hear_all` reads them, (n,), and what each says about a liking (see `remember`)."""

    user: np.ndarray
    session: np.ndarray
    item: np.ndarray
    event: np.ndarray
    value: np.ndarray
    says: np.ndarray


class _RequestRows(NamedTuple):
    """Hold the requests of a batch as `_tell_all` reads them; named as in the contract."""

    time: np.ndarray
    session: np.ndarray
    request: np.ndarray
    events_item: np.ndarray
    events_value: np.ndarray


class Memory(NamedTuple):
    """Hold what is kept of n users, as `recommenders.agents.user_features.remember` fills it."""

    item: np.ndarray
    event: np.ndarray
    value: np.ndarray
    liked: np.ndarray
    weight: np.ndarray


def _empty(n: int, history: int, columns: int) -> Memory:
    """Return memories of n users of whom nothing is known."""
    return Memory(
        np.full((n, history), -1, np.int32), np.full((n, history), -1, np.int32), np.zeros((n, history), np.float32),
        np.zeros((n, 2, columns), np.float32), np.zeros((n, 2), np.float32),
    )  # fmt: skip


@kernel
def _hear_all(
    records: _Records, features: np.ndarray, duration: np.ndarray, session: np.ndarray, now: Memory, before: Memory
) -> None:
    """Take every record into its user's memory; what the latest visit consumed is left out of the older one.

    ``features`` float32 (items, F) and ``duration`` (items,), s, are those of the items; ``session`` is each user's
    latest visit.
    """
    users, sessions, items, events, values, says = records
    for r in range(users.shape[0]):
        j, i, e, d = users[r], items[r], events[r], duration[items[r]]
        if sessions[r] > session[j]:
            session[j] = sessions[r]
            before.item[j], before.event[j], before.value[j] = now.item[j], now.event[j], now.value[j]
            before.liked[j], before.weight[j] = now.liked[j], now.weight[j]
        remember(j, i, e, values[r], says[r], d, features, now.item, now.event, now.value, now.liked, now.weight)
        if sessions[r] < session[j] or says[r] == says[r]:
            remember(
                j, i, e, values[r], says[r], d, features, before.item, before.event, before.value, before.liked,
                before.weight,
            )  # fmt: skip


@kernel
def _tell_all(
    rows: _RequestRows, starts_at: float, share: float, features: np.ndarray,
    memory: Memory, context: np.ndarray, interest: np.ndarray,
) -> None:  # fmt: skip
    """Write the context and the interests of every request; the visit's own items go into the memories first."""
    time, visit, request, events_item, events_value = rows
    for j in range(time.shape[0]):
        k = np.int64(j)
        for h in range(events_item.shape[1]):
            if events_item[k, h] >= 0:  # what was consumed comes as a share: as of an item of one second
                remember(
                    k, np.int64(events_item[k, h]), np.int64(0), events_value[k, h], np.float32(np.nan),
                    np.float32(1.0), features, memory.item, memory.event, memory.value, memory.liked, memory.weight,
                )  # fmt: skip
        tell_context(k, time[k], starts_at, visit[k], request[k], share, context)
        tell_interest(k, memory.liked, memory.weight, interest)


def _load(path: Path, known: Description, where: str) -> Any:
    package = LIBRARIES[known.library]
    try:
        kind = getattr(importlib.import_module(known.library), known.algorithm)
    except ImportError as error:
        raise RecommenderError(where, f"needs {package} ({error})", f"python -m pip install {package}") from None
    except AttributeError:
        raise RecommenderError(
            where, f"{path} holds a {known.algorithm}", f"an algorithm of this version of {package}"
        ) from None
    return kind.load(path, device="cpu")
