"""Anchors a log as it grows. Whatever the chain does, nobody waits for it: offering is a line of memory,
and all else happens in `step`, which raises nothing; `service` calls it.

Nothing is kept on disk but the proofs. After a restart, what has no proof is anchored again: the contract
takes the same tree head twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from grpc_api.anchors.batching import AnchorPolicy, AnchorState
from grpc_api.anchors.chain import AnchorChain, Sent
from provenance.anchors.anchor_proof import AnchorProof
from provenance.anchors.receipt import TRANSACTION_FAILED
from provenance.checkpoint import CheckpointText
from provenance.errors import FormatError

log = logging.getLogger("bauta.grpc_api")

KeepProof = Callable[[int, AnchorProof], None]
"""Takes the size of the anchored tree, and its proof; returns when that is durable."""

MAX_SENT = 16


class AnchorSender:
    """One log's anchoring.

    Args:
        chain: where.
        policy: how often.
        keep: keeps a gathered proof.
        anchored_size: of the largest tree that a proof was kept for.
    """

    def __init__(
        self, chain: AnchorChain, policy: AnchorPolicy, keep: KeepProof, anchored_size: int = 0
    ) -> None:
        self._chain = chain
        self._policy = policy
        self._keep = keep
        self._lock = threading.Lock()
        self._state = AnchorState(anchored_size=anchored_size)
        # Also those that were replaced: which of two gets into a block is not for us to say.
        self._sent: list[Sent] = []

    @property
    def state(self) -> AnchorState:
        """Where it stands."""
        with self._lock:
            return self._state

    def offer(self, checkpoint: CheckpointText, now: float) -> None:
        """Tells of a tree head that the log has published; never waits for the chain."""
        with self._lock:
            self._state = self._state.offered(checkpoint, now)

    def step(self, now: float) -> None:
        """Does what is due, from one thread, for as long as the node's time limits allow. Raises nothing."""
        try:
            self._confirm(now)
            self._send(now)
        # web3 and the node behind it can raise anything, and no job may end because of them.
        except Exception as error:
            code = getattr(error, "code", "anchor_chain_unavailable")
            log.warning("a tree head was not anchored: %s", code if isinstance(code, str) else "unknown")
            with self._lock:
                self._state = self._state.failed(self._policy, now)

    def _confirm(self, now: float) -> None:
        if self.state.in_flight is None and now < self.state.not_before:
            return
        for sent in list(self._sent):
            proof = self._settled(sent)
            if proof is not None:
                self._keep(sent.size, proof)
                with self._lock:
                    self._state = self._state.confirmed(sent.size, now)
                self._sent = [other for other in self._sent if other.nonce > sent.nonce]
                return
        if self.state.lapsed(self._policy, now):
            with self._lock:
                self._state = self._state.failed(self._policy, now)

    def _settled(self, sent: Sent) -> AnchorProof | None:
        try:
            return self._chain.settled(sent.transaction_hash)
        except FormatError as error:
            if error.code == TRANSACTION_FAILED:
                self._sent.remove(sent)
            raise

    def _send(self, now: float) -> None:
        state = self.state
        due = state.due(self._policy, now)
        if due is None:
            return
        sent = self._chain.send(due, bumps=len(self._sent))
        self._sent = [*self._sent, sent][-MAX_SENT:]
        with self._lock:
            self._state = self._state.sent(due, now)
