"""Listens to the finished file: does a made voice still sound like whoever spoke, and is silence silent?

Stretches of the decoded result go through the speaker encoder and are compared with what each speaker
sounded like when the original was heard. Matched is what is more alike than 99 of 100 strangers are. Of what
was removed or bleeped, every stretch in which speech is found counts as matched. The figures are those of the
voice that is found again most often: among many voices, one that was not changed must not be lost in a mean.
Kept voices are not compared, and of a bleeped word only what lasts longer than half a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import BinaryIO, Final

import av
import numpy as np
import numpy.typing as npt

from anonymizer.errors import AnonymizerError
from anonymizer.leaks.stretches import Stretch, Voice, stretches_of
from anonymizer.models import ACTIVITY, SPEAKERS, Models
from anonymizer.sound.listening import Heard
from anonymizer.sound.plan import Plan
from anonymizer.sound.resampling import SPEECH_RATE, resampled
from anonymizer.speakers import SpeakerNetworks, open_speakers
from anonymizer.speakers.labelling import spoken
from anonymizer.video.streams import Source

Samples = npt.NDArray[np.float32]

ALIKE: Final = 0.674
"""Of the windows of strangers, 1 in 100 is more alike than this; of a speaker's own, all are (voices.md)."""
# Stretches of each voice that are listened to at once, and in any case.
AT_ONCE: Final = 4
# A coder needs what was before.
LEAD_SECONDS: Final = 0.1


@dataclass(frozen=True)
class VoiceFindings:
    """What was found in a finished sound.

    Attributes:
        windows: stretches that were compared, of the voice that was found again most often.
        matched: of those, the ones in which it was.
        attackers: the models that listened, by name.
        independent: of those, the ones that took no part in changing voices: none, for these also tell who
            speaks when. The networks that make the voices are others.
    """

    windows: int
    matched: int
    attackers: tuple[str, ...]
    independent: frozenset[str] = frozenset()


def attack_voices(
    result: BinaryIO, heard: Heard, plan: Plan, models: Models, threads: int, seconds: float
) -> VoiceFindings | None:
    """Looks for the original's voices in a finished file.

    Args:
        result: readable and seekable; an MP4 of ours.
        heard: what the original told.
        plan: what became of it.
        models: loaded and checked.
        threads: the networks'.
        seconds: what listening may take, about; AT_ONCE stretches of each voice are listened to in any case.

    Returns:
        What was found; None where there is nothing to compare, or nobody who can.

    Raises:
        AnonymizerError: result_unreadable, detector_failed.
        Exception: whatever the stream itself raises.
    """
    if models.speakers is None or heard.voices is None:
        return None
    left = {
        voice: list(stretches)
        for voice, stretches in stretches_of(heard.turns, plan, heard.begins).items()
        if voice.is_silent or heard.voices[voice.speaker].any()
    }
    if not left:
        return None
    began = perf_counter()
    listener = _Listener(result, open_speakers(models.speakers, threads), heard.voices)
    tally = dict.fromkeys(left, (0, 0))
    try:
        last = 0.0
        while any(left.values()):
            started = perf_counter()
            if last and started - began + last > seconds:
                break
            now = [stretch for stretches in left.values() for stretch in stretches[:AT_ONCE]]
            for stretch in sorted(now, key=lambda each: each.spans):
                windows, matched = tally[stretch.voice]
                tally[stretch.voice] = windows + 1, matched + listener.finds(stretch)
            left = {voice: stretches[AT_ONCE:] for voice, stretches in left.items()}
            last = perf_counter() - started
    finally:
        listener.close()
    return _findings(tally)


def _findings(tally: Mapping[Voice, tuple[int, int]]) -> VoiceFindings:
    windows, matched = max(tally.values(), key=lambda each: (each[1] / each[0], each[0]))
    kinds = {voice.is_silent for voice in tally}
    names = (name for name, is_silent in ((SPEAKERS, False), (ACTIVITY, True)) if is_silent in kinds)
    return VoiceFindings(windows, matched, tuple(sorted(names)))


class _Listener:
    """Decodes stretches of a finished file, and hears whom they hold."""

    def __init__(self, result: BinaryIO, networks: SpeakerNetworks, voices: Samples) -> None:
        self._networks = networks
        self._voices = voices
        result.seek(0)
        self._source = Source(result)
        try:
            self._container = av.open(self._source, "r", format="mp4")
        except (av.FFmpegError, ValueError):
            self._source.raise_failure()
            raise AnonymizerError("result_unreadable") from None

    def finds(self, stretch: Stretch) -> bool:
        """Tells whether a speaker is found who should not be.

        Raises:
            AnonymizerError: result_unreadable, detector_failed.
        """
        speech = np.concatenate([self._between(*span) for span in stretch.spans])
        if stretch.voice.is_silent:
            activity = self._networks.activity()
            return bool(spoken(np.concatenate([activity.push(speech), activity.finish()])).any())
        voice = self._networks.encoder.embed(speech)
        return float(voice @ self._voices[stretch.voice.speaker]) > ALIKE

    def close(self) -> None:
        self._container.close()

    def _between(self, begin: float, end: float) -> Samples:
        """Decodes a span: (n,) mono at 16 kHz, as long as it should be."""
        try:
            return self._decoded(begin, end)
        except (av.FFmpegError, ValueError, IndexError):
            self._source.raise_failure()
            raise AnonymizerError("result_unreadable") from None

    def _decoded(self, begin: float, end: float) -> Samples:
        sound = self._container.streams.audio[0]
        tick = sound.time_base
        if tick is None:
            raise AnonymizerError("result_unreadable")
        rate = sound.codec_context.sample_rate
        self._container.seek(max(0, int((begin - LEAD_SECONDS) / tick)), stream=sound)
        samples = np.zeros(max(1, round((end - begin) * rate)), np.float32)
        for frame in self._container.decode(sound):
            if frame.pts is None:
                continue
            at = round((float(frame.pts * tick) - begin) * rate)
            if at >= len(samples):
                break
            mono = np.asarray(frame.to_ndarray(), np.float32).mean(axis=0)
            first, behind = max(0, at), min(len(samples), at + len(mono))
            if behind > first:
                samples[first:behind] = mono[first - at : behind - at]
        length = max(1, round(len(samples) * SPEECH_RATE / rate))
        return resampled(np.clip(samples, -1.0, 1.0), rate, SPEECH_RATE, length)
