"""A result says its numbers and not how they came about.

Decrypting gives a result and its noise, and the noise is a linear function of what the matcher computed with:
an owner could look there for the vectors that were compared. So whoever computes adds to each result

- a fresh encryption of zero, by which the second polynomial is as good as random to everybody who does not
  know that encryption's own randomness, the owner among them (learning with errors);
- normal noise, drawn evenly over all 8,192 coefficients, about 2^42 times as wide as the noise it hides. The
  statistical distance that is left is below the ratio of their Euclidean lengths (docs/templates.md has the
  figures).

Both are void against an owner who made the public context to cheat: a public key of chosen numbers encrypts
nothing, and chosen Galois keys can carry more noise than is hidden. See docs/templates.md.
"""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keyvault.templates.parameters import SLOTS
from keyvault.templates.seal import Seal

# Numbers of double precision leave gaps of some 2^30 between coefficients of 2^80; noise of 2^45 fills them.
_FILLING: Final = 2.0**52
_FRACTION_BITS: Final = 53


def hide(seal: Seal, ciphertext: Any, deviation: float) -> None:
    """Adds an encryption of zero, and noise.

    Args:
        seal: of the public context.
        ciphertext: SEAL's, of two polynomials; changed.
        deviation: standard deviation of the noise in each slot, relative to a number of one.
    """
    primes, scale = ciphertext.coeff_modulus_size(), ciphertext.scale
    zero = seal.encrypt_zero(primes)
    zero.scale = scale
    seal.evaluator.add_inplace(ciphertext, zero)
    for width in (scale * deviation, _FILLING):
        noise = seal.plaintext(normal(SLOTS).tolist(), primes, width)
        noise.scale = scale
        seal.evaluator.add_plain_inplace(ciphertext, noise)


def normal(count: int) -> npt.NDArray[np.complex128]:
    """Draws complex numbers whose two parts are normal with deviation one (Box and Muller 1958).

    From the system's randomness: noise that hides must not be foreseen.
    """
    bits = np.frombuffer(os.urandom(count * 16), "<u8").reshape(2, count) >> np.uint64(64 - _FRACTION_BITS)
    even = (bits.astype(np.float64) + 0.5) * 2.0**-_FRACTION_BITS
    return np.asarray(np.sqrt(-2 * np.log(even[0])) * np.exp(2j * np.pi * even[1]))
