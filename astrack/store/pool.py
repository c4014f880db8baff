"""Connections of one login: the one used last is used next, so that its plans and the server's caches are warm."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from astrack.store.types import StoreUnavailable

Connection = psycopg.Connection[tuple[Any, ...]]
CONNECT_S = 10
FRESH_S = 0.05
IDLE = psycopg.pq.TransactionStatus.IDLE


class Pool:
    """At most ``size`` connections, made when they are needed; ``prepare`` readies each for its role."""

    def __init__(
        self, conninfo: str, prepare: Callable[[Connection], None], size: int, timeout_s: float, more: str = ""
    ) -> None:
        self._conninfo, self._prepare, self._timeout_s = conninfo, prepare, timeout_s
        self._free = threading.Semaphore(size)
        self._idle: list[tuple[Connection, float]] = []
        self._options = (
            f"-c statement_timeout={int(timeout_s * 1000)} -c timezone=UTC -c standard_conforming_strings=on{more}"
        )

    def take(self) -> Connection:
        """A connection that works, as far as can be seen. Raises StoreUnavailable, psycopg.OperationalError."""
        if not self._free.acquire(timeout=self._timeout_s):
            raise StoreUnavailable("all connections are busy: repeat with the same idempotency key, or raise "
                                   "ASTRACK_POOL_SIZE")  # fmt: skip
        try:
            return self._usable() or self._connected()
        except BaseException:
            self._free.release()
            raise

    def give(self, conn: Connection) -> None:
        """Hand back what ``take`` gave."""
        if conn.pgconn.transaction_status != IDLE:  # a closed one is in no known state
            conn.close()
        else:
            self._idle.append((conn, time.monotonic()))
        self._free.release()

    def close(self) -> None:
        """Close every connection that nobody is using."""
        while self._idle:
            self._idle.pop()[0].close()

    def _usable(self) -> Connection | None:
        while self._idle:
            try:
                conn, used = self._idle.pop()
            except IndexError:
                return None
            if time.monotonic() - used < FRESH_S or not _cut(conn):
                return conn
            conn.close()
            self.close()  # a server that closed one has closed them all
        return None

    def _connected(self) -> Connection:
        conn: Connection = psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=CONNECT_S,
            options=self._options,
            # a server that has gone without a word is noticed as soon as one that says it takes too long
            tcp_user_timeout=int(self._timeout_s * 1000),
            keepalives_idle=max(1, int(self._timeout_s)),
            keepalives_interval=max(1, int(self._timeout_s / 5)),
            keepalives_count=3,
            # psycopg's own prepared statements end with DEALLOCATE ALL after a rollback, and would take ours along
            prepare_threshold=None,
        )
        try:
            self._prepare(conn)
        except BaseException:
            conn.close()
            raise
        return conn


def _cut(conn: Connection) -> bool:
    # an idle connection has nothing to say: a readable one has been closed by the server
    poll = select.poll()
    poll.register(conn.fileno(), select.POLLIN)
    return bool(poll.poll(0))
