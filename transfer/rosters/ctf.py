"""The Common Transfer File (CTF) of the DfE: a roster in, and out again with all we do not use handed on untouched."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import date
from io import BytesIO

from lxml import etree

from domain.background import Watchable
from domain.roster import Numbers, Roster
from transfer.errors import (
    BrokenRoster,
    EmptyRoster,
    ForbiddenMarkup,
    NotARoster,
    RosterTooLarge,
    UnknownRosterVersion,
)
from transfer.listing import Listing
from transfer.rosters.background import absent_as_no, of_ctf
from transfer.rosters.ctf_out import Header, file_name, write
from transfer.rosters.ctf_pupil import raw_pupil

__all__ = ["Header", "file_name", "read", "write"]

NEWEST = 25
"""The newest yearly version seen in the DfE's own code; this one and the one before are read."""
BYTES_MAX = 64 << 20
ELEMENTS_MAX = 2_000_000
DEPTH_MAX = 24
ELEMENTS_IN_PUPIL_MAX = 20_000
ELEMENTS_OUTSIDE_MAX = 2_000
ATTRIBUTES_MAX = 100
LONG_TAG = re.compile(rb"<[^>]{20000}")
"""A parser builds a tag whole before anybody can count its attributes."""
TEXT_LENGTH_MAX = 20_000
ENCODINGS = (b"utf-8", b"us-ascii", b"iso-8859-1", b"iso-8859-15", b"windows-1252")
"""Those in which the bytes of a document type declaration are what they look like."""
DECLARED = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")
PUPIL = ["CTfile", "CTFpupilData", "Pupil"]
QUALIFIERS = ("full", "partial")
FROM_FILE = frozenset({"preferred_forename", "middle_names", "carried"})
"""Fields a full file states whole: where it has none, there is none."""


def read(data: bytes, newest: int = NEWEST, watched: Sequence[Watchable] = ()) -> Roster:
    """The roster in the bytes of a CTF of version ``newest`` or the one before, with ``Sex`` or ``Gender``.

    ``watched``: the fields of pupils' background to read, none by default; all are handed on as they came.

    No document type, entity or network is ever used; size, depth, count and text lengths are capped.
    Raises EmptyRoster, BrokenRoster, ForbiddenMarkup, NotARoster, UnknownRosterVersion, RosterTooLarge,
    TwoPupilsOneNumber.
    """
    encoding = _screen(data)
    reading = _Reading(newest, watched)
    try:
        for event, element in _events(data, encoding):
            reading.take(event, element)
    except etree.XMLSyntaxError as error:
        # libxml2's own words can quote what the file holds, so only the place is told
        line, column = error.position
        where = f"line {line}, column {column}" if line else "the end of the file"
        raise BrokenRoster("the XML is not well formed, or was cut short", where) from None
    return reading.roster(data)


def _screen(data: bytes) -> str:
    """Refuse what must not even reach the XML parser; the encoding to read the rest in."""
    if not data.strip():
        raise EmptyRoster("the file is empty", "the whole file")
    if len(data) > BYTES_MAX:
        raise RosterTooLarge(f"the file is over {BYTES_MAX >> 20} MiB", "the whole file")
    if b"\0" in data or data[:2] in (b"\xfe\xff", b"\xff\xfe"):
        raise NotARoster("the file is not XML in UTF-8", "the whole file")
    if long := LONG_TAG.search(data):
        line = data.count(b"\n", 0, long.start()) + 1
        raise RosterTooLarge("a tag is longer than any of a CTF", f"line {line}")
    for mark in (b"<!DOCTYPE", b"<!ENTITY"):
        if mark in data:
            line = data.count(b"\n", 0, data.index(mark)) + 1
            raise ForbiddenMarkup("the file declares a document type or entities", f"line {line}")
    return _encoding(data[:1024].removeprefix(b"\xef\xbb\xbf"))


def _encoding(head: bytes) -> str:
    """The encoding declared, UTF-8 where none is: given to the parser, which then believes no other."""
    declared = DECLARED.search(head.partition(b"?>")[0]) if head.startswith(b"<?xml") else None
    encoding = declared[1].lower() if declared else b"utf-8"
    if encoding not in ENCODINGS:
        raise NotARoster("the file declares an encoding that no CTF uses: save it as UTF-8", "line 1")
    return encoding.decode()


def _events(data: bytes, encoding: str) -> Iterator[tuple[str, etree._Element]]:
    """Start and end of every element. Entities stay unexpanded: with no document type there are none to expand."""
    parser = etree.iterparse(
        BytesIO(data), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=False, remove_comments=True, remove_pis=True, encoding=encoding,
    )  # fmt: skip
    yield from parser


class _Reading:
    """What has been read so far; each pupil's part of the tree is dropped as soon as it has been taken."""

    def __init__(self, newest: int, watched: Sequence[Watchable]) -> None:
        self.newest, self.watched = newest, tuple(watched)
        self.listing = Listing()
        self.header: dict[str, str] = {}
        self.path: list[str] = []
        self.count = self.inside = self.outside = 0

    def take(self, event: str, element: etree._Element) -> None:
        """One start or end of an element."""
        if event == "start":
            self._start(element)
        else:
            self._end(element)

    def _start(self, element: etree._Element) -> None:
        self.path.append(str(element.tag))
        if len(self.path) == 1:
            self._root(element)
        self._count(element)
        if self.path == PUPIL and not self.header:
            raise NotARoster("the pupils come before the Header, or there is no Header", _line(element))

    def _count(self, element: etree._Element) -> None:
        self.count += 1
        if self.path[:3] == PUPIL:
            self.inside = 0 if len(self.path) == 3 else self.inside + 1
        else:
            self.outside += 1
        if (
            self.count > ELEMENTS_MAX
            or len(self.path) > DEPTH_MAX
            or self.inside > ELEMENTS_IN_PUPIL_MAX
            or self.outside > ELEMENTS_OUTSIDE_MAX
            or len(element.attrib) > ATTRIBUTES_MAX
        ):
            raise RosterTooLarge("there are more elements or attributes, or deeper ones, than in a CTF", _line(element))

    def _root(self, element: etree._Element) -> None:
        if element.tag != "CTfile":
            raise NotARoster("the first element is not CTfile, so this is not a Common Transfer File", _line(element))

    def _end(self, element: etree._Element) -> None:
        if max(len(element.text or ""), len(element.tail or "")) > TEXT_LENGTH_MAX:
            raise RosterTooLarge(f"a text is over {TEXT_LENGTH_MAX} characters", _line(element))
        path, depth = self.path, len(self.path)
        if depth == 3 and path == PUPIL:
            self._pupil(element)
        elif depth == 2 and path[1] == "Header":
            self._header(element)
        path.pop()
        if depth == 3 and path[1] == "CTFpupilData":
            _drop(element)

    def _header(self, element: etree._Element) -> None:
        names = (
            "CTFversion",
            "DocumentQualifier",
            "DateTime",
            *_school_paths("SourceSchool"),
            *_school_paths("DestSchool"),
        )
        self.header = {name: (element.findtext(name) or "").strip() for name in names}
        self.header["line"] = _line(element)
        version = self.header["CTFversion"]
        if version not in {text for one in (self.newest, self.newest - 1) for text in (f"{one}.0", f"{one}")}:
            shown = version[:10] if version.replace(".", "").isdigit() else "missing or no number"
            raise UnknownRosterVersion(
                f"the CTF version is {shown}, and versions {self.newest - 1} and {self.newest} are read",
                f"Header, {_line(element)}",
            )

    def _pupil(self, element: etree._Element) -> None:
        number = len(self.listing.pupils) + len(self.listing.held_back) + 1
        raw = raw_pupil(element, f"pupil {number} ({_line(element)})", self.listing.warn)
        if self.watched:
            raw.background = of_ctf(element, _day(self.header["DateTime"]), self.watched)
        self.listing.add(raw)

    def roster(self, data: bytes) -> Roster:
        """Everything that was read, as a roster."""
        head, listing = self.header, self.listing
        if not listing.pupils and not listing.held_back:
            raise EmptyRoster("the file lists no pupil", "CTFpupilData")
        full = head["DocumentQualifier"].lower() == "full"
        # a partial file may leave a history out of one who has one: there, what is absent is unknown
        pupils = absent_as_no(listing.pupils, self.watched) if full else tuple(listing.pupils)
        if head["DocumentQualifier"].lower() not in QUALIFIERS:
            listing.warn("Header", "the file says neither full nor partial: taken as partial, so nobody counts as left")
        return Roster(
            source="ctf", version=head["CTFversion"], file_sha256=hashlib.sha256(data).hexdigest(), full=full,
            stated_on=_day(head["DateTime"]), from_school=_numbers(head, "SourceSchool"),
            to_school=_numbers(head, "DestSchool"), pupils=pupils,
            held_back=tuple(listing.held_back), warnings=tuple(listing.warnings),
            empties=FROM_FILE if full else frozenset(), watched=self.watched,
        )  # fmt: skip


def _school_paths(school: str) -> list[str]:
    return [f"{school}/{name}" for name in ("LEA", "Estab", "URN", "SchoolName")]


def _numbers(head: dict[str, str], school: str) -> Numbers:
    lea, estab, urn, name = (head[path][:100] for path in _school_paths(school))
    return Numbers(lea=lea, estab=estab, urn=urn, name=name)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _line(element: etree._Element) -> str:
    return f"line {element.sourceline}"


def _drop(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
