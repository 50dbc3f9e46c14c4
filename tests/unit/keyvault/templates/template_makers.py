"""Owners, templates and vectors for the tests of this room."""

from __future__ import annotations

from functools import cache

import numpy as np

from keyvault.templates.keys import OwnerKey, PublicContext, make_keys
from keyvault.templates.templates import EncryptedTemplate, enrol
from keyvault.templates.transform import Transform
from keyvault.templates.vectors import Kind, Matrix, Space

NETWORK = "ab" * 32
FACES = Space(Kind.FACE, NETWORK, 512)
VOICES = Space(Kind.VOICE, NETWORK, 256)
SMALL = Space(Kind.FACE, NETWORK, 20)
TRANSFORM = Transform(bytes(range(32)))


@cache
def owner() -> tuple[OwnerKey, PublicContext]:
    """The newsroom."""
    return make_keys()


@cache
def stranger() -> tuple[OwnerKey, PublicContext]:
    """Another owner."""
    return make_keys()


def vectors(count: int, space: Space, seed: int = 1) -> Matrix:
    """Rows that are not of length one."""
    return np.random.default_rng(seed).normal(size=(count, space.dimension))


def cosines(one: Matrix, other: Matrix) -> Matrix:
    """What NumPy says, in the clear: (rows of one, rows of the other)."""
    lengths = np.linalg.norm(one, axis=1)[:, None] * np.linalg.norm(other, axis=1)[None]
    return np.asarray(one @ other.T / lengths)


@cache
def enrolled(space: Space, seed: int = 9) -> EncryptedTemplate:
    """Somebody's template: of `vectors(1, space, seed)`."""
    return enrol(owner()[1], space, vectors(1, space, seed)[0])
