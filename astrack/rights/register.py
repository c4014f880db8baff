"""The register of processing, and the annex of an impact assessment: what is held, why, where, how long, who sees it.

The purposes are written here; all the rest is read from the code that runs, so that it cannot say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain import catalogue
from domain.authority import RULES, Action
from domain.authority.table import ROLES
from domain.base import TOPICS, Event, StreamClass
from domain.look import LookRefused, LookTaken
from domain.rights.retention import POLICY

KEYS: dict[StreamClass, str] = {
    StreamClass.JOURNEY: "under the pupil's journey key, without a name",
    StreamClass.IDENTITY: "under the pupil's identity key",
    StreamClass.SAFEGUARDING: "under the pupil's safeguarding key",
    StreamClass.STAFF: "under the staff member's key",
    StreamClass.SCHOOL: "under the school's key",
}
SEEN_BY: dict[StreamClass, tuple[Action, ...]] = {
    StreamClass.JOURNEY: (Action.SEE_STORY, Action.SEE_GUIDED, Action.SEE_PLANS),
    StreamClass.IDENTITY: (Action.SEE_NAME, Action.SEE_FAMILY, Action.SEE_RIGHTS),
    StreamClass.SAFEGUARDING: (Action.SEE_HAND_OFFS,),
    StreamClass.STAFF: (Action.SEE_STAFF,),
    StreamClass.SCHOOL: (Action.SEE_SCHOOL, Action.SEE_ROUNDS),
}
LOOKS_SEEN_BY = (Action.SEE_LOOKS, Action.SEE_ACCESS_LOG)
WORDS = {"own": "own", "child": "own child", "released": "what was released", "scope": "own scope", "all": "all",
         "glass": "after breaking the glass"}  # fmt: skip
HEAD = frozenset({"event_id", "recorded_at", "by"})
UNTIL_OVER = "until erased with the pupil's record"


class Processing(BaseModel):
    """One line of the register (UK GDPR article 30)."""

    model_config = ConfigDict(frozen=True)
    purpose: str
    lawful_basis: str
    whose: str
    what: str
    recipients: str
    kept: str
    secured: str


_KEPT = "; ".join(
    f"{one.title}: date of birth + {one.years_from_birth} years ({one.source})" for one in POLICY.values()
)
_SECURED = "a key for each pupil and class, roles with scopes, every look on record, nothing erasable by the service"
REGISTER: tuple[Processing, ...] = (
    Processing(
        purpose="Seeing early how pupils' self-regulation develops, and acting on it",
        lawful_basis="public task: UK GDPR article 6(1)(e); health inferences under 9(2)(g) and Data Protection Act "
        "2018 schedule 1 paragraph 18 (safeguarding of children), where they arise",
        whose="pupils of 8 to 18",
        what="answers, scores, early signs, staff's reviews, plans and what came of them",
        recipients="staff within their scope; the next school, by a sealed file; the student at 18",
        kept=_KEPT,
        secured=_SECURED,
    ),
    Processing(
        purpose="Knowing whose record it is, and who speaks for the pupil",
        lawful_basis="public task and legal obligation: UK GDPR article 6(1)(e), (c)",
        whose="pupils, parents and carers",
        what="names, UPN, date of birth, relations, court orders (dates and reference), competence decisions",
        recipients="the office and the DSL; staff see names within their scope; the next school",
        kept=_KEPT,
        secured=_SECURED + "; names apart from the story",
    ),
    Processing(
        purpose="Seeing whether early signs treat pupils of every background alike, where the head switched this on",
        lawful_basis="public task: UK GDPR article 6(1)(e); article 9(2)(g) and Data Protection Act 2018 schedule 1 "
        "paragraph 8 (equality of opportunity or treatment)",
        whose="pupils",
        what="SEN, EAL and free school meals as yes or no, ethnicity as one of five broad groups; only what is watched",
        recipients="nobody of a single pupil; heads, leads and the DSL see rates of groups of ten or more",
        kept=_KEPT + "; let go of with the next roster once it is switched off",
        secured=_SECURED + "; apart from the story, never in a sealed file's story",
    ),
    Processing(
        purpose="Handing a concern to the designated safeguarding lead",
        lawful_basis="legal obligation and public task: UK GDPR article 6(1)(c), (e); Data Protection Act 2018 "
        "schedule 1 paragraph 18",
        whose="pupils",
        what="the day and a reference to the school's own system, no narrative",
        recipients="the DSL and deputies",
        kept=POLICY["child_protection"].source,
        secured=_SECURED + "; withheld from copies until a second person has judged",
    ),
    Processing(
        purpose="Letting staff work here, and showing what they were trained in",
        lawful_basis="public task: UK GDPR article 6(1)(e)",
        whose="staff",
        what="names, roles, scopes, training, what they sign in with (only as keyed hashes or sealed)",
        recipients="administrators, the DSL, the lead practitioner, the data protection officer",
        kept="while they work here, and as long as what they recorded is kept; the name can be erased alone",
        secured="a key for each person",
    ),
    Processing(
        purpose="Showing who looked at whose record",
        lawful_basis="legal obligation: UK GDPR articles 5(2), 32; article 6(1)(c)",
        whose="staff, pupils and parents",
        what="who, in which role, when, at which kind of thing, what for; never what was seen",
        recipients="the data protection officer, auditors; pupils and parents see roles and purposes",
        kept="as long as the records it is about",
        secured="a chained log of its own, which nobody can change",
    ),
    Processing(
        purpose="Answering requests about records within their time",
        lawful_basis="legal obligation: UK GDPR article 6(1)(c), articles 12 to 22",
        whose="whoever asks, and the pupil asked about",
        what="the request, its clock, what was kept back and why, a digest of the copy",
        recipients="the data protection officer and the DSL; whoever asked",
        kept=UNTIL_OVER,
        secured="a key for each request",
    ),
)
"""The register, as the service's makers know it; a school adds its own lines beside it."""


@cache
def annex() -> str:
    """The annex in Markdown: every kind of fact with its fields, its key, how long it is kept, and who may see it."""
    lines = [
        "# Annex: what is held, why, where, how long, and who sees it", "",
        "Made from the code of this version; it says what the service does, not what it should.", "",
        "## Register of processing", "",
        "| purpose | lawful basis | whose | what | recipients | kept | secured |", "|---|---|---|---|---|---|---|",
        *("| " + " | ".join(one.model_dump().values()) + " |" for one in REGISTER), "",
        "## Every kind of entry", "",
        "| entry | fields | where | kept | seen by |", "|---|---|---|---|---|",
        *(_row(kind) for kind in _kinds()), "",
        "## Kept beside the entries", "",
        "| table | what | where | kept |", "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in BESIDE), "",
        "## Who may do what", "", "The table of authority is at `/api/v1/permissions`.", "",
    ]  # fmt: skip
    return "\n".join(lines)


BESIDE = (
    ("record.drafts", "a sitting that was begun", "under the pupil's journey key", "until handed in or erased"),
    ("record.answers", "the answer to a repeated request", "under the key of its stream", UNTIL_OVER),
    ("record.transfers", "sealed files and their receipts", "sealed for the other school", UNTIL_OVER),
    (
        "record.credentials",
        "what somebody signs in with",
        "keyed hash; second factors sealed",
        "until used, over or erased",
    ),
    ("record.sessions", "who is signed in", "hash of a random secret", "hours"),
    ("record.dead_letters", "why a list could not take an entry", "under the key of its stream", UNTIL_OVER),
    ("views.*", "lists worked out from the entries", "in the clear, apart from every backup", "made anew at will"),
)


def _kinds() -> Iterator[type[Event]]:
    listed = {one.__name__ for one in catalogue.MODULES}
    return (kind for _, kind in sorted(TOPICS.items()) if kind.__module__ in listed)


def _row(kind: type[Event]) -> str:
    looks = kind in (LookTaken, LookRefused)
    fields = ", ".join(name for name in kind.model_fields if name not in HEAD) or "none of its own"
    kept = "as long as the records it is about" if looks else _kept(kind.STREAM)
    where = "in the log of looks, " + KEYS[kind.STREAM] if looks else KEYS[kind.STREAM]
    seen = _seen(LOOKS_SEEN_BY if looks else SEEN_BY[kind.STREAM])
    told = (kind.__doc__ or "").split("\n")[0]
    return f"| `{kind.TOPIC}` {told} | {fields} | {where} | {kept} | {seen} |"


def _kept(stream: StreamClass) -> str:
    if stream in (StreamClass.SCHOOL,):
        return "as long as the school keeps a log: it holds no pupil's data"
    return "while they work here" if stream is StreamClass.STAFF else "by the record's retention class"


def _seen(actions: tuple[Action, ...]) -> str:
    found: dict[str, list[str]] = {}
    for role in ROLES:
        cells = [RULES[action].cells[role] for action in actions if RULES[action].cells[role] != "-"]
        if cells:
            found.setdefault(", ".join(dict.fromkeys(WORDS[cell] for cell in cells)), []).append(role.replace("_", " "))
    return "; ".join(f"{', '.join(roles)} ({what})" for what, roles in found.items()) or "nobody"


def facts_described() -> dict[str, Any]:
    """Topic -> the fields of its facts: what a test compares with the annex."""
    return {kind.TOPIC: sorted(set(kind.model_fields) - HEAD) for kind in _kinds()}
