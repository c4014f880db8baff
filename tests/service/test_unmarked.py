"""Whom a round drew cannot be told from a pupil with a sign, in no page and no answer, until somebody has looked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from uuid import RFC_4122, UUID

import httpx
import pytest
from fastapi import FastAPI

from astrack import looking
from astrack.cli import main
from astrack.settings import Settings
from astrack.store import SchoolLog, Store
from domain import review, risk
from domain.journey.facts import FlagReviewed
from domain.journey.outside import PupilLookedAt
from domain.review import Load
from projections import cohort, risk_register
from tests.support.pages import Reader, served
from tests.support.small_school import SmallSchool, build

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HINTS = ("in 10)", "Since ", "not sure yet", "more likely", "And 1 more", "more.", "drawn", "random", "polar")


@dataclass
class World:
    """A small school with pupils of both kinds, by name; ``ids``: every id on its record that a reader could know."""

    small: SmallSchool
    pages: FastAPI
    drawn: list[str]
    flagged: list[str]
    ids: set[UUID]

    @property
    def both(self) -> list[str]:
        return [*self.drawn, *self.flagged]

    def api(self, path: str) -> httpx.Response:
        return Reader(self.pages, self.small, "tutor").get(f"/api/v1{path}")


@pytest.fixture(scope="module")
def world(store: Store, settings: Settings) -> World:
    small = build(store, settings, years=2, with_past=False, pupils=20, load=Load(least=3, most=30, unflagged=15))
    stories = {name: small.records.journey(pupil_id) for name, pupil_id in small.pupils.items()}
    flagged = [name for name, (journey, _) in stories.items() if review.waiting(journey)]
    assert len(flagged) > 1, "the made-up school needs pupils with a sign: choose another seed"
    for n in range(100):
        # ids and secrets are by chance: the first secret is taken by which some are drawn, and not more than a list has
        small.records.log._secret = bytes([n]) * 32
        draw = small.records.draw()
        drawn = [name for name, (one, _) in stories.items() if review.drawn(one, small.pupils[name], draw)]
        if 2 <= len(drawn) <= 8:
            break
    ids = {
        UUID(one) for _, facts in stories.values() for fact in facts for one in ID.findall(fact.event.model_dump_json())
    }
    return World(small, served(small), drawn, flagged, ids)


def box(text: str) -> str:
    """What a pupil's page asks, word for word, up to its form's end."""
    found = re.findall(r'<div class="flag-box" id="f-.*?</form>', text, re.S)
    assert found, text
    return str(found[0])


def asked(text: str) -> str:
    """The sentence of the box."""
    return re.findall(r"<p>(.*?)</p>", box(text), re.S)[0]


def sign_id(text: str) -> UUID:
    (found,) = set(re.findall(r"/flags/([0-9a-f-]+)", box(text)))
    return UUID(found)


def page(world: World, name: str) -> str:
    return Reader(world.pages, world.small, "tutor").get(f"/pupils/{world.small.pupils[name]}").text


def test_the_list_holds_both_in_lines_of_one_form_that_say_what_and_nothing_of_how_sure(world: World) -> None:
    text = Reader(world.pages, world.small, "tutor").get("/pupils").text
    section = text[text.index('id="new-h"') : text.index('id="due-h"')]
    lines = re.findall(r"<li>(.*?)</li>", section, re.S)
    named = {name: line for line in lines for name in world.both if f"/pupils/{world.small.pupils[name]}" in line}
    assert set(named) == set(world.both)
    forms = set()
    for name, line in named.items():
        said = re.findall(r"<p>(.*?)</p>", line, re.S)[0]
        assert not [hint for hint in HINTS if hint.lower() in said.lower()], said
        # the pupil's own id is all the source names; everything else but the sentence and the line is the same text
        assert set(ID.findall(line)) == {str(world.small.pupils[name])}
        bare = line.replace(said, "").replace(str(world.small.pupils[name]), "")
        forms.add(
            re.sub(r"<svg.*?</svg>", "<svg>", re.sub(r">[A-Z][^<]*</a>|: [A-Z][^<]*</span>", ">", bare), flags=re.S)
        )
        assert "<svg" in line
    assert len(forms) == 1, forms


def test_the_list_says_how_many_signs_wait_beyond_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(world.pages, world.small, "tutor")
    assert "will be shown once these are reviewed" not in reader.get("/pupils").text
    monkeypatch.setattr(looking, "SIGNS_MAX", 1)
    more = len(world.flagged) - 1
    assert f"{more} more pupil{'s' * (more > 1)} will be shown once these are reviewed" in reader.get("/pupils").text


def test_the_list_on_the_command_line_says_of_whom_a_page_asks_a_look_and_tells_no_two_apart(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASTRACK_HOME", str(settings.home))
    monkeypatch.setenv("ASTRACK_DATABASE", settings.database)
    monkeypatch.setattr(SchoolLog, "secret", lambda log: world.small.records.log._secret)
    with pytest.raises(SystemExit):
        main(["pupil", "list", "--school", str(world.small.school_id)])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:] if line]
    said = {UUID(row[-1]): row[-3] for row in rows}
    asks = {name: "What do you make of it" in page(world, name).split("Also noticed")[0] for name in world.small.pupils}
    assert said == {world.small.pupils[name]: "yes" if ask else "no" for name, ask in asks.items()}
    assert {name for name, ask in asks.items() if ask} == set(world.both)


def test_a_page_asks_one_thing_under_an_id_that_is_made_alike_and_stands_nowhere_on_record(world: World) -> None:
    made = {name: page(world, name) for name in world.both}
    shapes = set()
    for name, text in made.items():
        put = sign_id(text)
        assert (put.version, put.variant) == (8, RFC_4122)
        assert put not in world.ids, f"the id of {name} is known from elsewhere"
        assert len(re.findall(r'<legend class="small">What do you make of it', text.split("Also noticed")[0])) == 1
        assert not [hint for hint in HINTS if hint.lower() in asked(text).lower()], asked(text)
        keys = re.findall(r'name="(?:token|key)" value="([^"]*)"', box(text))
        said = box(text).replace(asked(text), "SAID").replace(str(world.small.pupils[name]), "PUPIL")
        for key in keys:
            said = said.replace(key, "KEY")
        shapes.add(said.replace(str(put), "SIGN"))
        assert text.count(str(put)) == made[world.drawn[0]].count(str(sign_id(made[world.drawn[0]])))
    assert len(shapes) == 1, shapes
    openings = {asked(made[name]).split(" ")[0] for name in world.flagged}
    assert {asked(made[name]).split(" ")[0] for name in world.drawn} <= openings | {"More", "In"}


def test_neither_the_story_nor_the_picture_shows_a_sign_that_waits(world: World) -> None:
    for name in world.flagged:
        journey, _ = world.small.records.journey(world.small.pupils[name])
        then = Reader(world.pages, world.small, "tutor").get(f"/pupils/{world.small.pupils[name]}?day=2099-01-01")
        assert then.status_code == 200
        for text in (page(world, name), then.text):
            for raised in review.waiting(journey).values():
                assert str(raised.event_id) not in text and str(raised.flag_id) not in text
                assert raised.reason.rsplit(".", 2)[0] not in text


def test_the_programming_interface_lists_both_alike_and_tells_of_no_waiting_sign_anywhere(world: World) -> None:
    lines = {one["name"].split(" ")[0]: one for one in world.api("/pupils/lists/new").json()}
    assert set(lines) == set(world.both)
    for name, line in lines.items():
        assert set(line) == {"pupil_id", "name", "year_group", "sign_id", "said", "behind"}
        assert UUID(line["sign_id"]).version == 8 and UUID(line["sign_id"]) not in world.ids
        assert not [hint for hint in HINTS if hint.lower() in line["said"].lower()]
        assert line["sign_id"] == str(sign_id(page(world, name)))
    waiting = {
        str(key)
        for name in world.flagged
        for key in review.waiting(world.small.records.journey(world.small.pupils[name])[0])
    }
    told = [
        world.api(f"/pupils/{world.small.pupils[name]}{part}")
        for name in world.both
        for part in ("", "/timeline?limit=200")
    ]
    told += [world.api(f"/pupils/lists/{name}") for name in ("due", "better", "talks")] + [
        world.api("/pupils/by-need?limit=200")
    ]
    for answer in told:
        assert answer.status_code == 200
        assert not [key for key in waiting if key in answer.text], answer.url


def test_no_other_list_tells_them_apart(world: World) -> None:
    for path in ("/pupils/by-need?limit=200", "/pupils/lists/better"):
        answer = world.api(path).json()
        listed = {one["pupil_id"] for one in (answer["items"] if isinstance(answer, dict) else answer)}
        assert not listed & {str(world.small.pupils[name]) for name in world.both}, path
    text = Reader(world.pages, world.small, "tutor").get("/pupils").text
    better = text[text.index('id="better-h"') :]
    assert not [name for name in world.both if str(world.small.pupils[name]) in better]


def test_pages_and_answers_list_both_in_the_order_that_does_not_tell(world: World) -> None:
    ids = [world.small.pupils[name] for name in world.both]
    order = [str(ids[at]) for at in review.mixed(ids)]
    assert [one["pupil_id"] for one in world.api("/pupils/lists/new").json()] == order
    text = Reader(world.pages, world.small, "tutor").get("/pupils").text
    section = text[text.index('id="new-h"') : text.index('id="due-h"')]
    assert re.findall(r'class="name" href="/pupils/([0-9a-f-]+)"', section) == order


def test_a_drawn_pupil_is_not_told_by_getting_better_while_a_look_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [world.small.pupils[name] for name in world.drawn]
    monkeypatch.setattr(risk_register, "better", lambda cur, school, *_: risk_register.of(cur, school, ids))
    assert world.api("/pupils/lists/better").json() == []
    # nor while their turn on the list is yet to come: to come up there later, without a sitting, would tell
    for turns in (looking.DRAWN_MAX, 0):
        monkeypatch.setattr(looking, "DRAWN_MAX", turns)
        text = Reader(world.pages, world.small, "tutor").get("/pupils").text
        assert not [one for one in ids if str(one) in text[text.index('id="better-h"') :]]


def test_a_wish_to_talk_is_listed_without_the_sign_that_waits(world: World) -> None:
    names = (world.drawn[-1], world.flagged[-1])
    for name in names:
        world.small.records.ask_to_talk(
            world.small.ask(), world.small.pupils[name], talk_id=world.small.app.new_id(), with_role="tutor"
        )
    lines = {one["pupil_id"]: one for one in world.api("/pupils/lists/talks").json()}
    assert set(lines) == {str(world.small.pupils[name]) for name in names}
    for line in lines.values():
        assert line["unreviewed"] == 0
        assert not [one for one in line["flags"].values() if risk.makes_work(one["kind"])]


def test_what_is_known_without_the_schools_key_does_not_tell_whom_a_round_drew(world: World) -> None:
    """The old lot, SHA-256 of two ids that stand in every address, drew the same pupils for whoever asked."""
    import hashlib

    guessed = {"old": 0, "true": 0}
    for name in world.both:
        journey, _ = world.small.records.journey(world.small.pupils[name])
        round_id, pupil_id = journey.sittings[-1].round_id, world.small.pupils[name]
        assert round_id
        old = hashlib.sha256(b"astrack/review/v1\0" + round_id.bytes + pupil_id.bytes).digest()
        guessed["old"] += (int.from_bytes(old[:7]) / 2**56 < 0.5) == (name in world.drawn)
        sat = next(one for one in reversed(journey.events.values()) if getattr(one, "round_id", None) == round_id)
        guessed["true"] += (
            world.small.records.draw().takes(round_id, pupil_id, sat.recorded_at) or name in world.flagged
        )
    assert guessed["true"] == len(world.both) > guessed["old"]


def test_a_list_opens_nobodys_record_and_says_of_each_what_their_page_says(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {
        world.small.pupils[name]: (sign_id(text), asked(text)) for name in world.both for text in [page(world, name)]
    }
    records = type(world.small.records)
    monkeypatch.delattr(records, "journeys")
    monkeypatch.delattr(records, "journey")
    lines = world.api("/pupils/lists/new").json()
    assert {UUID(one["pupil_id"]): UUID(one["sign_id"]) for one in lines} == {key: of for key, (of, _) in pages.items()}
    for one in lines:
        _, said = pages[UUID(one["pupil_id"])]
        assert words_of(one["said"]) <= words_of(said), (one["said"], said)


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower()))


def test_the_rows_of_sittings_say_what_the_record_says(world: World) -> None:
    ids = list(world.small.pupils.values())
    views = world.small.app.views
    views.catch_up(world.small.school_id)
    with views.reading(world.small.school_id) as cur:
        rows = cohort.sittings(cur, world.small.school_id, ids)
    told = {key: journey.sittings for key, (journey, _) in world.small.records.journeys(ids).items()}
    plain = {"quality": (), "instrument": None}  # rows are of what the model reads, and of that alone
    assert rows == {key: [replace(sat, **plain) for sat in sats] for key, sats in told.items() if sats}
    assert len(rows) > 10


def test_a_review_is_sent_and_answered_alike_and_then_the_story_tells_what_it_was(world: World) -> None:
    tutor, answers = Reader(world.pages, world.small, "tutor"), []
    for name, kind in ((world.drawn[0], PupilLookedAt), (world.flagged[0], FlagReviewed)):
        before = tutor.get(f"/pupils/{world.small.pupils[name]}")
        action = re.findall(r'action="(/pupils/[^"]+/flags/[^"]+)"', before.text)[0]
        done = tutor.send(before, action, judgement="not_what_we_see")
        assert "Your review is on record" in done.text and action not in done.text
        _, facts = world.small.records.journey(world.small.pupils[name])
        assert isinstance(facts[-1].event, kind)
        answers.append(done.status_code)
    assert answers == [200, 200]
    assert "Early sign" in page(world, world.flagged[0])
    (looked,) = [fact.event for fact in world.small.records.journey(world.small.pupils[world.drawn[0]])[1]
                 if isinstance(fact.event, PupilLookedAt)]  # fmt: skip
    assert (looked.concern, looked.chance) == (False, 0.5)


def test_reviews_by_the_programming_interface_are_answered_alike(world: World) -> None:
    tutor = Reader(world.pages, world.small, "tutor")
    shapes = []
    for name in (world.drawn[1], world.flagged[1]):
        (line,) = [one for one in tutor.get("/api/v1/pupils/lists/new").json() if one["name"].startswith(name)]
        done = tutor.client.post(
            f"/api/v1/pupils/{line['pupil_id']}/flags/{line['sign_id']}/review", json={"judgement": "new_to_us"},
            headers={"Idempotency-Key": f"review-{name}", "Origin": "https://astrack.test"},
        )  # fmt: skip
        assert done.status_code == 200, done.text
        shapes.append((sorted(done.json()), len(done.json()["events"]), json.dumps(done.json()).count("-")))
    assert shapes[0] == shapes[1]


def test_a_sign_staff_agreed_with_stays_on_the_page_with_how_sure_until_a_plan_answers_it(world: World) -> None:
    text = page(world, world.flagged[1])
    agreed = re.findall(r'<div class="flag-box" id="f-([^"]+)">\s*<p>([^<]*)</p>', text)
    assert any("in 10)" in said and UUID(key) in world.ids for key, said in agreed)
