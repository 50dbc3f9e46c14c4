"""An encrypted template: somebody's vector, which only the owner of the key can read.

    "bauta.template/v1\\n"   context id (32)   u16 length   description   ciphertext (2 polynomials)

The description is canonical JSON: the space of the vector, and `transform`, the id of the secret transform
that was done to it (`transform`), or nothing. A fresh template has three primes, a transformed one two.
Nothing here is signed: a template is bound to its person by whoever hands it over.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tenseal import sealapi

from keyvault.templates.errors import malformed, wrong_key
from keyvault.templates.framing import DESCRIPTION_BYTES, TRANSFORM_CHARACTERS, frame, is_hex, unframe
from keyvault.templates.keys import CONTEXT_ID_BYTES, OwnerKey, PublicContext
from keyvault.templates.parameters import (
    FRESH_PRIMES,
    FRESH_SCALE,
    MATCHED_PRIMES,
    SLOTS,
    TRANSFORMED_SCALE,
)
from keyvault.templates.residues import Residues, pack_residues, read_ciphertext, residues_bytes
from keyvault.templates.seal import residues_of
from keyvault.templates.vectors import Space, Vector, other_network, unit_rows

# What an honest template, opened, may differ by from what was encrypted: a wide bound.
TOLERANCE: Final = 1e-4

_LABEL = b"bauta.template/v1\n"
MAX_TEMPLATE_BYTES: Final = (
    len(_LABEL) + CONTEXT_ID_BYTES + 2 + DESCRIPTION_BYTES + residues_bytes(2, FRESH_PRIMES)
)


@dataclass(frozen=True, eq=False)
class EncryptedTemplate:
    """One person's.

    Attributes:
        context_id: of the owner's public context.
        space: of the vector.
        transform: id of the transform that was done to it, 32 hexadecimal digits; empty for none.
        ciphertext: (2, 3, RING), or (2, 2, RING) after a transform.
    """

    context_id: bytes
    space: Space
    transform: str
    ciphertext: Residues = field(repr=False)

    @property
    def scale(self) -> float:
        """Of the numbers in it."""
        return TRANSFORMED_SCALE if self.transform else FRESH_SCALE

    @property
    def sha256(self) -> str:
        """Of its bytes, hexadecimal."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def require_space(self, space: Space) -> None:
        """Refuses to be compared with vectors of another network.

        Raises:
            TemplateError: template_other_network.
        """
        if self.space != space:
            raise other_network()

    def to_bytes(self) -> bytes:
        """Its only encoding."""
        description = {**self.space.to_object(), "transform": self.transform}
        return frame(_LABEL, self.context_id, description, pack_residues(self.ciphertext))

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> EncryptedTemplate:
        """Reads what `to_bytes` gives.

        Raises:
            TemplateError: template_malformed.
        """
        context_id, said, body = unframe(untrusted, _LABEL, MAX_TEMPLATE_BYTES, "encrypted template")
        if said.keys() != {"dimension", "kind", "network", "transform"}:
            raise malformed("encrypted template")
        transform = said["transform"]
        if transform != "" and not is_hex(transform, TRANSFORM_CHARACTERS):
            raise malformed("encrypted template")
        primes = MATCHED_PRIMES if transform else FRESH_PRIMES
        ciphertext = read_ciphertext(body, primes, "encrypted template")
        return cls(context_id, Space.from_object(said), transform, ciphertext)


def enrol(context: PublicContext, space: Space, vector: npt.ArrayLike) -> EncryptedTemplate:
    """Encrypts somebody's vector with the public key. Whoever has the context can, not its owner alone.

    Args:
        context: of the owner.
        space: of the vector.
        vector: (dimension,).

    Raises:
        TemplateError: template_vector_invalid, template_other_network.
    """
    unit = unit_rows(np.asarray(vector, np.float64)[None], space)[0]
    plaintext = context.seal.plaintext(repeated(unit, space).tolist(), FRESH_PRIMES, FRESH_SCALE)
    return EncryptedTemplate(context.context_id, space, "", residues_of(context.seal.encrypt(plaintext)))


def open_template(owner: OwnerKey, context: PublicContext, template: EncryptedTemplate) -> Vector:
    """Decrypts a template: the vector, of length one, or what a transform made of it.

    Returns:
        (dimension,) float64.

    Raises:
        TemplateError: template_wrong_key.
    """
    slots = decrypt(owner, context, template.context_id, template.ciphertext, template.scale)
    copies = slots.reshape(-1, template.space.padded)
    vector = copies[0, : template.space.dimension]
    expected = repeated(vector, template.space).reshape(copies.shape)
    if np.abs(copies - expected).max() > TOLERANCE or abs(np.linalg.norm(vector) - 1) > TOLERANCE:
        raise wrong_key()
    return vector


def decrypt(
    owner: OwnerKey, context: PublicContext, context_id: bytes, ciphertext: Residues, scale: float
) -> Vector:
    """Decrypts all slots, whatever they are: what comes out still has to be checked.

    Raises:
        TemplateError: template_wrong_key, where key, context and ciphertext are not of one owner.
    """
    if not owner.context_id == context.context_id == context_id:
        raise wrong_key()
    plaintext: Any = sealapi.Plaintext()
    kept = owner.kept
    decryptor = sealapi.Decryptor(context.seal.context, kept.data.secret_key())
    decryptor.decrypt(context.seal.ciphertext(ciphertext, scale), plaintext)
    return np.array(context.seal.encoder.decode_double(plaintext), np.float64)


def repeated(vector: Vector, space: Space) -> Vector:
    """A vector as it stands in the slots: filled up with zeros, again and again."""
    filled = np.zeros(space.padded)
    filled[: space.dimension] = vector
    return np.tile(filled, SLOTS // space.padded)
