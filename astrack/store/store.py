"""The store of all schools: opens the database, migrates it, and hands out each school's log."""

from __future__ import annotations

import hmac
import threading
from datetime import datetime
from types import TracebackType
from typing import Self
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from astrack.settings import Settings
from astrack.store import beginning, database, keys
from astrack.store.embedded import Embedded
from astrack.store.log import SchoolLog
from astrack.store.pool import Connection
from astrack.store.rootkey import FileRootKey, HeldRootKey, RootKey
from astrack.store.rotation import Progress, rotate_root, rotate_school_key
from astrack.store.transit import TransitRootKey
from astrack.store.types import BadSetting

NEW_SCHOOL_KEYS = (
    "WITH fresh AS (INSERT INTO keys.school_keys VALUES (%s, 1, %s) ON CONFLICT DO NOTHING RETURNING 1)"
    " INSERT INTO keys.stream_keys SELECT %s, %s, %s, 1, 1, %s FROM fresh"
)


def looks_log(school_id: UUID) -> UUID:
    """The id under which a school's log of who looked is kept: a log of its own, with its own order and keys."""
    return uuid5(school_id, "access")


class Store:
    """All schools of one database. Use as a context manager; safe to share between threads."""

    settings: Settings | None = None

    def __init__(self, db: database.Database, root: RootKey, embedded: Embedded | None) -> None:
        self._db, self._root, self._embedded = db, root, embedded
        self._logs: dict[UUID, SchoolLog] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, settings: Settings, *, create: bool = True) -> Store:
        """Start the embedded PostgreSQL where no URL is set, migrate, and check the roles.

        Makes what is not there yet, or with ``create`` off refuses: only what begins a record may make a database.
        A root key is drawn for an empty database alone: one that holds records has its own. Raises BadSetting.
        """
        drawn = not (settings.root_key or settings.transit_url or settings.root_key_path.exists())
        # a key that cannot be used is told before anything is made
        root = None if drawn else root_key(settings, create=False)
        embedded = beginning.server(settings, create)
        try:
            admin = beginning.admin(settings, embedded, create)
            root = root or root_key(settings, create=create and not beginning.prepared(admin))
            secret = embedded.secret if embedded else root.secret()
            service, projector = database.logins(admin, secret, embedded, settings.database)
            revive = embedded.revive if embedded else None
            db = database.Database(service, projector, settings.pool_size, settings.timeout_s, revive)
            store = cls(db, root, embedded)
            store.settings = settings
            return store
        except BaseException:
            if embedded is not None:
                embedded.stop()
            raise

    def close(self) -> None:
        """Close every connection; stop the embedded PostgreSQL when no other process uses it."""
        self._db.close()
        if self._embedded is not None:
            self._embedded.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def create_school(self, school_id: UUID, at: datetime) -> None:
        """Begin a school's log at an instant; does nothing where it already exists."""
        school_key, own = keys.new_key(), keys.new_key()
        wrapped = self._root.wrap(school_key, keys.place_of(school_id, school_id, 0, 1))
        own_wrapped = keys.wrap(AESGCM(school_key), own, school_id, school_id, keys.SCHOOL_CLASS, 1)
        self._db.ask(
            school_id,
            ("SELECT record.open_school(%s, %s)", (school_id, at)),
            (NEW_SCHOOL_KEYS, (school_id, wrapped, school_id, school_id, keys.SCHOOL_CLASS, own_wrapped)),
        )

    def derived(self, label: bytes) -> bytes:
        """32 bytes of this installation for one purpose, the same in every process of it and after a rotation."""
        return hmac.digest(self._root.secret(), b"astrack/derived/" + label, "sha256")

    def connect(self, *, projector: bool) -> Connection:
        """A connection of one's own, as the projector or as the service: for bulk work. The caller closes it."""
        return self._db.connect(projector=projector)

    def schools(self) -> list[UUID]:
        """The schools that have a log here, in the order of their ids; their look logs are not schools."""
        listed = self.logs()
        looks = {looks_log(school) for school in listed}
        return [school for school in listed if school not in looks]

    def rotate_school_key(self, school_id: UUID, progress: Progress = lambda done, total: None) -> int:
        """Give a school a new key and destroy the old one, while everybody goes on; how many keys were wrapped anew.

        ``progress`` is called with how many of how many are done. Raises SchoolUnknown, StoreError.
        """
        return rotate_school_key(self._db, self._root, school_id, progress)

    def rotate_root(self, progress: Progress = lambda done, total: None) -> int:
        """Make a new root key, wrap every school's key under it, and destroy the old one; how many were wrapped anew.

        Other processes read the new key from the file when they meet it. ``progress`` counts schools.
        """
        return rotate_root(self._db, self._root, self.logs(), progress)

    def replay_erasures(self, at: datetime, progress: Progress = lambda done, total: None) -> int:
        """After a restore: erase again whatever the keys' own backup says had been erased; how many streams."""
        schools = self.logs()
        done = 0
        for number, school in enumerate(schools, 1):
            done += len(self.log(school).replay_erasures(at))
            progress(number, len(schools))
        return done

    def logs(self) -> list[UUID]:
        """Every log here, the looks' logs too."""
        return [school for (school,) in self._db.ask(None, ("SELECT record.list_schools()", ()))[0]]

    def sizes(self) -> dict[UUID, int]:
        """How many entries each log here has, the looks' logs too; one question."""
        return dict(self._db.ask(None, ("SELECT school_id, entries FROM record.log_sizes()", ()))[0])

    def log(self, school_id: UUID) -> SchoolLog:
        """The log of one school."""
        with self._lock:
            if school_id not in self._logs:
                self._logs[school_id] = SchoolLog(self._db, self._root, school_id)
            return self._logs[school_id]


def root_key(settings: Settings, create: bool = True) -> RootKey:
    """The root key the settings name: a key service's, the environment's, or that of a file (made where ``create``)."""
    if settings.transit_url:
        if settings.transit_token_file is None:
            raise BadSetting("ASTRACK_TRANSIT_URL is set but ASTRACK_TRANSIT_TOKEN_FILE is not: name the token's file")
        return TransitRootKey(settings.transit_url, settings.transit_key, settings.transit_token_file)
    if settings.root_key:
        return HeldRootKey(settings.root_key, "ASTRACK_ROOT_KEY")
    return FileRootKey(settings.root_key_path, create)
