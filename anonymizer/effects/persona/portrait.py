"""One persona drawn: a look, a pose and an expression in, a picture with its outline out."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.persona.features import darker, draw_features
from anonymizer.effects.persona.glasses import draw_glasses
from anonymizer.effects.persona.hair import COVERS_EARS, hairdo_of, hanging, with_hair
from anonymizer.effects.persona.head import Head, ears, face_surface, head_of, neck
from anonymizer.effects.persona.identity import Look
from anonymizer.effects.persona.meshes import Colour, Surface
from anonymizer.effects.persona.raster import Drawing, Rgba, View, render
from anonymizer.effects.persona.sheet import LEFT, TOP, Sheet
from anonymizer.effects.persona.skin import draw_skin
from anonymizer.landmarks.expression import AT_REST, Expression, Pose, turning_of

# How finely a face is drawn, in pixels of the mean face's unit: the next finer one is taken.
_FINE: Final = (48, 96, 180, 300)
# Nothing is drawn on more pixels across than this: larger pictures are enlarged.
LARGEST: Final = 448
# Smaller ones are drawn on so many times their pixels, so that no edge has steps.
_FINER: Final = 2.0
# A neck follows its head only in part (yaw, pitch, roll), about a point behind the chin.
_NECK_FOLLOWS: Final = (0.30, 0.12, 0.45)
_NECK: Final = np.array([0, 0.42, 0.55], np.float32)
# An ear whose side points to the camera by this much counts as nearer than the hair around it.
_EAR_SEEN: Final = 0.12
_EAR_NEARER: Final = 0.16
# Pictures that are drawn on hardly more pixels than they have get their edges smoothed: where neighbours
# differ by so much.
_SMOOTHED_BELOW: Final = 1.7
_STEP: Final = 34
# Someone without a face is one picture at rest: of so many pixels across, the next larger one is taken. The
# head's unit is this share of it.
_STILL: Final = (48, 160, LARGEST)
_STILL_UNIT: Final = 0.42


class Portrait:
    """Draws one persona. What stays the same is made once."""

    def __init__(self, look: Look) -> None:
        """Takes the looks."""
        self._look = look
        self._sheets: dict[int, Sheet] = {}
        self._stills: dict[int, Rgba] = {}

    def draw(self, pose: Pose, expression: Expression, face: float, width: int, height: int) -> Rgba:
        """Draws the persona where the pose says.

        Args:
            pose: in pixels of the picture that is wanted.
            expression: what it does.
            face: 1 with a face, 0 without any features.
            width, height: of the picture.

        Returns:
            (height, width, 4) uint8: RGB, multiplied with the fourth: how much of each pixel is persona.
        """
        side = max(width, height)
        finer = min(_FINER, LARGEST / side)
        size = max(8, round(side * finer))
        finer = size / side
        turning = turning_of(pose.yaw, pose.pitch, pose.roll)
        view = View(turning, pose.x * finer, pose.y * finer, pose.size * finer, size)
        sheet = self._sheet(view.unit, expression, face)
        head = face_surface(self._head, expression.mouth_open)
        surfaces = [head, *self._ears_for(turning), *self._hanging, *self._neck_for(pose, turning)]
        picture = render(surfaces, view, Drawing(sheet.pixels, LEFT, TOP, sheet.per_unit))
        if face > 0:
            draw_glasses(picture, self._look, view)
        picture[:, :, :3] *= (picture[:, :, 3:] > 0).astype(np.uint8)
        if finer < _SMOOTHED_BELOW:
            picture = _smoothed(picture)
        way = cv2.INTER_AREA if finer > 1 else cv2.INTER_CUBIC
        whole = cv2.resize(picture, (side, side), interpolation=way)
        return np.asarray(whole[:height, :width], np.uint8)

    def draw_still(self, pose: Pose, width: int, height: int) -> Rgba:
        """Draws what draw does for a face without features that looks ahead; it costs next to nothing."""
        pixels = next((size for size in _STILL if size * _STILL_UNIT >= pose.size), _STILL[-1])
        middle = pixels / 2
        if pixels not in self._stills:
            there = Pose(middle, middle * 1.08, pixels * _STILL_UNIT)
            # Of many who are far away, a picture each is kept, and nothing that it took to draw it.
            self._stills[pixels] = (
                _disc(self._look, there, pixels)
                if pixels == _STILL[0]
                else Portrait(self._look).draw(there, AT_REST, 0.0, pixels, pixels)
            )
        picture = self._stills[pixels]
        share = pose.size / (pixels * _STILL_UNIT)
        if share < 1:
            # The mean of many pixels, rather than some of them.
            small = max(2, round(pixels * share))
            picture = np.asarray(cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA), np.uint8)
        finer = share * pixels / picture.shape[0]
        way = np.array(
            [[finer, 0, pose.x - middle * share], [0, finer, pose.y - middle * 1.08 * share]], np.float32
        )
        return np.asarray(cv2.warpAffine(picture, way, (width, height), flags=cv2.INTER_LINEAR), np.uint8)

    @cached_property
    def _head(self) -> Head:
        return with_hair(head_of(self._look), self._look)

    @cached_property
    def _ears(self) -> tuple[Surface, ...]:
        return () if self._look.hair in COVERS_EARS else tuple(ears(self._look))

    @cached_property
    def _hanging(self) -> tuple[Surface, ...]:
        return tuple(hanging(self._look))

    def _ears_for(self, turning: npt.NDArray[np.float64]) -> list[Surface]:
        """An ear that is turned to the camera lies on the hair, another one behind the head."""
        to_left = float(turning[2, 0])
        return [
            replace(ear, nearer=_EAR_NEARER if side * to_left < _EAR_SEEN else 0.0)
            for side, ear in zip((-1, 1), self._ears, strict=False)
        ]

    @cached_property
    def _neck(self) -> tuple[Surface, ...]:
        return tuple(neck(self._look))

    def _neck_for(self, pose: Pose, turning: npt.NDArray[np.float64]) -> list[Surface]:
        """Turns the neck back from how its head is turned."""
        wanted = turning_of(
            *(a * share for a, share in zip((pose.yaw, pose.pitch, pose.roll), _NECK_FOLLOWS, strict=True))
        )
        back = (turning.T @ wanted).astype(np.float32)
        return [replace(surface, points=(surface.points - _NECK) @ back.T + _NECK) for surface in self._neck]

    def _sheet(self, unit: float, expression: Expression, face: float) -> Sheet:
        fine = next((level for level in _FINE if level >= unit), _FINE[-1])
        if fine not in self._sheets:
            self._sheets[fine] = draw_skin(self._look, fine)
        sheet = self._sheets[fine].copy()
        if face > 0:
            draw_features(sheet, self._look, expression)
        if 0 < face < 1:
            below = self._sheets[fine].pixels
            mixed = cv2.addWeighted(sheet.pixels, face, below, 1 - face, 0)
            sheet = Sheet(sheet.per_unit, np.asarray(mixed, np.uint8))
        return sheet


def _disc(look: Look, pose: Pose, pixels: int) -> Rgba:
    """Draws what is left of a head from far away: hair, skin and the shadow of the chin."""
    hairdo = hairdo_of(look)
    picture = np.zeros((pixels, pixels, 4), np.uint8)

    def oval(middle: float, wide: float, tall: float, colour: Colour) -> None:
        middle_and_axes = [(pose.x, pose.y + middle * pose.size), (wide * pose.size, tall * pose.size)]
        centre, axes = ([round(v * 16) for v in pair] for pair in middle_and_axes)
        red, green, blue = colour
        cv2.ellipse(picture, centre, axes, 0, 0, 360, (red, green, blue, 255), -1, cv2.LINE_AA, 4)

    oval(0.72, 0.30, 0.34, darker(look.skin, 0.62, 0.06))
    if hairdo is not None:
        oval(-0.20, 0.64, 0.70, hairdo.colour)
    oval(0.02, 0.55, 0.62, darker(look.skin, 0.86, 0.02))
    if hairdo is not None:
        oval(-0.56, 0.50, 0.30, hairdo.colour)
    return picture


def _smoothed(picture: Rgba) -> Rgba:
    """Softens the steps of edges, and nothing else."""
    grey = cv2.cvtColor(picture[:, :, :3], cv2.COLOR_RGB2GRAY)
    kernel = np.ones((3, 3), np.uint8)
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, kernel) > _STEP
    edges |= cv2.morphologyEx(picture[:, :, 3], cv2.MORPH_GRADIENT, kernel) > _STEP
    made = picture.copy()
    made[edges] = cv2.GaussianBlur(picture, (5, 5), 0.9)[edges]
    return made
