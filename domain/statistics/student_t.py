"""Student's t and the F distribution without a statistics package: by the incomplete beta function, and inverted."""

from __future__ import annotations

import math
from functools import lru_cache

STEPS_MAX = 300
TINY = 1e-300


def t_tail(t: float, df: float) -> float:
    """P(|T| > |t|) with ``df`` degrees of freedom, which need not be whole."""
    return incomplete_beta(df / 2, 0.5, df / (df + t * t))


@lru_cache(maxsize=4096)
def t_two_sided(alpha: float, df: float) -> float:
    """The t that |T| exceeds with probability ``alpha``: bisection on the tail, to the last bits."""
    low, high = 0.0, 1.0
    while t_tail(high, df) > alpha:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if t_tail(middle, df) > alpha else (low, middle)
    return (low + high) / 2


@lru_cache(maxsize=4096)
def f_quantile(share: float, above: float, below: float) -> float:
    """The F that stays below it with probability ``share``; degrees of freedom of numerator and denominator."""
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if incomplete_beta(above / 2, below / 2, middle) < share else (low, middle)
    return below * low / (above * (1 - low)) if low < 1 else math.inf


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function by its continued fraction (Abramowitz and Stegun 26.5.8)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    return front * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    """Lentz's method for 1/(1 + d1/(1 + d2/(1 + ...)))."""
    value, c, d = 1.0, 1.0, 0.0
    for step in range(STEPS_MAX):
        half = step // 2
        if step == 0:
            term = 1.0
        elif step % 2 == 0:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        else:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        d = 1 / _safe(1 + term * d)
        c = _safe(1 + term / c)
        value *= c * d
        if step and abs(c * d - 1) < 1e-16:
            break
    return value - 1


def _safe(value: float) -> float:
    return value if abs(value) > TINY else TINY
