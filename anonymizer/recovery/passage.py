"""One video on its way through: regions and voices put back, cut to the stretches, coded without loss."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import BinaryIO, Final

from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from anonymizer.errors import AnonymizerError
from anonymizer.modes import MODES
from anonymizer.recovery.beneath import Beneath, put_back
from anonymizer.recovery.sound import Said
from anonymizer.recovery.sounding import SoundBack, Voices
from anonymizer.settings import Limits
from anonymizer.video.picture import Picture, Plain
from anonymizer.video.reading import Reader, time_of
from anonymizer.video.writing import TICKS_PER_SECOND, Mp4Writer

Stretch = tuple[int, int]
"""First millisecond and end, from the first frame."""

VIDEO: Final = "video/mp4"
_MODE: Final = MODES["original"].lossless()
_MILLISECONDS: Final = 1000
_SECONDS_AHEAD: Final = 1


@dataclass(frozen=True)
class Restored:
    """What came out.

    Attributes:
        media_type: of it.
        frames: how many.
        frames_restored: in how many of them something was put back.
    """

    media_type: str
    frames: int
    frames_restored: int


@dataclass(frozen=True)
class Released:
    """What lay beneath the covers of some things, and what some people said.

    Attributes:
        seen: regions by track, in the order of frames.
        heard: voices by track, in the order of time.
    """

    seen: Mapping[int, Iterator[Beneath]]
    heard: Mapping[int, Iterator[Said]] = field(default_factory=dict)


class ByFrame:
    """What several tracks have for one frame after the other."""

    def __init__(self, released: Mapping[int, Iterator[Beneath]]) -> None:
        """Takes regions by track, in the order of frames."""
        self._coming = dict(released)
        self._next: dict[int, Beneath] = {}

    def at(self, frame: int) -> list[tuple[int, Beneath]]:
        """Everything for a frame; numbers of frames rise from call to call."""
        found = []
        for track in list(self._coming):
            while (region := self._peek(track)) is not None and region.frame <= frame:
                del self._next[track]
                if region.frame == frame:
                    found.append((track, region))
        return found

    def _peek(self, track: int) -> Beneath | None:
        if track not in self._next:
            region = next(self._coming[track], None)
            if region is None:
                return None
            self._next[track] = region
        return self._next[track]


class Passage:
    """One video on its way through."""

    def __init__(
        self,
        reader: Reader,
        sink: BinaryIO,
        released: Released,
        stretches: Sequence[Stretch],
        limits: Limits,
        threads: int,
    ) -> None:
        """Takes an open result, and what `restoring.restore` takes."""
        self._reader = reader
        self._sink = sink
        self._regions = ByFrame(released.seen)
        self._voices = Voices(released.heard)
        self._stretches = stretches
        self._limits = limits
        self._threads = threads
        self._plain = Plain()
        self._writer: Mp4Writer | None = None
        self._sound: SoundBack | None = None
        self._sound_ahead: deque[AudioFrame] = deque()
        self._frames = self._restored = 0

    def run(self) -> Restored:
        """Goes from the first frame to the end of the last stretch.

        Raises:
            AnonymizerError: as `restoring.restore`.
        """
        if self._reader.sound is not None:
            self._reader.require_sound_decoder()
        starts_at: Fraction | None = None
        number = -1
        try:
            for decoded in self._reader.frames(with_sound=True):
                if isinstance(decoded, AudioFrame):
                    self._hear(decoded)
                    continue
                number += 1
                if number >= self._limits.max_frames:
                    raise AnonymizerError("media_too_long")
                starts_at = time_of(decoded) if starts_at is None else starts_at
                if self._see(decoded, number, starts_at):
                    break
            return self._finish()
        except BaseException:
            if self._writer is not None:
                self._writer.abandon()
            raise

    def _see(self, decoded: VideoFrame, number: int, starts_at: Fraction) -> bool:
        """Takes a frame; says whether it, and all that come, lie behind the stretches."""
        since = (time_of(decoded) - starts_at) * _MILLISECONDS
        # Sound lies a little apart from pictures in a file: it is read on until the next second.
        if since >= self._stretches[-1][1] + _MILLISECONDS:
            return True
        cut_to = after_cut(since, self._stretches)
        if cut_to is None:
            return False
        frame = self._plain.frame_of(decoded)
        writer = self._writer or self._open(frame, starts_at)
        pts = round(cut_to * TICKS_PER_SECOND / _MILLISECONDS)
        duration = round(decoded.duration * (decoded.time_base or 0) * TICKS_PER_SECOND)
        picture = Picture(frame, pts, max(1, duration), float(since / _MILLISECONDS))
        found = self._regions.at(number)
        put_back(picture.planes, found)
        writer.write(picture)
        self._frames += 1
        self._restored += bool(found)
        return False

    def _open(self, frame: VideoFrame, starts_at: Fraction) -> Mp4Writer:
        sound = self._reader.sound
        form = self._voices.form(sound) if sound is not None else None
        writer = Mp4Writer(
            self._sink,
            frame,
            _MODE,
            source=self._reader.video,
            rate=self._reader.frame_rate,
            sound=form,
            threads=self._threads,
            transposed=False,
        )
        self._writer = writer
        if form is not None and writer.sound is not None:
            self._sound = SoundBack(
                writer.sound,
                form,
                self._voices,
                self._stretches,
                starts_at,
                self._limits.max_duration_seconds,
                writer.mux_sound,
            )
            while self._sound_ahead:
                self._sound.write(self._sound_ahead.popleft())
        return writer

    def _hear(self, frame: AudioFrame) -> None:
        if self._sound is not None:
            self._sound.write(frame)
            return
        # What comes before the first stretch lasts as long as that is away; a second of it is kept.
        self._sound_ahead.append(frame)
        while len(self._sound_ahead) > 1 and _lasts(self._sound_ahead) > _SECONDS_AHEAD:
            self._sound_ahead.popleft()

    def _finish(self) -> Restored:
        if self._writer is None:
            raise AnonymizerError("media_empty")
        if self._sound is not None:
            self._sound.write(None)
        self._writer.finish()
        return Restored(VIDEO, self._frames, self._restored)


def _lasts(frames: Sequence[AudioFrame]) -> Fraction:
    return time_of(frames[-1]) - time_of(frames[0])


def after_cut(since: Fraction, stretches: Sequence[Stretch]) -> Fraction | None:
    """Where a moment lies once everything outside the stretches is gone; None where it is gone itself."""
    kept = 0
    for first, end in stretches:
        if first <= since < end:
            return since - first + kept
        kept += end - first
    return None
