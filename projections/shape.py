"""The one shape of every read model: a table, the facts it takes, and the fold or list that makes its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from uuid import UUID

from domain.base import Event, Fact
from domain.journey.decisions import CORRECTABLE
from domain.scope import Scope

Key = tuple[Any, ...]
Row = tuple[Any, ...]
MAX_LINES = 5_000


@dataclass(frozen=True, slots=True)
class Projection:
    """A read model as the engine sees it.

    ``columns`` follow school_id in the table, the ``key`` columns among them are unique in a school. A fold has
    ``evolve`` and ``key_of``; a list has ``rows``. ``schema``: CREATE TABLE first, then keys and indexes; {table} is
    the table's name. ``refolds`` says that corrections reach it: the rows of a pupil with a correction are made anew
    from all the pupil's facts, so ``evolve`` need not know corrections, and such rows rest on that pupil's facts alone.
    ``reads``: the only fields looked at, where a class of facts is long; a rebuild then reads no others.
    """

    name: str
    version: int
    schema: tuple[str, ...]
    takes: frozenset[type[Event]]
    columns: tuple[str, ...]
    key: tuple[str, ...]
    row: Callable[..., Row]
    key_of: Callable[[Fact], Key | None] | None
    evolve: Callable[[Any, Fact], Row] | None
    rows: Callable[[Fact], Sequence[Row]] | None
    suffix: str = ""
    reads: Mapping[type[Event], frozenset[str]] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """Where its rows are, named with its version: another version lies beside it; ``suffix`` while it is made."""
        return f"views.{self.name}_v{self.version}{self.suffix}"

    @property
    def refolds(self) -> bool:
        """Whether a correction of an earlier fact may change its rows."""
        return bool(self.takes & CORRECTABLE.keys())


def projection(module: ModuleType | Any) -> Projection:
    """The read model of a module with NAME, VERSION, SCHEMA, KEY, TAKES, Row, key + evolve or rows, perhaps READS."""
    return Projection(
        name=module.NAME,
        version=module.VERSION,
        schema=module.SCHEMA,
        takes=frozenset(module.TAKES),
        columns=module.Row._fields,
        key=module.KEY,
        row=module.Row,
        key_of=getattr(module, "key", None),
        evolve=getattr(module, "evolve", None),
        rows=getattr(module, "rows", None),
        reads=getattr(module, "READS", {}),
    )


def reads_of(projections: Sequence[Projection]) -> Mapping[type[Event], frozenset[str]]:
    """The fields to be read of each class of facts that has long ones; classes of which one wants all are left out."""
    named = {cls for one in projections for cls in one.reads}
    takers = {cls: [one for one in projections if cls in one.takes] for cls in named}
    return {
        cls: frozenset().union(*(one.reads[cls] for one in those))
        for cls, those in takers.items()
        if all(cls in one.reads for one in those)
    }


def tag(dimension: str, name: str) -> str:
    """One membership as text: "tutor group=7B"; a "=" inside the dimension is escaped, so no two read alike."""
    return f"{dimension.replace('%', '%25').replace('=', '%3D')}={name}"


def untag(text: str) -> tuple[str, str]:
    """(dimension, name) of a tag."""
    dimension, _, name = text.partition("=")
    return dimension.replace("%3D", "=").replace("%25", "%"), name


def memberships(year_group: int | None, groups: Iterable[Any]) -> list[str]:
    """Every membership of a pupil, the year group among them, as ``Scope.covers`` sees them."""
    return sorted({tag("year", str(year_group)), *(tag(group.dimension, group.name) for group in groups)})


USABLE = (
    "NOT EXISTS (SELECT FROM views.retention_v1 r WHERE r.school_id = p.school_id AND r.pupil_id = p.pupil_id"
    " AND r.restricted)"
)
"""The condition on a row p that its pupil's record may be used; a test keeps the name of that read model right."""


def in_scope(scope: Scope, column: str = "p.tags") -> tuple[str, list[list[str]]]:
    """The condition on a column of tags that says the same as ``scope.covers``, and its values."""
    if not scope.everyone and not scope.dimensions:
        return "false", []
    # everyone takes in whoever the dimensions would
    named = {} if scope.everyone else scope.dimensions
    wanted = [[tag(dimension, name) for name in sorted(names)] for dimension, names in named.items()]
    conditions = [*(f"{column} && %s::text[]" for _ in wanted), *([USABLE] if scope.usable_only else [])]
    return " AND ".join(conditions) or "true", wanted


def capped(limit: int) -> int:
    """The limit of a list, in lines. Raises ValueError outside 1 to MAX_LINES."""
    if not 1 <= limit <= MAX_LINES:
        raise ValueError(f"a list has 1 to {MAX_LINES} lines, not {limit}")
    return limit


NOBODY = UUID(int=0)
