"""What a fuzzer does to good input: edits of its bytes, and odd values in the places of its JSON."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck
from hypothesis import strategies as st

Edit = tuple[str, int, int, bytes]
QUIET: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
ODD: list[Any] = [
    None, True, False, -1, 0, 1, 1 << 53, 1 << 64, 1.5, "", "x", "x" * 300, "AAAA", "é", "2026-02-30", "\0", [], {},
    [[]], [None], {"": 0}, ["x"] * 3, "x/../y",
]  # fmt: skip
picks = st.lists(st.integers(0, 1 << 16), min_size=1, max_size=5)


def edits(pieces: list[bytes], reach: int = 2000) -> st.SearchStrategy[Edit]:
    """Edits of bytes; ``pieces`` are what the format makes much of, ``reach`` how far from the beginning they go."""
    return st.tuples(
        st.sampled_from(["put", "cut", "over", "twice", "flip"]),
        st.integers(0, reach),
        st.integers(1, 80),
        st.one_of(st.sampled_from(pieces), st.binary(min_size=1, max_size=6)),
    )


def mutated(data: bytes, given: list[Edit]) -> bytes:
    """The bytes after these edits, one after the other."""
    for kind, at, size, piece in given:
        at %= len(data) + 1
        if kind == "put":
            data = data[:at] + piece + data[at:]
        elif kind == "cut":
            data = data[:at] + data[at + size :]
        elif kind == "over":
            data = data[:at] + piece + data[at + len(piece) :]
        elif kind == "twice":
            data = data[:at] + data[at : at + size] + data[at:]
        else:
            data = data[:at] + bytes(byte ^ (1 << size % 8) for byte in data[at : at + 1]) + data[at + 1 :]
    return data


def altered(value: Any, path: list[int], act: str, odd: Any) -> Any:
    """A JSON value with the place that ``path`` leads to replaced, taken out, or put in twice."""
    if not path or not isinstance(value, (dict, list)) or not value:
        return odd
    names = sorted(value) if isinstance(value, dict) else range(len(value))
    name = list(names)[path[0] % len(names)]
    made = dict(value) if isinstance(value, dict) else list(value)
    if act == "cut" and len(path) == 1:
        made.pop(name)
    elif act == "twice" and len(path) == 1:
        made = {**made, f"{name}2": made[name]} if isinstance(made, dict) else [*made, made[name]]
    else:
        made[name] = altered(value[name], path[1:], act, odd)
    return made
