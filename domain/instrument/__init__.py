"""An instrument as versioned data: items, keys, cut-offs, composites, wording by language; checked when it is read."""

from __future__ import annotations

import hashlib
import json
import re
import string
import tomllib
from collections import Counter
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from domain.base import DomainError, Value
from domain.instrument.rules import Gap, Poles, Priority, Quality, Scale, Scoring, Whole

FACTORS = ("self_disclosure", "trust_of_self", "trust_of_others", "seeking_change")
CONTEXTS = ("general", "school")
CELLS = tuple((context, factor) for context in CONTEXTS for factor in FACTORS)
"""The eight places of a result: four factors in general, then in school."""
PLACES = {cell: place for place, cell in enumerate(CELLS)}
ITEMS_A_CELL_LEAST = 6
MAX_BYTES = 1 << 18
MAX_ITEMS = 200
OURS = "astrack-"
DEMO = "astrack-demo"
Factor = Literal["self_disclosure", "trust_of_self", "trust_of_others", "seeking_change"]
Context = Literal["general", "school"]
Pole = Literal["low", "high"]
_FILE = re.compile(r"^(?P<name>[a-z][a-z0-9-]*)-(?P<version>\d+)\.toml$")
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
Text = Annotated[str, Field(pattern=r"\S")]
Say = Annotated[Text, Field(max_length=200)]
Age = Annotated[Whole, Field(ge=1, le=25)]
SPOKEN = {"text", "low", "high"}
"""What the read-aloud form of a language names, each once or more: an item's sentence and its two ends."""


class NoSuchInstrument(DomainError):
    """There is no instrument of that name and version here."""


class InstrumentTaken(DomainError):
    """An instrument of that name and version is here already and says something else, or the name is ours."""


class InstrumentWrong(DomainError):
    """An instrument's file does not say what it must."""


class Composite(Value):
    """A pattern across factors within one context; the names and the choice are the instrument's own."""

    name: Annotated[str, Field(pattern=r"^[a-z_]+$", max_length=40)]
    ends: Annotated[dict[Factor, Pole], Field(min_length=2, max_length=2)]
    says: Say


class Words(Value):
    """What a pupil reads of an item in one language: the sentence and the words at the two ends."""

    text: Say
    low: Say
    high: Say


class Scene(Value):
    """What is told before an item, to build the picture step by step."""

    before: str
    say: Annotated[Text, Field(max_length=400)]


class Wording(Value):
    """One language: words for the steps from end to end, the practice item, the scene, the read-aloud form."""

    steps: tuple[Say, ...]
    read_aloud: Say
    practice: Words
    scene: tuple[Scene, ...]


class Item(Value):
    """One item. ``keyed`` 1: a high answer is the factor's high end; -1: the ends are swapped. ``pair``: its mirror."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=20)]
    factor: Factor
    context: Context
    keyed: Annotated[Whole, Literal[1, -1]]
    pair: str
    wording: dict[str, Words]

    @property
    def cell(self) -> int:
        """Where it counts among the eight: context times four plus factor."""
        return PLACES[self.context, self.factor]

    def words(self, language: str = "en") -> Words:
        """The words in a language, in the first one where that is missing."""
        return self.wording.get(language) or next(iter(self.wording.values()))


class Instrument(Value):
    """A whole instrument. ``digest``: SHA-256 of its canonical content as hex (comments do not count)."""

    name: Name
    version: Annotated[Whole, Field(ge=1)]
    title: Say
    status: Literal["not validated", "trial", "validated"]
    note: Say
    licence: Say
    languages: Annotated[tuple[str, ...], Field(min_length=1)]
    minutes: Annotated[Whole, Field(ge=1, le=60)]
    ages: tuple[Age, Age]
    scale: Scale
    scoring: Scoring
    quality: Quality
    poles: Poles
    priority: Priority
    gap: Gap
    composites: tuple[Composite, ...]
    wording: dict[str, Wording]
    items: Annotated[tuple[Item, ...], Field(max_length=MAX_ITEMS)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    def item(self, item_id: str) -> Item | None:
        """The item with an id."""
        return next((one for one in self.items if one.id == item_id), None)

    def scene_before(self, item_id: str, language: str = "en") -> str:
        """What is told before an item; "" for most."""
        wording = self.wording.get(language) or self.wording[self.languages[0]]
        return next((scene.say for scene in wording.scene if scene.before == item_id), "")

    def read_aloud(self, item_id: str, language: str = "en") -> str:
        """An item as it is read out: the scene before it where there is one, the sentence, both ends."""
        wording = self.wording.get(language) or self.wording[self.languages[0]]
        item = self.item(item_id)
        if item is None:
            return ""
        words = item.words(language)
        spoken = wording.read_aloud.format(text=words.text, low=words.low, high=words.high)
        return f"{self.scene_before(item_id, language)} {spoken}".strip()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for check in (_scale, _counts, _pairs, _words, _composites):
            check(self)
        return self


def _scale(one: Instrument) -> None:
    if not one.scale.least < one.poles.low < one.scale.middle < one.poles.high < one.scale.most:
        raise ValueError("the poles must lie inside the scale, on either side of its middle")
    if one.ages[0] > one.ages[1]:
        raise ValueError("the ages must run from the youngest to the oldest")


def _counts(one: Instrument) -> None:
    ids = Counter(item.id for item in one.items)
    twice = [item_id for item_id, count in ids.items() if count > 1]
    if twice:
        raise ValueError(f"the item id {twice[0]} is used twice: give each item its own")
    cells = Counter(item.cell for item in one.items)
    forward = Counter(item.cell for item in one.items if item.keyed == 1)
    for cell, (context, factor) in enumerate(CELLS):
        if cells[cell] < max(ITEMS_A_CELL_LEAST, one.scoring.least_answered):
            raise ValueError(f"{factor} in {context} has {cells[cell]} items: it needs {ITEMS_A_CELL_LEAST} at least")
        if abs(2 * forward[cell] - cells[cell]) > 1:
            raise ValueError(f"{factor} in {context} is not balanced: key half of its items each way")


def _pairs(one: Instrument) -> None:
    for item in one.items:
        other = one.item(item.pair)
        if other is None or other.pair != item.id or other.keyed == item.keyed or other.cell != item.cell:
            raise ValueError(f"the pair of {item.id} must name it back, in the same place, with its ends swapped")


def _words(one: Instrument) -> None:
    for language in one.languages:
        wording = one.wording.get(language)
        if wording is None or any(language not in item.wording for item in one.items):
            raise ValueError(f"the wording in {language} is not complete: every item and the frame need it")
        if len(wording.steps) != one.scale.most - one.scale.least + 1:
            raise ValueError(f"the wording in {language} must name each step of the scale")
        if any(one.item(scene.before) is None for scene in wording.scene):
            raise ValueError(f"a scene in {language} comes before an item that does not exist")
        if _spoken(wording.read_aloud) != SPOKEN:
            raise ValueError(
                f"the read-aloud form in {language} must hold {{text}}, {{low}} and {{high}}, and no other"
            )


def _spoken(form: str) -> set[str]:
    """The fields of a read-aloud form as they are written: whatever reaches into one or shapes it is another name."""
    parts = [part for part in string.Formatter().parse(form) if part[1] is not None]
    return {f"{name}{how or ''}{shape or ''}" for _, name, shape, how in parts}


def _composites(one: Instrument) -> None:
    names = Counter(composite.name for composite in one.composites)
    if any(count > 1 for count in names.values()):
        raise ValueError("two composites have the same name: give each its own")


def parse(content: bytes, source: str = "this file") -> Instrument:
    """An instrument from the bytes of its TOML file. Raises InstrumentWrong: what is wrong, and where."""
    if len(content) > MAX_BYTES:
        raise InstrumentWrong(f"{source} is over {MAX_BYTES} bytes: an instrument is smaller")
    try:
        raw = tomllib.loads(content.decode())
        return Instrument.model_validate(_shaped(raw))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise InstrumentWrong(f"{source} is not a sound instrument, in {where}: {first['msg']}") from error
    except RecursionError as error:
        raise InstrumentWrong(f"{source} holds lists within lists without end: an instrument needs none") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InstrumentWrong(f"{source} cannot be read as an instrument: {type(error).__name__}: {error}") from error


def _shaped(raw: dict[str, Any]) -> dict[str, Any]:
    languages = raw["languages"]
    fixed = ("id", "factor", "context", "keyed", "pair")
    items = [
        {
            **{key: value for key, value in item.items() if key not in languages},
            "wording": {language: item[language] for language in languages if language in item},
        }
        for item in raw["item"]
    ]
    if any(key not in item for item in items for key in fixed):
        raise KeyError("an item lacks its id, factor, context, keyed or pair")
    rest = {key: value for key, value in raw.items() if key not in ("item", "composite")}
    return {**rest, "items": items, "composites": raw.get("composite", []), "digest": digest_of(raw)}


def digest_of(raw: dict[str, Any]) -> str:
    """SHA-256, as hex, of parsed content written as JSON with sorted keys and without spaces."""
    text = json.dumps(raw, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


_added: dict[tuple[str, int], Instrument] = {}
"""Instruments of a school or trust, beside those that come with this version; of this process."""


def add(one: Instrument) -> None:
    """Have an instrument beside those that come with this version; the same one again is nothing new.

    Raises InstrumentTaken: what is published under a name and version never changes.
    """
    if one.name.startswith(OURS):
        raise InstrumentTaken(
            f"names that begin with {OURS} are kept for what comes with this software: choose another"
        )
    if _added.setdefault((one.name, one.version), one).digest != one.digest:
        raise InstrumentTaken(f"{one.name} {one.version} is here already and says something else: raise its version")


def available() -> dict[str, list[int]]:
    """The instruments that are here: name -> versions, ascending."""
    found = [*_shipped(), *_added]
    return {name: sorted(version for other, version in found if other == name) for name, _ in sorted(found)}


def load(name: str, version: int) -> Instrument:
    """One instrument by name and version. Raises NoSuchInstrument, InstrumentWrong."""
    return _added.get((name, version)) or _load(name, version)


@cache
def _shipped() -> frozenset[tuple[str, int]]:
    names = (_FILE.match(one.name) for one in (resources.files("domain") / "instruments").iterdir())
    return frozenset((one["name"], int(one["version"])) for one in names if one)


@cache
def _load(name: str, version: int) -> Instrument:
    if (name, version) not in _shipped():
        raise NoSuchInstrument("this instrument and version are not installed here: choose one from the list")
    file = resources.files("domain") / "instruments" / f"{name}-{version}.toml"
    return named(parse(file.read_bytes(), file.name), file.name)


def named(one: Instrument, file: str) -> Instrument:
    """The instrument, where its file is named for it. Raises InstrumentWrong."""
    if file != f"{one.name}-{one.version}.toml":
        raise InstrumentWrong(f"{file} holds {one.name} {one.version}: name the file {one.name}-{one.version}.toml")
    return one


def newest() -> Instrument:
    """The newest version of our demonstration instrument: what a round is sat with where nothing else is chosen."""
    return load(DEMO, max(version for name, version in _shipped() if name == DEMO))
