"""Carries times from the original's ticks to the result's, to the nearest one, and counts frames."""

from __future__ import annotations

from fractions import Fraction

from av.video.frame import VideoFrame

from anonymizer.errors import AnonymizerError
from anonymizer.settings import Limits
from anonymizer.video.picture import Picture
from anonymizer.video.reading import time_of

# Two frames with one time are set a tick apart; a frame this far behind its predecessor is damage.
MAX_SECONDS_BACK = 1


class Clock:
    """The times of one video's frames."""

    def __init__(self, limits: Limits) -> None:
        """Takes the limits on frames and duration."""
        self._limits = limits
        self._first = self._offset = Fraction(0)
        self._tick = Fraction(1)
        self._last_pts: int | None = None
        self._last_duration = 0
        self._first_pts = 0
        self.frames = 0

    def start(self, first: VideoFrame, begins: Fraction, tick: Fraction) -> None:
        """Takes the first frame, the time in seconds that becomes zero, and the result's seconds per tick."""
        self._first, self._tick = time_of(first), tick
        # Rounded once, for the first frame: the times between frames stay exact.
        self._offset = Fraction(round((self._first - begins) / tick))

    def picture(self, decoded: VideoFrame, plain: VideoFrame) -> Picture:
        """Gives a plain frame the time of the decoded one it was made from.

        Raises:
            AnonymizerError: media_too_long, or media_corrupt where time runs backwards.
        """
        since_first = time_of(decoded) - self._first
        self.frames += 1
        if self.frames > self._limits.max_frames or since_first > self._limits.max_duration_seconds:
            raise AnonymizerError("media_too_long")
        pts = round(since_first / self._tick + self._offset)
        if self._last_pts is None:
            self._first_pts = pts
        elif pts <= self._last_pts:
            if (self._last_pts - pts) * self._tick > MAX_SECONDS_BACK:
                raise AnonymizerError("media_corrupt")
            pts = self._last_pts + 1
        given = round(decoded.duration * (decoded.time_base or 0) / self._tick)
        usual = pts - self._last_pts if self._last_pts is not None else 0
        self._last_pts, self._last_duration = pts, given if given > 0 else max(usual, 1)
        return Picture(plain, pts, self._last_duration, float((pts - self._first_pts) * self._tick))

    @property
    def ends(self) -> Fraction:
        """When the last frame so far ends, in seconds of the result."""
        return ((self._last_pts or 0) + self._last_duration) * self._tick

    @property
    def duration_seconds(self) -> float:
        """From the first frame to the end of the last."""
        ticks = (self._last_pts or 0) - self._first_pts + self._last_duration
        return float(ticks * self._tick)
