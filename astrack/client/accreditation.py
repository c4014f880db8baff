"""What the API has on the topic `accreditation`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from astrack.client.calling import Caller, Got, Sent, new_key, part


class AwardDone(Got):
    """The award that was made or revoked."""

    award_id: UUID


class AwardIn(Sent):
    """An award: by whom, what ties them to the school, from when until when."""

    award_id: UUID
    accreditor: str
    interests: str
    from_on: date
    until: date


class AwardOut(Got):
    """One award and whether it stands."""

    award_id: UUID
    accreditor: str
    interests: str
    from_on: date
    until: date
    state: str


class EvidenceOut(Got):
    """One claim: ``count`` of ``of`` (hidden under ten pupils), met where its share reaches ``needed``."""

    area: str
    claim: str
    count: int | None
    of: int | None
    needed: float
    met: bool


class PracticeOut(Got):
    """What the record shows over the last year, and what was awarded."""

    evidence: list[EvidenceOut]
    awards: list[AwardOut]


class RevokeIn(Sent):
    """Why an award is taken back; it stands on the public register."""

    why: str


class AccreditationCalls(Caller):
    """What the API has on the topic `accreditation`."""

    def practice(self) -> PracticeOut:
        """The evidence of the four areas of practice, and the awards."""
        return self.value(PracticeOut, "GET", "/accreditation")

    def award(self, body: AwardIn, *, key: str | None = None) -> AwardDone:
        """Award on what the record shows now; an accreditor has no other role at the school."""
        return self.value(AwardDone, "POST", "/accreditation/awards", body=body, key=key or new_key())

    def revoke(self, award_id: UUID, body: RevokeIn, *, key: str | None = None) -> AwardDone:
        """Take an award back; the public register says so at once."""
        return self.value(
            AwardDone, "POST", f"/accreditation/awards/{part(award_id)}/revoke", body=body, key=key or new_key()
        )
