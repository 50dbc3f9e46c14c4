"""What attackers found in the result, in the words and whole numbers of a statement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from anonymizer.leaks.figures import Leaks
from provenance.statements.leaks import EVERY_FRAME

_SAMPLED = "sampled"


def leak_facts(leaks: Leaks | None, models: Mapping[str, str], *, of_pictures: bool = True) -> dict[str, Any]:
    """Gives the statement's fields about attacks; none where nothing was attacked.

    A figure that nobody could take is left out: nobody shall read it as nothing found.

    Args:
        leaks: of the finished result.
        models: hex SHA-256 of each model that the worker holds, by name.
        of_pictures: whether the result has any.
    """
    if leaks is None:
        return {}
    figures = {
        "metadata_left": leaks.metadata_left,
        "rounds": leaks.rounds,
        "seconds": math.ceil(leaks.seconds),
        "voice_matched": leaks.voice_matched,
        "voice_windows": leaks.voice_windows,
    }
    if of_pictures:
        figures |= {
            "faces_attacked": leaks.faces_attacked,
            "faces_open": leaks.faces_open,
            "faces_under": leaks.faces_under,
            "frames_attacked": leaks.frames_attacked,
            "frames_unchecked": leaks.frames_unchecked,
            "identities_compared": leaks.identities_compared,
            "identities_matched": leaks.identities_matched,
            "texts_open": leaks.texts_open,
        }
    return {
        "leaks": {word: figure for word, figure in figures.items() if figure is not None},
        "leaks_look": EVERY_FRAME if leaks.exhaustive else _SAMPLED,
        "attackers": {name: models[name] for name in leaks.attackers},
        "independent": leaks.independent,
    }
