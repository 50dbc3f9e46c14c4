"""What was found in files: vectors of one network, and where each of them is from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float64]
Kind = Literal["face", "voice"]


@dataclass(frozen=True)
class Place:
    """Where a vector is from.

    Attributes:
        file: which of the files, from 0.
        seconds: from the beginning of a film; 0 in a still and of a voice.
        pixels: how wide a face was found; 0 of a voice.
    """

    file: int
    seconds: float = 0.0
    pixels: float = 0.0


@dataclass(frozen=True)
class Found:
    """Everybody in some files.

    Attributes:
        kind: of what the vectors are.
        network: SHA-256 of the network's file, hexadecimal.
        vectors: (count, dimension), rows of length one.
        places: of each row.
    """

    kind: Kind
    network: str
    vectors: Vectors = field(repr=False)
    places: tuple[Place, ...]

    def mean(self) -> Vectors:
        """Returns one vector for all rows, (dimension,), of length one unless they cancel out."""
        middle = self.vectors.mean(axis=0)
        return np.asarray(middle / max(float(np.linalg.norm(middle)), 1e-12))
