"""The sound of a disclosure: that of the result, cut to the stretches, with some voices as they were.

It leaves as FLAC of 24 bits, so that a released sample is the original's. Where voices are released, all of
it takes the original's rate and channels; without them the result's stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet

from anonymizer.errors import AnonymizerError
from anonymizer.recovery.sound import Said, said_of
from anonymizer.sound.track import Form
from anonymizer.sound.unbroken import Unbroken

Integers = npt.NDArray[np.int32]

_MILLISECONDS: Final = 1000
_LAYOUTS: Final = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
# FLAC's 24 bits stand in the upper part of FFmpeg's 32.
_SHIFT: Final = 8


class Voices:
    """What some people said, in the order of time.

    Args:
        said: by track.
    """

    def __init__(self, said: Mapping[int, Iterator[Said]]) -> None:
        self._coming = dict(said)
        self._next: dict[int, Said] = {}
        for track in list(self._coming):
            self._advance(track)

    def form(self, otherwise: AudioStream) -> Form:
        """The form of the sound: the original's, where any voice is released.

        Raises:
            AnonymizerError: record_refused, where voices are of different forms.
        """
        forms = {(said.rate, said.samples.shape[0]) for said in self._next.values()}
        if len(forms) > 1:
            raise AnonymizerError("record_refused")
        context = otherwise.codec_context
        rate, channels = next(iter(forms), (context.sample_rate, context.channels))
        return Form(rate, _LAYOUTS[channels], lossless=True)

    def put_back(self, first: int, rate: int, samples: Integers) -> None:
        """Puts all voices back into a piece, in place; pieces come in order.

        Args:
            first: number of its first sample, on the result's clock.
            rate: samples a second.
            samples: (channels, n), of 24 bits.

        Raises:
            AnonymizerError: record_refused, where a voice is of another form.
        """
        end = first + samples.shape[1]
        for track in list(self._next):
            while track in self._next and (said := self._next[track]).first < end:
                if said.rate != rate or said.samples.shape[0] != samples.shape[0]:
                    raise AnonymizerError("record_refused")
                ends = said.first + said.samples.shape[1]
                begin, stop = max(first, said.first), min(end, ends)
                if begin < stop:
                    voice = said.samples[:, begin - said.first : stop - said.first]
                    samples[:, begin - first : stop - first] = voice
                if ends > end:
                    break
                self._advance(track)

    def _advance(self, track: int) -> None:
        said = next(self._coming[track], None)
        if said is None:
            self._next.pop(track, None)
        else:
            self._next[track] = said


class SoundBack:
    """Takes the decoded sound of a result and hands encoded packets on.

    Args:
        stream: FLAC, of the form that the voices have.
        form: that.
        voices: to be put back.
        stretches: (first, end) in milliseconds, from the first picture.
        starts_at: when that is, in seconds of the result's clock.
        max_seconds: of sound.
        mux: takes packets.

    Attributes:
        samples: how many were kept.
    """

    def __init__(
        self,
        stream: AudioStream,
        form: Form,
        voices: Voices,
        stretches: Sequence[tuple[int, int]],
        starts_at: Fraction,
        max_seconds: float,
        mux: Callable[[list[Packet[AudioStream]]], None],
    ) -> None:
        self._stream = stream
        self._form = form
        self._voices = voices
        self._mux = mux
        # The result's clock is that of the voices: it begins at zero.
        self._clock = Unbroken(Fraction(0), max_seconds, form.layout)
        self._resampler = AudioResampler(format="fltp", layout=form.layout, rate=form.rate)
        self._at: int | None = None
        self._cuts = _cuts(stretches, starts_at, form.rate)
        self._held: list[Integers] = []
        self._held_from: int | None = None
        self._held_samples = 0
        self.samples = 0

    def write(self, frame: AudioFrame | None) -> None:
        """Takes a frame; None after the last one.

        Raises:
            AnonymizerError: record_refused, media_unsupported or media_too_long.
        """
        for resampled in self._resampler.resample(frame):
            for samples in self._clock.push(resampled):
                self._take(samples)
        if frame is None:
            self._encode(whole=False)
            self._mux(self._stream.encode(None))

    def _take(self, samples: npt.NDArray[np.float32]) -> None:
        if self._at is None:
            self._at = self._clock.begins_at or 0
        first, self._at = self._at, self._at + samples.shape[1]
        piece = said_of(first, self._form.rate, samples).samples
        self._voices.put_back(first, self._form.rate, piece)
        for begin, end, moved in self._cuts:
            low, high = max(begin, first), min(end, self._at)
            if low < high:
                self._keep(low + moved, piece[:, low - first : high - first])

    def _keep(self, at: int, piece: Integers) -> None:
        self.samples += piece.shape[1]
        if self._held_from is None:
            self._held_from = at
        elif at > self._held_from + self._held_samples:
            # The sound begins late in a later stretch: what is missing is silence.
            missing = at - self._held_from - self._held_samples
            self._held.append(np.zeros((piece.shape[0], missing), np.int32))
            self._held_samples += missing
        self._held.append(piece)
        self._held_samples += piece.shape[1]
        self._encode(whole=True)

    def _encode(self, *, whole: bool) -> None:
        """Encodes what is held, in frames of the encoder's size; the last one may be shorter."""
        size = self._stream.codec_context.frame_size
        if self._held_from is None or (whole and self._held_samples < size):
            return
        samples = np.concatenate(self._held, axis=1)
        done = 0
        while done < samples.shape[1] and (not whole or samples.shape[1] - done >= size):
            part = samples[:, done : done + size] << _SHIFT
            interleaved = np.ascontiguousarray(part.T).reshape(1, -1)
            frame = AudioFrame.from_ndarray(interleaved, format="s32", layout=self._form.layout)
            frame.sample_rate, frame.pts = self._form.rate, self._held_from + done
            frame.time_base = Fraction(1, self._form.rate)
            self._mux(self._stream.encode(frame))
            done += part.shape[1]
        self._held, self._held_samples = [samples[:, done:]], samples.shape[1] - done
        self._held_from += done


def _cuts(stretches: Sequence[tuple[int, int]], starts_at: Fraction, rate: int) -> list[tuple[int, int, int]]:
    """Each stretch as (first sample, end, how far it moves to close the gaps)."""
    cuts, kept = [], 0
    for first, end in stretches:
        begin, stop = (round((Fraction(edge, _MILLISECONDS) + starts_at) * rate) for edge in (first, end))
        cuts.append((begin, stop, kept - begin))
        kept += stop - begin
    return cuts
