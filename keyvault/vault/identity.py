"""The keys that last as long as the installation: the node's two and the log's two."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from keyvault.signing.hybrid import HybridSigner
from keyvault.signing.log import LogSigner
from keyvault.vault.errors import VaultStartError
from keyvault.vault.keystore import Keystore
from keyvault.vault.memory import random_secret, wipe

ENTRY = "identity"
SEED_BYTES = 32
# Node Ed25519, node ML-DSA-65, log Ed25519, log ML-DSA-44, in this order.
SEEDS = 4


@dataclass(frozen=True)
class Identity:
    """What this installation signs with.

    Attributes:
        node: signs intake, release and failure statements.
        log: signs checkpoints under its own origin.
    """

    node: HybridSigner
    log: LogSigner


def new_seeds() -> bytearray:
    """Draws the seeds of a new installation."""
    return random_secret(SEEDS * SEED_BYTES)


def load_identity(store: Keystore) -> Identity:
    """Expands the stored seeds and wipes them.

    Raises:
        VaultStartError: vault_store_corrupt.
    """
    seeds = store.read(ENTRY)
    try:
        if len(seeds) != SEEDS * SEED_BYTES:
            raise VaultStartError("vault_store_corrupt", "the stored identity has an unknown form")
        parts = [seeds[index * SEED_BYTES : (index + 1) * SEED_BYTES] for index in range(SEEDS)]
        try:
            node = HybridSigner.from_seeds(parts[0], parts[1])
            return Identity(
                node=node,
                log=LogSigner.from_seeds(log_origin(node.public.ed25519), parts[2], parts[3]),
            )
        finally:
            for part in parts:
                wipe(part)
    finally:
        wipe(seeds)


def log_origin(node_ed25519_key: bytes) -> str:
    """Names the log after the node's key: stable, and it says nothing about the host."""
    return f"bauta.log/{hashlib.sha256(node_ed25519_key).hexdigest()[:32]}"
