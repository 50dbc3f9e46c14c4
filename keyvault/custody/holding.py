"""What custodians hold after a re-sharing: no share of their own yet, but a part of it from every dealer.

A dealer seals one part to each new custodian, in the order of the new rule. Whoever has them all opens each,
checks it by what its dealer committed to, and adds them up; a part that is false names its dealer. The share
comes into being in its holder's own process and is nowhere else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyvault.age import HybridIdentity, HybridRecipient
from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import CustodyPolicy
from keyvault.custody.resharing import new_share
from keyvault.custody.rule import MAX_CUSTODIANS
from keyvault.custody.seals import SEALED_SHARE_BYTES, open_share, redealt_info, seal_share
from keyvault.custody.sharing import MAX_SHARING_BYTES, Dealt, Share, Sharing
from provenance import canonical
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError

FORMAT: Final = "bauta.holding/v1"
# Base64 of the sharing that is left, and from every dealer of what they dealt and of one part.
MAX_HOLDING_BYTES: Final = 2 * (MAX_CUSTODIANS + 1) * (MAX_SHARING_BYTES + SEALED_SHARE_BYTES)

_DIGEST = re.compile(r"[0-9a-f]{64}")


def seal_parts(made: Dealt, dealer: str, policy: CustodyPolicy) -> bytes:
    """Seals a dealer's parts to the new custodians.

    Args:
        made: of `resharing.redeal`.
        dealer: hex digest of their keys.
        policy: whose rule was dealt by.

    Returns:
        1,200 bytes for each custodian, in the order of the rule.
    """
    return b"".join(
        seal_share(
            made.shares[custodian],
            HybridRecipient.parse(policy.custodians[custodian].recipient),
            redealt_info(made.sharing, dealer, custodian),
        )
        for custodian in policy.rule.custodians
    )


def require_parts(untrusted_parts: bytes, policy: CustodyPolicy) -> None:
    """Checks that there may be a part for everybody; whether it is true is known to who opens it.

    Raises:
        CustodianError: sealed_share_invalid.
    """
    if len(untrusted_parts) != SEALED_SHARE_BYTES * len(policy.rule.custodians):
        raise CustodianError(
            "sealed_share_invalid", f"a dealer gives each new custodian a part of {SEALED_SHARE_BYTES} bytes"
        )


def part_digests(parts: bytes) -> bytes:
    """The SHA-256 of each part, one after the other: with them one part is checked without the others."""
    each = (parts[first : first + SEALED_SHARE_BYTES] for first in range(0, len(parts), SEALED_SHARE_BYTES))
    return b"".join(hashlib.sha256(part).digest() for part in each)


def parts_digest(digests: bytes) -> str:
    """What a dealer signs of them, hex."""
    return hashlib.sha256(digests).hexdigest()


def require_own_part(
    untrusted_part: bytes, untrusted_digests: bytes, signed: str, policy: CustodyPolicy, custodian: str
) -> None:
    """Checks that a part is the one that its dealer sealed to this custodian, true or not.

    Args:
        untrusted_part: as a service hands it out.
        untrusted_digests: of `part_digests`, likewise.
        signed: what the dealer's statement says.
        policy: that was dealt to.
        custodian: hex digest of their keys.

    Raises:
        CustodianError: sealed_share_invalid: a service changed it.
    """
    seats = policy.rule.custodians
    if custodian in seats and parts_digest(untrusted_digests) == signed:
        place = seats.index(custodian) * hashlib.sha256().digest_size
        own = untrusted_digests[place : place + hashlib.sha256().digest_size]
        if hashlib.sha256(untrusted_part).digest() == own:
            return
    raise CustodianError("sealed_share_invalid", "this is not the part that the dealer signed for")


def part_for(parts: bytes, policy: CustodyPolicy, custodian: str) -> bytes:
    """One custodian's part of what `seal_parts` gave; empty for who has none."""
    if not parts or custodian not in policy.custodians:
        return b""
    place = policy.rule.custodians.index(custodian) * SEALED_SHARE_BYTES
    return parts[place : place + SEALED_SHARE_BYTES]


@dataclass(frozen=True)
class Holding:
    """What one custodian needs to make their share.

    Attributes:
        left: the sharing before.
        redealt: the public part of every dealing that counts, by the dealer's digest.
        parts: what each of these dealers sealed to this custodian.
    """

    left: Sharing
    redealt: Mapping[str, Sharing]
    parts: Mapping[str, bytes]

    def share(self, identity: HybridIdentity, custodian: str) -> Share:
        """Opens the parts and adds them up.

        Args:
            identity: the custodian's.
            custodian: hex digest of their keys.

        Raises:
            CustodianError: redeal_false, naming the dealer, also in its words; and what `new_share` raises.
        """
        opened = {}
        for dealer, sealed in self.parts.items():
            if dealer not in self.redealt:
                raise CustodianError("redeal_incomplete", "a part is of somebody who did not deal", dealer)
            info = redealt_info(self.redealt[dealer], dealer, custodian)
            try:
                opened[dealer] = open_share(sealed, identity, info)
                self.redealt[dealer].require_true(custodian, opened[dealer])
            except CustodianError as defect:
                if defect.code == "custodian_unknown":
                    raise
                raise CustodianError(
                    "redeal_false", f"the part that dealer {dealer} gave to these keys is false", dealer
                ) from None
        return new_share(self.left, self.redealt, custodian, opened)

    def to_bytes(self) -> bytes:
        """Canonical JSON; it goes to the custodian's own process."""
        return canonical.dumps(
            {
                "format": FORMAT,
                "left": base64_text(self.left.to_bytes()),
                "parts": {dealer: base64_text(part) for dealer, part in self.parts.items()},
                "redealt": {dealer: base64_text(one.to_bytes()) for dealer, one in self.redealt.items()},
            }
        )

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Holding:
        """Reads what `to_bytes` gave.

        Raises:
            CustodianError: holding_invalid; sharing_invalid, rule_invalid or point_invalid.
        """
        try:
            content = canonical.loads(untrusted, MAX_HOLDING_BYTES)
            keys = {"format", "left", "parts", "redealt"}
            if not isinstance(content, dict) or content.keys() != keys or content["format"] != FORMAT:
                raise _invalid()
            left, parts, redealt = (content[name] for name in ("left", "parts", "redealt"))
            return cls(
                Sharing.from_bytes(base64_bytes(_text(left))),
                {who: Sharing.from_bytes(one) for who, one in _bytes_of(redealt).items()},
                _bytes_of(parts),
            )
        except FormatError:
            raise _invalid() from None


def _bytes_of(untrusted: Any) -> dict[str, bytes]:
    if not isinstance(untrusted, dict) or len(untrusted) > MAX_CUSTODIANS:
        raise _invalid()
    if not all(_DIGEST.fullmatch(who) for who in untrusted):
        raise _invalid()
    return {who: base64_bytes(_text(one)) for who, one in untrusted.items()}


def _text(untrusted: Any) -> str:
    if not isinstance(untrusted, str):
        raise _invalid()
    return untrusted


def _invalid() -> CustodianError:
    return CustodianError("holding_invalid", "these are no parts of a share")
