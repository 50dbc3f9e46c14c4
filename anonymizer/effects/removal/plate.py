"""The plate: what a picture shows where nobody is, at full resolution, learnt as the video goes.

What lies under any cover teaches it nothing, a little around covers neither; elsewhere it follows the picture
slowly. What it shows was seen uncovered at that place in this shot; what was never seen it does not know.

- The light may change: a smooth field of differences, told by what can be seen, is added everywhere, under
  covers too.
- What came to stay (a bag that somebody put down) is learnt once it has been quiet for a while.
- A camera that was nudged or turns slowly takes the plate with it. When the picture is another one, the plate
  is forgotten and learnt anew.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from anonymizer.effects.operator import Scene
from anonymizer.effects.region import Mask
from anonymizer.effects.removal.camera import Moved, how_it_moved
from anonymizer.effects.removal.cells import FloatArray
from anonymizer.effects.removal.changes import Changes
from anonymizer.effects.removal.holes import guessed
from anonymizer.effects.removal.masks import Window, coarse_size, grown, on_plane, on_samples
from anonymizer.effects.removal.seams import blended

# Seconds in which the plate takes on two thirds of a difference; while it is young it learns faster.
FOLLOWS_SECONDS: Final = 2.0
# Between two lessons, seconds: more often nothing new is seen.
LESSON_SECONDS: Final = 1 / 15
# A guess is made anew after so long, where more has been seen since.
GUESS_SECONDS: Final = 0.5
# Between what is known and what is guessed, samples.
_GUESS_REACH: Final = 10
_ROUNDING: Final = 1e-6


class Plate:
    """The plate of one shot. Takes frames in order, all of one size."""

    def __init__(self, scene: Scene) -> None:
        """Knows nothing yet.

        Args:
            scene: the first frame, for its sizes.
        """
        self._shot = scene.shot
        self._steps = [plane.step for plane in scene.planes]
        self._values: list[FloatArray] = [np.zeros(p.pixels.shape, np.float32) for p in scene.planes]
        self._known: Mask = np.zeros(coarse_size(scene.width, scene.height), np.bool_)
        self._changes = Changes()
        self._taught_at = scene.time
        self._lessons = 0
        self._guess: list[FloatArray] | None = None
        self._guessed_at = -math.inf

    def belongs_to(self, scene: Scene) -> bool:
        """Tells whether this is a frame of the plate's shot."""
        shapes = [plane.pixels.shape for plane in scene.planes]
        return self._shot == scene.shot and shapes == [values.shape for values in self._values]

    def see(self, scene: Scene, hidden: Mask) -> bool:
        """Takes the next frame.

        Args:
            scene: the frame, uncovered.
            hidden: (rows, columns), where nothing must be learnt.

        Returns:
            False where the picture has become another one: what was known is forgotten.
        """
        elapsed = max(0.0, scene.time - self._taught_at)
        is_due = elapsed >= LESSON_SECONDS - _ROUNDING or not self._lessons
        moved: Moved | None = Moved()
        if self._lessons and (is_due or hidden.any()):
            moved = how_it_moved(scene.planes[0].pixels, self._values[0], self._known & ~hidden)
        if moved is None:
            self._known[:], self._changes, self._guess, self._lessons = False, Changes(), None, 0
        elif not moved.is_still:
            self._shift(moved)
        if is_due or moved is None or not moved.is_still:
            self._learn(scene, hidden, elapsed)
        return moved is not None

    def forget(self, window: Window, coarse: Mask) -> None:
        """Knows nothing any more under a mask in a window of the coarse grid."""
        self._known[window] &= ~coarse
        self._guess = None

    def knows(self, window: Window) -> Mask:
        """Returns what is known of a window of the coarse grid."""
        return self._known[window]

    def shown(self, window: Window, time: float) -> list[FloatArray] | None:
        """Returns what is to be painted in a window of the coarse grid, a copy for every plane.

        What was never seen is guessed from what lies around it; None where nothing at all is known.
        """
        samples = [on_samples(window, step) for step in self._steps]
        patches = [values[where].copy() for values, where in zip(self._values, samples, strict=True)]
        known = self._known[window]
        if known.all():
            return patches
        guess = self._guess_at(time)
        if guess is None:
            return None
        for place, (patch, where) in enumerate(zip(patches, samples, strict=True)):
            rough = _cut_out(guess[place], where, self._values[place].shape)
            seen = on_plane(known, self._steps[place], patch.shape)
            reach = _GUESS_REACH // self._steps[place]
            np.copyto(patch, blended(rough, patch, seen, reach), where=~seen.view(np.bool_))
        return patches

    def _guess_at(self, time: float) -> list[FloatArray] | None:
        if self._guess is None or not 0 <= time - self._guessed_at < GUESS_SECONDS:
            self._guess, self._guessed_at = guessed(self._values, self._known), time
        return self._guess

    def _shift(self, moved: Moved) -> None:
        for place, step in enumerate(self._steps):
            self._values[place] = _translated(
                self._values[place], moved.across / step, moved.down / step, cv2.BORDER_REPLICATE
            )
        known = self._known.astype(np.float32)
        shifted = _translated(known, moved.across / 2, moved.down / 2, cv2.BORDER_CONSTANT)
        self._known = np.asarray(shifted > 0.999, np.bool_)
        self._changes, self._guess = Changes(), None

    def _learn(self, scene: Scene, hidden: Mask, elapsed: float) -> None:
        self._taught_at = scene.time
        self._lessons += 1
        teach = ~hidden
        if self._known.any():
            teach &= ~self._follow(scene, hidden, elapsed)
            teach &= self._known
            rate = max(1 - math.exp(-elapsed / FOLLOWS_SECONDS), 1 / self._lessons)
            for plane, values in zip(scene.planes, self._values, strict=True):
                mask = on_plane(teach, plane.step, values.shape)
                cv2.accumulateWeighted(np.ascontiguousarray(plane.pixels), values, rate, mask=mask)
        fresh = ~hidden & ~self._known
        if fresh.any():
            for plane, values in zip(scene.planes, self._values, strict=True):
                mask = on_plane(fresh, plane.step, values.shape).view(np.bool_)
                np.copyto(values, plane.pixels, where=mask)
            self._known |= fresh

    def _follow(self, scene: Scene, hidden: Mask, elapsed: float) -> Mask:
        """Follows the light; returns where something has come that is not to be learnt, not yet at least."""
        change = self._changes.look(scene, self._values, self._known & ~hidden, elapsed)
        self._values = change.values
        self._known &= hidden | ~self._on_coarse(change.came_to_stay)
        return self._on_coarse(grown(change.came, 1))

    def _on_coarse(self, cells: Mask) -> Mask:
        rows, columns = self._known.shape
        big = cv2.resize(cells.view(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST)
        return np.asarray(big, np.bool_)


def _translated(plane: FloatArray, across: float, down: float, border: int) -> FloatArray:
    matrix = np.array([[1, 0, across], [0, 1, down]], np.float64)
    moved = cv2.warpAffine(plane, matrix, plane.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(moved, np.float32)


def _cut_out(small: FloatArray, where: Window, shape: tuple[int, ...]) -> FloatArray:
    """Returns a window of a small copy at the size of its plane."""
    down, across = where
    bottom, right = min(down.stop, shape[0]), min(across.stop, shape[1])
    scale_x, scale_y = small.shape[1] / shape[1], small.shape[0] / shape[0]
    matrix = np.array(
        [
            [scale_x, 0, (across.start + 0.5) * scale_x - 0.5],
            [0, scale_y, (down.start + 0.5) * scale_y - 0.5],
        ],
        np.float64,
    )
    size = (right - across.start, bottom - down.start)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(small, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.float32)
