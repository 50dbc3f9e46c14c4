"""Effects that need no more than the pixels under a cover: they change each plane on its own, in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from anonymizer.effects.operator import Cover, Paint, Scene
from anonymizer.effects.patch import Patch
from anonymizer.effects.region import apply


class ByPatch:
    """An Operator that applies one function to every cover."""

    def __init__(self, change: Callable[[Patch], None]) -> None:
        """Takes the function."""
        self._change = change

    def plan(self, scene: Scene, covers: Sequence[Cover]) -> Paint:
        """See Operator.plan."""

        def paint() -> None:
            for cover in covers:
                apply(self._change, cover.region, scene.planes)

        return paint
