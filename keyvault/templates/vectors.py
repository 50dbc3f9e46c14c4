"""What may be enrolled and compared: vectors of one network, brought to length one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keyvault.templates.errors import TemplateError, malformed
from keyvault.templates.parameters import MAX_DIMENSION, MAX_VECTORS, STEP

Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]

LEAST_LENGTH: Final = 1e-9
_HEX = frozenset("0123456789abcdef")
_SHA256_CHARACTERS = 64


class Kind(StrEnum):
    """What a vector is of."""

    FACE = "face"
    VOICE = "voice"


@dataclass(frozen=True)
class Space:
    """Where vectors live: only those of one network can be compared. Public.

    Attributes:
        kind: what they are of.
        network: SHA-256 of the network's file, hexadecimal.
        dimension: how many numbers a vector has, 2 to 512.

    Raises:
        TemplateError: template_malformed.
    """

    kind: Kind
    network: str
    dimension: int

    def __post_init__(self) -> None:
        if not 2 <= self.dimension <= MAX_DIMENSION:
            raise TemplateError("template_malformed", f"a vector has 2 to {MAX_DIMENSION} numbers")
        if len(self.network) != _SHA256_CHARACTERS or not set(self.network) <= _HEX:
            raise malformed("digest of a network")

    @property
    def padded(self) -> int:
        """The next power of two, at least 32: vectors are filled up with zeros."""
        return max(STEP, 1 << (self.dimension - 1).bit_length())

    def to_object(self) -> dict[str, Any]:
        """The JSON object."""
        return {"dimension": self.dimension, "kind": self.kind.value, "network": self.network}

    @classmethod
    def from_object(cls, untrusted: Mapping[str, Any]) -> Space:
        """Reads the members of a JSON object that say it.

        Raises:
            TemplateError: template_malformed.
        """
        kind, network, dimension = (untrusted.get(name) for name in ("kind", "network", "dimension"))
        if not isinstance(kind, str) or kind not in {*Kind}:
            raise malformed("description of vectors")
        if not isinstance(network, str) or type(dimension) is not int:
            raise malformed("description of vectors")
        return cls(Kind(kind), network, dimension)


def unit_rows(vectors: npt.ArrayLike, space: Space) -> Matrix:
    """Brings vectors to length one.

    Args:
        vectors: (count, dimension), 1 to 1,024 of them.
        space: theirs.

    Returns:
        (count, dimension) float64.

    Raises:
        TemplateError: template_vector_invalid, template_too_many, template_other_network.
    """
    rows = np.asarray(vectors, np.float64)
    if rows.ndim != 2 or not len(rows):
        raise TemplateError("template_vector_invalid", "there is no vector here")
    if len(rows) > MAX_VECTORS:
        raise TemplateError("template_too_many", f"at most {MAX_VECTORS} vectors are compared at once")
    if rows.shape[1] != space.dimension:
        raise other_network()
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths < LEAST_LENGTH).any():
        raise TemplateError("template_vector_invalid", "a vector is not finite, or has no direction")
    return np.asarray(rows / lengths)


def other_network() -> TemplateError:
    """The error of vectors that are no match for one another."""
    return TemplateError(
        "template_other_network", "these vectors come from different networks and cannot be compared"
    )
