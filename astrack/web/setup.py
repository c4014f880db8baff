"""Set up a school: a roster file read twice before anything changes, rounds, sign-in cards to print."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from astrack import instruments, roster
from astrack.access.callers import Caller
from astrack.roster import text as roster_text
from astrack.web import qr
from astrack.web.door import REFUSALS, PageRoute, Sent, Who, said, status_of
from astrack.web.forms import Form
from astrack.web.lists import reading
from astrack.web.site import BadForm, Site, see_other
from domain.authority import Action
from domain.instrument import Instrument
from domain.review import Load
from domain.scope import Scope
from projections import pupils, round_progress
from transfer.errors import TransferRefused

ROSTER_BYTES_MAX = 32 * 1024 * 1024
LINES_SHOWN, ROUNDS_SHOWN, CARDS_MAX = 400, 12, 400


def setup_pages(site: Site) -> APIRouter:
    """The administrator's pages."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    _roster_pages(site, router)
    _round_pages(site, router)

    @router.get("/setup")
    def setup(request: Request, who: Who) -> Response:
        who.may(Action.SET_ROUNDS)
        return _setup(site, request, who)

    @router.post("/setup/load")
    def review_load(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.SET_ROUNDS)
        try:
            _set_load(who, sent)
        except REFUSALS as refused:
            return _setup(site, request, who, sent, refused, "most")
        return see_other("/setup", "load-set")

    @router.post("/setup/cards")
    def cards(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.SET_ROUNDS)
        return _cards(site, request, who, sent)

    return router


def _roster_pages(site: Site, router: APIRouter) -> None:
    @router.post("/setup/roster")
    def dry_run(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.IMPORT_ROSTER)
        try:
            return show_plan(site, request, who, _file(sent))
        except (*REFUSALS, TransferRefused) as refused:
            return _setup(site, request, who, sent, refused, "roster")

    @router.post("/setup/roster/apply")
    def apply(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.IMPORT_ROSTER)
        _apply(who, sent)
        return see_other("/setup", "roster-applied")


def show_plan(site: Site, request: Request, who: Caller, content: bytes) -> Response:
    """What a roster would change, to be confirmed on the page; nothing is written. Raises the BadRoster tree."""
    plan = roster.plan(who.records, content, who.today)
    upload = who.app.new_id()
    # kept sealed with the school's key until it is confirmed or replaced
    who.records.log.save_draft(upload, who.records.school_id, content)
    return site.page(
        request, "roster.html", viewer=who.viewer, plan=roster_text.as_dict(plan, LINES_SHOWN), upload=upload,
        digest=roster.digest(plan), size=plan.size, many=plan.many_leavers, missing=plan.missing,
    )  # fmt: skip


def _round_pages(site: Site, router: APIRouter) -> None:
    @router.post("/setup/rounds")
    def open_round(request: Request, who: Who, sent: Sent) -> Response:
        who.may(Action.SET_ROUNDS)
        try:
            _open_round(who, sent)
        except REFUSALS as refused:
            return _setup(site, request, who, sent, refused, "name")
        return see_other("/setup", "round-opened")

    @router.post("/setup/rounds/{round_id}/close")
    def close_round(who: Who, sent: Sent, round_id: UUID) -> Response:
        who.may(Action.SET_ROUNDS)
        one = next((one for one in _rounds(who) if one.round_id == round_id), None)
        counts = {name: getattr(one, name) if one else 0 for name in ("expected", "sat", "not_today")}
        who.records.close_round(sent.ask(who), round_id=round_id, **counts)
        return see_other("/setup", "round-closed")


def _file(sent: Form) -> bytes:
    if sent.file is None:
        raise BadForm("Choose the file your school system wrote: a CTF (.xml) or a OneRoster export (.zip).", "roster")
    if len(sent.file) > ROSTER_BYTES_MAX:
        raise BadForm(f"A roster file is at most {ROSTER_BYTES_MAX // 2**20} MiB: export the pupils alone.", "roster")
    return sent.file


def _apply(who: Caller, sent: Form) -> None:
    upload = sent.id("upload")
    content = who.records.log.load_draft(upload)
    if content is None:
        raise BadForm("This file was taken in already, or was left too long: choose it again on the set-up page.")
    plan = roster.plan(who.records, content, who.today)
    if roster.digest(plan) != sent.text("digest", 80):
        raise BadForm("The roll has changed since you read what this file does: choose the file and read it again.")
    confirmed = sent.text("confirm_leavers", 5) == "yes"
    roster.apply(who.records, who.ask(sent.key), plan, confirm_leavers=confirmed)
    who.records.log.delete_draft(upload)


def _set_load(who: Caller, sent: Form) -> None:
    most = sent.number("most", 1, 30, label="At most on the list")
    unflagged = sent.number("unflagged", 0, 30, label="Drawn without a sign")
    if unflagged > most:
        raise BadForm("Drawn without a sign: no more than are on the list in all.", "unflagged")
    load = who.records.school_state().load
    who.records.set_review_load(sent.ask(who), Load(least=min(load.least, most), most=most, unflagged=unflagged))


def _open_round(who: Caller, sent: Form) -> None:
    years = [int(one) for one in sent.many("year") if one.isascii() and one.lstrip("-").isdigit() and len(one) < 4]
    if not years:
        raise BadForm("Choose at least one year group for the round.", "year")
    tools = {_tool_id(one): one for one in instruments.offered()}
    named = sent.text("instrument") or next(iter(tools))
    if named not in tools:
        raise BadForm("What is sat: choose one of those offered.", "instrument")
    tool = tools[named]
    who.records.open_round(
        who.ask(sent.key), instrument_name=tool.name, instrument_version=tool.version, round_id=sent.id("round_id"),
        name=sent.text("name", 80, label="The round's name", needed=True),
        opens_on=sent.day("opens_on", label="Opens on"), closes_on=sent.day("closes_on", label="Closes on"),
        year_groups=sorted(years),
    )  # fmt: skip


def _tool_id(one: Instrument) -> str:
    return f"{one.name}-{one.version}"


def _tools() -> list[tuple[str, str]]:
    """The instruments to choose from, with what each is; one needs no choice."""
    return [(_tool_id(one), f"{one.title}, version {one.version} ({one.status})") for one in instruments.offered()]


def _rounds(who: Caller) -> list[round_progress.Progress]:
    with reading(who) as (cur, school):
        return round_progress.rounds(cur, school, Scope(everyone=True), ROUNDS_SHOWN)


def _setup(
    site: Site,
    request: Request,
    who: Caller,
    typed: Form | None = None,
    refused: Exception | None = None,
    at: str = "",
) -> Response:
    with reading(who) as (cur, school):
        groups = pupils.dimensions(cur, school, Scope(everyone=True))
        rounds = round_progress.rounds(cur, school, Scope(everyone=True), ROUNDS_SHOWN)
        running = [one.round_id for one in rounds if not one.closed]
        again = round_progress.asked_again(cur, school, running, Scope(everyone=True), "tutor group")
    registered = who.records.school_state().registered
    return site.page(
        request, "setup.html", status=status_of(refused) if refused else 200, viewer=who.viewer, groups=groups,
        rounds=rounds, again=again, load=who.records.school_state().load,
        school=registered.school.name if registered else "", typed=typed or Form(),
        tools=_tools(), may_import=who.can(Action.IMPORT_ROSTER), round_id=who.app.new_id(),
        error=said(refused) if refused else "", error_at=at, steps=_steps(groups, bool(rounds)),
    )  # fmt: skip


def _steps(groups: dict[str, dict[str, int]], any_round: bool) -> list[tuple[str, bool]]:
    return [("Roster taken in", bool(groups)), ("Round opened", any_round), ("Cards printed", False)]


def _cards(site: Site, request: Request, who: Caller, sent: Form) -> Response:
    dimension, _, name = sent.text("group", 200).partition("=")
    if not name:
        raise BadForm("Choose the group the cards are for.", "group")
    with reading(who) as (cur, school):
        scope = Scope(dimensions={dimension: frozenset({name})})
        found = pupils.listed(cur, school, scope, limit=CARDS_MAX)
    for one in found:
        who.may(Action.MAKE_CARD, one.pupil_id)
    credentials = who.sessions.credentials(who.records.school_id)
    base, school = site.address(request), who.records.school_id
    made = [(one.called, credentials.card(one.pupil_id)) for one in found]
    cards = [(called, words, qr.drawn(qr.sign_in_address(base, school, words))) for called, words in made]
    return site.page(
        request, "cards.html", viewer=who.viewer, cards=cards, group=name, address=qr.sign_in_address(base, school)
    )
