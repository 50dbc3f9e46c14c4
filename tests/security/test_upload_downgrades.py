"""An upload that a quantum computer could open one day is refused, and so is a result that would be.

A real vault with an intake; the attacker is a changed client, or has changed one.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from enclave.errors import TermsError
from enclave.policy import Terms, shipped
from keyvault.age import (
    AgeMixedRecipientsError,
    Header,
    HybridIdentity,
    HybridRecipient,
    PassphraseRecipient,
    SealWriter,
    Stanza,
    X25519Identity,
    X25519Recipient,
    parse_header,
)
from keyvault.age.header import make_header
from keyvault.client import VaultRefusedError
from keyvault.release import ReleaseKeyError, seal_file_key
from keyvault.upload import UploadSuiteError, insist_on_post_quantum
from tests.unit.keyvault.vault.harness import TERMS_SHA256, RunningVault

FILE_KEY = secrets.token_bytes(16)
CLASSIC = X25519Identity.generate().recipient.wrap(FILE_KEY)
SCRYPT = PassphraseRecipient("words", work_factor=10).wrap(FILE_KEY)
GREASE = Stanza("qx7-grease", ("4k", "abc"), b"any bytes at all")
OWN_COPY = HybridIdentity.generate().recipient.wrap(FILE_KEY)
SSH = Stanza("ssh-ed25519", ("YmFzZQ", "c2hhcmU"), bytes(32))
UNKNOWN = Stanza("p256tag", ("YmFzZQ",), bytes(32))


def cut(hybrid: Stanza) -> Stanza:
    """Only the X25519 share is left of the encapsulation: the last 43 of its base64."""
    return Stanza(hybrid.kind, (hybrid.arguments[0][-43:],), hybrid.body)


def renamed(hybrid: Stanza) -> Stanza:
    return Stanza("X25519", hybrid.arguments, hybrid.body)


# How the header is made of the intake's honest stanza. Every MAC is sound: who seals knows the file key.
REFUSED: dict[str, tuple[Callable[[Stanza], tuple[Stanza, ...]], str]] = {
    "X25519 alone": (lambda _: (CLASSIC,), "upload_not_post_quantum"),
    "X25519 after the intake": (lambda intake: (intake, CLASSIC), "upload_not_post_quantum"),
    "X25519 before the intake": (lambda intake: (CLASSIC, intake), "upload_not_post_quantum"),
    "X25519 behind grease": (lambda intake: (GREASE, intake, GREASE, CLASSIC), "upload_not_post_quantum"),
    "a passphrase alone": (lambda _: (SCRYPT,), "upload_not_post_quantum"),
    "a passphrase beside the intake": (lambda intake: (intake, SCRYPT), "upload_not_post_quantum"),
    "an SSH key beside the intake": (lambda intake: (intake, SSH), "upload_not_post_quantum"),
    "a kind that nobody knows": (lambda intake: (intake, UNKNOWN), "upload_not_post_quantum"),
    "nothing but grease": (lambda _: (GREASE,), "upload_not_post_quantum"),
    "the intake's stanza called X25519": (lambda intake: (renamed(intake),), "upload_not_post_quantum"),
    "the intake's stanza without ML-KEM": (lambda intake: (cut(intake),), "upload_header_invalid"),
    "another's post-quantum stanza alone": (lambda _: (OWN_COPY,), "intake_key_unknown"),
}
TAKEN: dict[str, Callable[[Stanza], tuple[Stanza, ...]]] = {
    "the intake alone": lambda intake: (intake,),
    "grease around the intake": lambda intake: (GREASE, intake, Stanza("grease", (), b"")),
    "a post-quantum copy for oneself": lambda intake: (OWN_COPY, intake),
}


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVault]:
    """A vault with its worker host ready."""
    with RunningVault(tmp_path_factory.mktemp("downgrades") / "vault") as running:
        running.hello()
        yield running


def header(vault: RunningVault, make: Callable[[Stanza], tuple[Stanza, ...]]) -> Header:
    return make_header(FILE_KEY, make(HybridRecipient.parse(vault.intake().recipient).wrap(FILE_KEY)))


@pytest.mark.parametrize(("make", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_the_vault_refuses_an_upload_sealed_with(
    vault: RunningVault, make: Callable[[Stanza], tuple[Stanza, ...]], code: str
) -> None:
    with pytest.raises(VaultRefusedError) as caught:
        vault.client.accept_upload(secrets.token_bytes(16), header(vault, make).raw, TERMS_SHA256)
    assert caught.value.code == code


@pytest.mark.parametrize("make", TAKEN.values(), ids=TAKEN.keys())
def test_the_vault_takes_an_upload_sealed_with(
    vault: RunningVault, make: Callable[[Stanza], tuple[Stanza, ...]]
) -> None:
    vault.client.accept_upload(secrets.token_bytes(16), header(vault, make).raw, TERMS_SHA256)


@pytest.mark.parametrize("extra", [CLASSIC, GREASE], ids=["X25519", "grease"])
def test_a_stanza_that_the_front_desk_adds_breaks_the_seal(vault: RunningVault, extra: Stanza) -> None:
    """Who does not know the file key cannot make the MAC, and so cannot even add grease."""
    raw = header(vault, lambda intake: (intake,)).raw
    at = raw.index(b"--- ")
    with pytest.raises(VaultRefusedError):
        vault.client.accept_upload(
            secrets.token_bytes(16), raw[:at] + extra.encode() + raw[at:], TERMS_SHA256
        )


def test_the_rule_looks_at_kinds_and_nothing_else() -> None:
    """Also without a vault: a header from another age program, read as it came."""
    taken = parse_header(make_header(FILE_KEY, (OWN_COPY, GREASE)).raw)
    insist_on_post_quantum(taken)
    for stanza in (
        CLASSIC,
        SCRYPT,
        SSH,
        UNKNOWN,
        Stanza("grease-x25519", (), b""),
        Stanza("Grease", (), b""),
    ):
        with pytest.raises(UploadSuiteError) as caught:
            insist_on_post_quantum(make_header(FILE_KEY, (OWN_COPY, stanza)))
        assert caught.value.code == "upload_not_post_quantum"


def test_our_own_writer_mixes_no_recipients() -> None:
    recipients = [HybridIdentity.generate().recipient, X25519Identity.generate().recipient]
    sink = io.BytesIO()
    with pytest.raises(AgeMixedRecipientsError):
        SealWriter(sink, recipients)
    assert sink.getvalue() == b""


@pytest.mark.parametrize("beside_a_sound_one", [False, True])
def test_a_result_is_sealed_to_no_classic_recipient(beside_a_sound_one: bool) -> None:
    classic = str(X25519Identity.generate().recipient)
    assert X25519Recipient.parse(classic)
    sound = (str(HybridIdentity.generate().recipient),)
    policy = shipped()["whistleblower"]
    Terms(policy, "quality", sound)
    with pytest.raises(TermsError) as caught:
        Terms(policy, "quality", (*(sound if beside_a_sound_one else ()), classic))
    assert caught.value.code == "recipient_invalid"


def test_a_file_key_is_released_to_no_classic_key() -> None:
    classic = X25519PrivateKey.generate().public_key().public_bytes_raw()
    # Alone, half of a hybrid key, one byte short of one, and behind something that is no ML-KEM key.
    for key in (classic, bytes(1184), classic.rjust(1215, b"\0"), b"\xff" * 1184 + classic):
        with pytest.raises(ReleaseKeyError):
            seal_file_key(FILE_KEY, key, bytes(16), b"header")
