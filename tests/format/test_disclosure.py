"""A proof of chosen facts that somebody signed themselves: whatever it says of a person, read or refused by name."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from transfer import canonical, disclosure, errors, package, verdict
from transfer.keys.trust import Trust

JO = {"forename": "Jo", "surname": "Maple", "date_of_birth": "2015-03-04", "upn": None}
EVENT = str(UUID(int=1))


def proof(paper: SimpleNamespace, ash: Any, identity: object) -> bytes:
    parts = paper.parts_of(ash, b"jo")
    parts = replace(parts, members={**parts.members, package.IDENTITY: canonical.dump(identity)})
    found = paper.opened(paper.build(ash, parts.manifest, paper.members_of(parts)))
    return disclosure.make(found, {EVENT}, whom="", made=paper.at, about=True)


def test_who_it_is_about_is_told(paper: SimpleNamespace, ash: Any) -> None:
    found = disclosure.read(proof(paper, ash, {"person": JO, "schools": []}), Trust())
    assert found.person == JO
    assert any(line.startswith("about Jo Maple, born 2015-03-04") for line in verdict.of_proof(found).lines)


def test_an_identity_of_nobody_is_about_nobody(paper: SimpleNamespace, ash: Any) -> None:
    found = disclosure.read(proof(paper, ash, {"person": None}), Trust())
    assert found.person is None and "it does not say who it is about" in verdict.of_proof(found).lines


@pytest.mark.parametrize(
    "identity",
    [
        [], "Jo", 7, None, {}, {"person": []}, {"person": "Jo"}, {"person": {}}, {"person": {**JO, "surname": None}},
        {"person": {**JO, "forename": {"first": "Jo"}}}, {"person": {"forename": "Jo", "surname": "Maple"}},
        {"person": {**JO, "date_of_birth": 2015}}, {"person": {**JO, "surname": "M" * 1000}},
    ],
)  # fmt: skip
def test_an_identity_in_no_form_of_ours_is_refused(paper: SimpleNamespace, ash: Any, identity: object) -> None:
    data = proof(paper, ash, identity)
    with pytest.raises(errors.BadFile) as refused:
        disclosure.read(data, Trust())
    assert package.IDENTITY in str(refused.value)
