"""The trust file: the few public keys that a person believes in, and checks every proof against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provenance import canonical
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError
from provenance.keys import HybridPublicKey
from provenance.note import ED25519_NOTE, MLDSA44_COSIGNATURE, VerifierKey, parse_vkey

TRUST_FORMAT = "bauta.trust/v1"
MAX_TRUST_BYTES = 64 << 10


@dataclass(frozen=True)
class Trust:
    """Whose signatures count.

    Attributes:
        node: the vault's node key; it signs intakes, failures and the evidence for workers.
        log_origin: the log's name.
        log_vkeys: the log's keys as c2sp.org/signed-note vkeys, one Ed25519 and one ML-DSA-44: both must
            sign, so that a proof stays good if either scheme falls.

    Raises:
        FormatError: a vkey does not parse, or they are not one of each kind under the log's name.
    """

    node: HybridPublicKey
    log_origin: str
    log_vkeys: tuple[str, ...]

    def __post_init__(self) -> None:
        keys = self.log_keys
        if sorted(key.algorithm for key in keys) != [ED25519_NOTE, MLDSA44_COSIGNATURE]:
            raise FormatError("the trust file must name one Ed25519 and one ML-DSA-44 key of the log")
        if any(key.name != self.log_origin for key in keys):
            raise FormatError("a key in the trust file is not of the log that it names")

    @property
    def log_keys(self) -> tuple[VerifierKey, ...]:
        """The log's keys, parsed."""
        return tuple(parse_vkey(text) for text in self.log_vkeys)

    def to_bytes(self) -> bytes:
        """Gives the file: canonical JSON and a newline."""
        return (
            canonical.dumps(
                {
                    "format": TRUST_FORMAT,
                    "node": {
                        "ed25519": base64_text(self.node.ed25519),
                        "mldsa65": base64_text(self.node.mldsa65),
                    },
                    "log": {"origin": self.log_origin, "vkeys": list(self.log_vkeys)},
                }
            )
            + b"\n"
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Trust:
        """Reads a trust file. Spacing and key order are free, since people copy these by hand.

        Raises:
            FormatError: not a trust file, or with a key that is missing, unknown or false.
        """
        content = _fields(canonical.loads_relaxed(data, MAX_TRUST_BYTES), "format", "node", "log")
        if content["format"] != TRUST_FORMAT:
            raise FormatError("the trust file is of another format or version")
        node = _fields(content["node"], "ed25519", "mldsa65")
        log = _fields(content["log"], "origin", "vkeys")
        vkeys = log["vkeys"]
        if not isinstance(log["origin"], str) or not isinstance(vkeys, list):
            raise FormatError("the trust file's log part does not have its form")
        if not all(isinstance(vkey, str) for vkey in vkeys):
            raise FormatError("the trust file's log part does not have its form")
        return cls(
            node=HybridPublicKey(
                ed25519=base64_bytes(node["ed25519"]), mldsa65=base64_bytes(node["mldsa65"])
            ),
            log_origin=log["origin"],
            log_vkeys=tuple(vkeys),
        )


def _fields(untrusted: Any, *names: str) -> dict[str, Any]:
    if not isinstance(untrusted, dict) or untrusted.keys() != set(names):
        raise FormatError("the trust file does not have exactly its fields")
    return untrusted
