"""The AMD SEV-SNP attestation report, 1,184 bytes, parsed to the last reserved bit.

Source: AMD publication 56860, "SEV Secure Nested Paging Firmware ABI Specification", table
ATTESTATION_REPORT; versions 2 to 5.
"""

from __future__ import annotations

from dataclasses import dataclass

from enclave.attest.errors import EvidenceError
from enclave.attest.reading import Cursor

REPORT_BYTES = 1184
SIGNED_BYTES = 0x2A0
VCEK = 0
VLEK = 1

_VERSIONS = range(2, 6)
_FIRST_WITH_CPUID = 3
_FIRST_WITH_MITIGATIONS = 5
_ECDSA_P384_SHA384 = 1
_SCALAR_BYTES = 72
# The guest policy's bits 26 to 63 are reserved; bit 17 must be set.
_POLICY_BITS = 26
_POLICY_ALWAYS = 1 << 17
_POLICY_NAMES = {
    16: "smt_allowed",
    18: "migration_agent_allowed",
    19: "debug_allowed",
    20: "single_socket_only",
    21: "cxl_allowed",
    22: "aes_256_xts_required",
    23: "rapl_disabled",
    24: "ciphertext_hiding_required",
    25: "page_swap_disabled",
}
# From Turin (Zen 5) on, the patch levels start with one for the FMC.
_OLD_TCB = ("bootloader", "tee", None, None, None, None, "snp", "microcode")
_TURIN_TCB = ("fmc", "bootloader", "tee", "snp", None, None, None, "microcode")


@dataclass(frozen=True)
class SnpReport:
    """One report; well formed, not yet believed.

    Attributes:
        version: 2 to 5.
        guest_svn: chosen by the guest's owner.
        policy: names of the guest policy's bits that are set.
        policy_abi: lowest firmware ABI that the guest accepts, (major, minor).
        family_id: 16 bytes, chosen by the guest's owner.
        image_id: 16 bytes, chosen by the guest's owner.
        vmpl: the privilege level that asked, 0 to 3; 0xFFFFFFFF where the host asked, not the guest.
        signing_key: `VCEK` or `VLEK`.
        chip_id_masked: whether the host hides the chip's id.
        platform_info: raw bits.
        report_data: 64 bytes that the guest chose.
        measurement: 48 bytes, SHA-384 over the guest's first memory.
        host_data: 32 bytes that the host chose.
        id_key_digest: 48 bytes.
        author_key_digest: 48 bytes.
        report_id: 32 bytes, new with every start of the guest.
        cpuid: family, model and stepping; None in version 2.
        chip_id: 64 bytes, zero where masked.
        current_tcb, reported_tcb, committed_tcb, launch_tcb: 8 raw bytes each; `decode_tcb` reads them.
        signed: the bytes that the signature is over.
        signature: r and s as numbers.
    """

    version: int
    guest_svn: int
    policy: frozenset[str]
    policy_abi: tuple[int, int]
    family_id: bytes
    image_id: bytes
    vmpl: int
    signing_key: int
    chip_id_masked: bool
    platform_info: int
    report_data: bytes
    measurement: bytes
    host_data: bytes
    id_key_digest: bytes
    author_key_digest: bytes
    report_id: bytes
    cpuid: tuple[int, int, int] | None
    chip_id: bytes
    current_tcb: bytes
    reported_tcb: bytes
    committed_tcb: bytes
    launch_tcb: bytes
    signed: bytes
    signature: tuple[int, int]

    @property
    def debug(self) -> bool:
        """Whether the host may read the guest's memory."""
        return "debug_allowed" in self.policy


def decode_tcb(raw: bytes, turin: bool) -> dict[str, int]:
    """Reads a TCB_VERSION.

    Args:
        raw: 8 bytes.
        turin: whether the processor is a Turin, which orders them differently.

    Raises:
        EvidenceError: a reserved byte is set.
    """
    levels: dict[str, int] = {}
    for name, level in zip(_TURIN_TCB if turin else _OLD_TCB, raw, strict=True):
        if name is not None:
            levels[name] = level
        elif level:
            raise EvidenceError("a patch level of the report uses reserved bytes")
    return levels


def parse_snp_report(untrusted: bytes) -> SnpReport:
    """Parses a report.

    Raises:
        EvidenceError: `evidence_malformed`, or `evidence_unsupported` for a version or an algorithm not known
            here.
    """
    if len(untrusted) != REPORT_BYTES:
        raise EvidenceError(f"an SNP report has {REPORT_BYTES} bytes")
    cursor = Cursor(untrusted, "the SNP report")
    version = cursor.number(4)
    if version not in _VERSIONS:
        raise EvidenceError(f"SNP reports of version {version} are not known here", "evidence_unsupported")
    guest_svn = cursor.number(4)
    policy, policy_abi = _policy(cursor.number(8))
    family_id, image_id = cursor.take(16), cursor.take(16)
    vmpl = cursor.number(4)
    if cursor.number(4) != _ECDSA_P384_SHA384:
        raise EvidenceError("the report is not signed with ECDSA P-384", "evidence_unsupported")
    current_tcb, platform_info = cursor.take(8), cursor.number(8)
    signing_key, chip_id_masked = _signer(cursor.number(4))
    cursor.zeros(4)
    report_data, measurement, host_data = cursor.take(64), cursor.take(48), cursor.take(32)
    id_key_digest, author_key_digest = cursor.take(48), cursor.take(48)
    report_id = cursor.take(32)
    cursor.take(32)  # Of a migration agent; a guest that allows one is refused.
    reported_tcb = cursor.take(8)
    cpuid = None
    if version >= _FIRST_WITH_CPUID:
        cpuid = (cursor.number(1), cursor.number(1), cursor.number(1))
        cursor.zeros(21)
    else:
        cursor.zeros(24)
    chip_id, committed_tcb = cursor.take(64), cursor.take(8)
    for _current_then_committed_firmware in range(2):
        cursor.take(3)
        cursor.zeros(1)
    launch_tcb = cursor.take(8)
    if version >= _FIRST_WITH_MITIGATIONS:
        cursor.take(
            16
        )  # Mitigation vectors at launch and now: they add to the patch levels, and are not judged.
    else:
        cursor.zeros(16)
    cursor.zeros(SIGNED_BYTES - cursor.position)
    signature = (cursor.number(_SCALAR_BYTES), cursor.number(_SCALAR_BYTES))
    cursor.zeros(cursor.left)
    return SnpReport(
        version=version,
        guest_svn=guest_svn,
        policy=policy,
        policy_abi=policy_abi,
        family_id=family_id,
        image_id=image_id,
        vmpl=vmpl,
        signing_key=signing_key,
        chip_id_masked=chip_id_masked,
        platform_info=platform_info,
        report_data=report_data,
        measurement=measurement,
        host_data=host_data,
        id_key_digest=id_key_digest,
        author_key_digest=author_key_digest,
        report_id=report_id,
        cpuid=cpuid,
        chip_id=chip_id,
        current_tcb=current_tcb,
        reported_tcb=reported_tcb,
        committed_tcb=committed_tcb,
        launch_tcb=launch_tcb,
        signed=untrusted[:SIGNED_BYTES],
        signature=signature,
    )


def _policy(bits: int) -> tuple[frozenset[str], tuple[int, int]]:
    if bits >> _POLICY_BITS or not bits & _POLICY_ALWAYS:
        raise EvidenceError("the guest policy of the report uses reserved bits")
    names = frozenset(name for bit, name in _POLICY_NAMES.items() if bits >> bit & 1)
    return names, (bits >> 8 & 0xFF, bits & 0xFF)


def _signer(bits: int) -> tuple[int, bool]:
    key = bits >> 2 & 7
    if bits >> 5:
        raise EvidenceError("the report uses reserved bits")
    if key not in {VCEK, VLEK}:
        raise EvidenceError("the report is not signed by a VCEK or a VLEK", "evidence_unsupported")
    return key, bool(bits & 2)
