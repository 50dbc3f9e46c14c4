"""The chain check: these certificates, in this order, each used for what it is for, to a pinned root."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attest_pki import NOW, YEAR, Authority, elliptic, make_certificate, revocation_list
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from enclave.attest import EvidenceError
from enclave.attest.certificates import fingerprint
from enclave.attest.chain import ECDSA_P256, ECDSA_P384, RSA_PSS_SHA384, check_chain, check_dates
from enclave.attest.revocation import check_revocation

P256 = ec.SECP256R1()
ROOT = Authority(
    make_certificate("root", elliptic("root", P256), ca=True, usage="certify"), elliptic("root", P256)
)
ROOTS = {fingerprint(ROOT.certificate): "the root"}


def middle(**options: object) -> Authority:
    """An authority below the root."""
    values = {"ca": True, "usage": "certify", "path_length": 0, **options}
    return ROOT.issue("middle", elliptic("middle", P256), **values)


def leaf(issuer: Authority, **options: object) -> x509.Certificate:
    """A certificate of a key that signs documents."""
    return issuer.issue("leaf", elliptic("leaf", P256), **options).certificate


def chain(issuer: Authority | None = None, **options: object) -> list[x509.Certificate]:
    """Three certificates."""
    above = issuer or middle()
    return [leaf(above, **options), above.certificate, ROOT.certificate]


def with_two_below() -> list[x509.Certificate]:
    """A path length of 0, and an authority below it all the same."""
    above = middle()
    below = above.issue("below", elliptic("below", P256), ca=True, usage="certify")
    return [leaf(below), below.certificate, above.certificate, ROOT.certificate]


def with_a_twin_root() -> list[x509.Certificate]:
    """A root of the right name and key that was never pinned."""
    twin = make_certificate("root", elliptic("root", P256), ca=True, usage="certify")
    return [*chain()[:2], twin]


def test_a_sound_chain_leads_to_what_its_root_vouches_for() -> None:
    assert check_chain(chain(), ROOTS, ECDSA_P256) == "the root"
    assert check_chain([leaf(ROOT), ROOT.certificate], ROOTS, ECDSA_P256) == "the root"
    assert check_chain(chain(ca=None, usage=None), ROOTS, ECDSA_P256) == "the root"


CHAINS: dict[str, Callable[[], list[x509.Certificate]]] = {
    "the root alone": lambda: [ROOT.certificate],
    "nothing": list,
    "nine certificates": lambda: [ROOT.certificate] * 9,
    "without its middle": lambda: [chain()[0], ROOT.certificate],
    "in another order": lambda: [chain()[0], ROOT.certificate, middle().certificate],
    "with the leaf in the middle": lambda: [leaf(middle()), leaf(middle()), ROOT.certificate],
    "a root that was never pinned": with_a_twin_root,
    "an issuer's name without its key": lambda: chain(
        Authority(middle().certificate, elliptic("impostor", P256))
    ),
    "an issuer's key without its name": lambda: chain(issuer_name="muddle"),
    "an authority that is none": lambda: chain(middle(ca=False, path_length=None)),
    "an authority without constraints": lambda: chain(middle(ca=None, path_length=None)),
    "an authority that may not certify": lambda: chain(middle(usage="sign")),
    "an authority without a usage": lambda: chain(middle(usage=None)),
    "an authority too many below another": with_two_below,
    "a leaf that is an authority": lambda: chain(ca=True),
    "a leaf that may certify": lambda: chain(usage="certify"),
    "a demand that nobody knows": lambda: chain(extensions=[("1.2.3.4", b"\x05\x00", True)]),
    "another key identifier than the issuer's": lambda: chain(authority_key=b"k" * 20),
    "signed with another digest": lambda: chain(digest=hashes.SHA384()),
    "signed with SHA-1's successor by a larger curve": lambda: [
        Authority(middle().certificate, elliptic("big", ec.SECP384R1()))
        .issue("leaf", elliptic("leaf", P256))
        .certificate,
        middle().certificate,
        ROOT.certificate,
    ],
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_is_refused(name: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        check_chain(CHAINS[name](), ROOTS, ECDSA_P256)
    assert caught.value.code == "evidence_chain_untrusted"


@pytest.mark.parametrize("scheme", [ECDSA_P384, RSA_PSS_SHA384])
def test_another_vendors_algorithm_is_refused(scheme: object) -> None:
    with pytest.raises(EvidenceError) as caught:
        check_chain(chain(), ROOTS, scheme)  # type: ignore[arg-type]  # one of two schemes
    assert caught.value.code == "evidence_chain_untrusted"


def test_an_extension_that_nobody_knows_is_fine_when_it_is_not_critical() -> None:
    assert check_chain(chain(extensions=[("1.2.3.4", b"\x05\x00", False)]), ROOTS, ECDSA_P256)


@pytest.mark.parametrize(("at", "sound"), [(NOW, True), (NOW - 2 * YEAR, False), (NOW + 2 * YEAR, False)])
def test_dates_are_those_of_every_certificate(at: object, sound: bool) -> None:
    if sound:
        check_dates(chain(), NOW)
        return
    with pytest.raises(EvidenceError) as caught:
        check_dates(chain(), at)  # type: ignore[arg-type]  # a datetime of the table
    assert caught.value.code == "evidence_expired"


def test_an_expired_middle_is_refused_under_a_living_leaf() -> None:
    with pytest.raises(EvidenceError) as caught:
        check_dates(chain(middle(end=NOW - YEAR / 2)), NOW)
    assert caught.value.code == "evidence_expired"


def test_a_list_of_another_issuer_is_passed_over_and_counted_as_missing() -> None:
    stranger = Authority(
        make_certificate("stranger", elliptic("stranger", P256), ca=True, usage="certify"),
        elliptic("stranger", P256),
    )
    whole = chain()
    warnings = check_revocation(whole, [revocation_list(stranger, [whole[0]])], ECDSA_P256, NOW)
    assert warnings == ["Revocation was not checked for 2 of 2 certificates: no list was given."]


def test_what_is_revoked_today_is_not_believed_for_yesterday() -> None:
    above = middle()
    whole = chain(above)
    with pytest.raises(EvidenceError) as caught:
        check_revocation(whole, [revocation_list(above, [whole[0]])], ECDSA_P256, NOW - 3 * YEAR)
    assert caught.value.code == "evidence_revoked"
