"""Along with a stream: however it is cut, in bounded memory, without clicks, soon enough."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
from made_speech import Speech

from anonymizer.errors import AnonymizerError
from anonymizer.voice import SPEECH_RATE, LiveVoice, VoiceMask, VoiceNetworks

MASK = VoiceMask.of(b"\x21" * 32)


def _live(networks: VoiceNetworks, speech: Speech, size: int) -> Speech:
    voice = LiveVoice(networks, MASK)
    said = [voice.push(speech[begin : begin + size]) for begin in range(0, len(speech), size)]
    assert [len(each) for each in said[:-1]] == [size] * (len(said) - 1)
    return np.concatenate([*said, voice.flush()])


@pytest.mark.parametrize("size", [160, 320, 777, 4_000])
def test_how_it_is_cut_changes_nothing(networks: VoiceNetworks, speech: Speech, size: int) -> None:
    """Beyond the last bits of floating point, against all at once."""
    whole = _live(networks, speech, len(speech))
    cut = _live(networks, speech, size)
    assert len(cut) == len(whole) == len(speech) + LiveVoice.delay_samples
    assert np.abs(cut - whole).max() < 1e-4


def test_single_samples_go_too(networks: VoiceNetworks, speech: Speech) -> None:
    """The smallest pieces there are."""
    voice = LiveVoice(networks, MASK)
    single = np.concatenate([voice.push(speech[place : place + 1]) for place in range(1500)])
    assert np.abs(single - _live(networks, speech[:1500], 1500)[:1500]).max() < 1e-4


def test_it_is_soon_enough() -> None:
    """At most a fifth of a second late."""
    assert LiveVoice.delay_samples <= 0.2 * SPEECH_RATE


def test_no_click_where_it_is_cut(networks: VoiceNetworks, speech: Speech) -> None:
    """Steps from sample to sample at the borders of what was pushed are as small as anywhere."""
    said = _live(networks, speech, 320)
    steps = np.abs(np.diff(said))
    borders = np.arange(320, len(said) - 1, 320) - 1
    elsewhere = np.delete(steps, borders)
    assert np.mean(steps[borders]) < 1.5 * np.mean(elsewhere) + 1e-4
    assert steps[borders].max() <= elsewhere.max() * 1.2


def test_memory_does_not_grow(networks: VoiceNetworks) -> None:
    """After the first second, ten seconds more take nothing more."""
    noise = np.random.default_rng(2).normal(0, 0.05, 1600).astype(np.float32)
    voice = LiveVoice(networks, MASK)
    for _ in range(10):
        voice.push(noise)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(20):
            voice.push(noise)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            voice.push(noise)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 50_000
    finally:
        tracemalloc.stop()


def test_what_is_no_number_is_refused(networks: VoiceNetworks, speech: Speech) -> None:
    """In the middle of a stream as well."""
    voice = LiveVoice(networks, MASK)
    voice.push(speech[:1000])
    with pytest.raises(AnonymizerError) as refused:
        voice.push(np.full(10, np.nan, np.float32))
    assert refused.value.code == "media_corrupt"
    with pytest.raises(AnonymizerError):
        voice.push(np.zeros((2, 10), np.float32))
