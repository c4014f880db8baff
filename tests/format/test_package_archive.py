"""The inner tar has one encoding; anything else is refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest

from transfer import archive, errors
from transfer.archive import Content

MEMBERS = (("manifest.json", b"{}"), ("manifest.note", b"n" * 513), ("evidence/a/b/c", b""), ("README.txt", b"r" * 512))


def made(*members: tuple[str, bytes], padded: bool = True) -> bytes:
    contents = [Content.of(name, data) for name, data in members or MEMBERS]
    return b"".join(archive.write(contents, padded=padded))


def taken(data: bytes, padded: bool = True) -> list[tuple[str, bytes]]:
    return [(one.name, b"".join(one.chunks)) for one in archive.read(io.BytesIO(data), padded=padded)]


@pytest.mark.parametrize("padded", [True, False])
def test_what_is_written_is_read(padded: bool) -> None:
    assert taken(made(padded=padded), padded) == list(MEMBERS)


def test_a_stock_reader_reads_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(made())) as stock:
        assert [(one.name, one.mode, one.mtime, one.uid) for one in stock][:2] == [
            ("manifest.json", 0o644, 0, 0),
            ("manifest.note", 0o644, 0, 0),
        ]


def test_the_padme_lengths_are_those_of_the_paper() -> None:
    assert [archive.padme(one * 512) for one in (1, 9, 100, 3000)] == [512, 4608, 51200, 1540096]
    for size in range(1, 3_000_000, 9_973):
        assert size <= archive.padme(size) <= max(size * 1.12 + 512, 512)


def test_every_flipped_byte_outside_the_contents_is_refused() -> None:
    data = made()
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        try:
            found = taken(bytes(changed))
        except errors.TransferRefused:
            continue
        assert [name for name, _ in found] == [name for name, _ in MEMBERS]
        assert [len(part) for _, part in found] == [len(part) for _, part in MEMBERS]
        assert found != list(MEMBERS), f"byte {at} counts for nothing"


@pytest.mark.parametrize("padded", [True, False])
def test_an_archive_cut_short_anywhere_is_refused(padded: bool) -> None:
    data = made(padded=padded)
    for kept in range(0, len(data), 61):
        with pytest.raises(errors.TransferRefused):
            taken(data[:kept], padded)


@pytest.mark.parametrize("more", [b"\0", bytes(512), bytes(1024), b"x"])
@pytest.mark.parametrize("padded", [True, False])
def test_anything_after_the_end_is_refused(padded: bool, more: bytes) -> None:
    with pytest.raises(errors.BadArchive):
        taken(made(padded=padded) + more, padded)


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/", ".hidden", "a/.b", "a b", "a\\b", "é", "a\0b", "x" * 101,
     "a/b/c/d/e", "a\n", "~", "C:"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(errors.BadName):
        archive.header(name, 0)


@pytest.mark.parametrize("name", ["../up", "/abs", "a b"])
def test_a_name_that_leads_elsewhere_is_refused_by_the_reader(name: str) -> None:
    info = tarfile.TarInfo(name)
    block = info.tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(errors.BadName):
        taken(block + bytes(1024), padded=False)


def stock(change: Callable[[tarfile.TarInfo], None], form: int = tarfile.USTAR_FORMAT) -> bytes:
    info = tarfile.TarInfo("README.txt")
    change(info)
    return info.tobuf(form) + bytes(1024)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: setattr(one, "type", tarfile.SYMTYPE),
        lambda one: setattr(one, "type", tarfile.LNKTYPE),
        lambda one: setattr(one, "type", tarfile.DIRTYPE),
        lambda one: setattr(one, "type", tarfile.CHRTYPE),
        lambda one: setattr(one, "linkname", "manifest.json"),
        lambda one: setattr(one, "mode", 0o755),
        lambda one: setattr(one, "uid", 1),
        lambda one: setattr(one, "gname", "root"),
        lambda one: setattr(one, "mtime", 1),
    ],
)
def test_a_link_a_device_or_another_owner_is_refused(change: Callable[[tarfile.TarInfo], None]) -> None:
    with pytest.raises(errors.BadArchive):
        taken(stock(change), padded=False)


def test_an_extended_header_is_refused() -> None:
    data = stock(lambda one: setattr(one, "pax_headers", {"path": "../up"}), tarfile.PAX_FORMAT)
    with pytest.raises(errors.BadArchive):
        taken(data, padded=False)


def member(name: str, data: bytes) -> bytes:
    return archive.header(name, len(data)) + data + bytes(archive.filled(len(data)) - len(data))


@pytest.mark.parametrize("second", ["README.txt", "readme.TXT"])
def test_a_name_twice_is_refused(second: str) -> None:
    with pytest.raises(errors.BadName, match="twice"):
        taken(member("README.txt", b"") + member(second, b"") + bytes(1024), padded=False)


def test_members_out_of_order_are_refused_by_writer_and_reader() -> None:
    with pytest.raises(errors.BadArchive, match="place"):
        made(("README.txt", b""), ("manifest.json", b""))
    with pytest.raises(errors.BadArchive, match="place"):
        taken(member("README.txt", b"") + member("manifest.json", b"") + bytes(1024), padded=False)


def test_a_sealed_file_without_padding_is_refused() -> None:
    with pytest.raises(errors.BadArchive, match="no padding"):
        taken(made(padded=False))


def test_an_audit_bundle_with_padding_is_refused() -> None:
    with pytest.raises(errors.BadArchive):
        taken(made(), padded=False)


def test_padding_of_another_length_is_refused() -> None:
    data = member("manifest.json", b"{}") + member("padding", bytes(512)) + bytes(1024)
    with pytest.raises(errors.BadArchive, match="long"):
        taken(data)


def test_padding_that_says_something_is_refused() -> None:
    size = archive.padding_size(512 + 29 * 512 * 7)
    assert size
    plain = member("manifest.json", bytes(29 * 512 * 7))
    with pytest.raises(errors.BadArchive, match="zeros"):
        taken(plain + member("padding", b"x" + bytes(size - 1)) + bytes(1024))


def test_a_member_over_its_cap_is_refused_before_it_is_read() -> None:
    huge = archive.header("manifest.json", archive.CAPS["manifest.json"] + 1)
    with pytest.raises(errors.TooLarge, match=r"manifest\.json"):
        taken(huge)


def test_too_many_members_are_refused() -> None:
    many = b"".join(archive.header(f"x{number:05d}", 0) for number in range(archive.MAX_MEMBERS + 1))
    with pytest.raises(errors.TooLarge, match="members"):
        taken(many + bytes(1024), padded=False)


def test_a_member_that_gives_other_bytes_than_announced_is_not_written() -> None:
    with pytest.raises(errors.BadArchive, match="announced"):
        list(archive.write([Content("README.txt", 5, lambda: (b"four",))], padded=False))
