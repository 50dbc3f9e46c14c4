"""One chunk of a payload at a time: the STREAM construction (c2sp.org/age, "Payload").

A payload is a 16-byte nonce and then chunks of 64 KiB, each with a 16-byte ChaCha20-Poly1305 tag. The
chunk's nonce holds its number and whether it is the last, so no chunk can be moved, dropped or added.
"""

from __future__ import annotations

import os
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyvault.age.errors import AgeHeaderError, AgePayloadCorruptError
from keyvault.age.header import FILE_KEY_BYTES
from keyvault.age.streams import Bytes, read_up_to

CHUNK_BYTES: Final = 64 * 1024
TAG_BYTES: Final = 16
SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES
PAYLOAD_NONCE_BYTES: Final = 16


class ChunkCipher:
    """Seals and opens the chunks of one payload, by their number."""

    def __init__(self, file_key: bytes, payload_nonce: bytes) -> None:
        if len(file_key) != FILE_KEY_BYTES:
            raise AgeHeaderError(f"a file key holds {FILE_KEY_BYTES} bytes")
        key = HKDF(SHA256(), 32, salt=payload_nonce, info=b"payload").derive(file_key)
        self._aead = ChaCha20Poly1305(key)

    def seal(self, index: int, plaintext: Bytes, *, final: bool) -> bytes:
        """Seals up to 64 KiB as chunk number `index`."""
        return self._aead.encrypt(_chunk_nonce(index, final), plaintext, None)

    def open(self, index: int, ciphertext: Bytes, *, final: bool) -> bytes:
        """Opens chunk number `index`.

        Raises:
            AgePayloadCorruptError: it is not that chunk of this payload, byte for byte.
        """
        try:
            return self._aead.decrypt(_chunk_nonce(index, final), ciphertext, None)
        except InvalidTag:
            raise AgePayloadCorruptError("the payload is damaged or cut short") from None


def new_payload_nonce() -> bytes:
    """16 fresh bytes, one payload's own."""
    return os.urandom(PAYLOAD_NONCE_BYTES)


def read_payload_nonce(stream: BinaryIO) -> bytes:
    """Reads the 16 bytes that begin a payload.

    Raises:
        AgeHeaderError: the file ends before them.
    """
    nonce = read_up_to(stream, PAYLOAD_NONCE_BYTES)
    if len(nonce) < PAYLOAD_NONCE_BYTES:
        raise AgeHeaderError("the file ends just after its header")
    return nonce


def _chunk_nonce(index: int, final: bool) -> bytes:
    return index.to_bytes(11, "big") + (b"\x01" if final else b"\x00")
