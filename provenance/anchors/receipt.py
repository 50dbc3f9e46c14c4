"""A transaction's receipt (EIP-658, and typed since EIP-2718): whether it succeeded, and its events."""

from __future__ import annotations

from dataclasses import dataclass

from provenance.anchors.rlp import Item, RlpError, as_bytes, as_list, as_number, decode
from provenance.errors import FormatError

MAX_RECEIPT_BYTES = 32 << 10
MAX_INDEX = (1 << 16) - 1

TRANSACTION_FAILED = "anchor_transaction_failed"

ADDRESS_BYTES = 20
WORD_BYTES = 32

_BLOOM_BYTES = 256
_MAX_TOPICS = 4
_HIGHEST_TYPE = 0x7F


@dataclass(frozen=True)
class Event:
    """What a contract said.

    Attributes:
        contract: 20 bytes.
        topics: at most four, 32 bytes each; the first says which event.
        content: the rest of it.
    """

    contract: bytes
    topics: tuple[bytes, ...]
    content: bytes


def read_receipt(untrusted: bytes) -> tuple[Event, ...]:
    """Gives the events of a transaction that succeeded.

    Raises:
        FormatError: no receipt; `anchor_transaction_failed`, one of a transaction that was undone.
    """
    if len(untrusted) > MAX_RECEIPT_BYTES:
        raise RlpError("the receipt is too large", "too_large")
    typed = bool(untrusted) and 0 < untrusted[0] <= _HIGHEST_TYPE
    fields = as_list(decode(untrusted[1:] if typed else untrusted))
    if len(fields) != 4:
        raise RlpError("the receipt does not have its four fields")
    status, gas, bloom, events = fields
    as_number(gas)
    as_bytes(bloom, _BLOOM_BYTES)
    if status not in {b"", b"\x01"}:
        raise RlpError("the receipt does not say whether its transaction succeeded")
    if status != b"\x01":
        raise FormatError("the transaction failed, so that nothing was anchored", TRANSACTION_FAILED)
    return tuple(_event(event) for event in as_list(events))


def _event(item: Item) -> Event:
    fields = as_list(item)
    if len(fields) != 3:
        raise RlpError("an event does not have its three fields")
    contract, topics, content = fields
    words = tuple(as_bytes(topic, WORD_BYTES) for topic in as_list(topics))
    if len(words) > _MAX_TOPICS:
        raise RlpError("an event has too many topics")
    return Event(as_bytes(contract, ADDRESS_BYTES), words, as_bytes(content))
