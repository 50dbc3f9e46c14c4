"""SEV-SNP: a report passes only whole, from this chip, with nobody above the guest, as expected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from attest_makers import (
    CHIP_ID,
    MEASUREMENT,
    REPORT_DATA,
    SNP_TCB,
    amd,
    amd_roots,
    check_snp,
    snp_report,
    vcek,
)
from attest_pki import (
    NOW,
    YEAR,
    elliptic,
    revocation_list,
)
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from enclave.attest import Collateral, EvidenceError, EvidenceRefusedError, Expected
from enclave.attest.roots import AMD_ROOTS
from enclave.attest.snp import verify_snp
from enclave.attest.snp_certificate import parse_certificate_table

EXPECTED = Expected(at=NOW, report_data=REPORT_DATA, measurement=MEASUREMENT, min_tcb=SNP_TCB)


def put(at: int, value: bytes) -> Callable[[bytearray], None]:
    """An edit of the report before it is signed."""

    def edit(body: bytearray) -> None:
        body[at : at + len(value)] = value

    return edit


def refused(code: str, step: str, act: Callable[[], object]) -> None:
    """Insists on a refusal by name."""
    with pytest.raises(EvidenceRefusedError) as caught:
        act()
    assert (caught.value.code, caught.value.step) == (code, step)


def test_a_sound_report_passes_every_step_and_says_what_it_holds() -> None:
    verified = check_snp(snp_report(), EXPECTED)
    assert (verified.tier, verified.measurement, verified.report_data) == ("cvm", MEASUREMENT, REPORT_DATA)
    assert verified.tcb == SNP_TCB
    assert not verified.debug
    assert {step.status for step in verified.steps} == {"ok"}
    assert len(verified.steps) == 10
    assert verified.warnings == ("Revocation was not checked for 2 of 2 certificates: no list was given.",)


def test_what_was_not_expected_is_no_step_and_a_warning() -> None:
    verified = check_snp(snp_report())
    assert not {"measurement_expected", "report_data_expected", "tcb_recent"} & {
        step.step for step in verified.steps
    }
    assert sum("expected" in warning for warning in verified.warnings) == 2


# Signed by the right chip, and still refused.
SIGNED_AND_REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a version to come": ({"edit": put(0, b"\x06")}, "evidence_unsupported", "evidence_well_formed"),
    "version 1": ({"edit": put(0, b"\x01")}, "evidence_unsupported", "evidence_well_formed"),
    "another signature algorithm": (
        {"edit": put(0x34, b"\x02")},
        "evidence_unsupported",
        "evidence_well_formed",
    ),
    "no signing key": ({"edit": put(0x48, b"\x1c")}, "evidence_unsupported", "evidence_well_formed"),
    "a reserved bit beside the signing key": (
        {"edit": put(0x48, b"\x20")},
        "evidence_malformed",
        "evidence_well_formed",
    ),
    "reserved bytes after the flags": (
        {"edit": put(0x4F, b"\x01")},
        "evidence_malformed",
        "evidence_well_formed",
    ),
    "a CPUID in version 2": ({"edit": put(0x188, b"\x19")}, "evidence_malformed", "evidence_well_formed"),
    "mitigation vectors before version 5": (
        {"edit": put(0x1F8, b"\x01"), "version": 3, "cpuid": b"\x19\x01\x01"},
        "evidence_malformed",
        "evidence_well_formed",
    ),
    "something in the last reserved bytes": (
        {"edit": put(0x29F, b"\x01")},
        "evidence_malformed",
        "evidence_well_formed",
    ),
    "a policy without its constant bit": ({"policy": 0x10000}, "evidence_malformed", "evidence_well_formed"),
    "a policy with a reserved bit": (
        {"policy": 0x30000 | 1 << 26},
        "evidence_malformed",
        "evidence_well_formed",
    ),
    "debugging allowed": ({"policy": 0x30000 | 1 << 19}, "evidence_debug", "debug_off"),
    "a migration agent": ({"policy": 0x30000 | 1 << 18}, "evidence_guest_policy", "policy_sound"),
    "asked for by the host": ({"edit": put(0x30, b"\xff" * 4)}, "evidence_guest_policy", "policy_sound"),
    "asked for at another privilege level": (
        {"edit": put(0x30, b"\x01")},
        "evidence_guest_policy",
        "policy_sound",
    ),
    "another chip": ({"chip_id": bytes(64)}, "evidence_chip_mismatch", "certificate_matches"),
    "signed by a VLEK, it says": ({"edit": put(0x48, b"\x04")}, "evidence_chain_incomplete", "chain_trusted"),
    "an older patch level than the certificate's": (
        {"edit": put(0x186, b"\x16")},
        "evidence_tcb_mismatch",
        "certificate_matches",
    ),
    "launched on older firmware": ({"edit": put(0x1F6, b"\x16")}, "evidence_tcb_too_old", "tcb_recent"),
    "a reserved patch level": ({"edit": put(0x182, b"\x01")}, "evidence_malformed", "certificate_matches"),
    "a Genoa's CPUID under Milan's root": (
        {"version": 3, "cpuid": b"\x19\x11\x01"},
        "evidence_chip_mismatch",
        "certificate_matches",
    ),
    "another measurement": (
        {"edit": put(0x90, b"\xff")},
        "evidence_measurement_wrong",
        "measurement_expected",
    ),
    "other report data": ({"edit": put(0x8F, b"\xff")}, "evidence_report_data_wrong", "report_data_expected"),
    "another chip's signature": (
        {"key": elliptic("other chip", ec.SECP384R1())},
        "evidence_signature_wrong",
        "signature_holds",
    ),
}


@pytest.mark.parametrize("name", SIGNED_AND_REFUSED)
def test_a_report_is_refused_by_name(name: str) -> None:
    changes, code, step = SIGNED_AND_REFUSED[name]
    refused(code, step, lambda: check_snp(snp_report(**changes), EXPECTED))


@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_every_version_is_read(version: int) -> None:
    report = snp_report(version=version, cpuid=b"\x19\x01\x01" if version > 2 else b"")
    assert check_snp(report, EXPECTED).facts["version"] == version


def test_every_byte_of_a_report_counts() -> None:
    report = snp_report()
    check_snp(report, EXPECTED)
    for position in [*range(0, 0x2A0, 7), *range(0x2A0, len(report), 13), len(report) - 1]:
        changed = bytearray(report)
        changed[position] ^= 0x01
        with pytest.raises(EvidenceRefusedError):
            check_snp(bytes(changed), EXPECTED)


@pytest.mark.parametrize("change", [lambda r: r[:-1], lambda r: r + b"\0", lambda r: b"", lambda r: r * 2])
def test_another_length_is_refused(change: Callable[[bytes], bytes]) -> None:
    refused("evidence_malformed", "evidence_well_formed", lambda: check_snp(change(snp_report())))


def test_debugging_passes_only_when_allowed_and_then_warns() -> None:
    verified = check_snp(snp_report(policy=0x30000 | 1 << 19), replace(EXPECTED, allow_debug=True))
    assert verified.debug
    assert any("host can read everything" in warning for warning in verified.warnings)
    assert all("Nobody may read" not in step.sentence for step in verified.steps)


def test_another_privilege_level_passes_only_when_allowed() -> None:
    report = snp_report(edit=put(0x30, b"\x02"))
    verified = check_snp(report, replace(EXPECTED, allowed_vmpls=frozenset({0, 2})))
    assert verified.facts["vmpl"] == 2


# The certificate is at fault.
LEAVES: dict[str, tuple[dict[str, Any], str, str]] = {
    "of another product": ({"stepping": "Genoa-B1"}, "evidence_chip_mismatch", "certificate_matches"),
    "of a product that nobody knows": (
        {"stepping": "Venice-A0"},
        "evidence_unsupported",
        "certificate_matches",
    ),
    "of another chip": ({"hardware_id": bytes(64)}, "evidence_chip_mismatch", "certificate_matches"),
    "with half a chip id": ({"hardware_id": CHIP_ID[:32]}, "evidence_malformed", "certificate_matches"),
    "without a chip id": ({"hardware_id": None}, "evidence_chip_mismatch", "certificate_matches"),
    "for a newer patch level": (
        {"tcb": {**SNP_TCB, "snp": 24}},
        "evidence_tcb_mismatch",
        "certificate_matches",
    ),
    "without AMD's extensions": ({"extensions": []}, "evidence_malformed", "certificate_matches"),
    "for a P-256 key": (
        {"key": elliptic("small", ec.SECP256R1())},
        "evidence_chain_untrusted",
        "signature_holds",
    ),
    "that is an authority": ({"ca": True, "usage": "certify"}, "evidence_chain_untrusted", "chain_trusted"),
    "that has expired": ({"end": NOW - YEAR / 2}, "evidence_expired", "certificates_valid"),
    "that is too young": ({"start": NOW + YEAR / 2}, "evidence_expired", "certificates_valid"),
    "under another name": ({"name": "SEV-VCEK2"}, "evidence_chain_incomplete", "chain_trusted"),
}


@pytest.mark.parametrize("name", LEAVES)
def test_a_certificate_is_refused_by_name(name: str) -> None:
    changes, code, step = LEAVES[name]
    refused(code, step, lambda: check_snp(snp_report(), EXPECTED, leaf=vcek(**changes)))


def test_the_documents_own_time_is_the_leafs_first_moment() -> None:
    leaf = vcek(start=NOW - YEAR / 4, end=NOW - YEAR / 8)
    refused("evidence_expired", "certificates_valid", lambda: check_snp(snp_report(), EXPECTED, leaf=leaf))
    verified = check_snp(snp_report(), replace(EXPECTED, at=None), leaf=leaf)
    assert verified.moment == (NOW - YEAR / 4).replace(microsecond=0)
    assert "carries no time" in verified.moment_is


def test_a_vlek_belongs_to_no_chip_and_needs_its_own_certificate() -> None:
    report = snp_report(edit=put(0x48, b"\x04"), chip_id=bytes(64))
    fleet = vcek(name="SEV-VLEK", hardware_id=None)
    assert check_snp(report, EXPECTED, leaf=fleet).facts["signing_key"] == "VLEK"
    refused(
        "evidence_chip_mismatch",
        "certificate_matches",
        lambda: check_snp(report, EXPECTED, leaf=vcek(name="SEV-VLEK")),
    )


def test_a_turin_orders_its_patch_levels_another_way() -> None:
    levels = {"fmc": 1, "bootloader": 2, "tee": 3, "snp": 4, "microcode": 5}
    chip = bytes(range(1, 9))
    leaf = vcek("Turin", tcb=levels, hardware_id=chip)
    report = snp_report(
        version=5, cpuid=b"\x1a\x02\x01", tcb=bytes([1, 2, 3, 4, 0, 0, 0, 5]), chip_id=chip.ljust(64, b"\0")
    )
    verified = check_snp(report, Expected(at=NOW, min_tcb=levels), leaf=leaf, product="Turin")
    assert verified.tcb == levels
    older = {**levels, "fmc": 2}
    refused(
        "evidence_tcb_too_old",
        "tcb_recent",
        lambda: check_snp(report, Expected(at=NOW, min_tcb=older), leaf=leaf, product="Turin"),
    )


def test_a_chain_to_an_unpinned_root_is_refused_by_the_real_roots() -> None:
    root, signer = amd("Milan")
    files = Collateral((vcek().certificate, signer.certificate, root.certificate))
    refused("evidence_chain_untrusted", "chain_trusted", lambda: verify_snp(snp_report(), EXPECTED, files))
    assert not set(amd_roots()) & set(AMD_ROOTS)


def test_revoked_certificates_are_refused() -> None:
    root, signer = amd("Milan")
    leaf = vcek()
    certificates = (root.certificate, leaf.certificate, signer.certificate)

    def check(*lists: Any) -> object:
        return verify_snp(snp_report(), EXPECTED, Collateral(certificates, lists), amd_roots())

    check(revocation_list(root, []), revocation_list(signer, []))
    refused(
        "evidence_revoked", "certificates_valid", lambda: check(revocation_list(root, [signer.certificate]))
    )
    refused(
        "evidence_revoked", "certificates_valid", lambda: check(revocation_list(signer, [leaf.certificate]))
    )


@pytest.mark.parametrize(
    "expected",
    [
        Expected(at=NOW, measurement=MEASUREMENT[:32]),
        Expected(at=NOW, report_data=REPORT_DATA[:63]),
        Expected(at=NOW, nonce=b"n" * 20),
        Expected(at=NOW, min_tcb={"module": 1}),
    ],
)
def test_what_no_report_could_meet_is_refused_as_such(expected: Expected) -> None:
    with pytest.raises(EvidenceError) as caught:
        check_snp(snp_report(), expected)
    assert caught.value.code == "evidence_expectation_unfit"


def test_a_hosts_certificate_table_is_read_and_lies_in_it_are_refused() -> None:
    der = vcek().certificate.public_bytes(Encoding.DER)
    guid = bytes.fromhex("63da758de6644564adc5f4b93be8accd")
    end = bytes(24)

    def table(offset: int, length: int, tail: bytes = end) -> bytes:
        return guid + offset.to_bytes(4, "little") + length.to_bytes(4, "little") + tail + der

    assert len(parse_certificate_table(table(48, len(der)))) == 1
    assert parse_certificate_table(end) == ()
    for lie in (table(48, len(der) + 1), table(47, len(der)), table(48, 0xFFFFFFFF), guid, b"", guid * 40):
        with pytest.raises(EvidenceError) as caught:
            parse_certificate_table(lie)
        assert caught.value.code == "evidence_malformed"
