"""Collateral out of a folder: sorted by what it is, capped, never passed over when that could help a liar."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from attest_makers import (
    check_nitro,
    check_snp,
    check_tdx,
    intel,
    nitro_document,
    qe_identity,
    signed_json,
    snp_report,
    tcb_info,
    tdx_quote,
    vcek,
)
from attest_pki import elliptic, revocation_list
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from enclave.attest import CODES, Collateral, EvidenceError, read_regular_file
from enclave.attest.collateral import MAX_FILE_BYTES, MAX_FILES
from enclave.attest.der import Field, fields_by_oid, parse_der
from provenance.der import Element

ROOT, PLATFORM, SIGNER = intel()
PEM = b"".join(one.certificate.public_bytes(Encoding.PEM) for one in (ROOT, PLATFORM))
DER = SIGNER.certificate.public_bytes(Encoding.DER)
LIST = revocation_list(ROOT, [])
FILES = {
    "chain.pem": PEM,
    "signer.cer": DER,
    "root.crl": LIST.public_bytes(Encoding.DER),
    "platform.crl": revocation_list(PLATFORM, []).public_bytes(Encoding.PEM),
    "tcb.json": signed_json("tcbInfo", tcb_info()),
    "qe.json": signed_json("enclaveIdentity", qe_identity()),
    "README.md": b"not read",
    "quote.dat": b"not read either",
}
KEY = elliptic("a key", ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Puts files into a folder."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_folder_is_sorted_by_kind(tmp_path: Path) -> None:
    found = Collateral.from_folder(write(tmp_path, FILES))
    assert len(found.certificates) == 3
    assert len(found.revocation_lists) == 2
    assert found.tcb_info == FILES["tcb.json"]
    assert found.qe_identity == FILES["qe.json"]


BAD = {
    "a certificate that is none": {"a.der": b"\x30\x03\x02\x01\x01"},
    "an empty file": {"a.pem": b""},
    "a list that is none": {"a.crl": b"list"},
    "a list cut short": {"a.crl": FILES["root.crl"][:-1]},
    "a certificate called a list": {"a.crl": DER},
    "a private key": {"a.pem": KEY},
    "a certificate and half of one": {"a.pem": PEM + PEM[:200]},
    "another JSON": {"a.json": b"{}"},
    "a TCB info with a space": {"a.json": b" " + FILES["tcb.json"]},
    "two TCB infos": {"a.json": FILES["tcb.json"], "b.json": FILES["tcb.json"]},
    "a certificate too large": {"a.der": bytes(9 << 10)},
    "a file too large": {"a.crl": bytes(MAX_FILE_BYTES + 1)},
    "too many files": {f"{number}.der": DER for number in range(MAX_FILES + 1)},
    "too many certificates": {"a.pem": PEM * 9},
}


@pytest.mark.parametrize("name", BAD)
def test_a_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError) as caught:
        Collateral.from_folder(write(tmp_path, BAD[name]))
    assert caught.value.code == "evidence_collateral_malformed"


def test_beside_a_document_only_certificates_are_taken_and_junk_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "junk.pem": b"junk", "key.pem": KEY, "half.der": DER[:-1]})
    found = Collateral.beside(tmp_path / "report.bin")
    assert len(found.certificates) == 3
    assert (found.revocation_lists, found.tcb_info, found.qe_identity) == ((), None, None)


def test_a_file_is_read_up_to_its_cap(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(b"x" * 100)
    assert read_regular_file(path, 100) == b"x" * 100
    with pytest.raises(EvidenceError) as caught:
        read_regular_file(path, 99)
    assert caught.value.code == "evidence_too_large"


def test_a_pipe_or_a_device_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(EvidenceError, match="regular file"):
            read_regular_file(path, 100)


def field(tag: int, content: bytes) -> Field:
    """A value of any type, of at most 127 bytes."""
    return Field(Element(tag, content, bytes([tag, len(content)]) + content))


MANGLED_DER = {
    "nothing": b"",
    "a tag alone": b"\x02",
    "too little content": b"\x02\x02\x01",
    "too much": b"\x02\x01\x01\x00",
    "a long form for a short length": b"\x02\x81\x01\x01",
    "an indefinite length": b"\x30\x80\x00\x00",
    "a length of three bytes": b"\x04\x83\x00\x01\x00" + bytes(256),
    "a length that starts with zero": b"\x04\x82\x00\x80" + bytes(128),
}


@pytest.mark.parametrize("name", MANGLED_DER)
def test_der_has_one_form(name: str) -> None:
    with pytest.raises(EvidenceError):
        parse_der(MANGLED_DER[name])


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"\xff", b"\x01\x00", b"\x00\xff\x00"])
def test_a_der_number_is_short_and_in_range(content: bytes) -> None:
    with pytest.raises(EvidenceError):
        field(0x02, content).integer(255)


def test_der_numbers_strings_and_types() -> None:
    assert parse_der(b"\x02\x02\x00\xff").integer(255) == 255
    assert parse_der(b"\x02\x01\x00").integer(255) == 0
    assert parse_der(b"\x04\x81\x80" + bytes(128)).octets(128) == bytes(128)
    for wrong in (
        lambda: field(0x04, b"\x01").integer(255),
        lambda: field(0x02, b"\x01").octets(1),
        lambda: field(0x04, b"\x01").octets(2),
        lambda: field(0x16, b"\xff").text(),
        lambda: field(0x31, b"").members(),
        lambda: fields_by_oid(field(0x30, b"\x30\x03\x06\x01\x2a")),
        lambda: fields_by_oid(field(0x30, b"\x30\x05\x06\x01\x2a\x05\x00" * 2)),
    ):
        with pytest.raises(EvidenceError):
            wrong()


def test_every_code_that_the_package_raises_is_listed_and_explained(repository: Path) -> None:
    text = "".join(path.read_text() for path in (repository / "enclave" / "attest").glob("*.py"))
    raised = set(re.findall(r'"(evidence_[a-z_]+)"', text.replace('"evidence_well_formed"', ""))) - {
        "evidence_format"
    }
    assert raised == set(CODES)
    documented = (repository / "docs" / "evidence.md").read_text()
    assert not [code for code in CODES if f"`{code}`" not in documented]


def test_verifying_opens_no_socket_and_no_file() -> None:
    report, quote, document, leaf = snp_report(), tdx_quote(), nitro_document(), vcek()
    opened: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and (
            event.startswith(("socket.", "subprocess.", "os.exec", "os.posix_spawn")) or event == "open"
        ):
            opened.append(f"{event} {arguments!r}")

    watching = True
    # An audit hook sees what C code does as well. It stays for the rest of the run, switched off.
    sys.addaudithook(watch)
    try:
        check_snp(report, leaf=leaf)
        check_tdx(quote)
        check_nitro(document)
    finally:
        watching = False
    assert opened == []
