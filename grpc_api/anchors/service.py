"""Anchoring inside a running service: a thread of its own that reads what the log has published.

No job and no append to the log ever calls anything here. What the chain, its node or the network do or do not
do is a line in the service's own log, and a pause.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from grpc_api.anchors.config import MAX_GAS, AnchorConfig
from grpc_api.anchors.keeping import open_anchors
from grpc_api.errors import ServiceError, precondition
from grpc_api.ledger import Ledger
from keyvault.client import VaultClient
from provenance.anchors.covered import CoveredAnchor
from provenance.anchors.place import AnchorPlace
from provenance.anchors.transaction import AnchorTransaction
from provenance.errors import LogError

log = logging.getLogger("bauta.grpc_api")

LONGEST_STEP_SECONDS = 15.0
SHORTEST_PAUSE_SECONDS = 30.0


class Anchoring:
    """Anchors one log on one chain, and hands out what was anchored.

    Args:
        config: how often, and for how much.
        place: where, with the vault's address.
        folder: where proofs are kept.
        ledger: the log.
        vault: signs.

    Raises:
        LogError: what is kept is damaged.
    """

    def __init__(
        self,
        config: AnchorConfig,
        place: AnchorPlace,
        folder: Path,
        ledger: Ledger,
        vault: VaultClient,
        origin: str,
    ) -> None:
        self._config = config
        self._place = place
        self._origin = origin
        self._ledger = ledger
        self._vault = vault
        self._kept = open_anchors(folder, place, origin)
        self._ended = threading.Event()

    def start(self) -> None:
        """Begins, in a thread that nothing waits for."""
        threading.Thread(target=self._run, name="anchors", daemon=True).start()

    def stop(self) -> None:
        """Ends it; what is under way with the chain is left there, and anchored again after the next."""
        self._ended.set()

    def covered(self, size: int) -> bytes:
        """The first anchor that covers a tree of the log, with the proof of that.

        Raises:
            ServiceError: `anchor_not_there`, none covers it yet.
            LogError: what is kept is damaged, or there is no such tree (`not_published`).
        """
        found = self._kept.covering(size)
        if found is None:
            raise not_there()
        anchored, proof = found
        return CoveredAnchor(proof, tuple(self._ledger.growth(size, anchored))).to_bytes()

    def _run(self) -> None:
        try:
            step = self._stepper()
        # A machine without web3, or a disk that fails: the service goes on without anchors.
        except Exception as error:
            log.error("nothing is anchored: %s", type(error).__name__)
            return
        pause = min(LONGEST_STEP_SECONDS, float(self._config.wait_seconds))
        while True:
            try:
                step()
            # A log that cannot be read now may be read later; a thread that died would anchor nothing more.
            except Exception as error:
                code = error.code if isinstance(error, LogError) else type(error).__name__
                log.warning("a tree head was not anchored: %s", code)
            if self._ended.wait(pause):
                return

    def _stepper(self) -> Callable[[], None]:
        # web3 takes a second and 60 MB: only where somebody asked for a chain.
        from grpc_api.anchors.batching import AnchorPolicy
        from grpc_api.anchors.chain import AnchorChain, ChainLimits
        from grpc_api.anchors.sender import AnchorSender
        from grpc_api.anchors.transport import open_node

        config = self._config
        chain = AnchorChain(
            node=open_node(config.rpc),
            chain_id=config.chain_id,
            line=self._place.line(self._origin),
            sign=self._sign,
            limits=ChainLimits(
                confirmations=config.confirmations, gas=MAX_GAS, max_fee_wei=config.max_fee_wei
            ),
        )
        # Who wants an anchor every minute is not served by a pause of an hour after an outage.
        policy = AnchorPolicy(
            entries=config.entries,
            wait_seconds=config.wait_seconds,
            retry_seconds=min(SHORTEST_PAUSE_SECONDS, config.wait_seconds),
            longest_retry_seconds=config.wait_seconds,
        )
        sender = AnchorSender(chain, policy, self._kept.keep, self._kept.largest)

        def step() -> None:
            now = time.monotonic()
            # Read, not told: whoever appends to the log does not know of this.
            head = self._ledger.head()
            if head.size:
                sender.offer(head, now)
            sender.step(now)

        return step

    def _sign(self, to_sign: bytes) -> bytes:
        """The vault's signature, with the proof that the tree began what the vault signed last."""
        size = AnchorTransaction.from_bytes(to_sign).anchors(self._place.line(self._origin)).size
        return self._vault.sign_anchor(to_sign, lambda signed: self._ledger.growth(size, signed))


def not_there() -> ServiceError:
    """The refusal where no anchor covers a tree."""
    return precondition(
        "anchor_not_there",
        "No anchor on a chain covers this yet: a service anchors now and then, if its operator asks for it.",
    )
