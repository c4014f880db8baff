"""Totals of licensed instruments as data: a school with a licence can keep its results; items are never shipped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from domain.base import Value
from domain.instrument.rules import Number
from domain.scoring import AnswerOutOfScale, NothingAnswered, UnknownItem

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]


class Scale(Value):
    """One scale of an instrument and the totals it can have, from a least to a greater most."""

    least: Number
    most: Number

    @model_validator(mode="after")
    def _a_span(self) -> Self:
        if not self.least < self.most:
            raise ValueError("a scale runs from its least to a greater most")
        return self


class TotalsOf(Value):
    """What a school says of an instrument it has licensed: its name, version, scales, and under which licence."""

    name: Name
    version: Annotated[str, Field(pattern=r"\S", max_length=40)]
    licence: Annotated[str, Field(pattern=r"\S", max_length=200)]
    totals: Annotated[dict[Name, Scale], Field(min_length=1, max_length=40)]


def checked(of: TotalsOf, given: Mapping[str, float]) -> dict[str, float]:
    """One pupil's totals, all or none. Raises NothingAnswered, UnknownItem, AnswerOutOfScale."""
    if not given:
        raise NothingAnswered("there is no total here: import those there are")
    if not set(given) <= set(of.totals):
        raise UnknownItem(
            f"a total is of a scale that {of.name} {of.version} does not have: import its own scales only"
        )
    if not all(of.totals[scale].least <= total <= of.totals[scale].most for scale, total in given.items()):
        raise AnswerOutOfScale(f"a total lies outside what {of.name} {of.version} can give: mend it and import again")
    return dict(given)


def fact_of(of: TotalsOf, given: Mapping[str, float], totals_id: UUID, on: date) -> dict[str, Any]:
    """What is put on record of one pupil's totals, without its head. Raises what ``checked`` raises."""
    reached = {
        scale: {"reached": total, "least": of.totals[scale].least, "most": of.totals[scale].most}
        for scale, total in checked(of, given).items()
    }
    return {
        "totals_id": totals_id, "happened_on": on, "instrument": of.name, "version": of.version,
        "licence": of.licence, "totals": reached,
    }  # fmt: skip
