"""Who asks to read: a signature by a custodian's or a requester's keys over one question, for a minute or so.

A client certificate says which machine calls; custody policies name keys. So whoever reads requests, shares
or the record signs what they ask, of which service and when, and the service remembers what it has answered.
Canonical JSON, `bauta.access/v1`:

    {"access":{"about":…,"at":…,"call":…,"format":…,"nonce":…,"service":…},"keys":{…},"signatures":[…]}
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import keys_sha256
from provenance import canonical
from provenance.dsse import Signature, Signer, pae
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements.fields import format_instant, parse_instant

FORMAT: Final = "bauta.access/v1"
PAYLOAD_TYPE: Final = "application/vnd.bauta.access+json"
MAX_ACCESS_BYTES: Final = 16 << 10
NONCE_BYTES: Final = 16
LIFETIME: Final = timedelta(seconds=120)
"""How far the clocks of the two sides may be apart, and how long an answer could be asked for again."""

_NONCE = re.compile(r"[0-9a-f]{32}")
_FIELDS = {"about", "at", "call", "format", "nonce", "service"}


@dataclass(frozen=True)
class Access:
    """One question, signed; nothing of it is checked before `require`.

    Attributes:
        service: the log's origin: a question to one service is none to another.
        call: the method that is called.
        about: the job or the request that it is about; empty for lists.
        at: "2026-11-21T00:00:00Z".
        nonce: 32 hex digits.
        key: who asks.
        signatures: Ed25519 and ML-DSA-65.
    """

    service: str
    call: str
    about: str
    at: str
    nonce: str
    key: HybridPublicKey
    signatures: tuple[Signature, ...]

    @property
    def asker(self) -> str:
        """What policies call who asks."""
        return keys_sha256(self.key)

    def require(self, service: str, call: str, about: str, now: datetime) -> None:
        """Checks that this very question is asked, now, by the holder of the keys.

        The caller sees to it that a nonce is taken once within `LIFETIME` of `now`.

        Raises:
            CustodianError: access_invalid; access_expired, one of the two clocks is wrong.
        """
        try:
            signed_at = parse_instant(self.at)
            self.key.verify(pae(PAYLOAD_TYPE, self._body()), self.signatures)
        except ProvenanceError:
            raise _invalid() from None
        if (self.service, self.call, self.about) != (service, call, about):
            raise _invalid()
        if abs(now - signed_at) > LIFETIME:
            raise CustodianError(
                "access_expired", "the question was signed too long ago, or a clock is wrong"
            )

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical.dumps(
            {
                "access": self._fields(),
                "keys": {"ed25519": base64_text(self.key.ed25519), "mldsa65": base64_text(self.key.mldsa65)},
                "signatures": [
                    {"keyid": item.key_id, "sig": base64_text(item.signature)} for item in self.signatures
                ],
            }
        )

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Access:
        """Reads what `to_bytes` gave.

        Raises:
            CustodianError: access_invalid.
        """
        try:
            content = canonical.loads(untrusted, MAX_ACCESS_BYTES)
            fields = _object(content, {"access", "keys", "signatures"})
            keys = _object(fields["keys"], {"ed25519", "mldsa65"})
            asked = _object(fields["access"], _FIELDS)
            if asked["format"] != FORMAT or not all(isinstance(value, str) for value in asked.values()):
                raise _invalid()
            if _NONCE.fullmatch(asked["nonce"]) is None or not isinstance(fields["signatures"], list):
                raise _invalid()
            key = HybridPublicKey(base64_bytes(keys["ed25519"]), base64_bytes(keys["mldsa65"]))
            signatures = tuple(_signature(item) for item in fields["signatures"])
        except ProvenanceError:
            raise _invalid() from None
        names = {name: asked[name] for name in _FIELDS - {"format"}}
        return cls(**names, key=key, signatures=signatures)

    def _fields(self) -> dict[str, str]:
        return {
            "about": self.about,
            "at": self.at,
            "call": self.call,
            "format": FORMAT,
            "nonce": self.nonce,
            "service": self.service,
        }

    def _body(self) -> bytes:
        return canonical.dumps(self._fields())


def sign_access(
    signer: Signer, key: HybridPublicKey, service: str, call: str, about: str, now: datetime
) -> Access:
    """Asks one question.

    Args:
        signer: of who asks.
        key: its public half.
        service, call, about: as in `Access`.
        now: by the asker's clock.
    """
    unsigned = Access(service, call, about, format_instant(now), os.urandom(NONCE_BYTES).hex(), key, ())
    signatures = signer.sign(pae(PAYLOAD_TYPE, unsigned._body()))
    return Access(service, call, about, unsigned.at, unsigned.nonce, key, signatures)


def _object(untrusted: Any, names: set[str]) -> dict[str, Any]:
    if not isinstance(untrusted, dict) or untrusted.keys() != names:
        raise _invalid()
    return untrusted


def _signature(untrusted: Any) -> Signature:
    fields = _object(untrusted, {"keyid", "sig"})
    if not isinstance(fields["keyid"], str):
        raise _invalid()
    return Signature(fields["keyid"], base64_bytes(fields["sig"]))


def _invalid() -> CustodianError:
    return CustodianError("access_invalid", "the question is not signed by who is said to ask it")
