"""Worlds for simulations: how made-up pupils live and answer, beyond what the model assumes."""

from __future__ import annotations

from dataclasses import dataclass, replace

Correlations = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class World:
    """One world. Sizes in scale points, rates a round, shares of pupils; correlations: same factor, context, neither.

    ``trait_share``: the part of a level's variance that never moves; ``tails``: degrees of freedom of a t, 0: normal;
    ``item_offset``: how far items differ in how easily they are affirmed; ``item_sd_spread``: how unevenly pupils err;
    ``fake_*``: pupils who answer nearer the middle than they are; ``absent_at_end``: added with two factors at an end.
    """

    name: str
    says: str
    correlation: Correlations = (0.65, 0.22, 0.15)
    halving_days: float = 1160.0
    trait_share: float = 0.0
    tails: float = 0.0
    shock_rate: float = 0.0
    shock_size: float = 0.0
    ordinal: bool = True
    item_sd: float = 1.05
    item_offset: float = 0.3
    item_sd_spread: float = 0.0
    occasion_sd: float = 0.2
    careless_share: float = 0.0
    fake_share: float = 0.0
    fake_pull: float = 0.35
    absent: float = 0.06
    absent_at_end: float = 0.0


PLAIN = World("as assumed", "Values are the true level and a normal error: what the model assumes.", ordinal=False)
ITEMS = World("ordinal items", "Six bounded answers an item, cut off at the ends, items that differ.")
WORLDS: tuple[World, ...] = (
    PLAIN,
    ITEMS,
    replace(
        ITEMS, name="step shocks", says="In 5 % of rounds one factor jumps by 1.5 in both contexts, and stays.",
        shock_rate=0.05, shock_size=1.5,
    ),
    replace(
        ITEMS, name="faking", says="A fifth of the pupils show only a third of how far out they are.",
        fake_share=0.2,
    ),
    replace(
        ITEMS, name="uneven error", says="Pupils err unevenly (twofold and more); 8 % at random now and then.",
        item_sd_spread=0.35, careless_share=0.08,
    ),
    replace(
        ITEMS, name="correlated factors", says="One common factor: correlations .70 within, .55 between factors.",
        correlation=(0.70, 0.55, 0.50),
    ),
    replace(
        ITEMS, name="missing not at random", says="Absent 6 %, but 41 % where two factors are at an end.",
        absent_at_end=0.35,
    ),
    replace(
        ITEMS, name="fixed traits", says="Three quarters of a level never move; the rest is gone in weeks.",
        trait_share=0.75, halving_days=90.0,
    ),
    replace(
        ITEMS, name="fast change", says="Levels halve their way back in five months.", halving_days=150.0,
    ),
    replace(ITEMS, name="heavy tails", says="More pupils far out than a normal has (t, 4 degrees).", tails=4.0),
)  # fmt: skip
"""All worlds: the first is the model's own."""
