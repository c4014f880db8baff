"""A typed client of the API, for other software of a school: ``Client`` with one attribute for each topic.

It stands on httpx and pydantic alone and imports nothing else of astrack: the folder can be copied elsewhere.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from astrack.client import problems as problems
from astrack.client.accreditation import AccreditationCalls
from astrack.client.audit import AuditCalls
from astrack.client.calling import TIMEOUT_S, TRIES, Misread, OutOfReach, Problem, Unchanged, every
from astrack.client.guidance import GuidanceCalls
from astrack.client.keys_and_boxes import KeysAndBoxesCalls
from astrack.client.lists import ListsCalls
from astrack.client.plans import PlansCalls
from astrack.client.pupils import PupilsCalls
from astrack.client.reports import ReportsCalls
from astrack.client.rights import RightsCalls
from astrack.client.roster import RosterCalls
from astrack.client.safeguarding import SafeguardingCalls
from astrack.client.school import SchoolCalls
from astrack.client.sign_in import SignInCalls
from astrack.client.staff import StaffCalls
from astrack.client.training import TrainingCalls
from astrack.client.transfers import TransfersCalls
from astrack.client.truth import TruthCalls
from astrack.client.webhooks import WebhooksCalls

__all__ = ["Client", "Misread", "OutOfReach", "Problem", "Unchanged", "every", "problems"]


class Client:
    """One service, asked as one caller.

    Args:
        address: where the service is reached, such as ``https://astrack.example.org``.
        key: a service client's key; without one, sign in through ``sign_in`` and the session is kept.
        timeout_s: how long one try may take.
        tries: how often a look, or a change with its key, is tried when the service cannot be reached.
        http: a client of one's own in place of one made here, with its own timeout, address and way of proving itself.

    """

    def __init__(
        self,
        address: str = "",
        key: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        tries: int = TRIES,
        http: httpx.Client | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.http = http or httpx.Client(base_url=address, headers=headers, timeout=timeout_s)
        asked = (self.http, tries)
        self.accreditation = AccreditationCalls(*asked)
        self.audit = AuditCalls(*asked)
        self.guidance = GuidanceCalls(*asked)
        self.keys_and_boxes = KeysAndBoxesCalls(*asked)
        self.lists = ListsCalls(*asked)
        self.plans = PlansCalls(*asked)
        self.pupils = PupilsCalls(*asked)
        self.reports = ReportsCalls(*asked)
        self.rights = RightsCalls(*asked)
        self.roster = RosterCalls(*asked)
        self.safeguarding = SafeguardingCalls(*asked)
        self.school = SchoolCalls(*asked)
        self.sign_in = SignInCalls(*asked)
        self.staff = StaffCalls(*asked)
        self.training = TrainingCalls(*asked)
        self.transfers = TransfersCalls(*asked)
        self.truth = TruthCalls(*asked)
        self.webhooks = WebhooksCalls(*asked)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()
