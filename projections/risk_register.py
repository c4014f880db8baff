"""Pupils by need: early signs new to look at, plans that are due, what is getting better, wishes to talk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from domain.base import Event, Fact
from domain.journey import facts as f
from domain.risk import makes_work, reads
from domain.scope import Scope
from projections import pupils
from projections.shape import capped, in_scope

NAME, VERSION = "risk_register", 3
KEY = ("pupil_id",)
TABLE = f"views.{NAME}_v{VERSION}"
# json, not jsonb: these are read whole on every page, and jsonb would print each of their numbers anew
SCHEMA = (
    "CREATE TABLE {table} (school_id uuid NOT NULL, pupil_id uuid NOT NULL, need double precision NOT NULL,"
    " unreviewed int NOT NULL, due_on date, talk_on date, better_on date, newest_on date, flags json NOT NULL,"
    " plans json NOT NULL, talks json NOT NULL, recent json NOT NULL, better text NOT NULL)",
    "ALTER TABLE {table} ADD PRIMARY KEY (school_id, pupil_id)",
    "CREATE INDEX ON {table} (school_id, need DESC, pupil_id) WHERE need > 0",
    "CREATE INDEX ON {table} (school_id, need DESC, pupil_id) WHERE unreviewed > 0",
    "CREATE INDEX ON {table} (school_id, due_on, pupil_id) WHERE due_on IS NOT NULL",
    "CREATE INDEX ON {table} (school_id, better_on DESC, pupil_id) WHERE better_on IS NOT NULL AND unreviewed = 0",
    "CREATE INDEX ON {table} (school_id, talk_on, pupil_id) WHERE talk_on IS NOT NULL",
)
LOOK_DAYS = {"weekly": 7, "fortnightly": 14, "monthly": 28}
RECENT = 9
DUE_WITHIN = timedelta(days=7)
BETTER_FOR = timedelta(days=60)
WEIGHTS = {"priority": 3.0, "both_contexts": 2.5, "worsening": 2.0, "composite": 2.0}
"""How much a kind of sign counts in the order of need, times its probability; what is information only counts 0.25."""


class Row(NamedTuple):
    """One pupil's standing. Dates as ISO text inside the JSON values.

    ``unreviewed``: signs that ask for a look (domain.risk.makes_work) and that nobody has reviewed.
    ``flags``: {flag_id: {kind, factor, context, pole, probability, reason, raised_on, judgement}} that have not eased;
    ``plans``: open ones {plan_id: {goal, kind, factor, owner_id, start_on, end_on, monitoring, looked_on, due_on}};
    ``talks``: {talk_id: {with_role, since, escalated}} nobody took up; ``recent``: the newest usable sittings, oldest
    first, [{id, on, values}] with eight numbers; ``better``: what eased or helped last, in words of the record.
    """

    pupil_id: UUID
    need: float = 0.0
    unreviewed: int = 0
    due_on: date | None = None
    talk_on: date | None = None
    better_on: date | None = None
    newest_on: date | None = None
    flags: dict[str, dict[str, Any]] = {}  # noqa: RUF012
    plans: dict[str, dict[str, Any]] = {}  # noqa: RUF012
    talks: dict[str, dict[str, Any]] = {}  # noqa: RUF012
    recent: list[dict[str, Any]] = []  # noqa: RUF012
    better: str = ""


def key(fact: Fact) -> tuple[UUID] | None:
    """One row for each pupil."""
    return (fact.pupil_id,) if fact.pupil_id else None


def evolve(row: Row | None, fact: Fact) -> Row:
    """The row after one fact more. Facts seen twice (a record that came back) leave it as one would."""
    return STEPS[type(fact.event)](row or Row(fact.pupil_id or UUID(int=0)), fact.event)


def _sat(row: Row, event: f.AssessmentSat) -> Row:
    on, newest = event.happened_on, row.newest_on
    if not (event.usable and reads(event.instrument, event.instrument_version)):
        return row._replace(newest_on=on if newest is None or on > newest else newest)
    # ids and dates are written as text when the row is stored, and are text in a row that was
    one = {"id": event.sitting_id, "on": on, "values": event.values}
    if newest is None or on > newest:
        return row._replace(newest_on=on, recent=[*row.recent, one][-RECENT:])
    kept = [other for other in row.recent if str(other["id"]) != str(event.sitting_id)]
    kept.append(one)
    kept.sort(key=lambda other: (str(other["on"]), str(other["id"])))
    return row._replace(recent=kept[-RECENT:])


def _raised(row: Row, event: f.FlagRaised) -> Row:
    flag = {
        "kind": event.kind, "factor": event.factor, "context": event.context, "pole": event.pole,
        "probability": event.probability, "reason": event.reason, "raised_on": event.day.isoformat(),
        "judgement": None,
    }  # fmt: skip
    return _with_flags(row, {**row.flags, str(event.flag_id): flag})


def _eased(row: Row, event: f.FlagEased) -> Row:
    flag = row.flags.get(str(event.flag_id))
    if flag is None:
        return row
    left = {name: one for name, one in row.flags.items() if name != str(event.flag_id)}
    return _with_flags(_better(row, event.day, f"eased: {flag['kind']} {flag['factor'] or ''}".strip()), left)


def _reviewed(row: Row, event: f.FlagReviewed) -> Row:
    flag = row.flags.get(str(event.flag_id))
    if flag is None:
        return row
    return _with_flags(row, {**row.flags, str(event.flag_id): {**flag, "judgement": event.judgement}})


def _with_flags(row: Row, flags: dict[str, dict[str, Any]]) -> Row:
    weighed = [(flag["judgement"], _weight(flag)) for flag in flags.values()]
    unreviewed = sum(flag["judgement"] is None and makes_work(flag["kind"]) for flag in flags.values())
    need = sum(weight * (1.0 if judgement is None else 0.25)
               for judgement, weight in weighed if judgement != "not_what_we_see")  # fmt: skip
    return row._replace(flags=flags, unreviewed=unreviewed, need=need)


def reviewed(row: Row) -> Row:
    """The row without the signs that ask for a look and that nobody has reviewed."""
    kept = {
        name: flag for name, flag in row.flags.items() if flag["judgement"] is not None or not makes_work(flag["kind"])
    }
    return _with_flags(row, kept)


def _weight(flag: dict[str, Any]) -> float:
    kind, probability = flag["kind"], flag["probability"]
    kind = "composite" if kind.startswith("composite_") else kind
    return WEIGHTS.get(kind, 0.25) * (0.5 if probability is None else float(probability))


def _better(row: Row, on: date, what: str) -> Row:
    return row._replace(better_on=on, better=what) if row.better_on is None or on >= row.better_on else row


def _asked(row: Row, event: f.TalkRequested) -> Row:
    talk = {"with_role": event.with_role, "since": event.day.isoformat(), "escalated": False}
    return _with_talks(row, {**row.talks, str(event.talk_id): talk})


def _taken_up(row: Row, event: f.TalkAcknowledged) -> Row:
    return _with_talks(row, {name: talk for name, talk in row.talks.items() if name != str(event.talk_id)})


def _escalated(row: Row, event: f.TalkEscalated) -> Row:
    talk = row.talks.get(str(event.talk_id), {"since": event.day.isoformat()})
    return _with_talks(row, {**row.talks, str(event.talk_id): {**talk, "with_role": event.to_role, "escalated": True}})


def _with_talks(row: Row, talks: dict[str, dict[str, Any]]) -> Row:
    since = min((talk["since"] for talk in talks.values()), default=None)
    return row._replace(talks=talks, talk_on=date.fromisoformat(since) if since else None)


def _opened(row: Row, event: f.PlanOpened) -> Row:
    plan = {
        "goal": event.goal, "kind": event.kind, "factor": event.factor, "owner_id": str(event.owner_id),
        "start_on": event.start_on.isoformat(), "end_on": event.end_on.isoformat(), "monitoring": event.monitoring,
        "looked_on": event.start_on.isoformat(),
    }  # fmt: skip
    return _with_plan(row, str(event.plan_id), plan)


def _monitored(row: Row, event: f.PlanMonitored) -> Row:
    plan = row.plans.get(str(event.plan_id))
    return _with_plan(row, str(event.plan_id), {**plan, "looked_on": event.day.isoformat()}) if plan else row


def _plan_reviewed(row: Row, event: f.PlanReviewed) -> Row:
    plan = row.plans.get(str(event.plan_id))
    if plan is None:
        return row
    looked = {"looked_on": event.day.isoformat(), "end_on": event.end_on.isoformat()}
    return _with_plan(row, str(event.plan_id), {**plan, **looked})


def _closed(row: Row, event: f.PlanClosed) -> Row:
    plan = row.plans.get(str(event.plan_id))
    if plan is None:
        return row
    if event.came in ("helped", "helped_partly"):
        row = _better(row, event.day, f"plan {event.came}: {plan['goal']}")
    return _with_plans(row, {name: one for name, one in row.plans.items() if name != str(event.plan_id)})


def _with_plan(row: Row, plan_id: str, plan: dict[str, Any]) -> Row:
    due = date.fromisoformat(plan["looked_on"]) + timedelta(days=LOOK_DAYS.get(plan["monitoring"], 7))
    return _with_plans(row, {**row.plans, plan_id: {**plan, "due_on": min(due.isoformat(), plan["end_on"])}})


def _with_plans(row: Row, plans: dict[str, dict[str, Any]]) -> Row:
    due = min((plan["due_on"] for plan in plans.values()), default=None)
    return row._replace(plans=plans, due_on=date.fromisoformat(due) if due else None)


STEPS: dict[type[Event], Callable[[Row, Any], Row]] = {
    f.AssessmentSat: _sat,
    f.FlagRaised: _raised,
    f.FlagEased: _eased,
    f.FlagReviewed: _reviewed,
    f.TalkRequested: _asked,
    f.TalkAcknowledged: _taken_up,
    f.TalkEscalated: _escalated,
    f.PlanOpened: _opened,
    f.PlanMonitored: _monitored,
    f.PlanReviewed: _plan_reviewed,
    f.PlanClosed: _closed,
}
TAKES = frozenset(STEPS)
READS = {
    f.AssessmentSat: frozenset({
        "sitting_id", "happened_on", "usable", "values", "instrument", "instrument_version",
    }),
}  # fmt: skip
COLUMNS = ", ".join(f"r.{name}" for name in Row._fields)
BEHIND = (
    f"EXISTS (SELECT 1 FROM views.behind b WHERE b.school_id = r.school_id AND b.pupil_id = r.pupil_id"
    f" AND b.projection = '{NAME}')"
)


class Line(NamedTuple):
    """One pupil on a list: who, how they stand, and whether the row misses a fact that could not be read yet."""

    pupil: pupils.Row
    risk: Row
    behind: bool


def by_need(
    cur: Cursor[Any],
    school_id: UUID,
    scope: Scope,
    after: tuple[float, UUID] | None,
    limit: int,
    waiting: Sequence[UUID] | None = None,
) -> list[Line]:
    """Pupils on roll in scope with open early signs, most in need first; ``after`` is (need, pupil_id) of the last.

    With ``waiting``, pupils to be looked at for another reason, it leaves them out and those with signs that nobody has
    reviewed.
    """
    need, pupil_id = after or (float("inf"), UUID(int=0))
    looked = "" if waiting is None else " AND r.unreviewed = 0 AND r.pupil_id <> ALL (%s)"
    return _lines(
        cur, school_id, scope, f"r.need > 0 AND (r.need < %s OR (r.need = %s AND r.pupil_id > %s)){looked}",
        (need, need, pupil_id, *([] if waiting is None else [list(waiting)])), "r.need DESC, r.pupil_id", limit,
    )  # fmt: skip


def new_to_look_at(cur: Cursor[Any], school_id: UUID, scope: Scope, limit: int = 60) -> list[Line]:
    """Pupils with early signs that nobody has reviewed, most in need first."""
    return _lines(cur, school_id, scope, "r.unreviewed > 0", (), "r.need DESC, r.pupil_id", limit)


def to_look_at(cur: Cursor[Any], school_id: UUID, scope: Scope) -> int:
    """How many pupils have early signs that nobody has reviewed."""
    scoped, names = in_scope(scope)
    cur.execute(
        f"SELECT count(*) FROM (SELECT pupil_id FROM {TABLE} WHERE school_id = %s AND unreviewed > 0 OFFSET 0) r"
        f" JOIN {pupils.TABLE} p ON p.school_id = %s AND p.pupil_id = r.pupil_id WHERE p.on_roll AND {scoped}",
        (school_id, school_id, *names),
    )
    row = cur.fetchone()
    return int(row[0]) if row else 0


def due(cur: Cursor[Any], school_id: UUID, scope: Scope, today: date, limit: int = 60) -> list[Line]:
    """Pupils with a plan to be looked at within a week, or overdue, the longest overdue first."""
    return _lines(cur, school_id, scope, "r.due_on <= %s", (today + DUE_WITHIN,), "r.due_on, r.pupil_id", limit)


def better(cur: Cursor[Any], school_id: UUID, scope: Scope, today: date, limit: int = 60) -> list[Line]:
    """Pupils of whom something eased or a plan helped in the last 60 days, and nothing new waits."""
    where = "r.better_on >= %s AND r.unreviewed = 0"
    return _lines(cur, school_id, scope, where, (today - BETTER_FOR,), "r.better_on DESC, r.pupil_id", limit)


def wishes_to_talk(cur: Cursor[Any], school_id: UUID, scope: Scope, limit: int = 60) -> list[Line]:
    """Pupils who asked to talk and whom nobody has taken up, the longest waiting first."""
    return _lines(cur, school_id, scope, "r.talk_on IS NOT NULL", (), "r.talk_on, r.pupil_id", limit)


def of(cur: Cursor[Any], school_id: UUID, pupil_ids: Sequence[UUID]) -> list[Line]:
    """The rows of some pupils on roll."""
    if not pupil_ids:
        return []
    scope = Scope(everyone=True)
    return _lines(cur, school_id, scope, "r.pupil_id = ANY (%s)", (list(pupil_ids),), "r.pupil_id", len(pupil_ids))


def standing(cur: Cursor[Any], school_id: UUID, pupil_id: UUID) -> Line | None:
    """One pupil's row, on roll or not; None when there is none."""
    cur.execute(_SELECT.format(where="r.pupil_id = %s"), (school_id, pupil_id))
    row = cur.fetchone()
    return _line(row) if row else None


# OFFSET 0: the few rows wanted are found first, by their own index, whatever the planner believes of the pupils
_SELECT = (
    f"SELECT {BEHIND}, {COLUMNS}, {pupils.COLUMNS} FROM (SELECT * FROM {TABLE} r WHERE r.school_id = %s AND {{where}}"
    f" OFFSET 0) r JOIN {pupils.TABLE} p ON p.school_id = r.school_id AND p.pupil_id = r.pupil_id"
)


def _lines(
    cur: Cursor[Any], school_id: UUID, scope: Scope, where: str, values: tuple[Any, ...], order: str, limit: int
) -> list[Line]:
    scoped, names = in_scope(scope)
    cur.execute(
        f"{_SELECT.format(where=where)} WHERE p.on_roll AND {scoped} ORDER BY {order} LIMIT %s",
        (school_id, *values, *names, capped(limit)),
    )
    return [_line(row) for row in cur]


def _line(row: tuple[Any, ...]) -> Line:
    width = 1 + len(Row._fields)
    return Line(pupils.Row(*row[width:]), Row(*row[1:width]), row[0])
