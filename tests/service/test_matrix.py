"""Every route about a pupil x every role x where that pupil stands: own, other scope, other school, moving, left, at
the former school after a transfer, 18, restricted, untrained viewer, broken glass. What is allowed is stated by hand in
tests/support/authority.py, which action a route asks for by hand here; a refusal writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from astrack.access import about_pupil
from astrack.changing import NOT_HERE, Ask
from astrack.handover import Handover
from astrack.web import relations, rights, rights_request
from astrack.web.site import make_token
from domain import staff
from domain.authority import ROLES, Reason
from domain.base import Actor
from domain.identity import Person
from domain.rights.requests import NOT_HERE as REQUEST_NOT_HERE
from domain.scope import Scope
from tests.service.conftest import SCOPES, World
from tests.service.test_api_permissions import ABOUT_A_PUPIL, P, refused_at_the_gate, request_about, send
from tests.support.addresses import routes
from tests.support.authority import ALL, expected
from tests.support.pages import ORIGIN

R = "/data-requests/{request}"
ASKED: dict[str, str] = {
    "see_story": f"GET {P}, GET {P}/timeline, GET {P}/track",
    "see_name": f"GET {P}/identity",
    "see_guided": f"GET {P}/story",
    "replay": f"GET {P}/replay?as_of=2026-11-02",
    "see_looks": f"GET {P}/looks",
    "keep_roster": f"PUT {P}/identity, POST {P}/groups, POST {P}/leave, POST {P}/return",
    "sit": f"POST {P}/sittings, POST {P}/not-today",
    "review_flags": f"POST {P}/flags/{{id}}/review, POST {P}/looked-at",
    "report_outcome": f"POST {P}/outcomes",
    "ask_to_talk": f"POST {P}/talks",
    "take_up_talk": f"POST {P}/talks/{{id}}/take-up, POST {P}/talks/{{id}}/escalate",
    "correct": f"POST {P}/corrections",
    "opt_out": f"POST {P}/opt-out, POST {P}/opt-out/end",
    "write_plans": f"POST {P}/plans, POST {P}/plans/{{id}}/monitor, POST {P}/plans/{{id}}/review,"
                   f" POST {P}/plans/{{id}}/close",
    "raise_hand_off": f"POST {P}/hand-offs",
    "see_hand_offs": f"GET {P}/hand-offs, GET {P}/outcomes",
    "take_up_hand_off": f"POST {P}/hand-offs/{{id}}/acknowledge, POST {P}/outcomes/{{id}}/take-back",
    "take_own_copy": f"POST {P}/own-copy",
    "send_record": f"POST {P}/reviewed-copy",
    "make_card": f"POST {P}/card",
    "make_letter": f"POST {P}/letter",
    "see_family": f"GET {P}/family",
    "keep_family": f"POST {P}/relations, POST {P}/relations/{{id}}/end, POST {P}/orders, POST {P}/orders/{{id}}/end",
    "release_account": f"POST {P}/releases, POST {P}/releases/{{id}}/withdraw",
    "decide_competence": f"POST {P}/competence",
    "ask_right": f"POST {P}/data-requests",
    "see_rights": f"GET {P}/data-requests, GET {R}",
    "see_all_held": f"GET {R}/items, POST {R}/copy",
    "handle_rights": f"POST {R}/stop, POST {R}/start, POST {R}/extend, POST {R}/withhold,"
                     f" POST {R}/withhold-by-default, POST {R}/answer, POST {R}/withdraw",
    "review_withheld": f"POST {R}/review",
    "restrict": f"POST {P}/restriction, POST {P}/restriction/lift",
    "keep_retention": f"POST {P}/retention, POST {P}/retention/review",
    "hold_record": f"POST {P}/holds, POST {P}/holds/{{id}}/release",
    "erase_record": f"POST {P}/erase",
    "break_glass": f"POST {P}/glass",
}  # fmt: skip
"""Which action each route asks for."""
ACTION = {tuple(route.split(" ", 1)): action for action, routes in ASKED.items() for route in routes.split(", ")}
NEAR, FAR = 5, 6
ADULT, CHILD = date(2008, 10, 5), date(2016, 12, 5)
OTHERS = "sgSGQu"
"""Situations in which a pupil or parent looks at somebody else's record."""
MOVED, MOVING, LEFT, RESTRICTED = "hH", "mM", "lL", "qBQv"
WHY = "a court order came in"
OFFICE = Actor(id=UUID(int=1), role="administrator")
SHORT = "osxmlhOHtgqv"
"""Where the pupil stands, in the short run; the long one takes them all, and asks in roles that never may, too."""


def ask(role: str = "administrator") -> Ask:
    return Ask(OFFICE.model_copy(update={"role": role}), str(uuid4()))


@dataclass
class Stood:
    """A school with one pupil in each situation, and somebody in each role towards each."""

    world: World
    pupils: dict[str, UUID]
    untrained: dict[str, TestClient] = field(default_factory=dict)
    relations: dict[str, UUID] = field(default_factory=dict)
    own: dict[tuple[str, str], TestClient] = field(default_factory=dict)

    def as_(self, role: str, letter: str) -> TestClient:
        """Who asks: in a pupil's or parent's role the one it is about, unless the situation is somebody else's."""
        if role in ("pupil", "parent"):
            own = "O" if letter == "T" else letter
            return self._family(role, "o" if letter in OTHERS + "xt" else own)
        return self.untrained[role] if letter in "tTu" else self.world.as_(role)

    def _family(self, role: str, letter: str) -> TestClient:
        if (role, letter) not in self.own:
            made, pupil = self.world.site.state.sessions.credentials(self.world.school_id), self.pupils[letter]
            code = made.card(pupil) if role == "pupil" else made.letter(self.relations[letter], pupil)
            self.own[role, letter] = self.world.sign_in(code)
        return self.own[role, letter]

    def where(self) -> dict[str, Any]:
        """Where each pupil stands, as the gate sees it."""
        today = self.world.clock().date()
        return {key: about_pupil(self.world.records, one, today) for key, one in self.pupils.items() if key != "x"}


def admitted(world: World, letter: str) -> UUID:
    born = ADULT if letter in "OMLHTRSGB" else CHILD
    year = FAR if letter in OTHERS else NEAR
    person = Person(surname="Xylophone", forename="Zebedee", date_of_birth=born)
    made = world.records.admit(ask(), person, on=date(2026, 9, 2), year_group=year, groups=[])
    return UUID(made["pupil_id"])


def untrained(world: World, role: str, glass: UUID) -> TestClient:
    """Somebody in a role who has not done the first module; whose role may, has broken a glass."""
    newcomer = uuid4()
    world.records.add_staff(ask(), staff_id=newcomer, name="Quentin", kind="person")
    scope = SCOPES.get(role, Scope(everyone=True))
    world.records.grant_role(ask(), newcomer, grant_id=uuid4(), role=role, scope=scope)  # type: ignore[arg-type]
    if role == "dpo":
        world.records.break_glass(ask("dpo"), newcomer, glass_id=uuid4(), pupil_id=glass, reason=WHY, minutes=60)
    return world.sign_in(world.site.state.sessions.credentials(world.school_id).code(newcomer))


def move(world: World, other: World, pupils: dict[str, UUID]) -> None:
    """Hand some records over to the other school, and prepare some that are not received yet."""
    sender, receiver, day = Handover(world.records), Handover(other.records), world.clock().date()
    for one, known in ((sender, receiver), (receiver, sender)):
        one.trust(ask("dsl"), known.key_document(), words=known.key_words())
    going = [pupils[letter] for letter in MOVED + MOVING]
    made = sender.prepare(ask("dsl"), going, to=receiver.key_document(), lawful_basis="legal_obligation",
                          accepted_on=day, start_on=day)  # fmt: skip
    for transfer in made["transfers"][: len(MOVED)]:
        receipt = receiver.receive(ask("dsl"), sender.sealed(UUID(transfer["transfer_id"])))["receipt"]
        sender.acknowledge(ask("dsl"), receipt.encode())


def settle(stood: Stood) -> None:
    """What makes a situation: an opt-out, a restriction, a release, a broken glass, a departure."""
    world, day, records = stood.world, stood.world.clock().date(), stood.world.records
    for letter, pupil in stood.pupils.items():
        relation = stood.relations.setdefault(letter, uuid4())
        records.record_relation(ask(), pupil, relation_id=relation, name="Una", kind="natural_parent", from_on=CHILD,
                                verified_on=day, proof="birth certificate")  # fmt: skip
        if letter in "rRv":
            records.release_account(ask("dsl"), pupil, release_id=uuid4(), agreed_with_pupil=True)
        if letter in LEFT:
            records.leave(ask(), pupil, on=date(2026, 10, 20))
        if letter == "e":
            records.opt_out(ask(), pupil, asked_by="parent", on=day)
        if letter in RESTRICTED:
            records.restrict(ask("dpo"), pupil, ground="accuracy", on=day)
        if letter in "gGQ":
            officer = world.staff["dpo"]
            records.break_glass(ask("dpo"), officer, glass_id=uuid4(), pupil_id=pupil, reason=WHY, minutes=60)


@pytest.fixture(scope="module")
def stood(shared_school: World, neighbour: World) -> Iterator[Stood]:
    made = Stood(shared_school, {letter: admitted(shared_school, letter) for letter in ALL if letter not in "nxtTu"})
    settle(made)
    move(shared_school, neighbour, made.pupils)
    made.pupils |= {"x": neighbour.pupil, "t": made.pupils["o"], "T": made.pupils["O"], "u": made.pupils["g"]}
    made.untrained = {role: untrained(shared_school, role, made.pupils["g"]) for role in staff.ROLES}
    before = made.where()
    yield made
    assert made.where() == before, "a request moved a pupil out of the situation it stands for"


def put_back(stood: Stood, letter: str) -> None:
    """What a request was let in to do is undone: the pupil stands again where the situation says."""
    records, pupil, day = stood.world.records, stood.pupils[letter], stood.world.clock().date()
    now, restricted, out = about_pupil(records, pupil, day), letter in RESTRICTED, letter == "e"
    if now.restricted and not restricted:
        records.lift_restriction(ask("dpo"), pupil, on=day, told_on=day)
    if now.opted_out != out:
        change = records.opt_out if out else records.end_opt_out
        change(ask(), pupil, asked_by="parent", on=day)
    if now.released and letter not in "rRv":
        for one in records.releases(pupil).standing:
            records.withdraw_release(ask("dsl"), pupil, release_id=one.release_id, why=WHY)


def wrong(stood: Stood, route: tuple[str, str], role: str, letter: str) -> str:
    """What is wrong with an answer, or nothing."""
    size, pupil = stood.world.records.log.size(), stood.pupils[letter]
    stood.world.clients, kept = {role: stood.as_(role, letter)}, stood.world.clients
    try:
        # a day still to come: nobody was told yet, so that no restriction is lifted
        answer = send(stood.world, role, *route, pupil, told_on="2027-06-01")
    finally:
        stood.world.clients = kept
    if letter != "x":
        put_back(stood, letter)
    # another school's request is not here, and what the pupil asked is not a parent's to see
    asked = "{request}" in route[1]
    let_in = not (refused_at_the_gate(answer) or (asked and "no-such-request" in answer.text))
    meant = letter in expected(role, ACTION[route]) and not (asked and role == "parent")
    if let_in != meant or answer.status_code >= 500:
        return f"{role} {letter}: {'let in' if let_in else 'refused'} with {answer.status_code}: {answer.text[:200]}"
    changed = not let_in and not asked and stood.world.records.log.size() != size
    return f"{role} {letter}: a refusal wrote something" if changed else ""


ROUTES = [route for route in ABOUT_A_PUPIL if ACTION[route] != "break_glass"]


def test_every_route_about_a_pupil_says_which_action_it_asks_for() -> None:
    assert set(ACTION) == set(ABOUT_A_PUPIL)


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_opens_exactly_where_its_action_is_allowed(stood: Stood, route: tuple[str, str]) -> None:
    asking = [role for role in ROLES if expected(role, ACTION[route])]
    found = [wrong(stood, route, role, letter) for role in asking for letter in SHORT]
    assert [one for one in found if one] == []


@pytest.mark.long
@pytest.mark.parametrize("route", ROUTES)
def test_it_does_so_for_every_role_in_every_situation(stood: Stood, route: tuple[str, str]) -> None:
    found = [wrong(stood, route, role, letter) for role in ROLES for letter in ALL if letter != "n"]
    assert [one for one in found if one] == []


PAGES: dict[str, str] = {
    "GET /pupils/{pupil_id}": "see_name see_story",
    "GET /pupils/{pupil_id}/plan": "see_name write_plans",
    "GET /pupils/{pupil_id}/plans/{plan_id}": "see_name see_plans",
    "GET /audit/pupils/{pupil_id}": "replay",
    "GET /pupils/{pupil_id}/correct/{event_id}": "see_name correct",
    "GET /pupils/{pupil_id}/family": "see_name see_family",
    "GET /rights/pupils/{pupil_id}": "list_rights see_rights",
    "GET /rights/requests/{request_id}": "list_rights see_rights",
    "POST /talks/{pupil_id}/{talk_id}": "take_up_talk",
    "POST /pupils/{pupil_id}/talks/{talk_id}": "take_up_talk",
    "POST /pupils/{pupil_id}/flags/{flag_id}": "review_flags",
    "POST /pupils/{pupil_id}/outcomes": "report_outcome",
    "POST /pupils/{pupil_id}/outcomes/{outcome_id}/take-back": "take_up_hand_off",
    "POST /pupils/{pupil_id}/plan": "write_plans",
    "POST /pupils/{pupil_id}/plans/{plan_id}/monitor": "write_plans",
    "POST /pupils/{pupil_id}/plans/{plan_id}/review": "write_plans",
    "POST /pupils/{pupil_id}/plans/{plan_id}/close": "write_plans",
    "POST /rounds/{round_id}/pupils/{pupil_id}/not-today": "sit",
    "POST /pupils/{pupil_id}/correct/{event_id}": "correct",
    "POST /safeguarding/{pupil_id}/{hand_off_id}": "take_up_hand_off",
    "POST /pupils/{pupil_id}/hand-offs": "raise_hand_off",
    "POST /pupils/{pupil_id}/family/letter": "make_letter",
    "POST /pupils/{pupil_id}/family/relation": "keep_family",
    "POST /pupils/{pupil_id}/family/end-relation": "keep_family",
    "POST /pupils/{pupil_id}/family/order": "keep_family",
    "POST /pupils/{pupil_id}/family/end-order": "keep_family",
    "POST /pupils/{pupil_id}/family/release": "release_account",
    "POST /pupils/{pupil_id}/family/withdraw": "release_account",
    "POST /rights/pupils/{pupil_id}/request": "list_rights ask_right",
    "POST /rights/pupils/{pupil_id}/competence": "list_rights decide_competence",
    "POST /rights/pupils/{pupil_id}/restrict": "list_rights restrict",
    "POST /rights/pupils/{pupil_id}/lift": "list_rights restrict",
    "POST /rights/pupils/{pupil_id}/class": "list_rights keep_retention",
    "POST /rights/pupils/{pupil_id}/review": "list_rights keep_retention",
    "POST /rights/pupils/{pupil_id}/hold": "list_rights hold_record",
    "POST /rights/pupils/{pupil_id}/release": "list_rights hold_record",
    "POST /rights/pupils/{pupil_id}/erase": "list_rights erase_record",
    "POST /rights/requests/{request_id}/copy": "list_rights handle_rights see_all_held",
    "POST /rights/requests/{request_id}/stop": "list_rights handle_rights",
    "POST /rights/requests/{request_id}/start": "list_rights handle_rights",
    "POST /rights/requests/{request_id}/extend": "list_rights handle_rights",
    "POST /rights/requests/{request_id}/withhold": "list_rights handle_rights",
    "POST /rights/requests/{request_id}/withhold-by-default": "list_rights handle_rights",
    "POST /rights/requests/{request_id}/judge": "list_rights review_withheld",
    "POST /rights/requests/{request_id}/answer": "list_rights handle_rights",
    "POST /rights/requests/{request_id}/withdraw": "list_rights handle_rights",
}
"""Which actions each page or form about a pupil asks for, all of them."""
SHUT = {*(reason.value for reason in Reason), NOT_HERE, REQUEST_NOT_HERE}
PAGE_SHORT = "osxmhOHtgq"


def shut(page: Any) -> bool:
    """Whether a page says that it is not for who asked."""
    text = " ".join(unescape(page.text).split()).casefold()
    return page.status_code in (403, 404) and any(one.casefold() in text for one in SHUT)


def page_wrong(stood: Stood, route: str, role: str, letter: str) -> str:
    """What is wrong with a page, or with what an empty form of it gets; or nothing."""
    method, path = route.split(" ")
    pupil, who, records = stood.pupils[letter], stood.as_(role, letter), stood.world.records
    address = path.replace("{pupil_id}", str(pupil)).replace("{request_id}", request_about(stood.world, pupil))
    address, size = re.sub(r"\{\w+\}", str(uuid4()), address), records.log.size()
    form = {"token": make_token(who.cookies["__Host-astrack"]), "key": str(uuid4())} if method == "POST" else None
    answer = who.request(method, address, data=form, headers={"Origin": ORIGIN}, follow_redirects=False)
    meant = all(letter in expected(role, action) for action in PAGES[route].split())
    if meant == shut(answer) or answer.status_code >= 500:
        return f"{role} {letter}: {'shut' if meant else 'open'} with {answer.status_code}"
    written = not meant and "{request_id}" not in path and records.log.size() != size
    return f"{role} {letter}: a refusal wrote something" if written else ""


def test_every_page_about_a_pupil_says_which_actions_it_asks_for() -> None:
    named = {
        f"{method} {path}" for method in ("GET", "POST") for path in routes(method)
        if "{pupil_id}" in path or "{request_id}" in path
    }  # fmt: skip
    acts = {re.sub(r"/[a-z-]+$", "/{act}", route) for route in PAGES}
    assert named <= set(PAGES) | acts
    assert set(PAGES) <= named | {route for route in PAGES if re.sub(r"/[a-z-]+$", "/{act}", route) in named}
    told = {**{f"family/{act}": one[0] for act, one in relations.ACTS.items()},
            **{f"rights/pupils/{{pupil_id}}/{act}": one[0] for act, one in rights.ACTS.items()},
            **{f"requests/{{request_id}}/{act}": one[0] for act, one in rights_request.ACTS.items()}}  # fmt: skip
    assert all(
        any(route.endswith(ending) and action in PAGES[route] for route in PAGES) for ending, action in told.items()
    )


@pytest.mark.parametrize("route", PAGES)
def test_a_page_or_form_opens_exactly_where_its_actions_are_allowed(stood: Stood, route: str) -> None:
    asking = [role for role in ROLES if all(expected(role, action) for action in PAGES[route].split())]
    found = [page_wrong(stood, route, role, letter) for role in asking for letter in PAGE_SHORT]
    assert [one for one in found if one] == []


@pytest.mark.long
@pytest.mark.parametrize("route", PAGES)
def test_it_does_so_on_pages_for_every_role_in_every_situation(stood: Stood, route: str) -> None:
    found = [page_wrong(stood, route, role, letter) for role in ROLES for letter in ALL if letter != "n"]
    assert [one for one in found if one] == []


def test_the_glass_is_broken_by_whom_it_is_for_and_last_since_it_opens_what_was_shut(stood: Stood) -> None:
    route = ("POST", f"{P}/glass")
    found = [wrong(stood, route, role, letter) for role in ROLES for letter in ALL if letter != "n"]
    assert [one for one in found if one] == []
