"""What a custodian shows to others: a recipient for shares and the public halves of the signing keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keyvault.age import AgeRecipientError, HybridRecipient
from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import keys_sha256
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError
from provenance.keys import HybridPublicKey


@dataclass(frozen=True)
class CustodianCard:
    """The public part of a custodian's keys.

    Attributes:
        recipient: of shares.
        key: of decisions.
    """

    recipient: HybridRecipient
    key: HybridPublicKey

    @property
    def keys(self) -> str:
        """What policies and statements call this custodian: a digest of the key ids."""
        return keys_sha256(self.key)

    def policy_lines(self) -> str:
        """The custodian's table in a custody policy, but for the name."""
        return f'[[custodians]]\nname = "…"\nkeys = "{self.keys}"\nrecipient = "{self.recipient}"'

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        return {
            "ed25519": base64_text(self.key.ed25519),
            "mldsa65": base64_text(self.key.mldsa65),
            "recipient": str(self.recipient),
        }

    @classmethod
    def from_object(cls, untrusted: Any) -> CustodianCard:
        """Reads what `to_object` gave.

        Raises:
            CustodianError: custodian_file_invalid.
        """
        if not isinstance(untrusted, dict) or untrusted.keys() != {"ed25519", "mldsa65", "recipient"}:
            raise file_invalid()
        if not all(isinstance(part, str) for part in untrusted.values()):
            raise file_invalid()
        try:
            key = HybridPublicKey(base64_bytes(untrusted["ed25519"]), base64_bytes(untrusted["mldsa65"]))
            return cls(HybridRecipient.parse(untrusted["recipient"]), key)
        except (AgeRecipientError, FormatError):
            raise file_invalid() from None


def file_invalid() -> CustodianError:
    """The refusal of a file that is no custodian's."""
    return CustodianError("custodian_file_invalid", "this is no custodian's file, or it was changed")
