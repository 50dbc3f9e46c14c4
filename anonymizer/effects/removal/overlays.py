"""What is drawn on a painted room: outlines and skeletons, the farthest person first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Mask
from anonymizer.effects.removal.drawing import WHITE, Rgb, colour_of, lay, shade
from anonymizer.effects.removal.figures import OUTLINE_REACH, OUTLINE_SIDE, Shown, shared_area
from anonymizer.effects.removal.masks import Window
from anonymizer.effects.removal.silhouette import rounded_box, silhouette_of
from anonymizer.effects.removal.skeleton import skeleton_of
from anonymizer.settings import PeopleSettings

# Hips this close, in radii of the body, are one person's; drawn near them a moment ago, they keep their
# colour.
ONE_PERSON: Final = 0.3
NEAR: Final = 0.6
REMEMBERED_SECONDS: Final = 1.0
# What lies in another's box by this share and is not as sure as this of being somebody is a part of them; and
# so is a figure this much smaller with its hips within the other's outline.
PART: Final = 0.5
SURE_PRESENCE: Final = 0.97
SMALLER: Final = 0.75
_RIM: Final = 0.35
_MARKED: Final = 0.3


@dataclass(frozen=True)
class Overlay:
    """What to draw for one cover.

    Attributes:
        cover: which.
        window: around it, on the coarse grid.
        shown: how the person stands; None where that is not known.
        box: where somebody is who cannot be read; None where nobody seems to be.
    """

    cover: Cover
    window: Window
    shown: Shown | None
    box: Box | None


@dataclass(frozen=True)
class _Drawn:
    """Somebody who was drawn: where, when and in which colour."""

    shown: Shown
    time: float
    colour: Rgb


class Overlays:
    """Draws, frame by frame, in order. It remembers who has which colour."""

    def __init__(self, *, silhouettes: bool) -> None:
        """Takes whether outlines are drawn."""
        self._silhouettes = silhouettes
        self._drawn: list[_Drawn] = []

    def draw(self, scene: Scene, overlays: Sequence[Overlay], within: Mask) -> None:
        """Draws, in place.

        Args:
            scene: already painted.
            overlays: what to draw.
            within: on the coarse grid of the picture: nothing else is changed.
        """
        chosen = sorted(_each_once(overlays), key=lambda each: each.cover.box.y2)
        coloured = [(each, self._colour_of(each)) for each in chosen]
        now = [_Drawn(each.shown, scene.time, colour) for each, colour in coloured if each.shown]
        late = [old for old in self._drawn if 0 <= scene.time - old.time < REMEMBERED_SECONDS]
        self._drawn = [*now, *(old for old in late if old.colour not in {new.colour for new in now})]
        for overlay, colour in coloured:
            self._draw(scene, overlay, colour, within[overlay.window])

    def _draw(self, scene: Scene, overlay: Overlay, colour: Rgb, within: Mask) -> None:
        settings = people_settings_of(overlay.cover)
        if self._silhouettes:
            if overlay.shown is not None:
                lay(
                    scene.planes,
                    overlay.window,
                    silhouette_of(overlay.shown, settings.smooth_outline, overlay.window),
                    colour,
                    within,
                )
            elif overlay.box is not None:
                lay(scene.planes, overlay.window, rounded_box(overlay.box, overlay.window), colour, within)
        if settings.overlay == "skeleton" and overlay.shown is not None:
            skeleton = skeleton_of(overlay.shown, overlay.window)
            limbs = WHITE if self._silhouettes else colour
            lay(scene.planes, overlay.window, skeleton.rim, shade(colour, _RIM), within)
            lay(scene.planes, overlay.window, skeleton.limbs, limbs, within)
            lay(scene.planes, overlay.window, skeleton.joints, shade(limbs, 3.0), within)

    def _colour_of(self, overlay: Overlay) -> Rgb:
        shown = overlay.shown
        if shown is not None:
            near = [(_apart(shown, old.shown), old) for old in self._drawn]
            close = [(apart, old) for apart, old in near if apart < NEAR * old.shown.radius]
            if close:
                return min(close, key=lambda each: each[0])[1].colour
        return colour_of(overlay.cover.track)


def people_settings_of(cover: Cover) -> PeopleSettings:
    """Returns a cover's settings as those for people."""
    return cover.settings if isinstance(cover.settings, PeopleSettings) else PeopleSettings()


def _each_once(overlays: Sequence[Overlay]) -> list[Overlay]:
    """Drops what shows a person again, or only a part of one: several searches may follow them.

    The surest figures come first; what lies in one of them must be just as sure of being somebody else.
    """
    kept: list[Overlay] = []
    for each in sorted(overlays, key=_certainty, reverse=True):
        if all(_is_another(each, other) for other in kept):
            kept.append(each)
    return kept


def _certainty(overlay: Overlay) -> tuple[float, float, int]:
    box = overlay.cover.box
    presence = 0.0 if overlay.shown is None else round(overlay.shown.presence, 1)
    return presence, box.width * box.height, -overlay.cover.track


def _is_another(overlay: Overlay, other: Overlay) -> bool:
    shown, box = overlay.shown, overlay.cover.box
    if shown is None or other.shown is None or shown.presence < SURE_PRESENCE:
        return shared_area(box, other.cover.box) < PART * max(box.width * box.height, 1e-6)
    if shown is other.shown or _apart(shown, other.shown) < ONE_PERSON * other.shown.radius:
        return False
    return shown.radius > SMALLER * other.shown.radius or not _is_within(shown, other.shown)


def _apart(shown: Shown, other: Shown) -> float:
    return math.hypot(shown.x - other.x, shown.y - other.y)


def _is_within(shown: Shown, other: Shown) -> bool:
    each = 2 * OUTLINE_REACH * other.radius / OUTLINE_SIDE
    column, row = (
        int(OUTLINE_SIDE / 2 + (a - b) / each) for a, b in ((shown.x, other.x), (shown.y, other.y))
    )
    inside = 0 <= row < OUTLINE_SIDE and 0 <= column < OUTLINE_SIDE
    return inside and bool(other.outline[row, column] > _MARKED)
