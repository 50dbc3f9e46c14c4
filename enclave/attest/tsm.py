"""Makes SEV-SNP and TDX evidence through the kernel's configfs interface.

Source: Linux, Documentation/ABI/testing/configfs-tsm-report (6.7 and later). A folder made below
/sys/kernel/config/tsm/report is one request: 64 bytes go into `inblob`, the signed document comes out of
`outblob`, and `generation` counts writes, so that somebody else's write between the two is noticed.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from enclave.attest.errors import EvidenceError
from enclave.attest.verdict import REPORT_DATA_BYTES

TSM_FOLDER = Path("/sys/kernel/config/tsm/report")

_FORMATS = {"sev_guest": "snp", "tdx_guest": "tdx"}


@dataclass(frozen=True)
class TsmReport:
    """What the kernel gave.

    Attributes:
        evidence_format: "snp" or "tdx".
        document: the report or the quote.
        certificates: the host's table of certificates for an SNP report, as `parse_certificate_table` reads
            it; often empty.
    """

    evidence_format: str
    document: bytes
    certificates: bytes


def tsm_format(folder: Path = TSM_FOLDER) -> str | None:
    """Says which format this machine's kernel makes, without having anything signed.

    Args:
        folder: where the kernel puts requests.

    Returns:
        "snp" or "tdx"; None where there is no such hardware, no right to ask it, or another provider.
    """
    try:
        with _request(folder) as request:
            return _FORMATS.get(_provider(request))
    except OSError:
        return None


def make_tsm_report(report_data: bytes, folder: Path = TSM_FOLDER) -> TsmReport:
    """Has 64 bytes signed by the hardware.

    Args:
        report_data: see `report_data_for`.
        folder: where the kernel puts requests.

    Raises:
        EvidenceError: `evidence_unavailable`; there is no such hardware, no right to ask it, it failed, or
            somebody interfered.
    """
    if len(report_data) != REPORT_DATA_BYTES:
        raise EvidenceError("report data has 64 bytes", "evidence_expectation_unfit")
    try:
        with _request(folder) as request:
            evidence_format = _FORMATS.get(_provider(request))
            if evidence_format is None:
                raise EvidenceError(
                    "the kernel's provider of evidence is not known here", "evidence_unavailable"
                )
            before = _generation(request)
            (request / "inblob").write_bytes(report_data)
            document = (request / "outblob").read_bytes()
            certificates = _certificates(request) if evidence_format == "snp" else b""
            if _generation(request) != before + 1:
                raise EvidenceError("somebody else wrote into the request", "evidence_unavailable")
    except OSError as error:
        raise EvidenceError(
            f"the kernel gave no evidence: {error.strerror}", "evidence_unavailable"
        ) from None
    return TsmReport(evidence_format, document, certificates)


@contextlib.contextmanager
def _request(folder: Path) -> Iterator[Path]:
    request = folder / f"bauta-{secrets.token_hex(8)}"
    request.mkdir(mode=0o700)
    try:
        yield request
    finally:
        with contextlib.suppress(OSError):
            request.rmdir()


def _provider(request: Path) -> str:
    return (request / "provider").read_text(encoding="ascii", errors="replace").strip()


def _generation(request: Path) -> int:
    text = (request / "generation").read_text(encoding="ascii", errors="replace").strip()
    if not text.isdecimal():
        raise EvidenceError("the kernel's counter of writes is no number", "evidence_unavailable")
    return int(text)


def _certificates(request: Path) -> bytes:
    try:
        return (request / "auxblob").read_bytes()
    except OSError:
        # A host that gives no certificates; they can be fetched by the chip's id.
        return b""
