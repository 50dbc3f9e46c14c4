"""What a worker states of a sound: times rounded up, and nothing that tells of the place."""

from __future__ import annotations

from anonymizer import Quality
from anonymizer.sound.figures import SoundFigures
from anonymizer.sound.room import RoomFigures
from enclave.worker.quality import quality_facts, sound_facts

ROOM = RoomFigures(
    seconds=9.3,
    hum_before_db=31.0,
    hum_after_db=10.0,
    below_before_dbfs=-59.0,
    below_after_dbfs=-90.0,
    above_before_dbfs=-77.0,
    above_after_dbfs=-139.0,
    channels_apart_db=-51.0,
    echo_before_seconds=0.5,
    echo_after_seconds=0.2,
    silence_seconds=1.0,
    comfort_dbfs=-72.0,
)
HEARD = SoundFigures(
    voices=2,
    seconds={"anonymized": 9.01, "bleeped": 0.3},
    words_bleeped=1,
    loudness_off_lu=-0.24,
    off_seconds=0.004,
    clicks=0,
    room=ROOM,
)
QUALITY = Quality(
    encodings=1,
    frames_missing=0,
    duration_off_ms=0,
    sound_off_ms=1,
    frames_read=0,
    frames_black=0,
    frames_frozen=0,
    ssim=None,
    ssim_worst=None,
    cover_gaps=0,
    bits_per_second=80_000,
    original_bits_per_second=0,
    short=(),
    lip_sync_off_ms=4,
    loudness_off_lu=0.24,
    sound_clicks=0,
)


def test_what_is_told_of_a_sound() -> None:
    assert sound_facts(HEARD) == {
        "voices": 2,
        "sound_seconds": {"anonymized": 10, "bleeped": 1},
        "words_bleeped": 1,
    }
    assert sound_facts(None) == {}


def test_the_figures_of_a_file_of_sound_alone_are_not_those_of_pictures() -> None:
    assert quality_facts(QUALITY, of_pictures=False) == {
        "duration_off_ms": 0,
        "encodings": 1,
        "kbit_per_second": 80,
        "lip_sync_off_ms": 4,
        "loudness_off_tenths": 2,
        "sound_clicks": 0,
        "sound_off_ms": 1,
    }
    assert "frames_read" in quality_facts(QUALITY)
