"""Evidence and collateral: from hardware of somebody else, and from files that anybody could have made."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

import cbor2
from attest_makers import (
    REPORT_DATA,
    amd,
    check_nitro,
    check_snp,
    check_tdx,
    intel,
    nitro_document,
    pck,
    qe_identity,
    sgx_extension,
    signed_json,
    snp_report,
    tcb_info,
    tdx_quote,
    vcek,
)
from attest_pki import NOW, Authority, revocation_list
from cryptography.hazmat.primitives.serialization import Encoding

from enclave.attest import MAX_BYTES, Collateral, EvidenceError, Expected, show_evidence
from enclave.attest.certificates import load_certificate, load_pem, load_revocation_list
from enclave.attest.der import fields_by_oid, parse_der
from enclave.attest.nsm import _document
from enclave.attest.pck import parse_pck
from enclave.attest.process import verify_process
from enclave.attest.snp_certificate import parse_certificate_table, parse_endorsement
from tests.fuzz.rooms import proofs
from tests.fuzz.target import Target

EXPECTED = Expected(at=NOW, report_data=REPORT_DATA)
SHARED = Path(__file__).resolve().parents[4] / "shared" / "attestation"
REAL = {
    "snp": ("snp_report_v2.bin",),
    "tdx": ("tdx_quote_v4.dat",),
    "nitro": ("nitro_document.b64", "nitro_document_invalid.b64"),
}
OTHER_HARDWARE = "hardware that somebody else owns, or whoever passes its word on"
COLLATERAL_SENDER = "a folder of files that anybody could have made"


@cache
def leaf() -> Authority:
    """The chip's certificate that belongs to the seed."""
    return vcek()


@cache
def made(kind: str) -> bytes:
    """A sound document, made here."""
    return {"snp": snp_report, "tdx": tdx_quote, "nitro": nitro_document}[kind]()


def documents(kind: str) -> tuple[bytes, ...]:
    """Documents that decode: one made here, and real ones where they are beside this checkout."""
    paths = [SHARED / name for name in REAL[kind]]
    return (made(kind), *(path.read_bytes() for path in paths if path.is_file()))


def show(kind: str, untrusted: bytes) -> None:
    """Decodes; what is shown of a document fits into JSON's types."""
    assert show_evidence(kind, untrusted)


def verify(kind: str, untrusted: bytes) -> None:
    """Verifies against test vendors: of a document with any change, nothing that is signed may hold."""
    if kind == "snp":
        check_snp(untrusted, EXPECTED, leaf=leaf())
    elif kind == "tdx":
        check_tdx(untrusted, EXPECTED)
    else:
        check_nitro(untrusted, EXPECTED)
    sound = made(kind)
    if kind == "nitro" and untrusted[:1] not in (b"\x84", b"\xd2"):
        untrusted = base64.b64decode(untrusted)
    # Bytes after a quote's signature are nobody's, and line ends inside its PEM text say nothing.
    assert untrusted.removeprefix(b"\xd2")[:1200] == sound[:1200]


@cache
def certificates() -> tuple[bytes, ...]:
    """Certificates of every vendor, DER."""
    found = (leaf(), *amd("Milan"), *intel(), pck())
    return tuple(authority.certificate.public_bytes(Encoding.DER) for authority in found)


@cache
def pem_files() -> tuple[bytes, ...]:
    """Certificates and a list, as text."""
    chain = b"".join(authority.certificate.public_bytes(Encoding.PEM) for authority in intel())
    return chain, chain + revocation_list(intel()[1], [pck().certificate]).public_bytes(Encoding.PEM)


@cache
def revocation_lists() -> tuple[bytes, ...]:
    """An empty list and one with an entry, DER."""
    return tuple(
        revocation_list(intel()[1], revoked).public_bytes(Encoding.DER)
        for revoked in ([], [pck().certificate])
    )


@cache
def intel_files() -> dict[str, bytes]:
    """All the collateral that a quote may be held against."""
    return {
        "tcb.json": signed_json("tcbInfo", tcb_info()),
        "qe.json": signed_json("enclaveIdentity", qe_identity()),
        "signer.pem": intel()[2].certificate.public_bytes(Encoding.PEM),
        "leaf.der": leaf().certificate.public_bytes(Encoding.DER),
    }


def use_collateral(name: str, untrusted: bytes) -> None:
    """Verifies a sound quote against a file."""
    check_tdx(made("tdx"), EXPECTED, Collateral.from_files({**intel_files(), name: untrusted}))


def read_certificate(untrusted: bytes) -> None:
    """Reads a certificate, then the vendor's extensions out of it."""
    certificate = load_certificate(untrusted)
    for parse in (parse_endorsement, parse_pck):
        try:
            parse(certificate)
        except EvidenceError as error:
            if "lacks" not in str(error):
                raise


def certificate_tables() -> tuple[bytes, ...]:
    """A table with a chip's certificate, and one with none."""
    content = certificates()[0]
    guid = bytes.fromhex("63da758de6644564adc5f4b93be8accd")
    entry = guid + (48).to_bytes(4, "little") + len(content).to_bytes(4, "little")
    return entry + bytes(24) + content, bytes(24)


def _documents_target(kind: str, parser: str) -> tuple[Target, Target]:
    common = {"sender": OTHER_HARDWARE, "errors": (EvidenceError,), "max_bytes": MAX_BYTES[kind] + 1}
    return (
        Target(
            name=f"evidence_{kind}_shown",
            parsers=("enclave.attest.verifying.show_evidence", parser),
            parse=lambda untrusted: show(kind, untrusted),
            seeds=lambda: documents(kind),
            **common,
        ),
        Target(
            name=f"evidence_{kind}",
            parsers=(f"enclave.attest.{kind}.verify_{kind}", parser),
            parse=lambda untrusted: verify(kind, untrusted),
            seeds=lambda: (made(kind), *((base64.b64encode(made(kind)),) if kind == "nitro" else ())),
            **common,
        ),
    )


TARGETS = (
    *_documents_target("snp", "enclave.attest.snp_report.parse_snp_report"),
    *_documents_target("tdx", "enclave.attest.tdx_quote.parse_tdx_quote"),
    *_documents_target("nitro", "enclave.attest.nitro_document.parse_nitro_document"),
    Target(
        name="evidence_process",
        sender="whoever hands over a proof or its evidence",
        parsers=("enclave.attest.process.verify_process",),
        parse=lambda untrusted: verify_process(untrusted, Expected.now(), proofs.house().trust),
        seeds=lambda: (proofs.evidence(), proofs.evidence() + b"\n", proofs.job_proof()),
        errors=(EvidenceError,),
        json=True,
    ),
    Target(
        name="evidence_process_shown",
        sender="whoever hands over a proof or its evidence",
        parsers=("enclave.attest.process.parse_release",),
        parse=lambda untrusted: show("process", untrusted),
        seeds=lambda: (proofs.evidence(), proofs.job_proof()),
        errors=(EvidenceError,),
        json=True,
    ),
    *(
        Target(
            name=f"collateral_{name.partition('.')[0]}",
            sender=COLLATERAL_SENDER,
            parsers=(
                "enclave.attest.collateral.Collateral.from_files",
                "enclave.attest.tdx_collateral.read_signed_json",
            ),
            parse=lambda untrusted, name=name: use_collateral(name, untrusted),
            seeds=lambda name=name: (intel_files()[name],),
            errors=(EvidenceError,),
        )
        for name in ("tcb.json", "qe.json", "signer.pem", "leaf.der")
    ),
    Target(
        name="certificate",
        sender=COLLATERAL_SENDER,
        parsers=("enclave.attest.certificates.load_certificate", "enclave.attest.pck.parse_pck"),
        parse=read_certificate,
        seeds=certificates,
        errors=(EvidenceError,),
    ),
    Target(
        name="certificates_pem",
        sender=COLLATERAL_SENDER,
        parsers=("enclave.attest.certificates.load_pem",),
        parse=load_pem,
        seeds=pem_files,
        errors=(EvidenceError,),
        tokens=(
            b"-----BEGIN X509 CRL-----\n",
            b"-----BEGIN CERTIFICATE-----\n",
            b"-----END CERTIFICATE-----\n",
        ),
    ),
    Target(
        name="revocation_list",
        sender=COLLATERAL_SENDER,
        parsers=("enclave.attest.certificates.load_revocation_list",),
        parse=lambda untrusted: load_revocation_list(untrusted, "evidence_collateral_malformed"),
        seeds=revocation_lists,
        errors=(EvidenceError,),
    ),
    Target(
        name="certificate_table",
        sender="the host of a confidential machine",
        parsers=("enclave.attest.snp_certificate.parse_certificate_table",),
        parse=parse_certificate_table,
        seeds=certificate_tables,
        errors=(EvidenceError,),
    ),
    Target(
        name="der",
        sender="a vendor's certificate that is not believed yet",
        parsers=("enclave.attest.der.parse_der", "enclave.attest.der.fields_by_oid"),
        parse=lambda untrusted: fields_by_oid(parse_der(untrusted)),
        seeds=lambda: (sgx_extension(),),
        errors=(EvidenceError,),
    ),
    Target(
        name="nsm_answer",
        sender="the hypervisor under an enclave",
        parsers=("enclave.attest.nsm._document",),
        parse=_document,
        seeds=lambda: (cbor2.dumps({"Attestation": {"document": b"signed"}}),),
        errors=(EvidenceError,),
        tokens=(b"\xc0", b"\xd8\x23\x61\x28", b"\xd8\x1c\x81\xd8\x1d\x00", b"\x9f", b"\xbf", b"\xf9\x7e\x00"),
    ),
)
