"""The pseudonymous export of a prospective study, from a school's record, under the study's own key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from astrack.records import Records
from domain import study


def export(records: Records, key: bytes, pupils: Iterable[UUID], moved: Callable[[int], None]) -> str:
    """The table of these pupils as CSV. ``key``: the study's, at least 32 bytes; who holds it can find a pupil again.

    Raises ValueError for a short key. An opt-out is honoured: such a pupil is left out.
    """
    rows: list[study.Row] = []
    for pupil_id in pupils:
        journey, facts = records.journey(pupil_id)
        if not journey.opted_out:
            rows += study.rows(key, pupil_id, (fact.event for fact in facts))
        moved(1)
    return study.table(rows)
