"""What the API has on the topic `pupils`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from astrack.client.calling import Caller, Got, Sent, new_key, part
from astrack.client.shared import CorrectionIn, Done, Group, LookedAtIn, OnDay, OutcomeIn


class AdmitIn(Sent):
    """A pupil who is new here."""

    person: PersonIn
    on: date
    year_group: int | None
    groups: list[Group] = Field(default=[])


class Admitted(Got):
    """The new pupil's id."""

    pupil_id: UUID


class Escalate(Sent):
    """Whom to ask next."""

    to_role: str = "dsl"


class FactOut(Got):
    """One fact of the story: what, when it happened, when it was recorded here, by whom, and where it came from."""

    position: int
    event_id: UUID
    topic: str
    happened_on: date
    recorded_at: datetime
    by: UUID
    role: str
    origin: str
    data: dict[str, Any]


class FlagOut(Got):
    """One flag: what is worth a look, how sure, resting on what, and what a person made of it."""

    flag_id: UUID
    kind: str
    factor: str | None
    context: str | None
    pole: str | None
    probability: float | None
    reason: str
    rests_on: list[UUID]
    model_digest: str
    judgement: str | None
    eased: bool


class FlagReviewIn(Sent):
    """What a person makes of a flag."""

    judgement: Literal["new_to_us", "already_known", "not_what_we_see"]
    note: str = ""


class GapOut(Got):
    """In school minus in general on a factor, and the standard error of that difference, far wider than a value's."""

    factor: str
    apart: float
    error: float


class HandedIn(Got):
    """What came of a sitting; a pupil is told nothing of flags."""

    flags: list[Raised]


class IdentityOut(Got):
    """Who a pupil is. Its ETag is the version that replacing it names."""

    pupil_id: UUID
    surname: str
    forename: str
    preferred_forename: str
    middle_names: str
    upn: str | None
    former_upns: list[str]
    date_of_birth: date
    sex: str


class NotTodayIn(Sent):
    """The round that a pupil would rather not sit today."""

    round_id: UUID


class OptOutIn(Sent):
    """Who asked that no assessment be taken, and when."""

    asked_by: Literal["parent", "pupil"]
    on: date


class PersonIn(Sent):
    """Who a pupil is."""

    surname: str
    forename: str
    preferred_forename: str = ""
    middle_names: str = ""
    upn: str | None = None
    date_of_birth: date
    sex: str = ""


class Placed(Sent):
    """A year group and groups, from a day on."""

    on: date
    year_group: int | None
    groups: list[Group] = Field(default=[])


class PlanOut(Got):
    """One action plan."""

    plan_id: UUID
    kind: str
    goal: str
    factor: str | None
    context: str | None
    causes: list[str]
    risks: list[str]
    signposts: list[str]
    own_strategies: list[str]
    owner_id: UUID
    start_on: date
    end_on: date
    came: str | None


class PupilOut(Got):
    """A pupil's record as it stands. Its ETag is the version that If-Match names."""

    pupil_id: UUID
    year_group: int | None
    groups: list[Group]
    stage: str
    left_on: date | None
    opted_out: bool
    sittings: list[SittingOut]
    flags: list[FlagOut]
    plans: list[PlanOut]
    talks: dict[UUID, str]


class Raised(Got):
    """The flags a sitting raised for a pupil and that ask nobody for a look: the others stand on the list of looks."""

    pupil_id: UUID
    raised: list[UUID]


class ReplayOut(Got):
    """What this school knew at the end of a day, and what had happened by then but was recorded only later."""

    day: date
    position: int
    known: list[FactOut]
    late: list[FactOut]
    pupil: PupilOut


class SittingIn(Sent):
    """What a pupil handed in: a step of its instrument's scale for each item, and the seconds each took where known.

    `supported`: an adult wrote for the pupil, `helped_by` in which role.
    """

    sitting_id: UUID
    round_id: UUID | None = None
    on: date
    answers: dict[str, int]
    seconds: dict[str, float] = Field(default={})
    mode: Literal["alone", "read_aloud", "supported"] = "alone"
    helped_by: Literal["teacher", "teaching_assistant", "interpreter", "other_adult"] | None = None


class SittingOut(Got):
    """One sitting: eight numbers on the instrument's scale and their errors, null where too little was answered.

    `from_end`: how far each lies from the nearer end, 0 and below: it is at that end. `gaps`: of the factors
    answered in both contexts.
    """

    sitting_id: UUID
    round_id: UUID | None
    on: date
    values: list[float | None]
    errors: list[float | None]
    from_end: list[float | None]
    gaps: list[GapOut]
    usable: bool
    mode: Literal["alone", "read_aloud", "supported"]
    helped_by: Literal["teacher", "teaching_assistant", "interpreter", "other_adult"] | None


class StoryLine(Got):
    """One line of a pupil's own story, in their terms: no flags, no numbers."""

    on: date
    what: Literal[
        "joined", "left", "sat", "not_today", "plan_began", "plan_ended", "asked_to_talk", "was_heard", "moved_on"
    ]
    words: str


class TalkIn(Sent):
    """A wish to talk to somebody."""

    talk_id: UUID
    with_role: str = "tutor"


class Timeline(Got):
    """A page of a pupil's facts, oldest first."""

    items: list[FactOut]
    next: str | None


class TrackOut(Got):
    """What the model makes of the sittings: by day, eight levels with their doubt, and how likely each is at a pole."""

    model_digest: str
    days: list[date]
    level: list[list[float | None]]
    sd: list[list[float | None]]
    p_polar: list[list[float | None]]
    p_priority: list[float | None]


class PupilsCalls(Caller):
    """What the API has on the topic `pupils`."""

    def admit(self, body: AdmitIn, *, key: str | None = None) -> Admitted:
        """Begin the record of a pupil who is new here."""
        return self.value(Admitted, "POST", "/pupils", body=body, key=key or new_key())

    def pupil(self, pupil_id: UUID, *, if_none_match: str | None = None) -> PupilOut:
        """The record as it stands."""
        return self.value(PupilOut, "GET", f"/pupils/{part(pupil_id)}", if_none_match=if_none_match)

    def identity(self, pupil_id: UUID) -> IdentityOut:
        """Who the pupil is."""
        return self.value(IdentityOut, "GET", f"/pupils/{part(pupil_id)}/identity")

    def amend_identity(
        self, pupil_id: UUID, body: PersonIn, *, key: str | None = None, if_match: str | None = None
    ) -> Done:
        """State anew who a pupil is; needs the ETag of the statement it replaces."""
        return self.value(
            Done, "PUT", f"/pupils/{part(pupil_id)}/identity", body=body, key=key or new_key(), if_match=if_match
        )

    def timeline(self, pupil_id: UUID, *, limit: int = 50, cursor: str | None = None) -> Timeline:
        """The facts of the story, oldest first, each saying where it comes from."""
        return self.value(
            Timeline, "GET", f"/pupils/{part(pupil_id)}/timeline", query={"limit": limit, "cursor": cursor}
        )

    def story(self, pupil_id: UUID) -> list[StoryLine]:
        """The pupil's own story, for them: what they did, what was agreed, who listened. For a parent: as released."""
        return self.value(list[StoryLine], "GET", f"/pupils/{part(pupil_id)}/story")

    def track(self, pupil_id: UUID, *, up_to: date | None = None) -> TrackOut:
        """What the journey picture draws: levels as known on each day, never smoothed with what came later."""
        return self.value(TrackOut, "GET", f"/pupils/{part(pupil_id)}/track", query={"up_to": up_to})

    def replay(self, pupil_id: UUID, *, as_of: date) -> ReplayOut:
        """The record as it was known at the end of a day."""
        return self.value(ReplayOut, "GET", f"/pupils/{part(pupil_id)}/replay", query={"as_of": as_of})

    def regroup(self, pupil_id: UUID, body: Placed, *, key: str | None = None, if_match: str | None = None) -> Done:
        """Another year group, or other groups, from a day on."""
        return self.value(
            Done, "POST", f"/pupils/{part(pupil_id)}/groups", body=body, key=key or new_key(), if_match=if_match
        )

    def leave(self, pupil_id: UUID, body: OnDay, *, key: str | None = None, if_match: str | None = None) -> Done:
        """The pupil leaves the roll."""
        return self.value(
            Done, "POST", f"/pupils/{part(pupil_id)}/leave", body=body, key=key or new_key(), if_match=if_match
        )

    def return_to_roll(
        self, pupil_id: UUID, body: Placed, *, key: str | None = None, if_match: str | None = None
    ) -> Done:
        """Put a pupil whose record is here on roll again."""
        return self.value(
            Done, "POST", f"/pupils/{part(pupil_id)}/return", body=body, key=key or new_key(), if_match=if_match
        )

    def hand_in(
        self, pupil_id: UUID, body: SittingIn, *, key: str | None = None, if_match: str | None = None
    ) -> HandedIn:
        """Hand in one sitting; it is scored, and flags are raised or eased, in the same decision."""
        return self.value(
            HandedIn, "POST", f"/pupils/{part(pupil_id)}/sittings", body=body, key=key or new_key(), if_match=if_match
        )

    def say_not_today(self, pupil_id: UUID, body: NotTodayIn, *, key: str | None = None) -> Done:
        """A pupil would rather not sit a round today; nothing follows from it, and the round can be sat later."""
        return self.value(Done, "POST", f"/pupils/{part(pupil_id)}/not-today", body=body, key=key or new_key())

    def review_flag(
        self, pupil_id: UUID, flag_id: UUID, body: FlagReviewIn, *, key: str | None = None, if_match: str | None = None
    ) -> Done:
        """Say what you make of a sign, by the id it has on the list of looks."""
        return self.value(
            Done,
            "POST",
            f"/pupils/{part(pupil_id)}/flags/{part(flag_id)}/review",
            body=body,
            key=key or new_key(),
            if_match=if_match,
        )

    def look_at(self, pupil_id: UUID, body: LookedAtIn, *, key: str | None = None, if_match: str | None = None) -> Done:
        """Review a pupil who has no flag."""
        return self.value(
            Done, "POST", f"/pupils/{part(pupil_id)}/looked-at", body=body, key=key or new_key(), if_match=if_match
        )

    def report_outcome(
        self, pupil_id: UUID, body: OutcomeIn, *, key: str | None = None, if_match: str | None = None
    ) -> Done:
        """Say, as a code, what later came to pass."""
        return self.value(
            Done, "POST", f"/pupils/{part(pupil_id)}/outcomes", body=body, key=key or new_key(), if_match=if_match
        )

    def ask_to_talk(self, pupil_id: UUID, body: TalkIn, *, key: str | None = None) -> Done:
        """I would like to talk to someone."""
        return self.value(Done, "POST", f"/pupils/{part(pupil_id)}/talks", body=body, key=key or new_key())

    def take_up_talk(self, pupil_id: UUID, talk_id: UUID, *, key: str | None = None) -> Done:
        """Take up a pupil's wish to talk."""
        return self.value(Done, "POST", f"/pupils/{part(pupil_id)}/talks/{part(talk_id)}/take-up", key=key or new_key())

    def escalate_talk(self, pupil_id: UUID, talk_id: UUID, body: Escalate, *, key: str | None = None) -> Done:
        """Ask the next person to take up a wish to talk."""
        return self.value(
            Done, "POST", f"/pupils/{part(pupil_id)}/talks/{part(talk_id)}/escalate", body=body, key=key or new_key()
        )

    def correct(
        self, pupil_id: UUID, body: CorrectionIn, *, key: str | None = None, if_match: str | None = None
    ) -> Done:
        """Say that an earlier fact was wrong; it stays, and the correction beside it."""
        return self.value(
            Done, "POST", f"/pupils/{part(pupil_id)}/corrections", body=body, key=key or new_key(), if_match=if_match
        )

    def opt_out(self, pupil_id: UUID, body: OptOutIn, *, key: str | None = None) -> Done:
        """Record that no assessment is wanted."""
        return self.value(Done, "POST", f"/pupils/{part(pupil_id)}/opt-out", body=body, key=key or new_key())

    def end_opt_out(self, pupil_id: UUID, body: OptOutIn, *, key: str | None = None) -> Done:
        """Record that an opt-out is taken back."""
        return self.value(Done, "POST", f"/pupils/{part(pupil_id)}/opt-out/end", body=body, key=key or new_key())
