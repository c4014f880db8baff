"""One request over a record, found for somebody who asks about it."""

from __future__ import annotations

from uuid import UUID

from astrack.access.callers import Caller
from astrack.records import NoSuchPupil
from domain.authority import Action
from domain.rights.requests import NOT_HERE, NoSuchRequest, Request


def about(who: Caller, action: Action, request_id: UUID, *, look: bool = False) -> Request:
    """The request, past the gate towards its pupil; ``look`` puts it on record.

    The role is judged before the request is looked up, and who may not see the pupil learns of no request.
    Raises NotAllowed, NoSuchRequest.
    """
    if not who.can_ever(action):
        who.may(action)
    found = who.records.request(request_id)
    try:
        (who.see if look else who.may)(action, found.asked.pupil_id)
    except NoSuchPupil:
        raise NoSuchRequest(NOT_HERE) from None
    return found
