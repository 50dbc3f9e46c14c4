"""Whose line on which contract a reader believes; what the contract says of it, and is told.

The signatures are those of `grpc_api/anchors/contract/anchors.vy`; a test compares them with its ABI.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from provenance.anchors.keccak import keccak256
from provenance.anchors.receipt import ADDRESS_BYTES, WORD_BYTES, Event
from provenance.checkpoint import MAX_SIZE, CheckpointText
from provenance.errors import FormatError
from provenance.note import check_name

ANCHORED_TOPIC = keccak256(b"Anchored(address,bytes32,uint64,bytes32)")
ANCHOR_SELECTOR = keccak256(b"anchor(bytes32,uint64,bytes32)")[:4]
LATEST_SELECTOR = keccak256(b"latest(address,bytes32)")[:4]


@dataclass(frozen=True)
class AnchorLine:
    """One line of anchors, which only moves forward.

    Attributes:
        contract: address, 20 bytes.
        anchorer: address of whoever sends the transactions, 20 bytes. Anybody has lines on the contract; a
            reader believes one.
        origin: the log's name.

    Raises:
        FormatError: an address of another length, or no name of a log.
    """

    contract: bytes
    anchorer: bytes
    origin: str

    def __post_init__(self) -> None:
        if len(self.contract) != ADDRESS_BYTES or len(self.anchorer) != ADDRESS_BYTES:
            raise FormatError("an address on a chain does not have 20 bytes", "anchor_address_malformed")
        check_name(self.origin)

    @property
    def origin_word(self) -> bytes:
        """The log on the chain: the SHA-256 of its name, 32 bytes."""
        return hashlib.sha256(self.origin.encode()).digest()

    @property
    def topics(self) -> tuple[bytes, ...]:
        """Those of this line's events, by which light readers find them."""
        return ANCHORED_TOPIC, _address_word(self.anchorer), self.origin_word

    def call_to_anchor(self, checkpoint: CheckpointText) -> bytes:
        """Gives what the contract is told, ABI-encoded.

        Raises:
            FormatError: a checkpoint of another log, or of an empty one, which the contract refuses.
        """
        if checkpoint.origin != self.origin or not checkpoint.size:
            raise FormatError("the checkpoint is of another log, or of an empty one", "anchor_of_another")
        return ANCHOR_SELECTOR + self.origin_word + _number_word(checkpoint.size) + checkpoint.root

    @property
    def call_for_latest(self) -> bytes:
        """Gives the question for the line's last anchor, ABI-encoded."""
        return LATEST_SELECTOR + _address_word(self.anchorer) + self.origin_word

    def read_event(self, event: Event) -> CheckpointText:
        """Gives the tree head that an event anchors.

        Raises:
            FormatError: `anchor_of_another`, an event of another contract, anchorer, log or kind.
        """
        if event.contract != self.contract or event.topics != self.topics:
            raise FormatError("the event is not of the line of anchors that is believed", "anchor_of_another")
        return self.read_words(event.content)

    def read_words(self, untrusted: bytes) -> CheckpointText:
        """Gives the tree head in two words, as an event and the contract's answer hold it.

        Raises:
            FormatError: anything else.
        """
        size = int.from_bytes(untrusted[:WORD_BYTES], "big")
        if len(untrusted) != 2 * WORD_BYTES or size > MAX_SIZE:
            raise FormatError("an anchor does not hold a size and a root", "anchor_malformed")
        return CheckpointText(self.origin, size, untrusted[WORD_BYTES:])


def _address_word(address: bytes) -> bytes:
    return address.rjust(WORD_BYTES, b"\0")


def _number_word(value: int) -> bytes:
    return value.to_bytes(WORD_BYTES, "big")
