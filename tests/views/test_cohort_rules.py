"""Small groups stay hidden, and nothing that is shown tells what is hidden."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.small import SMALLEST, hidden
from projections.cohort import Newest, summarised
from projections.shape import memberships, tag, untag


def newest(sizes: dict[str, int], value: float = 3.0) -> Newest:
    tags = [[tag("house", name)] for name, size in sizes.items() for _ in range(size)]
    values = np.full((len(tags), 8), value)
    return Newest(tags, values, values - 0.5, np.zeros(len(tags), bool))


def shown(sizes: dict[str, int]) -> dict[str, int | None]:
    return {cell.name: cell.pupils for cell in summarised(newest(sizes), "house")}


def test_a_group_of_ten_is_shown_and_one_of_nine_is_not() -> None:
    assert shown({"Red": 10, "Blue": 12}) == {"all": 22, "Red": 10, "Blue": 12}
    assert shown({"Red": 9, "Blue": 9, "Gold": 12}) == {"all": 30, "Red": None, "Blue": None, "Gold": 12}


def test_one_small_group_takes_the_next_smallest_with_it() -> None:
    assert shown({"Red": 9, "Blue": 30, "Gold": 12}) == {"all": 51, "Red": None, "Gold": None, "Blue": 30}


def test_a_school_under_ten_shows_nothing_at_all() -> None:
    assert set(shown({"Red": 5, "Blue": 4}).values()) == {None}


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 40), min_size=1, max_size=8), st.integers(0, 12))
def test_what_is_hidden_cannot_be_worked_out_from_the_whole(counts: dict[str, int], ungrouped: int) -> None:
    total = sum(counts.values()) + ungrouped
    gone = hidden({name: [size] for name, size in counts.items()}, [ungrouped])
    assert {name for name, size in counts.items() if size < SMALLEST} <= gone
    left = total - sum(size for name, size in counts.items() if name not in gone)
    assert left == 0 or left >= SMALLEST or gone == set(counts)
    assert len(gone) != 1 or ungrouped or gone == set(counts)


def test_a_part_hidden_for_one_arm_cannot_be_worked_out_in_the_other() -> None:
    assert hidden({"Red": (0, 7), "Blue": (30, 12), "Gold": (40, 40)}) == {"Red", "Blue"}
    assert hidden({"Red": (12, 9), "Blue": (30, 30)}) == {"Red", "Blue"}


def test_a_missing_value_is_left_out_of_its_own_mean_alone() -> None:
    data = newest({"Red": 12})
    data.newest[:6, 2] = np.nan
    (whole, _) = summarised(data, "house")
    assert whole.mean is not None and whole.mean[2] is None and whole.mean[0] == pytest.approx(3.0)


def test_a_change_is_the_mean_of_those_who_sat_twice() -> None:
    data = newest({"Red": 20})
    data.before[:10] = np.nan
    (whole, _) = summarised(data, "house")
    assert whole.moved_pupils == 10 and whole.moved is not None and whole.moved[0] == pytest.approx(0.5)


@given(st.text(), st.text())
def test_no_two_memberships_read_alike(dimension: str, name: str) -> None:
    assert untag(tag(dimension, name)) == (dimension, name)


def test_the_year_group_is_a_membership() -> None:
    assert memberships(7, ()) == ["year=7"] and memberships(None, ()) == ["year=None"]
