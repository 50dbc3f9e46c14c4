"""A matrix in the clear times an encrypted vector, without a look at the vector.

Diagonals (Halevi and Shoup 2014), in baby and giant steps. A vector of d numbers stands in the slots over and
over. Row r of the result is in slot r:

    y[r] = sum over k of M[r, r + k] v[r + k]         (columns modulo d)

so each diagonal is one product of slots with the vector rotated by k = 32 j + i. Rotating is dear and
encoding cheap: the vector is rotated 31 times by one (i), and the sums of each j, gathered from the last to
the first, by 32 (Horner's scheme). So 31 + d/32 - 1 rotations are enough, of two kinds: two Galois keys
instead of one for each distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tenseal import sealapi

from keyvault.templates.parameters import MATRIX_SCALE, SLOTS, STEP
from keyvault.templates.seal import Seal
from keyvault.templates.vectors import Matrix


def multiply(seal: Seal, matrix: Matrix, ciphertexts: Sequence[Any]) -> list[Any]:
    """Multiplies.

    Args:
        seal: of the public context.
        matrix: (rows, d) float64, 1 to 4,096 rows, d a power of two from 32 on; not all zero.
        ciphertexts: SEAL's, vectors of d numbers, 4,096 / d times in a row; all with the same primes.

    Returns:
        One ciphertext each, at the scale of the vector times MATRIX_SCALE; slots from `rows` on hold zero.
    """
    primes = ciphertexts[0].coeff_modulus_size()
    galois = seal.keeper.data.galois_keys()
    rotated = [_rotations(seal, galois, ciphertext) for ciphertext in ciphertexts]
    totals: list[Any] = [None] * len(ciphertexts)
    for giant in reversed(range(matrix.shape[1] // STEP)):
        inner: list[Any] = [None] * len(ciphertexts)
        for baby in range(STEP):
            diagonal = seal.plaintext(_diagonal(matrix, giant, baby).tolist(), primes, MATRIX_SCALE)
            # SEAL refuses a product with zero: it would be no ciphertext but zero in the open.
            if diagonal.is_zero():
                continue
            for place, turned in enumerate(rotated):
                term = sealapi.Ciphertext()
                seal.evaluator.multiply_plain(turned[baby], diagonal, term)
                inner[place] = _sum(seal, inner[place], term)
        for place, total in enumerate(totals):
            if total is not None:
                seal.evaluator.rotate_vector_inplace(total, STEP, galois)
            totals[place] = _sum(seal, total, inner[place])
    return totals


def _rotations(seal: Seal, galois: Any, ciphertext: Any) -> list[Any]:
    turned = [ciphertext]
    for _ in range(STEP - 1):
        following = sealapi.Ciphertext()
        seal.evaluator.rotate_vector(turned[-1], 1, galois, following)
        turned.append(following)
    return turned


def _diagonal(matrix: Matrix, giant: int, baby: int) -> Matrix:
    """Diagonal 32 giant + baby, turned back by the giant step that is taken afterwards."""
    rows = np.arange(len(matrix))
    slots = np.zeros(SLOTS)
    slots[(rows + giant * STEP) % SLOTS] = matrix[rows, (rows + giant * STEP + baby) % matrix.shape[1]]
    return slots


def _sum(seal: Seal, one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    seal.evaluator.add_inplace(one, other)
    return one
