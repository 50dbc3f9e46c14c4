"""Keys and ciphertexts as bytes: polynomials as their residues modulo each prime, and nothing else.

A residue is 8 bytes, little-endian, below its prime. Polynomials stand one after the other, each with its
residues modulo the first prime, then the second, and so on, in the order in which SEAL has them (number
theoretic transform). There is no length, flag or parameter to lie about: the kind says how many there are.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from keyvault.templates.errors import malformed
from keyvault.templates.parameters import PRIMES, RING

Residues = npt.NDArray[np.uint64]
"""(polynomials, primes, RING) uint64, each below its prime."""

RESIDUE_BYTES: Final = 8


def residues_bytes(polynomials: int, primes: int) -> int:
    """How many bytes so many polynomials take."""
    return polynomials * primes * RING * RESIDUE_BYTES


def pack_residues(residues: Residues) -> bytes:
    """The bytes of residues."""
    return residues.astype("<u8", copy=False).tobytes()


def read_residues(untrusted: bytes, polynomials: int, primes: tuple[int, ...], what: str) -> Residues:
    """Reads residues, each of which is below its prime.

    Args:
        untrusted: exactly as many bytes as that takes.
        polynomials: how many.
        primes: of each, in order.
        what: it is, in words.

    Raises:
        TemplateError: template_malformed.
    """
    if len(untrusted) != residues_bytes(polynomials, len(primes)):
        raise malformed(what)
    residues = np.frombuffer(untrusted, "<u8").reshape(polynomials, len(primes), RING)
    if (residues >= np.array(primes, np.uint64)[None, :, None]).any():
        raise malformed(what)
    return residues.astype(np.uint64)


def read_ciphertext(untrusted: bytes, primes: int, what: str) -> Residues:
    """Reads a ciphertext: two polynomials, of which the second is not zero.

    With a second polynomial of zero the first would be the plaintext.

    Raises:
        TemplateError: template_malformed.
    """
    residues = read_residues(untrusted, 2, PRIMES[:primes], what)
    if not residues[1].any(axis=1).all():
        raise malformed(what)
    return residues
