"""Verifies evidence of the process tier: the vault's signed release. Software's own word, and labelled so."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from enclave.attest.errors import EvidenceError
from enclave.attest.steps import EvidenceChecklist
from enclave.attest.verdict import (
    Expected,
    VerifiedEvidence,
    check_equal,
    check_lengths,
    sentences_that_apply,
)
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError, SignatureError
from provenance.proof import ProofFile
from provenance.statements import ReleaseFacts
from provenance.trust import Trust

OWN_WORD = "This is software's own word: it does not exclude root on the host."
# Canonical JSON: a proof file's first key. There the release is the evidence beside the job's statement.
_PROOF_STARTS = b'{"evidence":'
STEPS = {
    "trust_readable": "The trust file is readable and names the node.",
    "evidence_well_formed": "The release is in its one exact form.",
    "signature_holds": "The node that the trust file names signed the release.",
    "measurement_expected": "The worker's code is the expected one.",
}


def verify_process(untrusted: bytes, expected: Expected, trust: Trust | bytes) -> VerifiedEvidence:
    """Verifies a release statement in its envelope.

    Args:
        untrusted: a DSSE envelope, canonical JSON, with or without a newline after it; or the proof file of a
            result, of which only the evidence is looked at.
        expected: what it must show; only `measurement` exists here. It has no certificates: `at` is not used.
        trust: a trust file, or what was read from one.

    Raises:
        EvidenceRefusedError: with the first step that failed.
        EvidenceError: `evidence_expectation_unfit`.
    """
    if expected.nonce is not None or expected.report_data is not None or expected.min_tcb:
        raise EvidenceError(
            "evidence of the process tier has neither nonce nor report data nor patch level",
            "evidence_expectation_unfit",
        )
    check_lengths(expected, measurement_bytes=32, report_data_bytes=range(1, 1))
    checklist = EvidenceChecklist(sentences_that_apply(STEPS, expected))
    with checklist.step("trust_readable"):
        believed = _trust(trust)
    with checklist.step("evidence_well_formed"):
        envelope, facts = _release(untrusted)
    with checklist.step("signature_holds"):
        _check_signature(envelope, believed)
    if expected.measurement is not None:
        with checklist.step("measurement_expected"):
            check_equal(
                bytes.fromhex(facts.measurement),
                expected.measurement,
                "evidence_measurement_wrong",
                "measurement",
            )
    warnings = [OWN_WORD]
    if expected.measurement is None:
        warnings.append("No measurement was expected: any worker could have done the job.")
    return VerifiedEvidence(
        evidence_format="process",
        tier=facts.tier,
        moment=datetime.fromisoformat(facts.released_at).astimezone(UTC),
        moment_is="the node's clock when it released the key",
        measurement=bytes.fromhex(facts.measurement),
        report_data=b"",
        tcb={},
        debug=False,
        facts=process_facts(facts),
        warnings=tuple(warnings),
        steps=checklist.reports(),
    )


def parse_release(untrusted: bytes) -> ReleaseFacts:
    """Reads a release without checking who signed it.

    Raises:
        EvidenceError: `evidence_malformed`.
    """
    return _release(untrusted)[1]


def process_facts(facts: ReleaseFacts) -> dict[str, object]:
    """Gives a release's fields, ready for JSON."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in asdict(facts).items()}


def _trust(trust: Trust | bytes) -> Trust:
    try:
        return trust if isinstance(trust, Trust) else Trust.from_bytes(trust)
    except ProvenanceError:
        raise EvidenceError("the trust file is not one", "evidence_trust_invalid") from None


def _release(untrusted: bytes) -> tuple[Envelope, ReleaseFacts]:
    try:
        if untrusted.startswith(_PROOF_STARTS):
            evidence = ProofFile.from_bytes(untrusted).evidence
            if len(evidence) != 1:
                raise EvidenceError("this proof does not carry the evidence of one release")
            envelope = evidence[0]
        else:
            envelope = Envelope.from_bytes(untrusted.removesuffix(b"\n"))
        return envelope, ReleaseFacts.from_statement(envelope.payload)
    except ProvenanceError:
        raise EvidenceError("this is not a release statement in its envelope") from None


def _check_signature(envelope: Envelope, trust: Trust) -> None:
    try:
        envelope.verify(trust.node, trust.required_signatures)
    except SignatureError as error:
        code = "evidence_chain_untrusted" if error.code == "wrong_signer" else "evidence_signature_wrong"
        raise EvidenceError("the release is not signed by the trusted node", code) from None
    except ProvenanceError:
        raise EvidenceError("the release's signatures are malformed") from None
