"""The only reader of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

NAMES = {
    "ASTRACK_HOME": "The data folder: the embedded PostgreSQL and the root key. "
                    "Left out: `/var/lib/astrack` for root, else `astrack` in the account's own data folder.",
    "ASTRACK_DATABASE_URL": "A PostgreSQL of your own, `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`. "
                            "Left out: the embedded one.",
    "ASTRACK_DATABASE": "The name of the database in the embedded PostgreSQL. Left out: `astrack`.",
    "ASTRACK_SCHOOL": "The school that commands are about when none is named: its id, URN or name.",
    "ASTRACK_ROOT_KEY_FILE": "The file of the root key, 64 hexadecimal digits. Left out: `root.key` in ASTRACK_HOME. "
                             "Drawn for an empty database, never for one that holds records.",
    "ASTRACK_ROOT_KEY": "The root key itself, in place of the file.",
    "ASTRACK_TRANSIT_URL": "The address of a key service that keeps the root key (OpenBao or Vault, transit).",
    "ASTRACK_TRANSIT_KEY": "The name of the key there. Left out: `astrack`.",
    "ASTRACK_TRANSIT_TOKEN_FILE": "The file of the token for the key service.",
    "ASTRACK_WITNESSES": "A file of those who cosign checkpoints.",
    "ASTRACK_TRUSTS": "A file of the trusts whose schools are kept here: which they are, and from which school each is "
                      "seen. Left out: no school sees another's figures.",
    "ASTRACK_INSTRUMENTS": "A folder of instruments of your own, each a file NAME-VERSION.toml, beside those that "
                           "come with this version. Left out: none.",
    "ASTRACK_ADDRESS": "How the public reaches the service, such as `https://records.example`: "
                       "for what is signed with an address in it.",
    "ASTRACK_SECOND_FACTOR": "`required`, or `off` where all data is made up: "
                             "whether staff who see scores or manage accounts need a second factor. "
                             "Left out: `required`.",
    "ASTRACK_SIGN_IN_FILE": "A file of those who sign staff in, such as Google, Microsoft or DfE Sign-in.",
    "ASTRACK_POOL_SIZE": "At most so many connections to the database, 1 to 200. Left out: 12.",
    "ASTRACK_TIMEOUT_S": "The longest wait for the database in seconds, 1 to 3600. Left out: 30.",
    "ASTRACK_MAILBOX_MINUTES": "How often the service looks into schools' boxes, in minutes, 1 to 1440; 0 never. "
                               "Left out: 10.",
    "ASTRACK_WEBHOOK_NETWORKS": "Private networks whose machines may be told by webhooks, such as `10.1.0.0/16`, with "
                                "commas between. Left out: none.",
    "ASTRACK_METRICS_PORT": "Serves figures for Prometheus to this machine at this port. Left out or 0: nowhere.",
    "ASTRACK_TRACES": "Sends spans to `stderr` or `otlp`. Left out: nowhere.",
}  # fmt: skip
"""Every environment variable that is read, and what it is for."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the service keeps its data and how it reaches its database.

    ``database_url`` is None for the embedded PostgreSQL in ``home``; ``database`` names a database of the embedded
    server; ``school`` is the one commands are about when none is named; ``witnesses`` is a file of those who cosign
    checkpoints, ``trusts`` one of schools that are seen side by side;
    ``instruments`` a folder of instruments of one's own; ``address`` is how the public reaches the service
    (https://records.example), for what is signed with an address in it; ``pool_size`` limits connections,
    ``timeout_s`` every wait for the database, in seconds; ``second_factor`` asks staff who see pupils' scores, or who
    manage accounts, for a second factor; ``providers`` is a file of those who sign staff in; ``mailbox_minutes`` is
    how often schools' boxes are looked into, 0 never; ``webhook_networks`` are private networks that webhooks may
    reach; ``metrics_port`` serves figures for Prometheus to this machine, 0
    nowhere; ``traces`` sends spans to "stderr" or "otlp".
    """

    home: Path
    database_url: str | None = None
    root_key_file: Path | None = None
    root_key: str | None = field(default=None, repr=False)
    transit_url: str | None = None
    transit_key: str = "astrack"
    transit_token_file: Path | None = None
    database: str = "astrack"
    school: str | None = None
    witnesses: Path | None = None
    trusts: Path | None = None
    instruments: Path | None = None
    address: str | None = None
    pool_size: int = 12
    timeout_s: float = 30.0
    second_factor: bool = True
    providers: Path | None = None
    mailbox_minutes: int = 10
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    metrics_port: int = 0
    traces: str = ""

    @property
    def root_key_path(self) -> Path:
        """The file of the root key: 32 bytes as 64 hexadecimal digits, readable by its owner alone."""
        return self.root_key_file or self.home / "root.key"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """The settings of the environment: what NAMES lists, and nothing else. Raises ValueError."""
        given = os.environ if environment is None else environment
        root_key, token = given.get("ASTRACK_ROOT_KEY_FILE"), given.get("ASTRACK_TRANSIT_TOKEN_FILE")
        return cls(
            home=Path(given.get("ASTRACK_HOME") or _default_home(given)).expanduser().absolute(),
            database_url=given.get("ASTRACK_DATABASE_URL") or None,
            root_key_file=Path(root_key).expanduser().absolute() if root_key else None,
            root_key=given.get("ASTRACK_ROOT_KEY") or None,
            transit_url=given.get("ASTRACK_TRANSIT_URL") or None,
            transit_key=given.get("ASTRACK_TRANSIT_KEY") or "astrack",
            transit_token_file=Path(token).expanduser().absolute() if token else None,
            database=given.get("ASTRACK_DATABASE") or "astrack",
            school=given.get("ASTRACK_SCHOOL") or None,
            witnesses=Path(seen).expanduser().absolute() if (seen := given.get("ASTRACK_WITNESSES")) else None,
            trusts=Path(known).expanduser().absolute() if (known := given.get("ASTRACK_TRUSTS")) else None,
            instruments=Path(own).expanduser().absolute() if (own := given.get("ASTRACK_INSTRUMENTS")) else None,
            address=(given.get("ASTRACK_ADDRESS") or "").rstrip("/") or None,
            pool_size=_number(given, "ASTRACK_POOL_SIZE", 12, most=200),
            second_factor=_required(given, "ASTRACK_SECOND_FACTOR"),
            providers=Path(named).expanduser().absolute() if (named := given.get("ASTRACK_SIGN_IN_FILE")) else None,
            mailbox_minutes=_number(given, "ASTRACK_MAILBOX_MINUTES", 10, least=0, most=1440),
            webhook_networks=_networks(given, "ASTRACK_WEBHOOK_NETWORKS"),
            metrics_port=_number(given, "ASTRACK_METRICS_PORT", 0, least=0, most=65535),
            traces=given.get("ASTRACK_TRACES") or "",
            timeout_s=_number(given, "ASTRACK_TIMEOUT_S", 30, most=3600),
        )


def named(environment: Mapping[str, str] | None = None) -> list[str]:
    """Which settings are set, by name: what a log may say at the start, since a value may be a secret."""
    given = os.environ if environment is None else environment
    return sorted(name for name in NAMES if given.get(name))


def _default_home(given: Mapping[str, str]) -> Path:
    # PostgreSQL refuses to run as root, and another user could not reach into root's own home
    if os.geteuid() == 0:
        return Path("/var/lib/astrack")
    return Path(given.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "astrack"


def _required(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name) or "required"
    if text not in ("required", "off"):
        raise ValueError(f"{name} is {text!r}: set it to required, or to off where all data is made up")
    return text == "required"


def _networks(given: Mapping[str, str], name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    text = given.get(name) or ""
    try:
        return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())
    except ValueError as error:
        raise ValueError(f"{name} is {text!r}: set networks such as 10.1.0.0/16, with commas between") from error


def _number(given: Mapping[str, str], name: str, default: int, *, most: int, least: int = 1) -> int:
    text = given.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise ValueError(f"{name} is {text!r}: set a whole number from {least} to {most}")
    return int(text)
