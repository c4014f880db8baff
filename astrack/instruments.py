"""A school's or trust's own instruments: files of a folder, each checked as those that come with this version."""

from __future__ import annotations

from pathlib import Path

from astrack.store.types import BadSetting
from domain import instrument
from domain.instrument import Instrument, InstrumentWrong

FILES_MAX = 100


def read(path: Path) -> Instrument:
    """The instrument in a file that is named NAME-VERSION.toml. Raises InstrumentWrong, BadSetting."""
    try:
        with path.open("rb") as file:
            content = file.read(instrument.MAX_BYTES + 1)
    except OSError as error:
        raise BadSetting(f"the instrument {path} cannot be read: {error.strerror}; check the path") from error
    return instrument.named(instrument.parse(content, path.name), path.name)


def install(folder: Path | None) -> None:
    """Have the instruments of a folder in this process, all or none. Raises InstrumentWrong, InstrumentTaken,
    BadSetting.
    """
    if folder is None:
        return
    if not folder.is_dir():
        raise BadSetting(f"ASTRACK_INSTRUMENTS is {folder}, which is no folder: name one, or leave the setting out")
    files = sorted(folder.glob("*.toml"))
    if len(files) > FILES_MAX:
        raise InstrumentWrong(f"{folder} holds {len(files)} instruments, over the limit of {FILES_MAX}: leave some out")
    found = [read(one) for one in files]
    for one in found:
        instrument.add(one)


def offered() -> list[Instrument]:
    """What a round can be sat with: what it is sat with where nothing is chosen first, then by name, newest first."""
    first = instrument.newest()
    others = [
        instrument.load(name, version)
        for name, versions in instrument.available().items()
        for version in reversed(versions)
        if (name, version) != (first.name, first.version)
    ]
    return [first, *others]
