"""The made-up pupils of the demo: who they are, how they develop, and how they answer. Reproducible by seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from domain.identity import Person
from domain.instrument import Instrument
from domain.pupil_number import check_letter

Floats = NDArray[np.float64]
MIDDLE, PERSISTENCE, STEP, NOISE = 3.5, 0.93, 0.3, 0.9
FORENAMES = tuple(
    """
    Aisha Alfie Amelia Arjun Beatrix Caleb Carys Daniel Dilys Edie Elif Ewan Farah Finn Freya Gethin Grace Hamza
    Hana Idris Imogen Isaac Ivy Jamal Jasmine Josiah Kai Keira Kofi Leila Leo Lowri Luca Maeve Marcus Mei Milo
    Nadia Nia Noah Olive Omar Oscar Pia Priya Rafi Rhys Rosa Ruben Safa Samuel Seren Sofia Tariq Theo Uma Wilf
    Yusuf Zara Zofia
    """.split()  # noqa: SIM905
)
SURNAMES = tuple(
    """
    Abbott Achebe Ahmed Baptiste Barlow Bevan Blackwood Castell Chaudhry Clarke Conteh Craddock Davies Delaney
    Doyle Eze Fairclough Farah Ferreira Gill Greene Haddad Harding Hassan Holloway Hughes Islam Janowski Jenkins
    Kaur Khalil Lacey Lewandowska Lindqvist Marsh Mbeki Morris Nolan Nowak O'Rourke Okafor Osei Pascoe Patel
    Petrov Quinn Rahman Rees Rossi Sanderson Sharma Silva Stanton Tanner Thapa Treharne Usman Vaughan Walcott
    Whitlock Yeo
    """.split()  # noqa: SIM905
)


@dataclass(slots=True)
class Pupil:
    """One made-up pupil. ``levels``: their eight true levels now, on the scale 1-6; ``drift``: what pulls at them."""

    person: Person
    group: str
    levels: Floats
    drift: Floats = field(default_factory=lambda: np.zeros(8))


def cast(year_start: int, lea: str, estab: str, class_size: int, chance: np.random.Generator) -> list[list[Pupil]]:
    """Three classes, those of Years 4, 5 and 6 in the academic year that starts in ``year_start``."""
    surnames = chance.permutation(np.array(SURNAMES * 2))[: 3 * class_size]
    forenames = chance.permutation(np.array(FORENAMES * 2))[: 3 * class_size]
    classes = []
    for year in (4, 5, 6):
        rows = range((year - 4) * class_size, (year - 3) * class_size)
        classes.append(
            [_pupil(n, str(forenames[n]), str(surnames[n]), year, year_start, lea, estab, chance) for n in rows]
        )
    classes[0][0] = _heroine(classes[0][0], year_start)
    return classes


def _pupil(
    n: int, forename: str, surname: str, year: int, year_start: int, lea: str, estab: str, chance: np.random.Generator
) -> Pupil:
    born = date(year_start - year - 5, 9, 1) + timedelta(days=int(chance.integers(0, 365)))
    body = f"{lea}{estab}{(born.year + 5) % 100:02d}{n + 1:03d}"
    person = Person(
        surname=surname, forename=forename, upn=check_letter(body) + body, date_of_birth=born, sex="F" if n % 2 else "M"
    )
    return Pupil(person, f"{year}{'ABC'[year % 3]}", np.clip(chance.normal(MIDDLE, 0.85, 8), 1, 6))


def _heroine(pupil: Pupil, year_start: int) -> Pupil:
    """The pupil whose story the README shows: born on 3 November, so 18 by the end of the story."""
    person = pupil.person.model_copy(
        update={"forename": "Mabli", "surname": "Hartley", "date_of_birth": date(year_start - 9, 11, 3), "sex": "F"}
    )
    return Pupil(person, pupil.group, np.array([3.6, 3.3, 3.5, 3.2, 3.5, 3.4, 3.4, 3.3]))


def live_on(pupils: list[Pupil], chance: np.random.Generator) -> None:
    """Four months pass: levels drift back to the middle, are pushed about, and pulled by whatever pulls at them."""
    for one in pupils:
        step = chance.normal(0, STEP, 8)
        one.levels = np.clip(MIDDLE + PERSISTENCE * (one.levels - MIDDLE) + step + one.drift, 1, 6)
        one.drift = one.drift * 0.6


def answers(
    pupil: Pupil, instrument: Instrument, place: Callable[[str, str], int], chance: np.random.Generator
) -> tuple[dict[str, int], dict[str, float]]:
    """How a pupil answers every item (1-6), and the seconds each took; ``place(factor, context)`` is 0 to 7."""
    given: dict[str, int] = {}
    for item in instrument.items:
        level = pupil.levels[place(item.factor, item.context)]
        felt = MIDDLE + item.keyed * (level - MIDDLE) + chance.normal(0, NOISE)
        given[item.id] = int(np.clip(round(felt), 1, 6))
    return given, {item.id: float(np.round(chance.gamma(6, 1.4) + 1.5, 1)) for item in instrument.items}
