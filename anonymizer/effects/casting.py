"""Which operator covers what in a job, and in which order they paint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from anonymizer.effects import EFFECTS
from anonymizer.effects.operator import Cover, Operator, Scene
from anonymizer.models import Models
from anonymizer.settings import BY_STRENGTH, Effect, Kind, Settings

# Painted after all others. What they paint comes from no pixel that any cover hides, so nothing comes back
# that a stronger one has hidden; a grey patch on an emptied room would tell where somebody's head is.
PAINTED_LAST: Final[tuple[Effect, ...]] = ("silhouette", "remove")

# Hears of every frame before anything is covered in it, and of what will be.
OnScene = Callable[[Scene, Sequence[Cover]], None]


class Cast:
    """The operators of one job. Frames come in order, one by one."""

    def __init__(self, models: Models, settings: Settings, on_scene: OnScene | None = None) -> None:
        """Opens an operator for every effect that the settings name.

        Raises:
            AnonymizerError: model_missing, where an effect needs what is not there.
        """
        wanted = {(cover.effect, kind) for kind, cover in settings.sought.items()}
        ordered = sorted(wanted, key=lambda each: (_place_of(each[0]), each[1]))
        self._on_scene = on_scene
        self._operators: dict[tuple[Effect, Kind], Operator] = {
            (effect, kind): EFFECTS[effect](models, settings, kind) for effect, kind in ordered
        }

    def cover(self, scene: Scene, covers: Sequence[Cover]) -> None:
        """Covers everything in one frame, in place: the weakest effect first, but for those painted last.

        Raises:
            AnonymizerError: detector_failed.
        """
        scene = replace(scene, hidden=tuple(cover.region for cover in covers))
        if self._on_scene is not None:
            self._on_scene(scene, covers)
        paints = [
            operator.plan(scene, [c for c in covers if (c.settings.effect, c.kind) == role])
            for role, operator in self._operators.items()
        ]
        for paint in paints:
            paint()


def _place_of(effect: Effect) -> tuple[bool, int]:
    return effect in PAINTED_LAST, BY_STRENGTH.index(effect)
