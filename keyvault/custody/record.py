"""The record file, `bauta.record/v1`: a log from its first entry to a signed end, and custody in it.

One canonical JSON object a line, in this order: the head with the checkpoint; every entry; the statements of
`RECORD_KINDS` with the keys that signed them, where these were people's; custody policies; sharings that
were dealt anew. Everything in it is checked against the checkpoint by `audit`; this module only reads and
writes the form.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import CustodyPolicy, parse_custody_policy
from keyvault.custody.sharing import Sharing
from provenance import canonical
from provenance.dsse import Envelope
from provenance.encoding import base64_bytes, base64_text
from provenance.entry import Entry
from provenance.errors import FormatError
from provenance.keys import HybridPublicKey

FORMAT: Final = "bauta.record/v1"
MAX_RECORD_BYTES: Final = 512 << 20
MAX_LINE_BYTES: Final = 1 << 20
MAX_ENTRIES: Final = 1 << 21

RECORD_KINDS: Final = (
    "disclosure-request",
    "disclosure-worker",
    "disclosure-approval",
    "disclosure-denial",
    "disclosure-cancellation",
    "disclosure-count",
    "disclosure-release",
    "resharing",
    "erasure",
    "consent",
    "consent-withdrawal",
)
"""What an audit asks to see. That other things were done to other jobs is in the log, and not told here."""


@dataclass(frozen=True)
class Shown:
    """One statement of a record.

    Attributes:
        envelope: as it stands there.
        signer: who is said to have signed it; None for the node and for workers.
    """

    envelope: Envelope
    signer: HybridPublicKey | None


@dataclass(frozen=True)
class Record:
    """A record, well formed; nothing of it is believed.

    Attributes:
        checkpoint: a signed note.
        entries: by their place in the log; a place may be missing.
        statements: by the SHA-256 of their envelopes.
        policies: custody policies, by the hex digests of their texts.
        sharings: of jobs that were dealt anew, and what was dealt, by their hex digests.
    """

    checkpoint: bytes
    entries: dict[int, Entry]
    statements: dict[bytes, Shown]
    policies: dict[str, CustodyPolicy]
    sharings: dict[str, Sharing] = field(default_factory=dict)


def head_line(checkpoint: bytes) -> bytes:
    """The first line."""
    return _line({"checkpoint": checkpoint.decode(), "format": FORMAT})


def entry_line(at: int, entry: Entry) -> bytes:
    """The line of one entry."""
    return _line({"at": at, "kind": entry.kind, "sha256": entry.envelope_sha256.hex()})


def statement_line(envelope: Envelope, signer: HybridPublicKey | None) -> bytes:
    """The line of one statement."""
    keys = None
    if signer is not None:
        keys = {"ed25519": base64_text(signer.ed25519), "mldsa65": base64_text(signer.mldsa65)}
    return _line({"signer": keys, "statement": envelope.to_object()})


def policy_line(policy: CustodyPolicy) -> bytes:
    """The line of one custody policy."""
    return _line({"custody_policy": policy.text})


def sharing_line(sharing: bytes) -> bytes:
    """The line of the public part of one sharing, or of one dealing."""
    return _line({"sharing": base64_text(sharing)})


def read_record(untrusted_lines: Iterable[bytes]) -> Record:
    """Reads a record, line by line.

    Args:
        untrusted_lines: each with its newline, at most `MAX_LINE_BYTES` and one.

    Raises:
        CustodianError: record_malformed; custody_policy_invalid; sharing_invalid, rule_invalid,
            point_invalid.
    """
    lines = iter(untrusted_lines)
    try:
        head = _object(next(lines, b""))
        if head.keys() != {"checkpoint", "format"} or head["format"] != FORMAT:
            raise _malformed("it does not begin as a record does")
        record = Record(_text(head["checkpoint"]).encode(), {}, {}, {})
        for line in lines:
            _add(record, _object(line))
    except FormatError:
        raise _malformed("a line is not in its one form") from None
    return record


def _add(record: Record, line: dict[str, Any]) -> None:
    match line:
        case {"at": int(at), "kind": str(kind), "sha256": str(digest)} if len(line) == 3:
            if at in record.entries or not 0 <= at < MAX_ENTRIES:
                raise _malformed("an entry stands twice, or too far out")
            record.entries[at] = Entry(kind, _hex(digest))
        case {"signer": signer, "statement": untrusted} if len(line) == 2:
            envelope = Envelope.from_object(untrusted)
            record.statements[envelope.digest] = Shown(envelope, _key(signer))
        case {"custody_policy": str(text)} if len(line) == 1:
            policy = parse_custody_policy(text)
            record.policies[policy.digest.hex()] = policy
        case {"sharing": str(text)} if len(line) == 1:
            sharing = Sharing.from_bytes(base64_bytes(text))
            record.sharings[sharing.digest.hex()] = sharing
        case _:
            raise _malformed("a line is none of a record")


def _object(untrusted: bytes) -> dict[str, Any]:
    if len(untrusted) > MAX_LINE_BYTES or not untrusted.endswith(b"\n"):
        raise _malformed("a line is too long, or the file is cut short")
    content = canonical.loads(untrusted[:-1], MAX_LINE_BYTES)
    if not isinstance(content, dict):
        raise _malformed("a line is no object")
    return content


def _key(untrusted: Any) -> HybridPublicKey | None:
    match untrusted:
        case None:
            return None
        case {"ed25519": ed25519, "mldsa65": mldsa65} if len(untrusted) == 2:
            return HybridPublicKey(base64_bytes(ed25519), base64_bytes(mldsa65))
    raise _malformed("a signer's keys are none")


def _text(untrusted: Any) -> str:
    if not isinstance(untrusted, str):
        raise _malformed("the checkpoint is no text")
    return untrusted


def _hex(untrusted: str) -> bytes:
    if not set(untrusted) <= set("0123456789abcdef") or len(untrusted) % 2:
        raise _malformed("a digest is none")
    return bytes.fromhex(untrusted)


def _line(content: dict[str, Any]) -> bytes:
    return canonical.dumps(content) + b"\n"


def _malformed(why: str) -> CustodianError:
    return CustodianError("record_malformed", f"this is no record of a log: {why}")
