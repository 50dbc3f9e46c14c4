"""A sentence for each code with which a disclosure worker refuses; and whose share was false, if one was."""

from __future__ import annotations

from enclave.host import DisclosureRefusedError
from grpc_api.errors import ServiceError, precondition

SENTENCES = {
    "approval_other_sharing": "An approval comes with a share of an older sharing.",
    "approval_other_worker": "An approval is for another disclosure worker.",
    "approval_share_changed": "A sealed share is not the one that was approved.",
    "cool_off_running": "The time between request and release is not over, by the witnesses' clocks.",
    "custodian_unknown": "A decision is by nobody whom the custody policy names.",
    "custody_policy_changed": "The custody policy that is shown is not the one that decides.",
    "custody_policy_invalid": "The custody policy is none.",
    "decided_already": "A custodian decided twice.",
    "decision_invalid": "A decision is none, or not signed by who is said to decide.",
    "decision_left_out": "Somebody who approved had denied before, and that was not shown.",
    "decision_other_request": "A decision is on another request.",
    "decision_out_of_order": "Decisions are not shown in the order of the log.",
    "facts_disagree": "Two statements that should be about the same thing are not.",
    "history_incomplete": "The log is not shown from the job of the request to its end.",
    "history_stale": "The log that is shown is older than the worker's own last entry in it.",
    "legal_basis_not_allowed": "The custody policy does not take this legal basis.",
    "materials_malformed": "What the worker was shown is not of its form.",
    "nothing_kept": "Nothing of this job was kept: its covers stay for good.",
    "own_request": "Somebody decided on a request of their own.",
    "package_changed": "The recovery package is not the one that the job's worker wrote.",
    "package_entry_damaged": "A part of the recovery package is damaged.",
    "package_key_wrong": "The recovery key that was put together does not open the package.",
    "package_malformed": "The recovery package is damaged.",
    "point_invalid": "The sharing is damaged.",
    "proof_invalid": "A proof does not hold, or too few witnesses stand behind it.",
    "purpose_not_allowed": "The requester may not ask for this purpose.",
    "quorum_not_met": "Too few custodians agree, or not the right ones.",
    "redeal_false": "A custodian handed on something else than their own share.",
    "redeal_incomplete": "A re-sharing is not complete.",
    "request_cancelled": "The request was taken back.",
    "request_denied": "Too many custodians have denied the request.",
    "request_erased": "A track that is asked for was erased.",
    "request_expired": "The request has expired; ask again.",
    "request_invalid": "The request is none, or not signed by who is said to ask.",
    "request_not_yet": "The request is dated later than the present moment.",
    "request_other_policy": "The request is made under another custody policy.",
    "request_released": "The request was answered before.",
    "request_reshared": "The custodians changed their shares since; ask again.",
    "request_too_long": "The request would stand longer than the custody policy allows.",
    "requester_unknown": "The custody policy does not let this requester ask.",
    "rule_invalid": "The custody policy's groups are no rule.",
    "scope_too_wide": "The request asks for more tracks or seconds than it may.",
    "share_false": "A share is false.",
    "share_invalid": "A share is none.",
    "share_seal_broken": "A share is sealed for something else, or was changed.",
    "sharing_changed": "The sharing that is shown is not the one that decides.",
    "sharing_invalid": "The sharing is of another job, or of other custodians.",
    "witnesses_not_named": "The trust file that the worker decides by names no witnesses.",
    "worker_not_released": "The version of the worker that made the result is not released.",
}


def told(refusal: DisclosureRefusedError) -> ServiceError:
    """What a caller is told of a worker's refusal."""
    sentence = SENTENCES.get(refusal.code, "The disclosure worker does not go on; the code says why.")
    if refusal.custodian:
        sentence += f" It is of the custodian {refusal.custodian}."
    return precondition(refusal.code, sentence)
