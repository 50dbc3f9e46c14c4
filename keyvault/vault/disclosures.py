"""Disclosure workers: one gets evidence for its keys, and later, once, wrapped keys of its request's tracks.

A wrapped key opens nothing: that takes the recovery key, which a quorum of custodians gives to the worker and
to nobody else. Whether they did is for the worker to check, and for custodians whether it is a worker that
does. What the vault sees to: only a released version gets in; its evidence is in the log before it is told to
go on; and keys are given for a recorded request alone, those of its tracks and no others. So an erasure holds
against a quorum.
"""

from __future__ import annotations

import hmac
import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from keyvault.recovery.layout import RESULT_TRACK
from keyvault.recovery.ring import RecoveryRing
from keyvault.release import JOB_ID_BYTES, ReleaseKeyError, require_one_job_key, seal_to_one_job_key
from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.announcements import WorkerFacts, instant
from keyvault.vault.answering import answered
from keyvault.vault.config import VaultConfig
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.follow_ups import LAST_WORD_SECONDS
from keyvault.vault.frames import (
    ChannelClosedError,
    OversizeFrameError,
    is_readable,
    parse,
    read_frame,
    write_frame,
)
from keyvault.vault.releases import TIER
from keyvault.wrapped_keys import wrapped_keys_info
from protos.bauta.internal.v1.release_pb2 import ReleaseRequest, WrappedKeysRequest, WrappedKeysResponse
from provenance.dsse import MAX_ENVELOPE_BYTES, Envelope, sign_envelope
from provenance.entry import Entry
from provenance.errors import ProvenanceError
from provenance.statements import DisclosureRequestFacts, DisclosureWorkerFacts
from provenance.statements.fields import parse_instant

# poll(2) counts milliseconds in 31 bits; a request may stand for longer.
_LONGEST_POLL_SECONDS: Final = 24 * 3600.0

_logger = logging.getLogger("keyvault")


class Rings(Protocol):
    """The rings of all jobs: `keyvault.vault.rings`."""

    def get(self, job_id: bytes) -> RecoveryRing:
        """Gives a job's ring.

        Raises:
            VaultRequestError: ring_unknown.
        """


@dataclass(frozen=True)
class Admission:
    """A disclosure worker that the vault stands by.

    Attributes:
        number: by which its host registered it, 16 bytes.
        request: what it was started for; nobody has checked who signed that.
        evidence: the signed statement.
        worker_hpke_key: what wrapped keys will be sealed to.
    """

    number: bytes
    request: DisclosureRequestFacts
    evidence: Envelope
    worker_hpke_key: bytes

    @property
    def request_sha256(self) -> bytes:
        """Of the request's envelope, 32 bytes."""
        return bytes.fromhex(DisclosureWorkerFacts.from_statement(self.evidence.payload).request_sha256)


class DisclosureDesk:
    """Decides on disclosure workers. Thread-safe.

    Args:
        node: signs the evidence.
        rings: wrapped keys by job.
        require_released: refuses a worker version that nobody released.
        require_recorded: refuses an entry that is not in the log.
        config: limits.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        node: HybridSigner,
        rings: Rings,
        require_released: Callable[[bytes], None],
        require_recorded: Callable[[bytes, bytes], None],
        config: VaultConfig,
        clock: Callable[[], float],
    ) -> None:
        self._node = node
        self._rings = rings
        self._require_released = require_released
        self._require_recorded = require_recorded
        self._config = config
        self._clock = clock
        self._free_places = threading.BoundedSemaphore(config.max_open_disclosures)

    def admit(self, number: bytes, worker: WorkerFacts, nonce: bytes, untrusted: ReleaseRequest) -> Admission:
        """Checks what a disclosure worker says of itself, and signs its evidence. No key has moved yet.

        Args:
            number: as the worker host registered it, 16 bytes.
            worker: the worker host.
            nonce: this vault's challenge to the child.
            untrusted: what the child asks for.

        Raises:
            VaultRequestError: release_job_mismatch, release_nonce_wrong, release_refused, worker_key_invalid,
                worker_not_released or disclosure_malformed.
        """
        asked = untrusted.disclosure
        if len(asked.request) > MAX_ENVELOPE_BYTES:
            raise _malformed()
        try:
            request = Envelope.from_bytes(asked.request)
            facts = DisclosureRequestFacts.from_statement(request.payload)
        except ProvenanceError:
            raise _malformed() from None
        if untrusted.job_id != number or request.digest[:JOB_ID_BYTES] != number:
            raise VaultRequestError("release_job_mismatch", "the worker was registered for another request")
        if not hmac.compare_digest(untrusted.nonce, nonce):
            raise VaultRequestError("release_nonce_wrong", "the request does not answer this challenge")
        walls = tuple(sorted(untrusted.walls))
        if not walls or not worker.walls.issuperset(walls):
            raise VaultRequestError("release_refused", "the worker claims no walls or walls it cannot have")
        self._require_released(worker.measurement)
        self._require_open(facts)
        try:
            require_one_job_key(untrusted.worker_hpke_key)
            certified = DisclosureWorkerFacts(
                request_sha256=request.digest.hex(),
                job_id=facts.job_id,
                tier=TIER,
                walls=walls,
                measurement=worker.measurement.hex(),
                trust_sha256=asked.trust_sha256.hex(),
                worker_hpke=untrusted.worker_hpke_key,
                worker_ed25519=untrusted.worker_ed25519_key,
                worker_mldsa65=untrusted.worker_mldsa65_key,
                admitted_at=instant(self._clock()),
            )
            evidence = sign_envelope(certified.to_statement(), self._node)
        except (ProvenanceError, ReleaseKeyError):
            raise VaultRequestError("worker_key_invalid", "a one-job key is no key") from None
        return Admission(number, facts, evidence, untrusted.worker_hpke_key)

    def serve(self, admitted: Admission, channel: socket.socket) -> None:
        """Waits until the worker has checked everything, and answers its one question.

        Args:
            admitted: its evidence is in the log.
            channel: stays open.
        """
        if not self._free_places.acquire(blocking=False):
            _logger.error("too many disclosure workers wait; the channel of this one is closed")
            return
        try:
            while not is_readable(channel, time.monotonic() + _LONGEST_POLL_SECONDS):
                self._require_open(admitted.request)
            untrusted_body = read_frame(
                channel,
                self._config.max_wrapped_keys_request_bytes,
                time.monotonic() + self._config.release_timeout_seconds,
            )
            response = answered(lambda: self._respond(admitted, untrusted_body), WrappedKeysResponse)
            write_frame(channel, response, time.monotonic() + LAST_WORD_SECONDS)
        except (ChannelClosedError, OversizeFrameError, VaultRequestError):
            return
        finally:
            self._free_places.release()

    def _respond(self, admitted: Admission, untrusted_body: bytes) -> WrappedKeysResponse:
        untrusted = parse(WrappedKeysRequest, untrusted_body, "disclosure_malformed")
        return WrappedKeysResponse(sealed_ring=self.wrapped_keys(admitted, untrusted.request_proof))

    def wrapped_keys(self, admitted: Admission, untrusted_proof: bytes) -> bytes:
        """The wrapped keys of a request's tracks and of the result, sealed to its worker.

        Args:
            admitted: the worker.
            untrusted_proof: a c2sp.org/tlog-proof text for the request's entry.

        Raises:
            VaultRequestError: entry_proof_invalid, the request is not in this vault's log; request_expired;
                ring_unknown.
        """
        self._require_open(admitted.request)
        leaf = Entry(DisclosureRequestFacts.kind(), admitted.request_sha256).leaf
        self._require_recorded(leaf, untrusted_proof)
        ring = self._rings.get(bytes.fromhex(admitted.request.job_id))
        wanted = {*admitted.request.tracks, RESULT_TRACK} & ring.wrapped.keys()
        narrowed = RecoveryRing(ring.context, {track: ring.wrapped[track] for track in wanted})
        info = wrapped_keys_info(admitted.request_sha256)
        return seal_to_one_job_key(narrowed.to_bytes(), admitted.worker_hpke_key, info)

    def _require_open(self, request: DisclosureRequestFacts) -> None:
        if self._clock() >= parse_instant(request.expires_at).timestamp():
            raise VaultRequestError("request_expired", "the request has expired")


def _malformed() -> VaultRequestError:
    return VaultRequestError("disclosure_malformed", "there is no disclosure request in what the worker asks")
