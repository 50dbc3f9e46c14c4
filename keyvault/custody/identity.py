"""A custodian's private keys: an age identity for shares, Ed25519 and ML-DSA-65 for decisions.

Protected as the vault's store is, by the same code: a master key that a passphrase (Argon2id) or a PKCS#11
token keeps, and an entry sealed under it. There is no unprotected form. Only the custodian's own process
(`python -m keyvault.custody`) imports this, since it brings the vault's code along.
"""

from __future__ import annotations

import os
from typing import Final

from keyvault.age import HybridIdentity
from keyvault.custody.card import CustodianCard, file_invalid
from keyvault.custody.errors import CustodianError
from keyvault.custody.identity_file import FILE_ID_BYTES, CustodianFile
from keyvault.signing.hybrid import SEED_BYTES, HybridSigner
from keyvault.vault.custody.contract import MASTER_KEY_BYTES, Custodian
from keyvault.vault.custody.errors import CustodyError
from keyvault.vault.memory import Secret
from keyvault.vault.sealing import SealBrokenError, open_entry, plaintext_size, seal_entry

_ENTRY: Final = "custodian"
_SEEDS: Final = 3


class CustodianIdentity:
    """A custodian's keys, open. Its repr shows the public digest alone."""

    def __init__(self, identity: HybridIdentity, signer: HybridSigner) -> None:
        self._identity = identity
        self._signer = signer

    @classmethod
    def from_seeds(cls, seeds: memoryview) -> CustodianIdentity:
        """Expands three seeds of 32 bytes: identity, Ed25519, ML-DSA-65. The caller wipes them."""
        parts = [seeds[at : at + SEED_BYTES] for at in range(0, _SEEDS * SEED_BYTES, SEED_BYTES)]
        return cls(HybridIdentity(bytes(parts[0])), HybridSigner.from_seeds(parts[1], parts[2]))

    @property
    def identity(self) -> HybridIdentity:
        """Opens shares."""
        return self._identity

    @property
    def signer(self) -> HybridSigner:
        """Signs decisions."""
        return self._signer

    @property
    def card(self) -> CustodianCard:
        """The public part."""
        return CustodianCard(self._identity.recipient, self._signer.public)

    def __repr__(self) -> str:
        return f"CustodianIdentity({self.card.keys[:16]})"


def make_custodian(protection: Custodian) -> CustodianFile:
    """Draws fresh keys and seals them.

    Args:
        protection: a passphrase or a token.

    Raises:
        CustodyError: the token's reason.
    """
    file_id = os.urandom(FILE_ID_BYTES)
    with (
        Secret.random(_SEEDS * SEED_BYTES) as seeds,
        Secret.random(MASTER_KEY_BYTES, inheritable=True) as key,
    ):
        card = CustodianIdentity.from_seeds(seeds.view).card
        custody = {**protection.wrap(key.view, file_id), "kind": protection.kind}
        unsealed = CustodianFile(card, file_id, custody, b"")
        return CustodianFile(
            card, file_id, custody, seal_entry(key.view, unsealed.header, _ENTRY, seeds.view)
        )


def open_custodian(file: CustodianFile, protection: Custodian) -> CustodianIdentity:
    """Opens a custodian's keys.

    Args:
        file: as it was read; anybody may have changed it.
        protection: as for `make_custodian`.

    Raises:
        CustodianError: custodian_file_invalid: it is protected by other means or was changed;
            custodian_unlock_failed: not with this passphrase or token.
        CustodyError: a token's other reasons.
    """
    parameters = dict(file.custody)
    if parameters.pop("kind") != protection.kind:
        raise CustodianError(
            "custodian_unlock_failed", "the file is protected by other means; see its `custody`"
        )
    with Secret(_SEEDS * SEED_BYTES) as seeds, Secret(MASTER_KEY_BYTES, inheritable=True) as key:
        try:
            protection.unwrap(parameters, file.file_id, key.view)
            if plaintext_size(file.sealed) != len(seeds):
                raise SealBrokenError
            open_entry(key.view, file.header, _ENTRY, file.sealed, seeds.view)
        except SealBrokenError:
            raise file_invalid() from None
        except CustodyError as defect:
            if defect.code in {"vault_unlock_failed", "vault_token_key_changed"}:
                raise CustodianError(
                    "custodian_unlock_failed", "this passphrase or token does not open the custodian's keys"
                ) from None
            if defect.code == "vault_store_corrupt":
                raise file_invalid() from None
            raise
        opened = CustodianIdentity.from_seeds(seeds.view)
    if opened.card != file.card:
        raise file_invalid()
    return opened
