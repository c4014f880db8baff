"""A school system that answers OneRoster 1.2 over HTTP, made from the JSON a test puts into it."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from astrack.roster.asking import Source

ROOT = "/ims/oneroster/rostering/v1p2"
OURS, OTHERS = "our school", "school-2"
Item = dict[str, Any]


def student(number: int, *, year: str = "04", school: str = OURS, **more: Any) -> Item:
    """A user who is a pupil of a school, as the service gives them."""
    return {
        "sourcedId": f"u{number:04}", "status": "active", "givenName": f"Forename{'abcdefghij'[number % 10]}",
        "familyName": f"Hartley{number}", "middleName": "", "identifier": None, "grades": [year], "userIds": [],
        "roles": [{"roleType": "primary", "role": "student", "org": {"sourcedId": school, "type": "org"}}], **more,
    }  # fmt: skip


@dataclass
class SchoolSystem:
    """What the server has, how it pages, and what it was asked. ``meanwhile`` is called after each page."""

    students: list[Item] = field(default_factory=list)
    elsewhere: list[Item] = field(default_factory=list)
    demographics: dict[str, Item] = field(default_factory=dict)
    address: str = ""
    urn: str = "900101"
    page: int = 1000
    counts: bool = True
    secret: str = "drawn by the system: 1/2+3"
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[str], object] = lambda path: None
    refuses: dict[str, int] = field(default_factory=dict)

    def source(self, **more: str) -> Source:
        given = {"address": self.address + ROOT, "token_address": f"{self.address}/token", "client_id": "astrack/1",
                 "secret": self.secret}  # fmt: skip
        return Source(**{**given, **more})

    def collection(self, path: str) -> tuple[str, list[Item]] | None:
        ours = f"/schools/{OURS.replace(' ', '%20')}"
        known = [*self.students, *self.elsewhere]
        return {
            "/orgs": ("orgs", [
                {"sourcedId": OURS, "status": "active", "name": "Brook Primary", "type": "school", "identifier": self.urn},
                {"sourcedId": OTHERS, "status": "active", "name": "Afar", "type": "school", "identifier": "900777"},
            ]),
            f"{ours}/students": ("users", self.students),
            f"{ours}/classes": ("classes", [
                {"sourcedId": "c1", "status": "active", "title": "4B", "classType": "homeroom",
                 "terms": [{"sourcedId": "y27", "type": "academicSession"}]},
            ]),
            f"{ours}/enrollments": ("enrollments", [
                {"sourcedId": f"e-{one['sourcedId']}", "status": "active", "role": "student",
                 "user": {"sourcedId": one["sourcedId"]}, "class": {"sourcedId": "c1"}} for one in self.students
            ]),
            "/academicSessions": ("academicSessions", [
                {"sourcedId": "y27", "status": "active", "title": "2026/27", "type": "schoolYear",
                 "startDate": "2026-09-01", "endDate": "2027-08-31"},
            ]),
            "/demographics": ("demographics", [
                {"sourcedId": one["sourcedId"], "status": "active", "birthDate": f"2017-10-{1 + int(one['sourcedId'][-4:] or 0) % 28:02}",
                 "sex": "female", "asian": "true", **self.demographics.get(one["sourcedId"], {})}
                for one in known
            ]),
        }.get(path)  # fmt: skip


@contextmanager
def serving(system: SchoolSystem) -> Iterator[SchoolSystem]:
    """The system at an address of this machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

        def say(self, status: int, body: Any, **headers: str) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            kind, _, given = self.headers.get("Authorization", "").partition(" ")
            right = base64.b64decode(given) == b"astrack%2F1:drawn%20by%20the%20system%3A%201%2F2%2B3"
            whole = sent.get("grant_type") == ["client_credentials"] and len(sent["scope"][0].split()) == 3
            if kind == "Basic" and right and whole:
                self.say(200, {"access_token": "of-this-run", "token_type": "bearer", "expires_in": 3600})
            else:
                self.say(401, {"error": "invalid_client"})

        def do_GET(self) -> None:
            place = urlsplit(self.path)
            path, asked = place.path.removeprefix(ROOT), parse_qs(place.query)
            system.asked.append(path)
            found = system.collection(path)
            if path in system.refuses or found is None:
                self.say(system.refuses.get(path, 404), {})
                return
            if self.headers.get("Authorization") != "Bearer of-this-run" or asked["sort"] != ["sourcedId"]:
                self.say(401, {})
                return
            name, items = found
            begin = int(asked["offset"][0])
            shown = items[begin : begin + min(system.page, int(asked["limit"][0]))]
            self.say(200, {name: shown}, **({"X_Total_Count": str(len(items))} if system.counts else {}))
            system.meanwhile(path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        system.address = f"http://127.0.0.1:{server.server_port}"
        yield system
        server.shutdown()
