"""The code on a card or letter: a telephone or tablet that looks at it opens the sign-in page, the words filled in."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

import segno
from markupsafe import Markup

QUIET = 4
"""The white edge a code needs, in its own dots (ISO/IEC 18004)."""


def sign_in_address(base: str, school_id: UUID, words: str = "") -> str:
    """Where somebody signs in. What they would type stands behind the #: browsers send that to nobody, so it is in no
    log; it is unguessable and says nothing of whose it is.
    """
    return f"{base}/sign-in?school={school_id}" + (f"#card={quote(words)}" if words else "")


def drawn(address: str) -> Markup:
    """An address as a code, dark on white whatever the page looks like."""
    code = segno.make(address, error="m", micro=False, boost_error=False)
    text = code.svg_inline(border=QUIET, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True)
    # the text of a code of our own: nothing in it was typed by anybody
    return Markup(text.replace("<svg ", '<svg aria-hidden="true" ', 1))  # noqa: S704
