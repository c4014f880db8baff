"""Ways into the demo's pages: made-up staff with one-time codes, and the server."""

from __future__ import annotations

from uuid import UUID

from astrack.access.sessions import Sessions
from astrack.app import App
from astrack.changing import Ask
from astrack.cli import common as c
from astrack.demo.years import School
from astrack.server import running
from domain.base import Actor
from domain.scope import Scope
from domain.staff import FIRST_MODULE

PEOPLE = (
    ("Tomos Bell", "tutor", Scope(dimensions={"year": frozenset({"13"})})),
    ("Ruth Okoro", "dsl", Scope(everyone=True)),
    ("Ann Perry", "head", Scope(everyone=True)),
    ("Sam Lowe", "administrator", Scope(everyone=True)),
    ("Ida Frost", "auditor", Scope(everyone=True)),
)
OFFICE = Actor(id=UUID(int=1), role="administrator")


def people(app: App, school: School) -> list[tuple[str, str, str]]:
    """Add staff to a school; for each (name, role, one-time code)."""
    sessions, made = Sessions(app), []
    for name, role, scope in PEOPLE:
        staff_id, key = app.new_id(), f"demo-{role}"
        school.records.add_staff(Ask(OFFICE, key), staff_id=staff_id, name=name)
        grant = Ask(OFFICE, f"{key}-grant")
        school.records.grant_role(grant, staff_id, grant_id=app.new_id(), role=role, scope=scope)  # type: ignore[arg-type]
        trained = Ask(OFFICE, f"{key}-trained")
        school.records.record_training(trained, staff_id, module=FIRST_MODULE, on=app.clock().date())
        made.append((name, role, sessions.credentials(school.records.school_id).code(staff_id)))
    return made


def serve(app: App, schools: list[School], port: int) -> None:
    """Say how to sign in, and serve the pages until Ctrl-C."""
    academy = schools[1]
    c.table(["to sign in as", "role", "one-time code"], people(app, academy), "")
    c.out.print(f"School: {academy.name.name}. The pages are at http://127.0.0.1:{port}/  (Ctrl-C stops them)")
    running.run(app, "127.0.0.1", port)
