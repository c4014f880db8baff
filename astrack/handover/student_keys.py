"""The keys of a student's own copy, and the sheet of paper that opens it when everything else is lost."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from transfer import package
from transfer.age import Identity, Recipient, write_agekey
from transfer.errors import BadKey

GROUP = 8


@dataclass(frozen=True, slots=True)
class Keys:
    """Two recipients, with the identities of those that were made here."""

    recipients: tuple[Recipient, Recipient]
    student: Identity | None
    recovery: Identity | None

    @property
    def student_file(self) -> str | None:
        """The student's key file, when the key was made here."""
        return write_agekey(self.student) if self.student else None


def keys(student: str | None, recovery: str | None) -> Keys:
    """The student's key and the recovery key: recipients as given, or made here. Raises BadKey."""
    mine = None if student else Identity(os.urandom(32))
    paper = None if recovery else Identity(os.urandom(32))
    pair = (
        mine.recipient if mine else Recipient.parse(student or ""),
        paper.recipient if paper else Recipient.parse(recovery or ""),
    )
    if pair[0] == pair[1]:
        raise BadKey("the student's key and the recovery key are the same", "recovery key", "Give two different keys.")
    return Keys(pair, mine, paper)


def sheet(name: str, transfer_id: UUID, pair: Keys, at: datetime) -> str | None:
    """The recovery sheet, to be printed and kept on paper; None when the recovery key was made elsewhere."""
    if pair.recovery is None:
        return None
    text = pair.recovery.text
    grouped = " ".join(text[start : start + GROUP] for start in range(0, len(text), GROUP))
    return f"""RECOVERY SHEET                                              {at:%d %B %Y}

{name}
This sheet opens the file {transfer_id}{package.SUFFIX}.
Keep it on paper, apart from the file. Whoever has both can read your record.

Recovery key (write it without the spaces, on one line, into a file named recovery.agekey):

{grouped}

Then:   age --decrypt -i recovery.agekey -o record.tar {transfer_id}{package.SUFFIX}

A lost key can be made good only while a school still holds the record: ask the last one.
"""
