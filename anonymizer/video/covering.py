"""Finds and covers faces a little behind the newest frame, so that covers can start before a detection.

Frames wait until the look-ahead has passed. What waits is bounded in bytes as well, so that memory depends
on the size of the picture and never on the length of the video.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from anonymizer.boxes import Boxes, no_boxes
from anonymizer.detect.looking import Looker
from anonymizer.effects import EFFECTS
from anonymizer.effects.region import apply, region_of
from anonymizer.report import Stopwatch
from anonymizer.settings import MOST_PASSES, FaceSettings
from anonymizer.track.scene import SceneCuts
from anonymizer.track.steady import is_steady
from anonymizer.track.tracker import Tracker
from anonymizer.video.picture import Copies, Picture

# Between two detections a face must not get far: at most this long for each frame of the stride.
SECONDS_PER_STRIDE_FRAME = 1 / 25


@dataclass
class Waiting:
    """A frame that is not covered yet."""

    index: int
    picture: Picture
    faces: Boxes = field(default_factory=no_boxes)


class Coverer:
    """Takes plain pictures in order and gives them back covered, in order, some frames later."""

    def __init__(
        self, looker: Looker, faces: FaceSettings, stride: int, max_buffer_bytes: int, watch: Stopwatch
    ) -> None:
        """Takes how to look, what to cover, a detection's stride in frames, and the bound on memory."""
        self._looker = looker
        self._faces = faces
        self._stride = stride
        self._max_buffer_bytes = max_buffer_bytes
        self._watch = watch
        self._tracker = Tracker(
            faces.linger_seconds, faces.lookahead_seconds, believes_all=faces.passes == MOST_PASSES
        )
        self._cuts = SceneCuts()
        self._copies = Copies()
        self._waiting: deque[Waiting] = deque()
        self._seen = 0
        self._last_look: Waiting | None = None
        self.frames_with_faces = 0

    @property
    def tracks(self) -> int:
        """Faces followed so far."""
        return self._tracker.count

    def push(self, picture: Picture) -> Iterator[Picture]:
        """Takes the next picture; yields those that are ready, covered.

        Raises:
            AnonymizerError: detector_failed.
        """
        newest = Waiting(self._seen, picture)
        self._seen += 1
        with self._watch.stage("detect"):
            if self._cuts.is_cut(picture.planes[0].pixels):
                if self._waiting:
                    self._look_up_to(self._waiting[-1])
                self._tracker.cut(newest.index)
                self._last_look = None
            self._waiting.append(newest)
            if self._is_due(newest):
                self._look_up_to(newest)
        while self._is_ready():
            yield self._cover(self._waiting.popleft())

    def flush(self) -> Iterator[Picture]:
        """Yields the rest, after a look at the very last frame.

        Raises:
            AnonymizerError: detector_failed.
        """
        if self._waiting:
            with self._watch.stage("detect"):
                self._look_up_to(self._waiting[-1])
        while self._waiting:
            yield self._cover(self._waiting.popleft())

    def _is_due(self, newest: Waiting) -> bool:
        last = self._last_look
        if last is None or newest.index - last.index >= self._stride:
            return True
        elapsed = newest.picture.time - last.picture.time
        return elapsed + 1e-6 >= self._stride * SECONDS_PER_STRIDE_FRAME

    def _look_up_to(self, newest: Waiting) -> None:
        """Looks at a frame, and at those skipped before it where faces moved far in the meantime."""
        last = self._last_look
        if newest is last:
            return
        newest.faces = self._look(newest.picture)
        if last is not None and not is_steady(last.faces, newest.faces):
            for skipped in self._waiting:
                if last.index < skipped.index < newest.index:
                    self._tracker.observe(skipped.index, skipped.picture.time, self._look(skipped.picture))
        self._tracker.observe(newest.index, newest.picture.time, newest.faces)
        self._last_look = newest

    def _look(self, picture: Picture) -> Boxes:
        width, height = picture.frame.width, picture.frame.height
        return self._looker.look(width, height, lambda w, h: self._copies.of(picture, w, h))

    def _is_ready(self) -> bool:
        if len(self._waiting) <= self._stride:
            return False
        oldest, newest = self._waiting[0].picture, self._waiting[-1].picture
        if newest.time - oldest.time > self._faces.lookahead_seconds:
            return True
        frame_bytes = sum(plane.pixels.nbytes for plane in oldest.planes)
        return len(self._waiting) * frame_bytes > self._max_buffer_bytes

    def _cover(self, ready: Waiting) -> Picture:
        picture = ready.picture
        with self._watch.stage("cover"):
            boxes = self._tracker.covers(ready.index, picture.time)
            regions = [
                region_of(
                    box, self._faces.scale, self._faces.shape, picture.frame.width, picture.frame.height
                )
                for box in boxes
            ]
            planes = picture.planes
            shown = [region for region in regions if region is not None]
            for region in shown:
                apply(EFFECTS[self._faces.effect], region, planes)
            self.frames_with_faces += bool(shown)
        return picture
