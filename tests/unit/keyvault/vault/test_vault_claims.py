"""The claim key, the chain that an operator may install, and who gets a claim signed."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.acceptances import Acceptances
from keyvault.vault.announcements import WorkerFacts
from keyvault.vault.claim_key import CHAIN_FILE, REQUEST_FILE, load_claim_key, read_claim_key
from keyvault.vault.claims import ClaimDesk
from keyvault.vault.config import VaultConfig
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.intake import IntakeKeys
from keyvault.vault.keystore import Keystore
from keyvault.vault.memory import Secret
from keyvault.vault.releases import Offer, ReleaseDesk
from protos.bauta.internal.v1.release_pb2 import ClaimRequest
from provenance.credentials.certificates import NO_END, check_signature, own_chain
from provenance.credentials.claim import Claim
from provenance.credentials.labels import CLAIM_SIGNING, DOCUMENT_SIGNING
from provenance.errors import FormatError
from tests.unit.keyvault.vault.conftest import Clock
from tests.unit.keyvault.vault.harness import (
    MEASUREMENT,
    TERMS_SHA256,
    WALLS,
    Worker,
    header_of,
    seal_upload,
)

LOG = "bauta.log/of-the-test"
CONFIG = VaultConfig()
NONCE = bytes(32)
SINCE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@dataclass
class Scene:
    """A claim desk, and two jobs whose keys were released."""

    claims: ClaimDesk
    acceptances: Acceptances
    chain: tuple[bytes, ...]
    offers: list[Offer]

    def claim(self, offer: Offer, request: ClaimRequest) -> Claim:
        return Claim(
            offer.evidence.digest, LOG, request.actions_sha256, request.binding_label, request.binding_sha256
        )


def a_request(**changes: object) -> ClaimRequest:
    good = {"actions_sha256": bytes(32), "binding_label": "c2pa.hash.data", "binding_sha256": b"\1" * 32}
    return ClaimRequest(**{**good, **changes})


@pytest.fixture
def scene(store: Keystore, clock: Clock, tmp_path: Path) -> Scene:
    node, keys = HybridSigner.generate(), IntakeKeys(store, CONFIG, clock)
    acceptances = Acceptances(store, keys, CONFIG, clock)
    releases = ReleaseDesk(node, acceptances, CONFIG, clock)
    offers = []
    for _ in range(2):
        worker = Worker()
        header = header_of(seal_upload(keys.current(MEASUREMENT).recipient, b"plaintext"))
        acceptances.accept(worker.job_id, header, TERMS_SHA256)
        request = worker.request(header)
        request.nonce = NONCE
        offers.append(
            releases.offer(worker.job_id, WorkerFacts(MEASUREMENT, frozenset(WALLS)), NONCE, request)
        )
    key = load_claim_key(store, tmp_path, clock)
    return Scene(ClaimDesk(key, LOG, releases), acceptances, key.chain, offers)


def test_a_claim_is_about_the_job_that_asks_and_no_other(scene: Scene) -> None:
    first, second = scene.offers
    request = a_request()
    signature = scene.claims.sign(first, request)
    check_signature(scene.claim(first, request), scene.chain, signature)
    for other in (
        scene.claim(second, request),
        scene.claim(first, a_request(actions_sha256=b"\2" * 32)),
        scene.claim(first, a_request(binding_label="c2pa.hash.bmff.v3")),
        scene.claim(first, a_request(binding_sha256=b"\2" * 32)),
    ):
        with pytest.raises(FormatError):
            check_signature(other, scene.chain, signature)


def test_a_job_that_has_ended_gets_no_signature(scene: Scene) -> None:
    first, second = scene.offers
    scene.acceptances.end(first.job_id)
    with pytest.raises(VaultRequestError) as refusal:
        scene.claims.sign(first, a_request())
    assert refusal.value.code == "upload_not_accepted"
    assert len(scene.claims.sign(second, a_request())) == 64


REFUSED = {
    "nothing": ClaimRequest(),
    "no digest of actions": a_request(actions_sha256=b""),
    "a short digest": a_request(binding_sha256=bytes(31)),
    "a long digest": a_request(actions_sha256=bytes(33)),
    "a label of its own": a_request(binding_label="c2pa.ingredient"),
    "a label and more": a_request(binding_label="c2pa.hash.data\0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_claim_is_not_signed(name: str, scene: Scene) -> None:
    with pytest.raises(VaultRequestError) as refusal:
        scene.claims.sign(scene.offers[0], REFUSED[name])
    assert refusal.value.code == "claim_malformed"


def test_the_key_outlives_a_restart_and_its_certificates_name_nobody(
    store: Keystore, clock: Clock, tmp_path: Path
) -> None:
    first, again = (load_claim_key(store, tmp_path, clock) for _ in range(2))
    assert (first.chain, first.root) == (again.chain, again.root)
    leaf, root = (x509.load_der_x509_certificate(der) for der in (first.chain[0], first.root))
    leaf.verify_directly_issued_by(root)
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [purpose.dotted_string for purpose in purposes] == [CLAIM_SIGNING, DOCUMENT_SIGNING]
    assert leaf.not_valid_after_utc == root.not_valid_after_utc == NO_END
    assert leaf.not_valid_before_utc.time() == datetime.time(0)
    for name in (leaf.subject, leaf.issuer):
        organization, common = name.rfc4514_string().split(",")[::-1]
        assert organization == "O=Bauta"
        assert common.startswith(("CN=Bauta claims ", "CN=Bauta root "))
    assert leaf.subject != leaf.issuer


def test_the_private_key_is_in_no_repr(store: Keystore, clock: Clock, tmp_path: Path) -> None:
    key = load_claim_key(store, tmp_path, clock)
    assert "private" not in repr(key)


@pytest.mark.parametrize("cut", [0, 3, 40, 500, -1])
def test_a_damaged_entry_is_named(store: Keystore, cut: int) -> None:
    with store.read_secret("claims") as stored:
        damaged = Secret.moved_from(bytearray(stored.view[:cut]))
    with pytest.raises(VaultStartError) as reason:
        read_claim_key(damaged)
    assert reason.value.code == "vault_store_corrupt"


def request_of(folder: Path) -> x509.CertificateSigningRequest:
    return x509.load_pem_x509_csr((folder / REQUEST_FILE).read_bytes())


def pem(*certificates: bytes) -> bytes:
    return b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in certificates)


def authority(folder: Path) -> tuple[bytes, bytes]:
    """A certificate and its root, as another authority makes them for the key of the signing request."""
    public_key = request_of(folder).public_key()
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    return own_chain(ec.generate_private_key(ec.SECP256R1()), public_key, SINCE)


def test_a_chain_of_an_authority_is_used_and_its_root_announced(
    store: Keystore, clock: Clock, tmp_path: Path
) -> None:
    own = load_claim_key(store, tmp_path, clock)
    assert request_of(tmp_path).is_signature_valid
    leaf, root = authority(tmp_path)
    (tmp_path / CHAIN_FILE).write_bytes(pem(leaf, root))
    installed = load_claim_key(store, tmp_path, clock)
    assert (installed.chain, installed.root) == ((leaf,), root)
    assert installed.root != own.root
    claim = Claim(bytes(32), LOG, bytes(32), "c2pa.hash.data", bytes(32))
    check_signature(claim, installed.chain, installed.sign(claim))


def _stranger(_folder: Path) -> bytes:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    return pem(*own_chain(keys[0], keys[1].public_key(), SINCE))


def _ended(folder: Path) -> bytes:
    leaf, root = authority(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    old = x509.load_der_x509_certificate(root)
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(SINCE)
        .not_valid_after(SINCE + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    return pem(leaf, builder.sign(key, SHA256()).public_bytes(Encoding.DER))


def _without_purpose(folder: Path) -> bytes:
    root_key = ec.generate_private_key(ec.SECP256R1())
    _leaf, root = own_chain(root_key, root_key.public_key(), SINCE)
    request, issuer = request_of(folder), x509.load_der_x509_certificate(root)
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(issuer.subject)
        .public_key(request.public_key())
        .serial_number(1)
        .not_valid_before(SINCE)
        .not_valid_after(NO_END)
    )
    return pem(builder.sign(root_key, SHA256()).public_bytes(Encoding.DER), root)


NOT_INSTALLED: dict[str, Callable[[Path], bytes]] = {
    "an empty file": lambda _folder: b"",
    "no PEM": lambda _folder: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "too long": lambda _folder: b"#" * (1 << 20),
    "the key's certificate alone": lambda folder: pem(authority(folder)[0]),
    "the root first": lambda folder: pem(*authority(folder)[::-1]),
    "another root": lambda folder: pem(authority(folder)[0], authority(folder)[1]),
    "five certificates": lambda folder: pem(authority(folder)[0], *[authority(folder)[1]] * 4),
    "another key's": _stranger,
    "one that has ended": _ended,
    "one for nothing": _without_purpose,
}


@pytest.mark.parametrize("name", NOT_INSTALLED)
def test_a_chain_that_cannot_be_used_stops_the_start_with_a_word(
    name: str, store: Keystore, clock: Clock, tmp_path: Path
) -> None:
    load_claim_key(store, tmp_path, clock)
    (tmp_path / CHAIN_FILE).write_bytes(NOT_INSTALLED[name](tmp_path))
    with pytest.raises(VaultStartError) as reason:
        load_claim_key(store, tmp_path, clock)
    assert reason.value.code == "credential_chain_invalid"
    assert CHAIN_FILE in str(reason.value)
