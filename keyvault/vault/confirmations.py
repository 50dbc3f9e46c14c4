"""Releases that wait for the log: no file key leaves before its release is recorded.

The front desk keeps the log, and it is not trusted with that alone: what it shows is a proof of inclusion
under a checkpoint that this vault signed, and this vault signs no checkpoint that does not contain the last
one (`ratchet`). So a release that was confirmed can never be taken back out of the log.

Under a witness policy the checkpoint must carry its quorum too: then people outside have seen a tree with the
release in it before the key leaves, and a front desk cannot keep a log that nobody else ever sees.
"""

from __future__ import annotations

import threading
import time

from keyvault.vault.errors import VaultRequestError
from provenance.checkpoint import verify_checkpoint
from provenance.entry import Entry
from provenance.errors import ProvenanceError
from provenance.merkle import verify_inclusion
from provenance.note import VerifierKey
from provenance.tlog_proof import TlogProof
from provenance.witness.policy import WitnessPolicy
from provenance.witness.quorum import require_quorum


class Awaited:
    """One release that waits for its record."""

    def __init__(self, leaf: bytes) -> None:
        self.leaf = leaf
        self.is_confirmed = False


class Confirmations:
    """Who waits for which entry. Thread-safe.

    Args:
        origin: of this vault's log.
        log_keys: of this vault's log.
        policy: whose cosignatures a checkpoint must carry besides; None for nobody's.
    """

    def __init__(
        self, origin: str, log_keys: tuple[VerifierKey, ...], policy: WitnessPolicy | None = None
    ) -> None:
        self._origin = origin
        self._log_keys = log_keys
        self._policy = policy
        self._changed = threading.Condition()
        self._awaited: dict[bytes, Awaited] = {}

    def expect(self, job_id: bytes, evidence_sha256: bytes, kind: str = "release") -> Awaited:
        """A release of this job is about to be recorded; it takes the place of an earlier attempt's.

        Args:
            job_id: 16 bytes; or the number of a disclosure worker.
            evidence_sha256: digest of the evidence's envelope.
            kind: of its entry in the log.
        """
        awaited = Awaited(Entry(kind, evidence_sha256).leaf)
        with self._changed:
            self._awaited[job_id] = awaited
        return awaited

    def wait(self, job_id: bytes, awaited: Awaited, deadline: float) -> None:
        """Waits until a release is confirmed.

        Args:
            job_id: of the release.
            awaited: what `expect` gave for it.
            deadline: on the monotonic clock.

        Raises:
            VaultRequestError: release_not_recorded.
        """
        with self._changed:
            self._changed.wait_for(lambda: awaited.is_confirmed, max(0.0, deadline - time.monotonic()))
            if self._awaited.get(job_id) is awaited:
                del self._awaited[job_id]
            if not awaited.is_confirmed:
                raise VaultRequestError(
                    "release_not_recorded", "the release did not get into the log in time"
                )

    def confirm(self, job_id: bytes, untrusted_proof: bytes) -> None:
        """Lets a key go.

        Args:
            job_id: 16 bytes.
            untrusted_proof: a c2sp.org/tlog-proof text.

        Raises:
            VaultRequestError: release_unknown, no release of this job waits; release_proof_invalid;
                release_not_witnessed.
        """
        with self._changed:
            awaited = self._awaited.get(job_id)
        if awaited is None:
            raise VaultRequestError("release_unknown", "no release of this job waits for the log")
        try:
            self._verify(awaited.leaf, untrusted_proof)
        except ProvenanceError as error:
            if error.code == "quorum_not_met":
                raise VaultRequestError(
                    "release_not_witnessed", "too few witnesses saw the checkpoint that shows this release"
                ) from None
            raise VaultRequestError(
                "release_proof_invalid", "the proof does not show this release in this vault's log"
            ) from None
        with self._changed:
            awaited.is_confirmed = True
            self._changed.notify_all()

    def require_recorded(self, leaf: bytes, untrusted_proof: bytes) -> None:
        """Checks that an entry that nobody waits for is in this vault's log.

        Args:
            leaf: of the entry.
            untrusted_proof: a c2sp.org/tlog-proof text.

        Raises:
            VaultRequestError: entry_proof_invalid.
        """
        try:
            self._verify(leaf, untrusted_proof)
        except ProvenanceError:
            raise VaultRequestError(
                "entry_proof_invalid", "the proof does not show this entry in this vault's log"
            ) from None

    def _verify(self, leaf: bytes, untrusted_proof: bytes) -> None:
        proof = TlogProof.parse(untrusted_proof)
        checkpoint = verify_checkpoint(proof.checkpoint, self._origin, self._log_keys)
        verify_inclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root)
        if self._policy is not None:
            require_quorum(proof.checkpoint, self._policy)
