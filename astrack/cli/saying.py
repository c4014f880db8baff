"""What every command may need to say before anything of it is loaded."""

from __future__ import annotations

from domain.naming import steers

KEYS_DRAWN: list[str] = []
"""The idempotency key drawn last, for the sentence of a failure."""
CALLED: list[str] = ["astrack"]
"""The command that runs, for the log of looks."""


def plain(text: str) -> str:
    """A text for a screen: characters that steer it or turn the direction of writing are shown as escapes."""
    return "".join(f"\\u{ord(one):04x}" if steers(one) and one not in "\n\t" else one for one in text)
