"""Where the roster comes from by itself: the school's own system, what came of the last reading, and reading it now."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.roster.asking import Source
from astrack.roster.source import RosterSource
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.setup import show_plan
from astrack.web.site import Site, see_other
from domain.authority import Action
from transfer.errors import TransferRefused

HERE = "/setup/roster-source"
CAME = {
    "taken_in": "Taken in", "nothing_new": "Nothing new", "waits": "Waits for you", "failed": "Could not be read",
}  # fmt: skip


def roster_source_pages(site: Site) -> APIRouter:
    """The administrator's page of the roster's own way in."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get(HERE)
    def shown(request: Request, who: Who) -> Response:
        return _page(site, request, who)

    @router.post(HERE)
    def set_(request: Request, who: Who, sent: Sent) -> Response:
        ours = _of(who)
        try:
            ours.set(who.ask(sent.key), _source(sent))
        except REFUSALS as refused:
            return _page(site, request, who, sent, refused, "address")
        return see_other(HERE, "roster-source-set")

    @router.post(HERE + "/end")
    def end(who: Who, sent: Sent) -> Response:
        _of(who).end(who.ask(sent.key))
        return see_other(HERE, "roster-source-ended")

    @router.post(HERE + "/read")
    def read(request: Request, who: Who, sent: Sent) -> Response:
        try:
            return show_plan(site, request, who, _of(who).file())
        except (*REFUSALS, TransferRefused) as refused:
            return _page(site, request, who, sent, refused)

    return router


def _of(who: Caller) -> RosterSource:
    who.may(Action.IMPORT_ROSTER)
    return RosterSource(who.records)


def _source(sent: Form) -> Source:
    return Source(
        sent.text("address", 300, label="The address", needed=True),
        sent.text("token_address", 300, label="The address for tokens", needed=True),
        sent.text("client_id", 300, label="The client's id", needed=True),
        sent.text("secret", 1000, label="The client's secret", needed=True),
    )


def _page(
    site: Site,
    request: Request,
    who: Caller,
    typed: Form | None = None,
    refused: Exception | None = None,
    at: str = "",
) -> Response:
    ours = _of(who)
    return site.page(
        request, "roster_source.html", status=status_of(refused) if refused else 200, viewer=who.viewer,
        source=ours.get(), last=ours.last(), came=CAME, typed=typed or Form(), error=said(refused) if refused else "",
        error_at=at,
    )  # fmt: skip
