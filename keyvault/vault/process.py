"""Puts the vault together: wall first, then the store, then both channels."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from keyvault.vault import identity, intake, ratchet
from keyvault.vault.announcements import Announcer, WorkerPresence
from keyvault.vault.config import VaultConfig
from keyvault.vault.errors import VaultStartError
from keyvault.vault.frames import take_socket
from keyvault.vault.frontdesk import FrontDesk, serve_front_desk
from keyvault.vault.hardening import harden_process
from keyvault.vault.keystore import Keystore
from keyvault.vault.master import KeyFile, Passphrase, read_passphrase
from keyvault.vault.memory import wipe
from keyvault.vault.releases import ReleaseDesk
from keyvault.vault.workers import WorkerChannel

_logger = logging.getLogger("keyvault")


@dataclass(frozen=True)
class VaultOptions:
    """How a vault is started.

    Attributes:
        front_fd: the front desk's channel.
        worker_fd: the worker host's channel.
        folder: the vault's own folder.
        passphrase_fd: where the passphrase is read from; None for the key file in the folder.
        config: limits.
    """

    front_fd: int
    worker_fd: int
    folder: Path
    passphrase_fd: int | None
    config: VaultConfig


def run_vault(options: VaultOptions) -> None:
    """Runs until the front channel closes.

    Raises:
        VaultStartError: it cannot start; nothing has been answered on any channel.
    """
    if not harden_process():
        _logger.info("memory is not locked: raise RLIMIT_MEMLOCK to keep keys out of swap")
    store = open_store(options.folder, options.passphrase_fd)
    try:
        _serve(store, options)
    finally:
        store.close()


def open_store(folder: Path, passphrase_fd: int | None) -> Keystore:
    """Opens the store in a folder, and makes it on the first start.

    Raises:
        VaultStartError: with the reason.
    """
    unlock: KeyFile | Passphrase = KeyFile(folder / "master.key")
    if passphrase_fd is not None:
        unlock = Passphrase(read_passphrase(passphrase_fd))
    try:
        return Keystore.open(
            folder,
            unlock,
            lambda: {
                identity.ENTRY: identity.new_seeds(),
                intake.ENTRY: bytearray(),
                ratchet.ENTRY: ratchet.new_memory(),
            },
        )
    except OSError:
        raise VaultStartError(
            "vault_store_unwritable", "the vault's folder cannot be made or written; check its disk and owner"
        ) from None
    finally:
        if isinstance(unlock, Passphrase):
            wipe(unlock.secret)


def _serve(store: Keystore, options: VaultOptions) -> None:
    config = options.config
    keys = identity.load_identity(store)
    intake_keys = intake.IntakeKeys(store, config, time.time)
    checkpoints = ratchet.CheckpointRatchet(store, keys.log, time.time)
    presence = WorkerPresence()
    try:
        front_channel = take_socket(options.front_fd)
        worker_channel = take_socket(options.worker_fd)
    except OSError:
        raise VaultStartError(
            "vault_channel_invalid", "a channel's descriptor is no Unix stream socket"
        ) from None
    WorkerChannel(
        worker_channel, presence, ReleaseDesk(keys.node, intake_keys, config, time.time), config
    ).start()
    desk = FrontDesk(
        identity=keys,
        ratchet=checkpoints,
        announcer=Announcer(keys.node, intake_keys, presence, config.hello_wait_seconds),
        clock=time.time,
    )
    with front_channel:
        serve_front_desk(front_channel, desk, intake_keys, config)
