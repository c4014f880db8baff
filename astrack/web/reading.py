"""From a pupil's record to the picture and the sparkline of their pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from markupsafe import Markup

from astrack import picture as p
from astrack.picture.svg import svg
from astrack.web.story import Telling, flag_sentence, telling
from domain import risk
from domain.base import Fact
from domain.identity import Identity, SchoolName
from domain.journey import facts as f
from domain.journey.state import Journey, Sat

SPARK_POINTS = 9
SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 88, 26, 4


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale levels are drawn on, and where its polar zones begin."""

    low: float = 1.0
    high: float = 6.0
    low_pole: float = 2.0
    high_pole: float = 5.0


def picture_of(
    journey: Journey,
    facts: Sequence[Fact],
    identity: Identity,
    today: date,
    *,
    pupil_path: str = "",
    as_known_on: date | None = None,
    guided: bool = False,
    scale: Scale | None = None,
    say: Callable[[str], str] = str,
) -> p.PictureData:
    """The picture of a journey; ``pupil_path`` starts the links inside ("" for none), ``say`` puts it into words."""
    named, on = telling(facts, identity), scale or scale_of()
    first = identity.person.called if identity.person else "A pupil"
    return p.PictureData(
        starts_on=_starts_on(facts, today),
        today=today,
        lines=_lines(journey, facts, as_known_on or today),
        schools=_schools(facts, named),
        hand_overs=_hand_overs(facts, named, pupil_path, say),
        flags=() if guided else _flags(journey, named, pupil_path),
        plans=_plans(journey, facts, pupil_path),
        as_known_on=as_known_on,
        guided=guided,
        title=say("{name}'s journey from 8 to 18").format(name=first),
        say=say,
        low=on.low,
        high=on.high,
        low_pole=on.low_pole,
        high_pole=on.high_pole,
    )


def with_own_school(identity: Identity, own: SchoolName | None) -> Identity:
    """The identity with this school's own name among those it knows: a roster does not state it for each pupil."""
    if own is None or own.school_id in identity.schools:
        return identity
    return Identity(identity.person, {**identity.schools, own.school_id: own})


@cache
def scale_of() -> Scale:
    """The scale and cut-offs of the model's own instrument, on which its levels lie."""
    one = risk.load_model().instrument
    return Scale(one.scale.least, one.scale.most, one.poles.low, one.poles.high)


def _starts_on(facts: Sequence[Fact], today: date) -> date:
    """1 September of Year 4: from the newest fact that states a year group, else from the age at enrolment."""
    kinds = (f.PupilEnrolled, f.PupilRegrouped)
    stated = [fact.event for fact in facts if isinstance(fact.event, kinds)]
    for event in reversed(stated):
        if event.year_group is not None:
            return p.starts_on(event.year_group, event.happened_on)
    for event in reversed(stated):
        if isinstance(event, f.PupilEnrolled) and event.age_months is not None:
            return p.starts_on(event.age_months // 12 - 4, event.happened_on)
    return date(today.year, 9, 1)


def _lines(journey: Journey, facts: Sequence[Fact], up_to: date) -> tuple[p.Line, ...]:
    model = risk.load_model()
    # what was answered to another instrument lies on another scale: it stands in the story
    sittings = [sat for sat in journey.sittings if sat.on <= up_to and model.reads(sat.instrument)]
    if not sittings:
        return ()
    track = risk.track(model, sittings, up_to)
    amended = {one.event.corrects for one in facts if isinstance(one.event, f.FactCorrected)}
    return tuple(
        _line(track, sittings, amended, context, factor)
        for context in range(len(p.CONTEXTS))
        for factor in range(len(p.FACTORS))
    )


def _line(track: Any, sittings: Sequence[Sat], amended: set[UUID], context: int, factor: int) -> p.Line:
    index = context * len(p.FACTORS) + factor
    return p.Line(
        factor=p.FACTORS[factor],
        context=p.CONTEXTS[context],
        days=tuple(track.days),
        level=tuple(float(value) for value in track.level[:, index]),
        sd=tuple(float(value) for value in track.sd[:, index]),
        dots=tuple(
            p.Dot(sat.on, value, sat.usable, sat.event_id in amended, f"#e-{sat.event_id}", sat.mode == "supported")
            for sat in sittings
            if (value := sat.values[index]) is not None
        ),
    )


def _schools(facts: Sequence[Fact], named: Telling) -> tuple[p.SchoolBand, ...]:
    joined = [fact.event for fact in facts if isinstance(fact.event, f.PupilEnrolled)]
    left = sorted(fact.event.day for fact in facts if isinstance(fact.event, f.PupilLeft))
    bands = []
    for index, one in enumerate(joined):
        following = joined[index + 1].happened_on if index + 1 < len(joined) else None
        until = next((day for day in left if day >= one.happened_on), None)
        until = following if until is None or (following is not None and following < until) else until
        bands.append(p.SchoolBand(named.schools.get(one.school_id, "A school"), one.happened_on, until))
    return tuple(bands)


def _hand_overs(facts: Sequence[Fact], named: Telling, path: str, say: Callable[[str], str]) -> tuple[p.HandOver, ...]:
    found = []
    for fact in facts:
        event = fact.event
        if isinstance(event, f.RecordReceived):
            source = named.schools.get(event.from_school_id) if event.from_school_id else None
            words = say("Sealed record received from {school} and verified")
            words = words.format(school=source or say("another school"))
            found.append(p.HandOver(event.day, words, f"#e-{event.event_id}" if path else ""))
        elif isinstance(event, f.CustodyReleased):
            words = say("Record handed over to the next school")
            found.append(p.HandOver(event.day, words, f"#e-{event.event_id}" if path else ""))
    # both schools note the same move within days: one envelope is enough
    return tuple(one for n, one in enumerate(found) if n == 0 or (one.on - found[n - 1].on).days > 20)


def _flags(journey: Journey, named: Telling, path: str) -> tuple[p.FlagMark, ...]:
    return tuple(
        p.FlagMark(
            on=flag.raised.day,
            said=flag_sentence(flag.raised, named.called),
            factor=flag.raised.factor if flag.raised.factor in p.FACTORS else None,
            context="school" if flag.raised.context == "school" else "general",
            judgement=flag.judgement,
            href=f"#e-{flag.raised.event_id}" if path else "",
        )
        for flag in journey.flags.values()
    )


def _plans(journey: Journey, facts: Sequence[Fact], path: str) -> tuple[p.PlanSpan, ...]:
    closed = {one.event.plan_id: one.event.day for one in facts if isinstance(one.event, f.PlanClosed)}
    return tuple(
        p.PlanSpan(
            from_on=plan.opened.start_on,
            until_on=max(plan.opened.start_on, closed.get(plan_id, plan.end_on)),
            goal=plan.opened.goal,
            factor=plan.opened.factor if plan.opened.factor in p.FACTORS else None,
            came=plan.came,
            href=f"{path}/plans/{plan_id}" if path else "",
        )
        for plan_id, plan in journey.plans.items()
    )


def drawn(data: p.PictureData, name: str = "picture") -> dict[str, Any]:
    """The picture in both forms and its table, as templates take them."""
    # svg() escapes every text it is given
    wide, narrow = Markup(svg(data, name=name)), Markup(svg(data, narrow=True, name=name))  # noqa: S704
    return {"wide": wide, "narrow": narrow, "rows": p.table(data)}


@dataclass(frozen=True, slots=True)
class Spark:
    """A small line of recent levels: points for SVG, the last one, the height of the polar zones, and words."""

    points: str
    x: float
    y: float
    zone: float
    said: str


def spark(levels: Sequence[float], said: str, scale: Scale | None = None) -> Spark | None:
    """The newest levels as a small line; None where there are none."""
    newest = list(levels)[-SPARK_POINTS:]
    if not newest:
        return None
    on = scale or scale_of()
    step = (SPARK_WIDTH - 2 * SPARK_MARGIN) / max(1, len(newest) - 1)
    ys = [SPARK_HEIGHT * (1 - min(1.0, max(0.0, (level - on.low) / (on.high - on.low)))) for level in newest]
    places = [(round(SPARK_MARGIN + step * n, 1), round(y, 1)) for n, y in enumerate(ys)]
    zone = round(SPARK_HEIGHT * (on.low_pole - on.low) / (on.high - on.low), 1)
    return Spark(" ".join(f"{x},{y}" for x, y in places), *places[-1], zone, said)
