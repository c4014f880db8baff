"""Rotating keys while the service runs: a school's key, and the root key above all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from astrack.store import keys
from astrack.store.database import Database
from astrack.store.rootkey import RootKey
from astrack.store.types import KeysRotated, SchoolUnknown, StoreError

Progress = Callable[[int, int], None]
BATCH = 500
ATTEMPTS = 50
SCHOOL_KEYS = "SELECT generation, wrapped FROM keys.school_keys WHERE school_id = %s ORDER BY generation"
OLDER = "FROM keys.stream_keys WHERE school_id = %s AND school_generation < %s"
NEXT = f"SELECT stream_id, class, generation, school_generation, wrapped {OLDER} ORDER BY stream_id LIMIT %s"
REWRAP = (
    "UPDATE keys.stream_keys k SET wrapped = u.w, school_generation = %s"
    " FROM unnest(%s::uuid[], %s::int[], %s::bytea[]) AS u(s, g, w)"
    " WHERE k.school_id = %s AND k.stream_id = u.s AND k.generation = u.g"
)
DESTROY = "DELETE FROM keys.school_keys WHERE school_id = %s AND generation < %s"


def rotate_school_key(db: Database, root: RootKey, school: UUID, progress: Progress) -> int:
    """Give a school a new key, wrap its streams' keys under it, destroy the old one; how many were wrapped anew.

    Readers and writers go on: a key made meanwhile under the old one is found and wrapped anew too.
    Raises SchoolUnknown, StoreError when another rotation of the school is under way.
    """
    found = _school_keys(db, root, school)
    newest = max(found) + 1
    fresh = keys.new_key()
    wrapped = root.wrap(fresh, keys.place_of(school, school, 0, newest))
    query = "INSERT INTO keys.school_keys VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING 1"
    if not db.ask(school, (query, (school, newest, wrapped)))[0]:
        raise StoreError("another rotation of this school's key is under way: wait for it to end")
    done = 0
    for _ in range(ATTEMPTS):
        done += _rewrap_all(db, school, found, AESGCM(fresh), newest, done, progress)
        try:
            db.ask(school, (DESTROY, (school, newest)))
        except KeysRotated:
            continue  # somebody made a key under the old one meanwhile
        return done
    raise StoreError("others kept making keys under the old one: rotate again when it is quieter")


def rotate_root(db: Database, root: RootKey, schools: Sequence[UUID], progress: Progress) -> int:
    """Make a new root key, wrap every school's key under it, destroy the old one; how many were wrapped anew."""
    root.renew()
    done = 0
    for number, school in enumerate(schools, 1):
        for generation, wrapped in db.ask(school, (SCHOOL_KEYS, (school,)))[0]:
            place = keys.place_of(school, school, 0, generation)
            if root.newest(wrapped, place):
                continue
            query = "UPDATE keys.school_keys SET wrapped = %s WHERE school_id = %s AND generation = %s AND wrapped = %s"
            fresh = root.wrap(root.unwrap(wrapped, place), place)
            db.ask(school, (query, (fresh, school, generation, wrapped)))
            done += 1
        progress(number, len(schools))
    root.retire()
    return done


def _school_keys(db: Database, root: RootKey, school: UUID) -> dict[int, AESGCM]:
    rows = db.ask(school, (SCHOOL_KEYS, (school,)))[0]
    if not rows:
        raise SchoolUnknown(f"school {school} has no log here: create the school first")
    return {n: AESGCM(root.unwrap(wrapped, keys.place_of(school, school, 0, n))) for n, wrapped in rows}


def _rewrap_all(
    db: Database, school: UUID, under: dict[int, AESGCM], fresh: AESGCM, newest: int, before: int, progress: Progress
) -> int:
    total = before + db.ask(school, (f"SELECT count(*) {OLDER}", (school, newest)))[0][0][0]
    done = 0
    while rows := db.ask(school, (NEXT, (school, newest, BATCH)))[0]:
        wrapped = [_rewrapped(school, under, fresh, row) for row in rows]
        streams, generations = [row[0] for row in rows], [row[2] for row in rows]
        db.ask(school, (REWRAP, (newest, streams, generations, wrapped, school)))
        done += len(rows)
        progress(before + done, max(total, before + done))
    return done


def _rewrapped(school: UUID, under: dict[int, AESGCM], fresh: AESGCM, row: tuple[Any, ...]) -> bytes:
    stream, key_class, generation, school_generation, wrapped = row
    key = keys.bare(under[school_generation], wrapped, school, stream, key_class, generation)
    return keys.wrap(fresh, key, school, stream, key_class, generation)
