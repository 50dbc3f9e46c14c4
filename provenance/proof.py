"""The proof file: a statement, the evidence for its signer, its place in the log, other people's clocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provenance import canonical
from provenance.dsse import Envelope
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError

PROOF_FORMAT = "bauta.proof/v1"
MAX_PROOF_FILE_BYTES = 1 << 20
MAX_EVIDENCE = 4
MAX_TIMESTAMPS = 4
MAX_TIMESTAMP_BYTES = 16 << 10

_FIELDS = {"format", "statement", "evidence", "log", "timestamps"}


@dataclass(frozen=True)
class ProofFile:
    """A proof, well formed, not yet verified.

    Attributes:
        statement: what was done, signed.
        evidence: envelopes that certify the statement's signer; empty if the node itself signed it.
        log: a c2sp.org/tlog-proof text for the statement's envelope.
        timestamps: RFC 3161 tokens (DER) over the digest of the statement's envelope; often empty.

    Raises:
        FormatError: too much evidence, too many or too large timestamps, one twice, or a log proof that is
            not text.
    """

    statement: Envelope
    evidence: tuple[Envelope, ...]
    log: bytes
    timestamps: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.evidence) > MAX_EVIDENCE:
            raise FormatError("the proof holds too much evidence", "too_large")
        largest = max(map(len, self.timestamps), default=0)
        if len(self.timestamps) > MAX_TIMESTAMPS or largest > MAX_TIMESTAMP_BYTES:
            raise FormatError("the proof holds too many timestamps, or one that is too large", "too_large")
        if len(set(self.timestamps)) != len(self.timestamps):
            raise FormatError("the proof holds a timestamp twice")
        self._log_text()

    def to_bytes(self) -> bytes:
        """Gives the file: canonical JSON and a newline.

        Raises:
            FormatError: larger than 1 MiB.
        """
        content = canonical.dumps(
            {
                "format": PROOF_FORMAT,
                "statement": self.statement.to_object(),
                "evidence": [envelope.to_object() for envelope in self.evidence],
                "log": self._log_text(),
                "timestamps": [base64_text(token) for token in self.timestamps],
            }
        )
        if len(content) >= MAX_PROOF_FILE_BYTES:
            raise FormatError("the proof is too large", "too_large")
        return content + b"\n"

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> ProofFile:
        """Reads what `to_bytes` wrote.

        Raises:
            FormatError: anything else.
        """
        if len(untrusted) > MAX_PROOF_FILE_BYTES:
            raise FormatError("the proof is too large", "too_large")
        if not untrusted.endswith(b"\n"):
            raise FormatError("the proof does not end with a newline; it may be cut short")
        content = canonical.loads(untrusted[:-1], MAX_PROOF_FILE_BYTES)
        if not isinstance(content, dict) or content.keys() != _FIELDS:
            raise FormatError("the proof does not have exactly its five fields")
        if content["format"] != PROOF_FORMAT:
            raise FormatError("the proof is of another format or version")
        return cls(
            statement=Envelope.from_object(content["statement"]),
            evidence=tuple(Envelope.from_object(item) for item in _list(content["evidence"])),
            log=_text(content["log"]).encode("utf-8"),
            timestamps=tuple(base64_bytes(item) for item in _list(content["timestamps"])),
        )

    def _log_text(self) -> str:
        try:
            return self.log.decode("utf-8")
        except UnicodeDecodeError:
            raise FormatError("the proof's log part is not text") from None


def _list(untrusted: Any) -> list[Any]:
    if not isinstance(untrusted, list):
        raise FormatError("the proof's evidence or its timestamps are not a list")
    return untrusted


def _text(untrusted: Any) -> str:
    if not isinstance(untrusted, str):
        raise FormatError("the proof's log part is not text")
    return untrusted
