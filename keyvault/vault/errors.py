"""What the vault says when it does not do something: always a code, never a detail of a key or a request."""

from __future__ import annotations

from keyvault.errors import KeyvaultError


class VaultError(KeyvaultError):
    """A refusal with its own code.

    Attributes:
        code: stable, snake_case; the only part that leaves the process through a channel.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class VaultStartError(VaultError):
    """The vault does not start. The message tells the operator what to do.

    Codes: vault_unlock_failed, vault_key_file_exposed, vault_store_corrupt, vault_store_locked,
    vault_store_exposed, vault_store_unreadable, vault_store_unwritable, vault_config_invalid,
    vault_hardening_failed, vault_channel_invalid, credential_chain_invalid.
    """


class VaultRequestError(VaultError):
    """One request is refused; the vault lives on.

    Codes to the front desk: request_malformed, request_too_large, request_unknown, worker_not_ready,
    intake_keys_exhausted, checkpoint_malformed, checkpoint_wrong_origin, checkpoint_shrinks,
    checkpoint_forks, checkpoint_forgets, checkpoint_not_signed, anchors_not_asked, anchor_malformed,
    anchor_wrong_chain, anchor_of_another, anchor_too_dear, failure_job_id_invalid, failure_code_invalid,
    acceptance_malformed, upload_header_invalid, intake_key_unknown, too_many_accepted_uploads,
    upload_not_post_quantum, release_unknown, release_proof_invalid, release_not_witnessed,
    worker_not_released, worker_release_invalid, release_key_not_own, submission_malformed,
    upload_not_accepted,
    policies_unknown, ring_unknown, rotation_unknown, entry_proof_invalid, vault_store_unwritable,
    vault_memory_exhausted, vault_internal_error.

    Codes to a worker: release_request_malformed, release_too_slow, release_job_mismatch,
    release_nonce_wrong, release_refused, release_not_recorded, worker_key_invalid, upload_header_invalid,
    upload_not_accepted, terms_not_accepted, worker_measurement_changed, derivation_malformed,
    claim_malformed, disclosure_malformed, entry_proof_invalid, request_expired, ring_malformed,
    ring_unknown, vault_store_unwritable, vault_busy,
    vault_internal_error.
    """
