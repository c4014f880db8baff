"""Every operation on the command line. Refusals are one sentence and a non-zero exit code; long work shows a bar."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer
from pydantic import ValidationError

from astrack import errors
from astrack.cli import (
    accreditation,
    audit,
    guidance,
    keeping,
    projections,
    pupil,
    school,
    service,
    staff,
    support,
    training,
    transfer,
    truth,
)
from domain.base import DomainError
from transfer.errors import TransferRefused

USAGE = 2
app = typer.Typer(
    name="astrack",
    help="Pupils' social-emotional development from 8 to 18: assessed, flagged, supported, handed over and proved.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(school.school, name="school")
app.add_typer(school.rosters, name="roster")
app.add_typer(school.rounds, name="round")
app.add_typer(pupil.pupil, name="pupil")
app.add_typer(pupil.flag, name="flag")
app.add_typer(pupil.plan, name="plan")
app.add_typer(transfer.transfer, name="transfer")
app.add_typer(transfer.keys, name="keys")
app.add_typer(transfer.student, name="student")
app.add_typer(audit.bundles, name="audit")
app.add_typer(staff.staff, name="staff")
app.add_typer(training.app, name="training")
app.add_typer(guidance.app, name="guidance")
app.add_typer(accreditation.app, name="accreditation")
app.command("replay")(audit.replay)
app.command("verify")(audit.verify)
app.command("check-store")(audit.check)
app.command("rebuild")(audit.rebuild)
app.add_typer(projections.projections, name="projections")
app.command("backup")(keeping.backup)
app.command("restore")(keeping.restore)
app.command("rotate-root-key")(keeping.rotate_root)
app.command("rotate-school-key")(keeping.rotate_school)
app.command("impact")(support.impact)
app.command("truth")(truth.truth)
app.command("fairness")(truth.fairness)
app.add_typer(truth.study, name="study")
app.add_typer(truth.totals, name="totals")
school.school.command("review-load")(truth.review_load)
app.command("report")(support.impact)
app.command("trust")(support.trust)
app.command("serve")(service.serve)
app.command("demo")(service.demo)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command; exits with 0, the refusal's own code, or 2 for wrong usage."""
    try:
        code = app(arguments, standalone_mode=False)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except typer.TyperException as wrong:
        print(f"{wrong}: see `astrack --help`", file=sys.stderr)
        sys.exit(USAGE)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit("Stopped; what was done stays, and repeating with the same key does nothing twice.")
    except (DomainError, TransferRefused, ValidationError) as refused:
        print(errors.sentence(refused), file=sys.stderr)
        sys.exit(errors.exit_code(refused))
    sys.exit(code or 0)
