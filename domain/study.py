"""The pseudonymous export of a prospective study: what flags said, and what came of it, without anybody in it.

Pupils appear under a keyed digest that only the holder of the study's key can make again; days as months, ages as whole
years; no school, group, note, reason or answer.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
from collections.abc import Iterable, Iterator
from uuid import UUID

from domain.base import Event
from domain.journey import facts as f
from domain.journey.outside import FOR_THE_DSL
from domain.journey.state import corrected

KEY_LEAST = 32
COLUMNS = (
    "pupil",
    "month",
    "what",
    "code",
    "factor",
    "context",
    "end",
    "probability",
    "age_years",
    "usable",
    "source",
    "digest",
)
Row = dict[str, str]


def pseudonym(key: bytes, pupil_id: UUID) -> str:
    """A pupil's name in the study: HMAC-SHA-256 under its key, 16 hex digits. Raises ValueError for a short key."""
    if len(key) < KEY_LEAST:
        raise ValueError(f"a study's key has at least {KEY_LEAST} bytes")
    return hmac.new(key, pupil_id.bytes, hashlib.sha256).hexdigest()[:16]


def rows(key: bytes, pupil_id: UUID, events: Iterable[Event]) -> list[Row]:
    """What the study needs of one journey, in order of the record, corrections applied."""
    name = pseudonym(key, pupil_id)
    return [{"pupil": name, **row} for event in corrected(list(events)) for row in _row(event)]


def table(all_rows: Iterable[Row]) -> str:
    """The rows as CSV with a header, sorted so that the order tells nothing of the school's."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(all_rows, key=lambda row: (row["pupil"], row["month"], row["what"], row.get("code", ""))))
    return out.getvalue()


def _row(event: Event) -> Iterator[Row]:
    month = f"{event.day:%Y-%m}"
    if isinstance(event, f.AssessmentSat):
        yield {"month": month, "what": "sat", **_sat(event)}
    elif isinstance(event, f.FlagRaised):
        yield {"month": month, "what": "flag", **_flag(event)}
    elif isinstance(event, f.FlagReviewed):
        yield {"month": month, "what": "review", "code": event.judgement}
    elif isinstance(event, f.PupilLookedAt):
        yield {
            "month": month,
            "what": "looked_at",
            "code": "concern" if event.concern else "no_concern",
            "probability": "" if event.chance is None else f"{event.chance:.4f}",
        }
    elif isinstance(event, f.OutcomeReported) and event.code not in FOR_THE_DSL:
        yield {"month": month, "what": "outcome", "code": event.code, "source": event.source}
    elif isinstance(event, f.PlanOpened):
        yield {"month": month, "what": "plan", "code": event.kind, "factor": event.factor or ""}


def _sat(event: f.AssessmentSat) -> Row:
    age = "" if event.age_months is None else str(event.age_months // 12)
    usable = str(event.usable).lower()
    code = f"{event.instrument} {event.instrument_version}"
    return {"code": code, "age_years": age, "usable": usable, "digest": event.instrument_digest}


def _flag(event: f.FlagRaised) -> Row:
    said = "" if event.probability is None else f"{event.probability:.2f}"
    where = {"factor": event.factor or "", "context": event.context or "", "end": event.pole or ""}
    return {"code": event.kind, **where, "probability": said, "digest": event.model_digest}
