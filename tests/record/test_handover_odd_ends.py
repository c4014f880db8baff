"""Hand-overs that meet what they should not: old after new, cut, backdated, a wrong clock, twins, two who both claim."""

# ruff: noqa: F811 - fixtures of another file are arguments here
from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest

from astrack.handover import RecordHeldHere, outgoing
from astrack.handover.sending import TwoCustodians, _order
from domain.journey.refusals import RecordFrozen
from domain.journey.state import Custody
from tests.record.test_handover import DAY, JO, Clock, Place, ask, clock, place, schools  # noqa: F401
from transfer import errors

CHUNK = (64 << 10) + 16
"""A sealed chunk of a payload (age v1)."""


def state(school: Place, transfer: UUID) -> str:
    return next(str(one["state"]) for one in school.hands.transfers() if one["transfer_id"] == str(transfer))


def test_an_older_file_after_a_newer_one_is_refused_and_nothing_is_twice(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    first, older = a.send(b, pupil)
    a.hands.withdraw(ask(), first)
    a.records.look_at(ask(), pupil, concern=False)
    _, newer = a.send(b, pupil)
    there = UUID(b.hands.receive(ask(), newer)["pupil_id"])
    size, told = b.size(), len(b.records.journey(there)[1])
    with pytest.raises(RecordHeldHere):
        b.hands.receive(ask(), older)
    assert (b.size(), len(b.records.journey(there)[1]), b.custody(there)) == (size, told, Custody.HELD)


def test_a_newer_file_after_an_older_one_that_went_on_brings_the_rest_alone(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    at_a = a.admit()
    at_b = a.move(b, at_a)
    assert b.move(a, at_b) == at_a
    a.records.look_at(ask(), at_a, concern=False)
    _, data = a.send(b, at_a)
    answer = b.hands.receive(ask(), data)
    events = [one.event.event_id for one in b.records.journey(at_b)[1]]
    assert UUID(answer["pupil_id"]) == at_b and len(events) == len(set(events))
    assert answer["new"] < answer["facts"]


@pytest.mark.parametrize("chunks", [1, 2])
def test_a_file_without_its_last_chunk_is_refused_and_the_whole_one_taken_in(
    schools: SimpleNamespace,
    chunks: int,
) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    for _ in range(200):
        a.records.look_at(ask(), pupil, concern=True, note="seen in the corridor " * 40)
    _, data = a.send(b, pupil)
    size = b.size()
    whole, last = divmod(len(data), CHUNK)
    assert whole > 2
    with pytest.raises(errors.BadPayload):
        b.hands.receive(ask(), data[: len(data) - last - (chunks - 1) * CHUNK])
    assert b.size() == size and b.hands.transfers() == []
    assert b.hands.receive(ask(), data)["facts"] > 200


def test_a_file_backdated_to_before_its_key_was_revoked_is_refused(
    schools: SimpleNamespace,
    clock: Clock,
) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    transfer, _ = a.send(b, pupil)
    stolen = list(a.hands.signing.all(clock()))
    clock.at += timedelta(days=3)
    a.hands.signing.revoke(clock())
    b.hands.trust(ask(), a.hands.key_document())
    a.hands.signing._known = stolen
    a.hands.signing._vault = SimpleNamespace(names=lambda _: ["one"], kept=None, keep=None)
    row = a.hands.vault.transfer("out", transfer)
    order = replace(_order(row), created=clock.at - timedelta(days=5))
    made = outgoing.seal(
        order, a.hands.named(), a.records.identity(pupil), a.hands.vault, a.hands.proving,
        a.hands.proving.publish(ask()),
    )  # fmt: skip
    size = b.size()
    with pytest.raises(errors.ExpiredKey, match="has been revoked"):
        b.hands.receive(ask(), made.data)
    assert b.size() == size


@pytest.mark.parametrize(("off", "taken"), [(-23, True), (23, True), (-25, False)])
def test_a_receiver_whose_clock_is_a_day_off_takes_it_in_and_further_back_does_not(
    schools: SimpleNamespace,
    clock: Clock,
    off: int,
    taken: bool,
) -> None:
    a, b = schools.a, schools.b
    pupil = a.admit()
    clock.at += timedelta(days=2)
    transfer, data = a.send(b, pupil)
    now = clock.at
    clock.at += timedelta(hours=off)
    if taken:
        answer = b.hands.receive(ask(), data)
        clock.at = now
        assert a.hands.acknowledge(ask(), answer["receipt"].encode())["state"] == "acknowledged"
        assert b.custody(UUID(answer["pupil_id"])) is Custody.HELD
    else:
        with pytest.raises(errors.OutOfDate, match="has not come"):
            b.hands.receive(ask(), data)
        assert state(a, transfer) == "prepared"


def test_twins_with_like_names_are_two_records(schools: SimpleNamespace) -> None:
    a, b = schools.a, schools.b
    one = JO.model_copy(update={"forename": "Ann", "upn": None})
    other = JO.model_copy(update={"forename": "Anna", "upn": None})
    files = [a.send(b, a.admit(person))[1] for person in (one, other, one)]
    there = [UUID(b.hands.receive(ask(), data)["pupil_id"]) for data in files]
    assert len(set(there)) == 3, "without a number nobody is taken for another, whatever their name and birthday"
    assert [b.records.identity(who).person.forename for who in there] == ["Ann", "Anna", "Ann"]  # type: ignore[union-attr]
    numbered = [
        JO.model_copy(update={"forename": name, "upn": upn})
        for name, upn in (("Ann", "H801200001001"), ("Anna", "X823432109876"))
    ]
    pair = [UUID(b.hands.receive(ask(), a.send(b, a.admit(person))[1])["pupil_id"]) for person in numbered]
    assert len({*there, *pair}) == 5


def test_of_two_schools_that_both_claim_a_pupil_one_gets_the_record(schools: SimpleNamespace) -> None:
    a, b, c = schools.a, schools.b, schools.c
    pupil = a.admit()
    transfer, data = a.send(b, pupil)
    with pytest.raises(RecordFrozen):
        a.send(c, pupil)
    b.hands.receive(ask(), data)
    a.hands.acknowledge(ask(), b.hands.receipt(transfer))
    with pytest.raises(RecordFrozen, match="with another school"):
        a.send(c, pupil)


def test_no_second_school_gets_a_record_that_a_first_collected(schools: SimpleNamespace, clock: Clock) -> None:
    a, b, c = schools.a, schools.b, schools.c
    pupil = a.admit()
    transfer, data = a.send(b, pupil, days=10)
    a.hands.mark(ask(), transfer, "collected")
    assert a.hands.withdraw(ask(), transfer)["state"] == "recalled"
    with pytest.raises(TwoCustodians, match="Beech was collected"):
        a.send(c, pupil)
    assert a.custody(pupil) is Custody.HELD, "nothing was frozen"
    digest = a.hands.vault.transfer("out", transfer).details["manifest_sha256"]
    refusal = b.hands.refusal(transfer, digest, "not_expected")
    assert a.hands.acknowledge(ask(), refusal)["state"] == "rejected"
    onward, _ = a.send(c, pupil)
    a.hands.withdraw(ask(), onward)
    again, _ = a.send(b, pupil, days=10)
    a.hands.mark(ask(), again, "collected")
    a.hands.withdraw(ask(), again)
    a.hands.withdraw(ask(), a.send(b, pupil)[0])  # the same school may have a newer file at once
    clock.at += timedelta(days=18)
    assert a.send(c, pupil)[1]
    assert data


def test_two_custodians_are_a_dispute_on_record_and_both_keep_what_they_have(
    schools: SimpleNamespace,
    clock: Clock,
) -> None:
    a, b, c = schools.a, schools.b, schools.c
    pupil = a.admit()
    first, data = a.send(b, pupil, days=3)
    a.hands.mark(ask(), first, "sent")
    answer = b.hands.receive(ask(), data)  # the receipt does not reach the sender
    a.hands.withdraw(ask(), first)
    second, other = a.send(c, pupil)
    a.hands.acknowledge(ask(), c.hands.receive(ask(), other)["receipt"].encode())
    assert a.hands.acknowledge(ask(), answer["receipt"].encode())["state"] == "disputed"
    assert (state(a, first), state(a, second)) == ("disputed", "acknowledged")
    assert a.custody(pupil) is Custody.RELEASED
    assert b.custody(UUID(answer["pupil_id"])) is Custody.HELD
    _, both = b.send(c, UUID(answer["pupil_id"]))
    with pytest.raises(RecordHeldHere):
        c.hands.receive(ask(), both)


def test_a_pupil_of_two_schools_at_once_is_on_roll_at_both_and_one_story_in_the_end(
    schools: SimpleNamespace,
) -> None:
    main, second = schools.a, schools.b
    at_main, at_second = main.admit(), second.admit()
    for school, who in ((main, at_main), (second, at_second)):
        school.records.look_at(ask(), who, concern=False)
        assert school.custody(who) is Custody.HELD
    second.records.leave(ask(), at_second, on=DAY)
    transfer, data = second.send(main, at_second)
    with pytest.raises(RecordHeldHere, match="same UPN"):
        main.hands.receive(ask(), data)
    answer = main.hands.receive(ask(), data, pupil_id=at_main)
    second.hands.acknowledge(ask(), answer["receipt"].encode())
    assert state(second, transfer) == "acknowledged"
    journey, facts = main.records.journey(at_main)
    assert {one.origin for one in facts} == {"", second.hands.origin()}
    seen = [one.event for one in facts if getattr(one.event, "concern", None) is False]
    assert len(seen) == len({one.event_id for one in seen}) == 2, "what each school saw stands in it once"
    assert journey.custody is Custody.HELD
