"""The keys that last as long as the installation: the node's three and the log's two."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from keyvault.signing.hybrid import HybridSigner
from keyvault.signing.log import LogSigner
from keyvault.signing.slhdsa import PRIVATE_KEY_BYTES, SlhDsaKey
from keyvault.vault.errors import VaultStartError
from keyvault.vault.keystore import Keystore
from keyvault.vault.memory import Secret, wipe
from keyvault.vault.seeds import SeededLogSigner, SeededSigner

ENTRY = "identity"
SEED_BYTES = 32
# Node Ed25519, node ML-DSA-65, log Ed25519, log ML-DSA-44, in this order; the node's SLH-DSA key follows.
SEEDS = 4
ALL_SEEDS_BYTES = SEEDS * SEED_BYTES
IDENTITY_BYTES = ALL_SEEDS_BYTES + PRIVATE_KEY_BYTES


@dataclass(frozen=True)
class Identity:
    """What this installation signs with.

    Attributes:
        node: signs intake, release and failure statements; it has all three kinds of key.
        log: signs checkpoints under its own origin.
    """

    node: HybridSigner
    log: LogSigner


def new_seeds() -> Secret:
    """Draws the keys of a new installation, in the form they are stored in. The caller closes it."""
    with Secret.random(ALL_SEEDS_BYTES) as seeds:
        return _with_third_key(seeds)


def load_identity(store: Keystore) -> Identity:
    """Moves the stored keys to where they sign from.

    Raises:
        VaultStartError: vault_store_corrupt.
    """
    with store.read_secret(ENTRY) as stored:
        if len(stored) != IDENTITY_BYTES:
            raise VaultStartError("vault_store_corrupt", "the stored identity has an unknown form")
        return _expand(stored)


def log_origin(node_ed25519_key: bytes) -> str:
    """Names the log after the node's key: stable, and it says nothing about the host."""
    return f"bauta.log/{hashlib.sha256(node_ed25519_key).hexdigest()[:32]}"


def _expand(identity: Secret) -> Identity:
    """Moves each key to protected memory of its own; it is a key object for one signature at a time."""
    view = identity.view
    seeds = [Secret.moved_from(view[index * SEED_BYTES : (index + 1) * SEED_BYTES]) for index in range(SEEDS)]
    node = SeededSigner(seeds[0], seeds[1], Secret.moved_from(view[ALL_SEEDS_BYTES:]))
    return Identity(node=node, log=SeededLogSigner(log_origin(node.public.ed25519), seeds[2], seeds[3]))


def _with_third_key(seeds: Secret) -> Secret:
    whole = Secret(IDENTITY_BYTES)
    whole.view[:ALL_SEEDS_BYTES] = seeds.view
    private_key = SlhDsaKey.generate().private_bytes()
    whole.view[ALL_SEEDS_BYTES:] = private_key
    wipe(private_key)
    return whole
