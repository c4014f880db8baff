"""One tree of refusals: every fault of a sealed file has a class, and says what, where and what to do."""

from __future__ import annotations


class TransferRefused(Exception):
    """Something that leaves or enters was refused. ``str`` is for people: what, where, what to do.

    ``what`` is the fault, ``where`` the part of the file, ``remedy`` the next step.
    """

    remedy = "Ask the sender to export the file again."

    def __init__(self, what: str, where: str, remedy: str | None = None) -> None:
        self.what, self.where = what, where
        if remedy is not None:
            self.remedy = remedy
        super().__init__(f"{where}: {what}. {self.remedy}")


class BadContainer(TransferRefused):
    """The age container is damaged, cut short, extended or not age at all."""

    remedy = "The file was damaged or altered on its way: fetch it again from the sender."


class BadHeader(BadContainer):
    """The age header is not exactly what the age format allows."""


class BadHeaderMac(BadContainer):
    """The age header was altered after sealing."""


class BadPayload(BadContainer):
    """The encrypted body is damaged, cut short or extended."""


class NotForUs(TransferRefused):
    """No recipient of the file is the identity given."""

    remedy = "Use the key the file was sealed for, or ask the sender to seal it for yours."


class BadKey(TransferRefused):
    """Text that should be a key or a recipient is not one."""

    remedy = "Copy the whole line again, without spaces or line breaks."


class WeakKey(BadKey):
    """A key that is not the hybrid post-quantum kind, which this format does not use."""

    remedy = "Create a hybrid key (age1pq…, AGE-SECRET-KEY-PQ-1…); classical keys are refused on purpose."


class BadEntry(TransferRefused):
    """A log entry or one of its fields is not in the exact encoding."""


class BadEnvelope(TransferRefused):
    """An import envelope is incomplete, nested too deeply or does not commit to its payload."""


class BadProof(TransferRefused):
    """A Merkle proof does not lead to the signed root."""

    remedy = "Do not rely on this file: ask the school named to export it again and tell your auditor."


class BadChain(BadProof):
    """A stream's entries do not follow one another."""


class BadHeads(BadProof):
    """The proof that a stream is complete fails."""


class DirectoryRolledBack(BadProof):
    """A directory of keys shows less than it has shown before."""

    remedy = "Go on with the keys known here, and ask who runs the directory and a school beside you what they see."


class DirectoryForked(BadProof):
    """A directory of keys shows one reader something else than another, or than before."""

    remedy = "Do not take keys from it: tell who runs it and the schools beside you, and keep both checkpoints."


class BadNote(TransferRefused):
    """A signed note is malformed."""


class BadSignature(BadNote):
    """A required signature is missing or wrong."""

    remedy = "Do not rely on this file: ask the sender over a known telephone number whether it is theirs."


class UnknownSigner(BadSignature):
    """The signing key is not one the directory or the key document knows for this purpose."""


class ExpiredKey(BadSignature):
    """The signing key was not valid at the time, or has been revoked."""

    remedy = "Ask the sender to export the file again with its present key."


class BadKeyDocument(TransferRefused):
    """A school's key document is malformed, unsigned or not the one the directory vouches for."""


class BadArchive(TransferRefused):
    """The inner tar is not the exact archive the format prescribes."""


class BadName(BadArchive):
    """A member has a path the format does not allow, or has it twice."""


class TooLarge(TransferRefused):
    """A size or a count is over its limit."""

    remedy = "Nothing was read: ask the sender for a smaller file, or split the attachments."


class BadManifest(TransferRefused):
    """The manifest is not in the prescribed form."""


class UnknownFormat(BadManifest):
    """The file's format version, or a member marked critical, is one this version does not know."""

    remedy = "Update this software to read it."


class BadFile(TransferRefused):
    """A listed file is missing, unlisted, or has another size or hash than the manifest says."""

    remedy = "The file was damaged or altered: fetch it again from the sender."


class WrongRecipient(TransferRefused):
    """The signed manifest does not name the key that opened the file."""

    remedy = "It was sealed for somebody else and passed on: ask the named sender for a file of your own."


class Recalled(TransferRefused):
    """The sender has called the file back."""

    remedy = "Delete the file; ask the sender for another one if the pupil is coming after all."


class OutOfDate(TransferRefused):
    """The time limit of the file has passed, or it claims a time that has not come."""

    remedy = "Ask the sender to export it again; if the date is wrong, correct this computer's clock."


class BadStory(TransferRefused):
    """The story's lines do not agree with their entries, or the events with what is stated."""


class BadReceipt(TransferRefused):
    """A receipt is malformed or is for another file."""


class BadCard(TransferRefused):
    """A card does not say, in its one form, which box is whose."""

    remedy = "Ask the school for its newest card."


class BadLetter(TransferRefused):
    """A letter from a mailbox is malformed."""

    remedy = "Ask the other school to send it again."


class Conflict(TransferRefused):
    """The same transfer id came with other contents, or a later export does not extend the earlier one."""

    remedy = "Keep both files and ask the sender which one they stand by."


class BadCredential(TransferRefused):
    """A credential cannot be read, or its proof is not over it."""

    remedy = "Do not rely on this credential: ask whoever showed it for the sealed file or a proof file instead."


class BadRoster(TransferRefused):
    """A roster file (CTF or OneRoster) cannot be taken in; nothing of it was."""

    remedy = "Nothing was taken in: export the file again from the school's MIS."


class EmptyRoster(BadRoster):
    """The roster file has no content, or no pupil."""


class BrokenRoster(BadRoster):
    """The XML, CSV or zip of a roster is damaged or cut short."""


class ForbiddenMarkup(BadRoster):
    """A roster declares a document type or entities, which a roster never needs and an attacker does."""

    remedy = "Nothing was taken in: do not open this file elsewhere, and ask whoever sent it how it was made."


class NotARoster(BadRoster):
    """The file is something else than a roster."""

    remedy = "Nothing was taken in: choose a Common Transfer File (.xml) or a OneRoster 1.2 CSV export (.zip)."


class UnknownRosterVersion(BadRoster):
    """The roster is of a version this software does not read."""


class TwoPupilsOneNumber(BadRoster):
    """Two pupils of one roster have the same UPN, so neither can be told from the other."""

    remedy = "Nothing was taken in: correct the UPN of one of them in the MIS, then export the file again."


class NotThisSchool(BadRoster):
    """The roster holds several schools and none of them is this one."""

    remedy = "Nothing was taken in: give this school the URN or LA and establishment number that the file uses."


class RosterTooLarge(TooLarge, BadRoster):
    """A roster is over a limit of size, depth, count or length."""

    remedy = "Nothing was taken in: this is far larger than a school's roster; check that it is the right file."


class BadRosterOut(TransferRefused):
    """A CTF cannot be written from what is on record."""

    remedy = "Correct what the message names on the pupil's or school's page, then write the file again."
