"""Which operator covers what in a job, and in which order they paint."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Final

from anonymizer.effects import EFFECTS, solid
from anonymizer.effects.kept_skin import KeptSkin
from anonymizer.effects.labels import Labels
from anonymizer.effects.operator import Cover, Operator, Scene
from anonymizer.effects.region import Region, apply
from anonymizer.models import Models
from anonymizer.settings import BY_STRENGTH, Effect, Kind, Settings

# Painted after all others. What they paint comes from no pixel that any cover hides, so nothing comes back
# that a stronger one has hidden; a grey patch on an emptied room would tell where somebody's head is.
PAINTED_LAST: Final[tuple[Effect, ...]] = ("silhouette", "remove")

# Hears of every frame before anything is covered in it, and of what will be.
OnScene = Callable[[Scene, Sequence[Cover]], None]


class Cast:
    """The operators of one job. Frames come in order, one by one."""

    def __init__(
        self,
        models: Models,
        settings: Settings,
        on_scene: OnScene | None = None,
        also: Collection[tuple[Effect, Kind]] = (),
    ) -> None:
        """Opens an operator for every effect that the settings name, and for others that are wanted.

        Raises:
            AnonymizerError: model_missing, where an effect needs what is not there.
        """
        wanted = {(cover.effect, kind) for kind, cover in settings.sought.items()} | set(also)
        ordered = sorted(wanted, key=lambda each: (_place_of(each[0]), each[1]))
        self._on_scene = on_scene
        self._skin = KeptSkin(settings.keep_skin)
        self._labels = Labels() if settings.labels == "letters" else None
        self._operators: dict[tuple[Effect, Kind], Operator] = {
            (effect, kind): EFFECTS[effect](models, settings, kind) for effect, kind in ordered
        }

    def cover(self, scene: Scene, covers: Sequence[Cover], blanked: Sequence[Region] = ()) -> None:
        """Covers everything in one frame, in place: the weakest effect first, but for those painted last.

        Args:
            scene: the frame.
            covers: of what was found in it.
            blanked: what a person wants plain grey (review/deciding.py), above all else.

        Raises:
            AnonymizerError: detector_failed.
        """
        scene = replace(scene, hidden=(*(cover.region for cover in covers), *blanked))
        if self._on_scene is not None:
            self._on_scene(scene, covers)
        paints = [
            operator.plan(scene, [c for c in covers if (c.settings.effect, c.kind) == role])
            for role, operator in self._operators.items()
        ]
        put_back = self._skin.plan(scene, covers)
        for paint in paints:
            paint()
        put_back()
        if self._labels is not None:
            self._labels.paint(scene, covers)
        for region in blanked:
            apply(solid.cover, region, scene.planes)


def _place_of(effect: Effect) -> tuple[bool, int]:
    return effect in PAINTED_LAST, BY_STRENGTH.index(effect)
