"""Follows things through the looks at a video, and tells what to cover in every frame."""

from __future__ import annotations

from collections import deque

import numpy as np

from anonymizer.boxes import Box, Boxes
from anonymizer.track.motion import Motion
from anonymizer.track.pairing import CROWD, pair, shift_of_crowd
from anonymizer.track.sighting import Sighting, Track


class Tracker:
    """Follows faces. Frames are observed in order; covers are asked for in order, behind the observations.

    Attributes:
        count: faces followed so far, each once. What was seen too faintly to be sure of (Track.is_firm) is
            covered, and not counted.
    """

    def __init__(
        self,
        linger_seconds: float,
        lookahead_seconds: float,
        *,
        believes_all: bool = False,
        looks_in_turn: int = 1,
    ) -> None:
        """Takes how long covers reach beyond the last and before the first sighting.

        With believes_all, a single faint sighting is as good as a face. Where looks are not alike, but take
        turns, one that does not show a face may be one that could not: only so many in a row tell that it is
        not there. (Looks between two others shift the turns: then it may be told a look too early, which
        is what covers linger for.)
        """
        self._believes_all = believes_all
        self._linger = linger_seconds
        self._lookahead = lookahead_seconds
        self._patience = linger_seconds + lookahead_seconds
        self._tracks: list[Track] = []
        self._shot_began = 0
        self._last_looks: deque[int] = deque([-1] * looks_in_turn, maxlen=looks_in_turn)
        self._begun = 0
        self.count = 0

    @property
    def begun(self) -> int:
        """Numbers given so far, to what was too faint to count as well."""
        return self._begun

    def observe(self, index: int, time: float, boxes: Boxes) -> list[int]:
        """Takes the detections of one frame that was looked at, also where there are none.

        Args:
            index: the frame.
            time: its time in seconds.
            boxes: (N, 5).

        Returns:
            For each box the number of the face to which it belongs.
        """
        looked_before = self._last_looks[0]
        live = [t for t in self._tracks if t.end_frame is None and self._is_live(t, time)]
        found = [Box(*(float(v) for v in row[:4])) for row in boxes]
        numbers = [-1] * len(found)
        expected = [track.expected_at(time) for track in live]
        shift = shift_of_crowd(expected, found)
        speeds = []
        for which, place in pair([box.moved(*shift) for box in expected], found):
            track, box = live[which], found[place]
            motion = track.motion_before(time, shift).seen(time, box)
            score = float(boxes[place, 4])
            self._add(track, Sighting(index, time, box, motion, score, looked_before, track.missed_at))
            numbers[place] = track.number
            speeds.append((motion.dx, motion.dy))
        for track in live:
            if track.last.index != index:
                track.miss(index, self._last_looks.maxlen or 1)
        # Whoever comes into a crowd moves as the crowd does: mostly it is the camera that moves.
        dx, dy = np.median(speeds, axis=0) if len(speeds) >= CROWD else (0.0, 0.0)
        for place in (i for i, number in enumerate(numbers) if number < 0):
            track = Track(self._begun, self._shot_began, believes_all=self._believes_all)
            motion = Motion.begin(time, found[place], float(dx), float(dy))
            score = float(boxes[place, 4])
            self._add(track, Sighting(index, time, found[place], motion, score, looked_before))
            self._tracks.append(track)
            numbers[place] = track.number
            self._begun += 1
        self._last_looks.append(index)
        return numbers

    def _add(self, track: Track, sighting: Sighting) -> None:
        was_firm = track.is_firm
        track.add(sighting)
        self.count += track.is_firm and not was_firm

    def cut(self, index: int) -> None:
        """Ends every face: a new shot begins with this frame."""
        self._shot_began = index
        for track in self._tracks:
            if track.end_frame is None:
                track.end_frame = index

    def covers(self, index: int, time: float) -> list[tuple[int, Box]]:
        """Returns what to cover in a frame, before any scaling, and forgets what no later frame needs.

        Each with the number of the thing that it covers.
        """
        boxes = [(t.number, t.cover_at(index, time, self._linger, self._lookahead)) for t in self._tracks]
        self._tracks = [t for t in self._tracks if not self._is_over(t, index, time)]
        for track in self._tracks:
            track.forget_before(index)
        return [(number, box) for number, box in boxes if box is not None]

    def _is_over(self, track: Track, index: int, time: float) -> bool:
        if track.end_frame is not None:
            return index >= track.end_frame
        return not self._is_live(track, time) and index >= (track.missed_at or 0)

    def _is_live(self, track: Track, time: float) -> bool:
        return track.missed_at is None or time - track.last.time <= self._patience
