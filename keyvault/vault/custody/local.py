"""What the custodians of this house share: each has a key of its own, and seals the master key under it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from keyvault.vault.custody.errors import CustodyError
from keyvault.vault.sealing import SealBrokenError, open_entry, seal_entry

_LABEL = b"bauta.custody/v1\n"
_ENTRY: Final = "master"
# Magic line, salt, 32 bytes and a tag: see `keyvault.vault.sealing`.
_WRAPPED_BYTES = 16 + 32 + 32 + 16


def wrap_under(wrapping_key: memoryview, master_key: memoryview, store_id: bytes) -> str:
    """Seals a master key under a 32-byte wrapping key, for one store; lower-case hex.

    ChaCha20-Poly1305 under HKDF of the wrapping key and a fresh salt: one wrapping key may serve many stores.
    """
    return seal_entry(wrapping_key, _LABEL + store_id, _ENTRY, master_key).hex()


def unwrap_under(
    wrapping_key: memoryview, wrapped: object, store_id: bytes, into: memoryview, *, broken_code: str
) -> None:
    """Opens what `wrap_under` gave.

    Raises:
        CustodyError: broken_code, the wrapping key is another one or the text was changed;
            or vault_store_corrupt, it is no such text.
    """
    sealed = hex_bytes(wrapped, _WRAPPED_BYTES)
    try:
        open_entry(wrapping_key, _LABEL + store_id, _ENTRY, sealed, into)
    except SealBrokenError:
        raise CustodyError(broken_code) from None


def hex_bytes(value: object, size: int) -> bytes:
    """Strict lower-case hex of so many bytes.

    Raises:
        CustodyError: vault_store_corrupt.
    """
    if not isinstance(value, str) or len(value) != 2 * size or not set(value) <= set("0123456789abcdef"):
        raise damaged()
    return bytes.fromhex(value)


def require_fields(parameters: Mapping[str, Any], *names: str) -> None:
    """Refuses parameters with another set of fields.

    Raises:
        CustodyError: vault_store_corrupt.
    """
    if parameters.keys() != set(names):
        raise damaged()


def damaged() -> CustodyError:
    """The refusal of a header that no custodian of ours wrote."""
    return CustodyError("vault_store_corrupt")
