"""The JSON API: every route under /api/v1, and its description in OpenAPI 3.1."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from astrack.api import accreditation as api_accreditation
from astrack.api import audit as api_audit  # fmt: skip
from astrack.api import examples
from astrack.api import family as api_family
from astrack.api import following as api_following
from astrack.api import guidance as api_guidance
from astrack.api import keeping as api_keeping
from astrack.api import lists as api_lists
from astrack.api import plans as api_plans
from astrack.api import post as api_post
from astrack.api import pupil_writes as api_pupil_writes
from astrack.api import pupils as api_pupils
from astrack.api import reports as api_reports
from astrack.api import rights as api_rights
from astrack.api import roster as api_roster
from astrack.api import school as api_school
from astrack.api import second_factor as api_second_factor
from astrack.api import sign_in as api_sign_in
from astrack.api import staff as api_staff
from astrack.api import training as api_training
from astrack.api import transfers as api_transfers
from astrack.api import truth as api_truth
from astrack.api import webhooks as api_webhooks

PREFIX = "/api/v1"
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused: what is wrong, where, and what to do.", "content": PROBLEM},
    "5XX": {"description": "The service cannot answer now.", "content": PROBLEM},
}
PROBLEM_SCHEMA = {
    "type": "object",
    "title": "Problem",
    "description": "A refusal (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["/api/v1/problems/record-frozen"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "what"],
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
}
SECURITY = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-astrack",
        "description": "From POST /sign-in; over plain HTTP, as on one computer, its name is `astrack`.",
    },
    "key": {"type": "http", "scheme": "bearer", "description": "A service client's key."},
}
OPEN = frozenset({"/sign-in", "/sign-in/password", "/problems", "/openapi.json"})
ABOUT = (
    "Pupils' social-emotional development from 8 to 18: assessed, flagged, supported, handed over and proved. Every "
    "change takes an Idempotency-Key; repeating it gives the first answer. Every refusal is a problem (RFC 9457). "
    "Every look at a pupil's record goes on record itself. What is asked for is always about the caller's own school."
)


def api() -> APIRouter:
    """Every route of the API."""
    router = APIRouter(responses=REFUSALS)
    topics = (api_sign_in.router, api_second_factor.router, api_lists.router, api_transfers.router, api_school.router,
              api_staff.router, api_pupils.router, api_pupil_writes.router,
              api_plans.router, api_plans.hand_offs, api_plans.cards, api_roster.router, api_audit.router,
              api_rights.router, api_family.router, api_keeping.router, api_truth.router,
              api_training.router, api_guidance.router, api_accreditation.router,
              api_reports.router, api_webhooks.router, api_post.router, api_following.router)  # fmt: skip
    for topic in topics:
        router.include_router(topic)
    router.add_api_route("/openapi.json", _description, include_in_schema=False)
    return router


@cache
def describe() -> dict[str, Any]:
    """The API in OpenAPI 3.1, made once; pages are not in it."""
    alone = FastAPI(title="astrack", version="1", description=ABOUT)
    alone.include_router(api(), prefix=PREFIX)
    return _completed(alone.openapi())


def _completed(made: dict[str, Any]) -> dict[str, Any]:
    parts = made.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    parts["securitySchemes"] = SECURITY
    for path, methods in made["paths"].items():
        for operation in methods.values():
            examples.put_in(operation)
            if path.removeprefix(PREFIX) not in OPEN:
                operation["security"] = [{"session": []}, {"key": []}]
    return made


def _description() -> JSONResponse:
    return JSONResponse(describe())
