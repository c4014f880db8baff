"""A pupil's own pages: their story, guided; who looked; a wish to talk."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack.access import about_journey
from astrack.access.callers import Caller
from astrack.handover.base import NoSuchTransfer
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.lang import language_of
from astrack.web.lookers import lookers
from astrack.web.own_story import own_story
from astrack.web.reading import drawn, picture_of
from astrack.web.sit import pupil_page
from astrack.web.site import HEADERS, Site, see_other
from astrack.web.story import by_year
from astrack.web.talks import TALK_HOURS, adults_told, taken_up_by, talks_of
from astrack.web.tutor import identity_of
from astrack.web.welsh import translator
from domain.authority import Action
from transfer import reader

TRANSFERS_READ = 1000


def me_pages(site: Site) -> APIRouter:
    """The pupil's story and the wish to talk."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/me")
    def me(request: Request, who: Who) -> Response:
        who.see(Action.SEE_GUIDED, who.viewer.id)
        return _story(site, request, who, who.viewer.id)

    @router.post("/me/copy")
    def take_copy(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.TAKE_OWN_COPY, who.viewer.id)
        made = who.handover.students_copy(who.ask(sent.key), who.viewer.id)
        return pupil_page(site, request, who, "own_copy.html", made=made)

    @router.get("/me/copy/{transfer_id}")
    def own_file(who: Who, transfer_id: UUID) -> Response:
        who.see(Action.TAKE_OWN_COPY, who.viewer.id)
        if not _own(who, transfer_id):
            raise NoSuchTransfer("there is no copy of yours with this number: make one on the page of your story")
        name = f'attachment; filename="{transfer_id}.tar.age"'
        headers = {**HEADERS, "Content-Disposition": name}
        return Response(who.handover.sealed(transfer_id), 200, headers, "application/octet-stream")

    @router.get("/me/reader")
    def reading_page(who: Who) -> Response:
        who.may(Action.TAKE_OWN_COPY, who.viewer.id)
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{reader.NAME}"'}
        return Response(reader.page(), 200, headers, "application/octet-stream")

    @router.get("/talk")
    def talk(request: Request, who: Who) -> Response:
        who.may(Action.SEE_GUIDED, who.viewer.id)
        journey, facts = who.records.journey(who.viewer.id)
        talks = talks_of(journey, facts)
        return pupil_page(
            site,
            request,
            who,
            "talk.html",
            talk=talks[0] if talks else None,
            hours=TALK_HOURS,
            told=adults_told(who, journey),
            taken_by=taken_up_by(who, facts, talks[0].id) if talks else "",
            talk_id=who.app.new_id(),
        )

    @router.post("/talk")
    def ask_to_talk(who: Who, sent: Sent) -> Response:
        who.may(Action.ASK_TO_TALK, who.viewer.id)
        who.records.ask_to_talk(who.ask(sent.key), who.viewer.id, talk_id=sent.id("talk_id"))
        return see_other("/talk")

    return router


def _story(site: Site, request: Request, who: Caller, pupil_id: UUID) -> Response:
    journey, facts = who.journey(pupil_id)
    identity = identity_of(who, pupil_id)
    tr = translator(language_of(request))
    data = picture_of(journey, facts, identity, who.today, guided=True, say=tr)
    return pupil_page(
        site, request, who, "me.html", **drawn(data), years=by_year(own_story(facts, identity, tr)),
        agreed=[plan.opened.goal for plan in journey.plans.values() if plan.came is None],
        looks=lookers(who, pupil_id),
        may_copy=who.can(Action.TAKE_OWN_COPY, about_journey(who.records, pupil_id, journey, who.today)),
    )  # fmt: skip


def _own(who: Caller, transfer_id: UUID) -> bool:
    rows = who.handover.transfers(TRANSFERS_READ)
    mine = (str(transfer_id), str(who.viewer.id), "student")
    return any((row["transfer_id"], row["pupil_id"], row["kind"]) == mine for row in rows)
