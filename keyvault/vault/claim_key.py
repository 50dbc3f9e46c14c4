"""The key that signs content credentials (ES256), its certificates, and where others can be installed.

    vault folder/  credentials.csr  what a certificate authority is asked with
                   credentials.pem  what it answered, put there by the operator: leaf first, root last

Without an installed chain the key's certificate is by a root of the vault's own, which signed that one
certificate and was forgotten. The key lasts as long as the installation, like the node's and the log's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from keyvault.vault.durable import write_durably
from keyvault.vault.errors import VaultStartError
from keyvault.vault.keystore import Keystore
from keyvault.vault.memory import Secret
from provenance.credentials.certificates import (
    MAX_CERTIFICATE_BYTES,
    MAX_CERTIFICATES,
    check_chain,
    own_chain,
    signing_request,
)
from provenance.credentials.claim import SIGNATURE_BYTES, Claim, to_be_signed
from provenance.errors import FormatError

ENTRY = "claims"
REQUEST_FILE = "credentials.csr"
CHAIN_FILE = "credentials.pem"
# Lengths of the certificate and the root, then both, then the private key (PKCS #8).
_LENGTHS = struct.Struct(">HH")
_MAX_CHAIN_FILE_BYTES = 2 * MAX_CERTIFICATES * MAX_CERTIFICATE_BYTES


@dataclass(frozen=True)
class ClaimKey:
    """Signs claims. Thread-safe.

    Attributes:
        chain: DER certificates, the key's own first, without the root.
        root: DER.
        private_key: PKCS #8, DER; a key object is made from it for each signature (`seeds`).
    """

    chain: tuple[bytes, ...]
    root: bytes
    private_key: Secret = field(repr=False, compare=False)

    def sign(self, claim: Claim) -> bytes:
        """Gives the 64-byte ES256 signature of a claim."""
        signature = _expand(self.private_key).sign(to_be_signed(claim, self.chain), ec.ECDSA(SHA256()))
        half = SIGNATURE_BYTES // 2
        return b"".join(number.to_bytes(half, "big") for number in decode_dss_signature(signature))


def new_claim_key(now: datetime) -> Secret:
    """Draws and certifies the key of a new installation, in the form it is stored in. The caller closes it.

    Args:
        now: with a time zone; certificates begin with its day, and say no more about when this was.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    since = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    leaf, root = own_chain(ec.generate_private_key(ec.SECP256R1()), key.public_key(), since)
    private_key = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return Secret.moved_from(
        bytearray(_LENGTHS.pack(len(leaf), len(root)) + leaf + root + private_key),
    )


def load_claim_key(store: Keystore, folder: Path, clock: Callable[[], float]) -> ClaimKey:
    """Reads the key, and the chain that the operator installed, where there is one.

    Args:
        store: has the key.
        folder: the vault's own; a signing request is left there for the operator.
        clock: seconds since the epoch.

    Raises:
        VaultStartError: vault_store_corrupt, vault_store_unwritable, credential_chain_invalid.
    """
    with store.read_secret(ENTRY) as stored:
        own = read_claim_key(stored)
    key = _expand(own.private_key)
    _leave_request(folder / REQUEST_FILE, key)
    installed = _installed(folder / CHAIN_FILE)
    if installed is None:
        return own
    try:
        check_chain(installed, key.public_key(), datetime.fromtimestamp(clock(), UTC))
    except FormatError as reason:
        raise VaultStartError(
            "credential_chain_invalid", f"{CHAIN_FILE} in the vault's folder cannot be used: {reason}"
        ) from None
    return ClaimKey(installed[:-1], installed[-1], own.private_key)


def read_claim_key(stored: Secret) -> ClaimKey:
    """Reads what `new_claim_key` made.

    Raises:
        VaultStartError: vault_store_corrupt.
    """
    try:
        leaf_bytes, root_bytes = _LENGTHS.unpack_from(stored.view)
        root_at = _LENGTHS.size + leaf_bytes
        key_at = root_at + root_bytes
        leaf, root = bytes(stored.view[_LENGTHS.size : root_at]), bytes(stored.view[root_at:key_at])
        private_key = Secret.moved_from(stored.view[key_at:])
        _expand(private_key)
    except (struct.error, ValueError, TypeError):
        raise VaultStartError("vault_store_corrupt", "the stored claim key has an unknown form") from None
    return ClaimKey((leaf,), root, private_key)


def _expand(private_key: Secret) -> ec.EllipticCurvePrivateKey:
    key = load_der_private_key(private_key.view, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("a claim key is on a curve")
    return key


def _leave_request(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    if path.exists():
        return
    try:
        write_durably(path, signing_request(key))
    except OSError:
        raise VaultStartError("vault_store_unwritable", "the vault's folder cannot be written") from None


def _installed(path: Path) -> tuple[bytes, ...] | None:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_CHAIN_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError:
        raise VaultStartError(
            "credential_chain_invalid", f"{CHAIN_FILE} in the vault's folder cannot be read"
        ) from None
    try:
        if len(content) > _MAX_CHAIN_FILE_BYTES:
            raise ValueError
        certificates = x509.load_pem_x509_certificates(content)
    except ValueError:
        raise VaultStartError(
            "credential_chain_invalid", f"{CHAIN_FILE} in the vault's folder holds no PEM certificates"
        ) from None
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in certificates)
