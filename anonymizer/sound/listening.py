"""The first pass over a sound track: who speaks when, which words are said, and how loud it is when.

What is to happen to a moment can depend on what is said an hour later: whoever speaks longest is found last.
So all is heard first, and only what was found is kept; samples are decoded again when they are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

from anonymizer.errors import AnonymizerError
from anonymizer.sound.envelope import Envelope, Levels
from anonymizer.sound.resampling import SPEECH_RATE, Resampler
from anonymizer.sound.room import Flattener
from anonymizer.sound.unbroken import Unbroken
from anonymizer.speakers.turns import Turn, Turns

Samples = npt.NDArray[np.float32]
Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Ears:
    """Who listens. Each takes the same speech, mono at 16 kHz, in order, and is asked when it has ended.

    Attributes:
        push: of each.
        turns: who speaks when, in seconds from the first sample; None where an earlier passage knows it.
        words: when a word on the list is said, likewise; None where none is sought.
        voices: what each speaker of some turns sounds like, given when the first sample is heard in their
            seconds; None where nobody can tell.
    """

    push: tuple[Callable[[Samples], None], ...]
    turns: Callable[[], Turns] | None
    words: Callable[[], Spans] | None
    voices: Callable[[Turns, float], Samples] | None = None


@dataclass(frozen=True)
class Heard:
    """What the first pass found.

    Attributes:
        turns: who speaks when, in seconds of the result.
        words: when a word on the list is said, in seconds of the result; None where none was sought.
        levels: how loud every hundredth of a second is, from the first sample.
        rate: samples a second.
        channels: how many.
        begins_at: the number of the first sample.
        samples: how many follow.
        voices: (speakers, 256), what each of them sounds like (speakers/likeness.py); None where nobody can
            tell. It is what the result is compared with, and leaves with nothing.
    """

    turns: Turns
    words: Spans | None
    levels: Levels = field(repr=False)
    rate: int
    channels: int
    begins_at: int
    samples: int
    voices: Samples | None = field(default=None, repr=False)

    @property
    def begins(self) -> float:
        """When the first sample is heard, in seconds of the result; whole milliseconds."""
        return _milliseconds(self.begins_at / self.rate)


def listen(
    frames: Iterator[AudioFrame],
    begins: Fraction,
    max_seconds: float,
    ears: Ears,
    replayed: Turns | None,
) -> Heard | None:
    """Hears a whole track; None where there is not one sample.

    Args:
        frames: decoded, in order.
        begins: the time in seconds that becomes zero.
        max_seconds: from there on.
        ears: who listens.
        replayed: who speaks when, where an earlier passage knows it.

    Raises:
        AnonymizerError: media_unsupported, media_too_long; media_corrupt, also for samples that are no
            numbers; detector_failed.
    """
    clock = Unbroken(begins, max_seconds)
    speech: _Speech | None = None
    for frame in frames:
        for samples in clock.push(frame):
            if speech is None:
                speech = _Speech(clock.rate, samples.shape[0], ears)
            speech.push(samples)
    if speech is None or clock.begins_at is None or clock.next == clock.begins_at:
        return None
    speech.finish()
    offset = _milliseconds(clock.begins_at / clock.rate)
    if replayed is not None or ears.turns is None:
        seconds = _milliseconds(clock.next / clock.rate)
        turns = replayed if replayed is not None else Turns((), seconds)
    else:
        turns = _later(ears.turns(), offset)
    found = ears.words() if ears.words is not None else None
    return Heard(
        turns=turns,
        words=None if found is None else tuple((begin + offset, end + offset) for begin, end in found),
        levels=speech.levels,
        rate=clock.rate,
        channels=speech.channels,
        begins_at=clock.begins_at,
        samples=clock.next - clock.begins_at,
        voices=ears.voices(turns, offset) if ears.voices is not None else None,
    )


class _Speech:
    """Makes speech of a track, and lets everybody hear it."""

    def __init__(self, rate: int, channels: int, ears: Ears) -> None:
        self.channels = channels
        self._flattener = Flattener(rate, channels)
        self._resampler = Resampler(rate, SPEECH_RATE, 1)
        self._envelope = Envelope(SPEECH_RATE)
        self._ears = ears

    @property
    def levels(self) -> Levels:
        return self._envelope.levels

    def push(self, samples: Samples) -> None:
        if not np.isfinite(samples).all():
            raise AnonymizerError("media_corrupt")
        self._hear(self._flattener.push(np.clip(samples, -1.0, 1.0)))

    def finish(self) -> None:
        self._hear(self._flattener.flush())
        self._tell(self._resampler.flush()[0])

    def _hear(self, plain: Iterable[Samples]) -> None:
        for part in plain:
            self._tell(self._resampler.push(part[None])[0])

    def _tell(self, speech: Samples) -> None:
        self._envelope.push(speech)
        for push in self._ears.push:
            push(speech)


def _later(turns: Turns, offset: float) -> Turns:
    if offset == 0:
        return turns
    moved = (
        Turn(_milliseconds(turn.begin + offset), _milliseconds(turn.end + offset), turn.speaker, turn.sure)
        for turn in turns.turns
    )
    return Turns(tuple(moved), _milliseconds(turns.seconds + offset))


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000) / 1000
