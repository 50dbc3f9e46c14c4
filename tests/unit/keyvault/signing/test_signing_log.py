"""Checkpoints: both of the log's signatures, in the formats that others read."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from keyvault.signing.hybrid import SigningKeyError
from keyvault.signing.log import LogSigner
from provenance.checkpoint import verify_checkpoint
from provenance.errors import FormatError, SignatureError
from provenance.note import parse_note, parse_vkey

ORIGIN = "bauta.log/00112233445566778899aabbccddeeff"
ROOT = hashlib.sha256(b"root").digest()
TEXT = f"{ORIGIN}\n7\n{base64.b64encode(ROOT).decode()}\n".encode()
NOW = 1_800_000_000


def test_the_note_verifies_with_the_published_vkeys() -> None:
    signer = LogSigner.generate(ORIGIN)
    note = signer.sign_checkpoint(TEXT, NOW)
    assert note.startswith(TEXT + "\n— ".encode())
    checkpoint = verify_checkpoint(note, ORIGIN, [parse_vkey(vkey) for vkey in signer.vkeys])
    assert (checkpoint.size, checkpoint.root, checkpoint.signed_at) == (7, ROOT, NOW)


def test_the_cosignature_covers_the_bytes_of_the_specification() -> None:
    """c2sp.org/tlog-cosignature, "ML-DSA-44 signed message", written out by hand."""
    signer = LogSigner.generate(ORIGIN)
    line = parse_note(signer.sign_checkpoint(TEXT, NOW)).lines[1]
    name = bytes([len(ORIGIN)]) + ORIGIN.encode()
    message = (
        b"subtree/v1\n\0" + name + NOW.to_bytes(8, "big") + name + bytes(8) + (7).to_bytes(8, "big") + ROOT
    )
    public_key = MLDSA44PublicKey.from_public_bytes(signer.verifier_keys[1].public_key)
    assert line.blob[:8] == NOW.to_bytes(8, "big")
    public_key.verify(line.blob[8:], message)
    with pytest.raises(InvalidSignature):
        public_key.verify(line.blob[8:], message[:-1] + b"\0")


def test_another_logs_keys_do_not_accept_it() -> None:
    note = LogSigner.generate(ORIGIN).sign_checkpoint(TEXT, NOW)
    other = LogSigner.generate(ORIGIN)
    with pytest.raises(SignatureError):
        verify_checkpoint(note, ORIGIN, other.verifier_keys)


def test_seeds_give_the_same_vkeys_each_time() -> None:
    signer = LogSigner.from_seeds(ORIGIN, bytes(32), bytes(range(32)))
    assert LogSigner.from_seeds(ORIGIN, bytes(32), bytes(range(32))).vkeys == signer.vkeys
    assert LogSigner.from_seeds(ORIGIN, bytes(32), bytes(32)).vkeys[1] != signer.vkeys[1]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no lines", b""),
        ("two lines", f"{ORIGIN}\n7\n".encode()),
        ("an extension line", TEXT + b"more\n"),
        ("a size with a leading zero", TEXT.replace(b"\n7\n", b"\n07\n")),
        ("a short root", f"{ORIGIN}\n7\n{base64.b64encode(bytes(31)).decode()}\n".encode()),
    ],
)
def test_what_is_no_checkpoint_is_not_signed(name: str, text: bytes) -> None:
    with pytest.raises(FormatError):
        LogSigner.generate(ORIGIN).sign_checkpoint(text, NOW)


def test_bad_seeds_are_refused_and_nothing_secret_shows() -> None:
    with pytest.raises(SigningKeyError):
        LogSigner.from_seeds(ORIGIN, bytes(31), bytes(32))
    assert repr(LogSigner.from_seeds(ORIGIN, bytes(32), bytes(32))) == f"LogSigner({ORIGIN})"
