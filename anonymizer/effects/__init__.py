"""Ways to cover a face. A new one is one module with a `cover` function and one line in EFFECTS.

region.py   which pixels of which plane belong to a cover
patch.py    what an effect gets to work on
solid.py    neutral grey: nothing of the face is left
blur.py     a blur whose reach grows with the face
mosaic.py   a few large blocks
torch_cover.py  the covers of a batch of frames on a GPU
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from anonymizer.effects import blur, mosaic, solid
from anonymizer.effects.patch import Patch

EFFECTS: Final[Mapping[str, Callable[[Patch], None]]] = MappingProxyType(
    {
        "solid": solid.cover,
        "blur": blur.cover,
        "mosaic": mosaic.cover,
    }
)
