"""Which signs a pupil's beliefs show: raised when sure enough, eased later, each with one plain sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np

from domain import change
from domain.instrument import CELLS, CONTEXTS, FACTORS, Composite
from domain.journey.decisions import Finding
from domain.journey.state import Sat
from domain.risk import gaussian, words
from domain.risk.kalman import Small
from domain.risk.model import Cut, Cuts, Model
from domain.risk.view import View
from domain.statistics import normal_cdf

Subject = tuple[str, str | None, str | None, str | None]
EVIDENCE = 3
"""How many of the newest sittings a sign names; the level rests on earlier ones too, ever less."""
Candidate = tuple[Cut, Finding]


def signs(
    model: Model, known: Sequence[Sat], usable: Sequence[Sat], view: View | None, standing: frozenset[Subject], on: date
) -> list[Finding]:
    """All signs that stand on a day, those that make work first."""
    found = list(_response_quality(model, known, on))
    if view is None:
        return found
    age = (on - usable[-1].on).days
    for cut, finding in _candidates(model, usable, view):
        stands = finding.subject in standing and age <= model.rules.standing_days
        least = cut.off if stands else cut.on
        if (stands or age <= model.rules.recent_days) and (finding.probability or 0.0) >= least:
            found.append(finding)
    return found


def unsure(model: Model, usable: Sequence[Sat], view: View) -> Iterator[Candidate]:
    """Every sign that makes work there could be, however unlikely, with the cut it would have to reach."""
    for _, finding in _for_work(_open_to_all(model), usable, view):
        kind = "composite" if finding.kind.startswith("composite_") else finding.kind
        yield getattr(model.cuts, kind), finding


@lru_cache(8)
def _open_to_all(model: Model) -> Model:
    none = {name: Cut(on=0.0, off=0.0) for name in Cuts.model_fields}
    return replace(model, artefact=model.artefact.model_copy(update={"cuts": Cuts(**none)}))


def _candidates(model: Model, usable: Sequence[Sat], view: View) -> Iterator[Candidate]:
    yield from _for_work(model, usable, view)
    yield from _polar(model, usable, view)
    yield from _gaps(model, usable, view)
    yield from _fluctuation(model, usable)


def _for_work(model: Model, usable: Sequence[Sat], view: View) -> Iterator[Candidate]:
    yield from _priority(model, usable, view)
    yield from _worsening(model, usable, view)
    yield from _both_contexts(model, usable, view)
    for composite in model.instrument.composites:
        yield from _composite(model, usable, view, composite)


def _began(likely: Small, usable: Sequence[Sat]) -> date | None:
    """The sitting from which on it has been more likely than not; None where that is the last one."""
    first = len(usable) - 1
    while first > 0 and likely[first - 1] >= 0.5:
        first -= 1
    return usable[first].on if first < len(usable) - 1 else None


def _finding(
    kind: str,
    place: tuple[str | None, str | None, str | None],
    probability: float,
    reason: str,
    usable: Sequence[Sat],
    count: int = EVIDENCE,
) -> Finding:
    factor, context, pole = place
    rests_on = tuple(sat.event_id for sat in usable[-count:])
    return Finding(kind, factor, context, pole, round(min(max(float(probability), 0.0), 1.0), 4), reason, rests_on)


def _ends(view: View, pole: str) -> Small:
    return view.outlook.low if pole == "low" else view.outlook.high


def _at_end(usable: Sequence[Sat], view: View, cell: int, pole: str) -> Finding:
    context, factor = CELLS[cell]
    likely, other = _ends(view, pole)[cell], float(_ends(view, pole)[(cell + 4) % 8, -1])
    p = float(likely[-1])
    reason = words.polar(factor, context, pole, p, other, _began(likely, usable))
    return _finding("polar", (factor, context, pole), p, reason, usable)


def _polar(model: Model, usable: Sequence[Sat], view: View) -> Iterator[Candidate]:
    for cell in range(8):
        for pole in ("low", "high"):
            if float(_ends(view, pole)[cell, -1]) >= model.cuts.polar.off:
                yield model.cuts.polar, _at_end(usable, view, cell, pole)


def _priority(model: Model, usable: Sequence[Sat], view: View) -> Iterator[Candidate]:
    p = float(view.outlook.priority[-1])
    if p < model.cuts.priority.off:
        return
    last = np.stack([view.outlook.low[:, -1], view.outlook.high[:, -1]])
    by_factor = np.maximum(last[:, :4], last[:, 4:])
    order = sorted(range(4), key=lambda factor: -by_factor[:, factor].max())
    ends = [(FACTORS[factor], ("low", "high")[int(by_factor[:, factor].argmax())]) for factor in order]
    reason = words.priority(ends, p, _began(view.outlook.priority, usable))
    yield model.cuts.priority, _finding("priority", (None, None, None), p, reason, usable)


def _both_contexts(model: Model, usable: Sequence[Sat], view: View) -> Iterator[Candidate]:
    for at, factor in enumerate(FACTORS):
        for pole in ("low", "high"):
            p = _joint(model, view, ((at, pole), (at + 4, pole)))
            if p >= model.cuts.both_contexts.off:
                reason = words.both_contexts(factor, pole, p)
                yield model.cuts.both_contexts, _finding("both_contexts", (factor, None, pole), p, reason, usable)


def _composite(model: Model, usable: Sequence[Sat], view: View, one: Composite) -> Iterator[Candidate]:
    for at, context in enumerate(CONTEXTS):
        (first, second) = ((FACTORS.index(factor) + 4 * at, pole) for factor, pole in one.ends.items())
        p = _joint(model, view, (first, second))
        if p >= model.cuts.composite.off:
            reason = words.composite(one.says, context, p)
            yield model.cuts.composite, _finding(f"composite_{one.name}", (None, context, None), p, reason, usable)


def _joint(model: Model, view: View, ends: tuple[tuple[int, str], tuple[int, str]]) -> float:
    """P(both levels at their end) as known at the last sitting."""
    (a, end_a), (b, end_b) = ends
    sign_a, sign_b = (1 if end == "low" else -1 for end in (end_a, end_b))
    rho = sign_a * sign_b * view.belief.correlation(a, b)
    return gaussian.both_below(sign_a * _to_end(model, view, a, end_a), sign_b * _to_end(model, view, b, end_b), rho)


def _to_end(model: Model, view: View, cell: int, end: str) -> float:
    cut = model.instrument.poles.low if end == "low" else model.instrument.poles.high
    return float((cut - view.outlook.level[cell, -1]) / view.outlook.sd[cell, -1])


def _gaps(model: Model, usable: Sequence[Sat], view: View) -> Iterator[Candidate]:
    for at, factor in enumerate(FACTORS):
        apart = float(view.outlook.level[at + 4, -1] - view.outlook.level[at, -1])
        general, school = (float(view.outlook.sd[cell, -1]) for cell in (at, at + 4))
        shared = 2 * view.belief.correlation(at, at + 4) * general * school
        sd = math.sqrt(general**2 + school**2 - shared)
        p = normal_cdf((abs(apart) - model.instrument.gap.least) / sd)
        if p >= model.cuts.context_gap.off:
            pole = "low" if apart < 0 else "high"
            yield (
                model.cuts.context_gap,
                _finding("context_gap", (factor, None, pole), p, words.gap(factor, pole, p), usable),
            )


def _worsening(model: Model, usable: Sequence[Sat], view: View) -> Iterator[Candidate]:
    middle, poles = model.instrument.scale.middle, model.instrument.poles
    for cell, (context, factor) in enumerate(CELLS):
        away = float(view.outlook.level[cell, -1]) - middle
        pole, reach = ("low", middle - poles.low) if away < 0 else ("high", poles.high - middle)
        moved = change.outward(model, usable, cell)
        if moved is None or abs(away) < model.rules.watch * reach or moved.probability < model.cuts.worsening.off:
            continue
        reason = words.worsening(factor, context, pole, moved.probability, moved.began)
        yield (
            model.cuts.worsening,
            _finding("worsening", (factor, context, pole), moved.probability, reason, usable, moved.sittings),
        )


def _fluctuation(model: Model, usable: Sequence[Sat]) -> Iterator[Candidate]:
    moved = change.fluctuation(model, usable)
    if moved is None:
        return
    none = (None, None, None)
    for kind, p, say, cut in (
        ("unsettled", moved.less_likely, words.unsettled, model.cuts.unsettled),
        ("flat", 1 - moved.less_likely, words.flat, model.cuts.flat),
    ):
        yield cut, _finding(kind, none, p, say(moved.rounds), usable, moved.rounds)


def _response_quality(model: Model, known: Sequence[Sat], on: date) -> Iterator[Finding]:
    if not known or known[-1].usable or (on - known[-1].on).days > model.rules.recent_days:
        return
    yield Finding(
        "response_quality", None, None, None, None, words.response_quality(known[-1].quality), (known[-1].event_id,)
    )
