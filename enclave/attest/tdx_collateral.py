"""Intel's TDX collateral: which patch levels are current, and which quoting enclave is Intel's. JSON files.

Source: Intel, "Provisioning Certification Service API", version 4: `/tdx/certification/v4/tcb` and
`/qe/identity`. The signature is over the inner object byte for byte, so the files must be kept exactly as
they were sent.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from enclave.attest.certificates import reading_certificates
from enclave.attest.chain import ECDSA_P256, check_chain, check_dates
from enclave.attest.errors import EvidenceError
from enclave.attest.pck import PckFacts
from enclave.attest.snp_certificate import common_name
from enclave.attest.tdx_quote import QeReport, TdxQuote

UP_TO_DATE = "UpToDate"

_SIGNED_JSON = re.compile(
    rb'\{"(tcbInfo|enclaveIdentity)":(\{.*\}),"signature":"([0-9a-fA-F]{128})"\}\s*', re.DOTALL
)
_SIGNER = "Intel SGX TCB Signing"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
# What Intel says to think of a platform. The other words mean that an attack on it is known.
_BEARABLE = {UP_TO_DATE, "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded"}
_OUTDATED = {"OutOfDate", "OutOfDateConfigurationNeeded"}
_MALFORMED = "evidence_collateral_malformed"


def read_signed_json(
    untrusted: bytes,
    certificates: Sequence[x509.Certificate],
    root: x509.Certificate,
    roots: Mapping[str, str],
    at: datetime,
) -> dict[str, Any]:
    """Gives the inner object of a file, once Intel's signature and its dates hold.

    Args:
        untrusted: the file.
        certificates: where to find Intel's TCB signing certificate.
        root: the root of the quote's own chain.
        roots: pinned fingerprints.
        at: the file must not be overdue then. A file that is younger counts: it knows more.

    Raises:
        EvidenceError: `evidence_collateral_malformed`, `_untrusted` or `_expired`.
    """
    match = _SIGNED_JSON.fullmatch(untrusted)
    if match is None:
        raise EvidenceError(
            "a JSON file of the collateral is not byte for byte as Intel sends it", _MALFORMED
        )
    signers = [found for found in certificates if common_name(found) == _SIGNER]
    if not signers:
        raise EvidenceError(
            "Intel's TCB signing certificate is missing; the service sends it in a header beside the JSON",
            "evidence_collateral_untrusted",
        )
    signature = bytes.fromhex(match[3].decode("ascii"))
    encoded = encode_dss_signature(
        int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    )
    chain = (signers[0], root)
    try:
        check_chain(chain, roots, ECDSA_P256)
        with reading_certificates():
            ECDSA_P256.check(signers[0], encoded, match[2])
    except EvidenceError:
        raise EvidenceError(
            "a JSON file of the collateral is not signed by Intel", "evidence_collateral_untrusted"
        ) from None
    content = _json_object(match[2])
    issued, due = _moment(content, "issueDate"), _moment(content, "nextUpdate")
    try:
        check_dates(chain, issued)
    except EvidenceError:
        raise EvidenceError(
            "a JSON file of the collateral was signed with an expired certificate",
            "evidence_collateral_untrusted",
        ) from None
    if due < at:
        raise EvidenceError(
            f"a JSON file of the collateral was due for renewal on {due:%Y-%m-%d}",
            "evidence_collateral_expired",
        )
    return content


def check_tcb_info(content: dict[str, Any], quote: TdxQuote, pck: PckFacts) -> list[str]:
    """Finds the platform's patch level in a TCB info (the steps of Intel's document).

    Returns:
        Warnings: a level that is bearable and not up to date.

    Raises:
        EvidenceError: `evidence_collateral_mismatch`, `evidence_tcb_too_old`, `evidence_revoked`,
            `evidence_identity_wrong` or `evidence_collateral_malformed`.
    """
    if _field(content, "id", str) != "TDX" or _field(content, "version", int) != 3:
        raise EvidenceError("the TCB info is not one for TDX of version 3", "evidence_collateral_mismatch")
    if _hexadecimal(content, "fmspc") != pck.fmspc or _hexadecimal(content, "pceId") != pck.pce_id:
        raise EvidenceError("the TCB info is for another family of platforms", "evidence_collateral_mismatch")
    module_version = quote.tee_tcb_svn[1]
    warnings = _check_module(content, quote, module_version)
    # With a versioned module the first two levels are the module's own and were judged just now.
    first = 0 if module_version == 0 else 2
    for level in _field(content, "tcbLevels", list):
        tcb = _field(level, "tcb", dict)
        if (
            _reached(pck.components, _levels(tcb, "sgxtcbcomponents"))
            and pck.pce_svn >= _field(tcb, "pcesvn", int)
            and _reached(quote.tee_tcb_svn[first:], _levels(tcb, "tdxtcbcomponents")[first:])
        ):
            return warnings + _judge(level, "platform")
    raise EvidenceError("the platform is older than any patch level that Intel lists", "evidence_tcb_too_old")


def check_qe_identity(content: dict[str, Any], report: QeReport) -> list[str]:
    """Checks the quoting enclave against Intel's description of it.

    Returns:
        Warnings: a level that is bearable and not up to date.

    Raises:
        EvidenceError: `evidence_identity_wrong`, `evidence_tcb_too_old`, `evidence_revoked`,
            `evidence_collateral_mismatch` or `evidence_collateral_malformed`.
    """
    if _field(content, "id", str) != "TD_QE" or _field(content, "version", int) != 2:
        raise EvidenceError("the QE identity is not one for TDX of version 2", "evidence_collateral_mismatch")
    matches = (
        _masked(report.misc_select, _hexadecimal(content, "miscselectMask"))
        == _hexadecimal(content, "miscselect")
        and _masked(report.attributes, _hexadecimal(content, "attributesMask"))
        == _hexadecimal(content, "attributes")
        and hmac.compare_digest(report.mr_signer, _hexadecimal(content, "mrsigner"))
        and report.product_id == _field(content, "isvprodid", int)
    )
    if not matches:
        raise EvidenceError("the quote was signed by another enclave than Intel's", "evidence_identity_wrong")
    return _judge_svn(_field(content, "tcbLevels", list), report.svn, "quoting enclave")


def _check_module(content: dict[str, Any], quote: TdxQuote, module_version: int) -> list[str]:
    module: dict[str, Any] | None = None
    if module_version == 0:
        module = _field(content, "tdxModule", dict)
    else:
        for candidate in _field(content, "tdxModuleIdentities", list):
            if _field(candidate, "id", str) == f"TDX_{module_version:02X}":
                module = candidate
    if module is None:
        raise EvidenceError("Intel does not list this TDX module", "evidence_identity_wrong")
    if quote.mr_signer_seam != _hexadecimal(module, "mrsigner") or _masked(
        quote.seam_attributes, _hexadecimal(module, "attributesMask")
    ) != _hexadecimal(module, "attributes"):
        raise EvidenceError("the TDX module is not Intel's", "evidence_identity_wrong")
    if module_version == 0:
        return []
    return _judge_svn(_field(module, "tcbLevels", list), quote.tee_tcb_svn[0], "TDX module")


def _judge_svn(levels: list[Any], svn: int, what: str) -> list[str]:
    for level in levels:
        if svn >= _field(_field(level, "tcb", dict), "isvsvn", int):
            return _judge(level, what)
    raise EvidenceError(f"the {what} is older than any that Intel lists", "evidence_tcb_too_old")


def _judge(level: Any, what: str) -> list[str]:
    status = _field(level, "tcbStatus", str)
    if status in _OUTDATED:
        raise EvidenceError(f"Intel calls the {what}'s patch level out of date", "evidence_tcb_too_old")
    if status not in _BEARABLE:
        # "Revoked", or a word that Intel had not yet when this was written.
        raise EvidenceError(f"Intel has revoked the {what}'s patch level", "evidence_revoked")
    return [] if status == UP_TO_DATE else [f"Intel's word on the {what}'s patch level: {status}."]


def _reached(actual: Sequence[int], least: Sequence[int]) -> bool:
    return all(have >= need for have, need in zip(actual, least, strict=True))


def _levels(tcb: dict[str, Any], name: str) -> tuple[int, ...]:
    levels = tuple(_field(item, "svn", int) for item in _field(tcb, name, list))
    if len(levels) != 16:
        raise EvidenceError("a patch level of the collateral does not have 16 components", _MALFORMED)
    return levels


def _masked(value: bytes, mask: bytes) -> bytes:
    if len(value) != len(mask):
        raise EvidenceError("a mask of the collateral has another length", _MALFORMED)
    return bytes(a & b for a, b in zip(value, mask, strict=True))


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise EvidenceError("a JSON file of the collateral does not parse", _MALFORMED) from None
    if not isinstance(content, dict):
        raise EvidenceError("a JSON file of the collateral holds no object", _MALFORMED)
    return content


def _field(untrusted: Any, name: str, kind: type[Any]) -> Any:
    value = untrusted.get(name) if isinstance(untrusted, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise EvidenceError(f"the collateral lacks its field {name}", _MALFORMED)
    return value


def _hexadecimal(content: dict[str, Any], name: str) -> bytes:
    try:
        return bytes.fromhex(_field(content, name, str))
    except ValueError:
        raise EvidenceError(f"the collateral's field {name} is not hexadecimal", _MALFORMED) from None


def _moment(content: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.strptime(_field(content, name, str), _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise EvidenceError(f"the collateral's field {name} is not a time", _MALFORMED) from None
