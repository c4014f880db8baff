"""What the journey picture shows, and what it keeps to itself."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date

import pytest

from astrack import picture as p
from astrack.picture.svg import svg

START = date(2017, 9, 1)
ROUNDS = (date(2017, 10, 9), date(2018, 2, 6), date(2018, 6, 12), date(2020, 10, 9))


def line(factor: str, context: p.Context, levels: tuple[float, ...] = (3.5, 3.2, 2.4, 1.8)) -> p.Line:
    dots = tuple(
        p.Dot(on, level, usable=index != 1) for index, (on, level) in enumerate(zip(ROUNDS, levels, strict=True))
    )
    return p.Line(factor, context, ROUNDS, levels, (0.6, 0.4, 0.35, 0.3), dots)


DATA = p.PictureData(
    starts_on=START,
    today=date(2020, 11, 1),
    lines=tuple(line(factor, context) for factor in p.FACTORS for context in p.CONTEXTS),
    schools=(
        p.SchoolBand('Ash & "Combe" <Primary>', START, date(2020, 7, 20)),
        p.SchoolBand("A Very Long Name for One Secondary School in a Town", date(2020, 9, 3)),
    ),
    hand_overs=(p.HandOver(date(2020, 8, 28), "Sealed file received", "/transfers/1"),),
    flags=(
        p.FlagMark(date(2020, 10, 9), "Keeps almost everything private.", "self_disclosure", "school", None, "/f/1"),
        p.FlagMark(date(2020, 10, 9), "Two factors near an end.", None, None, "new_to_us", "/f/2"),
    ),
    plans=(p.PlanSpan(date(2018, 3, 1), date(2018, 5, 1), "Shares a worry", "self_disclosure", "helped"),),
)


@pytest.mark.parametrize("narrow", [False, True])
def test_a_picture_is_well_formed_whatever_the_names_in_it_are(narrow: bool) -> None:
    root = ET.fromstring(svg(DATA, narrow=narrow))
    words = "".join(root.itertext())
    assert 'Ash & "Combe" <Primary>' in words
    assert "NaN" not in svg(DATA, narrow=narrow)


def test_the_span_is_always_the_whole_of_ages_8_to_18() -> None:
    empty = svg(replace(DATA, lines=(), flags=(), plans=(), schools=(), hand_overs=()))
    assert all(f">Y{year}<" in empty for year in range(4, 14))
    assert ">age 8<" in empty
    assert ">18<" in empty


def test_guided_pictures_have_no_flags() -> None:
    guided = replace(DATA, guided=True)
    assert "Early sign," not in svg(guided)
    assert "/f/1" not in svg(guided)
    assert not [row for row in p.table(guided) if row.what == "Early sign"]


def test_a_flag_is_hollow_until_a_person_reviewed_it() -> None:
    drawn = svg(DATA)
    assert drawn.count("flag flag-hollow") == 1
    assert drawn.count("flag flag-seen") == 1


def test_bands_narrow_as_rounds_come_in() -> None:
    drawn = svg(replace(DATA, lines=(line("self_disclosure", "general"),)))
    found = re.search(r'class="band band-general" points="([^"]+)"', drawn)
    assert found
    points = [tuple(map(float, pair.split(","))) for pair in found[1].split()]
    half = len(points) // 2
    widths = [low[1] - high[1] for high, low in zip(points[:half], reversed(points[half:]), strict=True)]
    assert widths[0] > widths[1] > 0


def test_marks_lie_inside_the_picture_even_for_odd_dates_and_levels() -> None:
    odd = p.Line("trust_of_self", "general", (date(1990, 1, 1), date(2050, 1, 1)), (-9.0, 99.0), (50.0, 50.0))
    drawn = ET.fromstring(svg(replace(DATA, lines=(odd,))))
    box = [float(part) for part in drawn.attrib["viewBox"].split()]
    for shape in drawn.iter("{http://www.w3.org/2000/svg}polygon"):
        for pair in shape.attrib["points"].split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= box[2]
            assert 0 <= y <= box[3]


def test_the_table_has_nothing_after_the_day_it_is_seen_from() -> None:
    then = replace(DATA, as_known_on=date(2018, 3, 12))
    rows = p.table(then)
    assert rows
    assert all(row.on <= date(2018, 3, 12) for row in rows)
    assert "as known on 12 March 2018" in svg(then)


def test_a_sitting_that_could_not_be_read_is_marked_and_not_hidden() -> None:
    assert 'class="unread"' in svg(DATA)
    assert any("this sitting could not be read well" in row.said for row in p.table(DATA))


def test_no_style_attribute_is_used_so_that_a_strict_policy_holds() -> None:
    assert "style=" not in svg(DATA)
    assert "<style" not in svg(DATA)
    assert "<style>" in svg(DATA, style=".journey{}")


def test_two_pictures_on_one_page_share_no_id() -> None:
    ids = re.findall(r' id="([^"]+)"', svg(DATA) + svg(DATA, narrow=True))
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.31, "we are not sure yet (3 in 10)"), (0.8, "fairly sure (8 in 10)"), (1.0, "quite sure (9 in 10)")],
)
def test_how_sure_is_said_in_words_and_tenths(probability: float, words: str) -> None:
    assert p.sure_words(probability) == words


@pytest.mark.parametrize(
    ("year", "on", "start"),
    [
        (4, date(2026, 9, 1), date(2026, 9, 1)),
        (7, date(2026, 8, 31), date(2022, 9, 1)),
        (13, date(2027, 3, 1), date(2017, 9, 1)),
    ],
)
def test_year_4_begins_on_1_september(year: int, on: date, start: date) -> None:
    assert p.starts_on(year, on) == start
