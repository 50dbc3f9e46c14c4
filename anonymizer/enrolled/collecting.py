"""Vectors of everybody in a job, for who compares them with templates that nobody here can read.

Whoever is compared is covered as everybody else; what is collected here decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.effects.operator import Scene
from anonymizer.enrolled.embedding import FaceEmbedder
from anonymizer.enrolled.recognizing import Recognition

# So often each face is looked at, not more often than twice a second, and so many in a frame.
MOST_LOOKS: Final = 5
LEAST_SECONDS_APART: Final = 0.5
MOST_IN_A_FRAME: Final = 8


class Collector(Protocol):
    """Takes vectors. A job that is made again begins again."""

    @property
    def kind(self) -> Literal["face", "voice"]:
        """Of what vectors are wanted."""
        ...

    def begin(self) -> None:
        """Forgets everything: what follows is of a new passage."""
        ...

    def face(self, track: int, vector: npt.NDArray[np.float32]) -> None:
        """Takes one look at the face of a track, (dimension,)."""
        ...

    def voices(self, vectors: npt.NDArray[np.float32]) -> None:
        """Takes what each speaker sounds like, (speakers, 256); zeros for who is not heard well enough."""
        ...


class Collecting:
    """A Recognition that looks at faces besides, for a collector."""

    def __init__(self, inner: Recognition | None, embedder: FaceEmbedder, collector: Collector) -> None:
        """Takes who says the roles, if anybody does."""
        self._inner = inner
        self._embedder = embedder
        self._collector = collector
        self._looked: dict[int, tuple[int, float]] = {}

    def roles(self, scene: Scene, faces: Mapping[int, Box]) -> Mapping[int, str]:
        """See Recognition.roles."""
        due = [track for track in faces if self._is_due(track, scene.time)]
        due.sort(key=lambda track: -faces[track].height)
        for track in due[:MOST_IN_A_FRAME]:
            vector = self._embedder.look(scene.planes, scene.width, scene.height, faces[track])
            if vector is not None:
                looks, _ = self._looked.get(track, (0, 0.0))
                self._looked[track] = looks + 1, scene.time
                self._collector.face(track, vector)
        return self._inner.roles(scene, faces) if self._inner is not None else {}

    def _is_due(self, track: int, time: float) -> bool:
        looks, last = self._looked.get(track, (0, -LEAST_SECONDS_APART))
        return looks < MOST_LOOKS and time - last >= LEAST_SECONDS_APART
