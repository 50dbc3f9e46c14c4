"""The effect: another face in place of the one that is covered, moving as it does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from anonymizer.effects.acting import Act, Actors, Reader, open_reader
from anonymizer.effects.colours import Rgb, rectangle_of
from anonymizer.effects.identities import Identities
from anonymizer.effects.operator import Cover, Operator, Paint, Scene
from anonymizer.effects.painting import painting
from anonymizer.effects.surroundings import look_around
from anonymizer.effects.swap.blending import Gain, blended, gain_for, lit
from anonymizer.effects.swap.faces import Face, painted_face
from anonymizer.effects.swap.head import Hair, with_head
from anonymizer.effects.swap.sources import face_of
from anonymizer.face_manifests import SOURCE_FACE
from anonymizer.models import Models
from anonymizer.settings import Kind, Settings

# Colour and light follow what is around a face with this time constant.
LIGHT_SECONDS: Final = 0.8
# So many faces are kept ready; painting one costs as much as covering ten frames.
MOST_FACES: Final = 32
FORGET_SECONDS: Final = 2.0
# Where no hair is seen beyond a cover, some may be there all the same: a thin rim.
UNSEEN_HAIR: Final = 0.5

# Gives the face that whoever is followed under a number wears.
FaceOf = Callable[[int], Face]


@dataclass
class _Worn:
    """One track: its face, the light on it, and the hair around it."""

    face: Face
    gain: Gain | None = None
    # Its colour, whether it joins hair beyond the cover, and its length.
    hair: Gain | None = None
    seen_at: float = 0.0


class Swap:
    """An Operator."""

    def __init__(self, reader: Reader, face_of: FaceOf) -> None:
        """Takes what reads the covered faces, and what gives theirs to those who wear them."""
        self._actors = Actors(reader)
        self._face_of = face_of
        self._worn: dict[int, _Worn] = {}
        self._shot = 0

    def plan(self, scene: Scene, covers: Sequence[Cover]) -> Paint:
        """See Operator.plan. A face that cannot be read gets neutral grey."""
        if scene.shot != self._shot:
            for worn in self._worn.values():
                worn.gain = worn.hair = None
            self._shot = scene.shot
        acts = self._actors.acts(scene, covers)
        # The nearest face comes last, over those behind it; whoever is new and nearest is met first.
        ordered = sorted(covers, key=lambda cover: cover.box.height)
        for cover in ordered[::-1]:
            if cover.track in acts and cover.track not in self._worn:
                self._worn[cover.track] = _Worn(self._face_of(cover.track))
        made = [
            (cover, self._made(scene, cover, acts[cover.track], covers) if cover.track in acts else None)
            for cover in ordered
        ]
        self._forget(scene.time)
        return painting(scene, made)

    def _made(self, scene: Scene, cover: Cover, act: Act, covers: Sequence[Cover]) -> Rgb:
        around = look_around(scene, cover.region, covers)
        worn = self._worn[cover.track]
        face = worn.face
        wanted = gain_for(face.skin, around.skin, around.light)
        share = 1 - math.exp(-max(0.0, scene.time - worn.seen_at) / LIGHT_SECONDS)
        worn.gain = gain = _towards(worn.gain, wanted, share)
        colour = around.hair or lit(face.hair, wanted)
        joining = 1.0 if around.hair is not None else UNSEEN_HAIR
        hair = np.array([*colour, joining, joining * around.long_hair], np.float32)
        worn.hair = _towards(worn.hair, hair, share)
        worn.seen_at = scene.time
        left, top, _, _ = rectangle_of(cover.region)
        pose = replace(act.pose, x=act.pose.x - left, y=act.pose.y - top)
        red, green, blue, joining, length = (float(value) for value in worn.hair)
        made_hair = Hair((red, green, blue), joining, length, face.strands)
        backdrop = with_head(around.fill, pose, made_hair, lit(face.skin, gain))
        mesh = face.doing(act.expression, pose)
        made = blended(backdrop, cover.region.coarse, face.looking(act.expression), mesh, gain)
        if around.is_grey:
            made[:] = cv2.cvtColor(made, cv2.COLOR_RGB2GRAY)[:, :, None]
        return made

    def _forget(self, time: float) -> None:
        gone = [track for track, worn in self._worn.items() if time - worn.seen_at > FORGET_SECONDS]
        for track in gone if len(self._worn) > MOST_FACES else []:
            del self._worn[track]


def _towards(now: Gain | None, wanted: Gain, share: float) -> Gain:
    return wanted if now is None else np.asarray(now + np.float32(share) * (wanted - now), np.float32)


def open_swap(models: Models, settings: Settings, kind: Kind) -> Operator:
    """Opens the effect: with the photograph that was added, or else with painted faces.

    Raises:
        AnonymizerError: model_missing, where faces cannot be read; model_unusable.
    """
    reader = open_reader(models, "swap")
    if models.source_face is not None and models.landmarks is not None:
        face = face_of(models.files[SOURCE_FACE], models.landmarks)
        return Swap(reader, lambda track: face)
    identities = Identities(settings, "swap")
    return Swap(reader, lambda track: painted_face(identities.seed_of(track)))
