"""Keys and boxes: whose keys are known, what waits in the school's boxes, which directories are followed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access.callers import Caller
from astrack.directory.following import Follower
from astrack.handover import keyring
from astrack.mailbox.carrying import Carrier
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.site import BadForm, Site, see_other
from domain.authority import Action
from transfer.errors import TransferRefused

HERE = "/transfers/keys"
NOTHING_DONE = {"looked": None, "events": None, "read": None}
REFUSED = (*REFUSALS, TransferRefused)


def post_pages(site: Site) -> APIRouter:
    """One page for who carries sealed files, with what each of the two roles does from it."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    _keys_pages(site, router)
    _box_pages(site, router)
    return router


def _keys_pages(site: Site, router: APIRouter) -> None:
    @router.get(HERE)
    def shown(request: Request, who: Who) -> Response:
        return _page(site, request, who)

    @router.post(HERE + "/revoke")
    def revoke(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.RECEIVE_RECORD)
        if sent.text("sure", 5) != "yes":
            wrong = BadForm("Say that every key so far must go: files sealed before are refused from then on.", "sure")
            return _page(site, request, who, sent, wrong, "sure")
        keyring.revoke(who.handover, who.ask(sent.key))
        return see_other(HERE, "keys-revoked")

    @router.post(HERE + "/directory")
    def directory(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.RECEIVE_RECORD)
        try:
            found = Follower(who.handover).fetch(
                who.ask(sent.key), sent.text("address", 300, label="The address", needed=True),
                [urn for urn in [sent.text("urn", 7)] if urn], words=sent.text("words", 200) or None,
            )  # fmt: skip
        except REFUSED as refused:
            return _page(site, request, who, sent, refused, "address")
        return _page(site, request, who, read=found)


def _box_pages(site: Site, router: APIRouter) -> None:
    @router.post(HERE + "/look")
    def look(request: Request, who: Who) -> Response:
        items, away = _post(who).waiting()
        return _page(site, request, who, looked={"items": items, "away": away})

    @router.post(HERE + "/collect")
    def collect(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.RECEIVE_RECORD)
        words, drop = sent.text("words", 200) or None, sent.text("drop", 5) == "yes"
        try:
            events = _post(who).collect(who.ask(sent.key), words=words, drop=drop)
        except REFUSED as refused:
            return _page(site, request, who, sent, refused)
        return _page(site, request, who, events=events)

    @router.post(HERE + "/join")
    def join(request: Request, who: Who, sent: Sent) -> Response:
        post = _post(who)
        try:
            post.join(sent.text("mailbox", 300, label="The mailbox", needed=True), sent.text("invite", 100))
        except REFUSED as refused:
            return _page(site, request, who, sent, refused, "mailbox")
        return see_other(HERE, "box-joined")

    @router.post(HERE + "/card")
    def card(request: Request, who: Who, sent: Sent) -> Response:
        post = _post(who)
        try:
            if sent.file is None:
                raise BadForm("Choose the card that the other school gave you.", "card")
            known = post.know(sent.file)
            if sent.text("ask", 5) == "yes":
                post.name(known.mailbox)
        except REFUSED as refused:
            return _page(site, request, who, sent, refused, "card")
        return see_other(HERE, "card-known")

    @router.get(HERE + "/own-card")
    def own_card(who: Who) -> Response:
        headers = {"Content-Disposition": 'attachment; filename="school.card"', "Cache-Control": "no-store"}
        return Response(_post(who).own_card(), media_type="application/octet-stream", headers=headers)


def _post(who: Caller) -> Carrier:
    who.may(Action.CARRY_SEALED)
    return Carrier.of(who.handover, who.app.settings)


def _page(
    site: Site,
    request: Request,
    who: Caller,
    typed: Form | None = None,
    refused: Exception | None = None,
    at: str = "",
    **more: Any,
) -> Response:
    post = _post(who)
    known = keyring.known(who.handover)
    cards = {one.origin: card.mailbox for one in known if (card := post.card_of(one.origin)) is not None}
    return site.page(
        request, "post.html", status=status_of(refused) if refused else 200, viewer=who.viewer,
        own=keyring.own(who.handover), known=known, cards=cards,
        may_ask={one: post.may_ask(one) for one in cards.values()},
        boxes=[box.address for box in post.boxes()], directories=Follower(who.handover).followed(),
        may_receive=who.can(Action.RECEIVE_RECORD), typed=typed or Form(), error=said(refused) if refused else "",
        error_at=at, **(NOTHING_DONE | more),
    )  # fmt: skip
