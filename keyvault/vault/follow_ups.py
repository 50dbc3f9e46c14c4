"""What a child that has its file key may still ask, on the channel of its job, and in which order.

First, once, for every derived key that the job needs, or for none: an honest child does so before it looks at
the media. Then, where it said so at that time, it hands over the ring of its recovery package, once. Last it
asks, once, for the signature under its content credentials. After a refusal nothing is answered. So a child
that hostile media takes over has no key to ask for any more, only the one ring and claim of its own job.
"""

from __future__ import annotations

import logging
import socket
import threading
import time

from keyvault.vault.answering import answered
from keyvault.vault.claims import ClaimDesk
from keyvault.vault.config import VaultConfig
from keyvault.vault.derived import DerivationDesk
from keyvault.vault.frames import ChannelClosedError, OversizeFrameError, parse, read_frame, write_frame
from keyvault.vault.releases import Offer, ReleaseDesk
from keyvault.vault.rings import Rings
from protos.bauta.internal.v1.release_pb2 import (
    ClaimRequest,
    ClaimResponse,
    ClaimSigner,
    DeriveRequest,
    DeriveResponse,
    RingRequest,
    RingResponse,
)

# A refusal for a deadline that has passed must still be sent.
LAST_WORD_SECONDS = 1.0

_logger = logging.getLogger("keyvault")


class FollowUps:
    """Answers them, for many jobs at once.

    Args:
        derivations: decides on derived keys.
        claims: decides on content credentials.
        releases: knows whether a job is still open.
        rings: where rings are kept.
        config: limits.
    """

    def __init__(
        self,
        derivations: DerivationDesk,
        claims: ClaimDesk,
        releases: ReleaseDesk,
        rings: Rings,
        config: VaultConfig,
    ) -> None:
        self._derivations = derivations
        self._claims = claims
        self._releases = releases
        self._rings = rings
        self._config = config
        self._free_places = threading.BoundedSemaphore(config.max_open_follow_ups)

    @property
    def claim_signer(self) -> ClaimSigner:
        """What a child is told, so that it can make the same claim."""
        return self._claims.signer

    def serve(self, released: Offer, job_channel: socket.socket) -> None:
        """Answers all of them, where they come; a child without one closes its end.

        Args:
            released: the job, and what it was given.
            job_channel: stays open.
        """
        if not self._free_places.acquire(blocking=False):
            _logger.error("too many jobs have their key and an open channel; that of this one is closed")
            return
        try:
            derived, ring_follows = self._derive(released, job_channel)
            if derived and (not ring_follows or self._take_ring(released, job_channel)):
                self._sign(released, job_channel)
        except (ChannelClosedError, OversizeFrameError):
            # Nothing was asked, or nothing that could be answered.
            return
        finally:
            self._free_places.release()

    def _derive(self, released: Offer, job_channel: socket.socket) -> tuple[bool, bool]:
        """Whether the keys were derived, and whether a ring will follow."""
        untrusted_body = self._read(job_channel, self._config.max_derive_request_bytes)
        announced: list[bool] = []

        def make_response() -> DeriveResponse:
            untrusted = parse(DeriveRequest, untrusted_body, "derivation_malformed")
            announced.append(untrusted.hands_over_ring)
            return DeriveResponse(sealed_keys=self._derivations.derive(released, untrusted))

        response = answered(make_response, DeriveResponse)
        write_frame(job_channel, response, time.monotonic() + LAST_WORD_SECONDS)
        return not response.error_code, any(announced)

    def _take_ring(self, released: Offer, job_channel: socket.socket) -> bool:
        untrusted_body = self._read(job_channel, self._config.max_ring_request_bytes)

        def make_response() -> RingResponse:
            untrusted = parse(RingRequest, untrusted_body, "ring_malformed")
            self._releases.require_open(released)
            self._rings.offer(released.job_id, untrusted.ring)
            return RingResponse()

        response = answered(make_response, RingResponse)
        write_frame(job_channel, response, time.monotonic() + LAST_WORD_SECONDS)
        return not response.error_code

    def _sign(self, released: Offer, job_channel: socket.socket) -> None:
        untrusted_body = self._read(job_channel, self._config.max_claim_request_bytes)

        def make_response() -> ClaimResponse:
            untrusted = parse(ClaimRequest, untrusted_body, "claim_malformed")
            return ClaimResponse(signature=self._claims.sign(released, untrusted))

        response = answered(make_response, ClaimResponse)
        write_frame(job_channel, response, time.monotonic() + LAST_WORD_SECONDS)

    def _read(self, job_channel: socket.socket, max_bytes: int) -> bytes:
        # A job that has ended has no child; the deadline is for one that its warden forgot.
        deadline = time.monotonic() + self._config.accepted_lifetime_seconds
        return read_frame(job_channel, max_bytes, deadline)
