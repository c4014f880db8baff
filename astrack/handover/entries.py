"""Every entry of a unit of evidence, put together from the story and from what rides along unopened."""

from __future__ import annotations

from transfer.evidence import Unit
from transfer.story import Threads


def entries_of(unit: Unit, threads: Threads) -> tuple[bytes, ...]:
    """Every entry of a unit in order: those of the story, and the others in the gaps."""
    found = threads.found.get((unit.origin, unit.stream), {})
    others = iter(unit.others)
    return tuple(found[index] if index in found else next(others).entry for index in unit.indexes)
