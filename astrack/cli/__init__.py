"""Every operation on the command line. Refusals are one sentence and a non-zero exit code; long work shows a bar."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import typer
from pydantic import ValidationError

from astrack import errors
from astrack.cli.saying import CALLED, KEYS_DRAWN, plain
from astrack.settings import Settings
from domain.base import DomainError
from transfer.errors import TransferRefused

USAGE, CLOSED = 2, 141
HELP = "Pupils' social-emotional development from 8 to 18: assessed, flagged, supported, handed over and proved."
GROUPS = {
    "school": "school:school",
    "roster": "school:rosters",
    "round": "school:rounds",
    "pupil": "pupil:pupil",
    "flag": "pupil:flag",
    "plan": "pupil:plan",
    "transfer": "transfer:transfer",
    "keys": "transfer:keys",
    "student": "student:student",
    "mailbox": "mailbox:mailbox",
    "directory": "directory:directory",
    "audit": "audit:bundles",
    "staff": "staff:staff",
    "rights": "record_rights:rights",
    "training": "training:app",
    "guidance": "guidance:app",
    "instrument": "instrument:app",
    "accreditation": "accreditation:app",
    "webhook": "webhooks:app",
    "projections": "projections:projections",
    "study": "truth:study",
    "totals": "truth:totals",
}
COMMANDS = {
    "replay": "audit:replay",
    "permissions": "rules:permissions",
    "changes": "rules:changes",
    "verify": "audit:verify",
    "check-store": "audit:check",
    "rebuild": "audit:rebuild",
    "backup": "keeping:backup",
    "restore": "keeping:restore",
    "rotate-root-key": "keeping:rotate_root",
    "rotate-school-key": "keeping:rotate_school",
    "truth": "truth:truth",
    "fairness": "truth:fairness",
    "reliability": "truth:reliability",
    "report": "support:report",
    "trust": "support:trust",
    "due": "due:due",
    "serve": "service:serve",
    "demo": "service:demo",
}
WITHIN = {
    "school": {"review-load": "truth:review_load", "backgrounds": "truth:backgrounds"},
    "roster": {"set-source": "roster:set_source", "source": "roster:source", "pull": "roster:pull"},
    "transfer": {"supplement": "following:supplement", "safeguarding": "following:safeguarding"},
}
"""Where each is: loading all takes seconds, and a command line has one."""


def program(arguments: Sequence[str] | None = None) -> typer.Typer:
    """The commands that ``arguments`` may mean: one, with everything under it, or without such a one all."""
    made = typer.Typer(name="astrack", help=HELP, no_args_is_help=True, add_completion=False,
                       pretty_exceptions_enable=False)  # fmt: skip
    # with a callback a single command keeps its name
    made.callback()(lambda: None)
    first = next(iter(arguments or ()), None)
    meant = [first] if first in GROUPS or first in COMMANDS else [*GROUPS, *COMMANDS]
    for name in meant:
        if name in GROUPS:
            made.add_typer(_group(name), name=name)
        else:
            made.command(name)(_loaded(COMMANDS[name]))
    return made


@cache
def _group(name: str) -> typer.Typer:
    found: typer.Typer = _loaded(GROUPS[name])
    for inner, place in WITHIN.get(name, {}).items():
        found.command(inner)(_loaded(place))
    return found


def _loaded(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"astrack.cli.{module}"), name)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command; exits with 0, the refusal's own code, or 2 for wrong usage."""
    KEYS_DRAWN.clear()
    CALLED[:] = [_called(sys.argv[1:] if arguments is None else arguments)]
    try:
        run = program(sys.argv[1:] if arguments is None else arguments)
        code = run(arguments, prog_name="astrack", standalone_mode=False)
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


def _called(words: Sequence[str]) -> str:
    """The command alone, as `pupil show`: what follows may be a name."""
    given = words[0] if words else ""
    within = words[1] if given in GROUPS and len(words) > 1 and not words[1].startswith("-") else ""
    return f"{given} {within}".strip()[:40] if given in GROUPS or given in COMMANDS else "astrack"


def usage(wrong: typer.TyperException) -> str:
    """The sentence for a command that was not understood; nothing where its help has just been shown."""
    said = wrong.format_message().rstrip(".")
    where = getattr(getattr(wrong, "ctx", None), "command_path", "astrack")
    return f"{said}: see `{where} --help`" if said else ""


def failed(error: Exception) -> str:
    """The sentence for a command that did not do it, with the key to repeat it by where it may have been done."""
    # what only a failure needs is loaded then
    from astrack.server.logs import place
    from astrack.store.types import StoreUnavailable

    if isinstance(error, (DomainError, TransferRefused, ValidationError)):
        said = errors.sentence(error)
        again = isinstance(error, StoreUnavailable) and KEYS_DRAWN
        return f"{said} (--key {KEYS_DRAWN[0]})" if again else said
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
        print(plain(sentence), file=sys.stderr)
