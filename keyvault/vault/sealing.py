"""One sealed entry: authenticated, bound to its name and its store, under a key that is used once.

A magic line, a 32-byte salt, and ChaCha20-Poly1305 (RFC 8439) under HKDF-SHA256(master key, salt, entry
name): a fresh key for every write, so that no nonce ever repeats. The entry's name and the store's header
are associated data: an entry moved to another name or another store does not open.
"""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyvault.vault.memory import Buffer, Secret

FORMAT: Final = "bauta.keystore/v1"
CHECK_BYTES: Final = 32

_MAGIC = b"bauta.sealed/v1\n"
_SALT_BYTES = 32
_TAG_BYTES = 16
_KEY_BYTES = 32
# Every sealing key is used once.
_ZERO_NONCE = bytes(12)


class SealBrokenError(Exception):
    """The bytes are not this entry of this store under this master key."""


def seal_entry(master_key: Buffer, header: bytes, entry: str, plaintext: Buffer) -> bytes:
    """Seals an entry.

    Args:
        master_key: 32 bytes.
        header: the store's header, bound to the entry.
        entry: its name, bound too.
        plaintext: the entry.
    """
    salt = os.urandom(_SALT_BYTES)
    with _entry_key(master_key, salt, entry) as key:
        ciphertext = ChaCha20Poly1305(key.view).encrypt(_ZERO_NONCE, plaintext, _bound(header, entry))
    return _MAGIC + salt + ciphertext


def plaintext_size(sealed: bytes) -> int:
    """How many bytes a sealed entry holds.

    Raises:
        SealBrokenError: it is too short to be one.
    """
    size = len(sealed) - len(_MAGIC) - _SALT_BYTES - _TAG_BYTES
    if size < 0:
        raise SealBrokenError
    return size


def open_entry(
    master_key: Buffer, header: bytes, entry: str, sealed: bytes, into: bytearray | memoryview
) -> None:
    """Opens what `seal_entry` sealed, into a buffer of `plaintext_size` bytes. The caller wipes it.

    Raises:
        SealBrokenError: anything else; what the buffer then holds is no plaintext.
    """
    if not sealed.startswith(_MAGIC) or len(into) != plaintext_size(sealed):
        raise SealBrokenError
    start = len(_MAGIC) + _SALT_BYTES
    salt, ciphertext = sealed[len(_MAGIC) : start], sealed[start:]
    with _entry_key(master_key, salt, entry) as key:
        try:
            ChaCha20Poly1305(key.view).decrypt_into(_ZERO_NONCE, ciphertext, _bound(header, entry), into)
        except InvalidTag:
            raise SealBrokenError from None


def check_value(master_key: Buffer, store_id: bytes) -> bytes:
    """32 bytes that tell the right master key from a wrong one, and nothing else about it."""
    with _derive(master_key, store_id, f"{FORMAT} check") as value:
        return bytes(value.view)


def _bound(header: bytes, entry: str) -> bytes:
    return _MAGIC + entry.encode("ascii") + b"\n" + header


def _entry_key(master_key: Buffer, salt: bytes, entry: str) -> Secret:
    return _derive(master_key, salt, f"{FORMAT} entry {entry}")


def _derive(master_key: Buffer, salt: bytes, purpose: str) -> Secret:
    derived = Secret(_KEY_BYTES)
    HKDF(SHA256(), _KEY_BYTES, salt, purpose.encode("ascii")).derive_into(master_key, derived.view)
    return derived
