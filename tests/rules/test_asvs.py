"""The security checklist names every requirement of levels 1 and 2 once, and only files that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asvs.md").read_text("utf-8")
# of OWASP ASVS 5.0.0: in each section the numbers that are not of level 3
UP_TO_LEVEL_2 = {
    "1.1": "1-2", "1.2": "1-9", "1.3": "1-11", "1.4": "1-3", "1.5": "1-2", "2.1": "1-3", "2.2": "1-3", "2.3": "1-4",
    "2.4": "1", "3.2": "1-2", "3.3": "1-4", "3.4": "1-6", "3.5": "1-5", "3.7": "1-2", "4.1": "1-3", "4.2": "1",
    "4.3": "1-2", "4.4": "1-4", "5.1": "1", "5.2": "1-3", "5.3": "1-2", "5.4": "1-3", "6.1": "1-3", "6.2": "1-12",
    "6.3": "1-4", "6.4": "1-4", "6.5": "1-5", "6.6": "1-3", "6.8": "1-4", "7.1": "1-3", "7.2": "1-4", "7.3": "1-2",
    "7.4": "1-5", "7.5": "1-2", "7.6": "1-2", "8.1": "1-2", "8.2": "1-3", "8.3": "1", "8.4": "1", "9.1": "1-3",
    "9.2": "1-4", "10.1": "1-2", "10.2": "1-2", "10.3": "1-4", "10.4": "1-11", "10.5": "1-5", "10.6": "1-2",
    "10.7": "1-3", "11.1": "1-2", "11.2": "1-3", "11.3": "1-3", "11.4": "1-4", "11.5": "1", "11.6": "1", "12.1": "1-3",
    "12.2": "1-2", "12.3": "1-4", "13.1": "1", "13.2": "1-5", "13.3": "1-2", "13.4": "1-5", "14.1": "1-2",
    "14.2": "1-4", "14.3": "1-3", "15.1": "1-3", "15.2": "1-3", "15.3": "1-7", "16.1": "1", "16.2": "1-5",
    "16.3": "1-4", "16.4": "1-3", "16.5": "1-3",
}  # fmt: skip


def numbers(section: str, span: str) -> list[str]:
    first, _, last = span.partition("-")
    return [f"{section}.{one}" for one in range(int(first), int(last or first) + 1)]


def stated() -> list[str]:
    """Each number the page speaks of, ranges spelt out; those of level 3 left out."""
    found = []
    for line in PAGE.splitlines():
        for one in line.split("|")[1].split(",") if line.startswith("| ") else []:
            match = re.fullmatch(r" *(\d+\.\d+)\.(\d+)(?:-\1\.(\d+))? *", one)
            if match:
                found += numbers(match[1], f"{match[2]}-{match[3] or match[2]}")
    return found


def test_every_requirement_up_to_level_2_is_spoken_of_once() -> None:
    wanted = [one for section, span in UP_TO_LEVEL_2.items() for one in numbers(section, span)]
    assert sorted(stated()) == sorted(wanted)


def test_every_file_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:astrack|domain|transfer|projections|tests|docs)/[^`]+|[a-z]+\.(?:txt|toml))`", PAGE))
    assert len(named) > 40
    assert [one for one in sorted(named) if not (ROOT / one).exists()] == []
