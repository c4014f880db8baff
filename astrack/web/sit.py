"""The sitting: a pupil answers, one thing at a time, and a place takes shape; nothing to get wrong, no dead ends."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from astrack.access import callers
from astrack.access.callers import Caller
from astrack.web import draft as web_draft
from astrack.web.door import PageRoute, Sent, Who
from astrack.web.draft import Draft
from astrack.web.forms import Form
from astrack.web.lang import LANGUAGES, language_of, sayer
from astrack.web.site import HEADERS, BadForm, Site, see_other
from domain import instrument, sitting_rules
from domain.authority import Action
from domain.instrument import Instrument
from domain.journey.refusals import SittingAlreadyTaken
from domain.journey.state import Journey
from domain.scope import Scope
from projections import round_progress
from projections.round_progress import Progress

PRACTICE, PARTS = 1, 12
_ROUNDS: dict[UUID, tuple[int, list[Progress]]] = {}
_TOOLS: dict[tuple[UUID, UUID], Instrument] = {}
ROUNDS_READ = 30


def sit_pages(site: Site) -> APIRouter:
    """The pages of a sitting."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/sit")
    def start(request: Request, who: Who) -> Response:
        who.may(Action.SEE_GUIDED, who.viewer.id)
        journey, _ = who.records.journey(who.viewer.id)
        one = _open_round(who, journey)
        why = "opted_out" if journey.opted_out else "no_round" if one is None else ""
        why = why or ("sat_already" if one and _done(journey, one.round_id) else "")
        draft = web_draft.load(who.records, one.round_id, who.viewer.id) if one else None
        again = bool(one and _tried(journey, one.round_id))
        return pupil_page(site, request, who, "sit_start.html", why=why, begun=draft is not None, again=again)

    @router.post("/sit/begin")
    def begin(who: Who, sent: Sent) -> Response:
        one, draft = _mine(who)
        web_draft.save(who.records, one.round_id, who.viewer.id, draft)
        return RedirectResponse("/sit/next", 303, HEADERS)

    @router.get("/sit/next")
    def following(request: Request, who: Who, item: str = "") -> Response:
        one, draft = _mine(who)
        return _step(site, request, who, one, draft, item)

    @router.post("/sit/answer")
    def answer(request: Request, who: Who, sent: Sent) -> Response:
        one, draft = _mine(who)
        tool = _instrument(who, one.round_id)
        _take(who, tool, draft, sent)
        if all(item.id in draft.answers for item in tool.items):
            return _hand_in(who, one.round_id, draft)
        web_draft.save(who.records, one.round_id, who.viewer.id, draft)
        return RedirectResponse("/sit/next", 303, HEADERS)

    @router.post("/sit/stop")
    def stop(request: Request, who: Who, sent: Sent) -> Response:
        one = _round(who)
        answer = pupil_page(site, request, who, "sit_end.html", kind="stopped", until=one.closes_on)
        return _signed_out(who, answer)

    @router.post("/sit/not-today")
    def not_today(request: Request, who: Who, sent: Sent) -> Response:
        return _signed_out(who, pupil_page(site, request, who, "sit_end.html", kind="not_today", until=None))

    @router.get("/sit/done")
    def done(request: Request, who: Who) -> Response:
        who.may(Action.SEE_GUIDED, who.viewer.id)
        journey, _ = who.records.journey(who.viewer.id)
        one = _open_round(who, journey)
        again = bool(one and not _done(journey, one.round_id) and _tried(journey, one.round_id))
        return pupil_page(site, request, who, "sit_end.html", kind="done", until=None, again=again)

    return router


def pupil_page(site: Site, request: Request, who: Caller, name: str, **context: Any) -> Response:
    """A page of the pupil's own, in the language they chose."""
    language = language_of(request)
    person = who.records.identity(who.viewer.id).person
    called = person.called if person else ""
    answer = site.page(
        request, name, viewer=who.viewer, lang=language, say=sayer(language), called=called,
        languages=LANGUAGES, parts=PARTS, **context,
    )  # fmt: skip
    if request.query_params.get("lang") in LANGUAGES:
        secure = request.url.scheme == "https"
        answer.set_cookie("astrack-lang", language, samesite="lax", secure=secure, httponly=True, max_age=365 * 86_400)
    return answer


def _open_round(who: Caller, journey: Journey) -> Progress | None:
    """The round this pupil may sit today: one not sat yet before one that was."""
    mine = [
        one
        for one in _rounds(who)
        if not one.closed and one.opens_on <= who.today <= one.closes_on and journey.year_group in one.year_groups
    ]
    return min(mine, key=lambda one: _done(journey, one.round_id), default=None)


def _rounds(who: Caller) -> list[Progress]:
    """The school's rounds, read again only when its log has grown: a sitting in progress adds nothing to it."""
    school_id, size = who.records.school_id, who.records.log.size()
    known = _ROUNDS.get(school_id)
    if known is None or known[0] != size:
        who.app.views.catch_up(school_id)
        with who.app.views.reading(school_id) as cur:
            known = size, round_progress.rounds(cur, school_id, Scope(everyone=True), ROUNDS_READ)
        _ROUNDS[school_id] = known
    return known[1]


def _tried(journey: Journey, round_id: UUID) -> bool:
    return sitting_rules.standing(journey.sittings, round_id).tries > 0


def _done(journey: Journey, round_id: UUID) -> bool:
    """Whether there is nothing left to sit: answers that could not be read may be given once more, nobody decides."""
    return not sitting_rules.standing(journey.sittings, round_id).offer


def _round(who: Caller) -> Progress:
    who.may(Action.SIT, who.viewer.id)
    journey, _ = who.journey(who.viewer.id)
    one = _open_round(who, journey)
    if one is None:
        raise BadForm("There are no questions for you at the moment. Your tutor will tell you when there are.")
    if _done(journey, one.round_id):
        raise SittingAlreadyTaken("you have done this round already: thank you, there is nothing more to do")
    return one


def _mine(who: Caller) -> tuple[Progress, Draft]:
    one = _round(who)
    return one, web_draft.load(who.records, one.round_id, who.viewer.id) or Draft(who.app.new_id())


def _instrument(who: Caller, round_id: UUID) -> Instrument:
    # what a round is sat with never changes once it was opened
    place = who.records.school_id, round_id
    if place not in _TOOLS:
        opened = who.records.round_state(round_id).opened
        if opened is None:
            return instrument.newest()
        _TOOLS[place] = instrument.load(opened.instrument, opened.instrument_version)
    return _TOOLS[place]


def _step(site: Site, request: Request, who: Caller, one: Progress, draft: Draft, wanted: str) -> Response:
    tool, language = _instrument(who, one.round_id), language_of(request)
    said = tool.wording.get(language) or tool.wording[tool.languages[0]]
    if draft.practised < PRACTICE:
        words, item_id, scene = said.practice, "practice", ""
        aloud = said.read_aloud.format(text=words.text, low=words.low, high=words.high)
    else:
        item = tool.item(wanted) if wanted in draft.answers else None
        item = item or next(item for item in tool.items if item.id not in draft.answers)
        words, item_id, scene = item.words(language), item.id, tool.scene_before(item.id, language)
        aloud = tool.read_aloud(item.id, language)
        draft.show(item.id, who.app.clock())
        web_draft.save(who.records, one.round_id, who.viewer.id, draft)
    return pupil_page(
        site, request, who, "sit.html", item=item_id, words=words, scene=scene, aloud=aloud, steps=said.steps,
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


def _take(who: Caller, tool: Instrument, draft: Draft, sent: Form) -> None:
    item_id = sent.text("item", 40)
    answer = sent.number("answer", tool.scale.least, tool.scale.most, label="Your answer")
    draft.heard = draft.heard or sent.text("heard", 10) == "yes"
    if item_id == "practice":
        draft.practised = PRACTICE
        return
    if tool.item(item_id) is None:
        raise BadForm("This is not one of the questions: go back and choose one of the six.")
    draft.practised = PRACTICE
    draft.answer(item_id, answer, who.app.clock())


def _hand_in(who: Caller, round_id: UUID, draft: Draft) -> Response:
    who.records.hand_in(
        # one key for the sitting: answering the last one twice hands in once
        who.ask(f"sit/{draft.sitting_id}"), who.viewer.id, sitting_id=draft.sitting_id, round_id=round_id, on=who.today,
        answers=draft.answers, seconds=draft.seconds, mode="read_aloud" if draft.heard else "alone",
    )  # fmt: skip
    web_draft.drop(who.records, round_id, who.viewer.id)
    return see_other("/sit/done")


def _signed_out(who: Caller, answer: Response) -> Response:
    who.sessions.sign_out(who.signed)
    callers.clear_cookie(answer)
    return answer
