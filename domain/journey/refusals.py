"""Why a decision about a journey can be refused: one class per broken rule, its message for people."""

from __future__ import annotations

from domain.base import DomainError


class AlreadyEnrolled(DomainError):
    """The pupil is on roll here already."""


class NotEnrolled(DomainError):
    """No record of this pupil has begun here."""


class RecordFrozen(DomainError):
    """The record is on its way to another school, or there already."""


class OptedOut(DomainError):
    """A parent or the pupil asked for no assessment."""


class SittingAlreadyTaken(DomainError):
    """This sitting was handed in before, or the pupil sat this round already."""


class HelpNotSaid(DomainError):
    """An adult is named who wrote for the pupil, and the sitting is not said to be supported."""


class NotInRound(DomainError):
    """The round is for other year groups than the pupil's."""


class NoSuchFlag(DomainError):
    """The flag named is not on this record."""


class FlagAlreadyReviewed(DomainError):
    """The flag has been reviewed with the same judgement."""


class NoSuchPlan(DomainError):
    """The plan named is not on this record."""


class PlanAlreadyOpen(DomainError):
    """A plan with this id was opened before."""


class PlanAlreadyClosed(DomainError):
    """The plan has ended."""


class PlanDatesWrong(DomainError):
    """A plan runs one to twelve weeks."""


class CauseStepSkipped(DomainError):
    """A plan looks back at causes before anything else."""


class RiskStepSkipped(DomainError):
    """A plan looks ahead at risks before signposts are chosen."""


class SignpostMissing(DomainError):
    """A plan names at least one thing that will be done."""


class NoSuchTalk(DomainError):
    """The wish to talk named is not on this record, or was taken up already."""


class OutcomeForTheDsl(DomainError):
    """What only the DSL (designated safeguarding lead) may say was said by somebody else."""


class PlaceNotAccepted(DomainError):
    """Nothing is released before a place was accepted and a start date set."""


class NotAfterwards(DomainError):
    """A supplement follows a record that went to another school, and this one did not, or may not be followed."""


class NothingLate(DomainError):
    """Nothing was written down late that a supplement could carry, or it is of a kind that cannot be."""


class RecordNotHere(DomainError):
    """The record that a file adds to has not been received here."""


class ConsentNotNamed(DomainError):
    """Consent is the basis, and it is not said whose."""


class TransferNotOpen(DomainError):
    """There is no open transfer with this id."""


class CompetenceNotDecided(DomainError):
    """Nobody has decided yet that this young person is competent to hold their own record."""


class NotYetEighteen(DomainError):
    """The student's own copy passes to them at 18."""


class NoSuchFact(DomainError):
    """The fact a correction names is not on this record."""


class NotCorrectable(DomainError):
    """This field of this fact cannot be corrected."""


class NothingToCorrect(DomainError):
    """The correction says what the fact says already."""


class NotToldFirst(DomainError):
    """Whoever asked for a restriction is told before it is lifted."""
