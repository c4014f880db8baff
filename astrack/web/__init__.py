"""The pages people see: every router in one, and the page for what nobody expected."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.app import App
from astrack.errors import Row
from astrack.web.accreditation import accreditation_pages
from astrack.web.audit import audit_pages
from astrack.web.corrections import correction_pages
from astrack.web.door import refusal
from astrack.web.due import due_pages
from astrack.web.family import family_pages
from astrack.web.following import following_pages
from astrack.web.glass import glass_pages
from astrack.web.group_plan import group_plan_pages
from astrack.web.guidance import guidance_pages
from astrack.web.hand_offs import hand_off_pages
from astrack.web.impact import impact_pages
from astrack.web.lists import list_pages
from astrack.web.me import me_pages
from astrack.web.plan import plan_pages
from astrack.web.post import post_pages
from astrack.web.practice import practice_pages
from astrack.web.proof import proof_pages
from astrack.web.provider import provider_pages
from astrack.web.register import register_pages
from astrack.web.relations import relation_pages
from astrack.web.rights import rights_pages
from astrack.web.rights_request import request_pages
from astrack.web.roster_source import roster_source_pages
from astrack.web.rounds import round_pages
from astrack.web.rules import rule_pages
from astrack.web.school_as_known import school_pages
from astrack.web.second_factor import second_factor_pages
from astrack.web.setup import setup_pages
from astrack.web.sign_in import sign_in_pages
from astrack.web.sit import sit_pages
from astrack.web.site import Site
from astrack.web.staff import staff_pages
from astrack.web.training import training_pages
from astrack.web.transfers import transfer_pages
from astrack.web.trust import trust_pages
from astrack.web.truth import truth_pages
from astrack.web.tutor import tutor_pages
from astrack.web.webhooks import webhook_pages

# in the order they are tried: what a whole school asks for at once comes first
PARTS = (
    sit_pages,
    sign_in_pages,
    second_factor_pages,
    provider_pages,
    list_pages,
    tutor_pages,
    plan_pages,
    group_plan_pages,
    me_pages,
    post_pages,
    transfer_pages,
    following_pages,
    due_pages,
    setup_pages,
    round_pages,
    audit_pages,
    proof_pages,
    rule_pages,
    school_pages,
    correction_pages,
    hand_off_pages,
    glass_pages,
    relation_pages,
    rights_pages,
    request_pages,
    impact_pages,
    truth_pages,
    trust_pages,
    family_pages,
    staff_pages,
    training_pages,
    practice_pages,
    guidance_pages,
    accreditation_pages,
    register_pages,
    webhook_pages,
    roster_source_pages,
)


def pages(app: App) -> APIRouter:
    """All pages. The server's ``state`` must hold ``app``, ``sessions`` and ``looks``."""
    site, router = Site(app), APIRouter()
    for part in PARTS:
        # the routes themselves: each router included in another is asked anew at every request
        router.routes.extend(part(site).routes)
    return router


def problem_page(request: Request, row: Row, sentence: str) -> Response:
    """The page for a refusal that no route handled itself."""
    return refusal(request, row.status, sentence)
