"""Answers that take long are kept for the state of the record that they are of, and no more than so many."""

from __future__ import annotations

from collections.abc import Callable

from astrack.newest import Newest


def counting(calls: list[str], word: str) -> Callable[[], str]:
    def make() -> str:
        calls.append(word)
        return word

    return make


def test_an_answer_is_made_once_for_a_state_and_again_for_the_next() -> None:
    kept, calls = Newest[str, str](2), list[str]()
    for state in (1, 1, 2, 1):
        assert kept.of("school", state, counting(calls, str(state))) == str(state)
    assert calls == ["1", "2", "1"]


def test_only_the_newest_are_kept() -> None:
    kept, calls = Newest[str, str](2), list[str]()
    for word in ("a", "b", "c", "b", "a"):
        kept.of(word, 0, counting(calls, word))
    assert calls == ["a", "b", "c", "a"]
