"""The effects that attacks on faces are measured on: ours, and a few that we do not have, as references.

References are plain blurs and mosaics of known strength, the default of `deface`, and, among ours, a solid
cover of the detector's own box.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer import FaceSettings, Limits, Models, PeopleSettings, Settings, anonymize
from anonymizer.boxes import Box
from anonymizer.settings import Effect as FaceEffect

Pixels = npt.NDArray[np.uint8]
Cover = Callable[[Pixels, Box, bytes], Pixels]
"""A picture, where its face is, and a key of 32 bytes in; the covered picture out."""


@dataclass(frozen=True)
class Effect:
    """What is tried.

    Attributes:
        cover: makes the covered picture.
        is_keyed: whether another key makes another picture.
    """

    cover: Cover
    is_keyed: bool = False


SCALE: Final = 1.3
# Effects that draw from the key.
KEYED: Final = ("warp", "swap", "generator", "persona")


def ours(settings: Settings, models: Models, *, is_keyed: bool = False) -> Effect:
    """Returns one of our effects: the picture goes through all of a job but its wall."""

    def covered(picture: Pixels, _: Box, key: bytes) -> Pixels:
        _, encoded = cv2.imencode(".png", picture[:, :, ::-1])
        sink = io.BytesIO()
        keyed = replace(settings, personas=key)
        anonymize(io.BytesIO(bytes(encoded)), sink, settings=keyed, models=models, limits=Limits())
        return np.ascontiguousarray(cv2.imdecode(np.frombuffer(sink.getvalue(), np.uint8), 1)[:, :, ::-1])

    return Effect(covered, is_keyed)


def reference(change: Callable[[Pixels, float], Pixels], scale: float = SCALE) -> Effect:
    """Returns an effect under an ellipse around the face, which is told the face's width in pixels."""

    def covered(picture: Pixels, box: Box, _: bytes) -> Pixels:
        (x, y), grown = box.centre, box.scaled(scale)
        mask = np.zeros(picture.shape[:2], np.uint8)
        axes = (round(grown.width / 2), round(grown.height / 2))
        cv2.ellipse(mask, (round(x), round(y)), axes, 0, 0, 360, 255, -1)
        return np.where(mask[:, :, None] > 0, change(picture, box.width), picture)

    return Effect(covered)


def gaussian(share: float) -> Effect:
    """A Gaussian blur whose deviation is a share of the face's width."""
    return reference(
        lambda picture, wide: np.asarray(cv2.GaussianBlur(picture, (0, 0), share * wide), np.uint8)
    )


def mosaic(blocks: int) -> Effect:
    """A mosaic of so many blocks across the face."""

    def change(picture: Pixels, wide: float) -> Pixels:
        height, width = picture.shape[:2]
        size = max(1, round(width * blocks / wide)), max(1, round(height * blocks / wide))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)

    return reference(change)


def as_deface() -> Effect:
    """What `deface` 1.5.0 does by default: a box blur of half the cover's size; 1.6 times the face."""

    def change(picture: Pixels, wide: float) -> Pixels:
        size = max(1, round(0.8 * wide))
        return np.asarray(cv2.blur(picture, (size, size)), np.uint8)

    return reference(change, 1.6)


def effects(models: Models) -> Mapping[str, Effect]:
    """Returns every effect by its name."""

    def face(effect: FaceEffect, scale: float = SCALE) -> Effect:
        settings = Settings(faces=FaceSettings(effect=effect, scale=scale))
        return ours(settings, models, is_keyed=effect in KEYED)

    def person(effect: FaceEffect) -> Effect:
        return ours(Settings(people=PeopleSettings(effect=effect)), models)

    return {
        "none": Effect(lambda picture, _, __: picture),
        **{f"Gaussian {share:g} of the width": gaussian(share) for share in (0.025, 0.05, 0.1, 0.2, 0.4)},
        **{f"mosaic of {blocks} blocks": mosaic(blocks) for blocks in (32, 16, 8)},
        "deface's default": as_deface(),
        "warp": face("warp"),
        "blur": face("blur"),
        "mosaic": face("mosaic"),
        "swap": face("swap"),
        "generator": face("generator"),
        "persona": face("persona"),
        "solid 1.0": face("solid", 1.0),
        "solid 1.3": face("solid"),
        "solid 1.5": face("solid", 1.5),
        "people: solid": person("solid"),
        "people: silhouette": person("silhouette"),
        "people: remove": person("remove"),
    }
