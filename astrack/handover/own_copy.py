"""What only a student's own copy carries: keys to go on with, wordings to read it by, and the credential."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import guidance
from transfer import canonical, cloudevents, credential, manifest, story
from transfer.age import Recipient
from transfer.credential import Kept
from transfer.story import Line

CREDENTIAL, STUDENT, WORDINGS = "credential.json", "student.json", "wordings.json"
SAT, ENROLLED, PLANNED = "journey.assessment-sat.v1", "journey.pupil-enrolled.v1", "journey.plan-opened.v1"
AUDIENCES = ("student", "recovery")


def members(
    origin: str,
    recipients: Sequence[Recipient],
    signing: Sequence[str],
    lines: Sequence[Line],
    transfer_id: UUID,
    named: tuple[str, str],
    created: datetime,
    seed: bytes,
) -> dict[str, bytes]:
    """credential.json, student.json, wordings.json and cloudevents.jsonl of a copy whose story these lines are.

    ``origin`` is the school's log; ``named`` are the school and the student; ``signing`` the two verifier keys that the
    student's key leads to, empty when the school does not know them; ``seed`` is that of the school's Ed25519 manifest
    key.
    """
    facts = [json.loads(payload) for payload in story.payloads(lines)]
    school, student = named
    kept = _kept(transfer_id, facts, student, school, created, manifest.digest(story.dump(lines)))
    return {
        CREDENTIAL: credential.of_record(kept, seed),
        STUDENT: _student(recipients, signing),
        cloudevents.MEMBER: cloudevents.dump(origin, lines),
        WORDINGS: canonical.dump(dict(sorted(_wordings(facts)))),
    }


def _student(recipients: Sequence[Recipient], signing: Sequence[str]) -> bytes:
    whole = [{"for": audience, "recipient": one.text} for audience, one in zip(AUDIENCES, recipients, strict=True)]
    return canonical.dump({"recipients": whole, "signing": list(signing) or None})


def _kept(
    transfer_id: UUID, facts: Iterable[dict[str, Any]], name: str, school: str, created: datetime, digest: str
) -> Kept:
    sat, schools = list[str](), set[str]()
    for fact in facts:
        if fact["topic"] == SAT:
            sat.append(fact["data"]["happened_on"])
        if fact["topic"] == ENROLLED:
            schools.add(fact["data"]["school_id"])
    days = sorted(sat) or [created.date().isoformat()]
    return Kept(transfer_id, name, school, created, days[0], days[-1], len(sat), max(1, len(schools)), digest)


def _wordings(facts: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """What each code in the plans says."""
    library = guidance.load()
    for fact in facts:
        if fact["topic"] == PLANNED:
            for code in (*fact["data"]["causes"], *fact["data"]["risks"], *fact["data"]["signposts"]):
                if (entry := library.entry(code)) is not None:
                    yield code, entry.say
