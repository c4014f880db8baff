"""What the API has on the topic `sign-in`. Written by `scripts/client`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from astrack.client.calling import Caller, Got, Sent, new_key, part
from astrack.client.shared import Empty, Scope


class BrowserAnswer(Sent):
    """What the browser answered (WebAuthn's credential as JSON)."""

    credential: dict[str, Any]


class Choose(Sent):
    """The grant to act under from now on."""

    grant_id: UUID


class CodeIn(Sent):
    """The six digits of an app, or a recovery code."""

    code: str


class FactorsOut(Got):
    """Whether a second factor is asked for now, and what somebody has."""

    factor: str
    kinds: list[str]


class LetterIn(Sent):
    """The verified relation the letter is written to, where there is one."""

    relation_id: UUID | None = None


class LetterOut(Got):
    """A parent's code, shown this once, to be printed in a letter."""

    parent_id: UUID
    code: str


class Me(Got):
    """Who is signed in, the role they act in now and its scope, and what else they may act as."""

    id: UUID
    school_id: UUID
    role: str
    scope: Scope
    trained: bool
    expires_at: datetime
    factor: str
    choices: list[RoleChoice]


class NamedSignIn(Sent):
    """A school, a name and a password."""

    school_id: UUID
    name: str
    password: str


class NewPassword(Sent):
    """The name and password to sign in with from now on; ``old``: the password there is, for who has one."""

    name: str
    password: str
    old: str = ""


class RecoveryOut(Got):
    """Codes for when everything else is lost, shown this once; none where there are some already."""

    recovery_codes: list[str]


class RoleChoice(Got):
    """A role somebody may act in."""

    grant_id: UUID
    role: str


class RuleOut(Got):
    """One line of the table of authority."""

    action: str
    field_class: str
    when: str
    gate: bool
    roles: dict[str, str]


class SignIn(Sent):
    """A school and what is printed on the card, in the letter or in the invitation."""

    school_id: UUID
    code: str


class TotpOut(Got):
    """The secret of an authenticator app, shown this once; it holds once a code of it was given."""

    secret: str
    address: str


class astrack__api__plans__CardOut(Got):
    """A pupil's new sign-in card, shown this once."""

    words: str


class SignInCalls(Caller):
    """What the API has on the topic `sign-in`."""

    def sign_in(self, body: SignIn) -> Me:
        """Exchange a card, a letter's code or an invitation for a session cookie. No key: a code is used up by
        itself.
        """
        return self.value(Me, "POST", "/sign-in", body=body)

    def sign_out(self) -> Empty:
        """End this session at once."""
        return self.value(Empty, "POST", "/sign-out")

    def me(self) -> Me:
        """Who is signed in."""
        return self.value(Me, "GET", "/me")

    def choose_role(self, body: Choose, *, key: str | None = None) -> Empty:
        """Act in another of one's roles, from the next request on."""
        return self.value(Empty, "POST", "/me/role", body=body, key=key or new_key())

    def permissions(self) -> list[RuleOut]:
        """Who may do what: the table this service decides by."""
        return self.value(list[RuleOut], "GET", "/permissions")

    def sign_in_named(self, body: NamedSignIn) -> Me:
        """Exchange a name and a password for a session cookie; a second factor may be asked for next (see `factor`)."""
        return self.value(Me, "POST", "/sign-in/password", body=body)

    def second_factor(self) -> FactorsOut:
        """Which second factors somebody has, and whether one is asked for now."""
        return self.value(FactorsOut, "GET", "/me/second-factor")

    def prove(self, body: CodeIn) -> Empty:
        """Give the code of an app, or a recovery code, which is used up by it. No key: a code counts once by itself."""
        return self.value(Empty, "POST", "/me/second-factor/prove", body=body)

    def ask_passkey(self) -> dict[str, Any]:
        """What a browser needs to prove a passkey (WebAuthn's request options)."""
        return self.value(dict[str, Any], "POST", "/me/second-factor/passkey/ask")

    def prove_passkey(self, body: BrowserAnswer) -> Empty:
        """Give what the browser answered."""
        return self.value(Empty, "POST", "/me/second-factor/passkey/prove", body=body)

    def begin_totp(self) -> TotpOut:
        """Begin to set up an authenticator app."""
        return self.value(TotpOut, "POST", "/me/second-factor/totp")

    def confirm_totp(self, body: CodeIn) -> RecoveryOut:
        """The app works: from now on it is asked for."""
        return self.value(RecoveryOut, "POST", "/me/second-factor/totp/confirm", body=body)

    def offer_passkey(self) -> dict[str, Any]:
        """What a browser needs to make a passkey (WebAuthn's creation options)."""
        return self.value(dict[str, Any], "POST", "/me/second-factor/passkey")

    def add_passkey(self, body: BrowserAnswer) -> RecoveryOut:
        """Keep the passkey the browser made: from now on it is asked for."""
        return self.value(RecoveryOut, "POST", "/me/second-factor/passkey/add", body=body)

    def new_recovery_codes(self) -> RecoveryOut:
        """Ten new codes; those before stop working."""
        return self.value(RecoveryOut, "POST", "/me/second-factor/recovery-codes")

    def set_password(self, body: NewPassword) -> Empty:
        """Choose the name and password to sign in with; every other session of yours ends at once."""
        return self.value(Empty, "POST", "/me/password", body=body)

    def reset_factor(self, staff_id: UUID, *, key: str | None = None) -> Empty:
        """Take a lost second factor away, and end every session. Whoever issues invitations may not."""
        return self.value(Empty, "POST", f"/staff/{part(staff_id)}/second-factor/reset", key=key or new_key())

    def make_card(self, pupil_id: UUID, *, key: str | None = None) -> astrack__api__plans__CardOut:
        """Four words that sign this pupil in; cards made before stop working."""
        return self.value(astrack__api__plans__CardOut, "POST", f"/pupils/{part(pupil_id)}/card", key=key or new_key())

    def make_letter(self, pupil_id: UUID, body: LetterIn | None, *, key: str | None = None) -> LetterOut:
        """A code that lets a parent in once, for this pupil. One that names no verified relation lets them object
        only.
        """
        return self.value(LetterOut, "POST", f"/pupils/{part(pupil_id)}/letter", body=body, key=key or new_key())
