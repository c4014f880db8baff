"""Which schools are one trust, and from which of them its head sees them side by side: said by who runs the service."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError

from astrack.store.types import BadSetting
from domain.base import DomainError, Value

SCHOOLS_MAX = 200
BYTES_MAX = 1 << 20


class NotTheOffice(DomainError):
    """A trust is seen from its office alone."""


class Trust(Value):
    """A trust's schools; ``office``: the school at which its head signs in, and which need not be one of them."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    office: UUID
    schools: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=SCHOOLS_MAX)]


class _File(Value):
    trust: tuple[Trust, ...] = ()


_READ = TypeAdapter(_File)


@dataclass(frozen=True, slots=True)
class Trusts:
    """The trusts of one installation."""

    known: Sequence[Trust] = ()

    def seen_from(self, school_id: UUID) -> Trust:
        """The trust whose office a school is. Raises NotTheOffice."""
        for one in self.known:
            if one.office == school_id:
                return one
        raise NotTheOffice("this school is not the office of a trust: whoever runs the service can name it as one")


def read(path: Path | None) -> Trusts:
    """The trusts that a TOML file names, none without a file. Raises BadSetting."""
    if path is None:
        return Trusts()
    try:
        content = path.read_bytes()[: BYTES_MAX + 1]
        known = _READ.validate_python(tomllib.loads(content.decode())).trust if len(content) <= BYTES_MAX else ()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadSetting(f"ASTRACK_TRUSTS names {path}, which cannot be used: write a [[trust]] with name, office and "
                         "schools (ids) for each") from error  # fmt: skip
    if not known or len({one.office for one in known}) < len(known):
        raise BadSetting(f"{path} must name at least one trust, and each with an office of its own: mend it")
    return Trusts(known)
