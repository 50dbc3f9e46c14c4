"""The made sound of one track, piece by piece: what is heard instead of what was said."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.errors import AnonymizerError
from anonymizer.sound.loudness import STEPS_PER_SECOND, Loudness
from anonymizer.sound.pieces import Piece
from anonymizer.sound.resampling import SPEECH_RATE, resampled

Samples = npt.NDArray[np.float32]

# How somebody else says the same: (speaker, speech at 16 kHz) gives as much speech.
Speak = Callable[[int, Samples], Samples]
# So many samples of a room in which nothing is to be heard.
Room = Callable[[int], Samples]

# What a converter hears before and after a piece, so that it knows what comes.
CONTEXT_SECONDS: Final = 0.25
BLEEP_HZ: Final = 1000
BLEEP_LEVEL: Final = 0.07
# A made voice is made as loud as the one that it replaces, within these bounds.
MOST_GAIN: Final = 8.0
# What is loudest; a coder makes peaks that are a little higher.
HIGHEST: Final = 0.89
# Steps of a tenth of a second that are quieter than the loudest by so much are no speech.
QUIET: Final = 10 ** (-20 / 10)


# Of the two channels that a renderer takes.
CLEANED, PLAIN = 0, 1


class Renderer:
    """Takes a track in order, cleaned and plain, and returns the made sound, as many samples.

    What is kept comes out of the cleaned one. Whoever changes a voice hears the plain one: no sample of it
    comes out, and what the room's cleaner takes away with the hum and the echoes, words need.

    Memory holds the longest piece and what surrounds it.
    """

    def __init__(self, pieces: Sequence[Piece], rate: int, speak: Speak, room: Room) -> None:
        """Takes what becomes of the track.

        Args:
            pieces: of the whole track.
            rate: samples a second.
            speak: changes a voice.
            room: gives the noise of an empty room.
        """
        self._pieces = deque(pieces)
        self._samples = pieces[-1].ends
        self._rate = rate
        self._speak = speak
        self._room = room
        self._context = round(CONTEXT_SECONDS * rate)
        self._heard = np.zeros((2, 0), np.float32)
        self._heard_from = 0
        self._tail = np.zeros(0, np.float32)

    def push(self, samples: Samples, original: Loudness, channels: int) -> Iterator[Samples]:
        """Takes more of the track, and returns what is made of it so far.

        Args:
            samples: (2, n), cleaned and plain.
            original: has been told of the track at least as far as `samples` go.
            channels: in how many the result is heard.

        Raises:
            AnonymizerError: detector_failed.
        """
        self._heard = np.concatenate([self._heard, samples], axis=1)
        while self._pieces:
            known = self._heard_from + self._heard.shape[1]
            piece = self._pieces[0]
            if known < min(piece.ends + self._context, self._samples):
                return
            self._pieces.popleft()
            made = self._made(piece, original, channels)
            made[: piece.full - piece.fades_in] += self._tail
            fading = piece.ends - piece.fades_out
            whole, self._tail = made[: len(made) - fading], made[len(made) - fading :]
            if self._pieces:
                self._forget_until(self._pieces[0].fades_in - self._context)
            yield whole

    def finish(self) -> None:
        """Tells that the track has ended.

        Raises:
            AnonymizerError: media_corrupt, where it was not as long as it was found to be.
        """
        if self._pieces or self._heard_from + self._heard.shape[1] != self._samples:
            raise AnonymizerError("media_corrupt")

    def _made(self, piece: Piece, original: Loudness, channels: int) -> Samples:
        length = piece.ends - piece.fades_in
        if piece.effect == "keep":
            made = self._between(CLEANED, piece.fades_in, piece.ends)
            # Several channels became one: each of them counts for the loudness.
            made = made * np.float32(self._gain(made, piece.fades_in, original, channels))
        elif piece.effect == "anonymize":
            made = self._spoken(piece, original, channels)
        else:
            made = self._room(length)
            if piece.effect == "bleep":
                phase = np.arange(piece.fades_in, piece.ends) * (2 * math.pi * BLEEP_HZ / self._rate)
                made = made + (BLEEP_LEVEL * math.sqrt(2) * np.sin(phase)).astype(np.float32)
        grows, shrinks = piece.full - piece.fades_in, piece.ends - piece.fades_out
        made[:grows] *= _ramp(grows)
        made[length - shrinks :] *= _ramp(shrinks)[::-1]
        return made

    def _spoken(self, piece: Piece, original: Loudness, channels: int) -> Samples:
        first, last = piece.fades_in - self._context, piece.ends + self._context
        first, last = max(first, 0), min(last, self._samples)
        heard = self._between(PLAIN, first, last)
        speech = resampled(
            heard, self._rate, SPEECH_RATE, max(1, round(len(heard) * SPEECH_RATE / self._rate))
        )
        spoken = self._speak(piece.speaker, speech)
        made = resampled(spoken, SPEECH_RATE, self._rate, len(heard))
        made = made[piece.fades_in - first : piece.ends - first]
        gain = self._gain(made, piece.fades_in, original, channels)
        return made * np.float32(gain) + self._room(len(made))

    def _gain(self, made: Samples, begins: int, original: Loudness, channels: int) -> float:
        """By how much a made voice must be louder to be as loud as the original in the same tenths."""
        meter = Loudness(self._rate, 1)
        meter.push(made[None])
        now = meter.steps * channels
        first = round(begins * STEPS_PER_SECOND / self._rate)
        before = original.between(first, first + len(now))
        if not len(before):
            return 1.0
        loud = before >= QUIET * before.max()
        wanted, there = float(before[loud].sum()), float(now[: len(before)][loud].sum())
        peak = float(np.abs(made).max())
        if wanted <= 0 or there <= 0 or peak <= 0:
            return 1.0
        return min(math.sqrt(wanted / there), MOST_GAIN, HIGHEST / peak)

    def _between(self, channel: int, first: int, last: int) -> Samples:
        return self._heard[channel, first - self._heard_from : last - self._heard_from]

    def _forget_until(self, sample: int) -> None:
        gone = max(0, min(sample - self._heard_from, self._heard.shape[1]))
        self._heard, self._heard_from = self._heard[:, gone:].copy(), self._heard_from + gone


def _ramp(length: int) -> Samples:
    """From nothing to all; with its mirror image it adds up to one."""
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(length, 1))).astype(np.float32)
