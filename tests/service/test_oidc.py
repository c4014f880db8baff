"""Signing in with a provider, against a whole OpenID provider on this machine that insists on PKCE."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient

from astrack.changing import Ask
from astrack.server.site import build
from domain.base import Actor
from domain.identity import SchoolName

URN = "900123"


@dataclass
class At:
    """The site with a provider behind it."""

    world: Any
    site: Any
    issuer: str

    def browser(self) -> TestClient:
        return TestClient(self.site, base_url="https://astrack.test", raise_server_exceptions=False)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider that takes no code without the verifier it was asked for with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import oidc_provider_mock
        from authlib.oauth2.rfc7636 import CodeChallenge
        from oidc_provider_mock import _app

    asked: dict[str, str] = {}

    class Challenged(CodeChallenge):
        def get_authorization_code_challenge(self, authorization_code: Any) -> str:
            return asked[authorization_code.code]

        def get_authorization_code_challenge_method(self, authorization_code: Any) -> str:
            return "S256"

    grant, save = _app.AuthorizationCodeGrant, _app.AuthorizationCodeGrant.save_authorization_code

    def saving(self: Any, code: str, request: Any) -> Any:
        asked[code] = request.payload.data.get("code_challenge")
        return save(self, code, request)

    patch = pytest.MonkeyPatch()
    patch.setattr(grant, "save_authorization_code", saving)
    patch.setattr(grant, "TOKEN_ENDPOINT_AUTH_METHODS", ["client_secret_basic"])
    server = _app.flask_oauth2.AuthorizationServer
    register = server.register_grant

    def registering(self: Any, one: Any, extensions: Any = None) -> Any:
        more = [*(extensions or []), Challenged(required=True)] if one is grant else extensions
        return register(self, one, more)

    patch.setattr(server, "register_grant", registering)
    users = [
        oidc_provider_mock.User(sub="quince"),
        oidc_provider_mock.User(sub="strong", claims={"amr": ["pwd", "mfa"]}),
        oidc_provider_mock.User(sub="dfe", claims={"organisation": {"urn": URN, "name": "Mill Lane"}}),
        oidc_provider_mock.User(sub="elsewhere", claims={"organisation": {"urn": "900999"}}),
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as running, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield f"http://localhost:{running.server_port}"
    patch.undo()


@pytest.fixture
def at(school: Any, issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> At:
    secret = tmp_path / "secret"
    secret.write_text("the client's secret\n")
    providers = tmp_path / "sign-in.toml"
    lines = [
        f'[[provider]]\nname="{name}"\nwords="{name}"\nkind="{kind}"\nissuer="{issuer}"\nclient_id="astrack"\n'
        f'client_secret_file="{secret}"\n'
        for name, kind in (("google", "google"), ("microsoft", "microsoft"), ("dfe", "dfe"))
    ]
    providers.write_text("\n".join(lines))
    monkeypatch.setattr(school.app, "settings", replace(school.app.settings, providers=providers))
    # a provider's clock is the real one
    monkeypatch.setattr(school.app, "clock", lambda: datetime.now(UTC))
    return At(school, build(school.app), issuer)


def away(address: str, sub: str) -> str:
    """What somebody does at the provider: choose an account; where that sends the browser back to."""
    answer = httpx.post(address, data={"sub": sub})
    assert answer.status_code in (302, 303), answer.text[:500]
    return str(answer.headers["location"]).replace("https://astrack.test", "")


def linked(at: At, sub: str, provider: str = "google") -> TestClient:
    browser = at.browser()
    code = at.site.state.sessions.credentials(at.world.school_id).code(at.world.staff["tutor"])
    browser.post("/api/v1/sign-in", json={"school_id": str(at.world.school_id), "code": code})
    off = browser.get(f"/second-factor/link/{provider}", follow_redirects=False)
    assert off.status_code == 303, off.text
    assert browser.get(away(off.headers["location"], sub)).status_code == 200
    return browser


def signed_in_with(at: At, sub: str, provider: str = "google", school: Any = None) -> tuple[TestClient, Any]:
    browser = at.browser()
    query = f"?school={school or at.world.school_id}" if provider != "dfe" else ""
    off = browser.get(f"/sign-in/with/{provider}{query}", follow_redirects=False)
    return browser, browser.get(away(off.headers["location"], sub))


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_an_account_that_its_person_linked_signs_them_in(at: At, provider: str) -> None:
    linked(at, "quince", provider)
    browser, answer = signed_in_with(at, "quince", provider)
    assert answer.status_code == 200, answer.text
    me = browser.get("/api/v1/me").json()
    assert (me["id"], me["role"]) == (str(at.world.staff["tutor"]), "tutor")


def test_an_account_nobody_linked_signs_nobody_in(at: At) -> None:
    browser, answer = signed_in_with(at, "stranger")
    assert answer.status_code == 401
    assert browser.get("/api/v1/me").status_code == 401


def test_a_second_factor_given_at_the_provider_counts_and_a_password_there_does_not(at: At, monkeypatch: Any) -> None:
    for sub in ("quince", "strong"):
        linked(at, sub)
    monkeypatch.setattr(at.world.app, "settings", replace(at.world.app.settings, second_factor=True))
    factors = [signed_in_with(at, sub)[0].get("/api/v1/me").json()["factor"] for sub in ("quince", "strong")]
    assert factors == ["to_enrol", "proved"]


def test_dfe_sign_in_says_by_urn_which_school(at: At) -> None:
    office = Ask(Actor(id=at.world.staff["head"], role="administrator"), "urn")
    name = SchoolName(school_id=at.world.school_id, name="Mill Lane Primary", urn=URN)
    at.world.records.register_school(office, name)
    linked(at, "dfe", "dfe")
    browser, answer = signed_in_with(at, "dfe", "dfe")
    assert answer.status_code == 200, answer.text
    assert browser.get("/api/v1/me").json()["school_id"] == str(at.world.school_id)
    assert signed_in_with(at, "elsewhere", "dfe")[1].status_code == 401


@pytest.mark.parametrize("what", ["state", "state beyond ASCII", "code", "cookie", "iss"])
def test_an_answer_that_was_not_asked_for_here_is_refused(at: At, what: str) -> None:
    linked(at, "quince")
    browser = at.browser()
    off = browser.get(f"/sign-in/with/google?school={at.world.school_id}", follow_redirects=False)
    back = urlsplit(away(off.headers["location"], "quince"))
    given = {name: values[0] for name, values in parse_qs(back.query).items()}
    if what == "cookie":
        browser.cookies.clear()
    else:
        given[what.split()[0]] = "ŷ" if "ASCII" in what else "https://another.example"
    assert browser.get(back.path, params=given).status_code == 401
    assert browser.get("/api/v1/me").status_code == 401


def test_a_code_is_worth_nothing_without_the_verifier(at: At) -> None:
    browser = at.browser()
    off = browser.get(f"/sign-in/with/google?school={at.world.school_id}", follow_redirects=False)
    code = parse_qs(urlsplit(away(off.headers["location"], "quince")).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code,
            "redirect_uri": "https://astrack.test/sign-in/with/google/back"}  # fmt: skip
    refused = httpx.post(f"{at.issuer}/oauth2/token", data=form, auth=("astrack", "the client's secret"))
    assert refused.status_code == 400


def test_a_provider_that_does_not_answer_is_said_so(at: At, monkeypatch: Any) -> None:
    provider = at.site.state.oidc.providers["google"]
    at.site.state.oidc.providers["google"] = provider.model_copy(update={"issuer": "http://localhost:9"})
    answer = at.browser().get(f"/sign-in/with/google?school={at.world.school_id}", follow_redirects=False)
    assert answer.status_code == 503
