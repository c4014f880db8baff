"""The recovery sheet: one page of paper that opens a student's own copy when everything else is lost."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import segno
import typst

from astrack.typesetting import PDF_STANDARD, heading, para, quoted
from transfer import package
from transfer.age import Identity

GROUP = 8
LOOK = 'format: "svg", width: 7.5cm, alt: "The recovery key as a QR code"'
QR_ERROR = "q"
"""A quarter of the square may be soiled."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the page says: whose record, which file it opens, the key, who made it, and when."""

    name: str
    transfer_id: UUID
    recovery: Identity
    school: str
    at: datetime

    @property
    def file_name(self) -> str:
        """The file that the key opens."""
        return f"{self.transfer_id}{package.SUFFIX}"

    @property
    def grouped(self) -> str:
        """The key in groups, to be typed from paper."""
        text = self.recovery.text
        return " ".join(text[start : start + GROUP] for start in range(0, len(text), GROUP))

    @property
    def lost(self) -> str:
        """What can be done when the keys are lost."""
        return (
            f"A lost key can be made good only while a school still holds the record: ask {self.school}. As long as it "
            "does, it can make a new file with new keys; this sheet then opens the old file only. After that nobody "
            "can: neither the school nor those who wrote the software."
        )


def text(sheet: Sheet) -> str:
    """The sheet as plain text."""
    return f"""RECOVERY SHEET                                              {sheet.at:%d %B %Y}

{sheet.name}
This sheet opens the file {sheet.file_name}.
Keep it on paper, apart from the file. Whoever has both can read your record.

Recovery key (write it without the spaces, on one line, into a file named recovery.agekey):

{sheet.grouped}

Then:   age --decrypt -i recovery.agekey -o record.tar {sheet.file_name}
Or:     open reader.html in any browser, and type the key there. It sends nothing.

{sheet.lost}
"""


def pdf(sheet: Sheet) -> bytes:
    """The sheet as a tagged PDF (PDF/UA-1) of one page, the key as a QR code and as text. Nothing touches the disk."""
    image = io.BytesIO()
    code = segno.make(sheet.recovery.text, error=QR_ERROR, micro=False)
    code.save(image, kind="svg", border=4, scale=4, xmldecl=False)
    return typst.compile(_page(sheet, image.getvalue().decode()).encode(), format="pdf", pdf_standards=PDF_STANDARD)


def _page(sheet: Sheet, code: str) -> str:
    lines = [
        f"#set document(title: {quoted('Recovery sheet')}, author: {quoted(sheet.school)})",
        '#set text(lang: "en", region: "GB", size: 11pt)', '#set page(paper: "a4", margin: 2.2cm)',
        '#title(text(size: 20pt, "Recovery sheet"))', para(sheet.name),
        para(f"Made on {sheet.at:%d %B %Y} by {sheet.school}."),
        para(f"This sheet opens the file {sheet.file_name}. Keep it on paper, apart from the file and from your other "
              "key. Whoever has both this sheet and the file can read your record."),
        f"#align(center, image(bytes({quoted(code)}), {LOOK}))",
        heading("The recovery key"), f"#text(size: 13pt, raw({quoted(sheet.grouped)}))",
        heading("How to use it"),
        para("Open reader.html, which lies beside the file, in any browser; choose the file; scan the code with "
              "a telephone that you trust, or type the key. Spaces do not matter. The page sends nothing."),
        para("Or, with the program age (1.3 or later): write the key on one line, without the spaces, into a file "
              f"named recovery.agekey; then: age --decrypt -i recovery.agekey -o record.tar {sheet.file_name}"),
        heading("If you lose your keys"), para(sheet.lost),
    ]  # fmt: skip
    return "\n\n".join(lines)
