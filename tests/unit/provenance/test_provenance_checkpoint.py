"""Notes, verifier keys and checkpoints against the published formats of c2sp.org."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
from provenance_makers import ORIGIN, SIGNED_AT, TestLogKeys

from provenance.checkpoint import (
    CheckpointText,
    assemble,
    message_to_sign,
    parse_checkpoint_text,
    signature_line,
    verify_checkpoint,
)
from provenance.encoding import base64_bytes
from provenance.errors import FormatError, SignatureError
from provenance.note import (
    ED25519_NOTE,
    MAX_SIGNATURES,
    MLDSA44_COSIGNATURE,
    SignatureLine,
    VerifierKey,
    ed25519_vkey,
    mldsa44_cosigner_vkey,
    parse_note,
    parse_vkey,
)

# The worked examples of c2sp.org/signed-note and c2sp.org/tlog-checkpoint.
EXAMPLE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlT"
    "gK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
EXAMPLE_CHECKPOINT = b"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

TEXT = CheckpointText(ORIGIN, 6, hashlib.sha256(b"root").digest())


def signed(keys: TestLogKeys | None = None) -> bytes:
    return (keys or TestLogKeys()).sign_checkpoint(TEXT.to_bytes())


def test_the_published_note_verifies_with_the_published_key() -> None:
    key, note = parse_vkey(EXAMPLE_VKEY), parse_note(EXAMPLE_NOTE)
    assert (key.name, key.algorithm, key.to_text()) == ("example.com/foo", ED25519_NOTE, EXAMPLE_VKEY)
    assert note.to_bytes() == EXAMPLE_NOTE
    assert note.lines[0].is_by(key)
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(note.lines[0].blob, note.text.encode())


def test_the_published_checkpoint_round_trips() -> None:
    text = parse_checkpoint_text(EXAMPLE_CHECKPOINT)
    assert (text.origin, text.size) == ("example.com/behind-the-sofa", 20852163)
    assert text.to_bytes() == EXAMPLE_CHECKPOINT


def test_key_ids_follow_the_specification() -> None:
    for make, algorithm, size in ((ed25519_vkey, 1, 32), (mldsa44_cosigner_vkey, 6, 1312)):
        public = bytes(range(size % 256)) + bytes(size - size % 256)
        name, key_id, encoded = make("log.test/a", public).split("+", 2)
        expected = hashlib.sha256(b"log.test/a\n" + bytes([algorithm]) + public).digest()[:4]
        assert (name, key_id, base64_bytes(encoded)) == (
            "log.test/a",
            expected.hex(),
            bytes([algorithm]) + public,
        )


def test_an_mldsa44_key_signs_the_cosigned_message_of_the_specification() -> None:
    key = TestLogKeys().verifier_keys[1]
    # struct cosigned_message of c2sp.org/tlog-cosignature, written out by hand.
    expected = struct.pack(
        f">12sB{len(ORIGIN)}sQB{len(ORIGIN)}sQQ32s",
        b"subtree/v1\n\0",
        len(ORIGIN),
        ORIGIN.encode(),
        SIGNED_AT,
        len(ORIGIN),
        ORIGIN.encode(),
        0,
        6,
        TEXT.root,
    )
    assert message_to_sign(key, TEXT, SIGNED_AT) == expected
    line = parse_note(signed()).lines[1]
    timestamp, signature = struct.unpack(">Q2420s", line.blob)
    assert timestamp == SIGNED_AT
    MLDSA44PublicKey.from_public_bytes(key.public_key).verify(signature, expected)


def test_a_checkpoint_signed_by_both_keys_verifies() -> None:
    checkpoint = verify_checkpoint(signed(), ORIGIN, TestLogKeys().verifier_keys)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, 6, TEXT.root)
    assert checkpoint.signed_at == SIGNED_AT


def test_the_order_of_the_lines_is_free() -> None:
    note = parse_note(signed())
    verify_checkpoint(assemble(TEXT, note.lines[::-1]), ORIGIN, TestLogKeys().verifier_keys)


def lines_of(keys: TestLogKeys) -> tuple[SignatureLine, ...]:
    return parse_note(signed(keys)).lines


def other_time() -> SignatureLine:
    key, line = TestLogKeys().verifier_keys[1], lines_of(TestLogKeys())[1]
    return signature_line(key, line.blob[8:], SIGNED_AT + 1)


def grafted() -> SignatureLine:
    """A stranger's signature under the log's name and key id."""
    stranger, key = lines_of(TestLogKeys(name="stranger"))[0], TestLogKeys().verifier_keys[0]
    return SignatureLine(key.name, key.key_id, stranger.blob)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (lambda: lines_of(TestLogKeys())[:1], "wrong_signer"),
        (lambda: lines_of(TestLogKeys())[1:], "wrong_signer"),
        (lambda: lines_of(TestLogKeys()) + lines_of(TestLogKeys())[:1], "wrong_signer"),
        (lambda: lines_of(TestLogKeys(name="stranger")), "wrong_signer"),
        (lambda: (*lines_of(TestLogKeys()), grafted()), "wrong_signer"),
        (lambda: (grafted(), lines_of(TestLogKeys())[1]), "bad_signature"),
        (lambda: (lines_of(TestLogKeys())[0], other_time()), "bad_signature"),
    ],
    ids=[
        "no ML-DSA-44",
        "no Ed25519",
        "Ed25519 twice",
        "a stranger instead",
        "a stranger under the log's key id as well",
        "a stranger under the log's key id",
        "another time than was signed",
    ],
)
def test_other_signatures_are_refused(lines: Any, code: str) -> None:
    with pytest.raises(SignatureError) as caught:
        verify_checkpoint(assemble(TEXT, lines()), ORIGIN, TestLogKeys().verifier_keys)
    assert caught.value.code == code


@pytest.mark.parametrize("length", [0, 1, 7, 8, 63, 65, 2419, 2421, 2428, 2429])
def test_signatures_of_another_length_are_refused(length: int) -> None:
    for position, key in enumerate(TestLogKeys().verifier_keys):
        lines = list(lines_of(TestLogKeys()))
        blob = lines[position].blob
        changed = (blob + bytes(3000))[:length]
        if changed == blob:
            continue
        lines[position] = SignatureLine(key.name, key.key_id, changed)
        with pytest.raises((SignatureError, FormatError)):
            verify_checkpoint(assemble(TEXT, lines), ORIGIN, TestLogKeys().verifier_keys)


def test_another_size_root_or_origin_is_refused() -> None:
    honest = signed()
    for changed in (
        honest.replace(b"\n6\n", b"\n7\n", 1),
        honest.replace(honest.split(b"\n")[2], b"A" * 43 + b"="),
        honest.replace(ORIGIN.encode(), b"bauta.test/lag", 1),
    ):
        assert changed != honest
        with pytest.raises(SignatureError):
            verify_checkpoint(changed, ORIGIN, TestLogKeys().verifier_keys)
    with pytest.raises(SignatureError) as caught:
        verify_checkpoint(honest, "other.test/log", TestLogKeys().verifier_keys)
    assert caught.value.code == "wrong_log"


def test_no_trusted_key_means_no_trust() -> None:
    with pytest.raises(SignatureError) as caught:
        verify_checkpoint(signed(), ORIGIN, ())
    assert caught.value.code == "no_trusted_key"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"a\n1\n",
        b"a\n1\n" + b"A" * 43 + b"=",
        b"a\n01\n" + b"A" * 43 + b"=\n",
        b"a\n+1\n" + b"A" * 43 + b"=\n",
        b"a\n-1\n" + b"A" * 43 + b"=\n",
        b"a\n\n" + b"A" * 43 + b"=\n",
        "a\n١\n".encode() + b"A" * 43 + b"=\n",
        b"a\n9223372036854775808\n" + b"A" * 43 + b"=\n",
        b"a\n" + b"1" * 500 + b"\n" + b"A" * 43 + b"=\n",
        b"a\n1\nAAAA\n",
        b"a\n1\n" + b"A" * 42 + b"B=\n",
        b"a\n1\n" + b"A" * 43 + b"=\nextension\n",
        b"a b\n1\n" + b"A" * 43 + b"=\n",
        b"a+b\n1\n" + b"A" * 43 + b"=\n",
        b"\xff\n1\n" + b"A" * 43 + b"=\n",
        b"a" * 256 + b"\n1\n" + b"A" * 43 + b"=\n",
    ],
    ids=repr,
)
def test_malformed_checkpoint_texts_are_refused(text: bytes) -> None:
    with pytest.raises(FormatError):
        parse_checkpoint_text(text)


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"text\n",
        b"text\n\n",
        EXAMPLE_NOTE[:-1],
        EXAMPLE_NOTE + b"\n",
        EXAMPLE_NOTE.replace(b"\n", b"\r\n"),
        EXAMPLE_NOTE.replace(b" Uw2Q", b"  Uw2Q"),
        EXAMPLE_NOTE.replace(b"Uw2QOk", b"Uw2Q Ok"),
        EXAMPLE_NOTE.replace("—".encode(), b"-"),
        EXAMPLE_NOTE.replace(b"yaQM=", b"yaQN="),
        b"text\n\n" + "— name Uw2QOg==\n".encode(),
        b"text\n\n" + b"\xe2\x80\x94  Uw2QOkn8\n",
        EXAMPLE_NOTE + EXAMPLE_NOTE.split(b"\n\n")[1] * MAX_SIGNATURES,
        b"\xff" + EXAMPLE_NOTE,
        b"x" * (128 << 10) + EXAMPLE_NOTE,
    ],
    ids=lambda note: repr(note[-30:]),
)
def test_malformed_notes_are_refused(note: bytes) -> None:
    with pytest.raises(FormatError):
        parse_note(note)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        EXAMPLE_VKEY.replace("530d903a", "530d903b"),
        EXAMPLE_VKEY.replace("530d903a", "530D903A"),
        EXAMPLE_VKEY.replace("foo", "fooo"),
        EXAMPLE_VKEY.replace("+Ae", "+Be"),
        EXAMPLE_VKEY[:-4],
        EXAMPLE_VKEY + "\n",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+",
    ],
)
def test_malformed_vkeys_are_refused(vkey: str) -> None:
    with pytest.raises(FormatError):
        parse_vkey(vkey)


@pytest.mark.parametrize("algorithm", [0, 2, 3, 5, 7, 255])
def test_other_algorithms_are_refused(algorithm: int) -> None:
    for size in (32, 1312):
        with pytest.raises(FormatError):
            VerifierKey("name", algorithm, bytes(size))
    with pytest.raises(FormatError):
        VerifierKey("name", MLDSA44_COSIGNATURE, bytes(32))


def test_a_time_out_of_range_cannot_be_signed() -> None:
    key = TestLogKeys().verifier_keys[1]
    for moment in (-1, 1 << 63):
        with pytest.raises(FormatError):
            message_to_sign(key, TEXT, moment)
