"""Name and password, second factors, and links to providers: what somebody signs in with from the second time on."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from astrack.access import SecondFactorNeeded, SignInNeeded, passkeys
from astrack.access.callers import Caller, CallerOf, HalfCallerOf, address_of, device_of, set_cookies
from astrack.access.credentials import NAME_MAX, PASSWORD_MAX
from astrack.access.factors import Factors
from astrack.access.sessions import Sessions
from astrack.api.common import Body, Empty, Key, Out
from astrack.api.sign_in import Me, shown
from domain.authority import Action

router = APIRouter(tags=["sign-in"])
Password = Annotated[str, Field(min_length=1, max_length=PASSWORD_MAX, examples=["a long sentence of yours"])]
SignInName = Annotated[str, Field(min_length=1, max_length=NAME_MAX, examples=["q.quince"])]
FactorCode = Annotated[str, Field(min_length=1, max_length=40, examples=["492039"])]


class NamedSignIn(Body):
    """A school, a name and a password."""

    school_id: UUID
    name: SignInName
    password: Password


class NewPassword(Body):
    """The name and password to sign in with from now on; ``old``: the password there is, for who has one."""

    name: SignInName
    password: Password
    old: Annotated[str, Field(max_length=PASSWORD_MAX)] = ""


class CodeIn(Body):
    """The six digits of an app, or a recovery code."""

    code: FactorCode


class BrowserAnswer(Body):
    """What the browser answered (WebAuthn's credential as JSON)."""

    credential: dict[str, Any]


class FactorsOut(Out):
    """Whether a second factor is asked for now, and what somebody has."""

    factor: str
    kinds: list[str]


class TotpOut(Out):
    """The secret of an authenticator app, shown this once; it holds once a code of it was given."""

    secret: str
    address: str


class RecoveryOut(Out):
    """Codes for when everything else is lost, shown this once; none where there are some already."""

    recovery_codes: list[str]


@router.post("/sign-in/password")
def sign_in_named(request: Request, response: Response, body: NamedSignIn) -> Me:
    """Exchange a name and a password for a session cookie; a second factor may be asked for next (see `factor`)."""
    sessions: Sessions = request.app.state.sessions
    device = device_of(request)
    opened = sessions.sign_in_named(
        body.school_id, body.name, body.password, address=address_of(request), device=device
    )
    set_cookies(request, response, opened)
    return shown(opened.signed)


@router.get("/me/second-factor")
def second_factor(caller: HalfCallerOf) -> FactorsOut:
    """Which second factors somebody has, and whether one is asked for now."""
    return FactorsOut(factor=caller.signed.factor, kinds=sorted(_factors(caller).kinds(caller.viewer.id)))


@router.post("/me/second-factor/prove")
def prove(caller: HalfCallerOf, body: CodeIn) -> Empty:
    """Give the code of an app, or a recovery code, which is used up by it. No key: a code counts once by itself."""
    caller.sessions.prove(caller.signed, lambda factors: factors.check(caller.viewer.id, body.code))
    return Empty()


@router.post("/me/second-factor/passkey/ask")
def ask_passkey(request: Request, caller: HalfCallerOf) -> dict[str, Any]:
    """What a browser needs to prove a passkey (WebAuthn's request options)."""
    return passkeys.ask(_factors(caller), caller.viewer.id, origin_of(request))


@router.post("/me/second-factor/passkey/prove")
def prove_passkey(request: Request, caller: HalfCallerOf, body: BrowserAnswer) -> Empty:
    """Give what the browser answered."""
    origin = origin_of(request)
    caller.sessions.prove(
        caller.signed, lambda factors: passkeys.prove(factors, caller.viewer.id, body.credential, origin)
    )
    return Empty()


@router.post("/me/second-factor/totp")
def begin_totp(caller: HalfCallerOf) -> TotpOut:
    """Begin to set up an authenticator app."""
    secret, address = _factors(enrolling(caller)).begin_totp(caller.viewer.id, str(caller.viewer.id)[:8])
    return TotpOut(secret=secret, address=address)


@router.post("/me/second-factor/totp/confirm")
def confirm_totp(caller: HalfCallerOf, body: CodeIn) -> RecoveryOut:
    """The app works: from now on it is asked for."""
    codes: list[str] = []
    enrolling(caller)
    caller.sessions.prove(
        caller.signed, lambda factors: codes.extend(factors.confirm_totp(caller.viewer.id, body.code))
    )
    return RecoveryOut(recovery_codes=codes)


@router.post("/me/second-factor/passkey")
def offer_passkey(request: Request, caller: HalfCallerOf) -> dict[str, Any]:
    """What a browser needs to make a passkey (WebAuthn's creation options)."""
    name = str(caller.viewer.id)[:8]
    return passkeys.offer(_factors(enrolling(caller)), caller.viewer.id, name, origin_of(request))


@router.post("/me/second-factor/passkey/add")
def add_passkey(request: Request, caller: HalfCallerOf, body: BrowserAnswer) -> RecoveryOut:
    """Keep the passkey the browser made: from now on it is asked for."""
    codes = passkeys.add(_factors(enrolling(caller)), caller.viewer.id, body.credential, origin_of(request))
    caller.sessions.mark_proved(caller.signed)
    return RecoveryOut(recovery_codes=codes)


@router.post("/me/second-factor/recovery-codes")
def new_recovery_codes(caller: CallerOf) -> RecoveryOut:
    """Ten new codes; those before stop working."""
    _of_staff(caller)
    return RecoveryOut(recovery_codes=_factors(caller).recovery_codes(caller.viewer.id))


@router.post("/me/password")
def set_password(caller: HalfCallerOf, body: NewPassword) -> Empty:
    """Choose the name and password to sign in with; every other session of yours ends at once."""
    enrolling(caller)
    caller.sessions.set_password(caller.signed, body.name, body.password, body.old)
    return Empty()


@router.post("/staff/{staff_id}/second-factor/reset")
def reset_factor(caller: CallerOf, staff_id: UUID, key: Key) -> Empty:
    """Take a lost second factor away, and end every session. Whoever issues invitations may not."""
    caller.may(Action.RESET_FACTOR)
    caller.records.reset_factor(caller.ask(key), staff_id)
    caller.sessions.drop_factor(caller.viewer.school_id, staff_id)
    return Empty()


def origin_of(request: Request) -> str:
    """The origin a browser sees."""
    return f"{request.url.scheme}://{request.url.netloc}"


def enrolling(caller: Caller) -> Caller:
    """The caller, if they may change what they sign in with: nobody may who owes a factor they have.

    Raises SecondFactorNeeded, SignInNeeded.
    """
    _of_staff(caller)
    if caller.signed.factor == "needed":
        raise SecondFactorNeeded(True)
    return caller


def _of_staff(caller: Caller) -> None:
    if caller.viewer.role in ("pupil", "parent") or caller.signed.session_id is None:
        raise SignInNeeded("this is for staff who signed in themselves: pupils use their card, parents their letter")


def _factors(caller: Caller) -> Factors:
    return caller.sessions.factors(caller.viewer.school_id)
