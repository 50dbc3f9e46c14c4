"""An anchor for one proof: the anchor file and the proof that it covers the proof's tree.

A result's proof is there as soon as the result is. Its anchor comes later, and is of a larger tree: so it is
a file of its own, which holds the consistency proof between the two (RFC 6962, section 2.1.2).
"""

from __future__ import annotations

from dataclasses import dataclass

from provenance import canonical
from provenance.anchors.anchor_proof import FILE_TYPE, MAX_ANCHOR_FILE_BYTES, AnchorProof
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError
from provenance.merkle import HASH_BYTES

COVERED_TYPE = "https://bauta.dev/covered-anchor/v1"
MAX_COVERED_BYTES = 2 * MAX_ANCHOR_FILE_BYTES
MAX_CONSISTENCY = 128
"""Two hashes a level at most, of a tree of 2^63 leaves."""

_KEYS = {"type", "anchor", "consistency"}


@dataclass(frozen=True)
class CoveredAnchor:
    """An anchor and how a smaller tree lies in it, nothing of it checked.

    Attributes:
        anchor: of the larger tree.
        consistency: from the smaller tree to it; empty where both are the same.
    """

    anchor: AnchorProof
    consistency: tuple[bytes, ...] = ()

    def to_bytes(self) -> bytes:
        """Gives the file: canonical JSON and a newline.

        Raises:
            FormatError: larger than a reader would take.
        """
        content = {
            "type": COVERED_TYPE,
            "anchor": self.anchor.to_object(),
            "consistency": [base64_text(node) for node in self.consistency],
        }
        encoded = canonical.dumps(content) + b"\n"
        self.from_bytes(encoded)
        return encoded

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> CoveredAnchor:
        """Reads a file; also a plain anchor file, which covers the anchored tree alone.

        Raises:
            FormatError: too large, or anything that the two do not write.
        """
        if not untrusted.endswith(b"\n"):
            raise FormatError("the anchor file does not end with a newline")
        content = canonical.loads(untrusted[:-1], MAX_COVERED_BYTES)
        if isinstance(content, dict) and content.get("type") == FILE_TYPE:
            return cls(AnchorProof.from_bytes(untrusted))
        if not isinstance(content, dict) or set(content) != _KEYS or content["type"] != COVERED_TYPE:
            raise FormatError("the anchor file does not have its fields, or is of another version")
        nodes = content["consistency"]
        if not isinstance(nodes, list) or len(nodes) > MAX_CONSISTENCY:
            raise FormatError("the anchor file's consistency proof is none, or too long")
        consistency = tuple(base64_bytes(node) for node in nodes)
        if any(len(node) != HASH_BYTES for node in consistency):
            raise FormatError("the anchor file's consistency proof holds something that is no hash")
        return cls(AnchorProof.from_object(content["anchor"]), consistency)
