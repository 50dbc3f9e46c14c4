"""What is drawn on a painted room: outlines and skeletons, the farthest person first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Mask
from anonymizer.effects.removal.drawing import WHITE, colour_of, lay, shade
from anonymizer.effects.removal.figures import Shown
from anonymizer.effects.removal.masks import Window
from anonymizer.effects.removal.silhouette import rounded_box, silhouette_of
from anonymizer.effects.removal.skeleton import skeleton_of
from anonymizer.settings import PeopleSettings

# A cover without a figure of its own, of which this much lies in another's, shows the same person.
SAME_PERSON: Final = 0.5
_RIM: Final = 0.35


@dataclass(frozen=True)
class Overlay:
    """What to draw for one cover.

    Attributes:
        cover: which.
        window: around it, on the coarse grid.
        shown: how the person stands; None where that is not known, or another cover shows it.
    """

    cover: Cover
    window: Window
    shown: Shown | None


def draw(scene: Scene, overlays: Sequence[Overlay], within: Mask, *, silhouettes: bool) -> None:
    """Draws, in place.

    Args:
        scene: already painted.
        overlays: what to draw.
        within: on the coarse grid of the picture: nothing else is changed.
        silhouettes: whether outlines are drawn.
    """
    for overlay in sorted(_each_once(overlays), key=lambda each: each.cover.box.y2):
        part = within[overlay.window]
        colour = colour_of(overlay.cover.track)
        settings = overlay.cover.settings
        people = settings if isinstance(settings, PeopleSettings) else PeopleSettings()
        if silhouettes:
            if overlay.shown is None:
                outline = rounded_box(overlay.cover.box, overlay.window)
            else:
                outline = silhouette_of(overlay.shown, people.smooth_outline, overlay.window)
            lay(scene.planes, overlay.window, outline, colour, part)
        if people.overlay == "skeleton" and overlay.shown is not None:
            skeleton = skeleton_of(overlay.shown, overlay.window)
            limbs = WHITE if silhouettes else colour
            lay(scene.planes, overlay.window, skeleton.rim, shade(colour, _RIM), part)
            lay(scene.planes, overlay.window, skeleton.limbs, limbs, part)
            lay(scene.planes, overlay.window, skeleton.joints, shade(limbs, 3.0), part)


def _each_once(overlays: Sequence[Overlay]) -> list[Overlay]:
    """Drops those without a figure that lie in another: one person may be followed by several searches."""
    kept = [each for each in overlays if each.shown is not None]
    for each in overlays:
        if each.shown is None and not any(
            _shared(each.cover.box, other.cover.box) > SAME_PERSON for other in kept
        ):
            kept.append(each)
    return kept


def _shared(box: Box, other: Box) -> float:
    """Returns how much of the smaller box lies in the other."""
    across = min(box.x2, other.x2) - max(box.x1, other.x1)
    down = min(box.y2, other.y2) - max(box.y1, other.y1)
    smaller = min(box.width * box.height, other.width * other.height)
    return float(np.clip(across, 0, None) * np.clip(down, 0, None) / max(smaller, 1e-6))
