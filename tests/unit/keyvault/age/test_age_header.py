"""The header's grammar, caps and MAC, and what an attacker would do to it."""

from __future__ import annotations

import io
import os

import pytest

from keyvault.age import (
    FILE_KEY_BYTES,
    MAX_HEADER_BYTES,
    AgeError,
    AgeHeaderError,
    AgeHeaderMacError,
    AgeNoMatchError,
    Header,
    HybridIdentity,
    PassphraseIdentity,
    PassphraseRecipient,
    Stanza,
    X25519Identity,
    parse_header,
    read_header,
    unwrap_file_key,
    wrap_file_key,
)
from keyvault.age.header import MAX_STANZAS, make_header

FILE_KEY = bytes(range(FILE_KEY_BYTES))
MAC_LINE = b"--- " + b"A" * 43 + b"\n"
VERSION = b"age-encryption.org/v1\n"

REFUSED = {
    "empty": b"",
    "text": b"hello, world\n" * 10,
    "another version": b"age-encryption.org/v2\n-> a\n\n" + MAC_LINE,
    "version with a carriage return": b"age-encryption.org/v1\r\n-> a\n\n" + MAC_LINE,
    "version without its newline": VERSION[:-1],
    "no stanza": VERSION + MAC_LINE,
    "no MAC line": VERSION + b"-> a\n\n",
    "MAC line without newline": VERSION + b"-> a\n\n" + MAC_LINE[:-1],
    "MAC line with a carriage return": VERSION + b"-> a\n\n" + MAC_LINE[:-1] + b"\r\n",
    "MAC with spare bits set": VERSION + b"-> a\n\n" + b"--- " + b"A" * 42 + b"B\n",
    "MAC with padding": VERSION + b"-> a\n\n" + MAC_LINE[:-1] + b"=\n",
    "MAC too short": VERSION + b"-> a\n\n--- AAAA\n",
    "no space after the arrow": VERSION + b"->a\n\n" + MAC_LINE,
    "no arguments": VERSION + b"-> \n\n" + MAC_LINE,
    "two spaces between arguments": VERSION + b"-> a  b\n\n" + MAC_LINE,
    "trailing space": VERSION + b"-> a \n\n" + MAC_LINE,
    "control character in an argument": VERSION + b"-> a\x7f\n\n" + MAC_LINE,
    "argument beyond ASCII": VERSION + "-> ä\n\n".encode() + MAC_LINE,
    "body beyond ASCII": VERSION + "-> a\nä\n".encode() + MAC_LINE,
    "body without a short line": VERSION + b"-> a\n" + b"A" * 64 + b"\n" + MAC_LINE,
    "body line of 65 columns": VERSION + b"-> a\n" + b"A" * 65 + b"\n\n" + MAC_LINE,
    "body line of 68 columns": VERSION + b"-> a\n" + b"A" * 68 + b"\n\n" + MAC_LINE,
    "body that goes on after a short line": VERSION + b"-> a\nAAAA\nAAAA\n" + MAC_LINE,
    "body with padding": VERSION + b"-> a\nAA==\n" + MAC_LINE,
    "body with spare bits set": VERSION + b"-> a\nAB\n" + MAC_LINE,
    "body of one spare character": VERSION + b"-> a\nAAAAA\n" + MAC_LINE,
    "body in the URL alphabet": VERSION + b"-> a\nAA-_\n" + MAC_LINE,
    "body with a space": VERSION + b"-> a\nAA AA\n" + MAC_LINE,
    "stanza line that never ends": VERSION + b"-> " + b"a" * 10 * MAX_HEADER_BYTES,
    "one stanza too many": VERSION + b"-> a\n\n" * (MAX_STANZAS + 1) + MAC_LINE,
    "over the cap in all": VERSION + (b"-> " + b"a" * 4000 + b"\n\n") * 20 + MAC_LINE,
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_refused(raw: bytes) -> None:
    with pytest.raises(AgeHeaderError) as caught:
        read_header(io.BytesIO(raw))
    assert caught.value.code == "age_header_invalid"
    with pytest.raises(AgeHeaderError):
        parse_header(raw)


def test_a_hostile_header_is_not_read_past_the_cap() -> None:
    stream = io.BytesIO(VERSION + b"-> " + b"a" * 100 * MAX_HEADER_BYTES)
    with pytest.raises(AgeHeaderError):
        read_header(stream)
    assert stream.tell() <= MAX_HEADER_BYTES


def test_the_error_never_quotes_the_header() -> None:
    for raw in (VERSION + b"-> SECRETNAME  x\n\n" + MAC_LINE, VERSION + b"-> a\nSECRETBODY!\n" + MAC_LINE):
        with pytest.raises(AgeHeaderError) as caught:
            read_header(io.BytesIO(raw))
        assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("body_bytes", [0, 1, 2, 3, 47, 48, 49, 95, 96, 97, 1000])
def test_bodies_of_every_wrap_come_back(body_bytes: int) -> None:
    stanza = Stanza("a", ("b", "c!~"), os.urandom(body_bytes))
    header = make_header(FILE_KEY, (stanza, Stanza("grease", (), b"")))
    assert parse_header(header.raw) == header
    assert all(len(line) <= 64 for line in stanza.encode().split(b"\n")[1:])
    assert len(stanza.encode().split(b"\n")[-2]) < 64


@pytest.mark.parametrize("make_stream", [io.BytesIO, lambda raw: io.BufferedReader(io.BytesIO(raw))])
def test_the_stream_is_left_just_after_the_header(make_stream: type[io.BytesIO]) -> None:
    header = make_header(FILE_KEY, (Stanza("a", (), b"body"),))
    stream = make_stream(header.raw + b"payload")
    assert read_header(stream) == header
    assert stream.read() == b"payload"


def test_data_after_a_detached_header_is_refused() -> None:
    header = make_header(FILE_KEY, (Stanza("a", (), b"body"),))
    with pytest.raises(AgeHeaderError):
        parse_header(header.raw + b"\n")


@pytest.mark.parametrize("make", [X25519Identity.generate, HybridIdentity.generate])
def test_every_flipped_header_byte_is_refused(make: type[HybridIdentity]) -> None:
    identity = make()
    raw = wrap_file_key(FILE_KEY, [identity.recipient]).raw
    assert unwrap_file_key(parse_header(raw), [identity]) == FILE_KEY
    for position in range(len(raw)):
        for bit in (0x01, 0x20, 0x80):
            changed = bytearray(raw)
            changed[position] ^= bit
            with pytest.raises(AgeError):
                unwrap_file_key(parse_header(bytes(changed)), [identity])


def test_every_cut_header_is_refused() -> None:
    raw = wrap_file_key(FILE_KEY, [X25519Identity.generate().recipient]).raw
    for size in range(len(raw)):
        with pytest.raises(AgeHeaderError):
            parse_header(raw[:size])


class TestStanzasMovedAbout:
    """The MAC covers all stanzas: a recipient cannot be taken out, put in or moved behind our back."""

    first = X25519Identity.generate()
    second = X25519Identity.generate()
    header = wrap_file_key(FILE_KEY, [first.recipient, second.recipient])

    def refused(self, stanzas: tuple[Stanza, ...]) -> None:
        raw = make_header(bytes(16), stanzas).raw[:-44] + self.header.raw[-44:]
        with pytest.raises(AgeHeaderMacError) as caught:
            unwrap_file_key(parse_header(raw), [self.first])
        assert caught.value.code == "age_header_mac_invalid"

    def test_taken_out(self) -> None:
        self.refused(self.header.stanzas[:1])

    def test_swapped(self) -> None:
        self.refused(self.header.stanzas[::-1])

    def test_repeated(self) -> None:
        self.refused(self.header.stanzas + self.header.stanzas[1:])

    def test_put_in_from_another_file(self) -> None:
        other = wrap_file_key(os.urandom(16), [HybridIdentity.generate().recipient])
        self.refused(self.header.stanzas + other.stanzas)

    def test_put_in_by_a_recipient_who_knows_the_file_key_is_that_recipients_right(self) -> None:
        stanzas = (*self.header.stanzas, Stanza("grease", (), b""))
        assert unwrap_file_key(make_header(FILE_KEY, stanzas), [self.second]) == FILE_KEY


def test_a_passphrase_stanza_beside_another_is_refused_by_every_identity() -> None:
    identity = X25519Identity.generate()
    passphrase = PassphraseRecipient("secret", work_factor=1)
    mixed = make_header(FILE_KEY, (identity.recipient.wrap(FILE_KEY), passphrase.wrap(FILE_KEY)))
    for each in (identity, PassphraseIdentity("secret")):
        with pytest.raises(AgeHeaderError):
            unwrap_file_key(mixed, [each])


def test_no_identity_and_a_strangers_identity_match_nothing() -> None:
    header = wrap_file_key(FILE_KEY, [HybridIdentity.generate().recipient])
    for identities in ([], [HybridIdentity.generate(), X25519Identity.generate()]):
        with pytest.raises(AgeNoMatchError) as caught:
            unwrap_file_key(header, identities)
        assert caught.value.code == "age_no_identity_matches"


def test_a_header_is_equal_only_to_the_same_bytes() -> None:
    header = make_header(FILE_KEY, (Stanza("a", (), b""),))
    assert parse_header(header.raw) == Header(header.stanzas, header.mac, header.raw)
