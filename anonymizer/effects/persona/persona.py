"""The operator: every face has a persona, which does what the face does.

What of the original comes through: where the face is, how large and how it is turned, and the nine numbers of
its expression. The region is filled from its surroundings before anything is drawn in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import cv2
import numpy as np

from anonymizer.boxes import Box
from anonymizer.effects.acting import Act, Actors, Reader
from anonymizer.effects.colours import Rgb, paint_rgb, rectangle_of
from anonymizer.effects.identities import Identities
from anonymizer.effects.operator import Cover, Operator, Paint, Scene
from anonymizer.effects.persona.identity import look_of
from anonymizer.effects.persona.meshes import Floats
from anonymizer.effects.persona.portrait import Portrait
from anonymizer.effects.persona.raster import Rgba
from anonymizer.effects.region import Region
from anonymizer.effects.surroundings import Surroundings, look_around
from anonymizer.errors import AnonymizerError
from anonymizer.landmarks.expression import AT_REST, NAMES, Expression, Pose
from anonymizer.landmarks.following import FaceReader
from anonymizer.landmarks.steadying import Steady
from anonymizer.models import Models
from anonymizer.settings import Kind, Settings

FORGET_SECONDS: Final = 3.0
# A face comes and goes so fast that nothing blinks.
_FADE_SECONDS: Final = 0.2
# Where a head lies in its box, and how large it is, when nothing was read: shares of the box's height
# (medians of four clips).
_DOWN_IN_BOX: Final = 0.05
_UNIT_IN_BOX: Final = 0.75
# Drawn heads are a little larger than the ones they stand for, so that hair does not show beside them; the
# more so the more of a head the policy covers.
_LARGER, _LARGER_BY_SCALE, _LARGEST = 1.10, 0.4, 1.30
_USUAL_SCALE: Final = 1.3
# The edge of a region fades into its surroundings over this share of it, and the neck between these places
# (in units of the head, down from between the eyes and the mouth).
_FEATHER: Final = 0.04
_NECK_FADES: Final = (0.72, 0.90)
# Below so many pixels of the head's unit nobody could tell a feature.
_FAR_UNIT: Final = 16.0
# What steadies the pose (in widths of the face and radians) and the expression.
_POSE_HERTZ, _POSE_PER_SPEED = 0.9, 9.0
_FACE_HERTZ, _FACE_PER_SPEED = 3.0, 2.5
# A persona stands in the light of its surroundings, within these bounds.
_LEAST_LIGHT, _MOST_LIGHT = 0.62, 1.06
_LIGHT_HERTZ: Final = 0.5


@dataclass
class _Player:
    """One persona on one track."""

    portrait: Portrait
    pose: Steady = field(default_factory=lambda: Steady(_POSE_HERTZ, _POSE_PER_SPEED))
    face: Steady = field(default_factory=lambda: Steady(_FACE_HERTZ, _FACE_PER_SPEED))
    light: Steady = field(default_factory=lambda: Steady(_LIGHT_HERTZ, 0.0))
    shown: float = 0.0
    was_read: bool = False
    seen_at: float = 0.0


@dataclass(frozen=True)
class _Part:
    """What one persona does in one frame."""

    cover: Cover
    player: _Player
    pose: Pose
    expression: Expression
    shown: float
    light: float
    around: Surroundings


class Persona:
    """An Operator."""

    def __init__(self, reader: Reader, settings: Settings) -> None:
        """Takes what reads faces and the settings, which say whose personas these are."""
        self._actors = Actors(reader)
        self._identities = Identities(settings, "persona")
        self._players: dict[int, _Player] = {}
        self._shot = 0

    def plan(self, scene: Scene, covers: Sequence[Cover]) -> Paint:
        """See Operator.plan."""
        if scene.shot != self._shot:
            self._players.clear()
            self._shot = scene.shot
        acts = self._actors.acts(scene, covers)
        # Those who are nearer are painted later.
        far_first = sorted(covers, key=lambda cover: (cover.box.height, cover.track))
        # Who is nearest has the first persona; the first of the job is the pseudonym's own.
        for cover in reversed(far_first):
            self._meet(cover, scene.time)
        parts = [self._part(scene, cover, acts, covers) for cover in far_first]
        self._players = {
            track: player
            for track, player in self._players.items()
            if scene.time - player.seen_at < FORGET_SECONDS
        }

        def paint() -> None:
            for part in parts:
                _paint(scene, part)

        return paint

    def _meet(self, cover: Cover, time: float) -> None:
        if cover.track not in self._players:
            look = look_of(self._identities.seed_of(cover.track))
            self._players[cover.track] = _Player(Portrait(look), seen_at=time)

    def _part(self, scene: Scene, cover: Cover, acts: Mapping[int, Act], covers: Sequence[Cover]) -> _Part:
        player = self._players[cover.track]
        seconds = scene.time - player.seen_at
        player.seen_at = scene.time
        act = acts.get(cover.track)
        pose = act.pose if act is not None else _pose_in(cover.box)
        expression = act.expression if act is not None else AT_REST
        around = look_around(scene, cover.region, covers)
        wanted = 0.0 if act is None or pose.size < _FAR_UNIT else 1.0
        if seconds <= 0:
            player.shown = wanted
        else:
            step = seconds / _FADE_SECONDS
            player.shown += min(step, max(-step, wanted - player.shown))
        return _Part(
            cover,
            player,
            _steady_pose(player, pose, seconds),
            _steady_face(player, expression, seconds),
            player.shown,
            float(player.light.after(np.array([_light(around)], np.float32), seconds)[0]),
            around,
        )


def open_persona(models: Models, settings: Settings, kind: Kind) -> Operator:
    """Opens the effect for a job.

    Raises:
        AnonymizerError: model_missing, where nothing is there to read faces with.
    """
    if models.landmarks is None:
        raise AnonymizerError("model_missing", "Faces are read by networks of mediapipe 0.10.21 on OpenVINO.")
    return Persona(FaceReader(models.landmarks), settings)


def _pose_in(box: Box) -> Pose:
    """Returns the pose of a head that looks ahead out of its box."""
    x, y = box.centre
    return Pose(x, y + _DOWN_IN_BOX * box.height, _UNIT_IN_BOX * box.height)


def _steady_pose(player: _Player, pose: Pose, seconds: float) -> Pose:
    unit = max(1.0, pose.size)
    numbers = np.array([pose.x, pose.y, pose.size, pose.yaw * unit, pose.pitch * unit, pose.roll * unit])
    # Angles are brought to pixels of the head's rim, so that one measure of speed serves all.
    x, y, size, yaw, pitch, roll = player.pose.after(numbers.astype(np.float32), seconds, unit).tolist()
    return Pose(x, y, size, yaw / unit, pitch / unit, roll / unit)


def _steady_face(player: _Player, expression: Expression, seconds: float) -> Expression:
    numbers = np.array([getattr(expression, name) for name in NAMES], np.float32)
    return Expression(*player.face.after(numbers, seconds).tolist())


def _light(around: Surroundings) -> float:
    """Returns how bright a persona is in this light: a dark hall does not turn a face black."""
    return min(_MOST_LIGHT, max(_LEAST_LIGHT, 0.55 + 0.95 * around.light / 255))


def _paint(scene: Scene, part: _Part) -> None:
    left, top, right, bottom = rectangle_of(part.cover.region)
    width, height = right - left, bottom - top
    at = part.pose
    more = max(0.0, part.cover.settings.scale - _USUAL_SCALE) * _LARGER_BY_SCALE
    pose = replace(at, x=at.x - left, y=at.y - top, size=at.size * min(_LARGEST, _LARGER + more))
    portrait = part.player.portrait
    if part.shown > 0:
        drawn = portrait.draw(pose, part.expression, part.shown, width, height)
    else:
        drawn = portrait.draw_still(pose, width, height)
    share = _edge(scene, part.cover.region, width, height) * _above_neck(pose, width, height)
    made = _upon(drawn, part.around.fill, part.light, share)
    paint_rgb(scene.planes, left, top, made, part.cover.region.coarse)


def _upon(drawn: Rgba, fill: Rgb, light: float, share: Floats) -> Rgb:
    """Lays a persona on what lies behind it, as far as its share goes."""
    share = share[:, :, None]
    behind = 1 - drawn[:, :, 3:] * (share / 255)
    made = drawn[:, :, :3] * (share * np.float32(light)) + fill * behind
    return np.asarray(np.clip(made, 0, 255), np.uint8)


def _edge(scene: Scene, region: Region, width: int, height: int) -> Floats:
    """Returns (height, width): 0 at the edge of a region to 1 within; the picture's own edge is none."""
    rows, columns = region.coarse.shape
    framed = np.pad(region.coarse.astype(np.uint8), 1)
    # Where the region runs on beyond the picture, its first or last row or column goes on.
    if region.top == 0:
        framed[0] = framed[1]
    if (region.top + rows) * 2 >= scene.height:
        framed[-1] = framed[-2]
    if region.left == 0:
        framed[:, 0] = framed[:, 1]
    if (region.left + columns) * 2 >= scene.width:
        framed[:, -1] = framed[:, -2]
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    wide = max(1.0, _FEATHER * max(rows, columns))
    share = np.clip((distance - 0.5) / wide, 0, 1)
    return np.asarray(cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _above_neck(pose: Pose, width: int, height: int) -> Floats:
    """Returns (height, width): 1 down to the neck, 0 where it has faded."""
    x = (np.arange(width, dtype=np.float32)[None] - np.float32(pose.x)) * np.float32(-math.sin(pose.roll))
    y = (np.arange(height, dtype=np.float32)[:, None] - np.float32(pose.y)) * np.float32(math.cos(pose.roll))
    begins, ends = _NECK_FADES
    return np.clip((ends - (x + y) / np.float32(pose.size)) / np.float32(ends - begins), 0, 1)
