"""A sentence for each code that a job can fail with. It helps a person act, and never holds content."""

from __future__ import annotations

MESSAGES = {
    "age_armor_invalid": "The sealed upload is armored text; the service takes binary age files.",
    "age_error": "The sealed upload is not an age file that this service reads.",
    "age_header_invalid": "The sealed upload does not begin with a valid age header.",
    "age_header_mac_invalid": "The header of the sealed upload was changed after sealing.",
    "age_no_identity_matches": "The upload is not sealed to a live intake of this service.",
    "age_payload_corrupt": "The sealed upload was changed after sealing, or damaged on the way.",
    "age_payload_truncated": "The sealed upload ends too early.",
    "age_recipient_invalid": "A recipient of the result is not an age recipient.",
    "age_recipients_mixed": "Post-quantum and classic recipients cannot share one result.",
    "architecture_unsupported": "The worker's wall is not built for this processor.",
    "camera_not_steady": "The camera moved or the scene changed; the policy finds people only by what moves.",
    "cancelled": "The submitter cancelled the job.",
    "client_gone": "The service was started anew after the submitter had gone; nothing was kept.",
    "credentials_refused": "The result got no content credentials, which its policy asks for.",
    "credentials_unplaceable": "The result has no place for content credentials, which its policy asks for.",
    "custody_missing": "The policy keeps what it covers for custodians, and no custody policy came with it.",
    "custody_not_asked": "A custody policy came with a policy that keeps nothing.",
    "custody_policy_invalid": "The custody policy does not follow its schema.",
    "decision_not_allowed": "The policy does not allow one of the decisions.",
    "decisions_invalid": "The decisions are malformed, or are about something that is not in this job.",
    "detector_failed": "A detector failed. A frame that is not checked is never released.",
    "device_unavailable": "The device that the worker computes on does not answer.",
    "enrolment_ambiguous": "Pictures of one enrolled person differ, or two of them are too much alike.",
    "enrolment_invalid": "A picture or a vector of an enrolled person cannot be read; take a JPEG or PNG.",
    "enrolment_many_faces": "A picture of an enrolled person shows more than one face; crop it.",
    "enrolment_no_face": "In a picture of an enrolled person no face is large, upright and seen from ahead.",
    "enrolment_not_allowed": "The policy lets nobody have one of the enrolled roles by being recognized.",
    "evidence_impossible": "The policy asks for a copy without any loss. That takes a video in 8-bit 4:2:0, "
    "of even size, not interlaced and not marked to be turned, which this original is not.",
    "intake_key_unknown": "The upload is not sealed to a live intake of this service.",
    "internal_error": "The service met an error that it has no name for. Nothing was released.",
    "matching_not_allowed": "The policy lets nobody be compared with encrypted templates of this kind.",
    "matching_other_network": "The templates were made by a network that the service's workers do not have.",
    "media_corrupt": "A part of the media cannot be decoded, and nothing unchecked is passed on.",
    "media_empty": "The file is empty.",
    "media_no_video": "The file holds no pictures, and no sound that the policy leaves.",
    "media_size_changed": "The size of the picture changes within the video; convert it first.",
    "media_too_large": "The picture is larger than this service takes, or has no size at all.",
    "media_too_long": "The video has more frames than this service takes.",
    "media_truncated": "The file ends too early: a part of it is missing.",
    "media_unknown_format": "The file is no video, picture or sound of a kind that Bauta reads.",
    "media_unsupported": "The file uses a feature that Bauta does not support.",
    "mode_not_allowed": "The policy does not allow this mode.",
    "model_digest_mismatch": "A model file of this installation is not the one that it should be.",
    "model_manifest_invalid": "The description of a detector that the operator added is not of its form.",
    "model_missing": "The policy asks for a detector that this installation does not have.",
    "model_unusable": "A detector that the operator added cannot be run as its description says.",
    "order_invalid": "The worker did not accept its order.",
    "out_of_memory": "The job needs more memory than this service gives to one job.",
    "package_too_large": "What was covered is more than a recovery package of this service holds.",
    "policy_invalid": "The policy does not follow the schema.",
    "preamble_invalid": "The sealed upload does not begin with a Bauta preamble.",
    "quorum_not_met": "Too few witnesses cosigned the log, so nothing was published; the operator is needed.",
    "recipient_invalid": "A recipient of the result is not a post-quantum age recipient (age1pq1...).",
    "record_refused": "What an earlier job saw is of another original, policy or worker, or damaged.",
    "release_job_mismatch": "The vault was asked for the key of another job.",
    "release_not_recorded": "The release of the file key did not get into the log, so the key did not leave.",
    "release_refused": "The vault refused to release the file key.",
    "release_request_malformed": "The vault could not read the worker's request.",
    "release_too_slow": "The worker took too long to ask the vault for the file key.",
    "result_shows_faces": (
        "Held back: faces were found again outside the covers, or under them, although it was covered twice. "
        "Take the mode original or a stricter policy; docs/leaks.md says how to look and cover by hand."
    ),
    "result_shows_identities": (
        "Held back: a face recognizer still told who is under the covers, although it was covered twice. "
        "Take a policy with solid or larger covers; docs/leaks.md says what else helps."
    ),
    "result_shows_text": (
        "Held back: text that the policy covers could still be read, although it was covered twice. "
        "Take the mode original or a stricter policy; docs/leaks.md says how to look and cover by hand."
    ),
    "result_shows_voices": (
        "Held back: a made voice was still taken for the person whose words it says. Another pseudonym, or "
        "none, gives another voice; or send it without sound (--no-sound). See docs/leaks.md."
    ),
    "result_tells_metadata": (
        "Held back: the finished file still told more than its pictures and sound. That is a defect of the "
        "service: please report it."
    ),
    "result_too_large": "The result is larger than this service allows.",
    "result_unchecked": (
        "Held back: no detector had looked at some of its frames, and nothing unchecked is passed on. "
        "That is a defect of the service: please report it."
    ),
    "result_unreadable": "The finished video could not be read back, so it was not delivered.",
    "review_signature_invalid": "The decisions are not signed by whoever asked for the review.",
    "review_too_large": "What was seen in this job is more than a review package holds.",
    "ring_refused": "The vault did not take the keys of the recovery package into its keeping.",
    "scratch_corrupt": "The worker's scratch file was changed while it worked.",
    "settings_invalid": "The settings of the policy cannot be used together.",
    "storage_full": "The disk of the service is full.",
    "template_foreign_context": "The templates and the context belong to different owners.",
    "template_malformed": "What should be encrypted templates is not, or was cut off or changed.",
    "template_other_network": "The templates were made by different networks and cannot be compared at once.",
    "template_vector_invalid": "A network gave no vector that can be compared.",
    "terms_invalid": "The terms of the job are not in their one exact form.",
    "terms_mismatch": "The terms inside the seal are not those of the request: someone changed one of them.",
    "untouched_too_large": "What shows the untouched tiles is larger than this service keeps.",
    "upload_header_invalid": "The sealed upload does not begin with a valid age header.",
    "upload_not_post_quantum": "The upload is sealed to a classic recipient; seal it to the intake alone.",
    "vault_busy": "The vault has too many requests; try again.",
    "vault_unavailable": "The vault does not answer.",
    "wall_failed": "A wall around the worker could not be raised, so the job was not started.",
    "wall_floor_missing": "This machine does not give the walls that the service needs.",
    "wall_violation": "The worker asked the kernel for what no job needs: the media may be hostile.",
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
