"""OpenSSL's command line agrees: the same chains are good, the same signatures hold over bytes cut by hand.

`openssl verify` builds and judges chains with code of its own; the signed bytes are cut out of the documents
here by the offsets of the vendors' specifications, without our parsers.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import cbor2
import pytest
from attest_makers import (
    amd,
    aws,
    check_nitro,
    check_snp,
    check_tdx,
    intel,
    nitro_document,
    snp_report,
    tdx_quote,
    vcek,
)
from attest_pki import (
    NOW,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from enclave.attest import Collateral, Expected, verify_evidence
from enclave.attest.certificates import load_certificate

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="no openssl command on this machine")


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    """The real documents."""
    found = repository.parent / "shared" / "attestation"
    if not found.is_dir():
        pytest.skip("no ../shared/attestation beside this checkout")
    return found


def openssl(*arguments: object) -> str:
    """Runs the command; gives all it says."""
    done = subprocess.run([str(OPENSSL), *map(str, arguments)], capture_output=True, text=True)
    return done.stdout + done.stderr


def chain_holds(chain: Sequence[bytes], at: datetime, work: Path) -> bool:
    """Whether OpenSSL accepts a chain of PEM certificates, the leaf first, with only its last one trusted."""
    for name, text in (("leaf", chain[0]), ("middle", b"".join(chain[1:-1])), ("root", chain[-1])):
        (work / f"{name}.pem").write_bytes(text)
    middle = ["-untrusted", work / "middle.pem"] if len(chain) > 2 else []
    trusted = ["-no-CApath", "-no-CAstore", "-CAfile", work / "root.pem"]
    said = openssl("verify", "-attime", int(at.timestamp()), *trusted, *middle, work / "leaf.pem")
    return "leaf.pem: OK" in said


def signature_holds(certificate: bytes, digest: str, r: bytes, s: bytes, signed: bytes, work: Path) -> bool:
    """Whether OpenSSL accepts an ECDSA signature by a certificate's key; r and s big-endian."""
    (work / "signer.pem").write_bytes(certificate)
    (work / "key.pem").write_text(openssl("x509", "-in", work / "signer.pem", "-noout", "-pubkey"))
    encoded = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    (work / "signature").write_bytes(encoded)
    (work / "signed").write_bytes(signed)
    said = openssl(
        "dgst", f"-{digest}", "-verify", work / "key.pem", "-signature", work / "signature", work / "signed"
    )
    return "Verified OK" in said


def pem(der: bytes) -> bytes:
    """A DER certificate as PEM."""
    return load_certificate(der).public_bytes(Encoding.PEM)


def blocks(text: bytes) -> list[bytes]:
    """PEM certificates, one each."""
    end = b"-----END CERTIFICATE-----\n"
    return [part.lstrip(b"\n") + end for part in text.split(end)[:-1]]


def snp_agrees(report: bytes, chain: Sequence[bytes], at: datetime, work: Path) -> bool:
    """OpenSSL's word on a report."""
    r, s = report[0x2A0:0x2E8][::-1], report[0x2E8:0x330][::-1]
    return chain_holds(chain, at, work) and signature_holds(chain[0], "sha384", r, s, report[:0x2A0], work)


def tdx_agrees(quote: bytes, at: datetime, work: Path) -> bool:
    """OpenSSL's word on a version 4 quote's chain and on the platform's signature over the enclave."""
    chain = blocks(quote[quote.index(b"-----BEGIN") : quote.rindex(b"-----END CERTIFICATE-----\n") + 26])
    report, r, s = quote[770:1154], quote[1154:1186], quote[1186:1218]
    return chain_holds(chain, at, work) and signature_holds(chain[0], "sha256", r, s, report, work)


def nitro_agrees(document: bytes, at: datetime, work: Path) -> bool:
    """OpenSSL's word on a document."""
    protected, _, payload, signature = cbor2.loads(document)
    fields = cbor2.loads(payload)
    chain = [pem(der) for der in (fields["certificate"], *reversed(fields["cabundle"]))]
    # Sig_structure of RFC 9052, by hand: an array of four, "Signature1", the header, nothing, the payload.
    signed = b"\x84\x6aSignature1\x44" + protected + b"\x40\x59" + len(payload).to_bytes(2, "big") + payload
    r, s = signature[:48], signature[48:]
    return chain_holds(chain, at, work) and signature_holds(chain[0], "sha384", r, s, signed, work)


def flipped(document: bytes, position: int) -> bytes:
    """One bit turned."""
    return document[:position] + bytes([document[position] ^ 1]) + document[position + 1 :]


def test_made_on_the_spot_snp(tmp_path: Path) -> None:
    root, signer = amd("Milan")
    leaf = vcek()
    chain = [one.certificate.public_bytes(Encoding.PEM) for one in (leaf, signer, root)]
    report = snp_report()
    assert check_snp(report, leaf=leaf).tier == "cvm"
    assert snp_agrees(report, chain, NOW, tmp_path)
    assert not snp_agrees(flipped(report, 0x90), chain, NOW, tmp_path)


def test_made_on_the_spot_tdx(tmp_path: Path) -> None:
    quote = tdx_quote()
    assert check_tdx(quote).tier == "cvm"
    assert tdx_agrees(quote, NOW, tmp_path)
    assert not tdx_agrees(flipped(quote, 800), NOW, tmp_path)
    assert intel()[0].certificate.public_bytes(Encoding.PEM) in quote


def test_made_on_the_spot_nitro(tmp_path: Path) -> None:
    document = nitro_document()
    assert check_nitro(document).tier == "nitro"
    assert nitro_agrees(document, NOW, tmp_path)
    assert aws()[0].certificate.public_bytes(Encoding.DER) in document
    assert not nitro_agrees(flipped(document, len(document) - 1), NOW, tmp_path)


@pytest.mark.shared
def test_the_real_snp_report(folder: Path, tmp_path: Path) -> None:
    report = (folder / "snp_report_v2.bin").read_bytes()
    files = Collateral.beside(folder / "snp_report_v2.bin")
    moment = verify_evidence("snp", report, Expected(at=None, allow_debug=True), files).moment
    leaf = pem((folder / "snp_vcek.der").read_bytes())
    chain = [leaf, *blocks((folder / "snp_ask_ark_milan.pem").read_bytes())]
    assert snp_agrees(report, chain, moment, tmp_path)
    assert not snp_agrees(flipped(report, 0x50), chain, moment, tmp_path)


@pytest.mark.shared
def test_the_real_tdx_quote(folder: Path, tmp_path: Path) -> None:
    quote = (folder / "tdx_quote_v4.dat").read_bytes()
    moment = verify_evidence("tdx", quote, Expected(at=None)).moment
    assert tdx_agrees(quote, moment, tmp_path)
    assert not tdx_agrees(flipped(quote, 900), moment, tmp_path)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "sound"), [("nitro_document.b64", True), ("nitro_document_invalid.b64", False)]
)
def test_the_real_and_the_forged_nitro_document(folder: Path, name: str, sound: bool, tmp_path: Path) -> None:
    document = base64.b64decode((folder / name).read_text())
    made_at = cbor2.loads(cbor2.loads(document)[2])["timestamp"] / 1000
    assert nitro_agrees(document, datetime.fromtimestamp(made_at, NOW.tzinfo), tmp_path) is sound
