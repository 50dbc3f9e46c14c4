"""Frame by frame: which of the faces that are followed are of somebody enrolled, and their roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from anonymizer.boxes import Box
from anonymizer.effects.operator import Scene
from anonymizer.enrolled.embedding import Vector
from anonymizer.enrolled.gallery import Gallery
from anonymizer.enrolled.matching import APART_SECONDS, RARELY_SECONDS, Candidate, sure
from anonymizer.track.pairing import could_be_one

# So many faces are looked at in a frame, those that are recognized first and then the largest.
MOST_LOOKS: Final = 8


class Recognition(Protocol):
    """Says who has which role, one frame after the other."""

    def roles(self, scene: Scene, faces: Mapping[int, Box]) -> Mapping[int, str]:
        """Returns the role of each track that has one in this frame.

        Args:
            scene: the frame, uncovered.
            faces: everything that is covered as a face in it, by its number in the job.

        Raises:
            AnonymizerError: detector_failed.
        """
        ...


class Recognizer:
    """Looks. Frames come in order, one by one; what it learns is gone with it."""

    def __init__(self, gallery: Gallery) -> None:
        """Takes who is enrolled."""
        self._gallery = gallery
        self._candidates: dict[int, Candidate] = {}
        self._shot = 0

    def roles(self, scene: Scene, faces: Mapping[int, Box]) -> Mapping[int, str]:
        """See Recognition.roles."""
        if scene.shot != self._shot:
            self._candidates.clear()
            self._shot = scene.shot
        # Whoever is missing in a frame has to be recognized anew: nobody saw what happened meanwhile.
        self._candidates = {track: self._candidates.get(track, Candidate()) for track in faces}
        for track in self._to_look_at(faces, scene.time):
            self._look(scene, track, faces)
        self._part(scene.time)
        return {
            track: self._gallery.roles[candidate.who]
            for track, candidate in self._candidates.items()
            if candidate.who is not None
        }

    def _to_look_at(self, faces: Mapping[int, Box], time: float) -> list[int]:
        due = [track for track in faces if self._candidates[track].is_due(time)]
        due.sort(key=lambda track: (self._candidates[track].who is None, -faces[track].height))
        for track in due[MOST_LOOKS:]:
            if self._candidates[track].who is not None:
                self._candidates[track].doubt(time)
        return due[:MOST_LOOKS]

    def _look(self, scene: Scene, track: int, faces: Mapping[int, Box]) -> None:
        candidate, box = self._candidates[track], faces[track]
        others = (other for number, other in faces.items() if number != track)
        if meets(box, others):
            candidate.start_over(scene.time, APART_SECONDS)
            return
        vector = self._gallery.embedder.look(scene.planes, scene.width, scene.height, box)
        cosines = None if vector is None else self._gallery.vectors @ vector
        candidate.take(scene.time, cosines, self._gallery.bounds)

    def _part(self, time: float) -> None:
        """Ends what cannot be: two faces of one person. One is somebody else's, or on a picture.

        One that only begins to seem so is enough, and both then wait alike: neither gets ahead of the other.
        """
        whose: dict[int, list[Candidate]] = {}
        for candidate in self._candidates.values():
            if candidate.leaning is not None:
                whose.setdefault(candidate.leaning, []).append(candidate)
        for candidates in whose.values():
            if len(candidates) > 1:
                for candidate in candidates:
                    candidate.start_over(time, RARELY_SECONDS)


class StillRecognizer:
    """Looks at a still, which gives no second sighting but its mirror image: both reach the threshold."""

    def __init__(self, gallery: Gallery) -> None:
        """Takes who is enrolled."""
        self._gallery = gallery

    def roles(self, scene: Scene, faces: Mapping[int, Box]) -> Mapping[int, str]:
        """See Recognition.roles."""
        found: dict[int, list[int]] = {}
        for track, box in faces.items():
            others = (other for number, other in faces.items() if number != track)
            who = None if meets(box, others) else self._who(scene, box)
            if who is not None:
                found.setdefault(who, []).append(track)
        return {tracks[0]: self._gallery.roles[who] for who, tracks in found.items() if len(tracks) == 1}

    def _who(self, scene: Scene, box: Box) -> int | None:
        said = {self._sure(self._seen(scene, box, mirrored=mirrored)) for mirrored in (False, True)}
        return said.pop() if len(said) == 1 else None

    def _seen(self, scene: Scene, box: Box, *, mirrored: bool) -> Vector | None:
        return self._gallery.embedder.look(scene.planes, scene.width, scene.height, box, mirrored=mirrored)

    def _sure(self, vector: Vector | None) -> int | None:
        if vector is None:
            return None
        bounds = self._gallery.bounds
        return sure(self._gallery.vectors @ vector, bounds.threshold, bounds.margin)


def recognition_of(gallery: Gallery | None, *, is_still: bool) -> Recognition | None:
    """Opens what recognizes people in a passage of a video, or a still; None where nobody is enrolled."""
    if gallery is None:
        return None
    return StillRecognizer(gallery) if is_still else Recognizer(gallery)


def meets(box: Box, others: Iterable[Box]) -> bool:
    """Tells whether a face is so near to another one that one could be taken for the other."""
    reach = max(box.width, box.height)
    x, y = box.centre
    for other in others:
        far = reach + max(other.width, other.height)
        if max(abs(other.centre[0] - x), abs(other.centre[1] - y)) < far and could_be_one(box, other):
            return True
    return False
