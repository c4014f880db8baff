"""What the API has on the topic `rights`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from astrack.client.calling import Caller, Got, Sent, new_key, part


class AccountReleaseIn(Sent):
    """Show the account to the parents; ``agreed_with_pupil``: the pupil was asked and agreed."""

    release_id: UUID
    agreed_with_pupil: bool
    words: str = ""


class AnswerIn(Sent):
    """The answer; a reason where it is not granted whole."""

    on: date
    outcome: Literal["granted", "partly_granted", "refused"]
    why: str = ""


class Changed(Got):
    """Carried out; no events where nothing was left to do."""

    events: list[UUID]


class ClassIn(Sent):
    """How long the record is kept goes by its class."""

    retention_class: Literal["general", "sen", "child_protection"]
    why: str = ""


class CompetenceIn(Sent):
    """Whether the pupil understands their rights over the record, and why you judge so."""

    competent: bool
    on: date
    why: str


class DueOut(Got):
    """A record whose time is up."""

    pupil_id: UUID
    review_on: date
    retention_class: str
    holds: int
    to_erase: bool


class DuePage(Got):
    """A page of them, the longest waiting first."""

    items: list[DueOut]
    next: str | None


class EndIn(Sent):
    """The last day it held."""

    on: date


class EraseIn(Sent):
    """The request that was granted, where it was one."""

    request_id: UUID | None = None


class ErasedOut(Got):
    """How many streams were erased, and what is left in which table: nothing, when all is as it should be."""

    pupil_id: UUID
    streams: int
    left: dict[str, int]


class ExtendIn(Sent):
    """Why it takes longer; whoever asked is told this."""

    on: date
    why: str


class FamilyOut(Got):
    """Who speaks for a pupil. ``competent`` is null until it was decided."""

    relations: list[RelationOut]
    orders: list[OrderOut]
    releases: list[ReleaseOut]
    competent: bool | None
    competence_decided_on: date | None


class HeldOut(Got):
    """One thing held; ``careful``: given only once a second person has looked."""

    item: str
    group: str
    at: datetime | None
    what: str
    careful: bool
    content: Any


class HoldIn(Sent):
    """Why nothing of this record may be erased."""

    hold_id: UUID
    why: str


class HoldReleaseIn(Sent):
    """Why the hold ends."""

    why: str


class LiftIn(Sent):
    """When it may be used again, and when whoever asked was told."""

    on: date
    told_on: date


class OrderIn(Sent):
    """A court order; ``limits`` "information": the person of the relation named is told nothing."""

    order_id: UUID
    kind: Literal[
        "care_order",
        "child_arrangements",
        "no_contact",
        "prohibited_steps",
        "special_guardianship",
        "specific_issue",
        "other",
    ]
    limits: Literal["nothing", "information"]
    from_on: date
    until_on: date | None = None
    relation_id: UUID | None = None
    reference: str


class OrderOut(Got):
    """One court order."""

    order_id: UUID
    kind: str
    limits: str
    from_on: date
    until_on: date | None
    relation_id: UUID | None
    reference: str


class Processing(Got):
    """One line of the register (UK GDPR article 30)."""

    purpose: str
    lawful_basis: str
    whose: str
    what: str
    recipients: str
    kept: str
    secured: str


class Proposed(Got):
    """The items that now wait for a second person."""

    items: list[str]


class RelationIn(Sent):
    """Who is a parent of this pupil, or cares for them; ``verified_on``: when somebody saw the proof."""

    relation_id: UUID
    name: str
    kind: Literal["natural_parent", "parental_responsibility", "carer", "local_authority"]
    from_on: date
    until_on: date | None = None
    verified_on: date | None = None
    proof: str = ""


class RelationOut(Got):
    """One relation; ``stands``: verified, in force today, and not limited by an order."""

    relation_id: UUID
    name: str
    kind: str
    from_on: date
    until_on: date | None
    verified_on: date | None
    proof: str
    stands: bool


class ReleaseOut(Got):
    """The account as it stood when it was released; ``withdrawn_on``: since when parents no longer see it."""

    release_id: UUID
    released_on: date
    agreed_with_pupil: bool
    words: str
    withdrawn_on: date | None


class RequestCopyIn(Sent):
    """The age key of whoever asked, where they have one; else a key is made and shown once."""

    recipient: str | None = None


class RequestCopyOut(Got):
    """A sealed copy, in base64; ``key`` opens it, where it was made here: shown this once."""

    name: str
    sealed: str
    sha256: str
    key: str | None
    given: int
    withheld: int


class RequestIn(Sent):
    """A request about a record. A pupil's own is always in their own name."""

    request_id: UUID
    kind: Literal["access", "inspection", "rectification", "objection", "restriction", "erasure"]
    asked_by: Literal["pupil", "parent", "representative"]
    on: date
    relation_id: UUID | None = None
    wants: str = ""


class RequestLine(Got):
    """One request on the list; ``due_on`` is null while the clock stands, and once it has ended."""

    request_id: UUID
    pupil_id: UUID | None
    kind: str
    asked_by: str
    received_on: date | None
    state: str
    due_on: date | None
    waiting: int
    outcome: str


class RequestMade(Got):
    """A request was taken in, or moved on."""

    events: list[UUID]
    request_id: UUID


class RequestOut(Got):
    """One request whole."""

    request_id: UUID
    pupil_id: UUID
    kind: str
    asked_by: str
    wants: str
    received_on: date
    due_on: date | None
    stopped_on: date | None
    stopped_why: str
    extended: bool
    withheld: list[WithheldOut]
    copy_sha256: str | None
    answered_on: date | None
    outcome: str | None
    withdrawn_on: date | None
    source: str


class RequestPage(Got):
    """A page of the list of requests, the oldest first."""

    items: list[RequestLine]
    next: str | None


class RestrictIn(Sent):
    """Why the record is kept and not used (UK GDPR article 18)."""

    ground: Literal["accuracy", "unlawful", "legal_claim", "objection"]
    on: date


class RetentionReviewIn(Sent):
    """Keep until a day, or erase; and why."""

    decision: Literal["keep", "erase"]
    until_on: date | None = None
    why: str


class StopIn(Sent):
    """What the school waits for."""

    on: date
    why: Literal["identity", "clarification"]
    note: str = ""


class WithheldOut(Got):
    """One item proposed to be kept back; ``upheld`` is null until a second person has looked."""

    item: str
    because: str
    upheld: bool | None


class WithholdIn(Sent):
    """One item, the exemption, and why it applies."""

    item: str
    because: Literal["serious_harm", "third_party", "child_abuse_data", "legal_privilege", "examination", "court"]
    why: str


class WithholdingReviewIn(Sent):
    """A second person's word on one item."""

    item: str
    upheld: bool
    note: str = ""


class RightsCalls(Caller):
    """What the API has on the topic `rights`."""

    def ask_right(self, pupil_id: UUID, body: RequestIn, *, key: str | None = None) -> RequestMade:
        """Ask for access, correction, objection, restriction or erasing; its clock runs from the day it arrived."""
        return self.value(
            RequestMade, "POST", f"/pupils/{part(pupil_id)}/data-requests", body=body, key=key or new_key()
        )

    def requests_about(self, pupil_id: UUID) -> list[RequestLine]:
        """The requests about one pupil, the newest first."""
        return self.value(list[RequestLine], "GET", f"/pupils/{part(pupil_id)}/data-requests")

    def list_requests(self, *, limit: int = 50, cursor: str | None = None, everything: bool = False) -> RequestPage:
        """The requests of this school that wait for an answer (or all of them), those that arrived first first."""
        return self.value(
            RequestPage, "GET", "/data-requests", query={"limit": limit, "cursor": cursor, "everything": everything}
        )

    def one_request(self, request_id: UUID) -> RequestOut:
        """One request: its clock, what is to be kept back, its answer."""
        return self.value(RequestOut, "GET", f"/data-requests/{part(request_id)}")

    def items_held(self, request_id: UUID) -> list[HeldOut]:
        """Everything held, item by item, so that each can be judged."""
        return self.value(list[HeldOut], "GET", f"/data-requests/{part(request_id)}/items")

    def stop_clock(self, request_id: UUID, body: StopIn, *, key: str | None = None) -> RequestMade:
        """The clock stands while the school waits for proof of identity, or for clarification."""
        return self.value(
            RequestMade, "POST", f"/data-requests/{part(request_id)}/stop", body=body, key=key or new_key()
        )

    def start_clock(self, request_id: UUID, body: EndIn, *, key: str | None = None) -> RequestMade:
        """What was waited for has come."""
        return self.value(
            RequestMade, "POST", f"/data-requests/{part(request_id)}/start", body=body, key=key or new_key()
        )

    def extend_request(self, request_id: UUID, body: ExtendIn, *, key: str | None = None) -> RequestMade:
        """Take up to two months more, once."""
        return self.value(
            RequestMade, "POST", f"/data-requests/{part(request_id)}/extend", body=body, key=key or new_key()
        )

    def withhold(self, request_id: UUID, body: WithholdIn, *, key: str | None = None) -> RequestMade:
        """Propose to keep one item back."""
        return self.value(
            RequestMade, "POST", f"/data-requests/{part(request_id)}/withhold", body=body, key=key or new_key()
        )

    def withhold_by_default(self, request_id: UUID, *, key: str | None = None) -> Proposed:
        """Propose to keep back what schools are careful with: safeguarding, looks by the DSL, broken glass."""
        return self.value(
            Proposed, "POST", f"/data-requests/{part(request_id)}/withhold-by-default", key=key or new_key()
        )

    def review_withheld(self, request_id: UUID, body: WithholdingReviewIn, *, key: str | None = None) -> RequestMade:
        """A second person says whether an item is kept back."""
        return self.value(
            RequestMade, "POST", f"/data-requests/{part(request_id)}/review", body=body, key=key or new_key()
        )

    def make_copy(self, request_id: UUID, body: RequestCopyIn, *, key: str | None = None) -> RequestCopyOut:
        """Make the copy that answers a request for access, sealed for whoever asked. Made anew at every call.

        Whoever makes it could open it: it takes what seeing everything held takes, and is a look at it.
        """
        return self.value(
            RequestCopyOut, "POST", f"/data-requests/{part(request_id)}/copy", body=body, key=key or new_key()
        )

    def answer_request(self, request_id: UUID, body: AnswerIn, *, key: str | None = None) -> RequestMade:
        """Answer a request. Access is granted only by a copy."""
        return self.value(
            RequestMade, "POST", f"/data-requests/{part(request_id)}/answer", body=body, key=key or new_key()
        )

    def withdraw_request(self, request_id: UUID, body: EndIn, *, key: str | None = None) -> RequestMade:
        """Whoever asked no longer does."""
        return self.value(
            RequestMade, "POST", f"/data-requests/{part(request_id)}/withdraw", body=body, key=key or new_key()
        )

    def see_family(self, pupil_id: UUID) -> FamilyOut:
        """Who speaks for this pupil: relations, court orders, and whether the pupil does themselves."""
        return self.value(FamilyOut, "GET", f"/pupils/{part(pupil_id)}/family")

    def record_relation(self, pupil_id: UUID, body: RelationIn, *, key: str | None = None) -> Changed:
        """State a relation, or state it anew, as when its proof was seen."""
        return self.value(Changed, "POST", f"/pupils/{part(pupil_id)}/relations", body=body, key=key or new_key())

    def end_relation(self, pupil_id: UUID, relation_id: UUID, body: EndIn, *, key: str | None = None) -> Changed:
        """A relation ends with a day."""
        return self.value(
            Changed,
            "POST",
            f"/pupils/{part(pupil_id)}/relations/{part(relation_id)}/end",
            body=body,
            key=key or new_key(),
        )

    def record_order(self, pupil_id: UUID, body: OrderIn, *, key: str | None = None) -> Changed:
        """State a court order."""
        return self.value(Changed, "POST", f"/pupils/{part(pupil_id)}/orders", body=body, key=key or new_key())

    def end_order(self, pupil_id: UUID, order_id: UUID, body: EndIn, *, key: str | None = None) -> Changed:
        """A court order ends with a day."""
        return self.value(
            Changed, "POST", f"/pupils/{part(pupil_id)}/orders/{part(order_id)}/end", body=body, key=key or new_key()
        )

    def release_account(self, pupil_id: UUID, body: AccountReleaseIn, *, key: str | None = None) -> Changed:
        """Show this pupil's account, as it stands now, to their verified parents."""
        return self.value(Changed, "POST", f"/pupils/{part(pupil_id)}/releases", body=body, key=key or new_key())

    def withdraw_release(self, pupil_id: UUID, release_id: UUID, *, key: str | None = None) -> Changed:
        """Show it no longer."""
        return self.value(
            Changed, "POST", f"/pupils/{part(pupil_id)}/releases/{part(release_id)}/withdraw", key=key or new_key()
        )

    def decide_competence(self, pupil_id: UUID, body: CompetenceIn, *, key: str | None = None) -> Changed:
        """Judge whether the pupil understands their rights over the record: never by age alone."""
        return self.value(Changed, "POST", f"/pupils/{part(pupil_id)}/competence", body=body, key=key or new_key())

    def restrict(self, pupil_id: UUID, body: RestrictIn, *, key: str | None = None) -> Changed:
        """Keep a record and do not use it until a question about it is settled."""
        return self.value(Changed, "POST", f"/pupils/{part(pupil_id)}/restriction", body=body, key=key or new_key())

    def lift_restriction(self, pupil_id: UUID, body: LiftIn, *, key: str | None = None) -> Changed:
        """Let a record be used again, once whoever asked was told."""
        return self.value(
            Changed, "POST", f"/pupils/{part(pupil_id)}/restriction/lift", body=body, key=key or new_key()
        )

    def set_retention_class(self, pupil_id: UUID, body: ClassIn, *, key: str | None = None) -> Changed:
        """Say how long this record is kept, by its class."""
        return self.value(Changed, "POST", f"/pupils/{part(pupil_id)}/retention", body=body, key=key or new_key())

    def review_retention(self, pupil_id: UUID, body: RetentionReviewIn, *, key: str | None = None) -> Changed:
        """Decide whether this record is kept on, or erased by somebody else."""
        return self.value(
            Changed, "POST", f"/pupils/{part(pupil_id)}/retention/review", body=body, key=key or new_key()
        )

    def place_hold(self, pupil_id: UUID, body: HoldIn, *, key: str | None = None) -> Changed:
        """Forbid erasing anything of this record, in the database too."""
        return self.value(Changed, "POST", f"/pupils/{part(pupil_id)}/holds", body=body, key=key or new_key())

    def release_hold(self, pupil_id: UUID, hold_id: UUID, body: HoldReleaseIn, *, key: str | None = None) -> Changed:
        """Release one hold."""
        return self.value(
            Changed, "POST", f"/pupils/{part(pupil_id)}/holds/{part(hold_id)}/release", body=body, key=key or new_key()
        )

    def erase_record(self, pupil_id: UUID, body: EraseIn, *, key: str | None = None) -> ErasedOut:
        """Carry out an erasure that somebody else decided: every key and content goes, the entries stay."""
        return self.value(ErasedOut, "POST", f"/pupils/{part(pupil_id)}/erase", body=body, key=key or new_key())

    def retention_due(self, *, limit: int = 50, cursor: str | None = None, on: date | None = None) -> DuePage:
        """The records whose time is up, and those somebody decided to erase; the longest waiting first."""
        return self.value(DuePage, "GET", "/retention/due", query={"limit": limit, "cursor": cursor, "on": on})

    def processing_register(self) -> list[Processing]:
        """The register of processing: why, whose data, who receives it, how long (UK GDPR article 30)."""
        return self.value(list[Processing], "GET", "/data-protection/register")

    def impact_annex(self) -> str:
        """The annex of a data protection impact assessment, made from the code that runs."""
        return self.text("GET", "/data-protection/annex")
