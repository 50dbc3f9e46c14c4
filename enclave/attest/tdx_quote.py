"""The Intel TDX quote, versions 4 and 5, parsed strictly.

Source: Intel, "TDX DCAP Quoting Library API", appendix 3 (quote formats); the report of the quoting enclave
is an SGX report body (Intel SDM, volume 3D). All numbers are little-endian.
"""

from __future__ import annotations

from dataclasses import dataclass

from enclave.attest.errors import EvidenceError
from enclave.attest.reading import Cursor

MAX_QUOTE_BYTES = 32 << 10
INTEL_QE_VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")

_ECDSA_P256 = 2
_TEE_TDX = 0x81
_HEADER_BYTES = 48
_BODY_BYTES_V4 = 584
# Body type of a version 5 quote to its size: TDX 1.0 and TDX 1.5.
_BODY_BYTES_V5 = {2: 584, 3: 648}
_QE_REPORT_BYTES = 384
_QE_CERTIFICATION = 6
_PCK_CHAIN = 5
# The first byte of the TD's attributes: anything in it means that the TD is not to be trusted with secrets.
_UNTRUSTED_TD = 0xFF
_MIGRATABLE = 1 << 29


@dataclass(frozen=True)
class QeReport:
    """The SGX report of the enclave that signs quotes.

    Attributes:
        misc_select: 4 bytes.
        attributes: 16 bytes.
        mr_signer: 32 bytes: who made the enclave.
        product_id: which enclave of theirs.
        svn: its patch level.
        report_data: 64 bytes.
        raw: the 384 bytes that the platform's key signed.
    """

    misc_select: bytes
    attributes: bytes
    mr_signer: bytes
    product_id: int
    svn: int
    report_data: bytes
    raw: bytes


@dataclass(frozen=True)
class TdxQuote:
    """One quote; well formed, not yet believed.

    Attributes:
        version: 4 or 5.
        qe_vendor: 16 bytes.
        tee_tcb_svn: 16 bytes: patch levels of the TDX module and the platform.
        mr_signer_seam: 48 bytes: who made the TDX module; zero for Intel.
        mr_seam: 48 bytes: measurement of the TDX module.
        seam_attributes: 8 bytes.
        td_attributes: bits.
        xfam: bits.
        mr_td: 48 bytes: measurement of the TD's first memory.
        mr_config_id, mr_owner, mr_owner_config: 48 bytes each, chosen by whoever started the TD.
        rtmrs: four registers of 48 bytes, extended while the TD booted.
        report_data: 64 bytes that the guest chose.
        mr_service_td: 48 bytes, of service TDs bound to this one; None before TDX 1.5.
        signed: the bytes that the quote's signature is over.
        signature: r and s as numbers.
        attestation_key: 64 bytes, x and y, big-endian.
        qe_report: of the enclave that holds the attestation key.
        qe_signature: r and s of the platform's signature over it.
        qe_auth_data: what the enclave bound into its report beside the key.
        pck_chain: PEM, leaf first.
        trailing_bytes: how many bytes follow the quote; nobody signed those.
    """

    version: int
    qe_vendor: bytes
    tee_tcb_svn: bytes
    mr_seam: bytes
    mr_signer_seam: bytes
    seam_attributes: bytes
    td_attributes: int
    xfam: int
    mr_td: bytes
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    rtmrs: tuple[bytes, bytes, bytes, bytes]
    report_data: bytes
    mr_service_td: bytes | None
    signed: bytes
    signature: tuple[int, int]
    attestation_key: bytes
    qe_report: QeReport
    qe_signature: tuple[int, int]
    qe_auth_data: bytes
    pck_chain: bytes
    trailing_bytes: int

    @property
    def debug(self) -> bool:
        """Whether the TD's attributes say that it keeps no secrets: debugging, or a bit beside it."""
        return bool(self.td_attributes & _UNTRUSTED_TD)

    @property
    def migratable(self) -> bool:
        """Whether the TD can be moved to another machine."""
        return bool(self.td_attributes & _MIGRATABLE)


def parse_tdx_quote(untrusted: bytes) -> TdxQuote:
    """Parses a quote. Bytes after it are counted and not read: some hosts pad.

    Raises:
        EvidenceError: `evidence_malformed`, or `evidence_unsupported` for a version or an algorithm not known
            here.
    """
    if len(untrusted) > MAX_QUOTE_BYTES:
        raise EvidenceError("a TDX quote is not that long", "evidence_too_large")
    cursor = Cursor(untrusted, "the TDX quote")
    version, key_type, tee = cursor.number(2), cursor.number(2), cursor.number(4)
    if version not in {4, 5} or key_type != _ECDSA_P256 or tee != _TEE_TDX:
        raise EvidenceError(
            "this is not a TDX quote of version 4 or 5 with ECDSA P-256", "evidence_unsupported"
        )
    cursor.take(4)  # Reserved or patch levels of the quoting enclave, by version; signed, and not judged.
    qe_vendor = cursor.take(16)
    cursor.take(20)
    body_bytes = _BODY_BYTES_V4
    if version == 5:
        known = _BODY_BYTES_V5.get(cursor.number(2))
        if known is None or cursor.number(4) != known:
            raise EvidenceError(
                "the quote's body is of a type that is not known here", "evidence_unsupported"
            )
        body_bytes = known
    body = Cursor(cursor.take(body_bytes), "the quote's body")
    signed = untrusted[: cursor.position]
    certified = Cursor(cursor.take(cursor.number(4)), "the quote's signature")
    signature = _scalars(certified.take(64))
    attestation_key = certified.take(64)
    certification = _typed(certified, _QE_CERTIFICATION)
    certified.end()
    qe_report = _qe_report(certification.take(_QE_REPORT_BYTES))
    qe_signature = _scalars(certification.take(64))
    qe_auth_data = certification.take(certification.number(2))
    pck_chain = _typed(certification, _PCK_CHAIN)
    certification.end()
    return TdxQuote(
        version=version,
        qe_vendor=qe_vendor,
        tee_tcb_svn=body.take(16),
        mr_seam=body.take(48),
        mr_signer_seam=body.take(48),
        seam_attributes=body.take(8),
        td_attributes=body.number(8),
        xfam=body.number(8),
        mr_td=body.take(48),
        mr_config_id=body.take(48),
        mr_owner=body.take(48),
        mr_owner_config=body.take(48),
        rtmrs=(body.take(48), body.take(48), body.take(48), body.take(48)),
        report_data=body.take(64),
        # TDX 1.5 puts a second patch level before it, which only matters after an update without a restart.
        mr_service_td=body.take(64)[16:] if body.left else None,
        signed=signed,
        signature=signature,
        attestation_key=attestation_key,
        qe_report=qe_report,
        qe_signature=qe_signature,
        qe_auth_data=qe_auth_data,
        pck_chain=pck_chain.take(pck_chain.left),
        trailing_bytes=cursor.left,
    )


def _typed(cursor: Cursor, kind: int) -> Cursor:
    """Reads type, size and content of a certification."""
    if cursor.number(2) != kind:
        raise EvidenceError("the quote is certified in a way that is not known here", "evidence_unsupported")
    return Cursor(cursor.take(cursor.number(4)), "the quote's certification")


def _qe_report(raw: bytes) -> QeReport:
    cursor = Cursor(raw, "the quoting enclave's report")
    cursor.take(16)  # CPUSVN: that of the certificate is judged.
    misc_select = cursor.take(4)
    cursor.zeros(28)
    attributes = cursor.take(16)
    cursor.take(32)  # MRENCLAVE: changes with each of Intel's updates, the signer and the product id do not.
    cursor.zeros(32)
    mr_signer = cursor.take(32)
    cursor.zeros(96)
    product_id, svn = cursor.number(2), cursor.number(2)
    cursor.zeros(60)
    return QeReport(misc_select, attributes, mr_signer, product_id, svn, cursor.take(64), raw)


def _scalars(raw: bytes) -> tuple[int, int]:
    return int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
