"""One example of each body the API takes, by the name of its schema in the description: made-up people and ids."""

from __future__ import annotations

from typing import Any

ID = "0192f3a4-5b6c-7d8e-9f00-1122334455{:02d}"
ONE, TWO, THREE = (ID.format(number) for number in (1, 2, 3))
DAY, LATER = "2026-11-02", "2026-12-14"
WHY = "because somebody asked for it"
PERSON = {"surname": "Quince", "forename": "Zebedee", "date_of_birth": "2016-12-05"}
GROUPS = [{"dimension": "tutor group", "name": "5A"}]
PLAN: dict[str, Any] = {
    "plan_id": ONE, "goal": "Asks for help when stuck", "causes": ["moved"], "risks": ["withdraws"],
    "signposts": ["buddy"], "owner_id": TWO, "start_on": DAY, "end_on": LATER,
}  # fmt: skip
ADDRESSED = "YWdlLWVuY3J5cHRpb24ub3Jn"

EXAMPLES: dict[str, Any] = {
    "AccountReleaseIn": {"release_id": ONE, "agreed_with_pupil": True, "words": "We are glad to show you."},
    "AdmitIn": {"person": PERSON, "on": DAY, "year_group": 5, "groups": GROUPS},
    "AnswerIn": {"on": DAY, "outcome": "refused", "why": WHY},
    "AttemptIn": {"answers": {"fs.x": 0}},
    "AwardIn": {
        "award_id": ONE, "accreditor": "Dr Outside", "interests": "none", "from_on": DAY, "until": "2029-11-01",
    },
    "BrowserAnswer": {"credential": {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}}},
    "Choose": {"grant_id": ONE},
    "ClassIn": {"retention_class": "sen", "why": WHY},
    "ClientKeyIn": {
        "key": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}, "days": 90,
    },
    "CloseIn": {"came": "helped", "note": "Asks the buddy first, then the teacher."},
    "CodeIn": {"code": "492039"},
    "CompetenceIn": {"competent": True, "on": DAY, "why": WHY},
    "CorrectionIn": {"corrects": ONE, "changes": {"note": "asked twice"}, "why": "it was mistyped"},
    "Counts": {"expected": 30, "sat": 28, "not_today": 1},
    "EndIn": {"on": DAY},
    "EntryIn": {
        "kind": "cause", "factor": "trust_of_self", "pole": "low",
        "entry": {"id": "own.cause", "say": "Too little sleep before tests.", "contexts": ["school"], "ages": ["8-11"]},
    },
    "EraseIn": {"request_id": ONE},
    "Escalate": {"to_role": "dsl"},
    "ExtendIn": {"on": DAY, "why": WHY},
    "FlagReviewIn": {"judgement": "new_to_us", "note": "Seen in two lessons."},
    "GlassIn": {"glass_id": ONE, "reason": "A court order came in", "minutes": 30},
    "GlassReview": {"in_order": True, "note": "The order was shown."},
    "GrantIn": {
        "grant_id": ONE, "role": "tutor", "scope": {"dimensions": {"tutor group": ["5A"]}}, "until": "2027-07-31",
    },
    "GroupPlanIn": {"group_plan_id": ONE, "pupil_ids": [TWO, THREE], "plan": PLAN},
    "HandOffIn": {"hand_off_id": ONE, "on": DAY, "reference": "CP-2026-014"},
    "HoldIn": {"hold_id": ONE, "why": WHY},
    "HoldReleaseIn": {"why": WHY},
    "KeyDays": {"days": 90},
    "LetterIn": {"relation_id": ONE},
    "LiftIn": {"on": LATER, "told_on": LATER},
    "LoadIn": {"least": 3, "most": 5, "unflagged": 1},
    "LookedAtIn": {"concern": False, "note": "Settled since the move."},
    "Mark": {"state": "sent"},
    "MonitorIn": {"going": "well", "note": "Two lessons without a reminder."},
    "NamedSignIn": {"school_id": ONE, "name": "q.quince", "password": "a long sentence of yours"},
    "NewPassword": {"name": "q.quince", "password": "a long sentence of yours"},
    "NotTodayIn": {"round_id": ONE},
    "OnDay": {"on": DAY},
    "OptOutIn": {"asked_by": "parent", "on": DAY},
    "OrderIn": {"order_id": ONE, "kind": "other", "limits": "nothing", "from_on": DAY, "reference": "C1"},
    "OutcomeIn": {"outcome_id": ONE, "on": DAY, "code": "none", "source": "staff"},
    "OwnCopyIn": {},
    "PersonIn": PERSON,
    "Placed": {"on": DAY, "year_group": 5, "groups": GROUPS},
    "PlanIn": PLAN,
    "PlanReviewIn": {"end_on": LATER, "note": "Three more weeks."},
    "PrepareIn": {
        "pupil_ids": [ONE], "to": ADDRESSED, "lawful_basis": "consent", "accepted_on": DAY, "start_on": "2027-01-05",
    },
    "RelationIn": {"relation_id": ONE, "name": "Una Quince", "kind": "carer", "from_on": DAY},
    "RequestCopyIn": {},
    "RequestIn": {"request_id": ONE, "kind": "objection", "asked_by": "parent", "on": DAY},
    "RestrictIn": {"ground": "accuracy", "on": DAY},
    "RetentionReviewIn": {"decision": "erase", "why": WHY},
    "RetireIn": {"why": WHY},
    "ReviewedCopyIn": {},
    "ReviewedIn": {"reviewer": "Dr Lee, educational psychologist", "happened_on": DAY},
    "RevokeIn": {"why": "records were not as shown"},
    "RoundIn": {"round_id": ONE, "name": "Autumn 2026", "opens_on": DAY, "closes_on": LATER, "year_groups": [5, 6]},
    "SchoolIn": {"name": "Mill Lane Primary", "urn": "900101", "lea": "330", "estab": "2345"},
    "Search": {"name": "Qui"},
    "SignIn": {"school_id": ONE, "code": "tiger lemon piano kite"},
    "SittingIn": {"sitting_id": ONE, "on": DAY, "answers": {"nothing": 1}},
    "StaffIn": {"staff_id": ONE, "name": "Una Outram"},
    "StopIn": {"on": DAY, "why": "identity", "note": "Asked for a passport."},
    "TakeBackIn": {"why": "another pupil was meant"},
    "TalkIn": {"talk_id": ONE},
    "TermsIn": {"academic_year": "2026/27", "terms": [{"first_on": "2026-09-02", "last_on": "2026-10-23"}]},
    "TrainingIn": {"module": "first-steps", "on": DAY},
    "TrustIn": {"document": ADDRESSED},
    "WatchIn": {"watched": ["sen"], "purpose": "to see whether early signs treat pupils alike"},
    "SupplementIn": {"looks": [{"concern": True, "note": "Seen alone on the last day."}]},
    "RevokeKeysIn": {"sure": True},
    "JoinIn": {"mailbox": "https://mailbox.example", "invite": "0123456789abcdef01234567"},
    "CollectIn": {"drop": False},
    "FetchIn": {"address": "https://directory.example", "urns": ["900101"]},
    "SourceIn": {
        "address": "https://mis.example/ims/oneroster/rostering/v1p2", "token_address": "https://mis.example/token",
        "client_id": "astrack", "secret": "drawn by the school system",
    },
    "WebhookIn": {"webhook_id": ONE, "address": "https://192.0.2.1/hook", "kinds": ["pupil-left"]},
    "Why": {"why": WHY},
    "WithholdIn": {"item": "fact:x", "because": "court", "why": WHY},
    "WithholdingReviewIn": {"item": "fact:x", "upheld": True},
}  # fmt: skip
"""A test holds each against its own schema, and sends it to the service."""


def put_in(operation: dict[str, Any]) -> None:
    """Add its example to the JSON body of an operation, where it takes one."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        body["example"] = EXAMPLES[name_of(body["schema"])]


def name_of(schema: dict[str, Any]) -> str:
    """The name of a body's schema, one that may be left out too."""
    refs = [one["$ref"] for one in (schema, *schema.get("anyOf", ())) if "$ref" in one]
    return str(refs[0]).rsplit("/", 1)[-1]
