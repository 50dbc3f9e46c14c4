"""AMD's endorsement certificates: what VCEK and VLEK say, and the table that a host hands to its guest.

Sources: AMD publication 57230, "VCEK Certificate and KDS Interface Specification"; publication 56421 (GHCB)
for the certificate table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from enclave.attest.certificates import extension_bytes, load_certificate, reading_certificates
from enclave.attest.der import parse_der
from enclave.attest.errors import EvidenceError
from enclave.attest.reading import Cursor

VCEK_NAME = "SEV-VCEK"
VLEK_NAME = "SEV-VLEK"

_AMD = "1.3.6.1.4.1.3704.1"
_PRODUCT = f"{_AMD}.2"
_LEVELS = {
    "bootloader": f"{_AMD}.3.1",
    "tee": f"{_AMD}.3.2",
    "snp": f"{_AMD}.3.3",
    "microcode": f"{_AMD}.3.8",
}
_FMC = f"{_AMD}.3.9"
_HARDWARE_ID = f"{_AMD}.4"
# Products that are sold under a name of their own and certified by another line's root.
_PRODUCT_LINES = {"Milan": "Milan", "Genoa": "Genoa", "Siena": "Genoa", "Bergamo": "Genoa", "Turin": "Turin"}
_CERTIFICATE_GUIDS = {
    bytes.fromhex("63da758de6644564adc5f4b93be8accd"),  # VCEK
    bytes.fromhex("a8074bc2a25a483eaae639c045a0b8a1"),  # VLEK
    bytes.fromhex("4ab7b379bbac4fe4a02f05aef327c782"),  # ASK or ASVK
    bytes.fromhex("c0b406a4a803495297433fb6014cd0ae"),  # ARK
}
_MAX_ENTRIES = 16


@dataclass(frozen=True)
class Endorsement:
    """What a VCEK or a VLEK says.

    Attributes:
        product_line: "Milan", "Genoa" or "Turin".
        tcb: the patch level that the key belongs to, by component.
        hardware_id: 64 bytes as in the report's chip id; None in a VLEK, which belongs to no one chip.
    """

    product_line: str
    tcb: dict[str, int]
    hardware_id: bytes | None


def common_name(certificate: x509.Certificate) -> str:
    """Gives the subject's one common name, or "" where there is none.

    Raises:
        EvidenceError: the name is malformed.
    """
    with reading_certificates():
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if len(names) == 1 else ""


def parse_endorsement(certificate: x509.Certificate) -> Endorsement:
    """Reads AMD's extensions.

    Raises:
        EvidenceError: one is missing or malformed, or the product is not known.
    """
    name = parse_der(_needed(certificate, _PRODUCT)).text()
    product_line = _PRODUCT_LINES.get(name.partition("-")[0])
    if product_line is None:
        raise EvidenceError("the certificate is for a product that is not known here", "evidence_unsupported")
    oids = {"fmc": _FMC, **_LEVELS} if product_line == "Turin" else _LEVELS
    tcb = {part: parse_der(_needed(certificate, oid)).integer(255) for part, oid in oids.items()}
    hardware_id = extension_bytes(certificate, _HARDWARE_ID)
    if hardware_id is not None:
        # Turin's ids have 8 bytes, the others' 64; they stand in the extension without a type of their own.
        if len(hardware_id) != (8 if product_line == "Turin" else 64):
            raise EvidenceError("the certificate's hardware id has another length")
        hardware_id = hardware_id.ljust(64, b"\0")
    return Endorsement(product_line, tcb, hardware_id)


def find_chain(candidates: Sequence[x509.Certificate], vlek: bool) -> tuple[x509.Certificate, ...]:
    """Picks leaf, signing key and root out of certificates in any order, by name; nothing is believed yet.

    Raises:
        EvidenceError: `evidence_chain_incomplete`; one is missing, or there are several leaves to choose
            from.
    """
    leaves = [found for found in candidates if common_name(found) == (VLEK_NAME if vlek else VCEK_NAME)]
    if len(leaves) != 1:
        raise EvidenceError(
            f"{len(leaves)} certificates of the chip's key ({'VLEK' if vlek else 'VCEK'}) were given, and "
            "exactly one is needed: put it, with AMD's cert_chain, beside the report or into a folder",
            "evidence_chain_incomplete",
        )
    chain = [leaves[0]]
    while len(chain) < 3:
        with reading_certificates():
            above = [found for found in candidates if found.subject == chain[-1].issuer]
        if not above:
            raise EvidenceError(
                "AMD's signing key and root (the product's cert_chain) were not given with the report",
                "evidence_chain_incomplete",
            )
        chain.append(above[0])
    return tuple(chain)


def parse_certificate_table(untrusted: bytes) -> tuple[x509.Certificate, ...]:
    """Reads the table of certificates that a host hands to its guest (the kernel's `auxblob`).

    Entries: 16-byte GUID, then offset and length, 32 bits each, little-endian; one of zeros ends them.

    Raises:
        EvidenceError: the table or a certificate in it is malformed.
    """
    cursor = Cursor(untrusted, "the certificate table")
    found: list[x509.Certificate] = []
    for _ in range(_MAX_ENTRIES):
        guid, offset, length = cursor.take(16), cursor.number(4), cursor.number(4)
        if not any(guid):
            return tuple(found)
        if offset + length > len(untrusted):
            raise EvidenceError("the certificate table points outside itself")
        if guid in _CERTIFICATE_GUIDS:
            found.append(load_certificate(untrusted[offset : offset + length]))
    raise EvidenceError("the certificate table has no end")


def _needed(certificate: x509.Certificate, oid: str) -> bytes:
    value = extension_bytes(certificate, oid)
    if value is None:
        raise EvidenceError("the certificate lacks one of AMD's extensions")
    return value
