"""Every address of the pages, with somebody who may open it: what the browser, the bench and the form walk go through."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fastapi.routing import APIRoute

from astrack.web import PARTS
from astrack.web.site import Site
from domain.journey.facts import AssessmentSat
from tests.support.small_school import SmallSchool

PAGES = (
    ("", "/sign-in"), ("", "/about"), ("", "/design"), ("", "/register"),
    ("tutor", "/welcome"), ("tutor", "/second-factor"),
    ("tutor", "/pupils"), ("head_of_year", "/pupils"), ("dsl", "/pupils"), ("tutor", "/pupils/all"), ("dsl", "/pupils/all"),
    ("tutor", "/pupils/{Mia}"), ("tutor", "/pupils/{Kofi}"), ("dsl", "/pupils/{Mia}"), ("tutor", "/pupils/{Mia}?day=2025-03-12"),
    ("tutor", "/pupils/{Kofi}/plan"), ("tutor", "/pupils/{Kofi}/plan?about=self_disclosure.low.school"),
    ("tutor", "/pupils/{Kofi}/plan?about=composite_full_sail.school"), ("tutor", "/guidance?about=response_quality"),
    ("tutor", "/pupils/{Mia}/plans/{plan}"), ("tutor", "/plans"), ("dsl", "/plans"), ("tutor", "/plans/group"),
    ("tutor", "/talks"), ("tutor", "/rounds"), ("administrator", "/rounds"), ("tutor", "/training"), ("tutor", "/training/first-steps"),
    ("tutor", "/practice"), ("tutor", "/practice/2"), ("tutor", "/practice/2/plan?about=trust_of_self.low.school"),
    ("lead_practitioner", "/training/people"), ("lead_practitioner", "/guidance?about=trust_of_self.low.school"),
    ("dsl", "/due"), ("dsl", "/transfers"), ("dsl", "/transfers/keys"), ("administrator", "/transfers/keys"), ("dsl", "/audit"), ("dsl", "/audit/pupils/{Mia}?day=2024-03-12"),
    ("dsl", "/rights"), ("dsl", "/rights/pupils/{Mia}"), ("dsl", "/rights/requests/{asked}"), ("dsl", "/safeguarding"),
    ("dsl", "/pupils/{Mia}/correct/{sat}"), ("dpo", "/glass"), ("head", "/glass"),
    ("dsl", "/pupils/{Mia}/family"), ("administrator", "/pupils/{Kofi}/family"), ("administrator", "/pupils/all"),
    ("head", "/impact"), ("head", "/truth"), ("head", "/truth/items"), ("head", "/accreditation"),
    ("auditor", "/audit"), ("auditor", "/audit/proof"), ("auditor", "/audit/looks"),
    ("auditor", "/audit/changes"), ("tutor", "/permissions"),
    ("auditor", "/audit/school?day=2024-03-12"),
    ("administrator", "/setup"), ("administrator", "/setup/people"), ("administrator", "/setup/people/{tutor}"),
    ("administrator", "/setup/webhooks"), ("administrator", "/setup/roster-source"),
    ("Mia", "/sit"), ("Mia", "/sit/next"), ("Mia", "/sit/done"), ("Mia", "/me"), ("Mia", "/talk"), ("family", "/family"), ("family", "/family/account"),
)  # fmt: skip
NO_PAGE = {
    "/": "leads on to the start page of a role",
    "/static/{name}": "a file",
    "/me/copy/{transfer_id}": "a file",
    "/me/reader": "a file",
    "/transfers/{transfer_id}/file": "a file",
    "/transfers/{transfer_id}/receipt": "a file",
    "/transfers/key-document": "a file",
    "/transfers/keys/own-card": "a file",
    "/transfers/{transfer_id}/late": "walked with a transfer by a test of its own",
    "/transfers/{transfer_id}/late/{event_id}": "walked with a transfer by a test of its own",
    "/transfers/{transfer_id}/safeguarding": "walked with a transfer by a test of its own",
    "/impact/report.html": "a file",
    "/impact/tables/{name}": "a file",
    "/trust": "walked from the office of a trust by a test of its own",
    "/trust/report.html": "a file",
    "/trust/report.pdf": "a file",
    "/trust/tables/{name}": "a file",
    "/register/{school_id}/issuer": "for machines",
    "/register/{school_id}/key": "for machines",
    "/register/{school_id}/status": "for machines",
    "/register/{school_id}/{award_id}/badge": "a file",
    "/register/{school_id}/{award_id}": "walked with an award by a test of its own",
    "/training/{name}/answers": "walked with answers by a test of its own",
    "/sign-in/with/{name}": "leads on to a provider",
    "/sign-in/with/{name}/back": "leads on to a start page",
    "/second-factor/link/{name}": "leads on to a provider",
}
"""The addresses without a page of their own, and why."""


def routes(method: str) -> list[str]:
    """The address patterns of the pages that take a method."""
    found = [route for part in PARTS for route in part(Site(None)).routes if isinstance(route, APIRoute)]  # type: ignore[arg-type]
    return [route.path for route in found if method in (route.methods or ())]


def pattern(path: str) -> re.Pattern[str]:
    """What addresses of a route look like, the query left out."""
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/?]+", re.escape(path)) + r"(\?.*)?")


def filled(path: str, known: Mapping[str, object]) -> str:
    """An address with what it names put in."""
    return re.sub(r"\{(\w+)\}", lambda found: str(known[found[1]]), path)


def known_of(school: SmallSchool) -> dict[str, object]:
    """What the addresses name: pupils, staff, a request about Mia's record, her first sitting and her plan."""
    mia, asked = school.pupils["Mia"], school.app.new_id()
    school.records.receive_request(
        school.ask("dsl"), mia, request_id=asked, kind="access", asked_by="pupil", on=school.clock().date()
    )
    school.parent_of("Mia")
    school.records.release_account(
        school.ask("dsl"), mia, release_id=school.app.new_id(), agreed_with_pupil=True, words="We are glad to show you."
    )
    journey, facts = school.records.journey(mia)
    sat = next(fact.event.event_id for fact in facts if isinstance(fact.event, AssessmentSat))
    return {**school.pupils, **school.staff, "asked": asked, "sat": sat, "plan": next(iter(journey.plans))}
