"""The event store: one append-only, encrypted, provable log for each school, on PostgreSQL.

with Store.open(settings) as store:
    store.create_school(school_id, now)
    log = store.log(school_id)
    log.append([Change(stream_id, StreamClass.JOURNEY, -1, (event,))], idempotency=None)
"""

from astrack.store.database import Statement
from astrack.store.log import SchoolLog
from astrack.store.store import Store, looks_log
from astrack.store.types import (
    BadSetting,
    Change,
    ClockBehind,
    DeadLetter,
    ErasureReport,
    Idempotency,
    KeyMissing,
    KeyReused,
    KeysRotated,
    PupilStreams,
    Row,
    SchoolUnknown,
    StoreError,
    StoreUnavailable,
    Stream,
    StreamErased,
    StreamHeld,
    UnsafeRole,
    VersionClash,
)
from astrack.store.writing import Also, KeyOf

__all__ = [
    "Also",
    "BadSetting",
    "Change",
    "ClockBehind",
    "DeadLetter",
    "ErasureReport",
    "Idempotency",
    "KeyMissing",
    "KeyOf",
    "KeyReused",
    "KeysRotated",
    "PupilStreams",
    "Row",
    "SchoolLog",
    "SchoolUnknown",
    "Statement",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "Stream",
    "StreamErased",
    "StreamHeld",
    "UnsafeRole",
    "VersionClash",
    "looks_log",
]
