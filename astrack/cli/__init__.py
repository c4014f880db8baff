"""Every operation on the command line. Refusals are one sentence and a non-zero exit code; long work shows a bar."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

import typer
from pydantic import ValidationError

from astrack import errors
from astrack.cli import (
    accreditation,
    audit,
    common,
    directory,
    due,
    following,
    guidance,
    instrument,
    keeping,
    mailbox,
    projections,
    pupil,
    rights,
    school,
    service,
    staff,
    student,
    support,
    training,
    transfer,
    truth,
    webhooks,
)
from astrack.server.logs import place
from astrack.settings import Settings
from astrack.store import StoreUnavailable
from domain.base import DomainError
from transfer.errors import TransferRefused

USAGE, CLOSED = 2, 141
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
transfer.transfer.command("supplement")(following.supplement)
transfer.transfer.command("safeguarding")(following.safeguarding)
app.add_typer(transfer.transfer, name="transfer")
app.add_typer(transfer.keys, name="keys")
app.add_typer(student.student, name="student")
app.add_typer(mailbox.mailbox, name="mailbox")
app.add_typer(directory.directory, name="directory")
app.add_typer(audit.bundles, name="audit")
app.add_typer(staff.staff, name="staff")
app.add_typer(rights.rights, name="rights")
app.add_typer(training.app, name="training")
app.add_typer(guidance.app, name="guidance")
app.add_typer(instrument.app, name="instrument")
app.add_typer(accreditation.app, name="accreditation")
app.add_typer(webhooks.app, name="webhook")
app.command("replay")(audit.replay)
app.command("verify")(audit.verify)
app.command("check-store")(audit.check)
app.command("rebuild")(audit.rebuild)
app.add_typer(projections.projections, name="projections")
app.command("backup")(keeping.backup)
app.command("restore")(keeping.restore)
app.command("rotate-root-key")(keeping.rotate_root)
app.command("rotate-school-key")(keeping.rotate_school)
app.command("truth")(truth.truth)
app.command("fairness")(truth.fairness)
app.command("reliability")(truth.reliability)
app.add_typer(truth.study, name="study")
app.add_typer(truth.totals, name="totals")
school.school.command("review-load")(truth.review_load)
school.school.command("backgrounds")(truth.backgrounds)
app.command("report")(support.report)
app.command("trust")(support.trust)
app.command("due")(due.due)
app.command("serve")(service.serve)
app.command("demo")(service.demo)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command; exits with 0, the refusal's own code, or 2 for wrong usage."""
    common.KEYS_DRAWN.clear()
    try:
        code = app(arguments, prog_name="astrack", standalone_mode=False)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except typer.TyperException as wrong:
        _say(usage(wrong))
        sys.exit(USAGE)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit("Stopped; what was done stays, and repeating with the same key does nothing twice.")
    except BrokenPipeError:
        # whoever reads what is printed has seen enough; Python's own flush at the end would complain again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(CLOSED)
    except Exception as refused:
        _say(failed(refused))
        sys.exit(errors.exit_code(refused))
    sys.exit(code or 0)


def usage(wrong: typer.TyperException) -> str:
    """The sentence for a command that was not understood; nothing where its help has just been shown."""
    said = wrong.format_message().rstrip(".")
    where = getattr(getattr(wrong, "ctx", None), "command_path", "astrack")
    return f"{said}: see `{where} --help`" if said else ""


def failed(error: Exception) -> str:
    """The sentence for a command that did not do it, with the key to repeat it by where it may have been done."""
    if isinstance(error, (DomainError, TransferRefused, ValidationError)):
        said = errors.sentence(error)
        again = isinstance(error, StoreUnavailable) and common.KEYS_DRAWN
        return f"{said} (--key {common.KEYS_DRAWN[0]})" if again else said
    if isinstance(error, OSError):
        about = f"{error.filename}: " if error.filename else ""
        return f"{about}{error.strerror or type(error).__name__}: check the name, the permissions and the disk"
    number = uuid4()
    # the message and the values of an error may be personal: only its kind and its place are kept
    kept = _keep(f"{number} {type(error).__name__}: {place(error)}\n")
    return f"{errors.UNEXPECTED} {number}, in {kept}"


def _keep(line: str) -> Path:
    with suppress(ValueError, OSError):
        home = Settings.from_environment().home
        if home.is_dir():
            return _append(home / "errors.log", line)
    return _append(Path(tempfile.gettempdir()) / f"astrack-errors-{os.geteuid()}.log", line)


def _append(path: Path, line: str) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600), "a") as log:
        log.write(line)
    return path


def _say(sentence: str) -> None:
    if sentence:
        print(common.plain(sentence), file=sys.stderr)
