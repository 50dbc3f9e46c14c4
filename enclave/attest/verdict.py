"""What a verifier demands of evidence, and what it knows afterwards; the same for every format."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from enclave.attest.errors import EvidenceError
from provenance.checklist import Step

REPORT_DATA_BYTES = 64


@dataclass(frozen=True)
class Expected:
    """What evidence must show. What is left out is not checked, and the verdict warns of it.

    Attributes:
        at: the moment at which certificates must be valid, with a time zone; None for the document's own
            time.
        report_data: what the guest asked to have signed: 64 bytes of an SNP report or a TDX quote, up to 512
            bytes of user data in a Nitro document.
        nonce: of a Nitro document; the other formats have none of their own.
        measurement: of what was started: 48 bytes (SNP measurement, MRTD, PCR0), 32 for the process tier.
        min_tcb: lowest patch level by component; which components there are depends on the format.
        allow_debug: accept a machine whose memory can be read from outside. For trials, never for people.
        allowed_vmpls: SNP privilege levels that may speak; 0 is the only one where nothing stands above the
            guest's kernel but hardware and firmware.
    """

    at: datetime | None
    report_data: bytes | None = None
    nonce: bytes | None = None
    measurement: bytes | None = None
    min_tcb: Mapping[str, int] = field(default_factory=dict)
    allow_debug: bool = False
    allowed_vmpls: frozenset[int] = frozenset({0})

    @classmethod
    def now(cls) -> Expected:
        """Demands nothing but sound evidence whose certificates are valid now."""
        return cls(at=datetime.now(UTC))


@dataclass(frozen=True)
class VerifiedEvidence:
    """Evidence after every step held.

    Attributes:
        evidence_format: "snp", "tdx", "nitro" or "process".
        tier: the tier that such evidence supports: "cvm", "nitro" or "process".
        moment: when the certificates were found valid; for the process tier, when the release was signed.
        moment_is: where that moment comes from, for people.
        measurement: of what was started, 48 bytes (32 for the process tier).
        report_data: what the guest had signed; 64 bytes for SNP and TDX, user data for Nitro, else empty.
        tcb: patch level by component; empty where the format has none.
        debug: whether the machine can be read from outside; True only where that was allowed.
        facts: the decoded document, ready for JSON.
        warnings: what was not checked, and what to think of; for people.
        steps: one report a step, in order.
    """

    evidence_format: str
    tier: str
    moment: datetime
    moment_is: str
    measurement: bytes
    report_data: bytes
    tcb: Mapping[str, int]
    debug: bool
    facts: Mapping[str, object]
    warnings: tuple[str, ...]
    steps: tuple[Step, ...]


def sentences_that_apply(
    sentences: Mapping[str, str], expected: Expected, *, judge_tcb: bool = False
) -> dict[str, str]:
    """Leaves out the steps that nothing was expected for, so that no report ticks what was not checked.

    Args:
        sentences: every step of a format.
        expected: the expectations.
        judge_tcb: keep the step about patch levels although no minimum was given.
    """
    demanded = {
        "tcb_recent": bool(expected.min_tcb) or judge_tcb,
        "measurement_expected": expected.measurement is not None,
        "nonce_expected": expected.nonce is not None,
        "report_data_expected": expected.report_data is not None,
    }
    applying = {step: sentence for step, sentence in sentences.items() if demanded.get(step, True)}
    if expected.allow_debug and "debug_off" in applying:
        applying["debug_off"] = "Debugging was allowed: whether it is on stands below."
    return applying


def check_equal(actual: bytes, expected: bytes, code: str, what: str) -> None:
    """Compares in constant time.

    Raises:
        EvidenceError: with `code`; they differ.
    """
    if not hmac.compare_digest(actual, expected):
        raise EvidenceError(f"the {what} is not the expected one", code)


def check_debug(debug: bool, expected: Expected) -> None:
    """Refuses a machine that can be read from outside, unless that was allowed.

    Raises:
        EvidenceError: `evidence_debug`.
    """
    if debug and not expected.allow_debug:
        raise EvidenceError("the machine was started with debugging on: it keeps no secret", "evidence_debug")


def check_min_tcb(actual: Mapping[str, int], minimum: Mapping[str, int]) -> None:
    """Compares patch levels component by component.

    Raises:
        EvidenceError: `evidence_tcb_too_old`; `evidence_expectation_unfit` for a component that is not there.
    """
    unknown = sorted(set(minimum) - set(actual))
    if unknown:
        known = ", ".join(actual) or "none"
        raise EvidenceError(
            f"this document has no such component; it has: {known}", "evidence_expectation_unfit"
        )
    for component, least in minimum.items():
        if actual[component] < least:
            raise EvidenceError(
                f"the patch level of {component} is {actual[component]}, below the demanded {least}",
                "evidence_tcb_too_old",
            )


def check_lengths(expected: Expected, measurement_bytes: int, report_data_bytes: range) -> None:
    """Refuses expectations that no document of a format could meet, before one is read.

    Raises:
        EvidenceError: `evidence_expectation_unfit`.
    """
    if expected.measurement is not None and len(expected.measurement) != measurement_bytes:
        raise EvidenceError(
            f"a measurement of this format has {measurement_bytes} bytes", "evidence_expectation_unfit"
        )
    if expected.report_data is not None and len(expected.report_data) not in report_data_bytes:
        raise EvidenceError(
            f"report data of this format has {report_data_bytes[-1]} bytes", "evidence_expectation_unfit"
        )


def optional_warnings(expected: Expected, measurement: str, report_data: str) -> list[str]:
    """Names what was left out of the expectations.

    Args:
        expected: the expectations.
        measurement: what the format calls its measurement.
        report_data: what the format calls what the guest had signed.
    """
    warnings = []
    if expected.measurement is None:
        warnings.append(f"No measurement was expected: any image could have been started ({measurement}).")
    if expected.report_data is None and expected.nonce is None:
        warnings.append(
            f"Nothing was expected in the {report_data}: this could be an old or another's document."
        )
    return warnings
