"""The sitting: a pupil answers, one thing at a time, and a place takes shape; nothing to get wrong, no dead ends."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from astrack.access import callers, cookies
from astrack.access.callers import Caller
from astrack.web import draft as web_draft
from astrack.web.desk import Desks, Seated
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.draft import Draft
from astrack.web.forms import Form
from astrack.web.lang import LANG_COOKIE, LANGUAGES, language_of, sayer
from astrack.web.site import HEADERS, BadForm, Site, see_other
from astrack.web.welsh import translator
from astrack.web.words import HELPERS
from domain.authority import Action
from domain.instrument import Instrument, Item
from domain.journey.facts import Helper
from domain.journey.refusals import SittingAlreadyTaken

PRACTICE, PARTS = 1, 12


def sit_pages(site: Site) -> APIRouter:
    """The pages of a sitting."""
    router, desks = APIRouter(route_class=PageRoute, include_in_schema=False), Desks()

    @router.get("/sit")
    def start(request: Request, who: Who) -> Response:
        desk = desks.find(who, Action.SEE_GUIDED)
        why = "opted_out" if desk.journey.opted_out else "no_round" if desk.round is None else ""
        why = why or ("sat_already" if desk.done else "")
        helped_by = desk.draft.helped_by if desk.draft else None
        theirs = desk.tool is None or language_of(request) in desk.tool.languages
        return pupil_page(
            site, request, who, "sit_start.html", why=why, begun=desk.draft is not None, again=desk.tried,
            called=_called(who), helpers=HELPERS, helped_by=helped_by, theirs=theirs,
        )  # fmt: skip

    @router.post("/sit/begin")
    def begin(who: Who, sent: Sent) -> Response:
        seated = desks.take(who)
        chosen = sent.one_of("helped_by", ("", *HELPERS), label="Who writes")
        seated.draft.helped_by = cast(Helper, chosen) if chosen else None
        web_draft.save(who.records, seated.round.round_id, who.viewer.id, seated.draft)
        return RedirectResponse("/sit/next", 303, HEADERS)

    @router.get("/sit/next")
    def following(request: Request, who: Who, item: str = "") -> Response:
        try:
            seated = desks.take(who)
        except SittingAlreadyTaken:
            # the last answer was taken and the way back was cut: what was asked for is done
            return see_other("/sit/done")
        return _step(site, request, who, seated, item)

    @router.post("/sit/answer")
    def answer(request: Request, who: Who, sent: Sent) -> Response:
        try:
            seated = desks.take(who, sent.id("sitting"))
        except SittingAlreadyTaken:
            return see_other("/sit/done")
        following = _take(who, seated, sent)
        if following is None:
            return _hand_in(who, seated.round.round_id, seated.draft)
        # the next question is on the screen a moment from now: its clock is kept with the answer
        seated.draft.show(following.id, who.app.clock())
        web_draft.save(who.records, seated.round.round_id, who.viewer.id, seated.draft)
        return RedirectResponse("/sit/next", 303, HEADERS)

    _ends(site, router, desks)
    return router


def _ends(site: Site, router: APIRouter, desks: Desks) -> None:
    @router.post("/sit/stop")
    def stop(request: Request, who: Who, sent: Sent) -> Response:
        until = desks.take(who).round.closes_on
        answer = pupil_page(site, request, who, "sit_end.html", kind="stopped", until=until, called=_called(who))
        return _signed_out(request, who, answer)

    @router.post("/sit/not-today")
    def not_today(request: Request, who: Who, sent: Sent) -> Response:
        desk = desks.find(who, Action.SIT)
        if desk.round is not None and not desk.done:
            who.records.say_not_today(who.ask(sent.key), who.viewer.id, round_id=desk.round.round_id)
        answer = pupil_page(site, request, who, "sit_end.html", kind="not_today", until=None, called=_called(who))
        return _signed_out(request, who, answer)

    @router.get("/sit/done")
    def done(request: Request, who: Who) -> Response:
        desk = desks.find(who, Action.SEE_GUIDED)
        again = desk.tried and not desk.done
        return pupil_page(site, request, who, "sit_end.html", kind="done", until=None, again=again, called=_called(who))


def pupil_page(site: Site, request: Request, who: Caller, name: str, **context: Any) -> Response:
    """A page of the pupil's own, in the language they chose."""
    language = language_of(request)
    answer = site.page(
        request, name, viewer=who.viewer, lang=language, say=sayer(language), tr=translator(language),
        languages=LANGUAGES, parts=PARTS, **context,
    )  # fmt: skip
    if request.query_params.get("lang") in LANGUAGES:
        cookies.give(request, answer, LANG_COOKIE, language, samesite="lax", max_age=365 * 86_400)
    return answer


def _called(who: Caller) -> str:
    person = who.records.identity(who.viewer.id).person
    return person.called if person else ""


def _step(site: Site, request: Request, who: Caller, seated: Seated, wanted: str) -> Response:
    tool, draft, language = seated.tool, seated.draft, language_of(request)
    language = language if language in tool.languages else tool.languages[0]
    said = tool.wording[language]
    if draft.practised < PRACTICE:
        words, item_id, scene = said.practice, "practice", ""
        aloud = said.read_aloud.format(text=words.text, low=words.low, high=words.high)
    else:
        item = tool.item(wanted) if wanted in draft.answers else None
        item = item or _open_item(tool, draft) or tool.items[-1]
        words, item_id, scene = item.words(language), item.id, tool.scene_before(item.id, language)
        aloud = tool.read_aloud(item.id, language)
        if draft.shown != item.id:
            draft.show(item.id, who.app.clock())
            web_draft.save(who.records, seated.round.round_id, who.viewer.id, draft)
    return pupil_page(
        site, request, who, "sit.html", item=item_id, words=words, scene=scene, aloud=aloud, steps=said.steps,
        spoken=language, scale=tool.scale, sitting=draft.sitting_id,
        chosen=draft.answers.get(item_id), back=_before(tool, draft, item_id), heard=draft.heard,
        **_progress(tool, draft, item_id),
    )  # fmt: skip


def _progress(tool: Instrument, draft: Draft, item_id: str) -> dict[str, int]:
    total = len(tool.items)
    ids = [item.id for item in tool.items]
    number = ids.index(item_id) + 1 if item_id in ids else 0
    return {
        "number": number,
        "total": total,
        "answered": len(draft.answers),
        "shape": len(draft.answers) * PARTS // total,
    }


def _before(tool: Instrument, draft: Draft, item_id: str) -> str:
    ids = [item.id for item in tool.items]
    at = ids.index(item_id) if item_id in ids else 0
    return next((one for one in reversed(ids[:at]) if one in draft.answers), "")


def _open_item(tool: Instrument, draft: Draft) -> Item | None:
    return next((item for item in tool.items if item.id not in draft.answers), None)


def _take(who: Caller, seated: Seated, sent: Form) -> Item | None:
    """Take one answer into the draft; the question after it, None when all are answered."""
    tool, draft, item_id = seated.tool, seated.draft, sent.text("item", 40)
    answer = sent.number("answer", tool.scale.least, tool.scale.most, label="Your answer")
    draft.heard = draft.heard or sent.text("heard", 10) == "yes"
    draft.practised = PRACTICE
    if item_id != "practice":
        if tool.item(item_id) is None:
            raise BadForm("This is not one of the questions: go back and choose one of those shown.")
        draft.answer(item_id, answer, who.app.clock())
    return _open_item(tool, draft)


def _hand_in(who: Caller, round_id: UUID, draft: Draft) -> Response:
    who.records.hand_in(
        # one key for the sitting: answering the last one twice hands in once
        who.ask(f"sit/{draft.sitting_id}"), who.viewer.id, sitting_id=draft.sitting_id, round_id=round_id, on=who.today,
        answers=draft.answers, seconds=draft.seconds, mode=draft.mode, helped_by=draft.helped_by,
    )  # fmt: skip
    web_draft.drop(who.records, round_id, who.viewer.id)
    return see_other("/sit/done")


def _signed_out(request: Request, who: Caller, answer: Response) -> Response:
    who.sessions.sign_out(who.signed)
    callers.clear_cookie(request, answer)
    return answer
