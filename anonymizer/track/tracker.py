"""Which detection belongs to which face: overlap with where the face was or should be, else nearness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box, Boxes
from anonymizer.track.sighting import Sighting, Track

LEAST_OVERLAP = 0.1
# Centres closer than this share of the face's size may be one face, where the sizes are alike.
NEARNESS = 0.8
SIZE_RATIO = 2.0


class Tracker:
    """Follows faces. Frames are observed in order; covers are asked for in order, behind the observations."""

    def __init__(
        self, linger_seconds: float, lookahead_seconds: float, *, believes_all: bool = False
    ) -> None:
        """Takes how long covers reach beyond the last and before the first sighting.

        With believes_all, a single faint sighting is as good as a face.
        """
        self._believes_all = believes_all
        self._linger = linger_seconds
        self._lookahead = lookahead_seconds
        self._patience = linger_seconds + lookahead_seconds
        self._tracks: list[Track] = []
        self._shot_began = 0
        self._last_look = -1
        self.count = 0

    def observe(self, index: int, time: float, boxes: Boxes) -> None:
        """Takes the detections of one frame that was looked at, (N, 5), also where there are none."""
        live = [t for t in self._tracks if t.end_frame is None and self._is_live(t, time)]
        found = [Box(*(float(v) for v in row[:4])) for row in boxes]
        scores = [float(row[4]) for row in boxes]
        unmatched = set(range(len(found)))
        for track, which in _pair(live, found, time):
            track.add(Sighting(index, time, found[which], scores[which], self._last_look, track.missed_at))
            unmatched.discard(which)
        for track in live:
            if track.last.index != index and track.missed_at is None:
                track.missed_at = index
        for which in sorted(unmatched):
            track = Track(self.count, self._shot_began, is_firm=self._believes_all)
            track.add(Sighting(index, time, found[which], scores[which], self._last_look))
            self._tracks.append(track)
            self.count += 1
        self._last_look = index

    def cut(self, index: int) -> None:
        """Ends every face: a new shot begins with this frame."""
        self._shot_began = index
        for track in self._tracks:
            if track.end_frame is None:
                track.end_frame = index

    def covers(self, index: int, time: float) -> list[Box]:
        """Returns what to cover in a frame, before any scaling, and forgets what no later frame needs."""
        boxes = [t.cover_at(index, time, self._linger, self._lookahead) for t in self._tracks]
        self._tracks = [t for t in self._tracks if not self._is_over(t, index, time)]
        for track in self._tracks:
            track.forget_before(index)
        return [box for box in boxes if box is not None]

    def _is_over(self, track: Track, index: int, time: float) -> bool:
        if track.end_frame is not None:
            return index >= track.end_frame
        return not self._is_live(track, time) and index >= (track.missed_at or 0)

    def _is_live(self, track: Track, time: float) -> bool:
        return track.missed_at is None or time - track.last.time <= self._patience


def _pair(tracks: list[Track], found: list[Box], time: float) -> list[tuple[Track, int]]:
    """Pairs tracks with boxes, the best fit first (greedy)."""
    if not tracks or not found:
        return []
    there = _as_array(found)
    fits = np.maximum(
        _fit(_as_array([t.last.box for t in tracks]), there),
        _fit(_as_array([t.expected_at(time) for t in tracks]), there),
    )
    pairs = []
    while fits.max() > 0:
        row, column = (int(i) for i in np.unravel_index(int(fits.argmax()), fits.shape))
        pairs.append((tracks[row], column))
        fits[row, :] = 0
        fits[:, column] = 0
    return pairs


def _as_array(boxes: list[Box]) -> npt.NDArray[np.float64]:
    return np.array([[b.x1, b.y1, b.x2, b.y2] for b in boxes])


def _fit(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns (len(a), len(b)): 1 to 2 where boxes overlap, under 1 where they are near, 0 elsewhere."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    size_a, size_b = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    overlap = shared / np.maximum(
        np.prod(size_a, axis=1)[:, None] + np.prod(size_b, axis=1)[None] - shared, 1e-9
    )
    between = np.linalg.norm((a[:, None, :2] + a[:, None, 2:] - b[None, :, :2] - b[None, :, 2:]) / 2, axis=2)
    across_a, across_b = size_a.max(axis=1)[:, None], size_b.max(axis=1)[None]
    distance = between / np.maximum((across_a + across_b) / 2, 1e-9)
    ratio = np.maximum(across_a, across_b) / np.maximum(np.minimum(across_a, across_b), 1e-9)
    near = (distance < NEARNESS) & (ratio < SIZE_RATIO)
    fit: npt.NDArray[np.float64] = np.where(
        overlap >= LEAST_OVERLAP, 1 + overlap, np.where(near, 1 - distance / NEARNESS, 0)
    )
    return fit
