"""What listens to a finished sound: which stretches, compared with whom, and what is found."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from anonymizer import AnonymizerError, Limits, Models, Review, Settings, anonymize
from anonymizer.leaks.stretches import MOST_OF_A_VOICE, STRETCH_SECONDS, Voice, stretches_of
from anonymizer.leaks.voices import VoiceFindings, attack_voices
from anonymizer.models import ACTIVITY, SPEAKERS
from anonymizer.sound.effects import VoiceEffect
from anonymizer.sound.listening import Heard
from anonymizer.sound.plan import CELLS_PER_SECOND, Plan, Stretch
from anonymizer.speakers import SpeakerFinder, Turn, Turns, open_speakers
from anonymizer.speakers.likeness import mean_voices
from tests.sound_factory import SPEECH_RATE, Samples, as_file, dialogue, talk


def plan_of(*parts: tuple[float, float, VoiceEffect, int]) -> Plan:
    """By seconds."""
    return Plan(
        tuple(
            Stretch(round(begin * CELLS_PER_SECOND), round(end * CELLS_PER_SECOND), effect, speaker)
            for begin, end, effect, speaker in parts
        )
    )


def turns_of(*spans: tuple[float, float, int]) -> Turns:
    return Turns(tuple(Turn(begin, end, speaker, True) for begin, end, speaker in spans), spans[-1][1])


# --- Which stretches.


def test_stretches_are_of_one_speaker_and_of_what_was_made() -> None:
    turns = turns_of((1.0, 5.0, 0), (6.0, 10.0, 1), (11.0, 15.0, 0))
    plan = plan_of(
        (0, 5.5, "anonymize", 0), (5.5, 8, "keep", 1), (8, 12, "anonymize", 1), (12, 15, "anonymize", 0)
    )
    found = stretches_of(turns, plan, begins=0.0)
    assert set(found) == {Voice(0, is_silent=False), Voice(1, is_silent=False)}
    spans = [span for stretches in found.values() for stretch in stretches for span in stretch.spans]
    for begin, end in spans:
        inside = [(a, b) for a, b in ((1.0, 5.0), (8.0, 10.0), (12.0, 15.0)) if a < begin and end < b]
        assert inside, (begin, end)
    for stretches in found.values():
        for stretch in stretches:
            assert sum(end - begin for begin, end in stretch.spans) == pytest.approx(STRETCH_SECONDS)


def test_short_turns_are_put_together() -> None:
    spans = [(at * 1.0, at + 0.6, at % 2) for at in range(12)]
    found = stretches_of(turns_of(*spans), plan_of((0, 12, "anonymize", 0)), begins=0.0)
    assert set(found) == {Voice(0, is_silent=False)}, "the other one has somebody else's mask nowhere"
    plan = plan_of(*((begin, begin + 1, "anonymize", speaker) for begin, _, speaker in spans))
    both = stretches_of(turns_of(*spans), plan, begins=0.0)
    assert [len(each) for each in both.values()] == [1, 1]
    assert all(len(stretch.spans) > 2 for each in both.values() for stretch in each)


def test_who_says_little_has_one_short_stretch_and_who_says_nothing_none() -> None:
    turns = turns_of((0.0, 1.2, 0), (2.0, 2.5, 1))
    plan = plan_of((0, 1.6, "anonymize", 0), (1.6, 3, "anonymize", 1))
    assert {voice.speaker: len(each) for voice, each in stretches_of(turns, plan, 0.0).items()} == {0: 1}


def test_of_what_is_silent_only_what_lasts_is_listened_to() -> None:
    turns = turns_of((0.0, 6.0, 0))
    plan = plan_of((0, 2, "remove", 0), (2, 2.4, "bleep", 0), (2.4, 6, "keep", 0))
    (voice,) = found = stretches_of(turns, plan, begins=0.0)
    assert voice == Voice(0, is_silent=True)
    spans = sorted(span for stretch in found[voice] for span in stretch.spans)
    assert spans == [pytest.approx((0.15, 1.75))]


def test_a_track_that_begins_later_is_listened_to_later() -> None:
    turns = turns_of((3.0, 6.0, 0))
    (stretches,) = stretches_of(turns, plan_of((0, 4, "anonymize", 0)), begins=2.0).values()
    assert stretches[0].spans[0][0] == pytest.approx(3.05)


def test_a_long_voice_is_heard_from_its_beginning_to_its_end() -> None:
    turns = turns_of((0.0, 1000.0, 0))
    (stretches,) = stretches_of(turns, plan_of((0, 1000, "anonymize", 0)), 0.0).values()
    assert len(stretches) == MOST_OF_A_VOICE
    first = sorted(stretch.spans[0][0] for stretch in stretches[:4])
    assert first[0] < 240 < first[1] < 490 < first[2] < 740 < first[3]


# --- Compared with whom.


def test_a_mean_voice_is_that_of_the_windows_in_ones_turns() -> None:
    voices = np.eye(3, 256, dtype=np.float32)[[0, 0, 1, 1, 2, 2, 2]]
    # Windows begin every 0.5 s and last 1.6 s: the last three hold nothing before 2.0.
    means = mean_voices(voices, turns_of((0.0, 2.1, 0), (2.1, 4.6, 1)), begins=0.0)
    assert means.shape == (2, 256)
    assert means[0, 0] > means[0, 1] > means[0, 2] == 0
    assert means[1, 2] > 0.9
    assert np.linalg.norm(means, axis=1) == pytest.approx([1, 1])
    later = mean_voices(voices, turns_of((10.0, 12.1, 0), (12.1, 14.6, 1)), begins=10.0)
    assert np.array_equal(later, means)


def test_who_is_in_no_window_has_no_voice() -> None:
    assert not mean_voices(np.zeros((0, 256), np.float32), turns_of((0.0, 2.0, 0)), 0.0).any()
    one = np.eye(1, 256, dtype=np.float32)
    assert not mean_voices(one, turns_of((0.0, 1.0, 0), (5.0, 9.0, 1)), 0.0)[1].any()


# --- What is found.


@pytest.fixture(scope="module")
def talked(models: Models) -> Heard:
    """Two voices, heard by the networks of a job."""
    return heard_in(models, dialogue()[0])


def heard_in(models: Models, samples: Samples) -> Heard:
    assert models.speakers is not None
    finder = SpeakerFinder(open_speakers(models.speakers, 1))
    finder.push(samples)
    turns = finder.finish()
    levels = np.zeros(0, np.float32)
    return Heard(turns, None, levels, SPEECH_RATE, 1, 0, len(samples), finder.voices_of(turns, 0.0))


def everywhere(heard: Heard, effect: VoiceEffect, **of: VoiceEffect) -> Plan:
    """The same effect, but for some speakers, by "s0" and so on."""
    borders = [0.0, *(turn.begin for turn in heard.turns.turns[1:]), heard.turns.seconds]
    spans = zip(itertools.pairwise(borders), heard.turns.turns, strict=True)
    return plan_of(*((*span, of.get(f"s{turn.speaker}", effect), turn.speaker) for span, turn in spans))


def attacked(models: Models, result: bytes, heard: Heard, plan: Plan) -> VoiceFindings | None:
    return attack_voices(io.BytesIO(result), heard, plan, models, threads=1, seconds=0.0)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What comes of an effect that does nothing."""
    return as_file(tmp_path_factory.mktemp("voices") / "out.m4a", dialogue()[0]).read_bytes()


def test_an_open_voice_is_found_in_every_stretch(models: Models, talked: Heard, unchanged: bytes) -> None:
    found = attacked(models, unchanged, talked, everywhere(talked, "anonymize"))
    assert found is not None
    assert found.matched == found.windows >= 4
    assert found.attackers == (SPEAKERS,)
    assert found.independent == frozenset()


@pytest.mark.parametrize("effect", ["remove", "bleep"])
def test_speech_that_should_be_gone_is_found(
    models: Models, talked: Heard, unchanged: bytes, effect: VoiceEffect
) -> None:
    found = attacked(models, unchanged, talked, everywhere(talked, effect))
    assert found is not None
    assert found.matched == found.windows >= 2
    assert found.attackers == (ACTIVITY,)


def test_one_open_voice_is_not_lost_among_others(models: Models, tmp_path: Path, talked: Heard) -> None:
    """The second one speaks as they did, the first is gone: the figures are the second one's."""
    samples, spans = dialogue()
    result = np.zeros_like(samples)
    for begin, end in spans:
        part = slice(round(begin * SPEECH_RATE), round(end * SPEECH_RATE))
        result[part] = samples[part]
    encoded = as_file(tmp_path / "out.m4a", result).read_bytes()
    mixed = attacked(models, encoded, talked, everywhere(talked, "remove", s1="anonymize"))
    assert mixed is not None
    assert mixed.matched == mixed.windows >= 2
    assert mixed.attackers == (SPEAKERS, ACTIVITY)
    kept = attacked(models, encoded, talked, everywhere(talked, "remove", s1="keep"))
    assert kept is not None
    assert kept.matched == 0


def test_somebody_else_is_not_found(models: Models, talked: Heard, tmp_path: Path) -> None:
    """The two change places: each says what the other one did."""
    samples, _ = dialogue()
    swapped = replace(talked, voices=None if talked.voices is None else talked.voices[::-1])
    result = as_file(tmp_path / "out.m4a", samples).read_bytes()
    found = attacked(models, result, swapped, everywhere(talked, "anonymize"))
    assert found is not None
    assert found.matched == 0


def test_there_is_no_figure_where_nothing_can_be_compared(
    models: Models, talked: Heard, unchanged: bytes
) -> None:
    plan = everywhere(talked, "anonymize")
    assert attacked(models, unchanged, talked, everywhere(talked, "keep")) is None
    assert attacked(models, unchanged, replace(talked, voices=None), plan) is None
    assert attacked(models, unchanged, replace(talked, turns=Turns((), 20.0)), plan) is None
    assert attacked(replace(models, speakers=None), unchanged, talked, plan) is None
    silent = replace(talked, voices=np.zeros((2, 256), np.float32))
    assert attacked(models, unchanged, silent, plan) is None


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda whole: b"",
    "no index": lambda whole: whole[: whole.rindex(b"moov") - 4],
    "sound that is none": lambda whole: whole[:60] + bytes(len(whole) // 2) + whole[60 + len(whole) // 2 :],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_result_that_cannot_be_read_is_an_error(
    models: Models, talked: Heard, unchanged: bytes, name: str
) -> None:
    with pytest.raises(AnonymizerError) as caught:
        attacked(models, DAMAGED[name](unchanged), talked, everywhere(talked, "anonymize"))
    assert caught.value.code == "result_unreadable"


def test_time_buys_more_stretches(models: Models, tmp_path: Path) -> None:
    samples = np.concatenate([talk()] * 4)
    heard = heard_in(models, samples)
    result = as_file(tmp_path / "out.m4a", samples).read_bytes()
    plan = everywhere(heard, "anonymize")
    few = attack_voices(io.BytesIO(result), heard, plan, models, 1, seconds=-1.0)
    all_ = attack_voices(io.BytesIO(result), heard, plan, models, 1, seconds=60.0)
    assert few is not None
    assert all_ is not None
    assert few.windows == 4 < all_.windows


def test_the_second_job_of_a_review_has_something_to_compare_too(models: Models, tmp_path: Path) -> None:
    """Who speaks when is replayed, but not what they sound like: that is heard again."""
    original = as_file(tmp_path / "in.m4a", talk()).read_bytes()

    def figures(review: Review) -> tuple[int | None, tuple[str, ...]]:
        settings = Settings(audio="anonymize", threads=1)
        source, sink = io.BytesIO(original), io.BytesIO()
        report = anonymize(source, sink, settings=settings, models=models, limits=Limits(), review=review)
        assert report.leaks is not None
        return report.leaks.voice_windows, report.leaks.attackers

    first = Review()
    windows, attackers = figures(first)
    assert windows
    assert attackers == (SPEAKERS,)
    assert figures(Review(first.record)) == (windows, attackers)
