"""Everybody who is enrolled in a job, as vectors."""

from __future__ import annotations

from dataclasses import dataclass, field

from anonymizer.enrolled.embedding import FaceEmbedder, Vector
from anonymizer.enrolled.manifest import Bounds


@dataclass(frozen=True)
class Gallery:
    """Everybody who is enrolled in a job.

    Attributes:
        roles: of each person.
        vectors: (people, dimension), each of length one.
        bounds: when somebody is one of them.
        embedder: makes a vector of a face in a scene.
    """

    roles: tuple[str, ...]
    vectors: Vector = field(repr=False)
    bounds: Bounds
    embedder: FaceEmbedder = field(repr=False)
