"""A whole year group at once: prepared, taken in and acknowledged by several processes, each with its own connections.

One record is the same whoever does it and however often: a repeat with the same key goes on where it stopped. What is
refused of one pupil stops none of the others; it is told beside what was done.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from astrack import errors
from astrack.app import App
from astrack.changing import Answer, Ask
from astrack.crew import Crew
from astrack.handover import Handover
from astrack.settings import Settings
from domain.base import DomainError
from transfer.errors import TransferRefused

PART, FEW = 8, 24
"""How many records are done in one stroke; and up to how many no other process is started for them."""
FILE_MAX = 1 << 31
REFUSALS = (DomainError, TransferRefused)
Progress = Callable[[int], None]
Outcome = tuple[list[Answer], list[tuple[int, str]]]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a group: the answers in the order asked, and of those that were refused their place and why."""

    answers: list[Answer]
    refused: list[tuple[int, str]]


class Together:
    """The hand-overs of one school, many at once; ``processes`` in all, this one included."""

    def __init__(self, app: App, hands: Handover, processes: int | None = None) -> None:
        self._app, self._hands = app, hands
        self._processes = processes or os.cpu_count() or 1

    def prepare(self, ask: Ask, pupil_ids: Sequence[UUID], progress: Progress | None = None, **plan: Any) -> Done:
        """What ``Handover.prepare`` does, with its arguments. Raises at once what concerns them all: BadKeyDocument,
        TimeLimitWrong, PlaceNotAccepted, ConsentNotNamed.
        """
        self._hands.planned(ask, **plan)
        return self._all(ask, "prepare", pupil_ids, plan, progress)

    def receive(
        self, ask: Ask, files: Sequence[Path | bytes], progress: Progress | None = None, words: str | None = None
    ) -> Done:
        """Take in sealed files, as ``Handover.receive`` does one; some of their receipts are signed together."""
        return self._all(ask, "receive", files, {"words": words}, progress)

    def acknowledge(self, ask: Ask, receipts: Sequence[bytes], progress: Progress | None = None) -> Done:
        """Take in the receipts for many files."""
        return self._all(ask, "acknowledge", receipts, {}, progress)

    def _all(self, ask: Ask, what: str, items: Sequence[Any], plan: dict[str, Any], progress: Progress | None) -> Done:
        parts = [_Part(at, ask, what, items[at : at + PART], plan) for at in range(0, len(items), PART)]
        settings, school_id = self._app.store.settings, self._hands.records.school_id
        many = len(items) > FEW and settings is not None
        crew = Crew(
            self._processes if many else 1, lambda part: _done(part, self._hands), _there, _begin,
            (settings, school_id),
        )  # fmt: skip
        found: dict[int, Outcome] = {}
        for part, outcome in crew.work(parts):
            found[part.at] = outcome
            if progress is not None:
                progress(len(part.items))
        inorder = [found[part.at] for part in parts]
        return Done([one for done, _ in inorder for one in done], [one for _, refused in inorder for one in refused])


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the group, from the one at ``at`` on."""

    at: int
    ask: Ask
    what: str
    items: Sequence[Any]
    plan: dict[str, Any]


def _done(part: _Part, hands: Handover) -> Outcome:
    return {"prepare": _prepare, "receive": _receive, "acknowledge": _acknowledge}[part.what](hands, part)


def _prepare(hands: Handover, part: _Part) -> Outcome:
    try:
        return hands.prepare(part.ask, part.items, **part.plan)["transfers"], []
    except REFUSALS:
        # who was not refused, is done by itself, and goes on where it stopped
        return _each(part, lambda one: hands.prepare(part.ask, [one], **part.plan)["transfers"][0])


def _receive(hands: Handover, part: _Part) -> Outcome:
    taken, refused = _each(part, lambda one: {"transfer_id": _take(hands, part, one)})
    return hands.received([one["transfer_id"] for one in taken]), refused


def _take(hands: Handover, part: _Part, file: Path | bytes) -> UUID:
    data = file if isinstance(file, bytes) else _read(file)
    return hands.take(_of(part.ask, data), data, **part.plan)


def _read(file: Path) -> bytes:
    with file.open("rb") as source:
        return source.read(FILE_MAX)


def _acknowledge(hands: Handover, part: _Part) -> Outcome:
    return _each(part, lambda one: hands.acknowledge(_of(part.ask, one), one))


def _of(ask: Ask, data: bytes) -> Ask:
    """The key of what concerns one file: the same whoever does it, and in which part of the group."""
    return ask.part(sha256(data).hexdigest())


def _each(part: _Part, act: Callable[[Any], Answer]) -> Outcome:
    done: list[Answer] = []
    refused: list[tuple[int, str]] = []
    for at, one in enumerate(part.items, part.at):
        try:
            done.append(act(one))
        except REFUSALS as error:
            refused.append((at, errors.sentence(error)))
    return done, refused


_child: dict[str, Handover] = {}


def _begin(settings: Settings, school_id: UUID) -> None:
    app = App.open(replace(settings, pool_size=2), create=False)
    _child["hands"] = Handover(app.school(school_id))
    gc.collect()
    gc.freeze()  # what was loaded at the start stays, and need not be walked again and again


def _there(part: _Part) -> Outcome:
    return _done(part, _child["hands"])
