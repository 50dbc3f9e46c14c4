"""The derivation master, and keys derived from it for workers that have their file key.

The master is drawn once and lasts as long as the installation: whoever restores the vault's folder from a
backup has it back. What is derived is stored nowhere; the same name gives the same key again.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyvault.derived import DERIVED_KEY_BYTES, MAX_DERIVED_KEYS, Binding, KeyName, seal_derived_key
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.keystore import Keystore
from keyvault.vault.memory import Secret
from keyvault.vault.releases import Offer, ReleaseDesk
from protos.bauta.internal.v1.release_pb2 import DeriveRequest

ENTRY = "derivation"
MASTER_BYTES = 32


def new_master() -> Secret:
    """Draws the master of a new installation. The caller closes it."""
    return Secret.random(MASTER_BYTES)


def load_master(store: Keystore) -> Secret:
    """Reads the master into protected memory, for as long as the vault runs.

    Raises:
        VaultStartError: vault_store_corrupt.
    """
    master = store.read_secret(ENTRY)
    if len(master) != MASTER_BYTES:
        raise VaultStartError("vault_store_corrupt", "the stored derivation master has an unknown form")
    return master


class DerivationDesk:
    """Decides on derived keys. Keeps nothing between two jobs; thread-safe.

    Args:
        master: what all of them come from.
        releases: knows whether a job is still open, and its file key.
    """

    def __init__(self, master: Secret, releases: ReleaseDesk) -> None:
        self._master = master
        self._releases = releases

    def derive(self, offer: Offer, untrusted: DeriveRequest) -> list[bytes]:
        """Derives the keys that a job asks for, each sealed to its worker.

        Args:
            offer: what was released.
            untrusted: what the job's child asks for.

        Raises:
            VaultRequestError: derivation_malformed, or the job has ended.
        """
        file_key = self._releases.require_open(offer).file_key
        names = _names(untrusted)
        try:
            binding = Binding(offer.job_id, offer.age_header, file_key.view)
            return [self._sealed(name, offer.worker_hpke_key, binding) for name in names]
        except RuntimeError:  # It was closed between the two lines.
            raise VaultRequestError("upload_not_accepted", "the job has ended meanwhile") from None

    def _sealed(self, name: KeyName, worker_hpke_key: bytes, binding: Binding) -> bytes:
        with Secret(DERIVED_KEY_BYTES) as key:
            HKDF(SHA256(), DERIVED_KEY_BYTES, None, name.info).derive_into(self._master.view, key.view)
            return seal_derived_key(key.view, worker_hpke_key, binding, name)


def _names(untrusted: DeriveRequest) -> Sequence[KeyName]:
    if len(untrusted.keys) > MAX_DERIVED_KEYS:
        raise VaultRequestError("derivation_malformed", f"a job has {MAX_DERIVED_KEYS} derived keys at most")
    try:
        return [KeyName(asked.purpose, asked.context) for asked in untrusted.keys]
    except ValueError:
        raise VaultRequestError("derivation_malformed", "the request names a key that there is not") from None
