"""Who stands at a page's door: sessions, the gate, and what is shown when something is refused."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from astrack import errors
from astrack.access import SecondFactorNeeded, SignInNeeded
from astrack.access.callers import Caller, caller_of, half_caller_of
from astrack.changing import RecordMoved
from astrack.web.forms import Form, read_form
from astrack.web.lang import language_of
from astrack.web.meanwhile import meanwhile
from astrack.web.site import HEADERS, BadForm, site_of
from astrack.web.welsh import translator
from domain.base import DomainError

TOLD = {
    401: "Please sign in",
    403: "This is not part of your role",
    404: "There is nothing here for you",
    409: "This cannot be done as things stand",
    412: "Somebody wrote here while you did",
    413: "That is too large",
    422: "Something in it needs another look",
    429: "Too many tries",
    503: "One moment, please",
}


def caller(request: Request) -> Caller:
    """Who is signed in, acting in one role. Raises SignInNeeded."""
    found = caller_of(request)
    request.state.viewer, request.state.choices = found.viewer, found.signed.choices
    request.state.shown = found.signed.shown
    return found


def half_caller(request: Request) -> Caller:
    """Who is signed in and may still owe a second factor. Raises SignInNeeded."""
    return half_caller_of(request)


async def form(request: Request) -> Form:
    """The form that was sent, checked. Raises BadForm."""
    return await read_form(request, site_of(request))


Who = Annotated[Caller, Depends(caller)]
Half = Annotated[Caller, Depends(half_caller)]
Sent = Annotated[Form, Depends(form)]
REFUSALS = (DomainError, ValidationError, BadForm)
"""What a form's own page catches, to show it again with what was typed."""


def said(error: Exception) -> str:
    """A refusal as a sentence for a page; where others wrote meanwhile, what they wrote."""
    if isinstance(error, RecordMoved) and error.news:
        return meanwhile(error.news)
    return _capital(str(error) if isinstance(error, BadForm) else errors.sentence(error))


def status_of(error: Exception) -> int:
    """The status of a page that shows a refusal."""
    return 422 if isinstance(error, BadForm) else errors.row(error).status


class PageRoute(APIRoute):
    """A route whose refusals are pages: what happened, and what was typed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with refusals turned into pages; what nobody expected goes on to the server's own handler."""
        original = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                if "%00" in request.url.query:  # no database holds it, and nobody types it
                    raise BadForm("The address holds a character that no text has: open the page again from its menu.")
                return await original(request)
            except SignInNeeded:
                return _to_sign_in(request)
            except SecondFactorNeeded:
                return RedirectResponse("/second-factor", 303, HEADERS)
            except BadForm as refused:
                return refusal(request, 422, str(refused))
            except RequestValidationError as error:
                if any(one["loc"][0] == "path" for one in error.errors()):
                    # a part of the address that cannot be read, such as an id: there is no such page
                    raise HTTPException(404) from error
                return refusal(request, status_of(error), said(error))
            except Exception as error:
                if errors.row(error).slug == "unexpected":
                    raise
                return refusal(request, status_of(error), said(error), again=isinstance(error, RecordMoved))

        return handle


def refusal(request: Request, status: int, sentence: str, *, again: bool = False) -> Response:
    """A page that says what happened, where to go, and keeps what was typed; ``again``: and offers to send it now."""
    site, viewer = site_of(request), getattr(request.state, "viewer", None)
    form: Form = getattr(request.state, "form", Form())
    language = language_of(request) if viewer is None or viewer.role == "pupil" else "en"
    tr = translator(language)
    return site.page(
        request,
        "refused.html",
        status=status,
        viewer=viewer,
        lang=language,
        tr=tr,
        heading=tr(TOLD.get(status, "That did not work")),
        sentence=(english := _capital(sentence)),
        told=tr(english),
        typed=form.shown(),
        again=form.again() if again else (),
        back=back_to(request),
    )


def back_to(request: Request) -> str:
    """The page of ours that this request came from; the start page where it does not say."""
    came_from = request.headers.get("referer", "")
    own = f"{request.url.scheme}://{request.url.netloc}"
    return came_from.removeprefix(own) if came_from.startswith(own + "/") else "/"


def _to_sign_in(request: Request) -> Response:
    path = request.url.path if request.method == "GET" else "/"
    return RedirectResponse(f"/sign-in?next={quote(path)}", 303, HEADERS)


def _capital(sentence: str) -> str:
    words = sentence[:1].upper() + sentence[1:]
    return words if words.endswith((".", "!", "?")) else words + "."
