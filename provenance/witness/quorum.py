"""Whether enough witnesses signed a checkpoint (c2sp.org/tlog-cosignature under c2sp.org/tlog-policy)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provenance.checkpoint import CheckpointText, verify_line
from provenance.errors import FormatError, ProvenanceError, SignatureError
from provenance.note import SignatureLine, VerifierKey, parse_note
from provenance.witness.policy import WitnessPolicy


def require_quorum(untrusted_note: bytes, policy: WitnessPolicy) -> dict[VerifierKey, int]:
    """Checks the witnesses' signatures on a checkpoint. The log's own are for `verify_checkpoint`.

    Returns:
        Who signed, and when by its own clock, POSIX seconds.

    Raises:
        FormatError: no checkpoint.
        SignatureError: `quorum_not_met`; `witness_signature_false`, a line claims to be by a witness and is
            not.
    """
    note = parse_note(untrusted_note)
    text = CheckpointText.parse(note.text.encode())
    signed_at = verified_cosignatures(note.lines, text, policy.keys)
    if not policy.is_met_by(signed_at.keys()):
        raise SignatureError(
            "fewer witnesses than the policy demands have signed the checkpoint", "quorum_not_met"
        )
    return signed_at


def verified_cosignatures(
    untrusted_lines: Iterable[SignatureLine], text: CheckpointText, keys: Sequence[VerifierKey]
) -> dict[VerifierKey, int]:
    """Checks every line that claims to be by one of these witnesses; others are not looked at.

    Returns:
        For each witness that signed, the time of its last line, POSIX seconds.

    Raises:
        SignatureError: `witness_signature_false`.
    """
    signed_at: dict[VerifierKey, int] = {}
    for line in untrusted_lines:
        for key in keys:
            if line.is_by(key):
                signed_at[key] = max(_verified_time(line, key, text), signed_at.get(key, 0))
    return signed_at


def require_own_log(policy: WitnessPolicy, log_keys: Sequence[VerifierKey]) -> None:
    """Checks that a policy is about this log, or about none in particular.

    Raises:
        FormatError: `policy_of_another_log`.
    """
    own = {key.to_text() for key in log_keys}
    origins = {key.name for key in log_keys}
    listed = {log.vkey for log in policy.logs}
    strangers = any(log.origin in origins and log.vkey not in own for log in policy.logs)
    if strangers or (listed and not listed & own):
        raise FormatError("the witness policy names another log or other keys", "policy_of_another_log")


def _verified_time(line: SignatureLine, key: VerifierKey, text: CheckpointText) -> int:
    try:
        signed_at = verify_line(line, key, text)
    except ProvenanceError as error:
        if error.code == "unsupported_algorithm":
            raise
        raise SignatureError(
            "a line claims to be by a witness and is not", "witness_signature_false"
        ) from None
    if not signed_at:
        # Without a time it says nothing about which tree was the newest.
        raise SignatureError("a witness signed without a time", "witness_signature_false")
    return signed_at
