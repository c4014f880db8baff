"""Tables of a report as text, small numbers hidden, and the same as CSV; those of an impact figure among them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from domain.impact import Arm, Estimate, Hidden, Impact, Subgroup
from domain.impact.classes import CLASSES, Share
from domain.impact.words import BIAS_WARNING, percent
from domain.small import SMALLEST
from domain.statistics import newcombe

FEW = f"fewer than {SMALLEST}"
CLASS_WORDS = {
    "reliably_improved": "clearly nearer the middle", "improved": "nearer the middle", "unchanged": "the same",
    "worse": "farther from the middle", "reliably_worse": "clearly farther", "crossed": "from one end to the other",
    "any_improvement": "nearer, clearly or not",
}  # fmt: skip
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One table: a name for files, a title, what must be known beside it, the head and the cells as text."""

    name: str
    title: str
    note: str
    head: Row
    rows: tuple[Row, ...]


def count(n: int) -> str:
    """A count of pupils, hidden where it is small."""
    return "none" if n == 0 else (str(n) if n >= SMALLEST else FEW)


def arms(found: Impact) -> Table:
    """What became of both arms, each class with its Wilson interval, the difference with Newcombe's, beside what
    nobody doing anything would look like.
    """
    both = (found.supported, found.unsupported)
    rows: list[Row] = [
        ("early signs in the period", *(count(arm.flagged) for arm in both), ""),
        ("seen again", *(_share(arm.reassessed) for arm in both), _apart(*(arm.reassessed for arm in both))),
    ]
    for name in (*CLASSES, "any_improvement"):
        shares = [arm.classes[name] for arm in both]
        rows.append((CLASS_WORDS[name], *map(_share, shares), _apart(*shares)))
    rows.append(("nearer if nobody did anything (expected)", *(_null(arm) for arm in both), ""))
    note = (
        "Of the pupil's named score farthest out, then and at the first adequate sitting 8 weeks or more after. Shares"
        " with Wilson's intervals, differences with Newcombe's, 95 %."
    )
    head = ("What became of them", "With a plan", "Without", "Difference")
    return Table("impact", "Pupils with a plan and without", note, head, tuple(rows))


def _null(arm: Arm) -> str:
    return f"{arm.null:.0%}" if arm.reassessed.count >= SMALLEST and not math.isnan(arm.null) else FEW


def _share(one: Share) -> str:
    return percent(one) if one.of >= SMALLEST else FEW


def _apart(one: Share, other: Share) -> str:
    if min(one.of, other.of) < SMALLEST:
        return FEW
    return span(newcombe(one.count, one.of, other.count, other.of))


def span(one: tuple[float, float, float] | None) -> str:
    """A difference of shares with its interval."""
    return f"{one[0]:+.0%} ({one[1]:+.0%} to {one[2]:+.0%})" if one else FEW


def checks(found: Impact) -> Table:
    """The estimate that was fixed in advance beside the others."""
    rows: list[Row] = []
    for title, one in (
        ("Primary: allowing for the start", found.primary),
        ("Change against change (biased)", found.biased_change),
    ):
        if one is not None:
            rows.append((title, *_points(one.nearer, one.low, one.high), _rests(one)))
    if found.primary and found.pairs:
        rests = f"{found.pairs.pairs} pairs"
        rows.append(("Matched pairs", *_points(*found.pairs.nearer), rests))
        improved = found.pairs.improved
        rows.append(("Matched pairs: share nearer", *(f"{one:+.0%}" for one in improved), rests))
    note = f"Scale points nearer the middle, method {found.method}. {BIAS_WARNING}"
    return Table("impact-estimates", "The comparison in numbers", note,
                 ("Estimate", "Nearer by", "Low", "High", "Rests on"), tuple(rows))  # fmt: skip


def _points(*values: float) -> tuple[str, ...]:
    return tuple(f"{one:+.3f}" for one in values)


def _rests(one: Estimate) -> str:
    groups, owners, together = one.clusters
    return (
        f"{one.supported} and {one.unsupported} pupils, {one.strata} strata, {groups} tutor groups, {owners} owners and"
        f" {together} group plans (a pupil without is one), {one.df:.1f} df, {one.sd:+.2f} SD"
    )


def bound(hidden: Hidden | None) -> Table:
    """How strong a reason outside the record would have to be to explain the difference away."""
    rows: tuple[Row, ...] = ()
    if hidden is not None:
        moved = "any amount" if math.isinf(hidden.moved) else f"{hidden.moved:.3f} points"
        rows = (
            ("Must explain of support and of outcome, to explain all", f"{hidden.whole:.1%}"),
            ("... for the interval to take in no difference", f"{hidden.interval:.1%}"),
            ("All that is on record explains of support", f"{hidden.recorded_support:.1%}"),
            ("All that is on record explains of outcome", f"{hidden.recorded_outcome:.1%}"),
            ("A reason as strong as the record could move the difference by", moved),
        )
    note = (
        "Shares of what is left when the strata are taken out (Cinelli and Hazlett 2020). Where staff choose by what"
        " nobody wrote down, about half of simulated trusts without any effect look as if there were one."
    )
    return Table("impact-bias-bound", "How strong a hidden reason must be", note, ("What", "How much"), rows)


def subgroups(name: str, title: str, some: Sequence[Subgroup]) -> Table:
    """Parts side by side, small ones hidden."""
    rows = tuple(
        (one.dimension, one.name, _improved(one.supported), _improved(one.unsupported), span(one.difference))
        for one in some
    )
    note = f"Share nearer the middle. Under {SMALLEST} in an arm is hidden; of many parts some differ by luck."
    return Table(name, title, note, ("By", "Part", "With a plan", "Without", "Difference"), rows)


def _improved(one: Share | None) -> str:
    return percent(one) if one else FEW


def csv_of(table: Table) -> bytes:
    """One table as CSV (UTF-8 with a mark for spreadsheets). A text that a spreadsheet would run is made harmless with
    an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([[_harmless(cell) for cell in row] for row in (table.head, *table.rows)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _harmless(cell: str) -> str:
    risky = cell[:1] in ("=", "@", "\t", "\r") or (cell[:1] in ("+", "-") and not cell[1:2].isdigit())
    return f"'{cell}" if risky else cell


def csv_files(tables: Sequence[Table]) -> dict[str, bytes]:
    """Every table as CSV, by file name."""
    return {f"{one.name}.csv": csv_of(one) for one in tables}
