"""The picture sizes that CenterFace is compiled for, and which of them a picture goes on.

A compiled network has one input size, and nothing can be compiled behind the wall (compiled_engine.py). So a
picture lies in the upper left corner of a canvas, on black, as it does for the other engines, whose canvas is
the next multiple of 32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GRANULE: Final = 32
# A canvas this much larger than the picture needs still costs less than the engine that takes any size, which
# is half as fast.
MOST_WASTE: Final = 1.6


@dataclass(frozen=True)
class Canvas:
    """Rows and columns, multiples of GRANULE."""

    height: int
    width: int

    @property
    def area(self) -> int:
        """Pixels."""
        return self.height * self.width


# The scales of the modes (modes.MODES) for wide, upright and old television pictures. Each costs a tenth
# of a second at the start of the worker host, and memory: the picture's own size at 1080p, a rare one, is not
# worth it. The last two are what a second pass takes in `quality` (1.5 times 960).
CANVASES: Final = (
    Canvas(192, 320),
    Canvas(320, 192),
    Canvas(384, 640),
    Canvas(640, 384),
    Canvas(480, 640),
    Canvas(544, 960),
    Canvas(960, 544),
    Canvas(832, 1440),
    Canvas(1440, 832),
)


def snug(height: int, width: int) -> Canvas:
    """Returns the smallest canvas that any picture of this size could go on."""
    return Canvas(-(-height // GRANULE) * GRANULE, -(-width // GRANULE) * GRANULE)


def canvas_for(height: int, width: int, among: tuple[Canvas, ...] = CANVASES) -> Canvas | None:
    """Returns the smallest of the canvases that the picture fits on; None where none is near its size."""
    wide_enough = [canvas for canvas in among if canvas.height >= height and canvas.width >= width]
    best = min(wide_enough, key=lambda canvas: canvas.area, default=None)
    if best is None or best.area > MOST_WASTE * snug(height, width).area:
        return None
    return best
