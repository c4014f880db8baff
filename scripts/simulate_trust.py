"""One made-up trust: its schools live through the same rounds, and every fact of it goes into the store."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from simulate_writer import Life, Writer

from astrack.ids import uuid7
from astrack.store import PupilStreams, Store
from domain import risk
from domain.base import Actor, Event, StreamClass, encode
from domain.identity import IdentityRecorded, Person, SchoolName
from domain.journey import facts as f
from domain.round import RoundOpened
from domain.school import ExportMade, SchoolRegistered
from domain.simulation import Simulated, Staff, answers, simulate
from domain.simulation.worlds import ITEMS
from transfer.evidence.chain import ZERO, commitment, entry, leaf

BEGAN = datetime(2019, 9, 9, 8, tzinfo=UTC)
AT_ONCE = 400
LIKELY = 0.8
STAFF = Staff(act=0.6, helps=0.3, move=0.008, shaken=0.5)
FIRST = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gita", "Hal", "Ines", "Jon", "Kit", "Lena", "Max", "Nia")
LAST = (
    "Able",
    "Birch",
    "Cole",
    "Dunn",
    "Ellis",
    "Frost",
    "Grey",
    "Holt",
    "Ives",
    "Jay",
    "Kerr",
    "Lowe",
    "Moss",
    "Nash",
)
ROLES = ("tutor", "head_of_year", "dsl")


class Sheet(NamedTuple):
    """What the pupils of a trust answered in one round, a line each; ``there``: who sat."""

    names: list[str]
    there: Any
    answers: list[list[int]]
    seconds: list[list[float]]
    values: list[list[float]]
    errors: list[list[float]]


class Trust:
    """Schools that live through the same rounds; everything that is drawn comes from one generator."""

    def __init__(self, store: Store, number: int, schools: int, pupils: int, rounds: int, seed: int) -> None:
        self.chance = np.random.default_rng([seed, number])
        self.model = risk.load_model()
        self.rounds, self.pupils = rounds, pupils
        self.at = BEGAN
        self.bytes, self.used = b"", 0
        self.ids = [self.fresh() for _ in range(schools)]
        self.by_id: dict[UUID, Life] = {}
        self.writers = [Writer(store.log(one), one, self.by_id) for one in self.ids]
        self.versions = [-1] * schools
        self.world: Simulated = simulate(self.model, ITEMS, schools * pupils, rounds, self.chance, STAFF)
        self.seen = risk.cohort(self.model, self.world.sittings)
        self.actors = [Actor(id=self.fresh(), role=role) for role in ROLES]
        self.lives = [self._life(n // pupils) for n in range(schools * pupils)]
        self.by_id.update((life.streams.pupil_id, life) for life in self.lives)
        self.store = store

    def fresh(self) -> UUID:
        """An id for this moment of the trust."""
        if len(self.bytes) < self.used + 10:
            self.bytes, self.used = self.chance.bytes(100_000), 0
        self.used += 10
        return uuid7(self.at, self.bytes[self.used - 10 : self.used])

    def head(self, role: int = 0) -> dict[str, Any]:
        """The head of a fact, a millisecond after the one before."""
        self.at += timedelta(milliseconds=1)
        return {"event_id": self.fresh(), "recorded_at": self.at, "by": self.actors[role]}

    def run(self) -> Iterator[int]:
        """Live; gives how many pupil-rounds more are done."""
        for number, writer in enumerate(self.writers):
            self.store.create_school(writer.school_id, BEGAN)
            if writer.log.size():
                raise SystemExit(
                    f"school {writer.school_id} is written already: choose another --seed or another store"
                )
            name = SchoolName(school_id=writer.school_id, name=f"Made-up School {number + 1}")
            self._to_school(number, [SchoolRegistered(**self.head(2), school=name)])
        for life in self.lives:
            self._join(life)
        self._flush()
        for at in range(self.rounds):
            yield from self._round(at)

    def _round(self, at: int) -> Iterator[int]:
        begun = BEGAN + timedelta(days=365 * (at // 3) + 120 * (at % 3) + 14)
        self.at = max(self.at, begun)
        rounds = [self._open_round(number, at) for number in range(len(self.writers))]
        moving = self.world.moved[:, at] if len(self.writers) > 1 else np.zeros(0, bool)
        for index in np.flatnonzero(moving).tolist():
            self._move(self.lives[index])
        if at % 3 == 0 and at:
            for life in self.lives:
                self._regroup(life)
        self.sheet = self._answered(at)
        done = 0
        for index, life in enumerate(self.lives):
            self._sit(life, index, at, rounds[life.school])
            done += 1
            if done % 1000 == 0:
                yield 1000
        self._flush()
        for days, step in ((14, self._act), (40, self._look)):
            self.at += timedelta(days=days)
            for index, life in enumerate(self.lives):
                step(life, index, at)
            self._flush()
        yield done % 1000

    def _life(self, school: int) -> Life:
        streams = PupilStreams(self.fresh(), *(UUID(bytes=self.chance.bytes(16), version=4) for _ in range(3)))
        return Life(streams, school, 4 + int(self.chance.integers(0, 5)))

    def _groups(self, life: Life) -> tuple[f.Group, ...]:
        tutor = f"{life.year}{'ABCDEF'[life.streams.pupil_id.bytes[15] % 6]}"
        house = ("Red", "Blue", "Green", "Gold")[life.streams.pupil_id.bytes[14] % 4]
        return (f.Group(dimension="tutor group", name=tutor), f.Group(dimension="house", name=house))

    def _join(self, life: Life) -> None:
        born = date(2019 - life.year - 4, 1 + int(self.chance.integers(12)), 1 + int(self.chance.integers(28)))
        first, last = FIRST[self.chance.integers(len(FIRST))], LAST[self.chance.integers(len(LAST))]
        person = Person(surname=last, forename=first, date_of_birth=born)
        self.writers[life.school].fresh.append(life.streams)
        self._add(life, [IdentityRecorded(**self.head(1), person=person)], StreamClass.IDENTITY)
        self._add(life, [self._enrolled(life)])

    def _enrolled(self, life: Life) -> Event:
        return f.PupilEnrolled(
            **self.head(1), school_id=self.ids[life.school], happened_on=self.at.date(), year_group=life.year,
            age_months=12 * (life.year + 4) + 6, groups=self._groups(life),
        )  # fmt: skip

    def _open_round(self, number: int, at: int) -> UUID:
        round_id = self.fresh()
        opened = RoundOpened(
            **self.head(2), round_id=round_id, name=f"Round {at + 1}", opens_on=self.at.date(),
            closes_on=self.at.date() + timedelta(days=21), year_groups=tuple(range(4, 14)),
            instrument=self.model.instrument.name, instrument_version=self.model.instrument.version,
        )  # fmt: skip
        self._to_school(number, [opened])
        return round_id

    def _regroup(self, life: Life) -> None:
        life.year = min(13, life.year + 1)
        self._add(life, [f.PupilRegrouped(**self.head(1), happened_on=self.at.date(), year_group=life.year,
                                          groups=self._groups(life))])  # fmt: skip

    def _sit(self, life: Life, index: int, at: int, round_id: UUID) -> None:
        if not self.sheet.there[index]:
            life.sat = None
            return
        sheet, instrument = self.sheet, self.model.instrument
        # not checked again: every value is of the right kind, and there are millions
        sat = f.AssessmentSat.model_construct(
            **self.head(), sitting_id=self.fresh(), round_id=round_id, happened_on=self.at.date(),
            age_months=int(self.world.sittings.months[index, at]), year_group=life.year, instrument=instrument.name,
            instrument_version=instrument.version, instrument_digest=instrument.digest, mode="alone",
            answers=dict(zip(sheet.names, sheet.answers[index], strict=True)),
            seconds=dict(zip(sheet.names, sheet.seconds[index], strict=True)),
            values=_eight(sheet.values[index]), errors=_eight(sheet.errors[index]), quality=(), usable=True,
        )  # fmt: skip
        life.sat = sat.event_id
        self._add(life, [sat, *self._flags(life, index, at, sat.event_id)])

    def _answered(self, at: int) -> Sheet:
        """Everybody's sheet of a round at once."""
        instrument, seen = self.model.instrument, self.world.sittings
        values, count = seen.values[:, at], len(instrument.items)
        given = answers(
            instrument, np.nan_to_num(values, nan=instrument.scale.middle), np.full(len(values), 0.6), np.zeros(count),
            self.chance, np.zeros(len(values), bool),
        )  # fmt: skip
        seconds = np.round(self.chance.gamma(4, 1.2, (len(values), count)) + 1, 1)
        return Sheet(
            [item.id for item in instrument.items], ~np.isnan(values).all(axis=1), given.tolist(), seconds.tolist(),
            np.round(values.astype(float), 4).tolist(), np.round(seen.errors[:, at].astype(float), 4).tolist(),
        )  # fmt: skip

    def _flags(self, life: Life, index: int, at: int, rests_on: UUID) -> list[Event]:
        seen = dict(self._signs(index, at))
        eased = [f.FlagEased(**self.head(), flag_id=life.flags.pop(key)) for key in list(life.flags) if key not in seen]
        raised: list[Event] = []
        for (kind, factor, pole), probability in seen.items():
            if (kind, factor, pole) in life.flags:
                continue
            life.flags[kind, factor, pole] = flag_id = self.fresh()
            raised.append(f.FlagRaised.model_construct(
                **self.head(), flag_id=flag_id, kind=kind, factor=factor, context=None, pole=pole,
                probability=round(probability, 3), reason=f"An early sign: {kind}.", rests_on=(rests_on,),
                model_digest=self.model.digest))  # fmt: skip
        return [*eased, *raised]

    def _signs(self, index: int, at: int) -> Iterator[tuple[tuple[str, str | None, str | None], float]]:
        priority = float(self.seen.p_priority[index, at])
        if priority > 0.5:
            yield ("priority", None, None), priority
        for pole, chances in (("low", self.seen.p_low[index, at]), ("high", self.seen.p_high[index, at])):
            for cell in np.flatnonzero(chances > LIKELY):
                yield ("polar", FACTORS[cell % 4], pole), float(chances[cell])

    def _act(self, life: Life, index: int, at: int) -> None:
        acts = self.world.acted[index, at] or self.chance.random() < 0.1
        if acts:
            for flag_id in list(life.flags.values())[:1]:
                judgement: Any = ("new_to_us", "already_known", "not_what_we_see")[int(self.chance.integers(3))]
                self._add(life, [f.FlagReviewed(**self.head(), flag_id=flag_id, judgement=judgement)])
        if self.world.acted[index, at] and life.plan is None:
            self._add(life, [self._plan(life, index)])
        self._now_and_then(life)

    def _plan(self, life: Life, index: int) -> Event:
        life.plan = self.fresh()
        on = self.at.date()
        return f.PlanOpened(
            **self.head(), plan_id=life.plan, kind="support", goal="Shares one thing a week", factor=FACTORS[index % 4],
            context="school", pole="low", causes=("change_at_home",), risks=("withdraws",), signposts=("check_in",),
            owner_id=self.actors[0].id, start_on=on, end_on=on + timedelta(weeks=6),
        )  # fmt: skip

    def _now_and_then(self, life: Life) -> None:
        drawn = self.chance.random()
        on = self.at.date()
        if drawn < 0.01 and life.sat:
            earlier = {"happened_on": (on - timedelta(days=15)).isoformat()}
            self._add(life, [f.FactCorrected(**self.head(), corrects=life.sat, why="sat earlier", changes=earlier)])
        elif drawn < 0.03:
            outcome_id = self.fresh()
            self._add(
                life,
                [
                    f.OutcomeReported(
                        **self.head(),
                        outcome_id=outcome_id,
                        happened_on=on,
                        code="attendance",
                        source="attendance_record",
                    )
                ],
            )
        elif drawn < 0.05:
            talk_id = self.fresh()
            self._add(life, [f.TalkRequested(**self.head(), talk_id=talk_id)])
            if drawn < 0.045:
                self._add(life, [f.TalkAcknowledged(**self.head(), talk_id=talk_id)])
        elif drawn < 0.07:
            self._add(life, [f.PupilLookedAt(**self.head(), concern=False)])

    def _look(self, life: Life, index: int, at: int) -> None:
        if life.plan is None:
            return
        going: Any = ("well", "as_planned", "not_yet")[int(self.chance.integers(3))]
        self._add(life, [f.PlanMonitored(**self.head(), plan_id=life.plan, going=going)])
        if self.chance.random() < 0.7:
            came: Any = ("helped", "helped_partly", "did_not_help")[int(self.chance.integers(3))]
            self._add(life, [f.PlanClosed(**self.head(), plan_id=life.plan, came=came)])
            life.plan = None

    def _move(self, life: Life) -> None:
        """To another school of the trust, by a sealed file: what the logs of both hold of it."""
        self._flush()
        sender = life.school
        history = self.writers[sender].log.load(life.streams.journey_id).facts
        transfer_id = self.fresh()
        on = self.at.date()
        away = f.TransferPrepared(
            **self.head(2), transfer_id=transfer_id, lawful_basis="public_task", accepted_on=on, start_on=on
        )
        self._add(life, [away])
        self._to_school(sender, [ExportMade(**self.head(2), transfer_id=transfer_id, kind="school",
                                            manifest_sha256=self.chance.bytes(32).hex())])  # fmt: skip
        released = f.CustodyReleased(
            **self.head(2), transfer_id=transfer_id, receipt_sha256=self.chance.bytes(32).hex()
        )
        self._add(life, [released, f.PupilLeft(**self.head(2), happened_on=self.at.date())])
        self._flush()
        life.school = (sender + 1 + int(self.chance.integers(len(self.writers) - 1))) % len(self.writers)
        life.streams = PupilStreams(self.fresh(), *(UUID(bytes=self.chance.bytes(16), version=4) for _ in range(3)))
        self.by_id[life.streams.pupil_id], life.versions = life, {}
        self._join(life)
        self._arrive(life, [fact.event for fact in history], transfer_id)

    def _arrive(self, life: Life, history: Sequence[Event], transfer_id: UUID) -> None:
        stream, previous = self.chance.bytes(16), ZERO
        came: list[Event] = []
        for number, event in enumerate(history):
            salt, payload = self.chance.bytes(32), encode(event)
            line = entry("event", stream, number, previous, commitment(salt, payload))
            previous = leaf(line)
            texts: dict[str, Any] = {name: base64.b64encode(part).decode() for name, part in
                     (("entry", line), ("salt", salt), ("payload", payload))}  # fmt: skip
            came.append(f.FactImported(**self.head(2), origin="made-up.example/log", index=number, **texts))
        received = f.RecordReceived(
            **self.head(2), transfer_id=transfer_id, manifest_sha256=self.chance.bytes(32).hex(), from_school_id=None,
            facts=len(history),
        )  # fmt: skip
        came.append(received)
        self._add(life, came)

    def _add(self, life: Life, events: Sequence[Event], name: StreamClass = StreamClass.JOURNEY) -> None:
        writer = self.writers[life.school]
        writer.add(life, getattr(life.streams, f"{name.value}_id"), name, events)
        if writer.waiting >= AT_ONCE:
            writer.flush()

    def _to_school(self, number: int, events: Sequence[Event]) -> None:
        self.writers[number].flush()
        self.writers[number].school(self.versions[number], events)
        self.versions[number] += len(events)

    def _flush(self) -> None:
        for writer in self.writers:
            writer.flush()


FACTORS = ("self_disclosure", "trust_of_self", "trust_of_others", "seeking_change")


def _eight(values: list[float]) -> tuple[float | None, ...]:
    return tuple(None if value != value else value for value in values)
