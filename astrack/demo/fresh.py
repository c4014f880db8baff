"""A place for the demo's data, apart from everybody else's, empty at each start."""

from __future__ import annotations

from dataclasses import replace

import psycopg

from astrack.settings import Settings
from astrack.store.embedded import Embedded

DATABASE = "demo"


def forget_earlier(settings: Settings) -> Settings:
    """Settings for the demo. With a database of the user's own nothing is dropped: its schools are simply new ones."""
    # everybody in it is made up, and its sign-in codes are printed: no second factor would keep anybody out
    settings = replace(settings, second_factor=False)
    if settings.database_url is not None:
        return settings
    own = replace(settings, home=settings.home / "demo", database=DATABASE, root_key_file=None)
    server = Embedded(own.home)
    server.start()
    try:
        with psycopg.connect(server.conninfo(), autocommit=True, connect_timeout=10) as conn:
            conn.execute("DROP DATABASE IF EXISTS demo WITH (FORCE)")
    finally:
        server.stop()
    return own
