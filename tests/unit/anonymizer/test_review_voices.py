"""Decisions about voices, the turns in a record, and what a sheet shows of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from anonymizer import AnonymizerError, FaceSettings, Role, Settings
from anonymizer.detect.finders import Finder, Sought
from anonymizer.review.decisions import Decisions, Muted, Span, SpeakerDecision
from anonymizer.review.recording import Record, Recorder, parse_record
from anonymizer.review.review import Review
from anonymizer.review.spoken import packed_turns, parse_turns
from anonymizer.review.voices import MAX_LISTED_TURNS, Voices
from anonymizer.speakers import Turn, Turns

TURNS = Turns(
    (
        Turn(0.5, 2.016, 0, True),
        Turn(2.016, 2.5, 0, False),
        Turn(3.0, 4.0, 1, True),
        Turn(6.0, 7.5, 0, True),
        Turn(7.6, 8.0, 0, True),
    ),
    10.001,
)
SETTINGS = Settings(
    faces=FaceSettings(), audio="anonymize", roles=(Role("teacher", {}, audio="keep"), Role("student", {}))
)


def refused(job: Callable[[], object]) -> str:
    with pytest.raises(AnonymizerError) as caught:
        job()
    return caught.value.code


def voices(replayed: Turns | None = TURNS, **decided: SpeakerDecision) -> Voices:
    """Decisions about that recording, by "s0" and so on."""
    speakers = {int(name[1:]): decision for name, decision in decided.items()}
    return Voices(Decisions(speakers=speakers), replayed, SETTINGS.audio, SETTINGS.voice_as_role)


def test_what_is_decided_about_a_voice_is_what_becomes_of_it() -> None:
    decided = voices(s0=SpeakerDecision("role", role="teacher"), s1=SpeakerDecision("effect", effect="bleep"))
    assert (decided.effect(0), decided.effect(1)) == ("keep", "bleep")
    assert voices(s1=SpeakerDecision("role", role="student")).effect(1) == "anonymize"
    assert voices().effect(0) is None


DECISIONS = {
    "a role that there is not": {"s0": SpeakerDecision("role", role="guest")},
    "an effect without a name": {"s0": SpeakerDecision("effect")},
    "somebody who was never heard": {"s2": SpeakerDecision("effect", effect="remove")},
    "a speaker below zero": {"s-1": SpeakerDecision("effect", effect="remove")},
}


@pytest.mark.parametrize("decided", DECISIONS.values(), ids=DECISIONS.keys())
def test_what_cannot_be_decided_is_refused(decided: dict[str, SpeakerDecision]) -> None:
    assert refused(lambda: voices(**decided)) == "decisions_invalid"


def test_nobody_decides_about_a_recording_in_which_nobody_listened() -> None:
    keep = SpeakerDecision("effect", effect="keep")
    assert refused(lambda: voices(None, s0=keep)) == "decisions_invalid"


@pytest.mark.parametrize("effect", ["keep", "anonymize"])
def test_a_muted_stretch_lets_nothing_through(effect: str) -> None:
    assert refused(lambda: Muted(Span(0, 1), effect)) == "decisions_invalid"  # type: ignore[arg-type]  # that


def test_the_sheet_shows_when_each_speaks_and_joins_what_touches() -> None:
    shown = voices(s1=SpeakerDecision("effect", effect="remove"))
    shown.hear(TURNS)
    first, second = shown.shown()
    assert first.turns == ((0.5, 2.5), (6.0, 8.0))
    assert (first.speaker, first.effect, first.count) == (0, "anonymize", 2)
    assert first.seconds == pytest.approx(3.9)
    assert first.unsure_seconds == pytest.approx(0.484)
    assert (second.effect, second.turns) == ("remove", ((3.0, 4.0),))


def test_a_sheet_has_room_for_the_longest_turns_alone() -> None:
    longest = Turn(0, 5, 0, True)
    short = tuple(Turn(10 + n, 10.4 - n / 1e4 + n, 0, True) for n in range(MAX_LISTED_TURNS + 20))
    shown = voices(None)
    shown.hear(Turns((longest, *short), 1000.0))
    (speaker,) = shown.shown()
    assert speaker.count == MAX_LISTED_TURNS + 21
    assert len(speaker.turns) == MAX_LISTED_TURNS
    assert speaker.turns[0] == (0, 5)
    assert list(speaker.turns) == sorted(speaker.turns)


def a_record(turns: Turns | None = TURNS) -> Record:
    """Of a video with a face in one frame."""
    recorder = Recorder((Finder((Sought("face", FaceSettings()),), lambda *_: {}),))
    recorder.look(0, 0, {"face": np.ones((1, 5), np.float32)})
    if turns is not None:
        recorder.hear(turns)
    return recorder.finish(64, 48, 1, [(1,)])


@pytest.mark.parametrize("turns", [TURNS, Turns((), 0.0), Turns((), 5.5), None])
def test_a_record_gives_back_exactly_who_spoke_when(turns: Turns | None) -> None:
    again = parse_record(a_record(turns).to_bytes())
    assert again.spoken == turns
    assert Review(a_record(turns).to_bytes()).replayed_turns == turns


def test_sound_alone_is_looked_over_too() -> None:
    first = Review()
    session = first.open(SETTINGS, tuple)
    session.hear(TURNS)
    session.finish(0, 0, 0, ())
    assert [speaker.speaker for speaker in first.sheet.speakers] == [0, 1]
    teacher = Decisions(
        speakers={0: SpeakerDecision("role", role="teacher")}, muted=(Muted(Span(1, 2), "bleep"),)
    )
    second = Review(first.record, teacher)
    assert second.replayed_turns == TURNS
    again = second.open(SETTINGS, tuple)
    again.hear(TURNS)
    assert (again.voice_effect(0), again.voice_effect(1)) == ("keep", None)
    assert again.muted == ((1, 2, "bleep"),)
    again.finish(0, 0, 0, ())
    assert second.record == first.record
    assert [speaker.effect for speaker in second.sheet.speakers] == ["keep", "anonymize"]


def test_a_replay_hears_what_the_record_says_or_ends() -> None:
    session = Review(a_record().to_bytes()).open(SETTINGS, tuple)
    assert refused(lambda: session.hear(Turns(TURNS.turns[:3], TURNS.seconds))) == "record_refused"


NOT_TURNS = {
    "nothing": b"",
    "half a number": b"\x01\x00",
    "half a turn": packed_turns(TURNS)[:-4],
    "a turn beyond the end": packed_turns(TURNS)[:16].replace(b"\x11\x27", b"\x11\x00", 1) + bytes([0] * 4),
    "a turn that is twice sure": packed_turns(TURNS)[:-4] + b"\x02\x00\x00\x00",
    "turns out of order": packed_turns(TURNS)[:4] + packed_turns(TURNS)[20:] + packed_turns(TURNS)[4:20],
}


@pytest.mark.parametrize("untrusted", NOT_TURNS.values(), ids=NOT_TURNS.keys())
def test_what_is_no_turns_is_refused(untrusted: bytes) -> None:
    assert parse_turns(packed_turns(TURNS)) == TURNS
    assert refused(lambda: parse_turns(untrusted)) == "record_refused"
