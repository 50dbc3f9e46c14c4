"""Faces that were made, painted over those they stand for."""

from __future__ import annotations

from collections.abc import Sequence

from anonymizer.effects import solid
from anonymizer.effects.colours import Rgb, paint_rgb, rectangle_of
from anonymizer.effects.operator import Cover, Paint, Scene
from anonymizer.effects.region import apply


def painting(scene: Scene, made: Sequence[tuple[Cover, Rgb | None]]) -> Paint:
    """Returns what paints in a frame.

    Args:
        scene: the frame.
        made: for each cover the picture that fills its rectangle, or None for neutral grey; the last one lies
            on top.
    """

    def paint() -> None:
        for cover, rgb in made:
            if rgb is None:
                apply(solid.cover, cover.region, scene.planes)
            else:
                left, top, _, _ = rectangle_of(cover.region)
                paint_rgb(scene.planes, left, top, rgb, cover.region.coarse)

    return paint
