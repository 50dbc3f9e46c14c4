"""A sentence for each code that a job can fail with. It helps a person act, and never holds content."""

from __future__ import annotations

MESSAGES = {
    "age_header_invalid": "The sealed upload does not begin with a valid age header.",
    "age_header_mac_invalid": "The header of the sealed upload was changed after sealing.",
    "age_no_identity_matches": "The upload is not sealed to a live intake of this service.",
    "age_payload_corrupt": "The sealed upload was changed after sealing, or damaged on the way.",
    "age_payload_truncated": "The sealed upload ends too early.",
    "cancelled": "The submitter cancelled the job.",
    "client_gone": "The service was started anew after the submitter had gone; nothing was kept.",
    "detector_failed": "The face detector failed. A frame that is not checked is never released.",
    "device_unavailable": "The device that the worker computes on does not answer.",
    "intake_key_unknown": "The upload is not sealed to a live intake of this service.",
    "internal_error": "The service met an error that it has no name for. Nothing was released.",
    "media_corrupt": "A part of the media cannot be decoded, and nothing unchecked is passed on.",
    "media_empty": "The file is empty.",
    "media_no_video": "The file holds no video stream.",
    "media_size_changed": "The size of the picture changes within the video; convert it first.",
    "media_too_large": "The picture is larger than this service takes, or has no size at all.",
    "media_too_long": "The video has more frames than this service takes.",
    "media_truncated": "The file ends too early: a part of it is missing.",
    "media_unknown_format": "The file is no video or picture of a kind that Bauta reads.",
    "media_unsupported": "The file uses a feature that Bauta does not support.",
    "mode_not_allowed": "The policy does not allow this mode.",
    "model_digest_mismatch": "A model file of this installation is not the one that it should be.",
    "model_missing": "A model file of this installation is missing.",
    "order_invalid": "The worker did not accept its order.",
    "out_of_memory": "The job needs more memory than this service gives to one job.",
    "policy_invalid": "The policy does not follow the schema.",
    "preamble_invalid": "The sealed upload does not begin with a Bauta preamble.",
    "recipient_invalid": "A recipient of the result is not a post-quantum age recipient (age1pq1...).",
    "release_job_mismatch": "The vault was asked for the key of another job.",
    "release_refused": "The vault refused to release the file key.",
    "result_too_large": "The result is larger than this service allows.",
    "settings_invalid": "The settings of the policy cannot be used together.",
    "storage_full": "The disk of the service is full.",
    "terms_invalid": "The terms of the job are not in their one exact form.",
    "terms_mismatch": "The terms inside the seal are not those of the request: someone changed one of them.",
    "upload_header_invalid": "The sealed upload does not begin with a valid age header.",
    "vault_busy": "The vault has too many requests; try again.",
    "vault_unavailable": "The vault does not answer.",
    "wall_failed": "A wall around the worker could not be raised, so the job was not started.",
    "wall_floor_missing": "This machine does not give the walls that the service needs.",
    "worker_died": "The worker ended early: the media may be hostile, or a limit was reached.",
    "worker_key_invalid": "The vault did not accept the worker's one-job keys.",
    "worker_lost": "The service was stopped while the job ran, more often than it tries again.",
    "worker_not_ready": "The worker did not come up in time.",
    "worker_reply_invalid": "The worker's reply did not pass the checks of the front desk.",
    "worker_timeout": "The job took longer than this service allows.",
}


def message_for(code: str) -> str:
    """The sentence that belongs to a code."""
    return MESSAGES.get(code, "The job failed; the code says why.")
