"""Roots of a school's log as it grew, kept sealed: what was logged by then cannot be taken out, put in or moved since.

A chain says what follows what within a stream; only the root over all leaves says at which position of the log an
entry stood. Each root is sealed under the school's key and bound to its size, so whoever writes to the database
without the key cannot make one that opens.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from astrack.store.database import Statement
from astrack.store.log import SchoolLog
from astrack.store.tree import Tree
from astrack.store.vault import Vault
from transfer.evidence import merkle

PREFIX = "roots/"
EVERY = timedelta(hours=1)
PAGE = 500
NEWEST = (
    "SELECT name, kept_at FROM record.vault WHERE school_id = %s AND starts_with(name, 'roots/')"
    " ORDER BY name DESC LIMIT 1"
)
ALL = (
    "SELECT name, sealed FROM record.vault WHERE school_id = %s AND starts_with(name, 'roots/') AND name > %s"
    " ORDER BY name LIMIT %s"
)


def keeping(vault: Vault, size: int, root: bytes, at: datetime) -> Statement:
    """The statement that keeps the root of the first ``size`` entries; the first one kept for a size stays.

    It goes with their tiles, in one ``Tree.save``: a root that is kept without them looks like a loss.
    """
    return vault.keeping(f"{PREFIX}{size:015d}", root, at)


def keep_when_due(log: SchoolLog, at: datetime) -> bool:
    """Keep the root of the log as it is, where it has grown since the last one and that is an hour ago."""
    vault, size = Vault(log), log.size()
    rows = log.ask(NEWEST)
    if not size or (rows and (_size(rows[0][0]) >= size or at - rows[0][1] < EVERY)):
        return False
    tree = Tree(vault)
    root = merkle.tree_root(tree.nodes(size), size)
    tree.save(keeping(vault, size, root, at))
    return True


def newest(log: SchoolLog) -> tuple[int, datetime] | None:
    """(size, when) of the last root kept; None before the first."""
    rows = log.ask(NEWEST)
    return (_size(rows[0][0]), rows[0][1]) if rows else None


def kept(log: SchoolLog) -> list[tuple[int, bytes | None]]:
    """(size, root) of every root kept, smallest first; None for one that does not open. Raises KeyMissing."""
    found: list[tuple[int, bytes | None]] = []
    after = ""
    while rows := log.ask(ALL, after, PAGE):
        found += [(_size(name), log.ring.open_small(log.school_id, sealed, b"vault", name.encode()))
                  for name, sealed in rows]  # fmt: skip
        after = rows[-1][0]
    return found


def _size(name: str) -> int:
    return int(name.removeprefix(PREFIX))
