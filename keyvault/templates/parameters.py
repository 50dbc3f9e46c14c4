"""One set of parameters, with no choice in any file: nobody can hand in weaker ones.

CKKS (Cheon, Kim, Kim, Song 2017) in the ring Z[X]/(X^8192 + 1), ternary secret. Ciphertexts go down a ladder
of moduli: fresh ones have three primes, what is matched has two, scores have one. The fourth prime belongs to
keys alone (key switching). All four together have 202 bits. For this ring the Homomorphic Encryption Standard
(Albrecht et al. 2018, tables 1 and 2, ternary secret) allows 218 bits for 128-bit security, and 202 bits
against attackers with a quantum computer; SEAL enforces the first limit.

The scales leave room: 120 bits of modulus hold scores at 2^110 to 2^118, so that noise which hides how a
score came about (`hiding`) is 2^42 times the noise of the computation and still below 1e-6 of a score.
"""

from __future__ import annotations

from typing import Final

RING: Final = 8192
SLOTS: Final = RING // 2
PRIMES: Final = (0xFFFFFFFFFFD8001, 0xFFFFFFFFFFE8001, 0x3E4001, 0xFFFFFFFFFFFC001)
MODULUS_BITS: Final = 202

FRESH_PRIMES: Final = 3
MATCHED_PRIMES: Final = 2
SCORE_PRIMES: Final = 1

FRESH_SCALE: Final = 2.0**80
# Of the numbers of a transform, and of the vectors that a template is compared with.
MATRIX_SCALE: Final = 2.0**30
# After the transform the small prime is divided out.
TRANSFORMED_SCALE: Final = FRESH_SCALE * MATRIX_SCALE / PRIMES[2]

MAX_DIMENSION: Final = 512
MAX_VECTORS: Final = 1024
MAX_TEMPLATES: Final = 8
# Baby steps; giant steps are as long. Two rotations are enough for every dimension.
STEP: Final = 32
ROTATIONS: Final = (1, STEP)
GALOIS_ELEMENTS: Final = tuple(pow(3, step, 2 * RING) for step in ROTATIONS)

# In slots, relative to a score of one: the standard deviation of what hides a result.
SCORE_NOISE: Final = 2.0**-23.5
TRANSFORM_NOISE: Final = 2.0**-24.5
