"""Evidence made on the spot: documents in the vendors' exact formats, under test vendors of our own.

What real hardware would do is done here by keys that everybody knows; the roots go to the library by
argument, which the command line cannot do.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import cbor2
from attest_pki import NOW, Authority, PrivateKey, elliptic, make_certificate, rsa_key, scalars
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from enclave.attest import Collateral, Expected, VerifiedEvidence
from enclave.attest.certificates import fingerprint
from enclave.attest.nitro import verify_nitro
from enclave.attest.snp import verify_snp
from enclave.attest.tdx import INTEL_QE_SIGNER, verify_tdx
from enclave.attest.tdx_quote import INTEL_QE_VENDOR

MEASUREMENT = bytes(range(48))
REPORT_DATA = bytes(range(64))
CHIP_ID = bytes(range(100, 164))
SNP_TCB = {"bootloader": 4, "tee": 0, "snp": 23, "microcode": 213}
FMSPC = bytes.fromhex("50806f000000")
SGX_LEVELS = tuple(range(5, 21))
TEE_TCB = bytes([5, 1, 7, *[0] * 13])


# --- AMD ------------------------------------------------------------------------------------------------


def der_integer(value: int) -> bytes:
    """An INTEGER up to 127 bytes long."""
    content = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return bytes([0x02, len(content)]) + content


def amd_extensions(
    product: str, tcb: dict[str, int], hardware_id: bytes | None
) -> list[tuple[str, bytes, bool]]:
    """What AMD writes into a VCEK."""
    amd = "1.3.6.1.4.1.3704.1"
    oids = {"bootloader": "3.1", "tee": "3.2", "snp": "3.3", "microcode": "3.8", "fmc": "3.9"}
    found = [
        (f"{amd}.1", der_integer(1), False),
        (f"{amd}.2", bytes([0x16, len(product)]) + product.encode(), False),
    ]
    found += [(f"{amd}.{oids[name]}", der_integer(level), False) for name, level in tcb.items()]
    if hardware_id is not None:
        found.append((f"{amd}.4", hardware_id, False))
    return found


@functools.cache
def amd(product: str) -> tuple[Authority, Authority]:
    """The test AMD's root (ARK) and signing key (ASK)."""
    root_key = rsa_key("ark")
    root = Authority(make_certificate(f"ARK-{product}", root_key, ca=True, usage="certify"), root_key)
    return root, root.issue(f"SEV-{product}", rsa_key("ask"), ca=True, path_length=0, usage="certify")


def vcek(product: str = "Milan", name: str = "SEV-VCEK", **changes: Any) -> Authority:
    """A chip's certificate; `changes` go to the extensions or to `make_certificate`."""
    extension_values = {
        "product": changes.pop("stepping", f"{product}-B1"),
        "tcb": changes.pop("tcb", SNP_TCB),
        "hardware_id": changes.pop("hardware_id", CHIP_ID),
    }
    options = {"ca": None, "usage": None, "extensions": amd_extensions(**extension_values), **changes}
    key = options.pop("key", elliptic("vcek", ec.SECP384R1()))
    return amd(product)[1].issue(name, key, **options)


def snp_report(
    edit: Callable[[bytearray], None] | None = None,
    *,
    version: int = 2,
    policy: int = 0x30000,
    tcb: bytes = bytes([4, 0, 0, 0, 0, 0, 23, 213]),
    chip_id: bytes = CHIP_ID,
    cpuid: bytes = b"",
    key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """A report, signed after `edit` has had its way with it."""
    body = bytearray(0x2A0)
    body[0x00:0x04] = version.to_bytes(4, "little")
    body[0x08:0x10] = policy.to_bytes(8, "little")
    body[0x34:0x38] = (1).to_bytes(4, "little")
    for at in (0x38, 0x180, 0x1E0, 0x1F0):
        body[at : at + 8] = tcb
    body[0x50:0x90] = REPORT_DATA
    body[0x90:0xC0] = MEASUREMENT
    body[0x188 : 0x188 + len(cpuid)] = cpuid
    body[0x1A0:0x1E0] = chip_id
    if edit:
        edit(body)
    r, s = scalars(key or elliptic("vcek", ec.SECP384R1()), bytes(body), 72, "little")
    return bytes(body) + r + s + bytes(368)


def amd_roots(product: str = "Milan") -> dict[str, str]:
    """The test AMD's pinned root."""
    return {fingerprint(amd(product)[0].certificate): product}


def check_snp(
    report: bytes, expected: Expected | None = None, leaf: Authority | None = None, product: str = "Milan"
) -> VerifiedEvidence:
    """Verifies against the test AMD."""
    root, signer = amd(product)
    files = Collateral(((leaf or vcek(product)).certificate, signer.certificate, root.certificate))
    return verify_snp(report, expected or Expected(at=NOW), files, amd_roots(product))


# --- Intel ----------------------------------------------------------------------------------------------


def der(tag: int, content: bytes) -> bytes:
    """An element of up to 65,535 bytes."""
    size = len(content)
    length = (
        bytes([size])
        if size < 128
        else b"\x81" + bytes([size])
        if size < 256
        else b"\x82" + size.to_bytes(2, "big")
    )
    return bytes([tag]) + length + content


def sgx_extension(levels: Sequence[int] = SGX_LEVELS[:16], pce_svn: int = 13, fmspc: bytes = FMSPC) -> bytes:
    """What Intel writes into a PCK certificate."""
    prefix = bytes.fromhex("2a864886f84d010d01")

    def pair(oid: bytes, value: bytes) -> bytes:
        return der(0x30, der(0x06, oid) + value)

    parts = [
        pair(prefix + b"\x02" + bytes([n]), der_integer(level)) for n, level in enumerate(levels, start=1)
    ]
    parts.append(pair(prefix + b"\x02\x11", der_integer(pce_svn)))
    parts.append(pair(prefix + b"\x02\x12", der(0x04, bytes(16))))
    fields = [
        pair(prefix + b"\x01", der(0x04, bytes(16))),
        pair(prefix + b"\x02", der(0x30, b"".join(parts))),
        pair(prefix + b"\x03", der(0x04, bytes(2))),
        pair(prefix + b"\x04", der(0x04, fmspc)),
    ]
    return der(0x30, b"".join(fields))


@functools.cache
def intel() -> tuple[Authority, Authority, Authority]:
    """The test Intel's root, platform authority and TCB signer."""
    root_key = elliptic("intel root", ec.SECP256R1())
    root = Authority(
        make_certificate("Test SGX Root CA", root_key, ca=True, path_length=1, usage="certify"), root_key
    )
    platform_key, signer_key = (
        elliptic("intel platform", ec.SECP256R1()),
        elliptic("intel tcb", ec.SECP256R1()),
    )
    platform = root.issue("Test Platform CA", platform_key, ca=True, path_length=0, usage="certify")
    return root, platform, root.issue("Intel SGX TCB Signing", signer_key)


def intel_roots() -> dict[str, str]:
    """The test Intel's pinned root."""
    return {fingerprint(intel()[0].certificate): "Test SGX Root CA"}


def pck(**options: Any) -> Authority:
    """A platform's certificate."""
    extension = options.pop("extension", sgx_extension())
    key = options.pop("key", elliptic("pck", ec.SECP256R1()))
    values = {"extensions": [("1.2.840.113741.1.13.1", extension, False)], **options}
    return intel()[1].issue("Test PCK", key, **values)


def tdx_quote(
    edit_body: Callable[[bytearray], None] | None = None,
    edit_qe: Callable[[bytearray], None] | None = None,
    *,
    version: int = 4,
    leaf: Authority | None = None,
    header: bytes | None = None,
    auth_data: bytes = bytes(range(32)),
    attestation_key: ec.EllipticCurvePrivateKey | None = None,
    named_key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """A quote, signed after the two edits have had their way with body and enclave report.

    Args:
        edit_body: changes the TD's report.
        edit_qe: changes the quoting enclave's report.
        version: 4, or 5 with the body of TDX 1.5.
        leaf: the platform's certificate.
        header: 48 bytes instead of a sound header.
        auth_data: the enclave's.
        attestation_key: signs the quote.
        named_key: the key that the enclave's report names, when it is another.
    """
    signing = attestation_key or elliptic("attestation", ec.SECP256R1())
    platform = leaf or pck()
    body = bytearray(584 if version == 4 else 648)
    body[0:16] = TEE_TCB
    body[136:184] = MEASUREMENT
    body[520:584] = REPORT_DATA
    if edit_body:
        edit_body(body)
    sound = version.to_bytes(2, "little") + b"\x02\0\x81\0\0\0" + bytes(4) + INTEL_QE_VENDOR + bytes(20)
    kind = b"" if version == 4 else (3).to_bytes(2, "little") + (648).to_bytes(4, "little")
    signed = (header or sound) + kind + bytes(body)
    report = bytearray(384)
    report[48] = 0x11
    report[128:160] = INTEL_QE_SIGNER
    report[256:260] = (2).to_bytes(2, "little") + (6).to_bytes(2, "little")
    report[320:352] = hashlib.sha256(point(named_key or signing) + auth_data).digest()
    if edit_qe:
        edit_qe(report)
    assert isinstance(platform.key, ec.EllipticCurvePrivateKey)
    chain = (platform.certificate, intel()[1].certificate, intel()[0].certificate)
    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)
    certification = (
        bytes(report)
        + b"".join(scalars(platform.key, bytes(report), 32, "big"))
        + len(auth_data).to_bytes(2, "little")
        + auth_data
        + (5).to_bytes(2, "little")
        + len(pem).to_bytes(4, "little")
        + pem
    )
    signature = (
        b"".join(scalars(signing, signed, 32, "big"))
        + point(signing)
        + (6).to_bytes(2, "little")
        + len(certification).to_bytes(4, "little")
        + certification
    )
    return signed + len(signature).to_bytes(4, "little") + signature


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """x and y of a P-256 key, 64 bytes."""
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def signed_json(kind: str, content: dict[str, Any], key: PrivateKey | None = None) -> bytes:
    """A TCB info or a QE identity as Intel's service sends it."""
    signer = key or intel()[2].key
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    inner = json.dumps(content, separators=(",", ":")).encode()
    signature = b"".join(scalars(signer, inner, 32, "big")).hex()
    return b'{"%s":%s,"signature":"%s"}' % (kind.encode(), inner, signature.encode())


def tcb_info(**changes: Any) -> dict[str, Any]:
    """A TCB info that calls the test platform up to date."""
    level = {
        "tcb": {
            "sgxtcbcomponents": [{"svn": svn} for svn in SGX_LEVELS[:16]],
            "pcesvn": 13,
            "tdxtcbcomponents": [{"svn": svn} for svn in TEE_TCB],
        },
        "tcbDate": "2026-01-01T00:00:00Z",
        "tcbStatus": "UpToDate",
    }
    module = {
        "id": "TDX_01",
        "mrsigner": "00" * 48,
        "attributes": "00" * 8,
        "attributesMask": "FF" * 8,
        "tcbLevels": [{"tcb": {"isvsvn": 5}, "tcbStatus": "UpToDate"}],
    }
    return {
        "id": "TDX",
        "version": 3,
        "issueDate": "2026-11-01T00:00:00Z",
        "nextUpdate": "2026-12-01T00:00:00Z",
        "fmspc": FMSPC.hex(),
        "pceId": "0000",
        "tdxModule": {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8},
        "tdxModuleIdentities": [module],
        "tcbLevels": [level],
        **changes,
    }


def qe_identity(**changes: Any) -> dict[str, Any]:
    """A QE identity that fits the test quote."""
    return {
        "id": "TD_QE",
        "version": 2,
        "issueDate": "2026-11-01T00:00:00Z",
        "nextUpdate": "2026-12-01T00:00:00Z",
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": "11000000000000000000000000000000",
        "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
        "mrsigner": INTEL_QE_SIGNER.hex().upper(),
        "isvprodid": 2,
        "tcbLevels": [{"tcb": {"isvsvn": 6}, "tcbStatus": "UpToDate"}],
        **changes,
    }


def check_tdx(
    quote: bytes, expected: Expected | None = None, collateral: Collateral | None = None
) -> VerifiedEvidence:
    """Verifies against the test Intel."""
    return verify_tdx(quote, expected or Expected(at=NOW), collateral or Collateral(), intel_roots())


# --- AWS ------------------------------------------------------------------------------------------------


@functools.cache
def aws() -> tuple[Authority, Authority]:
    """The test AWS's root and instance authority."""
    root_key = elliptic("aws root", ec.SECP384R1())
    root = Authority(make_certificate("test.nitro-enclaves", root_key, ca=True, usage="certify"), root_key)
    instance_key = elliptic("aws instance", ec.SECP384R1())
    return root, root.issue("instance", instance_key, ca=True, path_length=0, usage="certify")


def aws_roots() -> dict[str, str]:
    """The test AWS's pinned root."""
    return {fingerprint(aws()[0].certificate): "test"}


def nitro_payload(**changes: Any) -> dict[str, Any]:
    """A sound document's fields."""
    leaf = aws()[1].issue("enclave", elliptic("enclave", ec.SECP384R1()))
    return {
        "module_id": "i-0123456789abcdef0-enc0123456789abcde",
        "digest": "SHA384",
        "timestamp": int(NOW.timestamp() * 1000),
        "pcrs": {index: MEASUREMENT if index == 0 else bytes(48) for index in range(16)},
        "certificate": leaf.certificate.public_bytes(Encoding.DER),
        "cabundle": [authority.certificate.public_bytes(Encoding.DER) for authority in aws()],
        "public_key": None,
        "user_data": REPORT_DATA,
        "nonce": b"n" * 20,
        **changes,
    }


def nitro_document(
    payload: dict[str, Any] | bytes | None = None,
    *,
    protected: bytes = b"\xa1\x01\x38\x22",
    unprotected: dict[Any, Any] | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """A signed document."""
    content = payload if isinstance(payload, bytes) else cbor2.dumps(payload or nitro_payload())
    signed = cbor2.dumps(["Signature1", protected, b"", content])
    signature = b"".join(scalars(key or elliptic("enclave", ec.SECP384R1()), signed, 48, "big"))
    return cbor2.dumps([protected, unprotected or {}, content, signature])


def check_nitro(
    document: bytes, expected: Expected | None = None, collateral: Collateral | None = None
) -> VerifiedEvidence:
    """Verifies against the test AWS."""
    return verify_nitro(document, expected or Expected(at=NOW), collateral or Collateral(), aws_roots())
