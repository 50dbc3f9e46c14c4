"""Puts the vault together: wall first, then the store, then both channels."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from keyvault.vault import (
    acceptances,
    claim_key,
    derived,
    identity,
    intake,
    ratchet,
    register,
    retirements,
    rings,
)
from keyvault.vault.anchoring import AnchorOrders, load_anchor_desk
from keyvault.vault.announcements import Announcer, WorkerFacts, WorkerPresence
from keyvault.vault.claims import ClaimDesk
from keyvault.vault.config import VaultConfig
from keyvault.vault.confirmations import Confirmations
from keyvault.vault.custody.choice import CustodyChoice
from keyvault.vault.disclosures import DisclosureDesk
from keyvault.vault.erasures import Erasures
from keyvault.vault.errors import VaultStartError
from keyvault.vault.follow_ups import FollowUps
from keyvault.vault.frames import take_socket
from keyvault.vault.frontdesk import FrontDesk, serve_front_desk
from keyvault.vault.hardening import harden_process
from keyvault.vault.keystore import Entries, Keystore
from keyvault.vault.releases import ReleaseDesk
from keyvault.vault.workers import WorkerChannel
from provenance.errors import FormatError
from provenance.keys import HybridPublicKey
from provenance.note import VerifierKey
from provenance.witness.policy import WitnessPolicy
from provenance.witness.quorum import require_own_log

_logger = logging.getLogger("keyvault")


@dataclass(frozen=True)
class VaultOptions:
    """How a vault is started.

    Attributes:
        front_fd: the front desk's channel.
        worker_fd: the worker host's channel.
        folder: the vault's own folder.
        custody: who keeps the master key.
        release_keys: whose releases of worker versions count, where the vault is made; none: the node's.
        config: limits.
        witness_policy: whose cosignatures a release's checkpoint must carry; None for nobody's.
        anchors: what may be signed for a chain; None for nothing.
    """

    front_fd: int
    worker_fd: int
    folder: Path
    custody: CustodyChoice
    release_keys: tuple[HybridPublicKey, ...]
    config: VaultConfig
    witness_policy: WitnessPolicy | None = None
    anchors: AnchorOrders | None = None


def run_vault(options: VaultOptions) -> None:
    """Runs until the front channel closes.

    Raises:
        VaultStartError: it cannot start; nothing has been answered on any channel.
    """
    if not harden_process():
        _logger.info("memory is not locked: raise RLIMIT_MEMLOCK to keep keys out of swap")
    store = open_store(options.folder, options.custody, options.release_keys)
    try:
        _serve(store, options)
    finally:
        store.close()


def open_store(
    folder: Path, custody: CustodyChoice | None = None, release_keys: Sequence[HybridPublicKey] = ()
) -> Keystore:
    """Opens the store in a folder, and makes it on the first start.

    Args:
        folder: the vault's own.
        custody: who keeps the master key; None for the key file in the folder.
        release_keys: kept for good on the first start.

    Raises:
        VaultStartError: with the reason.
    """

    def first_entries() -> Entries:
        return {
            identity.ENTRY: identity.new_seeds(),
            claim_key.ENTRY: claim_key.new_claim_key(datetime.now(UTC)),
            derived.ENTRY: derived.new_master(),
            intake.ENTRY: bytearray(),
            retirements.ENTRY: bytearray(),
            acceptances.ENTRY: bytearray(),
            ratchet.ENTRY: ratchet.new_memory(),
            register.ENTRY: register.stored_form(release_keys),
        }

    try:
        with (custody or CustodyChoice()).open(folder) as custodian:
            return Keystore.open(folder, custodian, first_entries)
    except OSError:
        raise VaultStartError(
            "vault_store_unwritable", "the vault's folder cannot be made or written; check its disk and owner"
        ) from None


def _serve(store: Keystore, options: VaultOptions) -> None:
    config = options.config
    keys = identity.load_identity(store)
    intake_keys = intake.IntakeKeys(store, config, time.time)
    credentials = claim_key.load_claim_key(store, options.folder, time.time)
    derivation_master = derived.load_master(store)
    accepted = acceptances.Acceptances(store, intake_keys, config, time.time)
    if options.witness_policy is not None:
        _require_policy_of(options.witness_policy, keys.log.verifier_keys)
    confirmations = Confirmations(keys.log.origin, keys.log.verifier_keys, options.witness_policy)
    checkpoints = ratchet.CheckpointRatchet(store, keys.log, time.time)
    release_keys = register.load_release_keys(store, keys.node.public)
    if options.release_keys and set(options.release_keys) != set(release_keys):
        raise VaultStartError(
            "release_keys_fixed", "this vault was made with other release keys; make a new one"
        )
    workers = register.WorkerRegister(keys.node, release_keys, time.time)
    presence = WorkerPresence()

    def wait_for_worker() -> WorkerFacts:
        return presence.wait(config.hello_wait_seconds)

    try:
        front_channel = take_socket(options.front_fd)
        worker_channel = take_socket(options.worker_fd)
    except OSError:
        raise VaultStartError(
            "vault_channel_invalid", "a channel's descriptor is no Unix stream socket"
        ) from None
    releases = ReleaseDesk(keys.node, accepted, config, time.time)
    wrapped_keys = rings.Rings(store)
    # Before any worker is heard: it finishes what a crash broke off.
    erasures = Erasures(store, wrapped_keys, keys.node, time.time)
    follow_ups = FollowUps(
        derived.DerivationDesk(derivation_master, releases),
        ClaimDesk(credentials, keys.log.origin, releases),
        releases,
        wrapped_keys,
        config,
    )
    disclosures = DisclosureDesk(
        keys.node, wrapped_keys, workers.require, confirmations.require_recorded, config, time.time
    )
    WorkerChannel(worker_channel, presence, releases, follow_ups, confirmations, config, disclosures).start()
    desk = FrontDesk(
        identity=keys,
        ratchet=checkpoints,
        announcer=Announcer(keys.node, intake_keys, wait_for_worker, workers.require),
        acceptances=accepted,
        confirmations=confirmations,
        register=workers,
        rings=wrapped_keys,
        erasures=erasures,
        credential_root=credentials.root,
        wait_for_worker=wait_for_worker,
        clock=time.time,
        anchors=load_anchor_desk(store, options.anchors, checkpoints, keys.log.origin),
    )
    with front_channel:
        serve_front_desk(front_channel, desk, intake_keys, config)


def _require_policy_of(policy: WitnessPolicy, log_keys: Sequence[VerifierKey]) -> None:
    try:
        require_own_log(policy, log_keys)
    except FormatError as error:
        raise VaultStartError("witness_policy_invalid", str(error)) from None
