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

from keyvault.vault.memory import wipe

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


def seal_entry(master_key: bytearray, header: bytes, entry: str, plaintext: bytes | bytearray) -> bytes:
    """Seals an entry.

    Args:
        master_key: 32 bytes.
        header: the store's header, bound to the entry.
        entry: its name, bound too.
        plaintext: the entry.
    """
    salt = os.urandom(_SALT_BYTES)
    key = _entry_key(master_key, salt, entry)
    try:
        ciphertext = ChaCha20Poly1305(key).encrypt(_ZERO_NONCE, plaintext, _bound(header, entry))
    finally:
        wipe(key)
    return _MAGIC + salt + ciphertext


def open_entry(master_key: bytearray, header: bytes, entry: str, sealed: bytes) -> bytearray:
    """Opens what `seal_entry` sealed. The caller wipes it.

    Raises:
        SealBrokenError: anything else.
    """
    start = len(_MAGIC) + _SALT_BYTES
    salt, ciphertext = sealed[len(_MAGIC) : start], sealed[start:]
    if not sealed.startswith(_MAGIC) or len(ciphertext) < _TAG_BYTES:
        raise SealBrokenError
    plaintext = bytearray(len(ciphertext) - _TAG_BYTES)
    key = _entry_key(master_key, salt, entry)
    try:
        ChaCha20Poly1305(key).decrypt_into(_ZERO_NONCE, ciphertext, _bound(header, entry), plaintext)
    except InvalidTag:
        raise SealBrokenError from None
    finally:
        wipe(key)
    return plaintext


def check_value(master_key: bytearray, store_id: bytes) -> bytes:
    """32 bytes that tell the right master key from a wrong one, and nothing else about it."""
    return bytes(_derive(master_key, store_id, f"{FORMAT} check"))


def _bound(header: bytes, entry: str) -> bytes:
    return _MAGIC + entry.encode("ascii") + b"\n" + header


def _entry_key(master_key: bytearray, salt: bytes, entry: str) -> bytearray:
    return _derive(master_key, salt, f"{FORMAT} entry {entry}")


def _derive(master_key: bytearray, salt: bytes, purpose: str) -> bytearray:
    derived = bytearray(_KEY_BYTES)
    HKDF(SHA256(), _KEY_BYTES, salt, purpose.encode("ascii")).derive_into(master_key, derived)
    return derived
