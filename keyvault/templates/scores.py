"""Encrypted scores: what a matcher hands to the owner of the templates, who alone can read them.

    "bauta.template-scores/v1\\n"   context id (32)   u16 length   description   ciphertexts, one a template

The description is canonical JSON: the space, `templates`, the SHA-256 of each (hexadecimal), `transform`,
and `vectors`, how many there were. Slot r of a ciphertext (one prime) is the cosine of vector r with the
template.
Nothing here is signed: scores are as good as whoever computed them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from keyvault.templates.errors import malformed, wrong_key
from keyvault.templates.framing import DESCRIPTION_BYTES, TRANSFORM_CHARACTERS, frame, is_hex, unframe
from keyvault.templates.keys import CONTEXT_ID_BYTES, OwnerKey, PublicContext
from keyvault.templates.parameters import (
    FRESH_SCALE,
    MATRIX_SCALE,
    MAX_TEMPLATES,
    MAX_VECTORS,
    PRIMES,
    SCORE_PRIMES,
    TRANSFORMED_SCALE,
)
from keyvault.templates.residues import Residues, pack_residues, read_ciphertext, residues_bytes
from keyvault.templates.templates import decrypt
from keyvault.templates.vectors import Matrix, Space

# A score is below one, and a slot without a vector holds zero: by less than this, or the key is not the one.
TOLERANCE: Final = 1e-4
SHA256_CHARACTERS: Final = 64
# What is shown is rounded: the digits behind are noise, and of the noise nothing should be published.
DIGITS: Final = 7

_LABEL = b"bauta.template-scores/v1\n"
_CIPHERTEXT_BYTES = residues_bytes(2, SCORE_PRIMES)
MAX_SCORES_BYTES: Final = (
    len(_LABEL) + CONTEXT_ID_BYTES + 2 + DESCRIPTION_BYTES + MAX_TEMPLATES * _CIPHERTEXT_BYTES
)


@dataclass(frozen=True, eq=False)
class EncryptedScores:
    """Of some vectors against some templates of one owner.

    Attributes:
        context_id: of the owner's public context.
        space: of vectors and templates.
        transform: which both had; empty for none.
        templates: their SHA-256, hexadecimal, 1 to 8.
        vectors: how many were compared, 1 to 1,024.
        ciphertexts: one for each template, (2, 1, RING).
    """

    context_id: bytes
    space: Space
    transform: str
    templates: tuple[str, ...]
    vectors: int
    ciphertexts: tuple[Residues, ...] = field(repr=False)

    @property
    def scale(self) -> float:
        """Of the scores in the ciphertexts."""
        fresh = TRANSFORMED_SCALE if self.transform else FRESH_SCALE
        return fresh * MATRIX_SCALE / PRIMES[SCORE_PRIMES]

    def to_bytes(self) -> bytes:
        """Its only encoding."""
        description = {
            **self.space.to_object(),
            "templates": list(self.templates),
            "transform": self.transform,
            "vectors": self.vectors,
        }
        body = b"".join(map(pack_residues, self.ciphertexts))
        return frame(_LABEL, self.context_id, description, body)

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> EncryptedScores:
        """Reads what `to_bytes` gives.

        Raises:
            TemplateError: template_malformed.
        """
        what = "file of encrypted scores"
        context_id, said, body = unframe(untrusted, _LABEL, MAX_SCORES_BYTES, what)
        if said.keys() != {"dimension", "kind", "network", "templates", "transform", "vectors"}:
            raise malformed(what)
        templates, transform, vectors = said["templates"], said["transform"], said["vectors"]
        if not isinstance(templates, list) or not 0 < len(templates) <= MAX_TEMPLATES:
            raise malformed(what)
        if not all(is_hex(template, SHA256_CHARACTERS) for template in templates):
            raise malformed(what)
        if transform != "" and not is_hex(transform, TRANSFORM_CHARACTERS):
            raise malformed(what)
        if type(vectors) is not int or not 0 < vectors <= MAX_VECTORS:
            raise malformed(what)
        if len(body) != len(templates) * _CIPHERTEXT_BYTES:
            raise malformed(what)
        parts = [body[at : at + _CIPHERTEXT_BYTES] for at in range(0, len(body), _CIPHERTEXT_BYTES)]
        ciphertexts = tuple(read_ciphertext(part, SCORE_PRIMES, what) for part in parts)
        return cls(context_id, Space.from_object(said), transform, tuple(templates), vectors, ciphertexts)


def open_scores(owner: OwnerKey, context: PublicContext, scores: EncryptedScores) -> Matrix:
    """Decrypts scores.

    Whether they opened is for the owner alone to know: a matcher who may ask again and again which altered
    files open learns about the key.

    Returns:
        (templates, vectors) float64, cosines, rounded to seven digits.

    Raises:
        TemplateError: template_wrong_key.
    """
    opened: list[Matrix] = []
    for ciphertext in scores.ciphertexts:
        slots = decrypt(owner, context, scores.context_id, ciphertext, scores.scale)
        said, rest = slots[: scores.vectors], slots[scores.vectors :]
        # With another key all slots are noise, some 2^15 high.
        if np.abs(rest).max() > TOLERANCE or np.abs(said).max() > 1 + TOLERANCE:
            raise wrong_key()
        opened.append(said)
    return np.asarray(np.round(np.stack(opened), DIGITS), np.float64)
