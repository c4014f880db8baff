"""The Merkle tree of a school's log, grown as the log grows: kept as tiles, those in use held in memory."""

from __future__ import annotations

import threading

from astrack.store.database import Statement
from astrack.store.vault import Vault
from transfer.evidence import merkle

LEAVES_AT_ONCE = 65_536
HELD_MAX = 2_048
Place = tuple[int, int]
"""A tile: its level, and its place there."""


class Tree:
    """Asked for its nodes, it reads the leaves that came since; ``save`` keeps their tiles.

    What it holds in memory follows from the leaves, so that several processes may do so side by side.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._lock = threading.Lock()
        self._size = -1
        self._held: dict[Place, bytes] = {}
        self._unsaved: set[Place] = set()

    def nodes(self, size: int) -> merkle.Nodes:
        """The nodes of the tree of the first ``size`` leaves."""
        with self._lock:
            if self._size < 0:
                self._size = self._vault.tiled()
            while self._size < size:
                if len(self._held) > HELD_MAX:
                    self._save()
                    self._held.clear()
                self._grow(min(size, self._size + LEAVES_AT_ONCE))
        return merkle.tile_nodes(self._tile)

    def save(self, *also: Statement) -> None:
        """Keep the tiles that are new or longer, and what the other statements say, all or nothing."""
        with self._lock:
            self._save(*also)

    def _save(self, *also: Statement) -> None:
        tiles = [self._vault.keeping_tile(*place, self._held[place]) for place in sorted(self._unsaved)]
        self._vault.log.tell([*tiles, *also])
        self._unsaved.clear()

    def _grow(self, size: int) -> None:
        leaves = self._vault.log.leaves(self._size, size)
        changed = merkle.new_tiles(self._size, leaves, self._tile)
        self._held |= changed
        self._unsaved |= changed.keys()
        self._size += len(leaves)

    def _tile(self, level: int, place: int) -> bytes:
        found = self._held.get((level, place))
        if found is None:
            found = self._held[level, place] = self._vault.tile(level, place)
        return found
