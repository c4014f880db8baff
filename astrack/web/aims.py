"""What a plan can be about, in plain words; and a goal to begin from."""

from __future__ import annotations

from astrack.picture import ENDS, FACTORS, IN_WORDS, NAMES
from domain import instrument
from domain.guidance import CONTEXTS, PLACES, POLES, Place
from domain.guidance.aims import Aim, of_sign
from domain.journey import facts as f
from domain.risk import words

COMPOSITES = {f"composite_{one.name}": one.says for one in instrument.newest().composites}
PATTERNS = {
    "unsettled": "answers that go up and down from round to round",
    "flat": "answers that hardly move from round to round",
    "response_quality": "a sitting that could not be read",
}
GAPS = {"low": "holds back more in school than elsewhere", "high": "opens out more in school than elsewhere"}
GOALS = {
    ("self_disclosure", "low"): "tells one trusted person what matters",
    ("self_disclosure", "high"): "chooses what to tell, and to whom",
    ("trust_of_self", "low"): "tries a first answer of their own",
    ("trust_of_self", "high"): "asks for advice and uses some of it",
    ("trust_of_others", "low"): "relies on one person here",
    ("trust_of_others", "high"): "checks before following others",
    ("seeking_change", "low"): "tries one new thing and has a way back",
    ("seeking_change", "high"): "finishes what was begun",
    ("composite_closed_circle", None): "hands one small thing to one person here",
    ("composite_open_gate", None): "asks one person before telling or giving",
    ("composite_lone_captain", None): "lets somebody else do a part",
    ("composite_leaning_over", None): "says a view of their own first, then hears others",
    ("composite_holding_still", None): "takes one small step that is new, and chose it",
    ("composite_full_sail", None): "plans a venture with a mate whose doubts are heard",
    ("context_gap", "low"): "shows in school one thing that is easy elsewhere",
    ("context_gap", "high"): "has one place outside school that is as good",
    ("unsettled", None): "has one thing that is the same every day",
    ("flat", None): "looks forward to one thing each fortnight",
}
Choices = list[tuple[str, list[tuple[str, str]]]]


def place_words(at: Place) -> str:
    """A place in plain words: "in school: keeps to self"."""
    if at.about in PATTERNS:
        return PATTERNS[at.about]
    if at.about == "context_gap":
        return GAPS[at.pole or "low"]
    said = COMPOSITES.get(at.about) or ENDS[at.about][at.pole == "high"]
    return f"{IN_WORDS[at.context or 'general']}: {said}"


def aim_words(aim: Aim) -> str:
    """What a plan is about in plain words; the two ends of a priority, an end in both contexts, each said once."""
    if aim.code.startswith("context_gap") and aim.factor:
        return words.GAPS[aim.factor, aim.pole or "low"]
    if len(aim.places) == 1:
        return place_words(aim.places[0])
    return " and ".join(dict.fromkeys(ENDS[at.about][at.pole == "high"] for at in aim.places))


def flag_aim(raised: f.FlagRaised) -> Aim | None:
    """What a plan about a sign would be about; None where no plan can be about it."""
    return of_sign(raised.kind, raised.factor, raised.context, raised.pole, raised.reason)


def aims() -> Choices:
    """The ends a plan can be about without a sign: for each factor, (its code, its words)."""
    return [
        (
            NAMES[factor],
            [_choice(Place(factor, pole, context)) for context in CONTEXTS for pole in POLES],
        )
        for factor in FACTORS
    ]


def patterns() -> Choices:
    """The patterns a plan can be about: composites, and what shows over time."""
    over_time = [(kind, PATTERNS[kind]) for kind in ("unsettled", "flat")]
    return [("Several at once", [_choice(at) for at in PLACES if at.about in COMPOSITES]), ("Over time", over_time)]


def places() -> Choices:
    """Every place of the guidance, grouped as plans are."""
    named = [("School and elsewhere", "context_gap"), ("Sittings", "response_quality")]
    return [*aims(), *patterns(), *((name, [_choice(at) for at in PLACES if at.about == one]) for name, one in named)]


def _choice(at: Place) -> tuple[str, str]:
    return at.code, place_words(at)


def goal_for(aim: Aim | None) -> str:
    """A goal to begin from."""
    return GOALS[aim.places[0][:2]].capitalize() if aim else ""
