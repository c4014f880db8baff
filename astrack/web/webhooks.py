"""Webhooks for the administrator: which addresses are told, what was sent to each, and sending it again."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.site import Site, see_other
from astrack.webhooks import Webhooks
from domain.authority import Action
from domain.webhooks import KINDS

SHOWN = 30
HERE = "/setup/webhooks"
STATES = {"waiting": "is waiting", "delivered": "delivered", "given_up": "given up"}


def webhook_pages(site: Site) -> APIRouter:
    """The addresses that are told, and what is done from their page."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get(HERE)
    def listed(request: Request, who: Who) -> Response:
        return _page(site, request, who)

    @router.post(HERE)
    def add(request: Request, who: Who, sent: Sent) -> Response:
        ours = _of(who)
        try:
            made = ours.add(
                who.ask(sent.key), webhook_id=sent.id("webhook_id"), kinds=sent.many("kind"),
                address=sent.text("address", 300, label="The address", needed=True),
            )  # fmt: skip
        except REFUSALS as refused:
            return _page(site, request, who, sent, refused)
        return _page(site, request, who, secret=made["secret"])

    @router.post(HERE + "/{webhook_id}/end")
    def end(who: Who, sent: Sent, webhook_id: UUID) -> Response:
        _of(who).end(sent.ask(who), webhook_id)
        return see_other(HERE, "webhook-ended")

    @router.post(HERE + "/{webhook_id}/again")
    def again(who: Who, sent: Sent, webhook_id: UUID) -> Response:
        number = sent.number("number", 0, (1 << 53) - 1, label="The message")
        _of(who).send_again(who.ask(sent.key), webhook_id, number)
        return see_other(HERE, "webhook-again")

    return router


def _of(who: Caller) -> Webhooks:
    who.may(Action.KEEP_WEBHOOKS)
    return Webhooks(who.records, who.app.settings.webhook_networks)


def _page(
    site: Site,
    request: Request,
    who: Caller,
    typed: Form | None = None,
    refused: Exception | None = None,
    secret: str = "",
) -> Response:
    ours = _of(who)
    told = [(one, ours.deliveries(key, limit=SHOWN)) for key, one in ours.told().items()]
    return site.page(
        request, "webhooks.html", status=status_of(refused) if refused else 200, viewer=who.viewer, told=told,
        kinds=list(KINDS), states=STATES, typed=typed or Form(), error=said(refused) if refused else "",
        error_at="address" if refused else "", webhook_id=who.app.new_id(), secret=secret,
    )  # fmt: skip
