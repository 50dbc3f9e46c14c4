"""Signed notes and verifier keys (c2sp.org/signed-note): text, an empty line, signature lines.

Three kinds of key are known: 0x01, Ed25519 over the text, and the two cosignatures of
c2sp.org/tlog-cosignature, 0x04 with Ed25519 and 0x06 with ML-DSA-44. What each one signs for a checkpoint is
in `checkpoint`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError

ED25519_NOTE = 0x01
ED25519_COSIGNATURE = 0x04
MLDSA44_COSIGNATURE = 0x06
PUBLIC_KEY_BYTES = {ED25519_NOTE: 32, ED25519_COSIGNATURE: 32, MLDSA44_COSIGNATURE: 1312}

KEY_ID_BYTES = 4
# A name is a length-prefixed string of at most 255 bytes in an ML-DSA-44 cosignature.
MAX_NAME_BYTES = 255
# The specification asks for room for 16 signatures; a policy may name 32 witnesses with two keys each, and
# that many lines of ML-DSA-44, at 3.3 kB of base64 each, still fit below.
MAX_SIGNATURES = 72
MAX_NOTE_BYTES = 128 << 10

_LINE_START = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


def check_name(name: str) -> None:
    """Accepts a key name or a log's origin.

    Raises:
        FormatError: empty, too long, or with a space, a plus sign or a control character.
    """
    if not name or any(sign.isspace() or sign == "+" or not sign.isprintable() for sign in name):
        raise FormatError("a key name or origin is empty or holds a space or a plus sign")
    if len(name.encode("utf-8")) > MAX_NAME_BYTES:
        raise FormatError("a key name or origin is too long")


@dataclass(frozen=True)
class VerifierKey:
    """A named public key; `to_text` and `parse_vkey` give its "vkey" form.

    Attributes:
        name: for a log's own keys, its origin.
        algorithm: `ED25519_NOTE`, `ED25519_COSIGNATURE` or `MLDSA44_COSIGNATURE`.
        public_key: 32 or 1,312 bytes.

    Raises:
        FormatError: a name, an algorithm or a length that does not fit.
    """

    name: str
    algorithm: int
    public_key: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.public_key) != PUBLIC_KEY_BYTES.get(self.algorithm):
            raise FormatError("a verifier key is of no known algorithm or has the wrong length")

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256 over the name, a newline, the algorithm and the public key."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._material).digest()[:KEY_ID_BYTES]

    def to_text(self) -> str:
        """Gives "name+key id+base64"."""
        return f"{self.name}+{self.key_id.hex()}+{base64_text(self._material)}"

    @property
    def _material(self) -> bytes:
        return bytes([self.algorithm]) + self.public_key


def parse_vkey(untrusted: str) -> VerifierKey:
    """Reads a "vkey".

    Raises:
        FormatError: not a vkey of a known algorithm, or its key id does not belong to the key.
    """
    parts = untrusted.split("+", 2)
    if len(parts) != 3:
        raise FormatError("a verifier key does not have three parts")
    name, key_id, encoded = parts
    material = base64_bytes(encoded)
    key = VerifierKey(name=name, algorithm=material[0] if material else 0, public_key=material[1:])
    if key.key_id.hex() != key_id:
        raise FormatError("a verifier key's id does not belong to it")
    return key


def ed25519_vkey(name: str, public_key: bytes) -> str:
    """Gives the vkey of an Ed25519 key, 32 bytes.

    Raises:
        FormatError: the name or the length does not fit.
    """
    return VerifierKey(name, ED25519_NOTE, public_key).to_text()


def mldsa44_cosigner_vkey(name: str, public_key: bytes) -> str:
    """Gives the vkey of an ML-DSA-44 cosigner, 1,312 bytes.

    Raises:
        FormatError: the name or the length does not fit.
    """
    return VerifierKey(name, MLDSA44_COSIGNATURE, public_key).to_text()


def ed25519_cosigner_vkey(name: str, public_key: bytes) -> str:
    """Gives the vkey of an Ed25519 cosigner (cosignature/v1), 32 bytes.

    Raises:
        FormatError: the name or the length does not fit.
    """
    return VerifierKey(name, ED25519_COSIGNATURE, public_key).to_text()


@dataclass(frozen=True)
class SignatureLine:
    """One signature line, not yet verified.

    Attributes:
        name: the key's name.
        key_id: 4 bytes.
        blob: what follows the key id: a signature, and for a cosignature its time before it.
    """

    name: str
    key_id: bytes
    blob: bytes

    def to_text(self) -> str:
        """Gives the line with its newline."""
        return f"{_LINE_START}{self.name} {base64_text(self.key_id + self.blob)}\n"

    def is_by(self, key: VerifierKey) -> bool:
        """Says whether the line claims to be by this key; only a check of the signature proves it."""
        return (self.name, self.key_id) == (key.name, key.key_id)


def parse_signature_line(untrusted: str) -> SignatureLine:
    """Reads a line without its newline.

    Raises:
        FormatError: not a signature line.
    """
    if not untrusted.startswith(_LINE_START):
        raise FormatError("a signature line does not start with a dash")
    name, _, encoded = untrusted.removeprefix(_LINE_START).partition(" ")
    check_name(name)
    raw = base64_bytes(encoded)
    if len(raw) <= KEY_ID_BYTES:
        raise FormatError("a signature line holds no signature")
    return SignatureLine(name=name, key_id=raw[:KEY_ID_BYTES], blob=raw[KEY_ID_BYTES:])


@dataclass(frozen=True)
class Note:
    """A text and the lines under it, not yet verified.

    Attributes:
        text: with its final newline.
        lines: 1 to 72.
    """

    text: str
    lines: tuple[SignatureLine, ...]

    def to_bytes(self) -> bytes:
        """Gives the whole note."""
        return (self.text + "\n" + "".join(line.to_text() for line in self.lines)).encode("utf-8")


def parse_note(untrusted: bytes) -> Note:
    """Reads a signed note.

    Raises:
        FormatError: not a note in exactly the published form, too large, or with too many signatures.
    """
    if len(untrusted) > MAX_NOTE_BYTES:
        raise FormatError("the note is too large", "too_large")
    try:
        decoded = untrusted.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError("the note is not UTF-8") from None
    if _CONTROL.search(decoded):
        raise FormatError("the note holds a control character")
    text, gap, signatures = decoded.rpartition("\n\n")
    if not gap or not signatures.endswith("\n"):
        raise FormatError("the note has no signatures under an empty line")
    untrusted_lines = signatures.removesuffix("\n").split("\n")
    if len(untrusted_lines) > MAX_SIGNATURES:
        raise FormatError("the note has too many signatures", "too_large")
    return Note(text=text + "\n", lines=tuple(parse_signature_line(line) for line in untrusted_lines))
