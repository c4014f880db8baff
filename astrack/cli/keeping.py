"""Keeping the store: backups and what comes back from them, and new keys in place of old ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from astrack.cli import common as c
from astrack.cli.audit import Unsound
from astrack.store import backup as backups

RecordOption = Annotated[Path, typer.Option("--record", help="The folder for the facts, encrypted.")]
KeysOption = Annotated[Path, typer.Option("--keys", help="The folder for the wrapped keys: keep only its newest copy.")]


def backup(record: RecordOption, keys: KeysOption) -> None:
    """Write a backup while the service runs: the facts and their keys apart. The root key is in neither."""
    count = backups.backup(c.settings(), record, keys)
    c.out.print(
        f"Backed up {count} logs: the facts in {record}, their keys in {keys}. Keep the root key apart from both."
    )


def restore(record: RecordOption, keys: KeysOption) -> None:
    """Bring a backup into an empty database, erase again what had been erased since, and check everything."""
    done = backups.restore(c.settings(), record, keys, datetime.now(UTC))
    for school, finding in done.findings:
        c.out.print(f"school {school}{c.at(finding.position)}: {finding.what}")
    c.out.print(f"{done.logs} logs are back; {done.erased_again} streams were erased again.")
    if done.findings:
        raise Unsound("what is back is not all there was: see the list above, or restore a newer backup")
    c.out.print("Now run `astrack rebuild`: views are not in a backup.")


def rotate_root() -> None:
    """Make a new root key, wrap every school's key under it, and destroy the old one. The service may run."""
    with c.opened() as app, c.counted("Wrapping anew") as move:
        count = app.store.rotate_root(move)
    c.out.print(f"{count} schools' keys are under a new root key. Back the new root key up, apart from the database.")


def rotate_school(school: Annotated[str | None, c.SchoolOption] = None) -> None:
    """Give a school a new key, wrap its streams' keys under it, and destroy the old one. The service may run."""
    with c.school_opened(school) as (app, records), c.counted("Wrapping anew") as move:
        count = app.store.rotate_school_key(records.school_id, move)
    c.out.print(f"{count} keys are under the school's new key; the old one is gone. Back the keys up again.")
