"""Held against the roots that were kept as the log grew: whether an entry was taken out, put in, moved or altered."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from astrack.store import roots
from astrack.store.log import SchoolLog
from astrack.store.reading import Stored
from astrack.store.types import Finding, KeyMissing
from astrack.store.vault import Vault
from transfer.evidence.merkle import Frontier

GONE = "an older backup has been restored, or entries were removed"


class Covering:
    """Walks a log from its first entry on. ``known``: size and root of a checkpoint kept elsewhere.

    ``size``: how many entries are under a root that was kept; set by ``begin``.
    """

    def __init__(self, log: SchoolLog, known: tuple[int, bytes] | None) -> None:
        self._log, self._known = log, known
        self._due: deque[tuple[int, bytes]] = deque()
        self._tree, self._right, self.size = Frontier(), 0, 0
        self._heads, self._left_at = -1, -1

    def begin(self) -> Iterator[Finding]:
        """Read the roots that were kept."""
        kept: list[tuple[int, bytes]] = []
        try:
            kept = [(size, root) for size, root in roots.kept(self._log) if root is not None]
        except KeyMissing:
            yield Finding(-1, "a root of the log that was kept has been altered: restore it from a backup")
        self.size = kept[-1][0] if kept else 0
        self._due.extend(sorted([*kept, *([self._known] if self._known else [])]))
        yield from self._met([])

    def take(self, rows: Sequence[Stored]) -> Iterator[Finding]:
        """The next entries of the log, in order."""
        for row in rows:
            if row.kind == "heads":
                self._heads = row.position
            elif row.kind == "export":
                self._left_at = self._heads
        yield from self._met([row.leaf for row in rows])

    def end(self) -> Iterator[Finding]:
        """After the last entry: roots of more entries than there are, roots and keys that ought to be there."""
        if self._due:
            more = self._due[-1][0]
            yield Finding(-1, f"a checkpoint of {more} entries is known, but the log has {self._tree.size}: {GONE}")
        if self.size <= self._left_at:
            yield Finding(self._left_at, "a file left under a checkpoint at this entry, but the root kept then is gone")
        if self._heads >= 0 and not Vault(self._log).names("keys/"):
            yield Finding(-1, "the school's own keys are gone: restore them from a backup")

    def _met(self, leaves: Sequence[bytes]) -> Iterator[Finding]:
        at = 0
        while self._due and self._due[0][0] <= self._tree.size + len(leaves) - at:
            size, root = self._due.popleft()
            stop = at + size - self._tree.size
            self._tree.extend(leaves[at:stop])
            at = stop
            if self._tree.root() != root:
                self._due.clear()  # every later root would say the same again
                yield Finding(self._right, self._anew(size, root))
            self._right = size
        self._tree.extend(leaves[at:])

    def _anew(self, size: int, root: bytes) -> str:
        if (size, root) == self._known and size > self.size:
            return (f"the first {size} entries do not have the root of the checkpoint that is known: "
                    "the log has been written anew")  # fmt: skip
        return (f"the entries {self._right} to {size - 1} are not those whose root was kept: "
                "one was taken out, put in, moved or altered")  # fmt: skip
