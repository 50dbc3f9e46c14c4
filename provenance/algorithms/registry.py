"""The names of every signature, KEM and sealing suite that Bauta knows, with the lengths of their parts.

A signature's name is looked up here before it is checked. A sealed object begins with, or is bound to, the
name of its suite; its format takes that one and no other. A new algorithm is one row here, one line for its
provider, and the format that takes it. docs/algorithms.md shows where each name stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from provenance.errors import FormatError

RestsOn = Literal["curves", "lattices", "hashes", "lattices and curves"]

ED25519: Final = "ed25519"
MLDSA44: Final = "mldsa44"
MLDSA65: Final = "mldsa65"
SLHDSA128S: Final = "slhdsa128s"

CRYPTOGRAPHY: Final = "cryptography"
PQCRYPTO: Final = "pqcrypto"
LIBOQS: Final = "liboqs"


@dataclass(frozen=True)
class SignatureAlgorithm:
    """A way to sign.

    Attributes:
        name: as in a key id, a trust file or a policy.
        title: what its standard calls it.
        standard: where it is written down.
        rests_on: what falls if it falls.
        public_key_bytes: length of the raw public key.
        signature_bytes: length of a signature.
        providers: who can check one, the first choice first.
    """

    name: str
    title: str
    standard: str
    rests_on: RestsOn
    public_key_bytes: int
    signature_bytes: int
    providers: tuple[str, ...]


@dataclass(frozen=True)
class Kem:
    """A way to seal a key to somebody.

    Attributes:
        name: as in an age stanza.
        title: what its standard calls it.
        standard: where it is written down.
        rests_on: what falls if it falls; of two, both must.
        public_key_bytes: length of the raw public key.
        encapsulation_bytes: length of what the recipient needs to find the shared secret.
        seals_for_bauta: whether anything is sealed with it for the service or by it.
        providers: who computes it.
    """

    name: str
    title: str
    standard: str
    rests_on: RestsOn
    public_key_bytes: int
    encapsulation_bytes: int
    seals_for_bauta: bool
    providers: tuple[str, ...]


_SIGNATURES = (
    SignatureAlgorithm(ED25519, "Ed25519", "RFC 8032", "curves", 32, 64, (CRYPTOGRAPHY,)),
    SignatureAlgorithm(
        MLDSA44, "ML-DSA-44", "FIPS 204", "lattices", 1312, 2420, (CRYPTOGRAPHY, PQCRYPTO, LIBOQS)
    ),
    SignatureAlgorithm(
        MLDSA65, "ML-DSA-65", "FIPS 204", "lattices", 1952, 3309, (CRYPTOGRAPHY, PQCRYPTO, LIBOQS)
    ),
    SignatureAlgorithm(SLHDSA128S, "SLH-DSA-SHA2-128s", "FIPS 205", "hashes", 32, 7856, (PQCRYPTO, LIBOQS)),
)
SIGNATURES: Final = {algorithm.name: algorithm for algorithm in _SIGNATURES}
"""By name."""

_KEMS = (
    Kem(
        name="mlkem768x25519",
        title="X-Wing (ML-KEM-768 with X25519) in HPKE",
        standard="FIPS 203, RFC 7748, RFC 9180; c2sp.org/age",
        rests_on="lattices and curves",
        public_key_bytes=1184 + 32,
        encapsulation_bytes=1088 + 32,
        seals_for_bauta=True,
        providers=(CRYPTOGRAPHY,),
    ),
    Kem(
        name="X25519",
        title="X25519",
        standard="RFC 7748; c2sp.org/age",
        rests_on="curves",
        public_key_bytes=32,
        encapsulation_bytes=32,
        seals_for_bauta=False,
        providers=(CRYPTOGRAPHY,),
    ),
)
KEMS: Final = {kem.name: kem for kem in _KEMS}
"""By name."""


@dataclass(frozen=True)
class SealingSuite:
    """One way in which something is sealed.

    Attributes:
        name: as in the sealed object, or in the context that it is bound to.
        kem: the name of its KEM; None for a seal under a key that both sides already have.
        kdf: makes the sealing key.
        aead: seals.
    """

    name: str
    kem: str | None
    kdf: str
    aead: str


_CHACHA: Final = "ChaCha20-Poly1305"
_HKDF: Final = "HKDF-SHA256"

_SUITES = (
    SealingSuite("mlkem768x25519", "mlkem768x25519", _HKDF, _CHACHA),
    SealingSuite("X25519", "X25519", _HKDF, _CHACHA),
    SealingSuite("scrypt", None, "scrypt", _CHACHA),
    SealingSuite("bauta.release.v1", "mlkem768x25519", _HKDF, _CHACHA),
    SealingSuite("bauta.sealed/v1", None, _HKDF, _CHACHA),
)
SUITES: Final = {suite.name: suite for suite in _SUITES}
"""By name."""

STATEMENT_SUITE: Final = (ED25519, MLDSA65)
"""What every statement is signed with, whatever a policy or a trust file asks for besides."""

STATEMENT_SIGNATURES: Final = (ED25519, MLDSA65, SLHDSA128S)
"""What a statement can be signed with, in the order in which its signatures stand."""


def signature_algorithm(name: str) -> SignatureAlgorithm:
    """Looks up a signature algorithm.

    Raises:
        FormatError: `unknown_algorithm`.
    """
    try:
        return SIGNATURES[name]
    except KeyError:
        raise FormatError(
            "a signature is of an algorithm that is not known here", "unknown_algorithm"
        ) from None


def signature_set(names: object) -> tuple[str, ...]:
    """Reads a list of signature algorithms that somebody demands of a statement.

    Returns:
        The names in the order in which signatures stand.

    Raises:
        FormatError: `unknown_algorithm`; `signatures_too_weak`, the list does not hold the whole suite;
            or malformed, it is no list of names or repeats one.
    """
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise FormatError("a list of signature algorithms is not a list of names")
    if not set(names) <= set(STATEMENT_SIGNATURES):
        raise FormatError("a list of signature algorithms names an unknown one", "unknown_algorithm")
    if len(set(names)) != len(names):
        raise FormatError("a list of signature algorithms names one twice")
    if not set(STATEMENT_SUITE) <= set(names):
        raise FormatError(
            f"a list of signature algorithms must hold {' and '.join(STATEMENT_SUITE)}", "signatures_too_weak"
        )
    return tuple(name for name in STATEMENT_SIGNATURES if name in names)
