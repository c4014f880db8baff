"""One table of refusals: its status in HTTP, its exit code on the command line, and its words.

A refusal's slug is its class name in kebab case, its title its docstring's first sentence; both are shown to people.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PROBLEMS = "/api/v1/problems/"
FAULTS_SHOWN_MAX = 20

GROUPS: Sequence[tuple[int, int, str]] = (
    # nobody is signed in, or the role does not include it
    (401, 5, "SignInNeeded SignInRefused FactorRefused ProofRefused"),
    (403, 5, "SecondFactorNeeded OwnFactorTakenAway SecondPersonNeeded NotAllowed CrossSite "
             "OwnRoleGranted OwnGlassReviewed OwnWithholdingReviewed OwnErasure "
             "AskerMayNot InviteRefused"),
    # not here, or not for this viewer, which is the same to them
    (404, 3, "UnknownReadModel NoSuchPupil NoSuchFlag NoSuchPlan NoSuchTalk NoSuchFact NoSuchGrant NoSuchGlass "
             "NoSuchPage HandOffUnknown RoundUnknown StaffUnknown SchoolUnknown NoSuchInstrument WhichPupil "
             "OutcomeUnknown WhichSchool NoIdentity NoSuchProblem NoSuchGuidance NoSuchAward NoSuchModule "
             "NoSuchDuty NoSuchModel NoSuchRules NoSuchTransfer RelationUnknown OrderUnknown NoSuchRequest NoSuchItem "
             "NoSuchHold ReleaseUnknown "
             "ProviderUnknown NotTheOffice NoSuchUpload BoxUnknown NothingHere WebhookUnknown NoSuchDelivery "
             "NoRosterSource"),
    (405, 2, "MethodUnknown"),
    # a rule of the school's world says no
    (409, 4, "DomainError OwnerCannotSee RebuildUnderWay AlreadyEnrolled NotEnrolled RecordFrozen OptedOut "
             "SittingAlreadyTaken NotInRound HelpNotSaid "
             "FlagAlreadyReviewed PlanAlreadyOpen PlanAlreadyClosed CauseStepSkipped "
             "RiskStepSkipped SignpostMissing PlaceNotAccepted ConsentNotNamed TransferNotOpen NotYetEighteen "
             "NotCorrectable NothingToCorrect RoundAlreadyClosed RoundNotOpenYet SchoolAlreadyRegistered "
             "CompetenceNotDecided NotAfterwards NothingLate RecordNotHere NothingToHandOver "
             "StaffAlreadyLeft ManyLeavers RollMoved VersionClash ClockBehind Conflict Unsound RecordHeldHere "
             "SchoolNotRegistered StreamHeld TransferUnanswered TransferEnded NoRecall GuidanceTaken GuidanceTooThin "
             "EvidenceMissing AccreditorInside RelationNotStanding RequestEnded ClockStandsAlready ExtensionTooLate "
             "WithholdingUnreviewed CompetenceUndecided FileNotMade RecordOnHold NotReviewed NotToldFirst "
             "NobodyToShow PupilNotAsked TooFewAnswers "
             "OutcomeForTheDsl NameTaken OffsetWrong MailboxRefused NoCard NoBox MailboxNotNamed CollectingAlready"
             " DirectoryBegun DirectoryNotBegun DirectoryUnknown NothingRevoked WebhooksFull "
             "RosterMoved RosterServerRefused TwoCustodians"),
    (408, 7, "SenderSilent"),
    (410, 3, "StreamErased UploadCollected"),
    (412, 4, "RecordMoved TusUnknown ItemMoved"),
    (413, 6, "TooLarge RosterTooLarge BodyTooLarge UploadTooLarge UploadTooLong HistoryTooLong"),
    (415, 2, "NotABodyOfBytes"),
    (416, 2, "RangeOutside"),
    (423, 7, "UploadBusy"),
    # what was sent does not make sense
    (400, 2, "BadKey BadCursor BadRequest UploadMalformed"),
    (422, 2, "ValidationError RequestValidationError KeyReused BadArgument PlanDatesWrong RoundDatesWrong "
             "TermDatesWrong TermDatesMissing AcademicYearMalformed NotYetBorn BadPupilNumber "
             "PupilNumberMalformed CheckLetterWrong ScopeMissing GrantRunsOut GlassReasonMissing "
             "AnswerOutOfScale AnsweredTwice NothingAnswered SecondsWrong UnknownItem WrongInstrumentVersion "
             "ReasonUnknown TimeLimitWrong BirthdayUnknown ClassTooLarge TooFewSittings GuidanceWrong GroupTooSmall "
             "ReportDatesWrong AwardDatesWrong InterestsUndeclared AnswersIncomplete TrainingWrong "
             "TotalsWrong LoadWrong PasswordUnfit ClientKeyUnfit FamilyDatesWrong ReasonTooThin RequestDatesWrong "
             "NameWrong SchoolNumberWrong PurposeMissing GoalNotPositive "
             "KeptUntilWrong DigestWrong AddressWrong ReceiverNotPublic KindsMissing"),
    # a file was refused
    (422, 6, "TransferRefused BadContainer BadHeader BadHeaderMac BadPayload NotForUs WeakKey BadEntry "
             "BadEnvelope BadProof DirectoryRolledBack DirectoryForked "
             "BadChain BadHeads BadNote BadSignature UnknownSigner ExpiredKey "
             "BadKeyDocument BadArchive BadName BadManifest UnknownFormat BadFile WrongRecipient OutOfDate "
             "BadStory BadReceipt BadCard BadLetter Recalled BadRoster EmptyRoster BrokenRoster ForbiddenMarkup "
             "NotARoster UnknownRosterVersion TwoPupilsOneNumber NotThisSchool BadRosterOut BadBadge BadCredential"),
    (428, 4, "VersionNeeded"),
    (429, 8, "TooManyAttempts"),
    # the service itself
    (500, 7, "StoreError UnsafeRole BadSetting KeyMissing UnreadableFact InstrumentWrong InstrumentTaken ModelWrong"),
    (503, 7, "ProviderSilent OtherSideSilent StoreUnavailable TooBusy ClockSetBack KeysRotated RowHeld"),
    (507, 7, "MailboxFull BoxFull"),
)  # fmt: skip
"""(HTTP status, exit code, the refusals)."""

UNEXPECTED = (
    "The service met an error of its own; it is on record. Try again, and tell your administrator the number below."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    status: int
    exit_code: int
    slug: str
    title: str


TABLE: dict[str, tuple[int, int]] = {name: (status, code) for status, code, names in GROUPS for name in names.split()}
_OWN = Row(500, 1, "unexpected", "The service met an error of its own.")


def row(error: BaseException) -> Row:
    """The row of a refusal: its own, or its nearest ancestor's; anything else is an error of the service itself."""
    for kind in type(error).__mro__:
        if kind.__name__ in TABLE:
            status, code = TABLE[kind.__name__]
            return Row(status, code, slug_of(kind.__name__), _title(kind))
    return _OWN


def exit_code(error: BaseException) -> int:
    """What the command line ends with."""
    return row(error).exit_code


def sentence(error: BaseException) -> str:
    """What is wrong, where, and what to do: never a traceback, never what was typed."""
    if row(error) is _OWN:
        return UNEXPECTED
    faults = _faults(error)
    if faults is None:
        return str(error)
    first = faults[0]
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    return f"{first['where'] or 'the request'}: {first['what']}{more}. Mend it and send it again."


def problem(error: BaseException, number: str = "") -> dict[str, Any]:
    """The refusal as application/problem+json (RFC 9457). ``number``: where an unexpected error is on record."""
    found = row(error)
    body: dict[str, Any] = {
        "type": PROBLEMS + found.slug,
        "title": found.title,
        "status": found.status,
        "detail": sentence(error),
    }
    faults = _faults(error)
    if faults is not None:
        body["errors"] = faults[:FAULTS_SHOWN_MAX]
    return body | ({"instance": f"urn:uuid:{number}"} if number else {})


def catalogue() -> list[dict[str, Any]]:
    """Every row, for the reference: slug, status, exit code."""
    return [
        {"slug": slug_of(name), "status": status, "exit_code": code} for name, (status, code) in sorted(TABLE.items())
    ]


def _faults(error: BaseException) -> list[dict[str, str]] | None:
    """Pydantic's and FastAPI's lists, without the input they quote."""
    listed = getattr(error, "errors", None)
    if not callable(listed) or type(error).__name__ not in ("ValidationError", "RequestValidationError"):
        return None
    return [
        {"where": ".".join(str(part) for part in one.get("loc", ()))[:200], "what": _what(one)} for one in listed()
    ] or [{"where": "", "what": "it is not valid"}]


def _what(one: dict[str, Any]) -> str:
    # a validator's own message may quote what was typed; pydantic's do not, apart from these
    if one.get("type") in ("value_error", "assertion_error"):
        return "this value is not valid"
    return str(one.get("msg", "this value is not valid"))[:200]


def slug_of(name: str) -> str:
    """A refusal's slug: its class name in kebab case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _title(kind: type[BaseException]) -> str:
    own = (kind.__dict__.get("__doc__") or "").strip()
    if kind.__module__.partition(".")[0] not in ("astrack", "domain", "projections", "transfer"):
        return "What was sent is not valid."
    return own.split("\n")[0] or "This was refused."
