"""Guidance of a school's own, suggestions with numbers, group plans, reminders, and the ten-minute plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from astrack.web.aims import GOALS
from domain import goal, instrument
from domain import guidance as g
from domain import support as s
from domain.base import Actor, Event, Stamp
from domain.guidance import aims, local
from domain.journey import decisions, facts
from domain.journey.refusals import CauseStepSkipped, PlanDatesWrong, RiskStepSkipped, SignpostMissing
from domain.journey.state import Sat, replay
from tests.support import second_instrument

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
STAMP = Stamp(NOW, Actor(id=uuid4(), role="lead_practitioner"), uuid4)
SIGNPOST = {
    "say": "Feed the fish together before lessons.", "who": "caretaker", "where": "the pond", "weeks": 4,
    "first": "The fish are waiting; which one is boldest today?", "stop": "the pupil brings a friend along",
    "not_when": "the pond is frozen over", "contexts": frozenset({"school"}), "ages": frozenset({"8-11"}),
}  # fmt: skip


def entry(name: str = "own.fish", **over) -> g.Signpost:
    return g.Signpost(id=name, **(SIGNPOST | over))


def test_every_signpost_says_who_where_first_how_long_when_to_stop_and_when_not_to() -> None:
    signposts = [one for one in g.load().by_id.values() if isinstance(one, g.Signpost)]
    assert len(signposts) > 100
    assert all(1 <= one.weeks <= 12 and one.who and one.where and one.first and one.stop for one in signposts)


def test_a_school_adds_an_entry_of_its_own() -> None:
    added = local.add(
        g.load(), local.Own(), STAMP, kind="signpost", factor="trust_of_others", pole="low", entry=entry()
    )
    library = local.merged(g.load(), local.replay(added))
    assert library.suggest("trust_of_others", "low", "school", "8-11").signposts[-1].id == "own.fish"
    assert library.digest != g.load().digest


def test_an_entry_that_says_what_another_says_is_refused() -> None:
    same = entry(say=g.load().by_id["to.low.repair"].say)
    with pytest.raises(local.GuidanceTaken):
        local.add(g.load(), local.Own(), STAMP, kind="signpost", factor="trust_of_others", pole="low", entry=same)


def test_a_signpost_without_its_details_is_refused() -> None:
    bare = g.Entry(
        id="own.bare", say="Do something kind this week.", contexts=frozenset({"school"}), ages=frozenset({"8-11"})
    )
    with pytest.raises(local.GuidanceTooThin):
        local.add(g.load(), local.Own(), STAMP, kind="signpost", factor="trust_of_others", pole="low", entry=bare)


def test_retiring_an_entry_that_a_place_needs_is_refused() -> None:
    with pytest.raises(local.GuidanceTooThin, match="add one first"):
        local.retire(g.load(), local.Own(), STAMP, entry_id="to.low.small-promise")


def test_an_entry_is_retired_once_another_stands_in_and_can_still_be_looked_up() -> None:
    own = local.replay(
        [
            *local.add(g.load(), local.Own(), STAMP, kind="signpost", factor="trust_of_others", pole="low", entry=entry()),
            *local.add(g.load(), local.Own(), STAMP, kind="signpost", factor="trust_of_others", pole="low",
                       entry=entry("own.pond", say="Sweep the yard together on Friday.", first="Which corner first today?", stop="the yard is swept without asking", not_when="there is ice on the ground", contexts=frozenset({"general"}))),
        ]
    )  # fmt: skip
    gone = local.replay([*own.added.values(), *local.retire(g.load(), own, STAMP, entry_id="to.low.small-promise")])
    library = local.merged(g.load(), gone)
    offered = [one.id for one in library.suggest("trust_of_others", "low", "school", "8-11").signposts]
    assert "to.low.small-promise" not in offered
    assert library.entry("to.low.small-promise") is not None


def test_retiring_what_nobody_has_is_refused() -> None:
    with pytest.raises(local.NoSuchGuidance):
        local.retire(g.load(), local.Own(), STAMP, entry_id="own.nothing")


FIT = g.load().suggest("trust_of_self", "low", "school", "11-14")
CODES = [one.id for one in FIT.signposts]


def tried(code: str, came: str, own: bool = False, times: int = 1) -> list[s.Tried]:
    return [s.Tried("trust_of_self", "low", "school", (code,), came, own)] * times


def test_what_helped_this_pupil_before_comes_first_and_says_so() -> None:
    first = s.suggested(FIT, tried(CODES[2], "helped", own=True), "trust_of_self", "low")[0]
    assert first.signpost.id == CODES[2]
    assert first.because == "tried once with this pupil, said to have helped once"


def test_what_never_helped_this_pupil_comes_last() -> None:
    assert (
        s.suggested(FIT, tried(CODES[0], "did_not_help", own=True), "trust_of_self", "low")[-1].signpost.id == CODES[0]
    )


def test_similar_plans_count_from_five_on() -> None:
    few, enough = (s.suggested(FIT, tried(CODES[1], "helped", times=n), "trust_of_self", "low") for n in (4, 5))
    assert all(one.similar is None for one in few)
    assert enough[0].signpost.id == CODES[1]
    assert "5 of 5 similar plans" in enough[0].because


def test_plans_for_another_end_or_stopped_early_count_for_nothing() -> None:
    other = [s.Tried("trust_of_self", "high", "school", (CODES[1],), "helped")] * 9 + tried(
        CODES[1], "stopped_early", times=9
    )
    assert all(one.similar is None for one in s.suggested(FIT, other, "trust_of_self", "low"))


def test_a_group_plan_is_each_pupils_own_plan_under_one_group() -> None:
    pupils, together = [uuid4(), uuid4()], uuid4()
    made = s.for_group({"goal": "Relies on one person here"}, pupils, {pupils[0]: (together,)}, together)
    assert {one["group_plan_id"] for one in made.values()} == {together}
    assert len({one["plan_id"] for one in made.values()}) == 2
    assert made[pupils[1]]["flags"] == ()


@pytest.mark.parametrize("count", [0, 1, 13])
def test_a_group_of_one_or_of_a_crowd_is_refused(count: int) -> None:
    with pytest.raises(s.GroupTooSmall):
        s.for_group({}, [uuid4() for _ in range(count)], {}, uuid4())


def test_a_reminder_says_how_many_and_nothing_else() -> None:
    assert s.reminder(2, 1) == "3 of your plans are due for a look, 1 of them overdue. Sign in to see which."
    assert s.reminder(0, 0) is None


def scripted(**over) -> tuple[facts.PlanOpened, dict]:
    """A plan answered from one sign: the form fills in aim, goal, owner, dates and monitoring."""
    fields = {
        "plan_id": uuid4(), "kind": "individual", "goal": "Tries a first answer of their own", "factor": "trust_of_self",
        "context": "school", "pole": "low", "causes": (FIT.causes[0].id, FIT.causes[1].id), "risks": (FIT.risks[0].id,),
        "signposts": (CODES[0], CODES[1]), "owner_id": uuid4(), "start_on": date(2026, 11, 2),
        "end_on": date(2026, 12, 14), "monitoring": "weekly", "tier": 2,
    } | over  # fmt: skip
    return facts.PlanOpened(**STAMP.fresh(), **fields), fields


def enrolled():
    return replay(
        [facts.PupilEnrolled(**STAMP.fresh(), school_id=UUID(int=1), happened_on=date(2026, 9, 1), year_group=8)]
    )


def test_a_scripted_plan_takes_at_most_twelve_decisions() -> None:
    plan, fields = scripted()
    assert decisions.open_plan(enrolled(), plan) == [plan]
    assert (
        s.decisions(fields, {"factor", "goal", "owner_id", "start_on", "end_on", "monitoring", "tier"})
        <= s.DECISIONS_MAX
    )
    assert s.decisions(fields, ()) <= s.DECISIONS_MAX


def test_a_plan_needs_no_prose_beyond_its_goal() -> None:
    required = {name for name, one in facts.PlanOpened.model_fields.items() if one.is_required()}
    assert required - {"event_id", "recorded_at", "by", "plan_id", "kind", "owner_id", "start_on", "end_on"} == {
        "goal",
        "causes",
        "risks",
    }


@pytest.mark.parametrize(
    ("skipped", "refusal"), [("causes", CauseStepSkipped), ("risks", RiskStepSkipped), ("signposts", SignpostMissing)]
)
def test_skipping_a_step_is_refused_by_name(skipped: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        decisions.open_plan(enrolled(), scripted(**{skipped: ()})[0])


NEGATIVE = ["Stops shouting out", "Does not hide", "Doesn't hide", "doesn\u2019t hide", "Never late", "Is late less often",
            "No longer alone", "avoids quarrels", "STOP running", "Cries no more", "Shows fewer outbursts"]  # fmt: skip


@pytest.mark.parametrize("said", NEGATIVE)
def test_a_goal_that_says_what_will_be_gone_is_asked_about_with_an_example(said: str) -> None:
    with pytest.raises(goal.GoalNotPositive, match=goal.EXAMPLE):
        decisions.open_plan(enrolled(), scripted(goal=said)[0])


@pytest.mark.parametrize("said", NEGATIVE)
def test_the_words_of_a_goal_can_be_kept(said: str) -> None:
    plan = scripted(goal=said)[0]
    assert decisions.open_plan(enrolled(), plan, keep_words=True) == [plan]


@pytest.mark.parametrize(
    "said", [*GOALS.values(), goal.EXAMPLE, "Notices what went well", "Knots and lessons", "Runs nonstop"]
)
def test_a_goal_that_says_what_will_be_there_is_taken(said: str) -> None:
    assert goal.negative(said) is None


def test_a_plan_runs_at_most_twelve_weeks() -> None:
    with pytest.raises(PlanDatesWrong, match="12 weeks"):
        decisions.open_plan(enrolled(), scripted(end_on=date(2026, 11, 2) + timedelta(weeks=13))[0])


def sat(on: date, value: float, error: float = 0.3, usable: bool = True) -> Sat:
    return Sat(uuid4(), uuid4(), None, on, (value,) * 8, (error,) * 8, usable)


def plan_on(day: date, context: str | None = "school") -> facts.PlanOpened:
    fields = {"plan_id": uuid4(), "kind": "individual", "goal": "g", "factor": "trust_of_self", "pole": "low",
              "context": context, "causes": ("a",), "risks": ("b",), "owner_id": uuid4(), "start_on": day,
              "end_on": day + timedelta(weeks=6)}  # fmt: skip
    return facts.PlanOpened(**STAMP.fresh(), **fields)


BEGAN = date(2026, 2, 2)


def since(sittings: list[Sat], plan: facts.PlanOpened) -> list[s.Since]:
    about = aims.of_plan(plan, ())
    return s.since_plan(sittings, plan, about.cells if about else ())


def test_the_change_since_a_plan_waits_eight_weeks_and_skips_sittings_that_cannot_be_read() -> None:
    early, unread, late = (BEGAN + timedelta(days=n) for n in (55, 56, 90))
    before = sat(BEGAN - timedelta(days=9), 1.6)
    assert since([before, sat(early, 3.4)], plan_on(BEGAN)) == []
    (found,) = since([before, sat(early, 1.0), sat(unread, 1.0, usable=False), sat(late, 3.4)], plan_on(BEGAN))
    assert (found.before, found.after, found.after_on, found.came) == (1.6, 3.4, late, "reliably_improved")
    assert found.error == pytest.approx(0.3 * 2**0.5)


def test_from_one_end_to_the_other_is_never_called_improved() -> None:
    (found,) = since([sat(BEGAN, 1.6), sat(BEGAN + timedelta(days=60), 5.9)], plan_on(BEGAN))
    assert found.came == "crossed"


def test_a_plan_for_both_contexts_is_looked_at_in_both() -> None:
    found = since([sat(BEGAN, 1.6), sat(BEGAN + timedelta(days=60), 1.6)], plan_on(BEGAN, None))
    assert [(one.context, one.came) for one in found] == [("general", "unchanged"), ("school", "unchanged")]


def raised(kind: str, context: str | None, reason: str = "") -> facts.FlagRaised:
    return facts.FlagRaised(
        **STAMP.fresh(), flag_id=uuid4(), kind=kind, context=context, reason=reason, model_digest="0" * 64
    )


def test_a_plan_about_a_composite_is_looked_at_again_at_both_its_ends() -> None:
    opened = plan_on(BEGAN, "school").model_copy(update={"factor": None, "pole": None})
    about = aims.of_plan(opened, [raised("composite_lone_captain", "school")])
    assert about is not None
    found = s.since_plan([sat(BEGAN, 1.6), sat(BEGAN + timedelta(days=60), 3.4)], opened, about.cells)
    assert [(one.factor, one.context) for one in found] == [("trust_of_self", "school"), ("trust_of_others", "school")]


def test_a_plan_that_chose_another_aim_than_its_sign_is_about_what_it_chose() -> None:
    about = aims.of_plan(plan_on(BEGAN), [raised("composite_lone_captain", "school")])
    assert about is not None
    assert about.code == "trust_of_self.low.school"


def test_a_school_adds_guidance_for_a_pattern_which_has_no_end() -> None:
    own = entry(ages=frozenset({"8-11", "11-14"}), contexts=frozenset(g.CONTEXTS))
    added = local.add(g.load(), local.Own(), STAMP, kind="signpost", factor="unsettled", pole=None, entry=own)
    assert local.merged(g.load(), local.replay(added)).suggest("unsettled", None, None, "8-11").signposts[-1] == own


def test_guidance_about_what_there_is_no_place_for_is_refused() -> None:
    with pytest.raises(g.GuidanceWrong, match="choose from the list"):
        local.add(g.load(), local.Own(), STAMP, kind="signpost", factor="unsettled", pole="low", entry=entry())


def test_retiring_what_a_pattern_needs_is_refused_with_its_place() -> None:
    with pytest.raises(local.GuidanceTooThin, match="flat, 11-14 has fewer"):
        local.retire(g.load(), local.Own(), STAMP, entry_id="fl.life-on-hold")


def test_what_came_is_read_from_two_sittings_of_one_instrument_by_its_own_cut_offs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(instrument, "_added", {})
    theirs, day = ("island-two", 1), timedelta(days=60)
    ours, other = (replace(sat(BEGAN, 1.8), instrument=one) for one in (("astrack-demo", 1), theirs))
    later = replace(sat(BEGAN + day, 4.2), instrument=theirs)
    assert since([ours, other, later], plan_on(BEGAN)) == [], "an instrument that is not here is read by none"
    instrument.add(instrument.parse(second_instrument.content()))
    (found,) = since([ours, other, later], plan_on(BEGAN))
    assert (found.before, found.after, found.came) == (1.8, 4.2, "crossed"), (
        "its ends are 1.9 and 4.1, ours further out"
    )
    assert since([ours, later], plan_on(BEGAN)) == [], "two instruments are never one change"
    (found,) = since([ours, later, replace(later, on=later.on + day, instrument=ours.instrument)], plan_on(BEGAN))
    assert (found.after_on, found.came) == (BEGAN + 2 * day, "reliably_improved")


def reviewed(own: local.Own, entry_id: str = "to.low.small-promise", on: date = date(2026, 10, 1)) -> list[Event]:
    return local.review(g.load(), own, STAMP, entry_id=entry_id, reviewer="Dr Lee", happened_on=on)


def test_a_review_of_an_entry_is_on_record_once_with_who_and_when() -> None:
    own = local.replay(reviewed(local.Own()))
    found = own.review_of(g.load().by_id["to.low.small-promise"])
    assert found is not None
    assert (found.reviewer, found.happened_on) == ("Dr Lee", date(2026, 10, 1))
    assert reviewed(own) == []
    assert own.review_of(g.load().by_id["to.low.repair"]) is None


def test_a_review_holds_for_the_words_it_was_of() -> None:
    own = local.replay(reviewed(local.Own()))
    entry = g.load().by_id["to.low.small-promise"]
    assert own.review_of(entry.model_copy(update={"evidence": "related"})) is not None
    for changed in ({"say": "Make one large promise a year."}, {"not_when": "you are not sure"}):
        assert own.review_of(entry.model_copy(update=changed)) is None


def test_a_review_of_nothing_or_to_come_is_refused() -> None:
    with pytest.raises(local.NoSuchGuidance):
        reviewed(local.Own(), "own.nothing")
    with pytest.raises(g.GuidanceWrong, match="still to come"):
        reviewed(local.Own(), on=NOW.date() + timedelta(days=1))
