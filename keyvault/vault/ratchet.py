"""Remembers the last signed checkpoint, so that the log never shrinks, never forks and never forgets.

A larger tree is signed only with the proof that the last one is its beginning (RFC 6962, section 2.1.2).
Whether readers all get to see the same tree is for witnesses and monitors to check.
"""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable, Sequence

from keyvault.signing.log import LogSigner
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.keystore import Keystore
from provenance.checkpoint import CheckpointText, parse_checkpoint_text
from provenance.errors import ProvenanceError
from provenance.merkle import EMPTY_ROOT, verify_consistency

ENTRY = "checkpoint"
_RECORD = struct.Struct(">Q32s")


class CheckpointRatchet:
    """Signs checkpoints of one log, forwards only. Thread-safe.

    Args:
        store: where the last one is remembered.
        signer: the log's keys.
        clock: seconds since the epoch.
    """

    def __init__(self, store: Keystore, signer: LogSigner, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock
        self._lock = threading.Lock()
        self._size, self._root = _load(store)

    @property
    def size(self) -> int:
        """The size of the largest tree that was signed."""
        with self._lock:
            return self._size

    def sign(self, untrusted_text: bytes, untrusted_consistency: Sequence[bytes]) -> bytes:
        """Gives the signed note, once its size and root are durable.

        Args:
            untrusted_text: the checkpoint.
            untrusted_consistency: the proof from the last signed tree to this one; empty at the same size.

        Raises:
            VaultRequestError: checkpoint_malformed, checkpoint_wrong_origin, checkpoint_shrinks,
                checkpoint_forks, checkpoint_forgets or vault_store_unwritable.
        """
        try:
            checkpoint = parse_checkpoint_text(untrusted_text)
        except ProvenanceError:
            raise VaultRequestError("checkpoint_malformed", "the text is no checkpoint") from None
        size, root = checkpoint.size, checkpoint.root
        if checkpoint.origin != self._signer.origin:
            raise VaultRequestError("checkpoint_wrong_origin", "the checkpoint is of another log")
        if size == 0 and root != EMPTY_ROOT:
            raise VaultRequestError("checkpoint_malformed", "the checkpoint's size and root do not agree")
        with self._lock:
            if size < self._size:
                raise VaultRequestError("checkpoint_shrinks", "a larger checkpoint has been signed")
            if size == self._size and root != self._root:
                raise VaultRequestError("checkpoint_forks", "another root has been signed at this size")
            if size > self._size:
                self._require_growth(size, root, untrusted_consistency)
                self._store.write(ENTRY, _RECORD.pack(size, root))
                self._size, self._root = size, root
            return self._signer.sign_checkpoint(untrusted_text, int(self._clock()))

    def require_signed(self, checkpoint: CheckpointText, untrusted_consistency: Sequence[bytes]) -> None:
        """Refuses a tree head that is neither that of the last signed checkpoint nor its beginning.

        Args:
            checkpoint: of any log and size.
            untrusted_consistency: the proof from it to the last signed tree; empty at the same size.

        Raises:
            VaultRequestError: checkpoint_wrong_origin or checkpoint_not_signed.
        """
        if checkpoint.origin != self._signer.origin:
            raise VaultRequestError("checkpoint_wrong_origin", "the checkpoint is of another log")
        with self._lock:
            size, root = self._size, self._root
        try:
            verify_consistency(checkpoint.size, size, untrusted_consistency, checkpoint.root, root)
        except ProvenanceError:
            raise VaultRequestError(
                "checkpoint_not_signed", "it is not shown that this tree was signed, or begins one that was"
            ) from None

    def _require_growth(self, size: int, root: bytes, untrusted_consistency: Sequence[bytes]) -> None:
        try:
            verify_consistency(self._size, size, untrusted_consistency, self._root, root)
        except ProvenanceError:
            raise VaultRequestError(
                "checkpoint_forgets", "it is not shown that the last signed tree is the beginning of this one"
            ) from None


def new_memory() -> bytearray:
    """The memory of a new log: the empty tree."""
    return bytearray(_RECORD.pack(0, EMPTY_ROOT))


def _load(store: Keystore) -> tuple[int, bytes]:
    record = store.read(ENTRY)
    if len(record) != _RECORD.size:
        raise VaultStartError("vault_store_corrupt", "the last signed checkpoint has an unknown form")
    size, root = _RECORD.unpack(record)
    return size, root
