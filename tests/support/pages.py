"""A reader of pages for tests: signs in, opens a page, finds its forms, sends one as a browser without scripts would."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from astrack.server.site import build
from tests.support.small_school import SmallSchool

ORIGIN = "https://astrack.test"


@dataclass
class Found:
    """One form of a page: where it goes and what it already holds (the first button's value left out)."""

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Found] = []
        self.open: Found | None = None
        self.select: str = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.open = Found(of.get("action", ""), of.get("method", "get"))
            self.forms.append(self.open)
        elif self.open is None:
            return
        elif tag == "input" and (of.get("type") not in ("checkbox", "radio", "file") or "checked" in of):
            self.open.values.setdefault(of.get("name", ""), []).append(of.get("value", ""))
        elif tag == "textarea":
            self.open.values.setdefault(of.get("name", ""), []).append("")
        elif tag == "select":
            self.select = of.get("name", "")
        elif tag == "option" and self.select and (self.select not in self.open.values or "selected" in dict(attrs)):
            self.open.values[self.select] = [of.get("value", "")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "select":
            self.select = ""


def forms(page: httpx.Response) -> list[Found]:
    """The forms of a page."""
    reader = _Forms()
    reader.feed(page.text)
    return reader.forms


def form(page: httpx.Response, action: str) -> Found:
    """The first form whose address ends like this."""
    found = next((one for one in forms(page) if one.action.endswith(action)), None)
    assert found is not None, f"no form to {action} on {page.url}: {[one.action for one in forms(page)]}"
    return found


class Reader:
    """Somebody with a browser; signed in as a role or a pupil, or nobody."""

    def __init__(self, site: FastAPI, small: SmallSchool, who: str = "") -> None:
        self.client = TestClient(site, base_url=ORIGIN, raise_server_exceptions=False, follow_redirects=True)
        self.small = small
        if who:
            self.sign_in(who)

    def sign_in(self, who: str) -> None:
        made = self.client.app.state.sessions.credentials(self.small.school_id)  # type: ignore[attr-defined]
        code = self.small.code_of(made, who)
        answer = self.send(self.get("/sign-in"), "/sign-in", school=str(self.small.school_id), code=code)
        assert answer.status_code == 200, answer.text

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def send(self, page: httpx.Response, action: str, **values: Any) -> httpx.Response:
        """Send a form of a page with some values changed; None leaves a field out."""
        found = form(page, action)
        filled = {name: value for name, value in {**found.values, **values}.items() if value is not None}
        return self.client.post(found.action, data=filled, headers={"Origin": ORIGIN, "Referer": str(page.url)})

    def post(self, path: str, **values: Any) -> httpx.Response:
        """Send what no page of ours holds."""
        return self.client.post(path, data=values, headers={"Origin": ORIGIN})


def served(small: SmallSchool) -> FastAPI:
    """The whole service over a small school."""
    return build(small.app)


def offered(page: httpx.Response, name: str) -> list[str]:
    """The first choice a page offers under a name."""
    return re.findall(f'name="{name}" value="([^"]+)"', page.text)[:1]
