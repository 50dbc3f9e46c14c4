"""What Intel's PCK certificate says of its platform: the SGX extension 1.2.840.113741.1.13.1.

Source: Intel, "SGX PCK Certificate and Certificate Revocation List Profile Specification", section 1.3.5.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509

from enclave.attest.certificates import extension_bytes
from enclave.attest.der import Field, fields_by_oid, parse_der
from enclave.attest.errors import EvidenceError

_SGX = "1.2.840.113741.1.13.1"
# The same, as DER writes it inside.
_PREFIX = bytes.fromhex("2a864886f84d010d01")
_TCB = _PREFIX + b"\x02"
_PCE_SVN = _TCB + b"\x11"
_PCE_ID = _PREFIX + b"\x03"
_FMSPC = _PREFIX + b"\x04"
_COMPONENTS = 16


@dataclass(frozen=True)
class PckFacts:
    """The platform of a PCK certificate.

    Attributes:
        fmspc: 6 bytes, the family of platforms.
        pce_id: 2 bytes.
        components: 16 patch levels of the platform's firmware and microcode.
        pce_svn: patch level of the provisioning enclave.
    """

    fmspc: bytes
    pce_id: bytes
    components: tuple[int, ...]
    pce_svn: int


def parse_pck(certificate: x509.Certificate) -> PckFacts:
    """Reads Intel's extension.

    Raises:
        EvidenceError: it is missing, or a field of it is missing or malformed.
    """
    raw = extension_bytes(certificate, _SGX)
    if raw is None:
        raise EvidenceError("the platform's certificate lacks Intel's extension")
    fields = fields_by_oid(parse_der(raw))
    levels = fields_by_oid(_needed(fields, _TCB))
    return PckFacts(
        fmspc=_needed(fields, _FMSPC).octets(6),
        pce_id=_needed(fields, _PCE_ID).octets(2),
        components=tuple(
            _needed(levels, _TCB + bytes([number])).integer(255) for number in range(1, _COMPONENTS + 1)
        ),
        pce_svn=_needed(levels, _PCE_SVN).integer(0xFFFF),
    )


def _needed(fields: dict[bytes, Field], oid: bytes) -> Field:
    if oid not in fields:
        raise EvidenceError("the platform's certificate lacks a field of Intel's extension")
    return fields[oid]
