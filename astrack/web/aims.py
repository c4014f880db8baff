"""What a plan can be about: a factor, an end, a context, in plain words; and a goal to begin from."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from astrack.picture import ENDS, FACTORS, IN_WORDS, NAMES
from domain.journey import facts as f


@dataclass(frozen=True, slots=True)
class Aim:
    """What a plan is about: a factor, an end, a context; and the flag it answers, if any."""

    factor: str
    pole: str
    context: str
    flag_id: UUID | None = None

    @property
    def words(self) -> str:
        """The aim in plain words: "in school: keeps to self"."""
        return (
            f"{IN_WORDS['school' if self.context == 'school' else 'general']}: {ENDS[self.factor][self.pole == 'high']}"
        )


def aim_of(text: str) -> Aim | None:
    """The aim written as factor.pole.context; None for anything else."""
    factor, pole, context = [*text.split("."), "", "", ""][:3]
    known = factor in FACTORS and pole in ("low", "high") and context in ("general", "school")
    return Aim(factor, pole, context) if known else None


def flag_aim(raised: f.FlagRaised) -> Aim | None:
    """What a sign is about; None where it names no factor or no end."""
    if raised.factor not in FACTORS or raised.pole is None:
        return None
    return Aim(raised.factor, raised.pole, "school" if raised.context == "school" else "general")


def aims() -> list[tuple[str, list[tuple[str, str]]]]:
    """Everything a plan can be about: for each factor, (its code, its words)."""
    contexts = ("general", "school")
    return [
        (
            NAMES[factor],
            [(f"{factor}.{pole}.{one}", Aim(factor, pole, one).words) for one in contexts for pole in ("low", "high")],
        )
        for factor in FACTORS
    ]


GOALS = {
    ("self_disclosure", "low"): "tells one trusted person what matters",
    ("self_disclosure", "high"): "chooses what to tell, and to whom",
    ("trust_of_self", "low"): "tries a first answer of their own",
    ("trust_of_self", "high"): "asks for advice and uses some of it",
    ("trust_of_others", "low"): "relies on one person here",
    ("trust_of_others", "high"): "checks before following others",
    ("seeking_change", "low"): "tries one new thing and has a way back",
    ("seeking_change", "high"): "finishes what was begun",
}


def goal_for(aim: Aim | None) -> str:
    """A goal to begin from."""
    return GOALS[(aim.factor, aim.pole)].capitalize() if aim else ""
