"""Faces read from frame to frame: each is looked for where it was, and steadied.

A detector's box only starts it. From then on the last mesh says where the face is and how it is turned, which
is finer than any box; but a mesh that has left its cover is dropped, so that two that pass each other do not
end up on one face.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Scene
from anonymizer.landmarks.cropping import Square
from anonymizer.landmarks.networks import FaceNetworks
from anonymizer.landmarks.reading import FaceReading, read_face, square_around
from anonymizer.landmarks.steadying import Steady

# A face that was never read must be surer than one that is followed.
LEAST_PRESENCE: Final = 0.6
LEAST_PRESENCE_FOLLOWED: Final = 0.3
# Under this many pixels of its box the points say nothing.
LEAST_PIXELS: Final = 20
# So many are read in a frame, the largest first.
MOST_FACES: Final = 16
# A detector's box says neither how a head is tilted nor how much of it is the face: radians and squares, as
# multiples of the box, that are tried one after the other. It is smaller than the mesh, whose network wants
# room around the face.
STARTS: Final = (
    *((0.0, 1.7), (0.6, 1.7), (-0.6, 1.7), (0.0, 1.25), (0.0, 2.3)),
    *((1.5, 1.7), (-1.5, 1.7)),
)
# Looks until a face that is new stands upright in its square, to within so many radians.
MOST_LOOKS: Final = 4
SETTLED: Final = 0.03
# A mesh stays with its cover while its middle lies in the box grown by this and its size is within these
# multiples of the box's.
GROWN: Final = 1.4
SIZES: Final = (0.4, 2.5)
FORGET_SECONDS: Final = 2.0
# In sizes of the face. At rest a point trembles by some thousandths of it.
REST_HERTZ: Final = 1.0
HERTZ_PER_SPEED: Final = 22.0


@dataclass
class _Followed:
    """One track: where its face was, and what steadies it."""

    square: Square | None = None
    tries: int = 0
    seen_at: float = 0.0
    read_at: float = 0.0
    steady: Steady = field(default_factory=lambda: Steady(REST_HERTZ, HERTZ_PER_SPEED))


class FaceReader:
    """Reads the faces under covers. Takes frames in order, one by one."""

    def __init__(self, networks: FaceNetworks) -> None:
        """Takes the networks (Models.landmarks)."""
        self._networks = networks
        self._followed: dict[int, _Followed] = {}
        self._shot = 0

    def read(self, scene: Scene, covers: Sequence[Cover]) -> Mapping[int, FaceReading]:
        """Returns what was read, by track. Those that cannot be read are not in it.

        Raises:
            AnonymizerError: detector_failed.
        """
        if scene.shot != self._shot:
            self._followed.clear()
            self._shot = scene.shot
        largest = sorted(covers, key=lambda cover: -cover.box.height)[:MOST_FACES]
        readings = {}
        for cover in largest:
            if max(cover.box.width, cover.box.height) < LEAST_PIXELS:
                continue
            followed = self._followed.setdefault(cover.track, _Followed())
            followed.seen_at = scene.time
            reading = self._read_one(scene, cover.box, followed)
            if reading is not None:
                readings[cover.track] = _steadied(reading, followed, scene.time)
        # What was not seen for a while is forgotten, so that memory does not grow with the video.
        self._followed = {
            track: followed
            for track, followed in self._followed.items()
            if scene.time - followed.seen_at < FORGET_SECONDS
        }
        return readings

    def _read_one(self, scene: Scene, box: Box, followed: _Followed) -> FaceReading | None:
        reading = None
        if followed.square is not None:
            reading = self._look(scene, followed.square, LEAST_PRESENCE_FOLLOWED)
            if reading is None or not _belongs(reading, box):
                followed.square, reading = None, None
                followed.steady = Steady(REST_HERTZ, HERTZ_PER_SPEED)
        if reading is None:
            reading = self._start(scene, box, followed)
        followed.square = None if reading is None else square_around(reading)
        return reading

    def _start(self, scene: Scene, box: Box, followed: _Followed) -> FaceReading | None:
        # All at first, then one a frame: many faces that cannot be read must not cost many times as much as
        # those that can.
        starts = STARTS if followed.tries == 0 else (STARTS[followed.tries % len(STARTS)],)
        followed.tries += 1
        for turn, room in starts:
            side = max(box.width, box.height) * room
            reading = self._look(scene, Square(*box.centre, side, turn), LEAST_PRESENCE)
            # Further looks are upright and well framed, which the first could only guess at.
            for _ in range(MOST_LOOKS):
                turn_before = 10.0 if reading is None else reading.turn
                if reading is not None:
                    reading = self._look(scene, square_around(reading), LEAST_PRESENCE)
                if reading is None or abs(reading.turn - turn_before) < SETTLED:
                    break
            if reading is not None and _belongs(reading, box):
                return reading
        return None

    def _look(self, scene: Scene, square: Square, least: float) -> FaceReading | None:
        return read_face(self._networks, scene.planes, scene.width, scene.height, square, least)


def _belongs(reading: FaceReading, box: Box) -> bool:
    low, high = reading.mesh[:, :2].min(axis=0), reading.mesh[:, :2].max(axis=0)
    x, y = (float(v) for v in (low + high) / 2)
    around = box.scaled(GROWN)
    share = reading.size / max(box.width, box.height)
    return around.x1 <= x <= around.x2 and around.y1 <= y <= around.y2 and SIZES[0] <= share <= SIZES[1]


def _steadied(reading: FaceReading, followed: _Followed, time: float) -> FaceReading:
    """Holds the points still, in units of the face, so that large and small ones are treated alike."""
    size = max(1.0, reading.size)
    every = np.concatenate(
        [reading.mesh.reshape(-1), reading.irises.reshape(-1), reading.outlines.reshape(-1)]
    )
    seconds, followed.read_at = time - followed.read_at, time
    if seconds > FORGET_SECONDS / 4:
        seconds = 0.0
    steady = followed.steady.after(every, seconds, unit=size)
    mesh, irises, outlines = np.split(steady, np.cumsum([reading.mesh.size, reading.irises.size]))
    return replace(
        reading,
        mesh=mesh.reshape(reading.mesh.shape),
        irises=irises.reshape(reading.irises.shape),
        outlines=outlines.reshape(reading.outlines.shape),
    )
