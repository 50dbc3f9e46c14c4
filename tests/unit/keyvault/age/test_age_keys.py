"""Recipients and identities: what they accept, whom they share a file with, what they never show."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import pytest

from keyvault.age import (
    FILE_KEY_BYTES,
    AgeHeaderError,
    AgeIdentityError,
    AgeMixedRecipientsError,
    AgeRecipientError,
    HybridIdentity,
    HybridRecipient,
    PassphraseIdentity,
    PassphraseRecipient,
    Recipient,
    SealWriter,
    Stanza,
    X25519Identity,
    X25519Recipient,
    bech32,
    parse_identity,
    parse_recipient,
    unwrap_file_key,
    wrap_file_key,
)
from keyvault.age.header import MAX_STANZAS, encode_base64, make_header
from keyvault.age.passphrase import MAX_WORK_FACTOR

FILE_KEY = os.urandom(FILE_KEY_BYTES)

# From c2sp.org/age. The recipient of the hybrid one is 1,959 characters: its first and last are enough here.
SPEC_X25519 = (
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
    "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
)
SPEC_HYBRID = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
SPEC_HYBRID_ENDS = (
    "age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87",
    "qheyty7saeq0d3fzv49zc0k",
)

# u-coordinates of every point of order 1, 2, 4 or 8 that fits 32 bytes (RFC 7748, section 7).
LOW_ORDER_POINTS = [
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 18).to_bytes(32, "little"),
]


def hybrid_key(mlkem_part: bytes | None = None, point: bytes | None = None) -> bytes:
    good = HybridIdentity.generate().recipient.public_key
    return (mlkem_part or good[:1184]) + (good[1184:] if point is None else point)


def test_the_keys_of_the_specification() -> None:
    identity = parse_identity(SPEC_X25519[0])
    assert (identity.encode(), str(identity.recipient)) == SPEC_X25519
    hybrid = parse_identity(SPEC_HYBRID)
    assert hybrid.encode() == SPEC_HYBRID
    text = str(hybrid.recipient)
    assert len(text) == 1959
    assert (text[: len(SPEC_HYBRID_ENDS[0])], text[-len(SPEC_HYBRID_ENDS[1]) :]) == SPEC_HYBRID_ENDS
    assert parse_recipient(text) == hybrid.recipient


@pytest.mark.parametrize("make", [X25519Identity.generate, HybridIdentity.generate])
def test_keys_read_back_as_written(make: type[HybridIdentity]) -> None:
    identity = make()
    assert parse_identity(identity.encode()).encode() == identity.encode()
    assert str(parse_recipient(str(identity.recipient))) == str(identity.recipient)
    header = wrap_file_key(FILE_KEY, [parse_recipient(str(identity.recipient))])
    assert unwrap_file_key(header, [parse_identity(identity.encode())]) == FILE_KEY


GOOD = {
    "x25519": str(X25519Identity.generate().recipient),
    "hybrid": str(HybridIdentity.generate().recipient),
}
REFUSED_RECIPIENTS = {
    "empty": "",
    "upper case": GOOD["x25519"].upper(),
    "mixed case": "A" + GOOD["hybrid"][1:],
    "space after": GOOD["hybrid"] + " ",
    "newline after": GOOD["x25519"] + "\n",
    "an ssh key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN",
    "a plugin's": bech32.encode("age1yubikey", bytes(33)),
    "a tagged one": bech32.encode("age1tag", bytes(33)),
    "an identity": SPEC_HYBRID,
    "31 bytes": bech32.encode("age", bytes(31)),
    "33 bytes": bech32.encode("age", bytes(33)),
    "a hybrid key under the classic prefix": bech32.encode("age", hybrid_key()),
    "a classic key under the hybrid prefix": bech32.encode("age1pq", os.urandom(32)),
    "an ML-KEM key with coefficients over the modulus": bech32.encode("age1pq", hybrid_key(b"\xff" * 1184)),
    **{f"low order {n}": bech32.encode("age", point) for n, point in enumerate(LOW_ORDER_POINTS)},
    **{
        f"hybrid, low order {n}": bech32.encode("age1pq", hybrid_key(point=point))
        for n, point in enumerate(LOW_ORDER_POINTS)
    },
}


@pytest.mark.parametrize("text", REFUSED_RECIPIENTS.values(), ids=REFUSED_RECIPIENTS)
def test_refused_recipients(text: str) -> None:
    with pytest.raises(AgeRecipientError) as caught:
        parse_recipient(text)
    assert caught.value.code == "age_recipient_invalid"


REFUSED_IDENTITIES = {
    "empty": "",
    "lower case": SPEC_X25519[0].lower(),
    "lower case hybrid": SPEC_HYBRID.lower(),
    "mixed case": SPEC_HYBRID[:-1] + SPEC_HYBRID[-1].lower(),
    "wrong checksum": SPEC_HYBRID[:-1] + "Q",
    "space before": " " + SPEC_HYBRID,
    "a recipient": SPEC_X25519[1],
    "31 bytes": bech32.encode("AGE-SECRET-KEY-PQ-", bytes(31)),
    "33 bytes": bech32.encode("AGE-SECRET-KEY-", bytes(33)),
    "a plugin's": bech32.encode("AGE-PLUGIN-YUBIKEY-", bytes(32)),
}


@pytest.mark.parametrize("text", REFUSED_IDENTITIES.values(), ids=REFUSED_IDENTITIES)
def test_refused_identities(text: str) -> None:
    with pytest.raises(AgeIdentityError) as caught:
        parse_identity(text)
    assert caught.value.code == "age_identity_invalid"
    assert not text or text not in str(caught.value)


def test_secrets_are_never_shown() -> None:
    shown = [
        (repr(identity), identity.encode(), identity)
        for identity in (X25519Identity.generate(), HybridIdentity.generate())
    ]
    for representation, encoded, identity in shown:
        assert representation in ("X25519Identity()", "HybridIdentity()")
        assert encoded not in f"{identity}{identity!r}{[identity]}"
    assert "hunter2" not in repr(PassphraseIdentity("hunter2")) + repr(PassphraseRecipient("hunter2"))


CLASSIC = X25519Identity.generate().recipient
HYBRID = HybridIdentity.generate().recipient
PASSPHRASE = PassphraseRecipient("hunter2", work_factor=1)
MIXES: dict[str, tuple[Recipient, ...]] = {
    "hybrid, then classic": (HYBRID, CLASSIC),
    "classic, then hybrid": (CLASSIC, HYBRID),
    "many hybrids and one classic": (HYBRID, HYBRID, HYBRID, CLASSIC),
    "a passphrase and a classic": (PASSPHRASE, CLASSIC),
    "a hybrid and a passphrase": (HYBRID, PASSPHRASE),
    "two passphrases": (PASSPHRASE, PASSPHRASE),
    "all kinds": (CLASSIC, HYBRID, PASSPHRASE),
}


@pytest.mark.parametrize("recipients", MIXES.values(), ids=MIXES)
def test_recipients_that_must_not_share_a_file(recipients: tuple[Recipient, ...]) -> None:
    sink = io.BytesIO()
    reason = "passphrase" if PASSPHRASE in recipients else "post-quantum and classic"
    with pytest.raises(AgeMixedRecipientsError, match=reason) as caught:
        SealWriter(sink, recipients)
    assert caught.value.code == "age_recipients_mixed"
    assert sink.getvalue() == b""


@pytest.mark.parametrize(
    "make", [X25519Identity.generate, HybridIdentity.generate], ids=["classic", "hybrid"]
)
def test_several_recipients_of_one_kind_each_open_the_file(make: type[HybridIdentity]) -> None:
    identities = [make() for _ in range(3)]
    header = wrap_file_key(FILE_KEY, [identity.recipient for identity in identities])
    assert [unwrap_file_key(header, [identity]) for identity in identities] == [FILE_KEY] * 3
    assert unwrap_file_key(header, [make(), identities[2]]) == FILE_KEY


@pytest.mark.parametrize("count", [0, MAX_STANZAS + 1])
def test_no_recipient_and_too_many_are_refused(count: int) -> None:
    with pytest.raises(AgeRecipientError):
        wrap_file_key(FILE_KEY, [HYBRID] * count)


def test_as_many_post_quantum_recipients_as_stanzas_fit_one_header() -> None:
    identity = HybridIdentity.generate()
    header = wrap_file_key(FILE_KEY, [HYBRID] * (MAX_STANZAS - 1) + [identity.recipient])
    assert unwrap_file_key(header, [identity]) == FILE_KEY


@pytest.mark.parametrize("kind", ["X25519", "mlkem768x25519"])
@pytest.mark.parametrize("point", LOW_ORDER_POINTS, ids=range(len(LOW_ORDER_POINTS)))
def test_a_share_of_low_order_is_refused_by_name(kind: str, point: bytes) -> None:
    hybrid = kind == "mlkem768x25519"
    share = os.urandom(1088) + point if hybrid else point
    identity = HybridIdentity.generate() if hybrid else X25519Identity.generate()
    header = make_header(FILE_KEY, (Stanza(kind, (encode_base64(share),), bytes(32)),))
    with pytest.raises(AgeHeaderError, match="low order"):
        unwrap_file_key(header, [identity])


BAD_STANZAS = {
    "no argument": lambda good: Stanza(good.kind, (), good.body),
    "an argument more": lambda good: Stanza(good.kind, (*good.arguments, "x"), good.body),
    "argument not base64": lambda good: Stanza(good.kind, ("!" * 43,), good.body),
    "argument a byte short": lambda good: Stanza(good.kind, (encode_base64(bytes(31)),), good.body),
    "body a byte short": lambda good: Stanza(good.kind, good.arguments, good.body[:-1]),
    "body a byte long": lambda good: Stanza(good.kind, good.arguments, good.body + b"\0"),
    "body empty": lambda good: Stanza(good.kind, good.arguments, b""),
}


@pytest.mark.parametrize("spoil", BAD_STANZAS.values(), ids=BAD_STANZAS)
@pytest.mark.parametrize("make", [X25519Identity.generate, HybridIdentity.generate])
def test_a_malformed_stanza_of_ours_is_an_error_and_not_a_miss(
    make: type[HybridIdentity], spoil: Callable[[Stanza], Stanza]
) -> None:
    identity = make()
    header = make_header(FILE_KEY, (spoil(identity.recipient.wrap(FILE_KEY)),))
    with pytest.raises(AgeHeaderError):
        unwrap_file_key(header, [identity])


def test_a_strange_stanza_is_stepped_over() -> None:
    identity = HybridIdentity.generate()
    stanzas = (Stanza("example.com/enigma", ("x",), bytes(100)), identity.recipient.wrap(FILE_KEY))
    assert unwrap_file_key(make_header(FILE_KEY, stanzas), [identity]) == FILE_KEY


def test_a_file_key_of_another_length_never_comes_out() -> None:
    for identity in (X25519Identity.generate(), HybridIdentity.generate()):
        for size in (0, 15, 17, 32):
            header = make_header(FILE_KEY, (identity.recipient.wrap(bytes(size)),))
            with pytest.raises(AgeHeaderError):
                unwrap_file_key(header, [identity])


def test_two_wraps_of_one_file_key_have_nothing_in_common() -> None:
    for recipient in (CLASSIC, HYBRID, PASSPHRASE):
        one, other = recipient.wrap(FILE_KEY), recipient.wrap(FILE_KEY)
        assert one.arguments[0] != other.arguments[0]
        assert one.body != other.body


class TestPassphrase:
    def test_right_and_wrong(self) -> None:
        header = wrap_file_key(FILE_KEY, [PASSPHRASE])
        assert unwrap_file_key(header, [PassphraseIdentity("hunter2")]) == FILE_KEY
        assert PassphraseIdentity("hunter3").unwrap(header.stanzas) is None

    def test_bytes_that_the_terminal_could_not_decode_still_make_a_passphrase(self) -> None:
        typed = b"caf\xe9".decode("utf-8", "surrogateescape")
        header = wrap_file_key(FILE_KEY, [PassphraseRecipient(typed, work_factor=1)])
        assert unwrap_file_key(header, [PassphraseIdentity(typed)]) == FILE_KEY

    def test_empty_is_refused(self) -> None:
        with pytest.raises(AgeRecipientError):
            PassphraseRecipient("")
        with pytest.raises(AgeIdentityError):
            PassphraseIdentity("")

    @pytest.mark.parametrize("work_factor", [0, MAX_WORK_FACTOR + 1])
    def test_we_never_ask_for_more_work_than_we_would_do(self, work_factor: int) -> None:
        with pytest.raises(AgeRecipientError):
            PassphraseRecipient("hunter2", work_factor)

    @pytest.mark.parametrize("digits", ["0", "01", "+1", "-1", "0x1", "1 ", "٣", "21", "63", "9" * 5000])
    def test_a_file_cannot_make_us_work_hard_or_guess(self, digits: str) -> None:
        good = PASSPHRASE.wrap(FILE_KEY)
        stanza = Stanza(good.kind, (good.arguments[0], digits), good.body)
        with pytest.raises(AgeHeaderError):
            PassphraseIdentity("hunter2").unwrap([stanza])


@pytest.mark.parametrize("size", [0, 31, 33])
def test_raw_keys_of_another_length_are_refused(size: int) -> None:
    with pytest.raises(AgeRecipientError):
        X25519Recipient(bytes(size))
    with pytest.raises(AgeRecipientError):
        HybridRecipient(bytes(size))
    with pytest.raises(AgeIdentityError):
        X25519Identity(bytes(size))
    with pytest.raises(AgeIdentityError):
        HybridIdentity(bytes(size))
