"""The Merkle tree of a school's log, grown as the log grows: kept as tiles, its edge held in memory."""

from __future__ import annotations

import threading

from astrack.store.vault import Vault
from transfer.evidence import merkle

LEAVES_AT_ONCE = 65_536
FULL_BYTES = merkle.TILE_WIDTH * merkle.HASH_BYTES
FULL_MAX = 2_048


class Tree:
    """Asked for its nodes, it reads the leaves that came since; tiles are kept at first and with every 256 more.

    What it holds in memory follows from the leaves, so that several processes may do so side by side.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._lock = threading.Lock()
        self._size = self._kept = -1
        self._edge: dict[tuple[int, int], bytes] = {}
        self._full: dict[tuple[int, int], bytes] = {}

    def nodes(self, size: int) -> merkle.Nodes:
        """The nodes of the tree of the first ``size`` leaves."""
        with self._lock:
            if self._size < 0:
                self._size = self._kept = self._vault.tiled()
            while self._size < size:
                self._grow(min(size, self._size + LEAVES_AT_ONCE))
        return merkle.tile_nodes(self._tile)

    def _grow(self, size: int) -> None:
        leaves = self._vault.log.leaves(self._size, size)
        self._edge |= merkle.new_tiles(self._size, leaves, self._tile)
        self._size += len(leaves)
        if not self._kept or self._size - self._kept >= merkle.TILE_WIDTH:
            self._vault.keep_tiles(self._edge)
            self._kept = self._size
            done = {place: data for place, data in self._edge.items() if len(data) == FULL_BYTES}
            self._edge = {place: data for place, data in self._edge.items() if place not in done}
            self._remember(done)

    def _remember(self, tiles: dict[tuple[int, int], bytes]) -> None:
        if len(self._full) + len(tiles) > FULL_MAX:
            self._full.clear()
        self._full |= tiles

    def _tile(self, level: int, place: int) -> bytes:
        found = self._edge.get((level, place)) or self._full.get((level, place))
        if found is None:
            found = self._vault.tile(level, place)
            if len(found) == FULL_BYTES:
                self._remember({(level, place): found})
        return found
