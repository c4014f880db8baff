"""The UPN (unique pupil number): its form, its check letter, and what it may not be used for.

It is optional (independent schools need none) and never an id, a part of a URL, a log field or a sign-in name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from domain.base import DomainError

ALPHABET = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""The 23 letters a UPN uses; a letter's value is its place here, counted from 0."""
FORM = re.compile(rf"[{ALPHABET}][0-9]{{11}}[0-9{ALPHABET}]", re.ASCII)
BODY = re.compile(rf"[0-9]{{11}}[0-9{ALPHABET}]", re.ASCII)


class BadPupilNumber(DomainError):
    """Text that should be a UPN is not one. The message never repeats the number."""


class PupilNumberMalformed(BadPupilNumber):
    """A UPN is a letter, eleven digits, and a digit (or a letter while it is temporary)."""


class CheckLetterWrong(BadPupilNumber):
    """The first letter of the UPN does not fit the rest: something was mistyped."""


def check_letter(rest: str) -> str:
    """The letter that belongs before the 12 characters ``rest``. Raises PupilNumberMalformed.

    Source: DfE, Unique Pupil Numbers guidance: the sum of value x position over positions 2 to 13, modulo 23.
    """
    if not BODY.fullmatch(rest):
        raise PupilNumberMalformed("a UPN has eleven digits and a digit or letter after its first letter: check it")
    values = (int(sign) if sign.isdigit() else ALPHABET.index(sign) for sign in rest)
    return ALPHABET[sum(value * position for position, value in enumerate(values, 2)) % 23]


@dataclass(frozen=True, slots=True)
class PupilNumber:
    """A UPN whose form and check letter are right."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The UPN in a text; spaces around it and small letters are forgiven.

        Raises PupilNumberMalformed, CheckLetterWrong.
        """
        tidy = text.strip().upper()
        if not FORM.fullmatch(tidy):
            raise PupilNumberMalformed(
                "the UPN is not a letter, eleven digits and a digit or letter: check it with the school that gave it"
            )
        if check_letter(tidy[1:]) != tidy[0]:
            raise CheckLetterWrong(
                "the check letter of the UPN does not fit its digits: check it with the school that gave it"
            )
        return cls(tidy)

    @property
    def temporary(self) -> bool:
        """Whether it ends in a letter: to be replaced once the pupil's own number is known."""
        return self.text[-1].isalpha()

    def __str__(self) -> str:
        return self.text
