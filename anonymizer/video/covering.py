"""Finds and covers things a little behind the newest frame, so that covers can start before a detection.

Frames wait until the look-ahead has passed. What waits is bounded in bytes as well, so that memory depends
on the size of the picture and never on the length of the video.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from anonymizer.effects.casting import Cast
from anonymizer.effects.operator import Scene
from anonymizer.report import Stopwatch
from anonymizer.review.deciding import Decided, Seen
from anonymizer.review.session import Session
from anonymizer.settings import Kind
from anonymizer.video.following import Following, Waiting
from anonymizer.video.picture import Picture

# Hears of every frame before anything is covered in it, and of what becomes of it.
OnDecided = Callable[[Scene, Decided], None]


class Coverer:
    """Takes plain pictures in order and gives them back covered, in order, some frames later.

    Attributes:
        frames_with: frames in which something of a kind was covered.
    """

    def __init__(
        self,
        session: Session,
        cast: Cast,
        max_buffer_bytes: int,
        watch: Stopwatch,
        on_decided: OnDecided | None = None,
        on_painted: OnDecided | None = None,
    ) -> None:
        """Takes what to look with and who covers, the bound on memory, and who hears of every frame.

        One hears before anything is covered in it, the other once all is.

        Raises:
            AnonymizerError: record_refused.
        """
        self._session = session
        self._searches = session.searches()
        every_sought = [sought for finder in session.finders for sought in finder.sought]
        self._lookahead = max(sought.settings.lookahead_seconds for sought in every_sought)
        self._max_buffer_bytes = max_buffer_bytes
        self._watch = watch
        self._cast = cast
        self._on_decided = on_decided
        self._on_painted = on_painted
        self._first_of_shots: deque[int] = deque()
        self._shot = 0
        self._waiting: deque[Waiting] = deque()
        self._seen = 0
        self.frames_with: Counter[Kind] = Counter({sought.kind: 0 for sought in every_sought})

    @property
    def tracks(self) -> Mapping[Kind, int]:
        """Things followed so far, by kind."""
        counts: Counter[Kind] = Counter()
        for search in self._searches:
            counts.update(search.counts)
        return counts

    def push(self, picture: Picture) -> Iterator[Picture]:
        """Takes the next picture; yields those that are ready, covered.

        Raises:
            AnonymizerError: detector_failed.
        """
        newest = Waiting(self._seen, picture)
        self._seen += 1
        with self._watch.stage("detect"):
            is_cut = self._session.is_cut(newest.index, picture.planes[0].pixels)
            if is_cut and self._waiting:
                self._look_up_to_newest(self._searches)
            self._waiting.append(newest)
            if is_cut:
                self._first_of_shots.append(newest.index)
                for search in self._searches:
                    search.cut(newest.index)
            self._look_up_to_newest([search for search in self._searches if search.is_due(newest)])
            if self._is_full():
                oldest = self._waiting[0].index
                self._look_up_to_newest([s for s in self._searches if not s.has_looked_past(oldest)])
        while self._is_ready():
            yield self._cover(self._waiting.popleft())

    def flush(self) -> Iterator[Picture]:
        """Yields the rest, after a look at the very last frame.

        Raises:
            AnonymizerError: detector_failed.
        """
        if not self._waiting:
            return
        frame = self._waiting[-1].picture.frame
        with self._watch.stage("detect"):
            self._session.flush(self._seen)
            self._look_up_to_newest(self._searches)
        while self._waiting:
            yield self._cover(self._waiting.popleft())
        begun = [search.begun for search in self._searches]
        self._session.finish(frame.width, frame.height, self._seen, begun)

    def _look_up_to_newest(self, searches: Sequence[Following]) -> None:
        for search in searches:
            search.look_up_to(self._waiting[-1], self._waiting)

    def _is_ready(self) -> bool:
        """Tells whether nothing that is still to be seen can matter to the oldest frame."""
        if not self._waiting:
            return False
        oldest, newest = self._waiting[0], self._waiting[-1]
        if not all(search.has_looked_past(oldest.index) for search in self._searches):
            return False
        return newest.picture.time - oldest.picture.time > self._lookahead or self._is_full()

    def _is_full(self) -> bool:
        frame_bytes = sum(plane.pixels.nbytes for plane in self._waiting[0].picture.planes)
        return len(self._waiting) * frame_bytes > self._max_buffer_bytes

    def _cover(self, ready: Waiting) -> Picture:
        picture = ready.picture
        with self._watch.stage("cover"):
            if self._first_of_shots and self._first_of_shots[0] == ready.index:
                self._shot += 1
                self._first_of_shots.popleft()
            frame, time = picture.frame, picture.time
            scene = Scene(picture.planes, frame.width, frame.height, time, self._shot)
            decided = self._session.decide(list(self._things(ready)), scene)
            if self._on_decided is not None:
                self._on_decided(scene, decided)
            self._cast.cover(scene, decided.covers, decided.blanked)
            self._session.painted(scene, decided)
            if self._on_painted is not None:
                self._on_painted(scene, decided)
            self.frames_with.update({cover.kind for cover in decided.covers})
        return picture

    def _things(self, ready: Waiting) -> Iterator[Seen]:
        for place, search in enumerate(self._searches):
            for sought, number, box in search.covers(ready.index, ready.picture.time):
                track = self._session.numbers.track(place, sought.kind, number)
                yield Seen(sought.kind, track, box, sought.settings)
