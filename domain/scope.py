"""Which pupils somebody may see: OR inside one dimension, AND across dimensions; nothing until something is granted."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from domain.base import Value
from domain.journey.facts import Group


class Scope(Value):
    """A filter over pupils. ``everyone`` sees the whole school; otherwise every dimension named must match.

    ``dimensions`` maps a dimension ("year", "tutor group", "house", any imported field) to the names allowed in it;
    the year group counts as the dimension "year" with its number as text. An empty scope covers nobody.
    ``usable_only``: a list leaves out records that are restricted; it belongs to one question and is never stored.
    """

    everyone: bool = False
    dimensions: dict[str, frozenset[str]] = Field(default_factory=dict)
    usable_only: bool = Field(default=False, exclude=True)

    def covers(self, year_group: int | None, groups: Iterable[Group]) -> bool:
        """Whether a pupil in this year group and these groups is in the scope."""
        if self.everyone:
            return True
        have = {(group.dimension, group.name) for group in groups} | {("year", str(year_group))}
        return bool(self.dimensions) and all(
            any((dimension, name) in have for name in names) for dimension, names in self.dimensions.items()
        )
