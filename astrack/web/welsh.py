"""The rest of what a pupil reads, from English to Welsh: picture, story, roles, refusals. A draft, as in ``lang``."""

from __future__ import annotations

import re
from collections.abc import Callable

Translate = Callable[[str], str]

MONTHS = {
    "January": "Ionawr", "February": "Chwefror", "March": "Mawrth", "April": "Ebrill", "May": "Mai", "June": "Mehefin",
    "July": "Gorffennaf", "August": "Awst", "September": "Medi", "October": "Hydref", "November": "Tachwedd",
    "December": "Rhagfyr",
}  # fmt: skip
FRAME = {
    "Skip to the content": "Neidio i'r cynnwys",
    "Main": "Prif ddewislen",
    "Sign out": "Allgofnodi",
    "pupil": "disgybl",
    "My questions": "Fy nghwestiynau",
    "My story": "Fy stori",
    "What this is": "Beth yw hwn",
    "Design": "Dylunio",
    "Print": "Argraffu",
    "A demonstration instrument, not validated.": "Offeryn arddangos, heb ei ddilysu.",
}
PICTURE = {
    "{name}'s journey from 8 to 18": "Taith {name} o 8 i 18",
    "Four rows, one for each factor; a solid line in general, a dashed line in school; the band around a line holds the"
    " true level 8 times in 10. ": "Pedair rhes, un i bob ffactor; llinell solet yn gyffredinol, llinell doredig yn yr"
    " ysgol; mae'r lefel go iawn y tu mewn i'r band o amgylch llinell 8 gwaith o bob 10. ",
    "A table with the same content follows.": "Mae tabl gyda'r un cynnwys yn dilyn.",
    "Sharing": "Rhannu",
    "Trust of self": "Hyder ynof fi",
    "Trust of others": "Hyder yn eraill",
    "Seeking change": "Ceisio newid",
    "keeps to self": "cadw i mi fy hun",
    "shares": "rhannu",
    "doubts self": "amau fy hun",
    "trusts self": "ymddiried ynof fi",
    "wary of others": "gochel rhag eraill",
    "trusts others": "ymddiried yn eraill",
    "stays with the known": "aros gyda'r cyfarwydd",
    "seeks the new": "ceisio'r newydd",
    "in general": "yn gyffredinol",
    "in school": "yn yr ysgol",
    "too few answers": "rhy ychydig o atebion",
    "in the middle": "yn y canol",
    "almost always {end}": "bron bob amser: {end}",
    "more often {end}": "yn amlach: {end}",
    "this sitting could not be read well": "nid oedd modd darllen yr atebion hyn yn dda",
    "an adult wrote for the pupil": "oedolyn a ysgrifennodd",
    "corrected since": "wedi'i gywiro ers hynny",
    "{words}: {level}, 8 in 10 between {low} and {high}": "{words}: {level}, 8 o bob 10 rhwng {low} a {high}",
    "{school}, {since} to {until}": "{school}, {since} hyd {until}",
    "now": "nawr",
    "today": "heddiw",
    "as known on {day}": "fel yr oedd ar {day}",
    "age 8": "8 oed",
    "Sealed record received from {school} and verified": "Derbyniwyd cofnod dan sêl o {school} a'i wirio",
    "Record handed over to the next school": "Trosglwyddwyd y cofnod i'r ysgol nesaf",
    "Plan": "Cynllun",
    "all": "popeth",
    "Hand-over": "Trosglwyddo",
    "School": "Ysgol",
    "Sitting": "Eisteddiad",
    "joined {school}": "ymunodd â {school}",
    "Plan: {goal}. {since} to {until}, {came}": "Cynllun: {goal}. {since} hyd {until}, {came}",
    "{goal}: until {until}, {came}": "{goal}: hyd {until}, {came}",
    "running": "yn mynd ymlaen",
    "it helped": "fe helpodd",
    "it helped in part": "fe helpodd yn rhannol",
    "it did not help": "ni helpodd",
    "it stopped early": "stopiodd yn gynnar",
    "How to read the picture": "Sut i ddarllen y llun",
    "in general; the band holds the true level 8 times in 10": "yn gyffredinol; mae'r lefel go iawn yn y band 8 gwaith"
    " o bob 10",
    "one sitting": "un eisteddiad",
    "near an end": "yn agos at un pen",
    "plan; full: it helped, half: in part, ring: not": "cynllun; llawn: fe helpodd, hanner: yn rhannol, cylch: naddo",
    "record handed over": "trosglwyddwyd y cofnod",
    "The same as a table": "Yr un peth fel tabl",
    "Everything in the picture, newest first": "Popeth yn y llun, y diweddaraf yn gyntaf",
    "Day": "Diwrnod",
    "What": "Beth",
    "Where": "Ble",
    "What it says": "Beth mae'n ei ddweud",
    "Nothing yet: the picture fills with the first sitting.": "Dim byd eto: bydd y llun yn llenwi gyda'r eisteddiad"
    " cyntaf.",
}
STORY = {
    "{n} entry": "{n} cofnod",
    "{n} entries": "{n} cofnod",
    "You joined {school}, in {year}.": "Ymunaist â {school}, ym {year}.",
    "You joined {school}.": "Ymunaist â {school}.",
    "a school": "ysgol",
    "another school": "ysgol arall",
    "Year {n}": "Mlwyddyn {n}",
    "You imagined your place and made your choices there.": "Dychmygaist dy le a gwneud dy ddewisiadau yno.",
    "You answered other questions.": "Atebaist gwestiynau eraill.",
    "You said: not today. Nothing follows from it.": "Dywedaist ti: dim heddiw. Does dim yn dilyn o hynny.",
    "It was noted for you: not today. Nothing follows from it.": "Nodwyd ar dy ran: dim heddiw. Does dim yn dilyn o"
    " hynny.",
    "A plan with you began: {goal}": "Dechreuodd cynllun gyda thi: {goal}",
    "The plan came to its end: {came}.": "Daeth y cynllun i ben: {came}.",
    "You said that you would like to talk to someone.": "Dywedaist yr hoffet siarad â rhywun.",
    "Somebody took up your wish to talk.": "Ymatebodd rhywun i dy ddymuniad i siarad.",
    "Your record came from {school} and was checked.": "Daeth dy gofnod o {school} a chafodd ei wirio.",
    "You were given your own copy.": "Cefaist dy gopi dy hun.",
    "You said that you would rather not take part.": "Dywedaist y byddai'n well gennyt beidio â chymryd rhan.",
    "Your family said that you would rather not take part.": "Dywedodd dy deulu na fyddi di'n cymryd rhan.",
    "You said that you take part again.": "Dywedaist dy fod yn cymryd rhan eto.",
    "Your family said that you take part again.": "Dywedodd dy deulu dy fod yn cymryd rhan eto.",
    "Your record is kept and not used until a question about it is settled.": "Mae dy gofnod yn cael ei gadw a heb ei"
    " ddefnyddio nes bod cwestiwn amdano wedi'i ateb.",
    "Your record may be used again.": "Caiff dy gofnod ei ddefnyddio eto.",
}
WHO = {
    "tutor": "tiwtor",
    "head of year or house": "pennaeth blwyddyn neu dŷ",
    "designated safeguarding lead": "arweinydd diogelu dynodedig",
    "lead practitioner": "ymarferydd arweiniol",
    "head": "pennaeth",
    "administrator": "gweinyddwr",
    "data protection officer": "swyddog diogelu data",
    "auditor": "archwilydd",
    "accreditor from outside": "achredwr o'r tu allan",
    "parent": "rhiant",
    "the service itself": "y gwasanaeth ei hun",
    "their own story": "eu stori eu hunain",
    "their own child": "eu plentyn eu hunain",
    "teaching and care": "addysgu a gofal",
    "keeping pupils safe": "cadw disgyblion yn ddiogel",
    "checking that support is good": "gwirio bod y cymorth yn dda",
    "leading the school": "arwain yr ysgol",
    "keeping the roster": "cadw'r rhestr",
    "protecting data": "diogelu data",
    "checking the record": "gwirio'r cofnod",
    "accrediting the school": "achredu'r ysgol",
    "running the machine": "cynnal y peiriant",
    "an exception, with a reason": "eithriad, gyda rheswm",
}
REFUSALS = {
    "Please sign in": "Mewngofnoda, os gweli di'n dda",
    "This is not part of your role": "Nid yw hwn ar dy gyfer di",
    "There is nothing here for you": "Does dim byd yma i ti",
    "This cannot be done as things stand": "Does dim modd gwneud hyn ar hyn o bryd",
    "Somebody wrote here while you did": "Ysgrifennodd rhywun arall yma yr un pryd",
    "That is too large": "Mae hwnnw'n rhy fawr",
    "Something in it needs another look": "Mae angen edrych eto ar rywbeth",
    "Too many tries": "Gormod o gynigion",
    "One moment, please": "Un funud, os gweli di'n dda",
    "That did not work": "Ni weithiodd hynny",
    "What you typed is still here": "Mae'r hyn a ysgrifennaist yn dal yma",
    "Nothing of it was saved.": "Ni chafodd dim ohono ei gadw.",
    "Back to the page": "Yn ôl i'r dudalen",
    "Start page": "Tudalen gychwyn",
    "{label}: write a whole number from {low} to {high}.": "{label}: dewisa rif cyfan o {low} i {high}.",
    "{label}: choose one of those offered.": "{label}: dewisa un o'r rhai sydd yno.",
    "{label}: {n} characters are too many, {most} fit. Shorten it.": "{label}: mae {n} nod yn ormod, mae lle i {most}."
    " Gwna fe'n fyrrach.",
    "{label}: fill this in.": "{label}: llenwa hwn.",
    "Your answer": "Dy ateb",
    "Who writes": "Pwy sy'n ysgrifennu",
    "This form": "Y ffurflen hon",
    "This is not one of the questions: go back and choose one of those shown.": "Nid yw hwn yn un o'r cwestiynau: dos"
    " yn ôl a dewisa un o'r rhai sydd yno.",
    "There are no questions for you at the moment. Your tutor will tell you when there are.": "Does dim cwestiynau i ti"
    " ar hyn o bryd. Bydd dy diwtor yn dweud wrthyt pan fydd rhai.",
    "These answers have been handed in already: thank you.": "Mae'r atebion hyn wedi'u rhoi i mewn yn barod: diolch.",
    "You have done this round already: thank you, there is nothing more to do.": "Rwyt ti wedi gwneud y rownd hon yn"
    " barod: diolch, does dim mwy i'w wneud.",
    "This form is from an earlier visit, so nothing was done: what you typed is below. Copy what you need, open the"
    " page again and send it from there.": "Mae'r ffurflen hon o ymweliad cynharach, felly ni wnaed dim: mae'r hyn a"
    " ysgrifennaist isod. Agora'r dudalen eto a'i hanfon oddi yno.",
    "This form is not one that we made: open the page again and send it from there.": "Nid ni wnaeth y ffurflen hon:"
    " agora'r dudalen eto a'i hanfon oddi yno.",
    "What was sent is not a form: open the page again and send it from there.": "Nid ffurflen yw'r hyn a anfonwyd:"
    " agora'r dudalen eto a'i hanfon oddi yno.",
    "The form could not be read: open the page again and send it from there.": "Doedd dim modd darllen y ffurflen:"
    " agora'r dudalen eto a'i hanfon oddi yno.",
    "The form is over {n} KiB, so nothing was done: shorten what you wrote.": "Mae'r ffurflen dros {n} KiB, felly ni"
    " wnaed dim: gwna'r hyn a ysgrifennaist yn fyrrach.",
    "The address holds a character that no text has: open the page again from its menu.": "Mae nod yn y cyfeiriad nad"
    " yw mewn unrhyw destun: agora'r dudalen eto o'r ddewislen.",
    "There is no copy of yours with this number: make one on the page of your story.": "Does dim copi i ti gyda'r rhif"
    " hwn: gwna un ar dudalen dy stori.",
    "There is nothing at this address: check it, or begin again from the start page.": "Does dim byd yn y cyfeiriad"
    " hwn: edrycha arno eto, neu dechreua o'r dudalen gychwyn.",
}
TABLE: dict[str, str] = {**MONTHS, **FRAME, **PICTURE, **STORY, **WHO, **REFUSALS}
_PLACES = re.compile(r"\\\{(\w+)\\\}")
_PATTERNS = [
    (re.compile(_PLACES.sub(r"(?P<\1>.+?)", re.escape(english))), welsh)
    for english, welsh in REFUSALS.items()
    if "{" in english
]


def in_welsh(words: str) -> str:
    """Words of the table in Welsh, a refusal with numbers in it too; any others as they are."""
    if words in TABLE:
        return TABLE[words]
    found = ((pattern.fullmatch(words), welsh) for pattern, welsh in _PATTERNS)
    return next((_filled(welsh, match) for match, welsh in found if match), words)


def _filled(welsh: str, match: re.Match[str]) -> str:
    return welsh.format(**{name: TABLE.get(part, part) for name, part in match.groupdict().items()})


def translator(language: str) -> Translate:
    """From English to a language, for what is not in its table of named words (``lang``)."""
    return in_welsh if language == "cy" else str
