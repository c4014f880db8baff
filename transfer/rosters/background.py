"""A pupil's background as roster files state it, brought down to the broad groups that are kept, if any are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import get_args

from lxml import etree

from domain.background import Background, Ethnicity, Watchable
from domain.roster import Listed

BROAD: dict[str, Ethnicity] = {"A": "Asian", "C": "Asian", "B": "Black", "M": "Mixed", "W": "White", "O": "other"}
"""First letter of the DfE's ethnicity codes -> broad group; Chinese among Asian, as in the census since 2011."""
UNSTATED = ("REFU", "NOBT")
SUPPORT = {"N": False, "K": True, "E": True, "A": True, "P": True, "S": True}
"""Codes of SENprovision: none, SEN support, plan; and those before 2014 (action, action plus, statement)."""
ENGLISH, OTHER_UNSAID = ("ENG", "ENB"), ("REF", "NOT", "")
ABSENT_MEANS_NO: tuple[Watchable, ...] = ("sen", "fsm")
"""A CTF lists these histories only for pupils who have one; a file in which nobody has one does not speak of them."""
ONEROSTER_RACES: dict[str, Ethnicity] = {
    "asian": "Asian", "blackOrAfricanAmerican": "Black", "white": "White", "demographicRaceTwoOrMoreRaces": "Mixed",
    "americanIndianOrAlaskaNative": "other", "nativeHawaiianOrOtherPacificIslander": "other",
}  # fmt: skip
YES_NO = {"true": True, "yes": True, "y": True, "1": True, "false": False, "no": False, "n": False, "0": False}


def of_ctf(pupil: etree._Element, on: date | None, watched: Iterable[Watchable]) -> Background:
    """The watched fields of a Pupil element, which stays as it is; ``on``: the day of the file, for what has an end."""
    return Background(
        sen=_sen(pupil), eal=_eal(pupil), fsm=_fsm(pupil, on),
        ethnicity=_broad(pupil.findtext("BasicDetails/Ethnicity") or ""),
    ).only(watched)  # fmt: skip


def absent_as_no(pupils: Iterable[Listed], watched: Iterable[Watchable]) -> tuple[Listed, ...]:
    """The pupils of a full CTF: where it lists a history for some, those without one do not have what it is about."""
    listed = tuple(pupils)
    told = [name for name in ABSENT_MEANS_NO if name in watched and any(one.background.said(name) for one in listed)]
    return tuple(
        one.model_copy(update={"background": one.background.model_copy(update=dict.fromkeys(lacking, False))})
        if (lacking := [name for name in told if not one.background.said(name)])
        else one
        for one in listed
    )


def of_demographics(text: Callable[[str], str], watched: Iterable[Watchable]) -> Background:
    """The watched fields of a line of demographics.csv: our columns (metadata.sen …), and OneRoster's own races."""
    stated = {name: YES_NO.get(text(f"metadata.{name}").lower()) for name in ("sen", "eal", "fsm")}
    said = text("metadata.ethnicity")
    named = next((one for one in get_args(Ethnicity) if one.lower() == said.lower()), None) or _broad(said)
    return Background(**stated, ethnicity=named or _race(text)).only(watched)


def _race(text: Callable[[str], str]) -> Ethnicity | None:
    true = [group for column, group in ONEROSTER_RACES.items() if text(column).lower() == "true"]
    return None if not true else "Mixed" if len(true) > 1 else true[0]


def _sen(pupil: etree._Element) -> bool | None:
    stages = pupil.findall("SENhistory/SEN")
    newest = max(stages, key=lambda one: one.findtext("StartDate") or "", default=None)
    return None if newest is None else SUPPORT.get((newest.findtext("SENprovision") or "").strip().upper())


def _eal(pupil: etree._Element) -> bool | None:
    """The DfE's reading: the first language is known or believed to be another than English."""
    for one in pupil.findall("BasicDetails/Languages/Type"):
        language = (one.findtext("Language") or "").strip().upper()
        if (one.findtext("LanguageType") or "").strip().upper() == "F" and language not in OTHER_UNSAID:
            return language not in ENGLISH
    return None


def _fsm(pupil: etree._Element, on: date | None) -> bool | None:
    instances = pupil.findall("FSMhistory/FSMinstance")
    if not instances and pupil.find("FSMhistory") is None:
        return None
    day = on.isoformat() if on else "9999"
    return any(
        (one.findtext("FSMstartDate") or "") <= day <= (one.findtext("FSMendDate") or "9999-12-31").strip()
        for one in instances
    )


def _broad(code: str) -> Ethnicity | None:
    four = code.strip().upper()
    return None if four in UNSTATED or len(four) != 4 else BROAD.get(four[0])
