"""The guidance library: every kind of sign finds enough, nothing is said twice, and a faulty library is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import resources
from itertools import product

import pytest

from domain import guidance as g
from domain import instrument, risk
from domain.guidance import aims
from domain.risk import words

FILES = {about: (resources.files("domain") / "guidance" / f"{about}.toml").read_bytes() for about in g.ABOUT}
ENDS = list(product(g.FACTORS, g.POLES))
COMPOSITES = [f"composite_{one.name}" for one in instrument.newest().composites]
Subject = tuple[str, str | None, str | None, str | None]
SUBJECTS: dict[str, list[Subject]] = {
    "polar": [("polar", factor, context, pole) for (factor, pole), context in product(ENDS, g.CONTEXTS)],
    "worsening": [("worsening", factor, context, pole) for (factor, pole), context in product(ENDS, g.CONTEXTS)],
    "both_contexts": [("both_contexts", factor, None, pole) for factor, pole in ENDS],
    "context_gap": [("context_gap", factor, None, pole) for factor, pole in ENDS],
    "priority": [("priority", None, None, None)],
    "unsettled": [("unsettled", None, None, None)],
    "flat": [("flat", None, None, None)],
    "response_quality": [("response_quality", None, None, None)],
    **{one: [(one, None, context, None) for context in g.CONTEXTS] for one in COMPOSITES},
}
"""What a sign of each kind can be about: (kind, factor, context, pole)."""
PRIORITIES = [words.priority([one, two], 0.8, None) for one, two in product(ENDS, ENDS) if one[0] != two[0]]
BANNED = ("self-harm", "abnormal", "disorder", "at risk of", "score", "naughty", "diagnos")


def places_of(subject: Subject, reason: str = "") -> tuple[g.Place, ...]:
    """Where a sign finds guidance; one about a sitting is no plan's, and has its own place."""
    aim = aims.of_sign(*subject, reason)
    return aim.places if aim else (g.Place(subject[0]),)


def named(kind: str) -> list[tuple[g.Place, ...]]:
    """The places of every sign of a kind there can be."""
    reasons = PRIORITIES if kind == "priority" else [""]
    return [places_of(subject, reason) for subject, reason in product(SUBJECTS[kind], reasons)]


def thin(library: g.Guidance, kind: str) -> list[tuple[tuple[g.Place, ...], str, str]]:
    """The signs of a kind, by age band and step, for which any place they name has fewer than three entries."""
    return [
        (places, age, step)
        for places, age in product(named(kind), g.AGES)
        for step in ("causes", "risks", "signposts")
        if min(len(getattr(library.suggest(*place, age), step)) for place in places) < 3
    ]


def test_the_kinds_of_signs_are_those_of_the_model_and_the_instrument() -> None:
    assert set(SUBJECTS) == {*risk.KINDS, *COMPOSITES}


@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_sign_finds_three_causes_risks_and_signposts_at_every_age(kind: str) -> None:
    assert thin(g.load(), kind) == []


@pytest.mark.parametrize("kind", SUBJECTS)
def test_without_one_entry_its_kind_of_sign_is_found_thin(kind: str) -> None:
    place = named(kind)[0][0]
    part = g.load().parts[place.about]
    end = part.ends()[place.pole]
    fewer = part.model_copy(update={place.pole or "whole": end.model_copy(update={"signpost": end.signpost[1:]})})
    library = g.Guidance({**g.load().parts, place.about: fewer}, "", {})
    assert thin(library, kind)


@pytest.mark.parametrize("kind", SUBJECTS)
def test_a_sign_that_makes_work_can_be_what_a_plan_is_about(kind: str) -> None:
    reasons = PRIORITIES if kind == "priority" else [""]
    found = [aims.of_sign(*subject, reason) for subject, reason in product(SUBJECTS[kind], reasons)]
    assert all(found) == (kind != "response_quality")
    assert all(aims.of_code(one.code) == one for one in found if one)


def test_a_priority_finds_the_places_of_both_ends_it_names() -> None:
    reason = words.priority([("trust_of_self", "high"), ("self_disclosure", "low")], 0.8, None)
    aim = aims.of_sign("priority", None, None, None, reason)
    assert aim is not None
    assert {at[:2] for at in aim.places} == {("trust_of_self", "high"), ("self_disclosure", "low")}
    assert {at.context for at in aim.places} == {"general", "school"}
    assert (aim.factor, aim.pole, aim.context) == (None, None, None)


def test_what_a_priority_says_is_read_back() -> None:
    for one, two in product(ENDS, ENDS):
        assert words.ends(words.priority([one, two], 0.8, None)) == list(dict.fromkeys([one, two]))


def test_a_composite_of_another_instrument_is_nothing_a_plan_can_be_about() -> None:
    assert aims.of_sign("composite_elsewhere", None, "school", None) is None


def test_no_text_stands_in_more_than_two_places_and_every_entry_has_a_grade() -> None:
    places: dict[str, set[tuple[g.Place, str]]] = {}
    for place, age in product(g.PLACES, g.AGES):
        found = g.load().suggest(*place, age)
        for one in (*found.causes, *found.risks, *found.signposts):
            assert {"evidence"} <= one.model_fields_set
            for text in g.texts(one):
                places.setdefault(text.casefold(), set()).add((place, age))
    assert max(len(some) for some in places.values()) == 2
    assert len(places) == sum(len(g.texts(one)) for one in g.load().by_id.values())


def test_a_library_is_named_by_the_digest_of_its_bytes() -> None:
    changed = {**FILES, "flat": FILES["flat"] + b"# one more line\n"}
    assert g.parse(FILES).digest == g.load().digest
    assert g.parse(changed).digest != g.load().digest


def test_the_two_ends_of_a_factor_share_no_suggestion() -> None:
    for factor, context in product(g.FACTORS, ("general", "school")):
        low, high = (g.load().suggest(factor, pole, context, "11-14") for pole in ("low", "high"))
        assert not {one.say for one in low.signposts} & {one.say for one in high.signposts}


def test_no_wording_alarms_or_labels_a_child() -> None:
    said = [text.lower() for one in g.load().by_id.values() for text in g.texts(one)]
    assert not [(word, say) for word in BANNED for say in said if word in say]


def test_what_the_library_says_of_its_review_is_that_nobody_outside_has_read_it() -> None:
    assert {part.review for part in g.load().parts.values()} == {"makers"}


Files = dict[str, bytes]


def changed(about: str, old: str, new: str) -> Callable[[Files], Files]:
    """The library with one thing written otherwise, which must be there."""
    assert old.encode() in FILES[about]
    return lambda files: files | {about: files[about].replace(old.encode(), new.encode())}


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda files: files | {"trust_of_self": files["trust_of_others"]}, "says it is about"),
        (lambda files: {key: files[key] for key in list(files)[1:]}, "is missing"),
        (lambda files: {key: files[key] for key in files if key != "composite_full_sail"}, "full_sail is missing"),
        (lambda files: files | {"trust_of_self": b"factor = "}, "cannot be read"),
        (changed("trust_of_self", "ts.low.leans", "ts.low.gives-up"), "used twice"),
        (changed("trust_of_self", 'contexts = ["general"]', 'contexts = ["home"]'), "cannot be read"),
        (changed("flat", 'review = "makers"', 'review = "everybody"'), "cannot be read"),
        (changed("flat", "[whole", "[low"), "other ends"),
        (changed("flat", "[[whole.signpost]]\nid", "[[whole.signpost]]\nwhy"), "cannot be read"),
        (changed("seeking_change", '"sc.low.likes-order", ages = ["8-11"]', '"sc.low.likes-order", ages = ["14-18"]'), "fewer than 3"),
        (changed("composite_full_sail", '"fs.free-rein", contexts = ["general"], ages = ["8-11", "11-14"]', '"fs.free-rein", contexts = ["general"], ages = ["11-14"]'), "full_sail, general, 8-11 has fewer than 3"),
        (changed("seeking_change", '"sc.low.likes-order", ages = ["8-11"]', '"sc.low.likes-order"'), "more than 2 places"),
        (changed("flat", '"fl.careful-child", ages = ["8-11"]', '"fl.careful-child"'), "more than 2 places"),
        (changed("flat", "A careful child answers as a good child would.", "For a while life has been on hold: waiting for a place, a result, a return."), "says the same"),
    ],
)  # fmt: skip
def test_a_faulty_library_is_refused_with_the_place_and_the_remedy(
    break_it: Callable[[Files], Files], says: str
) -> None:
    with pytest.raises(g.GuidanceWrong, match=says):
        g.parse(break_it(FILES))


@pytest.mark.parametrize(
    ("months", "band"), [(90, "8-11"), (131, "8-11"), (132, "11-14"), (167, "11-14"), (168, "14-18"), (230, "14-18")]
)
def test_age_bands_change_at_11_and_14(months: int, band: str) -> None:
    assert g.age_band(months) == band


@pytest.mark.parametrize("place", [("self_disclosure", "middle", "school"), ("flat", "low", None), ("gap", None, None)])
def test_guidance_for_an_unknown_place_is_refused(place: tuple[str, str | None, str | None]) -> None:
    with pytest.raises(g.GuidanceWrong, match=re.escape("choose from the list")):
        g.load().suggest(*place, "8-11")


def test_every_place_has_its_own_code() -> None:
    assert len({one.code for one in g.PLACES}) == len(g.PLACES) == 33
    assert [g.place(one.code) for one in g.PLACES] == list(g.PLACES)
