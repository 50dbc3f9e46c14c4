"""Terms: what one job is asked to do. The same bytes travel in the request and inside the seal.

Canonical JSON: {"format":"bauta.terms/v1","mode":...,"policy":"<the policy's TOML text>","recipients":[...]},
"custody":"<a custody policy's TOML text>" where the policy keeps what it covers, and only there, and
"submitter":{"key":...,"number":...}, what this one submission knows its source by. The worker compares both
copies byte for byte, so that the front desk can swap neither policies nor recipients nor keys.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from enclave.errors import PolicyError, TermsError
from enclave.policy.document import MAX_POLICY_BYTES, Policy, parse_policy
from keyvault.age.header import MAX_STANZAS
from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import MAX_POLICY_BYTES as MAX_CUSTODY_BYTES
from keyvault.custody.policy import CustodyPolicy, parse_custody_policy
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.submission_key import SubmissionKey
from provenance import canonical
from provenance.errors import FormatError

FORMAT = "bauta.terms/v1"
MAX_RECIPIENTS = 16
# A text may double in JSON.
MAX_TERMS_BYTES = 2 * (MAX_POLICY_BYTES + MAX_CUSTODY_BYTES) + (64 << 10)

# Bech32 of a 1,216-byte X-Wing key under "age1pq" (c2sp.org/age): 1,946 digits and 6 of checksum. Classic
# age1... recipients are refused: a result sealed to one would fall to a quantum computer, and whoever wants
# to downgrade a person's result must not find the door open. keyvault.age checks the checksum at sealing.
_RECIPIENT = re.compile(r"age1pq1[ac-hj-np-z02-9]{1952}")


@dataclass(frozen=True)
class Terms:
    """What one job is asked to do.

    Attributes:
        policy: the policy.
        mode: one of the modes that the policy allows.
        recipients: who can open the result: 1 to 16 `age1pq1...` strings, none twice.
        custody: who together can have what was covered uncovered; None exactly where nothing is kept.
        submitter: a key that the source can later show to be its own, or never; None for none. To everybody
            else it is a random point: `keyvault.submitter.submission_key`.

    Raises:
        TermsError: `mode_not_allowed`, `recipient_invalid`, `custody_missing`, `custody_not_asked`,
            `custody_policy_invalid` or `terms_invalid`.
    """

    policy: Policy
    mode: str
    recipients: tuple[str, ...]
    custody: CustodyPolicy | None = None
    submitter: SubmissionKey | None = None

    def __post_init__(self) -> None:
        if self.mode not in self.policy.allowed_modes:
            raise TermsError(
                f"the policy {self.policy.name} allows these modes: {', '.join(self.policy.allowed_modes)}",
                "mode_not_allowed",
            )
        if not 1 <= len(self.recipients) <= MAX_RECIPIENTS or len(set(self.recipients)) != len(
            self.recipients
        ):
            raise TermsError(f"terms name 1 to {MAX_RECIPIENTS} recipients, none twice")
        if not all(_RECIPIENT.fullmatch(recipient) for recipient in self.recipients):
            raise TermsError(
                "a recipient is not age1pq1...; classic age1... ones are refused", "recipient_invalid"
            )
        if self.policy.recovery.keeps and self.custody is None:
            raise TermsError(
                f"the policy {self.policy.name} keeps what it covers for custodians: name a custody policy",
                "custody_missing",
            )
        if self.custody is not None and not self.policy.recovery.keeps:
            raise TermsError(
                f"the policy {self.policy.name} keeps nothing: there is nothing for custodians",
                "custody_not_asked",
            )
        if self.custody is not None and len(self.custody.custodians) > MAX_STANZAS:
            raise TermsError(
                f"a job has at most {MAX_STANZAS} custodians: its sheet is sealed to all of them",
                "custody_policy_invalid",
            )

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical bytes, 32 bytes."""
        return hashlib.sha256(self.to_bytes()).digest()

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object, for embedding in the preamble."""
        custody = {"custody": self.custody.text} if self.custody is not None else {}
        submitter = {"submitter": self.submitter.to_object()} if self.submitter is not None else {}
        return {
            **custody,
            **submitter,
            "format": FORMAT,
            "mode": self.mode,
            "policy": self.policy.text,
            "recipients": list(self.recipients),
        }

    def to_bytes(self) -> bytes:
        """Gives the canonical JSON."""
        return canonical.dumps(self.to_object())


def parse_terms(untrusted: bytes) -> Terms:
    """Reads canonical terms; encoding them again gives the same bytes.

    Raises:
        TermsError: `terms_invalid`, `policy_invalid`, `custody_policy_invalid`, or as for `Terms`.
    """
    try:
        untrusted_object = canonical.loads(untrusted, MAX_TERMS_BYTES)
    except FormatError:
        raise TermsError("terms are not canonical JSON") from None
    return terms_from_object(untrusted_object)


def terms_from_object(untrusted: object) -> Terms:
    """Reads the JSON object that `Terms.to_object` gives.

    Raises:
        TermsError: as for `parse_terms`.
    """
    wanted = {"format", "mode", "policy", "recipients"}
    if not isinstance(untrusted, dict) or untrusted.keys() - {"custody", "submitter"} != wanted:
        raise TermsError(
            "terms hold format, mode, policy, recipients, perhaps custody and submitter, and nothing else"
        )
    mode, text, recipients = untrusted["mode"], untrusted["policy"], untrusted["recipients"]
    custody = untrusted.get("custody", "")
    if (
        untrusted["format"] != FORMAT
        or not isinstance(mode, str)
        or not isinstance(text, str)
        or not isinstance(custody, str)
        or not isinstance(recipients, list)
        or not all(isinstance(recipient, str) for recipient in recipients)
    ):
        raise TermsError(f"terms are not of the form {FORMAT}")
    try:
        policy = parse_policy(text)
    except PolicyError as error:
        raise TermsError(str(error), error.code) from None
    try:
        keepers = parse_custody_policy(custody) if "custody" in untrusted else None
    except CustodianError as error:
        raise TermsError(str(error), error.code) from None
    try:
        submitter = SubmissionKey.from_object(untrusted["submitter"]) if "submitter" in untrusted else None
    except SubmitterError as error:
        raise TermsError(str(error)) from None
    return Terms(policy=policy, mode=mode, recipients=tuple(recipients), custody=keepers, submitter=submitter)
