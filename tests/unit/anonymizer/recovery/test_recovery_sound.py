"""What was said comes back sample by sample, from whoever is taken to have said it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anonymizer.errors import AnonymizerError
from anonymizer.recovery import Said, read_sound, said_of, write_sound
from anonymizer.recovery.voices import VoiceKeeper
from anonymizer.sound.plan import Plan, Stretch

RATES = (8_000, 44_100, 48_000, 96_000)


def noise(channels: int, count: int) -> Any:
    return np.random.default_rng(channels).uniform(-1, 1, (channels, count)).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8])
def test_sound_is_the_same_after_packing(channels: int, rate: int) -> None:
    samples = noise(channels, rate // 3 + 17)
    said = said_of(123_456_789_012, rate, samples)
    again = read_sound(write_sound(said))
    assert (again.first, again.rate) == (said.first, rate)
    assert np.array_equal(again.samples, said.samples)
    assert np.abs(again.as_float - samples).max() <= 2**-23


def test_a_few_samples_are_packed_too() -> None:
    said = said_of(0, 48_000, noise(1, 1))
    assert np.array_equal(read_sound(write_sound(said)).samples, said.samples)


GOOD = write_sound(said_of(0, 8_000, noise(1, 8_000)))
BROKEN = {
    "nothing": b"",
    "another coding": b"\x02" + GOOD[1:],
    "a cut one": GOOD[:-1],
    "more after it": GOOD + b"x",
    "no samples": GOOD[:13] + bytes(4) + GOOD[17:],
    "other samples": GOOD[:13] + (7_999).to_bytes(4, "big") + GOOD[17:],
    "endless samples": GOOD[:13] + b"\xff" * 4 + GOOD[17:],
    "no channels": GOOD[:17] + b"\0" + GOOD[18:],
    "no streaminfo": GOOD[:18] + bytes(34) + GOOD[52:],
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_bytes_are_refused(name: str) -> None:
    with pytest.raises(AnonymizerError) as refusal:
        read_sound(BROKEN[name])
    assert refusal.value.code == "record_refused"


class Listening:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heards: list[Said] = []
        self.speakers: list[int] = []

    def covered(self, scene: Any, covers: Any) -> None:
        raise AssertionError("there is no picture")

    shown = covered

    def heard(self, speaker: int, first: int, rate: int, samples: Any) -> None:
        self.speakers.append(speaker)
        self.heards.append(Said(first, rate, samples))


@pytest.mark.parametrize("at_once", [1000, 7_777, 100_000])
def test_a_track_is_cut_by_speakers_and_seconds_of_the_result(at_once: int) -> None:
    plan = Plan(
        (
            Stretch(0, 130, "anonymize", 0),
            Stretch(130, 180, "keep", 1),
            Stretch(180, 310, "bleep", 0),
            Stretch(310, 400, "anonymize", 2),
        )
    )
    rate, begins_at, samples = 8_000, 3_000, noise(2, 33_333)
    listening = Listening()
    keeper = VoiceKeeper(listening, plan, rate, begins_at)
    for at in range(0, samples.shape[1], at_once):
        keeper.push(samples[:, at : at + at_once])
    keeper.finish()
    ends = 10_400, 14_400, 24_800, 33_333
    expected = [0] * 2 + [0] * 2 + [2] * 2
    assert listening.speakers == expected
    back = np.zeros_like(samples)
    for said in listening.heards:
        first, count = said.first - begins_at, said.samples.shape[1]
        assert said.first // rate == (said.first + count - 1) // rate, "it lies within one second"
        back[:, first : first + count] = said.samples
    assert np.array_equal(back[:, : ends[0]], samples[:, : ends[0]])
    assert not back[:, ends[0] : ends[1]].any()
    assert np.array_equal(back[:, ends[1] :], samples[:, ends[1] :])
