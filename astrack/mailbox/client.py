"""The user's side of a mailbox: sending with tus, and a box's holder listing, fetching and acknowledging."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from astrack.mailbox import guarded
from astrack.mailbox.guarded import Answer, OtherSideSilent
from astrack.mailbox.proof import BoxKey
from domain.base import DomainError

TUS = {"Tus-Resumable": "1.0.0"}
CHUNK_BYTES = 4 << 20
TRIES, PAUSE_S, PAUSE_S_MAX = 6, 0.5, 30.0
BUSY = frozenset({408, 423, 429, 503, 507})
SAID_MAX, LISTED_MAX = 300, 1_000
ITEM = re.compile(r"[0-9a-f]{32}")
Where = Literal["waiting", "collected"]
Progress = Callable[[int], object]
T = TypeVar("T")


class MailboxRefused(DomainError):
    """A mailbox refused what was asked of it."""


class Waiting(BaseModel):
    """One item that waits in a box."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)
    id: str = Field(pattern=f"^{ITEM.pattern}$")
    bytes: int = Field(gt=0, le=2 << 30)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @property
    def etag(self) -> str:
        """How the item is named in conditions."""
        return f'"{self.sha256}"'


class _Busy(Exception):
    """The mailbox asks to come again."""

    def __init__(self, refused: MailboxRefused, wait_s: float) -> None:
        self.refused, self.wait_s = refused, wait_s


class Mailbox:
    """One mailbox, for one thread. ``sleep`` waits between tries. A context manager. Raises AddressWrong."""

    def __init__(self, address: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.address, self._sleep = guarded.checked(address), sleep
        self._http, self._challenge = guarded.opened(), ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def join(self, key: BoxKey, invite: str) -> str:
        """Make a box with an invitation; its token. Raises MailboxRefused, OtherSideSilent."""
        body = json.dumps({"invite": invite, "key": key.public.text}).encode()
        self._again(lambda: self._signed(key, "POST", "/boxes", {"Content-Type": "application/json"}, body))
        return key.token

    def send(
        self, token: str, source: BinaryIO, length: int, sha256: str, progress: Progress = lambda _: None
    ) -> Where:
        """Put an item into a box, going on where an earlier try broke off; where it is now.

        ``progress`` hears how many bytes more have arrived. Raises MailboxRefused, OtherSideSilent.
        """
        digest = base64.b64encode(bytes.fromhex(sha256)).decode()
        headers = {"Upload-Length": str(length), "Astrack-Box": token, "Repr-Digest": f"sha-256=:{digest}:", **TUS}
        begun = self._again(lambda: self._ask("POST", "/uploads", headers))
        # the mailbox says which upload it is; where that is was said by a person
        item = begun.headers.get("location", "").rpartition("/")[2]
        if not ITEM.fullmatch(item):
            raise OtherSideSilent("the mailbox does not say where the upload is: try again later")
        path, told = f"/uploads/{item}", 0
        at = self._again(lambda: self._stands(path, length))
        while at is not None:
            progress(at - told)
            told = at
            if at == length:
                return "waiting"
            at = self._again(partial(self._append, path, source, told, length))
        return "collected"

    def _stands(self, path: str, length: int) -> int | None:
        """How much of an upload has arrived; None when it was collected."""
        stands = self._ask("HEAD", path, TUS, fine=(200, 410))
        return None if stands.status == 410 else _offset(stands, length)

    def _append(self, path: str, source: BinaryIO, at: int, length: int) -> int | None:
        source.seek(at)
        headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(at), **TUS}
        done = self._ask("PATCH", path, headers, source.read(CHUNK_BYTES), fine=(204, 409, 410))
        return _offset(done, length) if done.status == 204 else self._stands(path, length)

    def waiting(self, key: BoxKey) -> list[Waiting]:
        """What waits in a box, the oldest first. Raises MailboxRefused, OtherSideSilent."""
        answer = self._again(lambda: self._signed(key, "GET", "/box"))
        try:
            return [Waiting.model_validate(one) for one in json.loads(answer.body)["items"][:LISTED_MAX]]
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            raise OtherSideSilent("the mailbox does not list the box as it should: try again later") from error

    def fetch(self, key: BoxKey, item: Waiting, path: Path, progress: Progress = lambda _: None) -> None:
        """Bring an item into a file, going on where the file ends. Raises MailboxRefused, OtherSideSilent."""
        path.touch(0o600)
        while path.stat().st_size < item.bytes:
            self._again(lambda: self._fetch(key, item, path, progress))
        with path.open("rb") as source:
            if hashlib.file_digest(source, "sha256").hexdigest() == item.sha256:
                return
        path.unlink()
        raise OtherSideSilent("what came is not what the mailbox said it has: it is fetched anew at the next try")

    def _fetch(self, key: BoxKey, item: Waiting, path: Path, progress: Progress) -> None:
        where, at = f"{self.address}/box/{item.id}", path.stat().st_size
        if not self._challenge:
            self._ask("GET", "/health", {})
        headers = {"Range": f"bytes={at}-", "If-Range": item.etag, **self._proof(key, "GET", f"/box/{item.id}")}
        with guarded.heard(self.address), self._http.stream("GET", where, headers=headers) as reply:
            self._challenge = reply.headers.get("astrack-challenge", "")
            if reply.status_code not in (200, 206):
                body = b"".join(guarded.capped(reply.iter_raw(), guarded.ANSWER_BYTES_MAX))
                refused = Answer(reply.status_code, reply.headers, body)
                if reply.status_code == 401:
                    # the mailbox began anew: its challenge is known now
                    raise _Busy(MailboxRefused(f"the mailbox refused: {_said(refused)}"), 0)
                _fine(refused, ())
            begin = at if reply.status_code == 206 else 0
            with path.open("r+b") as sink:
                sink.truncate(begin)
                sink.seek(begin)
                for block in guarded.capped(reply.iter_raw(), item.bytes - begin, progress):
                    sink.write(block)

    def done(self, key: BoxKey, item: Waiting) -> None:
        """Say that the item is here: the mailbox forgets it. Raises MailboxRefused, OtherSideSilent."""
        gone = (204, 404, 410)
        self._again(lambda: self._signed(key, "DELETE", f"/box/{item.id}", {"If-Match": item.etag}, fine=gone))

    def _signed(
        self,
        key: BoxKey,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        fine: tuple[int, ...] = (200, 201),
    ) -> Answer:
        given = dict(headers or {})
        answer = self._ask(method, path, given | self._proof(key, method, path), content, (*fine, 401))
        if answer.status == 401:
            # the first request of all, or the mailbox began anew: its challenge is known now
            answer = self._ask(method, path, given | self._proof(key, method, path), content, fine)
        return answer

    def _proof(self, key: BoxKey, method: str, path: str) -> dict[str, str]:
        challenge, self._challenge = self._challenge, ""
        return {"Authorization": key.authorization(method, self.address, path, challenge)} if challenge else {}

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        fine: tuple[int, ...] = (200, 201, 204),
    ) -> Answer:
        answer = guarded.ask(self._http, method, self.address + path, headers, content)
        self._challenge = answer.headers.get("astrack-challenge", "")
        return _fine(answer, fine)

    def _again(self, what: Callable[[], T]) -> T:
        """Do something that a broken wire or a busy mailbox may keep from being done, with growing pauses between."""
        for tried in range(TRIES - 1):
            try:
                return what()
            except OtherSideSilent:
                pause = PAUSE_S * 2**tried
            except _Busy as busy:
                pause = max(busy.wait_s, PAUSE_S * 2**tried)
            self._sleep(min(pause, PAUSE_S_MAX))
        try:
            return what()
        except _Busy as busy:
            raise busy.refused from None


def _fine(answer: Answer, fine: tuple[int, ...]) -> Answer:
    if answer.status in fine:
        return answer
    refused = MailboxRefused(f"the mailbox refused: {_said(answer)}")
    if answer.status in BUSY:
        wait = answer.headers.get("retry-after", "")
        raise _Busy(refused, float(wait) if wait.isascii() and wait.isdecimal() else 0)
    raise refused


def _said(answer: Answer) -> str:
    """What a problem says, cut short: another machine's words."""
    try:
        said = json.loads(answer.body)["detail"]
    except (ValueError, KeyError, TypeError):
        said = None
    return said[:SAID_MAX] if isinstance(said, str) and said.isprintable() else f"status {answer.status}"


def _offset(answer: Answer, length: int) -> int:
    text = answer.headers.get("upload-offset", "")
    if not (text.isascii() and text.isdecimal()) or int(text[:16]) > length:
        raise OtherSideSilent("the mailbox does not say how far the upload is: try again later")
    return int(text)
