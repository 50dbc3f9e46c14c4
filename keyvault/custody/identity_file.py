"""The file of a custodian's keys: the card in the open, how it is protected, and the sealed private part.

Whoever reads cards and not keys stops here. `identity` opens the private part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from keyvault.custody.card import CustodianCard, file_invalid
from provenance import canonical
from provenance.errors import FormatError

FORMAT: Final = "bauta.custodian/v1"
FILE_ID_BYTES: Final = 16
MAX_FILE_BYTES: Final = 32 << 10
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class CustodianFile:
    """What the file says; its private part is not opened.

    Attributes:
        card: the public part.
        file_id: 16 random bytes that the protection is bound to.
        custody: how the private part is protected: `kind`, and what that kind keeps.
        sealed: the private part.
    """

    card: CustodianCard
    file_id: bytes
    custody: Mapping[str, Any]
    sealed: bytes

    @property
    def header(self) -> bytes:
        """Everything in the open, which the seal is bound to."""
        return canonical.dumps(self._open_part())

    def to_bytes(self) -> bytes:
        """Canonical JSON and a newline."""
        return canonical.dumps({**self._open_part(), "sealed": self.sealed.hex()}) + b"\n"

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> CustodianFile:
        """Reads what `to_bytes` gave.

        Raises:
            CustodianError: custodian_file_invalid.
        """
        if not untrusted.endswith(b"\n"):
            raise file_invalid()
        try:
            content = canonical.loads(untrusted[:-1], MAX_FILE_BYTES)
        except FormatError:
            raise file_invalid() from None
        if not isinstance(content, dict) or content.keys() != {"card", "custody", "format", "id", "sealed"}:
            raise file_invalid()
        custody = content["custody"]
        if content["format"] != FORMAT or not isinstance(custody, dict):
            raise file_invalid()
        if not isinstance(custody.get("kind"), str):
            raise file_invalid()
        file_id = _hex(content["id"])
        if len(file_id) != FILE_ID_BYTES:
            raise file_invalid()
        return cls(CustodianCard.from_object(content["card"]), file_id, custody, _hex(content["sealed"]))

    @classmethod
    def read(cls, path: Path) -> CustodianFile:
        """Reads a file.

        Raises:
            CustodianError: custodian_file_invalid.
            OSError: it cannot be read.
        """
        with path.open("rb") as file:
            return cls.from_bytes(file.read(MAX_FILE_BYTES + 2))

    def _open_part(self) -> dict[str, Any]:
        return {
            "card": self.card.to_object(),
            "custody": dict(self.custody),
            "format": FORMAT,
            "id": self.file_id.hex(),
        }


def _hex(untrusted: Any) -> bytes:
    if not isinstance(untrusted, str) or len(untrusted) % 2 or not set(untrusted) <= _HEX:
        raise file_invalid()
    return bytes.fromhex(untrusted)
