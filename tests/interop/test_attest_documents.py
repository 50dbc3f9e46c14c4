"""Evidence that real hardware made (../shared/attestation) verifies at its own time; no field can change.

Two of the machines were left open by their owners: the SNP guest's policy allows debugging, and the Nitro
enclave ran in debug mode. Both are refused for it, by name, and pass when debugging is allowed.
"""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cbor2
import pytest

from enclave.attest import Collateral, EvidenceError, EvidenceRefusedError, Expected, verify_evidence
from enclave.attest.certificates import fingerprint, load_certificate
from enclave.attest.roots import NITRO_ROOTS

pytestmark = pytest.mark.shared

OWN_TIME = Expected(at=None, allow_debug=True)
SNP_REPORT_DATA = bytes([1, 2, 3, 4, 5]).ljust(64, b"\0")


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    """The real documents."""
    found = repository.parent / "shared" / "attestation"
    if not found.is_dir():
        pytest.skip("no ../shared/attestation beside this checkout")
    return found


@pytest.fixture(scope="module")
def snp(folder: Path) -> tuple[bytes, Collateral]:
    """An SNP report and AMD's certificates."""
    return (folder / "snp_report_v2.bin").read_bytes(), Collateral.beside(folder / "snp_report_v2.bin")


@pytest.fixture(scope="module")
def tdx(folder: Path) -> bytes:
    """A TDX quote."""
    return (folder / "tdx_quote_v4.dat").read_bytes()


@pytest.fixture(scope="module")
def nitro(folder: Path) -> bytes:
    """A Nitro document."""
    return base64.b64decode((folder / "nitro_document.b64").read_text())


def refusal(
    kind: str, document: bytes, expected: Expected, files: Collateral | None = None
) -> tuple[str, str]:
    """The step and the code of a refusal."""
    with pytest.raises(EvidenceRefusedError) as caught:
        verify_evidence(kind, document, expected, files)
    return caught.value.step, caught.value.code


def changed(document: bytes, position: int) -> bytes:
    """The document with one bit turned."""
    found = bytearray(document)
    found[position] ^= 0x01
    return bytes(found)


def test_the_snp_report_verifies_at_its_own_time(snp: tuple[bytes, Collateral]) -> None:
    expected = Expected(
        at=None,
        allow_debug=True,
        report_data=SNP_REPORT_DATA,
        measurement=bytes.fromhex(
            "b07af9620f3b839b47996422ddec6058338951d984e312115131ea82705eaf5b6bdf8a9ece31a5a608eb0cf2e4872b01"
        ),
        min_tcb={"bootloader": 2, "tee": 0, "snp": 5, "microcode": 68},
    )
    verified = verify_evidence("snp", snp[0], expected, snp[1])
    assert verified.debug
    assert verified.moment == datetime(2022, 9, 24, 0, 55, 28, tzinfo=UTC)
    assert str(verified.facts["chip_id"]).startswith("3ac3fe21e13fb099")
    assert refusal("snp", snp[0], Expected(at=None), snp[1]) == ("debug_off", "evidence_debug")
    after = datetime(2030, 1, 1, tzinfo=UTC)
    assert refusal("snp", snp[0], Expected(at=after, allow_debug=True), snp[1]) == (
        "certificates_valid",
        "evidence_expired",
    )


# Every field of the report: where it starts, where it ends, and how it is refused.
SNP_FIELDS = {
    "version": (0x00, 0x04, None),
    "guest_svn": (0x04, 0x08, "evidence_signature_wrong"),
    "policy": (0x08, 0x10, None),
    "family_id": (0x10, 0x20, "evidence_signature_wrong"),
    "image_id": (0x20, 0x30, "evidence_signature_wrong"),
    "vmpl": (0x30, 0x34, "evidence_signature_wrong"),
    "signature_algorithm": (0x34, 0x38, "evidence_unsupported"),
    "current_tcb": (0x38, 0x40, "evidence_signature_wrong"),
    "platform_info": (0x40, 0x48, "evidence_signature_wrong"),
    "flags": (0x48, 0x4C, None),
    "reserved_1": (0x4C, 0x50, "evidence_malformed"),
    "report_data": (0x50, 0x90, "evidence_signature_wrong"),
    "measurement": (0x90, 0xC0, "evidence_signature_wrong"),
    "host_data": (0xC0, 0xE0, "evidence_signature_wrong"),
    "id_key_digest": (0xE0, 0x110, "evidence_signature_wrong"),
    "author_key_digest": (0x110, 0x140, "evidence_signature_wrong"),
    "report_id": (0x140, 0x160, "evidence_signature_wrong"),
    "report_id_ma": (0x160, 0x180, "evidence_signature_wrong"),
    "reported_tcb": (0x180, 0x188, "evidence_signature_wrong"),
    "reserved_2": (0x188, 0x1A0, "evidence_malformed"),
    "chip_id": (0x1A0, 0x1E0, "evidence_signature_wrong"),
    "committed_tcb": (0x1E0, 0x1E8, "evidence_signature_wrong"),
    "current_firmware": (0x1E8, 0x1EB, "evidence_signature_wrong"),
    "reserved_3": (0x1EB, 0x1EC, "evidence_malformed"),
    "committed_firmware": (0x1EC, 0x1EF, "evidence_signature_wrong"),
    "reserved_4": (0x1EF, 0x1F0, "evidence_malformed"),
    "launch_tcb": (0x1F0, 0x1F8, "evidence_signature_wrong"),
    "reserved_5": (0x1F8, 0x2A0, "evidence_malformed"),
    "signature_r": (0x2A0, 0x2D0, "evidence_signature_wrong"),
    "signature_s": (0x2E8, 0x318, "evidence_signature_wrong"),
    "after_the_signature": (0x330, 0x4A0, "evidence_malformed"),
}


@pytest.mark.parametrize("field", SNP_FIELDS)
def test_no_byte_of_an_snp_field_can_change(snp: tuple[bytes, Collateral], field: str) -> None:
    start, end, code = SNP_FIELDS[field]
    for position in range(start, end):
        found = refusal("snp", changed(snp[0], position), OWN_TIME, snp[1])[1]
        if code is not None:
            assert found == code
        else:
            assert found in {"evidence_signature_wrong", "evidence_malformed", "evidence_unsupported"}


def test_no_byte_of_amds_certificates_can_change(folder: Path, snp: tuple[bytes, Collateral]) -> None:
    der = (folder / "snp_vcek.der").read_bytes()
    authorities = (folder / "snp_ask_ark_milan.pem").read_bytes()

    def check(files: dict[str, bytes]) -> None:
        verify_evidence("snp", snp[0], OWN_TIME, Collateral.from_files(files))

    check({"a.der": der, "b.pem": authorities})
    for position in range(0, len(der), 9):
        with pytest.raises(EvidenceError):
            check({"a.der": changed(der, position), "b.pem": authorities})


def test_the_tdx_quote_verifies_at_its_own_time(tdx: bytes) -> None:
    expected = Expected(
        at=None,
        report_data=bytes.fromhex(
            "6c62dec1b8191749a31dab490be532a35944dea47caef1f980863993d9899545"
            "eb7406a38d1eed313b987a467dacead6f0c87a6d766c66f6f29f8acb281f1113"
        ),
        measurement=bytes.fromhex(
            "6363b8043668a3ad953278e10389574d326c6749fb78aa810ecd9336923db86f22fc00b8dcd404bc10d5e119d7215cbb"
        ),
        min_tcb={"module": 3, "microcode": 4, "pce": 11, "sgx1": 3},
    )
    verified = verify_evidence("tdx", tdx, expected)
    assert not verified.debug
    assert verified.moment == datetime(2022, 9, 20, 13, 20, 31, tzinfo=UTC)
    assert verified.facts["fmspc"] == "50806f000000"
    assert verified.facts["trailing_bytes"] == 39
    assert refusal("tdx", tdx, Expected(at=datetime(2030, 1, 1, tzinfo=UTC))) == (
        "certificates_valid",
        "evidence_expired",
    )


TDX_FIELDS = {
    "version": (0, 2, {"evidence_unsupported", "evidence_malformed"}),
    "key_type": (2, 4, {"evidence_unsupported"}),
    "tee_type": (4, 8, {"evidence_unsupported"}),
    "qe_vendor_and_user_data": (8, 48, {"evidence_signature_wrong"}),
    "tee_tcb_svn": (48, 64, {"evidence_signature_wrong"}),
    "mr_seam": (64, 112, {"evidence_signature_wrong"}),
    "mr_signer_seam": (112, 160, {"evidence_signature_wrong"}),
    "seam_attributes": (160, 168, {"evidence_signature_wrong"}),
    "td_attributes": (168, 176, {"evidence_signature_wrong"}),
    "xfam": (176, 184, {"evidence_signature_wrong"}),
    "mr_td": (184, 232, {"evidence_signature_wrong"}),
    "mr_config_id": (232, 280, {"evidence_signature_wrong"}),
    "mr_owner": (280, 328, {"evidence_signature_wrong"}),
    "mr_owner_config": (328, 376, {"evidence_signature_wrong"}),
    "rtmrs": (376, 568, {"evidence_signature_wrong"}),
    "report_data": (568, 632, {"evidence_signature_wrong"}),
    "size": (632, 636, {"evidence_malformed"}),
    "signature": (636, 700, {"evidence_signature_wrong"}),
    "attestation_key": (700, 764, {"evidence_signature_wrong"}),
    "certification_type": (764, 766, {"evidence_unsupported"}),
    "certification_size": (766, 770, {"evidence_malformed"}),
    "qe_report": (770, 1154, {"evidence_signature_wrong", "evidence_malformed"}),
    "qe_signature": (1154, 1218, {"evidence_signature_wrong"}),
    "auth_data_size": (1218, 1220, {"evidence_malformed", "evidence_unsupported"}),
    "auth_data": (1220, 1252, {"evidence_signature_wrong"}),
    "chain_type": (1252, 1254, {"evidence_unsupported"}),
    "chain_size": (1254, 1258, {"evidence_malformed"}),
}


@pytest.mark.parametrize("field", TDX_FIELDS)
def test_no_byte_of_a_tdx_field_can_change(tdx: bytes, field: str) -> None:
    start, end, codes = TDX_FIELDS[field]
    for position in range(start, end):
        assert refusal("tdx", changed(tdx, position), Expected(at=None))[1] in codes, position


def test_no_byte_of_the_pck_chain_can_change(tdx: bytes) -> None:
    end = 636 + int.from_bytes(tdx[632:636], "little")
    for position in range(1258, end, 7):
        if (
            not tdx[position : position + 1].isspace()
            and not changed(tdx, position)[position : position + 1].isspace()
        ):
            code = refusal("tdx", changed(tdx, position), Expected(at=None))[1]
            assert code in {"evidence_malformed", "evidence_chain_untrusted", "evidence_signature_wrong"}, (
                position
            )


def test_the_nitro_document_verifies_at_its_own_time(nitro: bytes) -> None:
    expected = Expected(at=None, allow_debug=True, nonce=bytes(19) + b"\x01")
    verified = verify_evidence("nitro", nitro, expected)
    assert verified.debug
    assert verified.moment == datetime(2024, 9, 9, 19, 49, 12, 400000, tzinfo=UTC)
    assert verified.report_data[:4].hex() == "1220c682"
    assert refusal("nitro", nitro, Expected(at=None)) == ("debug_off", "evidence_debug")
    later = Expected(at=verified.moment + timedelta(hours=4), allow_debug=True)
    assert refusal("nitro", nitro, later) == ("certificates_valid", "evidence_expired")
    other = Expected(at=None, allow_debug=True, nonce=bytes(20))
    assert refusal("nitro", nitro, other) == ("nonce_expected", "evidence_nonce_wrong")


def test_the_forged_nitro_document_is_refused_for_its_signature(folder: Path) -> None:
    forged = (folder / "nitro_document_invalid.b64").read_bytes()
    assert refusal("nitro", forged, OWN_TIME) == ("signature_holds", "evidence_signature_wrong")


def test_no_byte_of_the_nitro_document_can_change(nitro: bytes) -> None:
    for position in range(0, len(nitro), 3):
        refusal("nitro", changed(nitro, position), OWN_TIME)


NITRO_FIELDS = ["module_id", "digest", "timestamp", "pcrs", "public_key", "user_data", "nonce"]


@pytest.mark.parametrize("field", NITRO_FIELDS)
def test_no_field_of_the_nitro_document_can_change(nitro: bytes, field: str) -> None:
    name = nitro.index(bytes([0x60 + len(field)]) + field.encode())
    value = name + 1 + len(field) + {"pcrs": 4, "timestamp": 6}.get(field, 4)
    assert refusal("nitro", changed(nitro, value), OWN_TIME)[1] in {
        "evidence_signature_wrong",
        "evidence_unsupported",
        "evidence_expired",
    }


def test_the_pinned_nitro_root_is_the_documents(nitro: bytes) -> None:
    bundle = cbor2.loads(cbor2.loads(nitro)[2])["cabundle"]
    assert fingerprint(load_certificate(bundle[0])) in NITRO_ROOTS


@pytest.mark.parametrize(
    ("arguments", "code", "verdict"),
    [
        (["snp_report_v2.bin", "--format", "snp", "--allow-debug", "--nonce", "0102030405"], 0, None),
        (["snp_report_v2.bin", "--format", "snp"], 1, "evidence_debug"),
        (["tdx_quote_v4.dat", "--format", "tdx"], 0, None),
        (["tdx_quote_v4.dat", "--format", "tdx", "--min-tcb", "pce=12"], 1, "evidence_tcb_too_old"),
        (["nitro_document.b64", "--format", "nitro", "--allow-debug"], 0, None),
        (["nitro_document_invalid.b64", "--format", "nitro", "--allow-debug"], 1, "evidence_signature_wrong"),
    ],
)
def test_the_command_line_says_the_same(
    bauta: list[str], folder: Path, arguments: list[str], code: int, verdict: str | None
) -> None:
    command = [*bauta, "evidence", "verify", *arguments, "--at-document-time", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == code
    assert json.loads(done.stdout).get("code") == verdict
    assert done.stderr == ""
