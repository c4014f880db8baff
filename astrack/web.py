"""The pages people see: every router in one, and the page for what nobody expected."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.app import App
from astrack.errors import Row
from astrack.web_audit import audit_pages
from astrack.web_door import refusal
from astrack.web_family import family_pages
from astrack.web_group_plan import group_plan_pages
from astrack.web_impact import impact_pages
from astrack.web_lists import list_pages
from astrack.web_me import me_pages
from astrack.web_plan import plan_pages
from astrack.web_setup import setup_pages
from astrack.web_sign_in import sign_in_pages
from astrack.web_sit import sit_pages
from astrack.web_site import Site
from astrack.web_staff import staff_pages
from astrack.web_transfers import transfer_pages
from astrack.web_tutor import tutor_pages

PARTS = (
    sign_in_pages,
    list_pages,
    tutor_pages,
    plan_pages,
    group_plan_pages,
    sit_pages,
    me_pages,
    transfer_pages,
    setup_pages,
    audit_pages,
    impact_pages,
    family_pages,
    staff_pages,
)


def pages(app: App) -> APIRouter:
    """All pages. The server's ``state`` must hold ``app``, ``sessions`` and ``looks``."""
    site, router = Site(app), APIRouter()
    for part in PARTS:
        router.include_router(part(site))
    return router


def problem_page(request: Request, row: Row, sentence: str) -> Response:
    """The page for a refusal that no route handled itself."""
    return refusal(request, row.status, sentence)
