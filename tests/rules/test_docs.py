"""The reference in docs/ says what the code says: every event, setting, command and route, by its own words."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_reference_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs" / "adr").glob("*.md")]
    assert sorted(numbers) == sorted(set(numbers))


def test_every_link_of_the_docs_leads_to_a_file_and_a_heading_that_are_there() -> None:
    pages = [ROOT / "README.md", ROOT / "transfer" / "FORMAT.md", *(ROOT / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)\s]+)\)", _prose(page))]
    assert len(links) > 50
    assert [f"{page.relative_to(ROOT)}: {link}" for page, link in links if not _leads(page, link)] == []


def test_every_how_to_is_in_the_index_and_every_picture_is_shown_somewhere() -> None:
    docs = ROOT / "docs"
    index = (docs / "README.md").read_text()
    assert [path.name for path in (docs / "how-to").glob("*.md") if f"(how-to/{path.name})" not in index] == []
    shown = "".join(path.read_text() for path in (docs / "how-to").glob("*.md"))
    assert [path.name for path in (docs / "images").glob("*.png") if f"/images/{path.name})" not in shown] == []


def test_the_pictures_together_stay_small() -> None:
    together = sum(path.stat().st_size for path in (ROOT / "docs" / "images").glob("*.png"))
    assert together <= 900 * 1024, f"{together} bytes: lower the viewports in scripts/screenshots.py and take them anew"


def _prose(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def _leads(page: Path, link: str) -> bool:
    if link.startswith("https://"):
        return True
    name, _, heading = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not heading or heading in _headings(target))


def _headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", _prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
