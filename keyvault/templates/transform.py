"""Cancelable templates: a secret rotation of all vectors, which can be replaced as a password can.

An orthogonal matrix keeps every cosine, so matching goes on as before among what was transformed alike; what
leaked under one key matches nothing under the next. The matrix is drawn evenly among all (Haar's measure):
QR of a normal matrix, with the signs of R's diagonal (Mezzadri 2007), from a 32-byte seed by SHAKE-256.

Whoever holds the seed undoes the transform. It belongs to the matcher and not to the owner of the secret key.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import numpy as np

from keyvault.key_file import key_object, key_parts
from keyvault.templates.errors import TemplateError, foreign_context
from keyvault.templates.hiding import hide
from keyvault.templates.keys import PublicContext
from keyvault.templates.parameters import SLOTS, TRANSFORM_NOISE
from keyvault.templates.product import multiply
from keyvault.templates.seal import residues_of
from keyvault.templates.templates import EncryptedTemplate
from keyvault.templates.vectors import Matrix

SEED_BYTES: Final = 32
FORMAT: Final = "bauta.template-transform/v1"
_ID_LABEL = b"bauta.template-transform-id/v1\0"
_MATRIX_LABEL = b"bauta.template-transform-matrix/v1\0"
_ID_BYTES = 16
_FRACTION_BITS = 53


@dataclass(frozen=True)
class Transform:
    """One secret transform, for every dimension.

    Attributes:
        seed: 32 random bytes.
    """

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise TemplateError("template_malformed", f"a transform has a seed of {SEED_BYTES} bytes")

    @classmethod
    def generate(cls) -> Transform:
        """Draws a fresh one."""
        return cls(os.urandom(SEED_BYTES))

    @property
    def transform_id(self) -> str:
        """What templates call it: 32 hexadecimal digits, which say nothing of the seed."""
        return hashlib.sha256(_ID_LABEL + self.seed).digest()[:_ID_BYTES].hex()

    def to_bytes(self) -> bytes:
        """The content of its file. Secret."""
        return key_object(FORMAT, {"seed": self.seed})

    @classmethod
    def from_bytes(cls, content: bytes) -> Transform:
        """Reads that.

        Raises:
            KeyFileError: it is no transform.
        """
        parts, _ = key_parts(content, FORMAT, {"seed": SEED_BYTES})
        return cls(parts["seed"])

    def matrix(self, dimension: int) -> Matrix:
        """The orthogonal matrix, (dimension, dimension) float64; the same everywhere but for rounding."""
        return _matrix(self.seed, dimension)

    def of_vectors(self, rows: Matrix) -> Matrix:
        """Transforms vectors in the clear, (count, dimension)."""
        return np.asarray(rows @ self.matrix(rows.shape[1]).T)


def transform_template(
    context: PublicContext, template: EncryptedTemplate, transform: Transform
) -> EncryptedTemplate:
    """Transforms an encrypted template, without a look at it.

    Raises:
        TemplateError: template_foreign_context; template_other_transform, it was transformed before.
    """
    if template.context_id != context.context_id:
        raise foreign_context()
    if template.transform:
        raise TemplateError("template_other_transform", "a template is transformed once, from the first one")
    padded = template.space.padded
    square = np.zeros((padded, padded))
    square[: template.space.dimension, : template.space.dimension] = transform.matrix(
        template.space.dimension
    )
    everywhere = np.tile(square, (SLOTS // padded, 1))
    seal = context.seal
    made: Any = multiply(seal, everywhere, [seal.ciphertext(template.ciphertext, template.scale)])[0]
    hide(seal, made, TRANSFORM_NOISE)
    seal.evaluator.rescale_to_next_inplace(made)
    return EncryptedTemplate(template.context_id, template.space, transform.transform_id, residues_of(made))


def require_same_transform(template: EncryptedTemplate, transform: Transform | None) -> None:
    """Refuses to compare what was transformed with what was not, or otherwise.

    Raises:
        TemplateError: template_other_transform.
    """
    if template.transform != (transform.transform_id if transform is not None else ""):
        raise TemplateError(
            "template_other_transform", "this template was made with another transform, or with none"
        )


@cache
def _matrix(seed: bytes, dimension: int) -> Matrix:
    count = dimension * dimension
    stream = hashlib.shake_256(_MATRIX_LABEL + seed + dimension.to_bytes(2)).digest(count * 16)
    bits = np.frombuffer(stream, "<u8").reshape(2, count) >> np.uint64(64 - _FRACTION_BITS)
    even = (bits.astype(np.float64) + 0.5) * 2.0**-_FRACTION_BITS
    normal = np.sqrt(-2 * np.log(even[0])) * np.cos(2 * np.pi * even[1])
    orthogonal, upper = np.linalg.qr(normal.reshape(dimension, dimension))
    return np.asarray(orthogonal * np.sign(np.diag(upper)))
