"""Implementations of one algorithm agree: the others accept what one signs or encapsulates, and nothing else.

Four code bases: `cryptography` (OpenSSL), `pqcrypto` (Rust), liboqs (C) where it is installed, and the
JavaScript of @noble/post-quantum where there is Node.
"""

from __future__ import annotations

import base64
import json
import subprocess
from types import ModuleType
from typing import Any

import pytest
from age_npm import HERE, require_packages
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from pqcrypto.kem import ml_kem_768
from pqcrypto.sign import ml_dsa_44, ml_dsa_65, slh_dsa_sha2_128s

from keyvault.signing.slhdsa import SlhDsaKey
from provenance.algorithms.liboqs import load_liboqs
from provenance.algorithms.providers import PROVIDERS
from provenance.algorithms.registry import CRYPTOGRAPHY, LIBOQS, MLDSA44, MLDSA65, PQCRYPTO, SLHDSA128S

MESSAGE = b"DSSEv1 28 application/vnd.in-toto+json 2 {}"
ALGORITHMS = (MLDSA44, MLDSA65, SLHDSA128S)
PQCRYPTO_MODULES: dict[str, Any] = {
    MLDSA44: ml_dsa_44,
    MLDSA65: ml_dsa_65,
    SLHDSA128S: slh_dsa_sha2_128s,
}
CRYPTOGRAPHY_KEYS: dict[str, Any] = {MLDSA44: MLDSA44PrivateKey, MLDSA65: MLDSA65PrivateKey}
LIBOQS_NAMES = {MLDSA44: "ML-DSA-44", MLDSA65: "ML-DSA-65", SLHDSA128S: "SLH_DSA_PURE_SHA2_128S"}


@pytest.fixture(scope="module")
def oqs() -> ModuleType:
    """The `oqs` package over its C library."""
    package = load_liboqs()
    if package is None:
        pytest.skip(
            "liboqs' C library is not installed (OQS_INSTALL_PATH): it is not compared with the others"
        )
    return package


def signed_by_cryptography(algorithm: str) -> tuple[bytes, bytes]:
    key = CRYPTOGRAPHY_KEYS[algorithm].generate()
    return key.public_key().public_bytes_raw(), key.sign(MESSAGE)


def signed_by_pqcrypto(algorithm: str) -> tuple[bytes, bytes]:
    public_key, private_key = PQCRYPTO_MODULES[algorithm].keygen()
    return public_key, PQCRYPTO_MODULES[algorithm].sign(private_key, MESSAGE)


def signed_by_liboqs(oqs: ModuleType, algorithm: str) -> tuple[bytes, bytes]:
    with oqs.Signature(LIBOQS_NAMES[algorithm]) as signer:
        public_key = signer.generate_keypair()
        return public_key, signer.sign(MESSAGE)


def assert_only_the_true_one_holds(
    provider: str, algorithm: str, public_key: bytes, signature: bytes
) -> None:
    check = PROVIDERS[provider]
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    assert check(algorithm, public_key, MESSAGE, signature)
    assert not check(algorithm, public_key, MESSAGE + b" ", signature)
    assert not check(algorithm, public_key, MESSAGE, flipped)


@pytest.mark.parametrize("algorithm", [MLDSA44, MLDSA65])
def test_pqcrypto_accepts_what_cryptography_signs(algorithm: str) -> None:
    assert_only_the_true_one_holds(PQCRYPTO, algorithm, *signed_by_cryptography(algorithm))


@pytest.mark.parametrize("algorithm", [MLDSA44, MLDSA65])
def test_cryptography_accepts_what_pqcrypto_signs(algorithm: str) -> None:
    assert_only_the_true_one_holds(CRYPTOGRAPHY, algorithm, *signed_by_pqcrypto(algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_liboqs_accepts_what_pqcrypto_signs(oqs: ModuleType, algorithm: str) -> None:
    assert oqs.is_sig_enabled(LIBOQS_NAMES[algorithm])
    assert_only_the_true_one_holds(LIBOQS, algorithm, *signed_by_pqcrypto(algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_pqcrypto_accepts_what_liboqs_signs(oqs: ModuleType, algorithm: str) -> None:
    assert_only_the_true_one_holds(PQCRYPTO, algorithm, *signed_by_liboqs(oqs, algorithm))


@pytest.mark.parametrize("algorithm", [MLDSA44, MLDSA65])
def test_liboqs_and_cryptography_accept_each_other(oqs: ModuleType, algorithm: str) -> None:
    assert_only_the_true_one_holds(LIBOQS, algorithm, *signed_by_cryptography(algorithm))
    assert_only_the_true_one_holds(CRYPTOGRAPHY, algorithm, *signed_by_liboqs(oqs, algorithm))


def test_noble_accepts_what_the_service_signs_with() -> None:
    """Another language, another code base; for SLH-DSA the one that is always compared."""
    third = SlhDsaKey.generate()
    signed = {
        MLDSA44: signed_by_cryptography(MLDSA44),
        MLDSA65: signed_by_cryptography(MLDSA65),
        SLHDSA128S: (third.public_key, third.sign(MESSAGE)),
    }
    asked = [
        {
            "algorithm": algorithm,
            "publicKey": base64.b64encode(public_key).decode(),
            "message": base64.b64encode(message).decode(),
            "signature": base64.b64encode(signature).decode(),
        }
        for algorithm, (public_key, signature) in signed.items()
        for message in (MESSAGE, MESSAGE + b" ")
    ]
    require_packages()
    ran = subprocess.run(
        ["node", "noble_peer.mjs"],
        cwd=HERE,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert json.loads(ran.stdout) == [True, False] * len(signed)


def test_mlkem768_between_cryptography_and_pqcrypto() -> None:
    ours = MLKEM768PrivateKey.generate()
    ciphertext, secret = ml_kem_768.encaps(ours.public_key().public_bytes_raw())
    assert ours.decapsulate(ciphertext) == secret

    public_key, private_key = ml_kem_768.keygen()
    secret, ciphertext = MLKEM768PublicKey.from_public_bytes(public_key).encapsulate()
    assert ml_kem_768.decaps(private_key, ciphertext) == secret


def test_mlkem768_between_cryptography_and_liboqs(oqs: ModuleType) -> None:
    ours = MLKEM768PrivateKey.generate()
    with oqs.KeyEncapsulation("ML-KEM-768") as theirs:
        ciphertext, secret = theirs.encap_secret(ours.public_key().public_bytes_raw())
        assert ours.decapsulate(ciphertext) == secret

        public_key = theirs.generate_keypair()
        secret, ciphertext = MLKEM768PublicKey.from_public_bytes(public_key).encapsulate()
        assert theirs.decap_secret(ciphertext) == secret
