from __future__ import annotations

import pytest

from domain.pupil_number import (
    ALPHABET,
    CheckLetterWrong,
    PupilNumber,
    PupilNumberMalformed,
    check_letter,
)

VALID = ["B801200005001", "X823432109876", "G204000011001", "P207000016049", "M80120000500A", "H90912300200Z"]


@pytest.mark.parametrize("text", VALID)
def test_a_valid_upn_is_read(text: str) -> None:
    assert str(PupilNumber.parse(text)) == text


@pytest.mark.parametrize("text", ["A801200005001", "B207000016049"])
def test_a_wrong_check_letter_is_named(text: str) -> None:
    with pytest.raises(CheckLetterWrong):
        PupilNumber.parse(text)


@pytest.mark.parametrize(
    "text", ["", "B80120000500", "B8012000050011", "I801200005001", "B8012000O5001", "B80120000500I", "Bٱ01200005001"]
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(PupilNumberMalformed):
        PupilNumber.parse(text)


def test_digits_of_another_script_are_not_digits() -> None:
    with pytest.raises(PupilNumberMalformed):
        PupilNumber.parse("B80120000500١")


@pytest.mark.parametrize("text", ["M80120000500A", "H90912300200Z"])
def test_a_last_letter_makes_it_temporary(text: str) -> None:
    assert PupilNumber.parse(text).temporary


def test_a_last_digit_makes_it_permanent() -> None:
    assert not PupilNumber.parse("B801200005001").temporary


def test_spaces_and_small_letters_are_forgiven() -> None:
    assert PupilNumber.parse(" b801200005001\n").text == "B801200005001"


@pytest.mark.parametrize("text", ["A801200005001", "B80120000500"])
def test_a_refusal_never_repeats_the_number(text: str) -> None:
    with pytest.raises((CheckLetterWrong, PupilNumberMalformed)) as refused:
        PupilNumber.parse(text)
    assert text not in str(refused.value)


@pytest.mark.parametrize("text", VALID)
def test_every_single_wrong_digit_of_a_permanent_number_is_noticed(text: str) -> None:
    for place in range(1, 12):
        for digit in "0123456789":
            if digit == text[place]:
                continue
            with pytest.raises(CheckLetterWrong):
                PupilNumber.parse(text[:place] + digit + text[place + 1 :])


def test_exactly_one_check_letter_fits() -> None:
    assert [letter for letter in ALPHABET if letter == check_letter("801200005001")] == ["B"]
