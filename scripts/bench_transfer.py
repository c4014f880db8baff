"""A record handed over: prepared, sealed and written, opened, verified and imported; the container beside stock age."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).parents[1]))

from rich.console import Console
from rich.progress import Progress

from astrack import ids
from astrack.app import App, utc_now
from astrack.handover import Handover
from astrack.handover.together import Together
from astrack.records import Ask, Records
from astrack.settings import Settings
from astrack.store import Change, PupilStreams
from domain import risk
from domain.base import Actor, Event, StreamClass
from domain.identity import IdentityRecorded, Person, SchoolName
from domain.journey import facts as f
from transfer import age

BY = Actor(id=UUID(int=7), role="dsl")
DAY = date(2026, 9, 1)
MEBI = 1 << 20
BACKGROUND, FACTS, GROUP = 20_000, 600, 240
ROUNDS, PLANS, NOTES = 30, 15, 24
FIGURES = ("prepare_ms", "import_ms", "year_group_s", "seal_vs_stock", "open_vs_stock")


@dataclass
class Place:
    """One school of the bench."""

    records: Records
    desk: Handover
    many: Together


@contextmanager
def schools() -> Iterator[tuple[Place, Place]]:
    """Two schools of one installation that know each other's keys."""
    with tempfile.TemporaryDirectory(prefix="astrack-bench-") as folder:
        Path(folder).chmod(0o711)
        with App.open(Settings(home=Path(folder), timeout_s=120)) as app:
            made = [_school(app, name, urn) for name, urn in (("Ash", "100001"), ("Beech", "100002"))]
            for one, other in (made, made[::-1]):
                one.desk.trust(ask(), other.desk.key_document(), words=other.desk.key_words())
            yield made[0], made[1]


def _school(app: App, name: str, urn: str) -> Place:
    school = uuid4()
    app.store.create_school(school, utc_now())
    records = Records(app.store.log(school), utc_now, ids.maker(utc_now))
    records.register_school(ask(), SchoolName(school_id=school, name=name, urn=urn, lea="330", estab="2345"), True)
    desk = Handover(records)
    return Place(records, desk, Together(app, desk))


def ask() -> Ask:
    """A request of its own."""
    return Ask(BY, str(uuid4()))


def story(school: UUID, count: int) -> Iterator[Event]:
    """Ten years of a pupil: three rounds a year, signs and their reviews, plans looked at each week."""
    model, fresh = risk.load_model(), ids.maker(utc_now)
    owner = uuid4()

    def head() -> dict[str, Any]:
        return {"event_id": fresh(), "recorded_at": utc_now(), "by": BY}

    yield f.PupilEnrolled(**head(), school_id=school, happened_on=DAY, year_group=3, age_months=96)
    items = [item.id for item in model.instrument.items]
    done = 1
    while done < count:
        sat = f.AssessmentSat(
            **head(), sitting_id=fresh(), round_id=fresh(), happened_on=DAY, age_months=120, year_group=6,
            instrument=model.instrument.name, instrument_version=model.instrument.version,
            instrument_digest=model.instrument.digest, answers=dict.fromkeys(items, 3),
            seconds=dict.fromkeys(items, 4.5), values=(7.1234,) * 8, errors=(1.2345,) * 8,
        )  # fmt: skip
        events: list[Event] = [sat]
        for factor in ("trust", "change"):
            flag = fresh()
            reason = "The last three sittings lie below the middle, and further below each time."
            events += [
                f.FlagRaised(**head(), flag_id=flag, kind="polar", factor=factor, context="school", pole="low",
                             probability=0.913, reason=reason, rests_on=(sat.event_id,), model_digest=model.digest),
                f.FlagReviewed(**head(), flag_id=flag, judgement="new_to_us", note="Seen at breaks, not in lessons."),
                f.FlagEased(**head(), flag_id=flag),
            ]  # fmt: skip
        if done % 2:
            plan = fresh()
            events.append(f.PlanOpened(
                **head(), plan_id=plan, kind="support", goal="Shares one thing a week", factor="trust",
                context="school",
                pole="low", causes=("change_at_home",), risks=("withdraws",), signposts=("check_in",), owner_id=owner,
                start_on=DAY, end_on=DAY + timedelta(weeks=NOTES),
            ))  # fmt: skip
            events += [f.PlanMonitored(**head(), plan_id=plan, going="as_planned", note="Spoke once in circle time.")
                       for _ in range(NOTES)]  # fmt: skip
            events.append(f.PlanClosed(**head(), plan_id=plan, came="helped_partly"))
        yield from events[: count - done]
        done += len(events[: count - done])


def admit(place: Place, number: int, count: int) -> UUID:
    """A pupil with a story of this many facts."""
    streams = PupilStreams(ids.maker(utc_now)(), uuid4(), uuid4(), uuid4())
    events = tuple(story(place.records.school_id, count))
    person = Person(surname=f"Maple{number}", forename="Jo", date_of_birth=date(2010, 3, 4))
    named = IdentityRecorded(event_id=ids.maker(utc_now)(), recorded_at=utc_now(), by=BY, person=person)
    changes = [
        Change(streams.journey_id, StreamClass.JOURNEY, -1, events, streams.pupil_id),
        Change(streams.identity_id, StreamClass.IDENTITY, -1, (named,), streams.pupil_id),
    ]
    place.records.log.append(changes, idempotency=None, new_pupils=(streams,))
    return streams.pupil_id


PLACE: dict[str, Any] = {"lawful_basis": "legal_obligation", "accepted_on": DAY, "start_on": DAY}


def send(a: Place, b: Place, pupils: Sequence[UUID]) -> list[UUID]:
    """Prepare the records of these pupils for the other school."""
    done = a.desk.prepare(ask(), pupils, to=b.desk.key_document(), **PLACE)
    return [UUID(one["transfer_id"]) for one in done["transfers"]]


def singles(a: Place, b: Place, pupils: Sequence[UUID], folder: Path) -> tuple[float, float]:
    """(prepare_ms, import_ms): the median of pupils handed over one by one."""
    out, taken = [], []
    for pupil in pupils:
        begun = time.perf_counter()
        (transfer,) = send(a, b, [pupil])
        data = a.desk.sealed(transfer)
        write(folder / f"{transfer}.tar.age", data)
        out.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        answer = b.desk.receive(ask(), data)
        taken.append(time.perf_counter() - begun)
        a.desk.acknowledge(ask(), answer["receipt"].encode())
    return statistics.median(out) * 1000, statistics.median(taken) * 1000


def write(path: Path, data: bytes) -> None:
    """A file, on the disk when this returns."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def year_group(a: Place, b: Place, pupils: Sequence[UUID], folder: Path) -> float:
    """Seconds to prepare, seal, write, read, verify, import and acknowledge a whole year group."""
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("Handing over", total=3 * len(pupils))
        begun = time.perf_counter()

        def move(count: int) -> None:
            bar.advance(task, count)

        made = a.many.prepare(ask(), pupils, move, to=b.desk.key_document(), **PLACE).answers
        files = [folder / one["file_name"] for one in made]
        for one, file in zip(made, files, strict=True):
            write(file, a.desk.sealed(UUID(one["transfer_id"])))
        taken = b.many.receive(ask(), files, move).answers
        ended = a.many.acknowledge(ask(), [one["receipt"].encode() for one in taken], move).answers
        assert [one["state"] for one in ended] == ["acknowledged"] * len(pupils)
        return time.perf_counter() - begun


def container(size: int, folder: Path, rounds: int = 5) -> dict[str, float]:
    """Our sealing and opening beside the ``age`` program, file to file, in turn; medians and their ratios."""
    stock = shutil.which("age")
    plain, ours, theirs, opened = (folder / name for name in ("plain", "ours.age", "theirs.age", "opened"))
    plain.write_bytes(os.urandom(MEBI) * (size // MEBI))
    identity = age.Identity(os.urandom(32))
    spent: dict[str, list[float]] = {name: [] for name in ("seal", "open", "stock_seal", "stock_open")}
    recipient, key = _stock_key(folder) if stock else "", str(folder / "key")
    for _ in range(rounds):
        spent["seal"].append(_timed(lambda: _ours(plain, ours, lambda r, w: age.seal(r, w, [identity.recipient]))))
        spent["open"].append(_timed(lambda: _ours(ours, opened, lambda r, w: age.unseal(r, w, [identity]))))
        if stock:
            spent["stock_seal"].append(_timed(lambda: _run([stock, "-r", recipient, "-o", str(theirs), str(plain)])))
            spent["stock_open"].append(_timed(lambda: _run([stock, "-d", "-i", key, "-o", str(opened), str(theirs)])))
    middle = {name: statistics.median(found) for name, found in spent.items() if found}
    figures = {"seal_mib_s": size / MEBI / middle["seal"], "open_mib_s": size / MEBI / middle["open"]}
    if stock:
        figures |= {
            "seal_vs_stock": middle["stock_seal"] / middle["seal"],
            "open_vs_stock": middle["stock_open"] / middle["open"],
        }
    return figures


def _ours(source: Path, sink: Path, act: Callable[[Any, Any], Any]) -> None:
    with source.open("rb") as reading, sink.open("wb") as writing:
        act(reading, writing)


def _stock_key(folder: Path) -> str:
    (folder / "key").unlink(missing_ok=True)
    made = subprocess.run(["age-keygen", "-o", str(folder / "key")], capture_output=True, text=True, check=True)
    return made.stderr.split()[-1]


def _run(arguments: list[str]) -> None:
    subprocess.run(arguments, check=True)


def _timed(act: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def measure(given: argparse.Namespace) -> dict[str, float]:
    """Every figure, in one run."""
    with tempfile.TemporaryDirectory(prefix="astrack-bench-", dir=given.folder) as name, schools() as (a, b):
        folder = Path(name)
        for number in range(BACKGROUND // FACTS):
            admit(a, number, FACTS)
            admit(b, number, FACTS)
        warm = [admit(a, number, given.facts) for number in range(3)]
        alone = [admit(a, number, given.facts) for number in range(given.singles)]
        group = [admit(a, number, given.group_facts) for number in range(given.group)]
        singles(a, b, warm, folder)
        prepare_ms, import_ms = singles(a, b, alone, folder)
        figures = {"prepare_ms": prepare_ms, "import_ms": import_ms}
        if group:
            figures["year_group_s"] = year_group(a, b, group, folder)
        return figures | container(given.mebi * MEBI, folder)


def main() -> None:
    """Print a table, or with --json one object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--facts", type=int, default=FACTS, help="facts in a record that is handed over alone")
    options.add_argument("--singles", type=int, default=25, help="how many of them")
    options.add_argument("--group", type=int, default=GROUP, help="pupils in the year group")
    options.add_argument("--group-facts", type=int, default=FACTS, help="facts in each of their records")
    options.add_argument("--mebi", type=int, default=100, help="MiB for the container beside stock age")
    options.add_argument("--folder", type=Path, default=None, help="where files go (a temporary folder)")
    figures = measure(given := options.parse_args())
    if given.json:
        print(json.dumps({"figures": figures}))
        return
    for name, value in figures.items():
        print(f"{name:24}{value:12,.2f}{'   <- the bar is on this' if name in FIGURES else ''}")


if __name__ == "__main__":
    main()
