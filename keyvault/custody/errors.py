"""What goes wrong between a recovery key and its custodians: a code, and one sentence for people."""

from __future__ import annotations

from keyvault.errors import KeyvaultError


class CustodianError(KeyvaultError):
    """A share, a rule, a request or a decision is refused.

    Codes:
        Sharing: scalar_invalid, point_invalid, rule_invalid, sharing_invalid, share_invalid, share_false,
            custodian_unknown, quorum_not_met, redeal_false, redeal_incomplete, holding_invalid.
        Sealing: sealed_share_invalid, share_seal_broken.
        Policy: custody_policy_invalid.
        Requests: request_invalid, request_other_policy, requester_unknown, purpose_not_allowed,
            legal_basis_not_allowed, scope_too_wide, request_too_long, request_not_yet, request_expired.
        Decisions: decision_invalid, decision_other_request, decision_out_of_order, decided_already,
            own_request, approval_other_worker, approval_other_sharing, approval_share_changed,
            request_denied, request_cancelled, request_released, request_erased, request_reshared,
            decision_left_out, history_incomplete, cool_off_running, dealing_other,
            dealt_already.
        Consents: consent_invalid, consent_missing.
        Reading: access_invalid, access_expired, record_malformed.
        Identity: custodian_file_invalid, custodian_unlock_failed, custodian_unprotected, task_invalid,
            statement_not_own, sealed_for_others.

    Attributes:
        code: as above.
        custodian: the hex digest of the custodian's keys who is to blame; None where nobody is.
    """

    def __init__(self, code: str, message: str, custodian: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.custodian = custodian
