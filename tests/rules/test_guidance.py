"""The guidance library: complete, honest about what it rests on, and refused where it is not."""

from __future__ import annotations

from importlib import resources
from itertools import product

import pytest

from domain import guidance as g

FILES = {factor: (resources.files("domain") / "guidance" / f"{factor}.toml").read_bytes() for factor in g.FACTORS}
CELLS = list(product(g.FACTORS, ("low", "high"), ("general", "school"), ("8-11", "11-14", "14-18")))
BANNED = ("self-harm", "abnormal", "disorder", "at risk of", "score", "naughty", "diagnos")


@pytest.mark.parametrize("cell", CELLS, ids="-".join)
def test_every_cell_has_at_least_three_of_each_step(cell: tuple[str, str, str, str]) -> None:
    found = g.load().suggest(*cell)
    assert min(len(found.causes), len(found.risks), len(found.signposts)) >= 3


def test_the_cells_are_those_of_the_instrument_and_none_is_served_by_everything() -> None:
    assert set(g.FACTORS) == {"self_disclosure", "trust_of_self", "trust_of_others", "seeking_change"}
    assert len(set(CELLS)) == 48
    served: dict[str, int] = {}
    for cell in CELLS:
        found = g.load().suggest(*cell)
        for one in (*found.causes, *found.risks, *found.signposts):
            served[one.id] = served.get(one.id, 0) + 1
            assert one.evidence in ("related", "practice")
    assert served.keys() == g.load().by_id.keys()
    assert max(served.values()) <= 2


def test_a_library_is_named_by_the_digest_of_its_bytes() -> None:
    changed = {**FILES, "trust_of_self": FILES["trust_of_self"] + b"# one more line\n"}
    assert g.parse(FILES).digest == g.load().digest
    assert g.parse(changed).digest != g.load().digest


def test_the_two_ends_of_a_factor_share_no_suggestion() -> None:
    for factor, context in product(g.FACTORS, ("general", "school")):
        low, high = (g.load().suggest(factor, pole, context, "11-14") for pole in ("low", "high"))
        assert not {one.say for one in low.signposts} & {one.say for one in high.signposts}


def test_no_wording_alarms_or_labels_a_child() -> None:
    words = [one.say.lower() for one in g.load().by_id.values()]
    assert not [(word, say) for word in BANNED for say in words if word in say]


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda files: files | {"trust_of_self": files["trust_of_others"]}, "says it is about"),
        (lambda files: {key: files[key] for key in list(files)[1:]}, "is missing"),
        (lambda files: files | {"trust_of_self": b"factor = "}, "cannot be read"),
        (lambda files: files | {"trust_of_self": files["trust_of_self"].replace(b"ts.low.leans", b"ts.low.gives-up")}, "used twice"),
        (lambda files: files | {"trust_of_self": files["trust_of_self"].replace(b'contexts = ["general"]', b'contexts = ["home"]')}, "cannot be read"),
        (lambda files: files | {"trust_of_self": b"\n".join(files["trust_of_self"].split(b"\n")[:12] + files["trust_of_self"].split(b"\n")[16:])}, "cannot be read|fewer than"),
    ],
)  # fmt: skip
def test_a_faulty_library_is_refused_with_the_place_and_the_remedy(break_it, says: str) -> None:
    with pytest.raises(g.GuidanceWrong, match=says):
        g.parse(break_it(FILES))


def test_a_thin_cell_is_refused() -> None:
    thin = FILES["seeking_change"].replace(
        b'"sc.low.likes-order", ages = ["8-11"]', b'"sc.low.likes-order", ages = ["14-18"]'
    )
    with pytest.raises(g.GuidanceWrong, match="fewer than 3"):
        g.parse(FILES | {"seeking_change": thin})


def test_an_entry_for_everywhere_is_refused() -> None:
    wide = FILES["seeking_change"].replace(b'"sc.low.likes-order", ages = ["8-11"]', b'"sc.low.likes-order"')
    with pytest.raises(g.GuidanceWrong, match="more than 2 places"):
        g.parse(FILES | {"seeking_change": wide})


@pytest.mark.parametrize(
    ("months", "band"), [(90, "8-11"), (131, "8-11"), (132, "11-14"), (167, "11-14"), (168, "14-18"), (230, "14-18")]
)
def test_age_bands_change_at_11_and_14(months: int, band: str) -> None:
    assert g.age_band(months) == band


def test_guidance_for_an_unknown_place_is_refused() -> None:
    with pytest.raises(g.GuidanceWrong):
        g.load().suggest("self_disclosure", "middle", "school", "8-11")
