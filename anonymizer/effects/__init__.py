"""Ways to cover something. A new one is one module and one line in EFFECTS (and its name in settings.py).

operator.py what an effect is: it looks at every frame, then paints
casting.py  which operator covers what in a job, and in which order
region.py   which pixels of which plane belong to a cover
by_patch.py effects that need no more than the pixels under a cover:
patch.py    what those get to work on
solid.py    neutral grey: nothing of the face is left
blur.py     a blur whose reach grows with the face
mosaic.py   a few large blocks
removal/    people replaced by the room behind them: remove, silhouette
colours.py  pixels as RGB, whatever planes they lie in
persona/    a drawn head that does what the face does
swap/       another face, of somebody who agreed or painted, that does what the face does
generator/  the same with a face that an added network makes
warp/       the same face with its features moved: weak
mean_face.py, meshes.py  a face that is nobody's, and pictures laid on its points
painting.py made faces, laid over those they stand for
acting.py, identities.py  what covered faces do, and who the made ones are
surroundings.py, tones.py  fill, skin, hair and light, from beside a cover
torch_cover.py  the covers of a batch of frames on a GPU
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from anonymizer.effects import blur, mosaic, solid
from anonymizer.effects.by_patch import ByPatch
from anonymizer.effects.generator.operating import open_generator
from anonymizer.effects.operator import Operator
from anonymizer.effects.persona.persona import open_persona
from anonymizer.effects.removal.remover import open_remover
from anonymizer.effects.swap.operating import open_swap
from anonymizer.effects.warp.operating import open_warp
from anonymizer.models import Models
from anonymizer.settings import Effect, Kind, Settings

# Opens an effect for one kind of things in one job. Called behind the wall, after the fork: it may compile
# nothing and open no file (ADR 14). Raises AnonymizerError: model_missing, where it needs what is not there.
Open = Callable[[Models, Settings, Kind], Operator]

EFFECTS: Final[Mapping[Effect, Open]] = MappingProxyType(
    {
        "solid": lambda models, settings, kind: ByPatch(solid.cover),
        "blur": lambda models, settings, kind: ByPatch(blur.cover),
        "mosaic": lambda models, settings, kind: ByPatch(mosaic.cover),
        "remove": lambda models, settings, kind: open_remover(models, silhouettes=False),
        "silhouette": lambda models, settings, kind: open_remover(models, silhouettes=True),
        "persona": open_persona,
        "swap": open_swap,
        "warp": open_warp,
        "generator": open_generator,
    }
)
