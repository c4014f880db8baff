"""What a sealed file carries beside the story, so that it can be read in sixty years without this software."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from uuid import UUID

from domain.base import TOPICS
from domain.identity import Identity, SchoolName
from transfer import canonical
from transfer.manifest import Omission

INSTRUMENTS, SCHEMAS, README, ACTORS, IDENTITY = (
    "instruments/",
    "schemas/",
    "README.txt",
    "actors.json",
    "identity.json",
)
HEAD = re.compile(
    rb'\{"topic":"([a-z0-9.-]+)","event_id":"[0-9a-f-]{36}","recorded_at":"[0-9TZ:.-]+",'
    rb'"by":\{"id":"([0-9a-f-]{36})","role":"([a-z_]+)"\},"data":'
)
SAT = "journey.assessment-sat.v1"
NAMES_WITHHELD = Omission("names of staff", "they are not needed to read the story; the school keeps them")
NamesOf = Callable[[UUID], str | None]


def enclosed(payloads: Iterable[bytes], names: NamesOf | None = None) -> tuple[dict[str, bytes], list[Omission]]:
    """The instruments, schemas and actors of these facts by member name, and what had to be left out."""
    topics: set[str] = set()
    sat: set[tuple[str, int]] = set()
    actors: set[tuple[str, str]] = set()
    for payload in payloads:
        topic, actor, role = _head(payload)
        topics.add(topic)
        actors.add((actor, role))
        if topic == SAT:
            data = json.loads(payload)["data"]
            sat.add((data["instrument"], data["instrument_version"]))
    members = {f"{SCHEMAS}{topic}.json": found for topic in sorted(topics) if (found := schema(topic)) is not None}
    omissions = [] if names else [NAMES_WITHHELD]
    for name, version in sorted(sat):
        if (found := instrument(name, version)) is not None:
            members[f"{INSTRUMENTS}{name}-{version}.toml"] = found
        else:
            omissions.append(Omission(f"instrument {name} version {version}", "this school does not hold its text"))
    named = [
        {"id": actor, "role": role, "name": names(UUID(actor)) if names else None} for actor, role in sorted(actors)
    ]
    members[ACTORS] = canonical.dump(named)
    return members, omissions


def _head(payload: bytes) -> tuple[str, str, str]:
    """(topic, actor, role) of a fact; those written here are read without taking the whole of it apart."""
    if (form := HEAD.match(payload)) is not None:
        topic, actor, role = form.groups()
        return topic.decode(), actor.decode(), role.decode()
    fact = json.loads(payload)
    return fact["topic"], fact["by"]["id"], fact["by"]["role"]


@cache
def schema(topic: str) -> bytes | None:
    """The JSON Schema of one kind of fact; None for a topic that this version does not know."""
    kind = TOPICS.get(topic)
    return canonical.dump(kind.model_json_schema()) if kind else None


@cache
def instrument(name: str, version: int) -> bytes | None:
    """The text of an instrument; None when it is not one of ours."""
    listed = {one.name: one for one in files("domain").joinpath("instruments").iterdir()}
    found = listed.get(f"{name}-{version}.toml")
    return found.read_bytes() if found else None


def identity_member(identity: Identity, own: SchoolName) -> bytes:
    """identity.json: who the pupil is, and which school each opaque id is, the sender among them."""
    schools = {**identity.schools, own.school_id: own}
    return canonical.dump({
        "person": identity.person.model_dump(mode="json") if identity.person else None,
        "schools": [one.model_dump(mode="json") for _, one in sorted(schools.items())],
    })  # fmt: skip


@cache
def readme(kind: str) -> bytes:
    """README.txt for a kind of file."""
    folder = files("transfer")
    own = folder.joinpath(f"readme-{kind}.txt").read_bytes()
    return own + folder.joinpath("readme-opening.txt").read_bytes()
