"""Cookies, which no script can read: over HTTPS under a name that a browser takes from this host, over HTTPS, alone.

The prefixes are those of RFC 6265bis, 4.1.3: ``__Host-`` for what belongs to every page, ``__Secure-`` for one path.
"""

from __future__ import annotations

from typing import Literal

from fastapi import Request
from starlette.responses import Response


def read(request: Request, name: str, path: str = "/") -> str | None:
    """What a browser sent back of a cookie that was given to it for a path."""
    return request.cookies.get(_named(request, name, path))


def give(
    request: Request,
    response: Response,
    name: str,
    value: str,
    *,
    samesite: Literal["strict", "lax"] = "strict",
    path: str = "/",
    max_age: int | None = None,
) -> None:
    """Give a browser a cookie; without ``max_age`` (in seconds) it goes when the browser is closed."""
    response.set_cookie(
        _named(request, name, path), value, httponly=True, samesite=samesite, secure=_secure(request), path=path,
        max_age=max_age,
    )  # fmt: skip


def clear(request: Request, response: Response, name: str, path: str = "/") -> None:
    """Take a cookie from a browser."""
    response.delete_cookie(_named(request, name, path), path=path, secure=_secure(request), httponly=True)


def _named(request: Request, name: str, path: str) -> str:
    if not _secure(request):
        return name
    return f"{'__Host-' if path == '/' else '__Secure-'}{name}"


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"
