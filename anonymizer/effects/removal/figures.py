"""How each person stands and what outline they have, smoothed over time.

Gait and build tell who somebody is. So joints and outlines are kept in measures of the body itself, from the
middle of the hips, and follow what is seen with a time constant that the policy sets; where the body is in
the picture follows quickly, so that nobody lags behind.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.removal.cutouts import cutout_around
from anonymizer.people.bodies import BodyReader, Figure
from anonymizer.people.pose_decoding import BODY_SIDE, Body, FloatArray
from anonymizer.settings import CoverSettings, PeopleSettings

# Somebody is read so often; in between what was read goes on.
READ_SECONDS: Final = 0.08
# Who was not read for so long is not drawn any more, and soon forgotten.
STALE_SECONDS: Final = 0.7
FORGOTTEN_SECONDS: Final = 5.0
# So many are read in one frame. The others are removed as well, and read in the next frames.
MOST_READ: Final = 12
# Two boxes that share so much (intersection over union) are of one person, followed by two searches.
SAME_BOX: Final = 0.5
# A body reaches from its hips over this share of its box at least (measured: .54 and more); a hand that is
# taken for somebody does not.
LEAST_RADIUS: Final = 0.3
# Where somebody is follows with this time constant at most.
PLACE_SECONDS: Final = 0.12
# Side of the square in which an outline is kept, and half of it in radii of the body.
OUTLINE_SIDE: Final = 128
OUTLINE_REACH: Final = 1.2
_ROUNDING: Final = 1e-6


@dataclass(frozen=True)
class Shown:
    """What may be drawn of somebody, in the picture's pixels.

    Attributes:
        x, y: the middle of the hips.
        radius: half the side of the square around the body.
        joints: (33, 2), x and y.
        sure: (33,), 0 to 1.
        outline: (OUTLINE_SIDE, OUTLINE_SIDE) float32, 0 to 1: how likely each part of the upright square
            around the hips is the person; its half side is OUTLINE_REACH radii.
        presence: how likely somebody is there, 0 to 1.
        is_new: it was read in this very frame.
    """

    x: float
    y: float
    radius: float
    joints: FloatArray
    sure: FloatArray
    outline: FloatArray
    presence: float
    is_new: bool


class Figures:
    """Reads people, frame by frame, in order."""

    def __init__(self, reader: BodyReader) -> None:
        """Knows nobody."""
        self._reader = reader
        self._known: dict[int, _Person] = {}

    def read(self, scene: Scene, covers: Sequence[Cover]) -> dict[int, Shown]:
        """Returns what may be drawn, by track; of tracks that follow one person all have the same.

        Args:
            scene: the frame, uncovered.
            covers: people.

        Raises:
            AnonymizerError: detector_failed.
        """
        for track in [t for t, p in self._known.items() if scene.time - p.asked_at > FORGOTTEN_SECONDS]:
            del self._known[track]
        seen: list[tuple[Cover, Shown]] = []
        shown: dict[int, Shown] = {}
        reads = 0
        for cover in sorted(covers, key=lambda cover: cover.track):
            same = next((one for other, one in seen if overlap(cover.box, other.box) > SAME_BOX), None)
            if same is not None:
                shown[cover.track] = same
                continue
            person = self._known.setdefault(cover.track, _Person())
            if reads < MOST_READ and scene.time - person.asked_at >= READ_SECONDS - _ROUNDING:
                reads += 1
                person.asked_at = scene.time
                figure = self._look_at(scene, cover, person)
                if figure is not None:
                    person.take(figure, scene.time)
            drawn = person.at(scene.time, smoothing_of(cover.settings))
            if drawn is not None:
                seen.append((cover, drawn))
                shown[cover.track] = drawn
        return shown

    def _look_at(self, scene: Scene, cover: Cover, person: _Person) -> Figure | None:
        part = cutout_around(scene.planes, cover.box, scene.width, scene.height)
        if part is None:
            return None
        body = person.body_at(scene.time)
        figure = None
        if (
            body is not None
            and cover.box.x1 <= body.x <= cover.box.x2
            and cover.box.y1 <= body.y <= cover.box.y2
        ):
            figure = self._reader.read(part, body)
        if figure is None:
            body = self._reader.find(part, cover.box)
            figure = None if body is None else self._reader.read(part, body)
        if figure is None or figure.next_body.radius < LEAST_RADIUS * max(cover.box.width, cover.box.height):
            return None
        return figure


class _Person:
    """What is remembered of one track."""

    def __init__(self) -> None:
        self.asked_at = -math.inf
        self._read_at = -math.inf
        self._shown_at = -math.inf
        self._figure: Figure | None = None
        self._outline: FloatArray = np.zeros((0, 0), np.float32)
        self._shown: Shown | None = None

    def body_at(self, time: float) -> Body | None:
        if self._figure is None or time - self._read_at > STALE_SECONDS:
            return None
        return self._figure.next_body

    def take(self, figure: Figure, time: float) -> None:
        self._figure, self._read_at = figure, time
        self._outline = _outline_of(figure)

    def at(self, time: float, smoothing: float) -> Shown | None:
        """Goes on to a time; None where nothing was read for too long."""
        figure = self._figure
        if figure is None or time - self._read_at > STALE_SECONDS:
            self._shown = None
            return None
        body = figure.next_body
        joints = (figure.joints - (body.x, body.y)) / body.radius
        before, elapsed = self._shown, time - self._shown_at
        self._shown_at = time
        is_new = self._read_at == time
        if before is None:
            x, y, radius, sure, outline = body.x, body.y, body.radius, figure.sure, self._outline
        else:
            follow, quickly = (
                _share(elapsed, seconds) for seconds in (smoothing, min(smoothing, PLACE_SECONDS))
            )
            x, y, radius = (
                was + quickly * (now - was)
                for was, now in ((before.x, body.x), (before.y, body.y), (before.radius, body.radius))
            )
            kept = (before.joints - (before.x, before.y)) / before.radius
            joints = kept + follow * (joints - kept)
            sure = before.sure + quickly * (figure.sure - before.sure)
            outline = before.outline + follow * (self._outline - before.outline)
        placed = np.asarray(joints * radius + (x, y), np.float32)
        self._shown = Shown(x, y, radius, placed, sure, outline, figure.presence, is_new)
        return self._shown


def smoothing_of(settings: CoverSettings) -> float:
    """Returns the time constant that a policy sets, seconds."""
    return settings.smooth_seconds if isinstance(settings, PeopleSettings) else 0.0


def _share(elapsed: float, seconds: float) -> float:
    return 1.0 if seconds <= 0 else 1 - math.exp(-max(elapsed, 0) / seconds)


def _outline_of(figure: Figure) -> FloatArray:
    """Returns the mask of a figure in the upright square around its hips."""
    body, hips = figure.body, figure.next_body
    each = 2 * OUTLINE_REACH * hips.radius / OUTLINE_SIDE
    corner = np.array([hips.x, hips.y]) - OUTLINE_REACH * hips.radius
    to_square = body.to_square(BODY_SIDE)
    matrix = np.hstack([to_square[:, :2] * each, (to_square[:, :2] @ corner + to_square[:, 2])[:, None]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    turned = cv2.warpAffine(figure.likely, matrix, (OUTLINE_SIDE, OUTLINE_SIDE), flags=flags)
    return np.asarray(turned, np.float32)


def overlap(box: Box, other: Box) -> float:
    """Returns intersection over union."""
    shared = shared_area(box, other)
    return shared / max(box.width * box.height + other.width * other.height - shared, 1e-6)


def shared_area(box: Box, other: Box) -> float:
    """Returns how many pixels lie in both boxes."""
    across = min(box.x2, other.x2) - max(box.x1, other.x1)
    down = min(box.y2, other.y2) - max(box.y1, other.y1)
    return max(across, 0.0) * max(down, 0.0)
