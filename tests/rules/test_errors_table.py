"""Every refusal in the code has a row, and what people get to read is one sentence without anything they typed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

import astrack
import domain
import projections
import transfer
from astrack import errors
from domain.base import DomainError
from domain.journey.refusals import RecordFrozen
from transfer.errors import BadHeader, TransferRefused

OUTSIDE = {"ValidationError", "RequestValidationError"}


def refusals() -> Iterator[type[Exception]]:
    for package in (astrack, domain, projections, transfer):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    waiting: list[type[Exception]] = [DomainError, TransferRefused]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.partition(".")[0] in ("astrack", "domain", "projections", "transfer"):
            yield kind


def test_every_refusal_has_a_row_of_its_own() -> None:
    missing = sorted({kind.__name__ for kind in refusals()} - set(errors.TABLE))
    assert missing == [], f"add {', '.join(missing)} to GROUPS in astrack/errors.py, with a status and an exit code"


def test_every_row_is_of_a_refusal_that_exists() -> None:
    unused = sorted(set(errors.TABLE) - {kind.__name__ for kind in refusals()} - OUTSIDE)
    assert unused == [], f"take {', '.join(unused)} out of GROUPS in astrack/errors.py"


def test_no_refusal_is_named_twice_in_the_table() -> None:
    names = [name for _, _, group in errors.GROUPS for name in group.split()]
    assert len(names) == len(set(names))


def test_every_refusal_says_in_its_docstring_what_it_is() -> None:
    silent = [kind.__name__ for kind in refusals() if not (kind.__dict__.get("__doc__") or "").strip()]
    assert silent == []


def test_a_refusal_becomes_a_problem() -> None:
    assert errors.problem(RecordFrozen("this record is being handed over: wait for the receipt")) == {
        "type": "/api/v1/problems/record-frozen",
        "title": "The record is on its way to another school, or there already.",
        "status": 409,
        "detail": "this record is being handed over: wait for the receipt",
    }


def test_a_new_refusal_takes_its_ancestors_row_until_it_has_one() -> None:
    class BadHeaderOfTomorrow(BadHeader):
        """Not in the table."""

    assert errors.row(BadHeaderOfTomorrow("x", "y")).slug == "bad-header"


class Asked(BaseModel):
    upn: str = Field(max_length=3)
    year: int

    @field_validator("year")
    @classmethod
    def _check(cls, value: int) -> int:
        if value > 13:
            raise ValueError(f"{value} is secret")
        return value


@pytest.mark.parametrize(
    "given", [{"upn": "Q801200001003", "year": 3}, {"upn": "abc", "year": 77}, {"year": "Q801200001003"}]
)
def test_what_was_typed_is_not_repeated(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate(given)
    said = str(errors.problem(caught.value))
    assert "Q801200001003" not in said
    assert "77" not in said


def test_an_error_of_the_service_says_nothing_of_its_inside() -> None:
    body = errors.problem(
        RuntimeError("SELECT * FROM pupils WHERE name = 'Ann Lee'"), "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
    )
    assert body["status"] == 500
    assert body["instance"] == "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427"
    assert "Ann" not in str(body)
    assert errors.exit_code(RuntimeError()) == 1
