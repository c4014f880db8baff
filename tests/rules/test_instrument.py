"""Instruments: complete, readable at eight, never changed once published, and refused by name where unsound."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from domain import instrument as i
from domain import reading
from domain.risk import model as risk_model

SOURCE = (resources.files("domain") / "instruments" / "astrack-demo-1.toml").read_bytes()
DEMO = i.load("astrack-demo", 1)
READING_AGE = 8.0
NEVER_ASKED = (
    "bully",
    "hurt",
    "harm",
    "sad",
    "cry",
    "afraid",
    "scared",
    "lonely",
    "worry",
    "worried",
    "angry",
    "hate",
    "die",
    "kill",
    "blood",
    "cut ",
)


def said(item: i.Item) -> str:
    words = item.words()
    return f"{words.text} {words.low}. {words.high}."


def test_every_factor_has_six_items_in_each_context_half_of_them_with_swapped_ends() -> None:
    for cell in range(8):
        here = [item for item in DEMO.items if item.cell == cell]
        assert len(here) == 6
        assert sum(item.keyed for item in here) == 0


@pytest.mark.parametrize("item", DEMO.items, ids=lambda item: item.id)
def test_every_item_can_be_read_at_eight(item: i.Item) -> None:
    assert reading.reading_age(said(item)) <= READING_AGE


def test_the_scene_and_the_practice_can_be_read_at_eight() -> None:
    wording = DEMO.wording["en"]
    texts = [scene.say for scene in wording.scene] + [
        f"{wording.practice.text} {wording.practice.low}. {wording.practice.high}."
    ]
    assert max(reading.reading_age(text) for text in texts) <= READING_AGE


def test_no_item_asks_about_bullying_self_harm_or_mood() -> None:
    assert not [(item.id, word) for item in DEMO.items for word in NEVER_ASKED if word in said(item).lower()]


def test_the_words_of_a_swapped_item_are_not_a_negation_of_its_pair() -> None:
    for item in DEMO.items:
        assert DEMO.item(item.pair).words().text != item.words().text


def test_general_comes_before_school_and_neighbours_are_of_different_factors() -> None:
    contexts = [item.context for item in DEMO.items]
    assert contexts == sorted(contexts)
    for first, second in zip(DEMO.items[:24], DEMO.items[1:24], strict=False):
        assert first.factor != second.factor


def test_it_takes_about_ten_minutes_and_says_that_it_is_not_validated() -> None:
    assert DEMO.minutes == 10
    assert DEMO.status == "not validated"
    assert "not" in DEMO.note.lower()


def test_read_aloud_holds_the_scene_the_sentence_and_both_ends() -> None:
    spoken = DEMO.read_aloud("g-sd-1")
    assert spoken.startswith("Think of a small island.")
    assert "Thick wood. No one can see in" in spoken and "Clear glass. All can see in" in spoken
    assert DEMO.scene_before("g-ts-1") == ""


def test_a_comment_does_not_change_the_digest_and_a_word_does() -> None:
    assert i.parse(SOURCE + b"# a line more\n").digest == DEMO.digest
    assert i.parse(SOURCE.replace(b"I sit back and rest", b"I sit back and read")).digest != DEMO.digest


def test_an_instrument_that_is_not_here_is_refused() -> None:
    with pytest.raises(i.NoSuchInstrument):
        i.load("astrack-demo", 99)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'name = "astrack-demo"', b"name = ", "cannot be read"),
        (b'id = "g-ts-1"', b'id = "g-sd-1"', "used twice"),
        (b'context = "general"', b'context = "home"', "context"),
        (b'pair = "g-sd-2"', b'pair = "g-sd-3"', "must name it back"),
        (b"low = 2.2", b"low = 3.6", "inside the scale"),
        (b"keyed = -1\npair", b"keyed = 1\npair", "not balanced|must name it back"),
        (b'languages = ["en"]', b'languages = ["en", "cy"]', "not complete"),
        (b'before = "g-sd-1"', b'before = "g-sd-9"', "does not exist"),
        (b'name = "open_gate"', b'name = "closed_circle"', "same name"),
        (b'steps = ["Just like this end", ', b"steps = [", "each step"),
        (b"least_answered = 4", b"least_answered = 9", "items: it needs"),
        (b"[gap]", b"[gap]\nextra = 1", "gap.extra"),
        (b"[scale]\nleast = 1", b"[scale]\nleast = 0", "scale.least"),
        (b'"{text} Is it', b'"{text} {extra} Is it', "read-aloud form"),
        (b'"{text} Is it', b'"{text.__class__} Is it', "read-aloud form"),
        (b'"{text} Is it', b'"{text:>99999999} Is it', "read-aloud form"),
        (b'"{text} Is it', b'"Is it', "read-aloud form"),
        (b'"{text} Is it', b'"{text} { Is it', "wording.en|the whole"),
        (b"item_sd_weight = ", b"item_sd_weight = inf # ", "item_sd_weight"),
        (b"low = 2.2", b"low = nan", "poles.low"),
        (b"ages = [8, 18]", b"ages = [18, 8]", "youngest"),
        (b"ages = [8, 18]", b"ages = [-8, 18]", "ages.0"),
        (b"minutes = 10", b"minutes = true", "minutes"),
        (b"minutes = 10", b'minutes = "10"', "minutes"),
        (b"version = 1", b"version = true", "version"),
        (b"keyed = 1\n", b"keyed = true\n", "keyed"),
        (b'low = "I sit on it"', b'low = " "', "practice.low"),
        (b"minutes = 10", b"minutes = " + b"9" * 5000, "cannot be read"),
        (b"minutes = 10", b"minutes = " + b"[" * 5000 + b"]" * 5000, "lists within lists"),
    ],
)  # fmt: skip
def test_an_unsound_instrument_is_refused_with_what_is_wrong(old: bytes, new: bytes, says: str) -> None:
    assert old in SOURCE
    with pytest.raises(i.InstrumentWrong, match=says):
        i.parse(SOURCE.replace(old, new, 1))


def test_a_file_that_is_far_too_large_is_not_parsed() -> None:
    with pytest.raises(i.InstrumentWrong, match="over"):
        i.parse(b"#" * (i.MAX_BYTES + 1))


def test_a_model_made_for_another_state_of_its_instrument_is_refused() -> None:
    source = (resources.files("domain") / "models" / "astrack-levels-1.json").read_bytes()
    with pytest.raises(risk_model.ModelWrong, match="another state"):
        risk_model.parse(source.replace(DEMO.digest.encode(), b"0" * 64))


def test_a_model_reads_its_own_instrument_and_those_it_names_and_no_other() -> None:
    source = (resources.files("domain") / "models" / "astrack-levels-2.json").read_bytes()
    model = risk_model.parse(source)
    assert model.reads(("astrack-demo", 1)) and model.reads(None)
    assert not model.reads(("astrack-demo", 2)) and not model.reads(("island-two", 1))
    raw = json.loads(source)
    wider = {**raw, "also_reads": [raw["instrument"]]}
    assert risk_model.parse(json.dumps(wider).encode()).digest != model.digest
    wider["also_reads"] = [{**raw["instrument"], "digest": "0" * 64}]
    with pytest.raises(risk_model.ModelWrong, match="another state"):
        risk_model.parse(json.dumps(wider).encode())


def test_a_model_whose_correlations_cannot_hold_is_refused() -> None:
    source = (resources.files("domain") / "models" / "astrack-levels-1.json").read_bytes()
    with pytest.raises(risk_model.ModelWrong, match="cannot all hold"):
        risk_model.parse(source.replace(b'"neither": 0.15', b'"neither": -0.9'))


def test_every_flag_can_be_derived_again_by_the_digest_it_names() -> None:
    model = risk_model.load()
    assert risk_model.by_digest(model.digest).digest == model.digest
    with pytest.raises(risk_model.NoSuchModel):
        risk_model.by_digest("f" * 64)


@pytest.mark.parametrize(
    ("word", "count"),
    [("cat", 1), ("island", 2), ("teacher", 2), ("people", 2), ("beautiful", 3), ("make", 1), ("table", 2), ("wanted", 2),
     ("looked", 1), ("boxes", 2), ("going", 2), ("someone", 2), ("school", 1), ("idea", 3), ("every", 2), ("radio", 3),
     ("private", 2), ("daring", 2), ("probability", 5)],
)  # fmt: skip
def test_syllables_are_counted_as_they_are_spoken(word: str, count: int) -> None:
    assert reading.syllables(word) == count


def test_long_words_in_long_sentences_are_for_older_readers() -> None:
    hard = "Notwithstanding considerable uncertainty, subsequent investigations demonstrated statistically significant associations."
    assert reading.reading_age(hard) > 18
    assert reading.reading_age("The cat sat on the mat.") == 5


def test_what_has_been_published_is_never_changed() -> None:
    """A flag names these digests: mend nothing here, make a new version instead."""
    assert i.load("astrack-demo", 1).digest == "098f7b9fa63eb7fb52adf907cbbbda5f36ef52a10b7e0e2bfef29ad6e5236e6f"
    assert (
        risk_model.load("astrack-levels", 1).digest
        == "5116f68f143308a4ec0308aa9ec10c68e50b2d8a1a475efab677c8624c70c9a1"
    )
    assert (
        risk_model.load("astrack-levels", 2).digest
        == "fa89f34538395fd1f79f5016d536715ce940a6860f6cd8e2d4ca651793b0e20d"
    )


def test_another_algorithm_is_another_model_and_one_that_is_not_here_is_refused() -> None:
    source = (resources.files("domain") / "models" / "astrack-levels-2.json").read_bytes()
    other = risk_model.parse(source.replace(b'"algorithm": 2', b'"algorithm": 1'))
    assert other.digest != risk_model.load("astrack-levels", 2).digest
    with pytest.raises(risk_model.ModelWrong, match="algorithm 3, which this version has not"):
        risk_model.parse(source.replace(b'"algorithm": 2', b'"algorithm": 3'))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000 + b"]" * 100_000, b'{"name": 1}'])
def test_what_is_no_model_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(risk_model.ModelWrong, match="cannot be read as a risk model"):
        risk_model.parse(content)
