"""Which parts of a whole must stay hidden, so that nobody in a small one can be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SMALLEST = 10
"""Fewer pupils than this are never shown (shared field, section 2: small cells suppressed)."""


def hidden(parts: Mapping[str, Sequence[int]], rest: Sequence[int] = ()) -> set[str]:
    """The parts (each with its pupils, arm by arm) that must not be shown: those under 10 in an arm, then the smallest
    of the others, until what is hidden of each arm is nobody, or 10 pupils or more: else the whole would tell it.

    ``rest``: pupils who are in no part, arm by arm (nobody, or the lines of ``parts``): the whole tells them alike.
    """
    order = sorted(parts, key=lambda name: (min(parts[name]), name))
    gone = [name for name in order if min(parts[name]) < SMALLEST]
    left = order[len(gone) :]
    while left and any(0 < sum(arm) < SMALLEST for arm in _arms([parts[name] for name in gone], rest)):
        gone.append(left.pop(0))
    return set(gone)


def _arms(gone: Sequence[Sequence[int]], rest: Sequence[int]) -> zip[tuple[int, ...]]:
    others = [[max(0, one) for one in rest]] if rest else []
    return zip(*gone, *others, strict=True)
