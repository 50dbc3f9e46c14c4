"""Signing keys that exist for the length of one signature.

A private key inside OpenSSL lies in ordinary memory, seed and all, for as long as its object lives, and a
reader with root's rights finds it there. So the seeds stay in protected memory (`Secret`), and the objects
are made from them for each signature; OpenSSL clears them when they go. That costs less than a millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence

from keyvault.signing.hybrid import HybridSigner
from keyvault.signing.log import LogSigner
from keyvault.signing.slhdsa import SlhDsaKey
from keyvault.vault.memory import Secret
from provenance.dsse import Signature
from provenance.keys import SLHDSA128S, STATEMENT_SUITE


class SeededSigner(HybridSigner):
    """A `HybridSigner` that keeps seeds, not keys. Thread-safe.

    Args:
        ed25519_seed: 32 bytes.
        mldsa65_seed: 32 bytes.
        slhdsa128s_key: 64 bytes, the private key of FIPS 205. `pqcrypto` takes `bytes`: each signature of
            this kind leaves a copy in freed memory.
    """

    def __init__(self, ed25519_seed: Secret, mldsa65_seed: Secret, slhdsa128s_key: Secret) -> None:
        self._ed25519_seed = ed25519_seed
        self._mldsa65_seed = mldsa65_seed
        self._slhdsa128s_key = slhdsa128s_key
        self._public = self._expand((SLHDSA128S,)).public

    def sign(self, message: bytes, algorithms: Sequence[str] = STATEMENT_SUITE) -> tuple[Signature, ...]:
        """See `HybridSigner.sign`."""
        return self._expand(algorithms).sign(message, algorithms)

    def _expand(self, algorithms: Sequence[str]) -> HybridSigner:
        third = SlhDsaKey(bytes(self._slhdsa128s_key.view)) if SLHDSA128S in algorithms else None
        return HybridSigner.from_seeds(self._ed25519_seed.view, self._mldsa65_seed.view, third)


class SeededLogSigner(LogSigner):
    """A `LogSigner` that keeps seeds, not keys. Thread-safe.

    Args:
        origin: of the log.
        ed25519_seed: 32 bytes.
        mldsa44_seed: 32 bytes.

    Raises:
        FormatError: the origin is no name for a log.
    """

    def __init__(self, origin: str, ed25519_seed: Secret, mldsa44_seed: Secret) -> None:
        self._ed25519_seed = ed25519_seed
        self._mldsa44_seed = mldsa44_seed
        self._origin = origin
        self._verifier_keys = self._expand().verifier_keys

    def sign_checkpoint(self, text: bytes, now: int) -> bytes:
        """See `LogSigner.sign_checkpoint`."""
        return self._expand().sign_checkpoint(text, now)

    def _expand(self) -> LogSigner:
        return LogSigner.from_seeds(self._origin, self._ed25519_seed.view, self._mldsa44_seed.view)
