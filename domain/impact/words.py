"""What an impact figure allows one to say, and what not: sentences that never claim a cause."""

from __future__ import annotations

import math
from dataclasses import dataclass

from domain.impact import Estimate, Impact
from domain.impact.classes import Share
from domain.small import SMALLEST

BIAS_WARNING = (
    "Change compared with change is biased wherever pupils were picked by their scores; it is shown only because it is"
    " often asked for."
)


@dataclass(frozen=True, slots=True)
class Said:
    """``headline`` may be said in public with ``beside`` next to it; ``may_not`` may not, and ``why_not``."""

    headline: str
    beside: tuple[str, ...]
    may_not: str
    why_not: str


def sentences(found: Impact) -> Said:
    """The words for a figure."""
    beside = [_arms(found), _null(found), _missing(found), _hidden(found), _pairs(found), _already(found)]
    may_not, why_not = _forbidden(found)
    return Said(headline(found.primary), tuple(one for one in beside if one), may_not, why_not)


def headline(estimate: Estimate | None) -> str:
    """The one sentence that may be said in public."""
    if estimate is None:
        return (
            "There are too few pupils seen again in both arms to compare them: this will appear when at least ten"
            " supported and ten unsupported pupils with early signs have sat a later round."
        )
    who = (
        f"Of pupils with early signs in the same round and year group, {estimate.supported} with a plan ended"
        f" {_points(estimate.nearer)} on average than {estimate.unsupported} without one, after allowing for where they"
        f" started (95 % interval {_range(estimate)} scale points)."
    )
    if estimate.excludes_zero:
        return f"{who} A difference of this kind goes together with support; why is not shown by it."
    return f"{who} With this many pupils we cannot tell that from no difference at all."


def _points(nearer: float) -> str:
    return f"{abs(nearer):.2f} scale points {'nearer to' if nearer >= 0 else 'farther from'} the middle"


def _range(estimate: Estimate) -> str:
    return f"{estimate.low:+.2f} to {estimate.high:+.2f}"


def percent(share: Share) -> str:
    """A share with its interval in words."""
    if not share.of:
        return "nobody to count"
    return f"{share.share:.0%} ({share.count} of {share.of}; interval {share.low:.0%} to {share.high:.0%})"


def _arms(found: Impact) -> str:
    one, other = found.supported.classes["any_improvement"], found.unsupported.classes["any_improvement"]
    if min(one.of, other.of) < SMALLEST:
        return ""
    return (
        f"Nearer the middle at the next look: {percent(one)} of those with a plan, {percent(other)} of those without."
    )


def _null(found: Impact) -> str:
    one, other = found.supported.null, found.unsupported.null
    if math.isnan(one) or math.isnan(other) or found.primary is None:
        return ""
    return (
        f"If nobody had done anything, {one:.0%} and {other:.0%} would be expected nearer the middle: pupils picked for"
        " far-out scores drift back by themselves."
    )


def _after(weeks: float) -> str:
    return f", half of them within {weeks:.0f} weeks of the start" if math.isfinite(weeks) else ""


def _missing(found: Impact) -> str:
    one, other = found.supported, found.unsupported
    if min(one.flagged, other.flagged) < SMALLEST:
        return ""
    text = (
        f"Seen again: {one.reassessed.count} of {one.flagged} with a plan, {other.reassessed.count} of {other.flagged}"
        f" without{_after(found.median_weeks)}. Every plan begun counts, however it went."
    )
    if found.worst_case is None:
        return text
    low, high = found.worst_case
    return (
        f"{text} Depending on those not seen again, the difference of shares lies between {low:+.0%} and {high:+.0%}."
    )


def _hidden(found: Impact) -> str:
    if found.hidden is None:
        return ""
    one = found.hidden
    return (
        "A reason that the record does not show would explain all of this difference if it explained"
        f" {one.whole:.0%} of what is left both of who was supported and of how they fared; {one.interval:.0%} would be"
        f" enough for no clear difference. All that was on record beforehand explains {one.recorded_support:.0%} and"
        f" {one.recorded_outcome:.0%}.{_moved(one.moved)}"
    )


def _moved(points: float) -> str:
    if math.isinf(points):
        return ""
    return f" A hidden reason as strong as that could move the difference by {points:.2f} scale points either way."


def _pairs(found: Impact) -> str:
    if found.pairs is None:
        return ""
    mean, low, high = found.pairs.nearer
    return (
        f"In {found.pairs.pairs} pairs alike at the start, the one with a plan was {_points(mean)} than the other"
        f" (interval {low:+.2f} to {high:+.2f})."
    )


def _already(found: Impact) -> str:
    if found.already_supported < SMALLEST:
        return ""
    return f"{found.already_supported} pupils had a plan running already and are left out of the comparison."


def _forbidden(found: Impact) -> tuple[str, str]:
    one = found.supported.classes["any_improvement"]
    if one.of < SMALLEST:
        return "", ""
    may_not = f"“{one.share:.0%} of supported pupils improved.”"
    if math.isnan(found.supported.null):
        return may_not, "A share without a comparison says nothing: pupils picked for far-out scores drift back anyway."
    return may_not, (
        f"By itself it says nothing: {found.supported.null:.0%} of the same pupils would be expected to improve with"
        " nobody doing anything."
    )
