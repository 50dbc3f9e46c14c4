"""The age files: header, payload, armor, keys as text. Whoever uploads or hands over a file chooses them."""

from __future__ import annotations

import io
from contextlib import suppress
from functools import cache

from keyvault.age import (
    AgeError,
    ArmorReader,
    ArmorWriter,
    HybridIdentity,
    PassphraseIdentity,
    PassphraseRecipient,
    PayloadReader,
    PayloadStream,
    X25519Identity,
    format_identity_file,
    open_chunks,
    open_sealed,
    parse_header,
    parse_identity,
    parse_identity_file,
    parse_recipient,
    read_header,
    seal,
    unwrap_file_key,
)
from keyvault.age.bech32 import MAX_CHARS, Bech32Error, decode, encode
from keyvault.age.chunks import CHUNK_BYTES, ChunkCipher
from tests.fuzz.target import Target

CLASSIC = X25519Identity(b"\x01" * 32)
HYBRID = HybridIdentity(b"\x02" * 32)
IDENTITIES = [CLASSIC, HYBRID, PassphraseIdentity("hunter2", max_work_factor=4)]
PLAINTEXT = b"plaintext " * 700
FILE_KEY = b"k" * 16
VERSION = b"age-encryption.org/v1\n"
HEADER_LINES = (
    VERSION,
    b"-> X25519 " + b"A" * 43 + b"\n",
    b"-> X25519 " + b"A" * 42 + b"B\n",
    b"-> mlkem768x25519 " + b"A" * 1494 + b"\n",
    b"-> scrypt " + b"A" * 22 + b" 1\n",
    b"-> scrypt " + b"A" * 22 + b" 99999999999999999999\n",
    *(b"A" * 43 + b"\n", b"A" * 64 + b"\n", b"--- " + b"A" * 43 + b"\n", b"--- ", b"-> ", b"\r\n"),
)


@cache
def sealed_files() -> tuple[bytes, ...]:
    """One file for each kind of recipient, armored and not."""
    recipients = [CLASSIC.recipient, HYBRID.recipient, PassphraseRecipient("hunter2", work_factor=1)]
    return tuple(_sealed(recipient, armor) for recipient in recipients for armor in (False, True))


@cache
def headers() -> tuple[bytes, ...]:
    """Their headers."""
    return tuple(read_header(io.BytesIO(sealed)).raw for sealed in sealed_files()[::2])


@cache
def payloads() -> tuple[bytes, ...]:
    """Payloads under one key: empty, short, and longer than a chunk."""
    found = []
    for plaintext in (b"", PLAINTEXT, bytes(CHUNK_BYTES), bytes(CHUNK_BYTES + 1)):
        cipher = ChunkCipher(FILE_KEY, bytes(16))
        chunks = [plaintext[at : at + CHUNK_BYTES] for at in range(0, len(plaintext), CHUNK_BYTES)] or [b""]
        last = len(chunks) - 1
        body = b"".join(cipher.seal(at, chunk, final=at == last) for at, chunk in enumerate(chunks))
        found.append(bytes(16) + body)
    return tuple(found)


@cache
def armors() -> tuple[bytes, ...]:
    """Armors of several lengths: a whole last line, a short one."""
    found = []
    for length in (1, 47, 48, 100):
        sink = io.BytesIO()
        writer = ArmorWriter(sink)
        writer.write(bytes(range(length)))
        writer.close()
        found.append(sink.getvalue())
    return tuple(found)


@cache
def key_texts() -> tuple[bytes, ...]:
    """Every key, public and private."""
    keys = [str(CLASSIC.recipient), str(HYBRID.recipient), CLASSIC.encode(), HYBRID.encode()]
    return tuple(key.encode() for key in keys)


def open_file(untrusted: bytes) -> None:
    """Opens with every reader; what comes out, if anything does, must be what was sealed."""
    sink = io.BytesIO()
    try:
        open_sealed(io.BytesIO(untrusted), sink, IDENTITIES)
        assert sink.getvalue() == PLAINTEXT
    finally:
        assert PLAINTEXT.startswith(sink.getvalue())
        with suppress(AgeError):
            stream = io.BytesIO(untrusted)
            header = read_header(stream)
            file_key = unwrap_file_key(header, IDENTITIES)
            assert PayloadReader(stream, file_key, len(header.raw)).read() == PLAINTEXT


def open_header(untrusted: bytes) -> None:
    """A header that is taken encodes back to its bytes, and its file key is the one that made its MAC."""
    header = parse_header(untrusted)
    assert header.raw == untrusted
    assert b"".join(stanza.encode() for stanza in header.stanzas) in untrusted
    unwrap_file_key(header, IDENTITIES)


def open_payload(untrusted: bytes) -> None:
    """Both readers of a payload agree on it."""
    whole = b"".join(open_chunks(io.BytesIO(untrusted), FILE_KEY))
    assert PayloadStream(io.BytesIO(untrusted), FILE_KEY).read() == whole
    reader = PayloadReader(io.BytesIO(untrusted), FILE_KEY, 0)
    assert (reader.size, reader.read()) == (len(whole), whole)


def open_payload_here_and_there(untrusted: bytes) -> None:
    """The seeking reader, which opens the last chunk first."""
    reader = PayloadReader(io.BytesIO(untrusted), FILE_KEY, 0)
    reader.seek(reader.size // 2)
    reader.read(10)
    reader.authenticate_all()


def read_keys(untrusted: bytes) -> None:
    """A key in text is read by the one parser that its prefix calls for, and encodes back."""
    text = untrusted.decode("latin-1")
    if text.startswith("age1"):
        assert str(parse_recipient(text)) == text
    else:
        assert parse_identity(text).encode() == text


def read_bech32(untrusted: bytes) -> None:
    """What decodes encodes back, in its case."""
    hrp, payload = decode(untrusted.decode("latin-1"))
    assert encode(hrp, payload) == untrusted.decode("latin-1")


def _sealed(recipient: object, armor: bool) -> bytes:
    sink = io.BytesIO()
    seal(io.BytesIO(PLAINTEXT), sink, [recipient], armor)  # type: ignore[list-item]  # three kinds in one list
    return sink.getvalue()


UPLOADER = "whoever uploads, or hands a file over"
TARGETS = (
    Target(
        name="age_file",
        sender=UPLOADER,
        parsers=("keyvault.age.files.open_sealed", "keyvault.age.keys.unwrap_file_key"),
        parse=open_file,
        seeds=sealed_files,
        errors=(AgeError,),
        tokens=HEADER_LINES,
        examples=600,
    ),
    Target(
        name="age_header",
        sender=UPLOADER,
        parsers=("keyvault.age.header.parse_header", "keyvault.age.header.read_header"),
        parse=open_header,
        seeds=headers,
        errors=(AgeError,),
        tokens=HEADER_LINES,
        examples=600,
    ),
    Target(
        name="age_payload",
        sender=UPLOADER,
        parsers=("keyvault.age.reading.open_chunks", "keyvault.age.reading.PayloadStream.readinto"),
        parse=open_payload,
        seeds=payloads,
        errors=(AgeError,),
        max_bytes=140_000,
    ),
    Target(
        name="age_payload_seeking",
        sender=UPLOADER,
        parsers=("keyvault.age.random_access.PayloadReader.__init__",),
        parse=open_payload_here_and_there,
        seeds=payloads,
        errors=(AgeError,),
        max_bytes=140_000,
    ),
    Target(
        name="age_armor",
        sender=UPLOADER,
        parsers=("keyvault.age.armor.ArmorReader.readinto",),
        parse=lambda untrusted: ArmorReader(io.BytesIO(untrusted)).read(),
        seeds=armors,
        errors=(AgeError,),
        tokens=(b"-----BEGIN AGE ENCRYPTED FILE-----\n", b"-----END AGE ENCRYPTED FILE-----\n", b" \t\v\f"),
    ),
    Target(
        name="age_key",
        sender="a request's recipients; a person's key",
        parsers=(
            "keyvault.age.identity_file.parse_recipient",
            "keyvault.age.identity_file.parse_identity",
        ),
        parse=read_keys,
        seeds=key_texts,
        errors=(AgeError,),
        tokens=(b"age1", b"age1pq1", b"AGE-SECRET-KEY-1", b"AGE-SECRET-KEY-PQ-1"),
    ),
    Target(
        name="age_identity_file",
        sender="a person's file",
        parsers=("keyvault.age.identity_file.parse_identity_file",),
        parse=lambda untrusted: parse_identity_file(untrusted.decode("latin-1")),
        seeds=lambda: tuple(format_identity_file(key).encode() for key in (CLASSIC, HYBRID)),
        errors=(AgeError,),
        tokens=(*key_texts()[2:], b"#", b"\r\n"),
    ),
    Target(
        name="bech32",
        sender="every key in text",
        parsers=("keyvault.age.bech32.decode",),
        parse=read_bech32,
        seeds=lambda: (*key_texts(), encode("a", b"").encode()),
        errors=(Bech32Error,),
        max_bytes=MAX_CHARS + 1,
    ),
)
