"""A roster plan for people: lines for a terminal, plain data for a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from domain.roster import Changed, FieldChange, HeldBack, Joiner, Leaver, RosterPlan, describe
from domain.school_year import year_name

LINES_MAX = 2_000
"""Lines shown of each kind; the counts are always of all."""
SOURCES = {"ctf": "CTF", "oneroster": "OneRoster"}


def render(plan: RosterPlan, limit: int = LINES_MAX) -> str:
    """The plan as text: numbers first, then each change in a line of its own, at most ``limit`` of a kind."""
    lines = [_heading(plan), _counts(plan)]
    lines += _section("New", (_joiner(one) for one in plan.new), limit)
    lines += _section("Coming back", (_joiner(one) for one in plan.returning), limit)
    lines += _section("Changed", (_changed(one) for one in plan.changed), limit)
    lines += _section("Leaving (their records stay)", (one.name for one in plan.leavers), limit)
    lines += _section("Held back, not taken in", (_held(one) for one in plan.held_back), limit)
    lines += _section("Warnings", plan.warnings, limit)
    if not plan.size:
        lines += ["", "Nothing would change."]
    if plan.many_leavers:
        lines += [
            "",
            f"{plan.missing} of {plan.on_roll} pupils on roll are missing from this file: confirm that they left.",
        ]
    return "\n".join(lines)


def as_dict(plan: RosterPlan, limit: int = LINES_MAX) -> dict[str, Any]:
    """The plan as JSON-able data: ``counts`` of all, and at most ``limit`` of each kind."""
    return {
        "source": SOURCES[plan.source], "version": plan.version, "full": plan.full, "from": plan.from_name,
        "on": plan.on.isoformat(), "listed": plan.listed, "on_roll": plan.on_roll,
        "counts": counts(plan), "many_leavers": plan.many_leavers,
        "new": [_joiner_dict(one) for one in plan.new[:limit]],
        "returning": [_joiner_dict(one) for one in plan.returning[:limit]],
        "changed": [_changed_dict(one) for one in plan.changed[:limit]],
        "leavers": [_leaver_dict(one) for one in plan.leavers[:limit]],
        "held_back": [{"place": one.place, "name": _name(one), "why": one.why} for one in plan.held_back[:limit]],
        "warnings": list(plan.warnings[:limit]),
    }  # fmt: skip


def counts(plan: RosterPlan) -> dict[str, int]:
    """How many pupils of each kind."""
    return {
        "new": len(plan.new), "returning": len(plan.returning), "changed": len(plan.changed),
        "unchanged": len(plan.unchanged), "leavers": len(plan.leavers), "held_back": len(plan.held_back),
        "warnings": len(plan.warnings),
    }  # fmt: skip


def _heading(plan: RosterPlan) -> str:
    extent = "full" if plan.full else "partial"
    sender = f" from {plan.from_name}" if plan.from_name else ""
    return f"{SOURCES[plan.source]} {plan.version} ({extent}){sender}, taken in for {plan.on}"


def _counts(plan: RosterPlan) -> str:
    number = counts(plan)
    return (
        f"{plan.listed} listed, {plan.on_roll} on roll here: {number['new']} new, {number['returning']} coming back, "
        f"{number['changed']} changed, {number['unchanged']} unchanged, {number['leavers']} leaving, "
        f"{number['held_back']} held back, warnings: {number['warnings']}"
    )


def _section(title: str, lines: Iterable[str], limit: int) -> list[str]:
    shown: Sequence[str] = list(lines)
    if not shown:
        return []
    more = [f"  and {len(shown) - limit} more"] if len(shown) > limit else []
    return ["", f"{title}:", *(f"  {line}" for line in shown[:limit]), *more]


def _joiner(one: Joiner) -> str:
    groups = f", {describe(one.groups)}" if one.groups else ""
    return f"{one.person.full_name}, {year_name(one.year_group)}{groups}{_background(one)} - {one.place}"


def _background(one: Joiner) -> str:
    said = ", ".join(f"{called} {value}" for called, value in one.background.groups())
    return f" (for fairness alone: {said})" if said else ""


def _changed(one: Changed) -> str:
    return f"{one.person.full_name}: {'; '.join(map(_field, one.fields))} - {one.place}"


def _field(change: FieldChange) -> str:
    if not change.before and not change.after:
        return change.field
    return f"{change.field} {change.before or '(none)'} -> {change.after or '(none)'}"


def _held(one: HeldBack) -> str:
    return f"{one.place}{', ' if _name(one) else ''}{_name(one)}: {one.why}"


def _name(one: HeldBack) -> str:
    return f"{one.forename} {one.surname}".strip()


def _joiner_dict(one: Joiner) -> dict[str, Any]:
    return {
        "place": one.place, "name": one.person.full_name, "year_group": one.year_group,
        "groups": [group.model_dump() for group in one.groups], "background": dict(one.background.groups()),
        "pupil_id": str(one.pupil_id) if one.pupil_id else None,
    }  # fmt: skip


def _changed_dict(one: Changed) -> dict[str, Any]:
    fields = [change.model_dump() for change in one.fields]
    return {"place": one.place, "pupil_id": str(one.pupil_id), "name": one.person.full_name, "fields": fields}


def _leaver_dict(one: Leaver) -> dict[str, Any]:
    return {"pupil_id": str(one.pupil_id), "name": one.name, "handed_over": one.handed_over}
