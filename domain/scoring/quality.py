"""Response quality: whether the answers of one sitting can be read at all. Codes, never a judgement of a pupil."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import groupby

from domain.instrument import Instrument

Answers = Mapping[str, int]
Seconds = Mapping[str, float]
RULES = 2
"""How this software judges by an instrument's numbers; a sitting on record names the rules that judged it. Whoever
lets the same answers come out otherwise raises it and keeps the rule before: a test holds the results of each."""
UNNUMBERED = (1, 2)
"""Which rules may have judged a sitting that names none: there were two before they were numbered."""


def codes(instrument: Instrument, answers: Answers, seconds: Seconds | None, rules: int = RULES) -> tuple[str, ...]:
    """What stands out, in a fixed order: straight_lining, longest_run, too_fast, inconsistent, missing.

    ``answers``: by item, as chosen (before keying); ``seconds``: by item, or None where they were not kept;
    ``rules``: by which rules of this software.
    """
    fast_share = FAST_SHARE[rules]
    given = [answers[item.id] for item in instrument.items if item.id in answers]
    limits = instrument.quality
    seen = {
        "straight_lining": _most_common_share(given) >= limits.straight_share,
        "longest_run": _longest_run(given) >= limits.longest_run,
        "too_fast": fast_share(answers, seconds or {}, limits.fast_seconds) >= limits.fast_share,
        "inconsistent": _pair_gap(instrument, answers) >= limits.inconsistent_gap,
        "missing": _missing(instrument, answers),
    }
    return tuple(code for code, true in seen.items() if true)


def usable(instrument: Instrument, found: tuple[str, ...]) -> bool:
    """Whether a sitting with these codes counts for the model."""
    return not set(found) & instrument.quality.unusable


def _most_common_share(given: list[int]) -> float:
    return max(Counter(given).values()) / len(given) if given else 0.0


def _longest_run(given: list[int]) -> int:
    return max((len(list(run)) for _, run in groupby(given)), default=0)


def _fast_of_times(_: Answers, seconds: Seconds, fast: float) -> float:
    """The share of the times that were kept, however few: one fast answer alone made a fast sitting."""
    return sum(one < fast for one in seconds.values()) / len(seconds) if seconds else 0.0


def _fast_of_answers(answers: Answers, seconds: Seconds, fast: float) -> float:
    """The share of the answers known to have been given so fast: one whose time was not kept is not held against it."""
    return sum(seconds.get(item, fast) < fast for item in answers) / len(answers) if answers else 0.0


FAST_SHARE: dict[int, Callable[[Answers, Seconds, float], float]] = {1: _fast_of_times, 2: _fast_of_answers}


def _pair_gap(instrument: Instrument, answers: Mapping[str, int]) -> float:
    ends = instrument.scale.least + instrument.scale.most
    gaps = [
        abs(answers[item.id] - (ends - answers[item.pair]))
        for item in instrument.items
        if item.keyed == 1 and item.id in answers and item.pair in answers
    ]
    return sum(gaps) / len(gaps) if len(gaps) >= 6 else 0.0


def _missing(instrument: Instrument, answers: Mapping[str, int]) -> bool:
    cells = Counter(item.cell for item in instrument.items if item.id in answers)
    thin = any(cells[cell] < instrument.scoring.least_answered for cell in range(8))
    return thin or len(answers) < instrument.quality.answered_share * len(instrument.items)
