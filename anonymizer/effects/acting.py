"""What the faces under covers do, from frame to frame, for an effect that puts made faces in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Scene
from anonymizer.errors import AnonymizerError
from anonymizer.landmarks.expression import AT_REST, Expression, Pose, read_off
from anonymizer.landmarks.following import FaceReader
from anonymizer.landmarks.neutral import Neutral
from anonymizer.landmarks.reading import FaceReading
from anonymizer.models import Models
from anonymizer.settings import Effect

# Whoever cannot be read goes on as they were for so long: a hand before the face, a frame in between.
HOLD_SECONDS: Final = 0.7
FORGET_SECONDS: Final = 2.0


class Reader(Protocol):
    """What reads faces: landmarks.following.FaceReader."""

    def read(self, scene: Scene, covers: Sequence[Cover]) -> Mapping[int, FaceReading]:
        """Returns what was read, by track."""
        ...


@dataclass(frozen=True)
class Act:
    """What one face does in one frame.

    Attributes:
        pose: where it is and how it is turned, in the picture's pixels.
        expression: what it does, without whose face it is.
    """

    pose: Pose
    expression: Expression


@dataclass
class _Actor:
    """One track."""

    neutral: Neutral = field(default_factory=Neutral)
    act: Act | None = None
    box: Box | None = None
    read_at: float = 0.0
    seen_at: float = 0.0


class Actors:
    """Reads what covered faces do. Takes frames in order, one by one."""

    def __init__(self, reader: Reader) -> None:
        """Takes what reads faces."""
        self._reader = reader
        self._known: dict[int, _Actor] = {}
        self._shot = 0

    def acts(self, scene: Scene, covers: Sequence[Cover]) -> Mapping[int, Act]:
        """Returns what each face does, by track. Those that nothing is known of are not in it.

        Raises:
            AnonymizerError: detector_failed.
        """
        if scene.shot != self._shot:
            self._known.clear()
            self._shot = scene.shot
        readings = self._reader.read(scene, covers)
        acts = {}
        for cover in covers:
            actor = self._known.setdefault(cover.track, _Actor())
            act = self._act(actor, readings.get(cover.track), cover.box, scene.time)
            actor.seen_at = scene.time
            if act is not None:
                acts[cover.track] = act
        self._known = {
            track: actor
            for track, actor in self._known.items()
            if scene.time - actor.seen_at < FORGET_SECONDS
        }
        return acts

    def _act(self, actor: _Actor, reading: FaceReading | None, box: Box, time: float) -> Act | None:
        if reading is not None:
            raw = read_off(reading)
            seconds = time - actor.read_at if actor.act is not None else 0.0
            actor.act = Act(raw.pose, actor.neutral.expression_of(raw, seconds))
            actor.box, actor.read_at = box, time
            return actor.act
        if actor.act is None or actor.box is None or time - actor.read_at > HOLD_SECONDS:
            actor.act = None
            return None
        # It goes on with its cover, and looks ahead.
        (x1, y1), (x2, y2) = actor.box.centre, box.centre
        pose = actor.act.pose
        return Act(replace(pose, x=pose.x + x2 - x1, y=pose.y + y2 - y1), AT_REST)


def open_reader(models: Models, effect: Effect) -> FaceReader:
    """Opens what reads faces.

    Raises:
        AnonymizerError: model_missing.
    """
    if models.landmarks is None:
        raise AnonymizerError("model_missing", f"The effect {effect} needs the face mesh and OpenVINO.")
    return FaceReader(models.landmarks)
